"""An opening makes a town begin as it says, travels with the configuration, and changes nobody else's luck."""

from typing import Any

import numpy as np
import pytest

from tests.core.scenarios.conftest import CONFIGS
from townlet_core.config import TownConfig, embedded_config, load_config
from townlet_core.core import Simulation
from townlet_core.world.state import NOBODY

TOWN = CONFIGS / "towns" / "hamlet.yaml"


def hamlet(citizens: dict[str, Any], **stock: int) -> TownConfig:
    """Three people in the hamlet, beginning as told."""
    return load_config(TOWN, {"agents": 3, "opening": {"citizens": citizens, "stock": stock}})


def test_a_citizen_begins_as_the_opening_says() -> None:
    who = {"tile": [5, 4], "needs": {"hunger": 0.25, "energy": 0.0}, "wallet": 0.0, "ingredients": 7}
    sim = Simulation(hamlet({"agent_2": who | {"personality": {"ambition": 1.0}}}, fridge_2=1), 3)
    drawn = Simulation(hamlet({}), 3)
    agent = sim.agents[:, 1]
    assert {*zip(agent["y"].tolist(), agent["x"].tolist(), strict=True)} == {(5, 4)}
    assert (sim.state.occupancy[:, 5, 4] == 1).all()
    assert (sim.state.occupancy == 1).sum() == 3
    assert agent["needs"][:, [0, 2]].tolist() == [[0.25, 0.0]] * 3
    assert (agent["wallet"].tolist(), agent["ingredients"].tolist()) == ([0.0] * 3, [7] * 3)
    assert (agent["personality"][:, 2] == 1.0).all()
    assert (agent["needs"][:, 1] == drawn.agents["needs"][:, 1, 1]).all()
    assert sim.state.fixtures["stock"][0, sim.names.fixtures.index("fridge_2")] == 1


def test_nobody_else_is_drawn_otherwise() -> None:
    told = Simulation(hamlet({"agent_2": {"beside": "desk_1", "needs": {"hunger": 0.25}, "wallet": 1.0}}), 4)
    drawn = Simulation(hamlet({}), 4)
    for part in ("needs", "wallet", "ingredients", "personality", "y", "x"):
        assert (told.agents[part][:, [0, 2]] == drawn.agents[part][:, [0, 2]]).all(), part
    assert (told.state.towns["streams"] == drawn.state.towns["streams"]).all()


def test_who_stands_beside_something_stands_on_a_free_tile_next_to_it() -> None:
    places = {f"agent_{number}": {"beside": "shower_1"} for number in (1, 2, 3)}
    sim = Simulation(hamlet(places))
    shower = sim.rules.fixtures[sim.names.fixtures.index("shower_1")]
    tiles = {(int(agent["y"]), int(agent["x"])) for agent in sim.agents[0]}
    assert len(tiles) == 3
    assert all(abs(y - shower.y) + abs(x - shower.x) == 1 for y, x in tiles)


def test_a_mutual_tie_goes_both_ways_and_another_one_way() -> None:
    ties = {"agent_2": {"mutual": True, "rivalry": 0.5}, "agent_3": {"mutual": False, "trust": -0.25}}
    sim = Simulation(hamlet({"agent_1": {"ties": ties}}))
    felt = {
        (who, int(tie["other"])): (float(tie["trust"]), float(tie["rivalry"]))
        for who in range(3)
        for tie in sim.state.ties[0, who]
        if tie["other"] != NOBODY
    }
    assert felt == {(0, 1): (0.0, 0.5), (1, 0): (0.0, 0.5), (0, 2): (-0.25, 0.0)}


def test_an_opening_travels_with_the_configuration_and_comes_back_with_every_episode() -> None:
    config = hamlet({"agent_1": {"tile": [5, 4]}, "agent_3": {"wallet": 3.5}})
    sim = Simulation(embedded_config(config.model_dump_json(), "shard"), 2)
    for _ in range(30):
        sim.advance(np.zeros(sim.shape, np.int8))
    sim.reset_towns(np.array([False, True]), np.array([0, 1]))
    assert (int(sim.agents[1, 0]["y"]), int(sim.agents[1, 0]["x"])) == (5, 4)
    assert sim.agents[1, 2]["wallet"] == pytest.approx(3.5)
