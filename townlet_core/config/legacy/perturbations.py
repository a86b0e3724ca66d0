"""Translates perturbations of the earlier system: alone in a file, or as a section of a configuration."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from townlet_core.config.documents import Document, KeyPath
from townlet_core.config.legacy.rules import Fate, Line, line_at
from townlet_core.config.perturbations import PERTURBATION_KINDS

LIMITS = {
    "max_concurrent_events": "max_concurrent",
    "global_cooldown_ticks": "global_cooldown_ticks",
    "per_agent_cooldown_ticks": "per_agent_cooldown_ticks",
    "grace_window_ticks": "grace_window_ticks",
    "window_ticks": "window_ticks",
    "max_events_per_window": "max_events_per_window",
}
"""Bounds of chance: their earlier keys and those here."""
CARRIED = ("kind", "prob_per_day", "cooldown_ticks", "magnitude", "max_participants")
PLACES = {"cafe": "cafe_table", "park": "bench", "office": "desk", "grocer": "shelf", "gym": "bench"}
"""Where people met, and the object of the shipped map that stands for it."""
GUESTS = 4
EVERYBODY = "random"
TARGETS = {"top_rivals": "top_rivals", "top_friends": "top_friends"}
UNKNOWN = "the earlier system knew no such key; leave it out"


def translate_perturbations(
    document: Document, name: str, town: str, inherited: Iterable[str]
) -> tuple[dict[str, Any], list[Line]]:
    """Translate a file of perturbations into a scenario over the file `town`.

    Args:
        document: The earlier file.
        name: What the scenario is called.
        town: The town's file, as the scenario will name it.
        inherited: The events of that town; those that the earlier file lacks never happen.
    """
    section, lines = translated_section(document, ())
    others = [event for event in inherited if event not in section["events"]]
    section["events"] |= {event: {"prob_per_day": 0.0} for event in others}
    if others:
        text = f"{', '.join(others)} of {town} never happen here: prob_per_day: 0.0"
        lines.append(line_at(document, ("events",), Fate.TRANSLATED, text))
    return {"scenario": name, "town": town, "overrides": {"perturbations": section}}, lines


def translated_section(document: Document, root: KeyPath) -> tuple[dict[str, Any], list[Line]]:
    """Translate the perturbations at a path of an earlier file."""
    data = document.data
    for part in root:
        data = data[part]
    made: dict[str, Any] = {}
    lines: list[Line] = []
    for key, value in data.items():
        if key in LIMITS:
            made[LIMITS[key]] = value
            lines.append(line_at(document, (*root, key), Fate.TRANSLATED, f"perturbations.{LIMITS[key]}: {value}"))
        elif key != "events":
            lines.append(line_at(document, (*root, key), Fate.DECIDE, UNKNOWN))
    made["events"] = {}
    for name, spec in (data.get("events") or {}).items():
        lines.extend(_event(document, (*root, "events", name), spec, made["events"]))
    return made, lines


def _event(document: Document, path: KeyPath, spec: Any, events: dict[str, Any]) -> Iterator[Line]:
    name = str(path[-1])
    if not isinstance(spec, Mapping) or spec.get("kind") not in PERTURBATION_KINDS:
        yield line_at(document, path, Fate.DECIDE, f"kinds are {', '.join(PERTURBATION_KINDS)}")
        return
    made: dict[str, Any] = {key: spec[key] for key in CARRIED if key in spec}
    made["duration"] = _span(spec.get("duration", spec.get("duration_min", 1)))
    if "magnitude" in spec:
        made["magnitude"] = _span(spec["magnitude"])
    for key in spec:
        yield from _detail(document, (*path, key), spec, made)
    if spec["kind"] == "arranged_meet":
        made.setdefault("who", EVERYBODY)
        made.setdefault("where", "bench")
        made.setdefault("max_participants", GUESTS)
    events[name] = made
    yield line_at(document, path, Fate.TRANSLATED, f"perturbations.events.{name}")


def _detail(document: Document, path: KeyPath, spec: Mapping[str, Any], made: dict[str, Any]) -> Iterator[Line]:
    key = str(path[-1])
    if key == "targets" and spec["kind"] == "price_spike":
        made["targets"] = list(spec[key])
        yield line_at(document, path, Fate.TRANSLATED, "targets: price keys, shops, market or global")
    elif key == "target":
        made["who"] = TARGETS.get(str(spec[key]), EVERYBODY)
        yield line_at(document, path, Fate.TRANSLATED, f"who: {made['who']} (nothing read it before)")
    elif key == "location":
        made["where"] = PLACES.get(str(spec[key]), "bench")
        yield line_at(document, path, Fate.TRANSLATED, f"where: {made['where']}, an object that people meet at")
    elif key not in (*CARRIED, "duration", "duration_min"):
        yield line_at(document, path, Fate.DECIDE, UNKNOWN)


def _span(value: Any) -> Any:
    """Write a range as its two ends, whichever of its earlier three forms it has."""
    if isinstance(value, Mapping):
        return [value.get("min"), value.get("max")]
    return value if isinstance(value, list) else [value, value]
