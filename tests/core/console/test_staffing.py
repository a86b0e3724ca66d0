"""Who lives and works in the town can be decided by hand, and the town stays whole."""

import pytest

from tests.core.console.conftest import done, live, money, refused, require_whole
from townlet_core.console import Console
from townlet_core.core import Simulation
from townlet_core.world.state import EXIT_PENDING, NO_EXIT


def starve(console: Console, agent: str) -> None:
    done(console, "setneed", agent=agent, needs={"hunger": 0.0})
    live(console, 2)


def test_a_newcomer_takes_the_place_of_one_who_was_killed_only_when_asked(console: Console, sim: Simulation) -> None:
    live(console, 240)
    whole = money(sim)
    assert "all 8 places are taken" in refused(console, "spawn").error["message"]
    done(console, "kill", agent="agent_1")
    live(console, 30)
    assert done(console, "status")["alive"] == 7
    assert done(console, "spawn")["bed"].startswith("bed_")
    live(console, 2)
    assert done(console, "status")["alive"] == 8
    assert done(console, "agent", agent="agent_9")["alive"]
    assert refused(console, "agent", agent="agent_1").error["code"] == "not_found"
    assert money(sim) == pytest.approx(whole, rel=1e-9)
    require_whole(sim)


def test_a_place_stays_empty_as_long_as_was_said_unless_somebody_is_asked_in(console: Console, sim: Simulation) -> None:
    assert refused(console, "set_spawn_delay", least=9, most=3).error["code"] == "invalid_args"
    done(console, "set_spawn_delay", least=500, most=500)
    starve(console, "agent_2")
    live(console, 30)
    assert done(console, "status")["alive"] == 7
    done(console, "spawn")
    live(console, 2)
    assert done(console, "status")["alive"] == 8
    assert sim.state.towns["empty_places"][0] == 0


def test_nobody_dies_of_hunger_while_mortality_is_off(console: Console) -> None:
    done(console, "toggle_mortality", enabled=False)
    starve(console, "agent_2")
    assert done(console, "agent", agent="agent_2")["alive"]
    done(console, "toggle_mortality", enabled=True)
    starve(console, "agent_2")
    assert done(console, "status")["alive"] == 7


@pytest.mark.parametrize(("decision", "employed"), [("approve", 0), ("defer", 1)])
def test_a_dismissal_is_decided_by_hand(console: Console, sim: Simulation, decision: str, employed: int) -> None:
    asked = {"decision": decision, "agent": "agent_3"}
    assert "waits for no review" in refused(console, "employment_exit", **asked).error["message"]
    sim.agents["exit_state"][0, 2], sim.agents["exit_since"][0, 2] = EXIT_PENDING, sim.state.towns["tick"][0]
    sim.state.towns["job_exits_pending"][0] = 1
    done(console, "set_exit_cap", daily_exit_cap=1)
    told = done(console, "employment_exits")
    assert ([entry["agent"] for entry in told["pending"]], told["daily_exit_cap"]) == (["agent_3"], 1)
    done(console, "employment_exit", **asked)
    live(console, 1)
    assert (sim.agents["employed"][0, 2], sim.agents["exit_state"][0, 2]) == (employed, NO_EXIT)
    assert done(console, "employment_exits")["pending"] == []


@pytest.mark.parametrize("command", ["spawn", "employment_exit", "set_exit_cap", "toggle_mortality", "set_spawn_delay"])
def test_a_viewer_decides_none_of_it(command: str) -> None:
    from townlet_core.console.console import SPECS

    assert SPECS[command].role == "admin"


def test_a_change_of_hands_is_seen_in_the_next_observation(console: Console, sim: Simulation) -> None:
    flag = [feature.name for feature in sim.layout.features].index("ctx_reset_flag")
    live(console, 200)
    for command in ("possess", "release"):
        sim.agents["context_reset"][0] = 0
        done(console, command, agent="agent_1")
        assert sim.observation.features[0, :, flag].tolist() == [1.0] + [0.0] * 7, command
        live(console, 3)
        assert done(console, "status")["possessed"] == (["agent_1"] if command == "possess" else [])
