"""Patience and frugality: nothing where they are off, and what each of them does where it is on."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import qmc

from tests.core.engine.test_observations import assert_as_the_oracle_says
from tests.core.engine.test_tie_rules import alone
from townlet_core.config import TownConfig, load_config
from townlet_core.config.personality import TRAIT_NAMES
from townlet_core.core import Simulation
from townlet_core.world.affordances import TICKS_PER_COIN, best_target
from townlet_core.world.events import Event
from townlet_core.world.queues import goes_before, patience_of
from townlet_core.world.state import FRUGALITY, PATIENCE

DEFAULT = Path(__file__).parents[3] / "configs" / "towns" / "default.yaml"


def having(**traits: bool) -> TownConfig:
    """The default town whose citizens have more traits."""
    return load_config(DEFAULT, {"personality": traits})


def test_where_the_traits_are_off_nobody_has_them(taught: Callable) -> None:
    sim = Simulation(having(), towns=2, seed=1)
    for _ in taught(sim, 300):
        pass
    assert (sim.agents["personality"][..., PATIENCE:] == 0).all()
    assert (sim.state.towns["trait_shift"][:, PATIENCE:] == 0).all()
    assert not {"patience", "frugality"} & {spec.name for spec in sim.layout.features}


@pytest.mark.parametrize("traits", [("patience",), ("frugality",), ("patience", "frugality")])
def test_traits_are_drawn_from_the_sequence_and_seen(traits: tuple[str, ...]) -> None:
    sim = Simulation(having(**dict.fromkeys(traits, True)), towns=1, seed=1)
    points = qmc.Halton(d=5, scramble=False).random(9)[1:]
    names = [spec.name for spec in sim.layout.features]
    for name in ("patience", "frugality"):
        k = TRAIT_NAMES.index(name)
        held = sim.agents["personality"][0, :, k]
        if name not in traits:
            assert (held == 0).all()
            assert name not in names
            continue
        expected = (points[:, k] + sim.state.towns["trait_shift"][0, k]) % 1.0
        np.testing.assert_allclose(held, expected, atol=1e-6)
        np.testing.assert_allclose(sim.observation.features[0, :, names.index(name)], expected, atol=1e-6)


def test_the_oracle_knows_both_traits(at_random: Callable) -> None:
    sim = Simulation(having(patience=True, frugality=True), towns=1, seed=2)
    assert_as_the_oracle_says(sim, at_random(sim, 700, 4), every=29)


def test_the_patient_wait_longer() -> None:
    sim = Simulation(having(patience=True))
    scalars, agent = sim.rules.scalars[0], sim.agents[0, 0]
    for trait, ticks in ((0.0, 45.0), (0.5, 90.0), (1.0, 135.0)):
        agent["personality"][PATIENCE] = trait
        assert patience_of(scalars, agent) == ticks
    assert patience_of(Simulation(having()).rules.scalars[0], agent) == 90.0


def test_of_two_with_the_same_claim_the_less_patient_is_served_first() -> None:
    sim = Simulation(having(patience=True))
    agents, trait = sim.agents[0], int(sim.rules.scalars["less_first"][0])
    agents["queued_at"] = 100
    agents["personality"][:2] = [(0, 0.1, 0, 0.9, 0), (0, 0.9, 0, 0.1, 0)]
    assert trait == PATIENCE
    assert goes_before(agents, 1, 0, 120, 0.1, trait)
    assert not goes_before(agents, 0, 1, 120, 0.1, trait)


def test_the_impatient_leave_queues_earlier(at_random: Callable) -> None:
    waits: dict[float, list[float]] = {0.0: [], 1.0: []}
    for patience, found in waits.items():
        config = having(patience=True)
        config = config.model_copy(update={"queues": config.queues.model_copy(update={"patience_ticks": 10})})
        sim = Simulation(config, towns=8, seed=3)
        for step in at_random(sim, 900, 1):
            sim.agents["personality"][..., PATIENCE] = patience
            rows = step.events.rows
            found += rows["value"][rows["kind"] == Event.QUEUE_LEAVE].tolist()
    assert max(waits[0.0]) == 6.0
    assert max(waits[1.0]) == 16.0


def test_a_coin_weighs_as_much_as_the_frugal_would_walk_for_it() -> None:
    sim = Simulation(having(frugality=True), towns=1, seed=1)
    sim.state.towns["tick"] = 12 * 60
    sim.agents["needs"][0, :, 0], sim.agents["wallet"][0] = 0.3, 50.0
    option = sim.layout.actions.index("eat_out")
    price = float(sim.state.towns["prices"][0, sim.names.prices.index("meal")])
    costs = []
    for frugality in (0.0, 0.5, 1.0):
        sim.agents["personality"][0, 0, FRUGALITY] = frugality
        costs.append(int(best_target(alone(sim), sim.rules, 0, option)[2]))
    assert costs[1] - costs[0] == int(price * 0.5 * TICKS_PER_COIN)
    assert costs[2] - costs[0] == int(price * TICKS_PER_COIN)


@pytest.mark.parametrize(("frugality", "served"), [(0.0, "dear_wash"), (1.0, "use_shower")])
def test_the_frugal_take_the_cheaper_of_two_that_serve_the_same_need(frugality: float, served: str) -> None:
    """A dear wash at the shower costs the same way as the usual one, and comes first in the manifest."""
    town = having(frugality=True)
    usual = town.affordances.affordances["use_shower"]
    prices = town.economy.model_copy(update={"prices": {**town.economy.prices, "spa": 2.0}})
    uses = {"dear_wash": usual.model_copy(update={"price": "spa"}), **town.affordances.affordances}
    manifest = town.affordances.model_copy(update={"affordances": uses})
    sim = Simulation(town.model_copy(update={"affordances": manifest, "economy": prices}), towns=1, seed=1)
    sim.agents["needs"][0, :, 1], sim.agents["wallet"][0] = 0.3, 50.0
    sim.agents["personality"][0, :, FRUGALITY] = frugality
    _, chosen, _ = best_target(alone(sim), sim.rules, 0, sim.layout.actions.index("wash"))
    assert sim.names.affordances[chosen] == served


def test_newcomers_have_the_traits_and_openings_set_them() -> None:
    traits = {"agent_1": {"personality": {"patience": 1.0, "frugality": 0.25}}}
    sim = Simulation(load_config(DEFAULT, {
        "personality": {"patience": True, "frugality": True}, "opening": {"citizens": traits, "newcomers": [5]},
    }), towns=1, seed=1)  # fmt: skip
    assert sim.agents["personality"][0, 0, PATIENCE:].tolist() == [1.0, 0.25]
    last = sim.shape[1] - 1
    sim.agents["personality"][0, last] = 0.0
    for _ in range(8):
        sim.step(np.zeros(sim.shape, np.int8))
    assert sim.agents["alive"][0, last]
    assert (sim.agents["personality"][0, last] > 0).all()


def test_a_condition_may_ask_for_a_trait() -> None:
    uses = {"use_shower": {"requires": ["agent.personality.patience > 0.5"]}}
    town = having(patience=True)
    use = town.affordances.affordances["use_shower"].model_copy(update=uses["use_shower"])
    manifest = {**town.affordances.affordances, "use_shower": use}
    sim = Simulation(
        town.model_copy(update={"affordances": town.affordances.model_copy(update={"affordances": manifest})})
    )
    offered = sim.observation.mask[0, :, sim.layout.actions.index("wash")]
    assert offered.tolist() == (sim.agents["personality"][0, :, PATIENCE] > 0.5).tolist()
    assert 0 < offered.sum() < len(offered)
