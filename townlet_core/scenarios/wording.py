"""Wording: expectations and what was observed, in a few words for a table."""

from typing import Any

import numpy as np
import numpy.typing as npt

from townlet_core.config.expectations import Demand, EventPattern, Measure, OrderMeasure

NOTHING = "nothing"


def title_of(measure: Measure, shows: str) -> str:
    """Say what is measured, after what it is to show if the scenario says that."""
    told = _measured(measure)
    return f"{shows}: {told}" if shows else told


def _measured(measure: Measure) -> str:
    if isinstance(measure, OrderMeasure):
        return " → ".join(_event(link) for link in measure.order)
    if isinstance(measure, EventPattern):
        take = measure.model_dump()["take"]
        return _event(measure) if take == "count" else f"{take} of {_event(measure)}"
    written = measure.model_dump(exclude_none=True, exclude_defaults=True)
    kind = next(iter(written))
    rest = [f"{key} {value}" for key, value in written.items() if key != kind]
    return " ".join([f"{kind} {written[kind]}", *rest])


def _event(pattern: EventPattern) -> str:
    written = pattern.model_dump(exclude_none=True, exclude={"event", "take"})
    return f"{pattern.event} ({', '.join(written.values())})" if written else pattern.event


def demand_in_words(demand: Demand) -> str:
    """Say what is demanded: `0.9 … 1`, `≥ 2 in 80 % of the towns`."""
    if demand.exactly is not None:
        bounds = f"= {demand.exactly:g}"
    elif demand.at_least is not None and demand.at_most is not None:
        bounds = f"{demand.at_least:g} … {demand.at_most:g}"
    else:
        bounds = f"≥ {demand.at_least:g}" if demand.at_least is not None else f"≤ {demand.at_most:g}"
    return bounds if demand.share_of_towns == 1.0 else f"{bounds} in {demand.share_of_towns:.0%} of the towns"


def observed_in_words(values: npt.NDArray[np.float64], good: npt.NDArray[np.bool_], share: float) -> str:
    """Say what the towns did; where some failed, how many met the demand and what one of the others did."""
    everywhere = _span(values)
    if share == 1.0:
        return everywhere
    first = int(np.argmin(good))
    return f"{everywhere}; {int(good.sum())} of {len(good)} towns meet it, town {first} has {_span(values[first])}"


def _span(values: npt.NDArray[Any]) -> str:
    seen = values[np.isfinite(values)]
    if not len(seen):
        return NOTHING
    low, high = float(seen.min()), float(seen.max())
    return f"{low:.4g}" if low == high else f"{low:.4g} … {high:.4g}"
