"""A training drawn: each group of figures in a panel of its own, by update, with the baseline as a thin line."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from townlet_core.config.watch import Watched
from townlet_core.policy.logbook.entries import Entry
from townlet_core.telemetry.canvas import INK, SERIES, drawn

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PANELS: Sequence[tuple[str, str, tuple[Watched, ...]]] = (
    ("Return of an episode", "reward per citizen", ("return", "validated_return")),
    ("Survival and attendance", "share", ("survival", "attendance")),
    ("Loss", "", ("loss", "validation_loss", "value_loss")),
    ("Agreement with the teacher", "share of validation decisions", ("accuracy",)),
    ("Divergence of the update", "nats", ("kl",)),
    ("Entropy of the choices", "nats", ("entropy",)),
    ("Clipped ratios", "share of decisions", ("clip",)),
    ("Gradient norm", "", ("grad",)),
    ("Explained variance", "share", ("explained_variance",)),
    ("Jams and left queues", "events in the rollout", ("queue_events",)),
    ("Speed", "agent-steps per second", ("speed",)),
)
"""Title, unit and figures of each panel; those that the log has no figure for are left out."""

TEACHER = "validation.teacher_return_mean"
COLUMNS = 3


def draw_log(entries: Sequence[Entry], baseline: Sequence[Entry] = ()) -> bytes:
    """Draw a log as PNG; the same log gives the same bytes.

    Args:
        entries: As `read_entries` gives them.
        baseline: Another log to compare with.
    """
    ours, theirs = ([entry for entry in log if entry.kind != "end"] for log in (entries, baseline))
    shown = [panel for panel in PANELS if any(entry.figure(name) is not None for name in panel[2] for entry in ours)]
    columns = min(COLUMNS, len(shown))
    rows = -(-len(shown) // columns)

    def draw(_: "Figure", axes: Any) -> None:
        panels = list(axes.flat)
        for place, (title, unit, names) in zip(panels, shown, strict=False):
            _panel(place, names, ours, theirs)
            place.set(title=title, ylabel=unit, xlabel="epoch" if ours[0].kind == "epoch" else "update")
        for place in panels[len(shown) :]:
            place.set_visible(False)

    return drawn(rows, columns, (3.6 * columns, 2.6 * rows), draw)


def _panel(place: "Axes", names: Sequence[Watched], ours: Sequence[Entry], theirs: Sequence[Entry]) -> None:
    from matplotlib.ticker import MaxNLocator  # imported here, as all of matplotlib is

    for name, colour in zip(names, SERIES, strict=False):
        for log, style in ((theirs, {"linestyle": ":", "linewidth": 1.2}), (ours, {"marker": "."})):
            points = [(entry.epoch, value) for entry in log if (value := entry.figure(name)) is not None]
            if points:
                label = name.replace("_", " ") + (" (baseline)" if log is theirs else "")
                place.plot(*zip(*points, strict=True), color=colour, label=label, **style)
    teacher = [entry.row[TEACHER] for entry in ours if entry.row.get(TEACHER) is not None]
    if "return" in names and teacher:
        place.axhline(teacher[-1], color=INK, linestyle="--", linewidth=1.2, label="teacher, validated")
    if len(place.get_lines()) > 1:
        place.legend(loc="best", fontsize=7)
    place.xaxis.set_major_locator(MaxNLocator(integer=True))
