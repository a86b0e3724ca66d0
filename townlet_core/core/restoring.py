"""Brings saved arrays back into the arrays of a batch of towns, once they are known to fit and to be safe to run.

Kernels do not check their indices, so every number that one of them uses as an index is checked here.
"""

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from townlet_core.config.perturbations import MAX_EVENTS
from townlet_core.config.weather import WEATHER_NAMES
from townlet_core.core.forms import form_difference, form_of
from townlet_core.errors import DataError
from townlet_core.world.events import BETWEEN_TWO, SECONDS, SUBJECTLESS, Event
from townlet_core.world.rules import Rules
from townlet_core.world.state import (
    EVENT_PHASE_NAMES,
    EXIT_DEFERRED,
    NOBODY,
    PHASE_NAMES,
    SHIFT_NAMES,
    UTILITY_NAMES,
    TownState,
)

Arrays = Mapping[str, NDArray[Any]]


class Limit(NamedTuple):
    """Numbers that must lie in low..high, and what to call them."""

    name: str
    values: NDArray[Any]
    low: int
    high: int


def require_fit(stored: Arrays, own: Arrays, source: str) -> None:
    """Refuse arrays that are not, one for one, of the form and shape of the simulation's own.

    Raises:
        DataError: Names the first array, field or size that differs.
    """
    for name in sorted(stored.keys() | own.keys()):
        if name not in stored or name not in own:
            raise DataError(f"{source}: array {name} is {'missing' if name in own else 'unknown'}; {_ADVICE}")
        difference = form_difference(form_of(stored[name].dtype), form_of(own[name].dtype))
        if difference is not None:
            raise DataError(f"{source}: array {name}: {difference}; {_ADVICE}")
        found, expected = list(stored[name].shape), list(own[name].shape)
        if found != expected:
            raise DataError(f"{source}: array {name} has the shape {found} in the file and {expected} in this town")


def pour(stored: Arrays, own: Arrays) -> None:
    """Copy arrays that fit, byte for byte."""
    for name, array in own.items():
        _bytes_of(array)[:] = _bytes_of(stored[name])


def require_sound(state: TownState, rules: Rules, source: str) -> None:
    """Refuse a state that no town can be in and that a kernel could stumble over.

    Raises:
        DataError: Names the first number out of its range.
    """
    for limit in chain(_limits(state, rules), _log_limits(state, rules)):
        if not limit.values.size:
            continue
        low, high = int(limit.values.min()), int(limit.values.max())
        if low < limit.low or high > limit.high:
            wrong = low if low < limit.low else high
            raise DataError(f"{source}: {limit.name} is {wrong}; expected {limit.low} to {limit.high}; {_ADVICE}")
    _require_ends(state, source)
    for name, array in state._asdict().items():
        for field in array.dtype.names or ():
            if array[field].dtype.kind == "f" and not np.isfinite(array[field]).all():
                raise DataError(f"{source}: {name}.{field} holds a number that is not finite; {_ADVICE}")


def _require_ends(state: TownState, source: str) -> None:
    """Refuse chains of agents that never end: a kernel would follow them for ever."""
    towns, people = state.agents.shape
    row = np.arange(towns)[:, None]
    chains = {"blocks": (state.blocks, "next_near"), "queues": (state.fixtures["first_waiting"], "next_waiting")}
    for name, (heads, link) in chains.items():
        reached = heads.reshape(towns, -1).astype(np.int64)
        for _ in range(people):
            if (reached == NOBODY).all():
                break
            reached = np.where(reached == NOBODY, NOBODY, state.agents[link][row, reached])
        if (reached != NOBODY).any():
            raise DataError(f"{source}: a chain of agents in {name} never ends; {_ADVICE}")


