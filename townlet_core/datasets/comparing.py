"""Finding the first difference between what was recorded and what the engine does now."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from townlet_core.datasets.trajectory import EVENT_FIELDS, Trajectory


class Difference(NamedTuple):
    """The first place where a recording and its replay disagree.

    Attributes:
        episode: town of the capture.
        tick: ticks since the episode began.
        agent: citizen within the town, or -1 for an event of the town.
        column: the column, with the feature, channel or option within it.
        recorded: the value in the shard.
        replayed: the value that the engine gives.
    """

    episode: int
    tick: int
    agent: int
    column: str
    recorded: str
    replayed: str

    def __str__(self) -> str:
        where = f"episode {self.episode}, tick {self.tick}, agent {self.agent}, {self.column}"
        return f"{where}: recorded {self.recorded}, replayed {self.replayed}"


class Labels(NamedTuple):
    """Names of what a layout's vectors hold, in order: map bytes, features and options."""

    map: tuple[str, ...]
    features: tuple[str, ...]
    mask: tuple[str, ...]


def labels_of(layout: dict[str, Any]) -> Labels:
    """The names of every byte, feature and option of a layout."""
    cells = range(layout["window"])
    channels = layout["channels"]
    return Labels(
        map=tuple(f"{channel} at row {y}, column {x}" for y in cells for x in cells for channel in channels),
        features=tuple(feature["name"] for feature in layout["features"]),
        mask=tuple(layout["actions"]),
    )


def first_step_difference(
    recorded: Trajectory, replayed: Trajectory, episode: int, labels: Labels
) -> Difference | None:
    """The earliest difference of one town ([agents, ticks, ...] arrays), by tick, then agent, then column.

    The recorded policy's choice is no part of the town and is not compared; a decision whose action the engine's mask
    forbids is a difference in `action`.
    """
    found = [
        (*place, column)
        for column, name in enumerate(Trajectory._fields)
        if (place := _first(_unequal(name, recorded, replayed))) is not None
    ]
    if not found:
        return None
    tick, agent, column = min(found)
    return _step_difference(recorded, replayed, (episode, tick, agent), Trajectory._fields[column], labels)


def first_event_difference(recorded: NDArray[Any], replayed: NDArray[Any], episode: int) -> Difference | None:
    """The earliest difference between two lists of events of one town, in order."""
    common = min(len(recorded), len(replayed))
    unequal = np.zeros(common, np.bool_)
    for name in EVENT_FIELDS:
        unequal |= recorded[name][:common] != replayed[name][:common]
    if not unequal.any() and len(recorded) == len(replayed):
        return None
    row = int(unequal.argmax()) if unequal.any() else common
    old, new = (_event(events, row) for events in (recorded, replayed))
    rows = recorded if row < len(recorded) else replayed
    return Difference(episode, int(rows["tick"][row]), int(rows["subject"][row]), f"event {row}", old, new)


def _unequal(name: str, recorded: Trajectory, replayed: Trajectory) -> NDArray[np.bool_]:
    if name == "expert":
        return np.zeros(recorded.expert.shape, np.bool_)
    if name == "action":
        return ~_legal(recorded.action, replayed.mask)
    old, new = getattr(recorded, name), getattr(replayed, name)
    unequal = old != new
    if old.dtype.kind == "f":
        unequal &= ~(np.isnan(old) & np.isnan(new))
    return np.asarray(unequal.reshape(*old.shape[:2], -1).any(axis=2))


def _legal(action: NDArray[np.int8], mask: NDArray[np.uint8]) -> NDArray[np.bool_]:
    inside = (action >= 0) & (action < mask.shape[2])
    taken = np.take_along_axis(mask, np.where(inside, action, 0)[..., None].astype(np.int64), axis=2)[..., 0]
    return np.asarray(inside & ((taken == 1) | (mask.sum(axis=2) == 0)))


def _first(unequal: NDArray[np.bool_]) -> tuple[int, int] | None:
    by_tick = unequal.T
    if not by_tick.any():
        return None
    tick, agent = np.unravel_index(int(by_tick.argmax()), by_tick.shape)
    return int(tick), int(agent)


def _step_difference(
    recorded: Trajectory, replayed: Trajectory, place: tuple[int, int, int], name: str, labels: Labels
) -> Difference:
    episode, tick, agent = place
    old, new = (np.atleast_1d(getattr(one, name)[agent, tick]) for one in (recorded, replayed))
    if name == "action":
        options = ", ".join(labels.mask[k] for k in np.flatnonzero(replayed.mask[agent, tick]))
        return Difference(episode, tick, agent, name, _option(int(old[0]), labels), f"only {options}")
    index = int((old != new).argmax())
    label = f"{name} {getattr(labels, name)[index]}" if name in Labels._fields else name
    return Difference(episode, tick, agent, label, str(old[index].item()), str(new[index].item()))


def _option(action: int, labels: Labels) -> str:
    return labels.mask[action] if 0 <= action < len(labels.mask) else str(action)


def _event(events: NDArray[Any], row: int) -> str:
    if row >= len(events):
        return "no event"
    return " ".join(f"{name}={events[name][row]}" for name in EVENT_FIELDS)
