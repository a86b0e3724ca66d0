"""Markdown tables with figures as people read them."""

from collections.abc import Iterable, Sequence
from math import isfinite
from typing import Any

from townlet_core.telemetry.intervals import Interval


def table(headers: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Write a markdown table; numbers stand to the right, everything else to the left."""
    body = [list(row) for row in rows]
    marks = ["---:" if body and all(_number(row[i]) for row in body) else "---" for i in range(len(headers))]
    lines = [list(headers), marks, *([text(value) for value in row] for row in body)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def text(value: Any) -> str:
    """Write one value for a table cell: floats with four significant digits, None as a dash, pipes escaped."""
    if value is None:
        return "–"
    if isinstance(value, Interval):
        return interval_text(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}" if isfinite(value) else "–"
    if isinstance(value, int):
        return f"{value:,}"
    return str(value).replace("|", "\\|").replace("\n", " ")


def interval_text(interval: Interval) -> str:
    """Write a mean with its interval: `0.95 [0.93, 0.97]`; a dash where there is no figure."""
    if not isfinite(interval.mean):
        return "–"
    if not isfinite(interval.low):
        return f"{interval.mean:.4g}"
    return f"{interval.mean:.4g} [{interval.low:.4g}, {interval.high:.4g}]"


def share(value: float | None) -> str:
    """Write a share as per cent with one decimal; a dash where there is none."""
    return "–" if value is None or not isfinite(value) else f"{value:.1%}"


def _number(value: Any) -> bool:
    if isinstance(value, str):
        return value.endswith("%") or value == "–"
    return value is None or isinstance(value, int | float | Interval)
