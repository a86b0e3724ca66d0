"""The plots of a release, drawn so that the same figures give the same bytes."""

from collections.abc import Iterable, Mapping, Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

GOOD, BAD, OPEN, INK = "#2e7d5b", "#b3402e", "#c08a1e", "#33414e"
COLOURS = {"pass": GOOD, "fail": BAD, "hold": OPEN}
INCHES_PER_ROW = 0.24


def draw_guard_rails(criteria: Iterable[Mapping[str, Any]]) -> bytes:
    """The paired differences that the gate judged, each with its interval and the bound that it must clear.

    Args:
        criteria: the criteria of a decision as plain data; those without an interval are left out.

    Returns:
        A PNG. Every row is drawn in units of its own distance between bound and zero, so that figures of different
        units stand side by side: -1 is the bound, 0 is no difference, and better is to the right.
    """
    rows = [row for criterion in criteria if (row := _row(criterion)) is not None]
    figure = _figure(7.2, 1.1 + INCHES_PER_ROW * len(rows))
    axes = figure.subplots()
    for place, (_, value, low, high, colour) in enumerate(reversed(rows)):
        axes.plot([low, high], [place, place], color=colour, linewidth=2)
        axes.plot([value], [place], "o", color=colour, markersize=5)
    axes.axvline(-1, color=BAD, linewidth=1, linestyle="--")
    axes.axvline(0, color=INK, linewidth=0.8)
    axes.set_yticks(range(len(rows)), [label for label, *_ in reversed(rows)], fontsize=8)
    axes.set_xlabel("difference in units of its margin: an interval must stay right of -1", fontsize=8)
    return _png(figure)


def draw_accuracy(scenarios: Mapping[str, Mapping[str, Any]]) -> bytes:
    """Held-out accuracy of the clone by scenario, beside that of always guessing the commonest action; a PNG."""
    names = sorted(scenarios)
    figure = _figure(7.2, 0.9 + 0.45 * len(names))
    axes = figure.subplots()
    for place, name in enumerate(reversed(names)):
        axes.barh(place + 0.18, scenarios[name]["accuracy"], height=0.34, color=GOOD)
        axes.barh(place - 0.18, scenarios[name]["majority_share"], height=0.34, color="#b8c1c9")
    axes.set_yticks(range(len(names)), list(reversed(names)), fontsize=8)
    axes.set_xlim(0, 1)
    axes.set_xlabel("share of held-out decisions chosen as the teacher does (grey: commonest action)", fontsize=8)
    return _png(figure)


def _row(criterion: Mapping[str, Any]) -> tuple[str, float, float, float, str] | None:
    name, interval, bound = str(criterion["name"]), criterion["interval"], criterion["bound"]
    if not name.startswith(("guard.", "primary.")) or name.endswith(".minimum") or interval is None or not bound:
        return None
    low, high = sorted(part / -bound for part in interval)
    return name.removeprefix("guard."), criterion["value"] / -bound, low, high, COLOURS[criterion["verdict"]]


def _figure(width: float, height: float) -> "Figure":
    from matplotlib.figure import Figure  # half a second to import, and only a new release draws

    return Figure(figsize=(width, height), dpi=110, layout="constrained")


def _png(figure: "Figure") -> bytes:
    for axes in figure.axes:
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(labelsize=8)
    target = BytesIO()
    # Without the writer's version in it, the picture depends on the figures alone.
    figure.savefig(target, format="png", metadata={"Software": None})
    return target.getvalue()


def markdown_table(headers: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A markdown table; floats with four significant digits."""
    lines = ["| " + " | ".join(headers) + " |", "|" + " --- |" * len(headers)]
    lines += ["| " + " | ".join(_cell(value) for value in row) + " |" for row in rows]
    return "\n".join(lines)


def _cell(value: Any) -> str:
    return (f"{value:.4g}" if isinstance(value, float) else str(value)).replace("|", "\\|")
