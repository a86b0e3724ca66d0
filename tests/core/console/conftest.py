"""A town with a console, and whoever speaks to it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from townlet_core.config import Guardrails, TownConfig
from townlet_core.config.console import ConsoleRules, token_holders
from townlet_core.console import Command, Console, Gatekeeper, Result
from townlet_core.console.desk import Shelf
from townlet_core.core import Simulation
from townlet_core.policy.teacher import Teacher

ROOT = Path(__file__).parents[3]
Open = Callable[..., Console]


@pytest.fixture
def sim(config: TownConfig) -> Simulation:
    """One town at its first tick."""
    return Simulation(config, seed=3)


@pytest.fixture
def console(sim: Simulation, tmp_path: Path) -> Console:
    """A console on which everybody is an administrator."""
    return opened(sim, tmp_path)


def opened(sim: Simulation, data: Path, rules: ConsoleRules | None = None, **more: Any) -> Console:
    """Open a console."""
    rules = rules or ConsoleRules(mode="admin")
    shelf = Shelf((data / "snapshots",), Guardrails())
    return Console(sim, Gatekeeper(rules, token_holders(rules)), shelf, **more)


def done(console: Console, name: str, **args: Any) -> Any:
    """Give a command that must be done; give its answer."""
    result = console.execute(Command(name=name, args=args))
    assert result.status == "ok", result.error
    return result.result


def refused(console: Console, name: str, **args: Any) -> Result:
    """Give a command that must not be done."""
    result = console.execute(Command(name=name, args=args))
    assert result.status == "error", result.result
    assert result.error is not None
    return result


def live(console: Console, ticks: int) -> None:
    """Let the towns live under the teacher."""
    sim = console.desk.sim
    teacher = Teacher(sim)
    for _ in range(ticks):
        with console.tick():
            sim.step(console.overrule(teacher.act()))


def money(sim: Simulation) -> float:
    """All the money there is."""
    towns = sim.state.towns
    return float(sim.agents["wallet"].sum() + towns["treasury"].sum() + towns["supplier"].sum() + towns["tills"].sum())


def tile_of(sim: Simulation, agent: int) -> tuple[int, int]:
    """Where an agent stands, (x, y)."""
    return int(sim.agents["x"][0, agent]), int(sim.agents["y"][0, agent])


def require_whole(sim: Simulation) -> None:
    """Everybody stands where the map says, alone, and every reservation has its holder."""
    alive = np.flatnonzero(sim.agents["alive"][0])
    assert len({tile_of(sim, int(agent)) for agent in alive}) == len(alive)
    for agent in alive:
        x, y = tile_of(sim, int(agent))
        assert sim.state.occupancy[0, y, x] == agent
    assert (sim.state.occupancy[0] >= 0).sum() == len(alive)
    for thing, record in enumerate(sim.state.fixtures[0]):
        waiting = [a for a in alive if sim.agents["phase"][0, a] == 2 and sim.agents["target"][0, a] == thing]
        assert record["waiting"] == len(waiting)
        if record["user"] >= 0:
            assert sim.agents["holds"][0, record["user"]]
            assert sim.agents["target"][0, record["user"]] == thing
