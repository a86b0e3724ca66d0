"""What an administrator does leaves the town whole: nobody on a taken tile, no stuck reservation, no coin made."""

from pathlib import Path

import numpy as np
import pytest

from tests.core.console.conftest import done, live, money, opened, refused, require_whole, tile_of
from townlet_core.config import OPTION_NAMES, TownConfig
from townlet_core.console import Command, Console
from townlet_core.console.console import SPECS
from townlet_core.core import Simulation
from townlet_core.world.events import Event
from townlet_core.world.state import USING

ABOUT = {"agent": {"agent": "agent_1"}, "queue_inspect": {"object": "bed_1"}}
"""Arguments of the viewing commands that need some."""


def free_tile(sim: Simulation) -> tuple[int, int]:
    """A tile of grass or road that nobody stands on."""
    free = (sim.rules.terrain >= 3) & (sim.rules.terrain <= 4) & (sim.rules.fixture_at < 0)
    y, x = np.argwhere(free & (sim.state.occupancy[0] < 0))[0]
    return int(x), int(y)


def test_a_citizen_is_put_on_a_free_tile_and_lives_on_from_there(console: Console, sim: Simulation) -> None:
    x, y = free_tile(sim)
    before = tile_of(sim, 0)
    answer = done(console, "teleport", agent="agent_1", x=x, y=y)
    assert answer["position"] == [x, y]
    assert tile_of(sim, 0) == (x, y)
    assert sim.state.occupancy[0, before[1], before[0]] == -1
    require_whole(sim)
    live(console, 30)
    require_whole(sim)


def test_nobody_is_put_where_nobody_can_stand(console: Console, sim: Simulation) -> None:
    taken, bed = tile_of(sim, 1), sim.rules.fixtures[0]
    places = {(0, 0): "is a wall", (900, 2): "off the map", (int(bed["x"]), int(bed["y"])): "choose a free tile"}
    for (x, y), reason in {**places, taken: "choose a free tile"}.items():
        before = tile_of(sim, 0)
        result = refused(console, "teleport", agent="agent_1", x=x, y=y)
        if (x, y) != before:
            assert result.error["code"] == "conflict"
            assert reason in result.error["message"]
        assert tile_of(sim, 0) == before
    require_whole(sim)


def test_a_use_is_broken_off_and_its_object_goes_to_the_next(console: Console, sim: Simulation) -> None:
    live(console, 200)
    users = np.flatnonzero(sim.agents["phase"][0] == USING)
    for agent in users:
        x, y = free_tile(sim)
        assert done(console, "teleport", agent=f"agent_{agent + 1}", x=x, y=y)["use_broken_off"]
    assert len(users)
    require_whole(sim)
    live(console, 1)
    fails = [event for event in console.desk.journal if event.event == "affordance_fail"]
    assert {f"agent_{agent + 1}" for agent in users} <= {event.agent for event in fails}
    live(console, 60)
    require_whole(sim)


def test_money_changes_hands_and_is_never_made(console: Console, sim: Simulation) -> None:
    whole = money(sim)
    done(console, "setwallet", agent="agent_2", amount=500.0)
    assert sim.agents["wallet"][0, 1] == 500.0
    assert money(sim) == pytest.approx(whole, rel=1e-12)
    result = refused(console, "setwallet", agent="agent_2", amount=1e8)
    assert "the treasury has" in result.error["message"]
    done(console, "setwallet", agent="agent_2", amount=0.0)
    assert money(sim) == pytest.approx(whole, rel=1e-12)


def test_needs_are_set_and_seen_at_once(console: Console, sim: Simulation) -> None:
    feature = sim.layout.features.index(next(f for f in sim.layout.features if "hunger" in f.name))
    done(console, "setneed", agent="agent_1", needs={"hunger": 0.125})
    assert sim.agents["needs"][0, 0, 0] == 0.125
    assert sim.observation.features[0, 0, feature] == pytest.approx(0.125, abs=1e-3)


