"""Translates a perturbation file of the earlier system into a scenario: the default town, and what befalls it."""

from typing import Any

from townlet_core.config.documents import Document
from townlet_core.config.legacy.rules import Fate, Line, line_at

UTILITIES = {"blackout": "power", "outage": "water"}
LIMITS = (
    "max_concurrent_events", "global_cooldown_ticks", "per_agent_cooldown_ticks", "grace_window_ticks", "window_ticks",
    "max_events_per_window",
)  # fmt: skip
LAST_TICK = 1439


def translate_perturbations(document: Document, name: str, town: str) -> tuple[dict[str, Any], list[Line]]:
    """Translate events into outages of a scenario called `name` over the file `town`."""
    outages, lines = [], []
    for key in document.data:
        if key in LIMITS:
            lines.append(line_at(document, (key,), Fate.NONE, "an outage has a probability per day and nothing else"))
        elif key != "events":
            lines.append(line_at(document, (key,), Fate.DECIDE, "the earlier system knew no such key; leave it out"))
    for event, spec in document.data["events"].items():
        path = ("events", event)
        utility = UTILITIES.get(str(spec.get("kind"))) if isinstance(spec, dict) else None
        if utility is None:
            text = "of the earlier events only blackout and outage are here"
            lines.append(line_at(document, path, Fate.DECIDE, text))
            continue
        ticks = spec.get("duration", [1, 1])
        span = list(ticks) if isinstance(ticks, list) else [ticks, ticks]
        rate = spec.get("prob_per_day", 0.0)
        outages.append({"utility": utility, "start": [0, LAST_TICK], "ticks": span, "probability": rate})
        lines.append(line_at(document, path, Fate.TRANSLATED, f"outages: {utility}, {span} ticks, {rate} a day"))
    return {"scenario": name, "town": town, "overrides": {"outages": outages}}, lines