def _limits(state: TownState, rules: Rules) -> Iterator[Limit]:
    agents, towns, fixtures = state.agents, state.towns, state.fixtures
    people, objects = agents.shape[1], fixtures.shape[1]
    height, width = rules.terrain.shape
    yield Limit("agents.y", agents["y"], 0, height - 1)
    yield Limit("agents.x", agents["x"], 0, width - 1)
    yield Limit("agents.target", agents["target"], NOBODY, objects - 1)
    yield Limit("agents.partner", agents["partner"], NOBODY, people - 1)
    for name in ("next_near", "previous_near", "next_waiting"):
        yield Limit(f"agents.{name}", agents[name], NOBODY, people - 1)
    yield Limit("agents.last_fixture", agents["last_fixture"], NOBODY, objects - 1)
    yield Limit("ties.other", state.ties["other"], NOBODY, people - 1)
    yield Limit("agents.affordance", agents["affordance"], NOBODY, len(rules.affordances) - 1)
    yield Limit("agents.option", agents["option"], 0, len(rules.serving) - 1)
    yield Limit("agents.phase", agents["phase"], 0, len(PHASE_NAMES) - 1)
    yield Limit("agents.shift_state", agents["shift_state"], 0, len(SHIFT_NAMES) - 1)
    yield Limit("agents.shifts", agents["shifts"], 0, 2**31 - 1)
    yield Limit("agents.person", agents["person"], 0, 2**31 - 1)
    yield Limit("agents.slot", agents["slot"], 0, int(rules.scalars["slots"][0]) - 1)
    yield Limit("agents.exit_state", agents["exit_state"], 0, EXIT_DEFERRED)
    yield Limit("fixtures.user", fixtures["user"], NOBODY, people - 1)
    yield Limit("agents.meeting", agents["meeting"], 0, MAX_EVENTS)
    yield Limit("towns.weather", towns["weather"], 0, len(WEATHER_NAMES) - 1)
    yield Limit("towns.event_phase", towns["event_phase"], 0, len(EVENT_PHASE_NAMES) - 1)
    yield Limit("towns.event_spec", towns["event_spec"], 0, max(len(rules.perturbations) - 1, 0))
    yield Limit("towns.event_place", towns["event_place"], NOBODY, objects - 1)
    yield Limit("fixtures.waiting", fixtures["waiting"], 0, people)
    yield Limit("fixtures.first_waiting", fixtures["first_waiting"], NOBODY, people - 1)
    yield Limit("blocks", state.blocks, NOBODY, people - 1)
    yield Limit("occupancy", state.occupancy, NOBODY, people - 1)
    yield Limit("towns.tick", towns["tick"], 0, 2**31 - 1)
    yield Limit("towns.slots_used", towns["slots_used"], people, int(rules.scalars["slots"][0]))
    yield Limit("towns.event_count", towns["event_count"], 0, state.log.shape[1])
    yield Limit("towns.events_told", towns["events_told"], 0, state.log.shape[1])


def _log_limits(state: TownState, rules: Rules) -> Iterator[Limit]:
    """Limits of the rows that a tick has written: some are carried into the next tick, and its kernels follow them."""
    rows = state.log[np.arange(state.log.shape[1]) < state.towns["event_count"][:, None]]
    kinds, people = rows["kind"], state.agents.shape[1]
    yield Limit("log.kind", kinds, 0, len(Event) - 1)
    yield Limit("log.subject", rows["subject"], NOBODY, people - 1)
    yield Limit("log.subject", rows["subject"][~np.isin(kinds, SUBJECTLESS)], 0, people - 1)
    yield Limit("log.object", rows["object"], NOBODY, state.fixtures.shape[1] - 1)
    known = {
        "affordance": len(rules.affordances),
        "utility": len(UTILITY_NAMES),
        "weather": len(WEATHER_NAMES),
        "perturbation": len(rules.perturbations),
    }
    for what, group in SECONDS.items():
        yield Limit("log.other", rows["other"][np.isin(kinds, group)], 0, known[what] - 1)
    yield Limit("log.other", rows["other"][np.isin(kinds, BETWEEN_TWO)], 0, people - 1)
    rest = np.isin(kinds, [*chain(*SECONDS.values(), BETWEEN_TWO)], invert=True)
    yield Limit("log.other", rows["other"][rest], NOBODY, people - 1)


def _bytes_of(array: NDArray[Any]) -> NDArray[np.uint8]:
    flat: NDArray[np.uint8] = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
    return flat


_ADVICE = "migrate the file, or save the towns again with this version"