def test_a_forced_talk_moves_ties_as_the_first_event_of_the_next_tick(console: Console, sim: Simulation) -> None:
    live(console, 3)
    before = sim.events.rows.copy()
    done(console, "force_chat", speaker="agent_1", listener="agent_2", quality=1.0)
    live(console, 1)
    first = sim.events.rows[0]
    assert (first["kind"], first["subject"], first["other"]) == (int(Event.CHAT_SUCCESS), 0, 1)
    assert first["tick"] == sim.state.towns["tick"][0] != (before["tick"][0] if len(before) else -1)
    ties = done(console, "relationship_summary", agent="agent_1")["agent_1"]["friends"]
    assert ties["agent_2"]["familiarity"] >= 0.1
    live(console, 1)
    assert int(Event.CHAT_SUCCESS) not in sim.events.rows["kind"][sim.events.rows["subject"] == 0]


def test_feelings_are_set_on_both_sides_and_the_rest_stays(console: Console, sim: Simulation) -> None:
    done(console, "set_rel", agent="agent_1", other="agent_2", trust=0.5)
    done(console, "set_rel", agent="agent_1", other="agent_2", rivalry=0.9)
    for one, two in (("agent_1", "agent_2"), ("agent_2", "agent_1")):
        tie = done(console, "agent", agent=one)["ties"][two]
        assert (tie["trust"], tie["rivalry"]) == (0.5, 0.9)
    assert done(console, "rivalry_dump", limit=1)[0]["avoided"]
    assert "nothing to set" in refused(console, "set_rel", agent="agent_1", other="agent_2").error["message"]


def test_who_keeps_as_many_ties_as_it_can_is_given_no_more(config: TownConfig, tmp_path: Path) -> None:
    few = config.model_copy(update={"relationships": config.relationships.model_copy(update={"max_ties": 1})})
    console = opened(Simulation(few), tmp_path)
    done(console, "set_rel", agent="agent_1", other="agent_2", trust=0.5)
    result = refused(console, "set_rel", agent="agent_3", other="agent_1", trust=0.5)
    assert "agent_1 keeps 1 ties already" in result.error["message"]
    assert done(console, "agent", agent="agent_3")["ties"] == {}


def test_without_relationships_nobody_is_made_to_talk(config: TownConfig, tmp_path: Path) -> None:
    stages = config.stages.model_copy(update={"relationships": "OFF", "social_rewards": "OFF"})
    console = opened(Simulation(config.model_copy(update={"stages": stages})), tmp_path)
    for name, args in (
        ("force_chat", {"speaker": "agent_1", "listener": "agent_2"}),
        ("set_rel", {"agent": "agent_1", "other": "agent_2", "trust": 0.1}),
    ):
        assert refused(console, name, **args).error["code"] == "unsupported"


def test_who_is_killed_is_gone_and_leaves_nothing_behind(console: Console, sim: Simulation) -> None:
    live(console, 120)
    done(console, "set_rel", agent="agent_1", other="agent_2", trust=0.5)
    assert done(console, "kill", agent="agent_1")["alive"] == 7
    require_whole(sim)
    assert "agent_1" not in done(console, "agent", agent="agent_2")["ties"]
    assert "is gone" in refused(console, "kill", agent="agent_1").error["message"]
    live(console, 60)
    require_whole(sim)


def test_who_is_possessed_does_what_it_is_told_until_it_is_released(console: Console, sim: Simulation) -> None:
    live(console, 5)
    done(console, "possess", agent="agent_1")
    assert "possessed already" in refused(console, "possess", agent="agent_1").error["message"]
    done(console, "choose", agent="agent_1", option="relax")
    live(console, 3)
    assert OPTION_NAMES[sim.agents["option"][0, 0]] == "relax"
    assert done(console, "status")["possessed"] == ["agent_1"]
    done(console, "release", agent="agent_1")
    assert "is not possessed" in refused(console, "choose", agent="agent_1", option="relax").error["message"]
    assert done(console, "status")["possessed"] == []
    require_whole(sim)


