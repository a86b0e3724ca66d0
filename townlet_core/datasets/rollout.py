"""Running towns and recording everything that their citizens saw, did and got."""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from townlet_core.core import Simulation
from townlet_core.datasets.schema import Shape
from townlet_core.datasets.trajectory import Recording, Trajectory, allocate
from townlet_core.world.state import NOBODY


class Choice(NamedTuple):
    """What everybody does in a tick, and what the recorded policy would do: int8 [towns, agents] each."""

    action: NDArray[np.int8]
    expert: NDArray[np.int8]


class Chooser(Protocol):
    """Chooses for everybody in a tick, looking at the simulation before the step."""

    def __call__(self, sim: Simulation, tick: int) -> Choice:
        """The choice for `tick`, counted from the reset."""


def record(sim: Simulation, choose: Chooser, ticks: int, progress: Callable[[int], None] | None = None) -> Recording:
    """Reset the simulation, run it for `ticks` and record every step and event.

    Args:
        sim: the towns to run.
        choose: decides what everybody does.
        ticks: how long to run.
        progress: called now and then with the number of town-ticks done.
    """
    towns, agents = sim.shape
    steps = allocate(towns, agents, ticks, shape_in(sim))
    events: list[NDArray[Any]] = []
    sim.reset()
    for tick in range(ticks):
        choice = choose(sim, tick)
        _note_before(steps, sim, choice, tick)
        events.append(_note_after(steps, sim, choice, tick))
        if progress and tick % 60 == 59:
            progress((tick + 1) * towns)
    return Recording(steps, _by_town(np.concatenate(events), sim.first_town, towns))


def shape_in(sim: Simulation) -> Shape:
    """Lengths of the parts of a simulation's observation."""
    layout = sim.layout
    return Shape(layout.cells, len(layout.features), len(layout.actions))


def _note_before(steps: Trajectory, sim: Simulation, choice: Choice, tick: int) -> None:
    observation = sim.observation
    steps.person[:, :, tick] = np.where(sim.agents["alive"] > 0, sim.agents["person"], NOBODY)
    steps.decision[:, :, tick] = sim.decision
    steps.action[:, :, tick] = choice.action
    steps.expert[:, :, tick] = choice.expert
    steps.map[:, :, tick] = observation.map.reshape(*sim.shape, -1)
    steps.features[:, :, tick] = observation.features
    steps.mask[:, :, tick] = observation.mask


def _note_after(steps: Trajectory, sim: Simulation, choice: Choice, tick: int) -> NDArray[Any]:
    step = sim.step(choice.action)
    steps.reward[:, :, tick] = step.reward
    steps.clipped[:, :, tick] = sim.clipped
    steps.terminated[:, :, tick] = step.terminated
    steps.truncated[:, :, tick] = step.truncated[:, None]
    rows: NDArray[Any] = step.events.rows
    rows["tick"] = tick
    return rows


def _by_town(events: NDArray[Any], first: int, towns: int) -> list[NDArray[Any]]:
    return [events[events["town"] == first + town] for town in range(towns)]