def test_who_starves_is_no_longer_led(console: Console) -> None:
    done(console, "possess", agent="agent_1")
    done(console, "setneed", agent="agent_1", needs={"hunger": 0.0})
    live(console, 2)
    assert done(console, "status")["possessed"] == []


def test_the_others_live_as_if_nobody_had_looked(config: TownConfig, tmp_path: Path) -> None:
    """Viewing commands leave no trace: the town goes on to the bit as one that nobody looked at."""
    watched, alone = (opened(Simulation(config, seed=5), tmp_path) for _ in range(2))
    for _ in range(10):
        live(watched, 12)
        live(alone, 12)
        for name, spec in SPECS.items():
            if spec.role == "viewer" and not name.startswith("snapshot"):
                done(watched, name, **ABOUT.get(name, {}))
    for name, array in watched.desk.sim.arrays().items():
        assert array.tobytes() == alone.desk.sim.arrays()[name].tobytes(), name


def test_a_storm_of_commands_leaves_the_town_whole(config: TownConfig, tmp_path: Path) -> None:
    sim = Simulation(config, seed=11)
    console, luck, whole = opened(sim, tmp_path), np.random.default_rng(1), money(sim)
    height, width = sim.rules.terrain.shape
    for turn in range(120):
        one, two = (f"agent_{number}" for number in luck.integers(1, 9, 2))
        for name, args in (
            ("teleport", {"agent": one, "x": int(luck.integers(width)), "y": int(luck.integers(height))}),
            ("setneed", {"agent": two, "needs": {"energy": float(luck.random())}}),
            ("setwallet", {"agent": one, "amount": float(luck.random() * 30)}),
            ("force_chat", {"speaker": one, "listener": two}),
            ("set_rel", {"agent": one, "other": two, "rivalry": float(luck.random())}),
            ("possess" if turn % 3 else "release", {"agent": two}),
        ):
            console.execute(Command(name=name, args=args))
            require_whole(sim)
        live(console, 5)
        require_whole(sim)
    assert money(sim) == pytest.approx(whole, rel=1e-9)
    assert np.isfinite(sim.observation.features).all()


def test_a_price_is_set_and_what_is_bought_costs_that(console: Console, sim: Simulation) -> None:
    key = sim.names.prices.index("meal")
    whole = money(sim)
    answer = done(console, "price", key="meal", value=2.5)
    assert answer["before"] == pytest.approx(float(sim.config.economy.prices["meal"]), rel=0.2)
    assert sim.state.towns["prices"][0, key] == pytest.approx(2.5)
    assert money(sim) == whole
    assert "did you mean 'meal'" in refused(console, "price", key="meel", value=1.0).error["message"]
    live(console, 600)
    assert money(sim) == pytest.approx(whole, rel=1e-9)
    assert sim.state.towns["prices"][0, key] == pytest.approx(2.5, rel=0.9)


def test_a_perturbation_begins_and_ends_by_hand(console: Console, sim: Simulation) -> None:
    number = done(console, "perturbation_trigger", event="blackout", ticks=200)["number"]
    live(console, 1)
    assert sim.state.towns["utilities"][0, 0] == 0
    lasting = done(console, "perturbation_queue")["lasting"]
    assert [(event["number"], event["name"]) for event in lasting] == [(number, "blackout")]
    done(console, "perturbation_cancel", number=number)
    live(console, 1)
    assert sim.state.towns["utilities"][0, 0] == 1
    assert refused(console, "perturbation_cancel", number=number).error["code"] == "not_found"
    assert refused(console, "perturbation_trigger", event="blackot").error["code"] == "not_found"
    assert refused(console, "perturbation_trigger", event="blackout", magnitude=2.0).error["code"] == "conflict"
