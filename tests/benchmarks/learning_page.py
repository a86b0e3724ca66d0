"""What `learning.py` found, as a picture and a page: figures come in, bytes and text go out."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from townlet_core.telemetry.canvas import BLUE, INK, ORANGE, drawn

Result = dict[str, Any]
JUDGED = ("return", "survival", "attendance")
TRIM = 0.25
"""Share that an interquartile mean leaves out at either end."""


def middle(curves: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Interquartile mean and both quartiles over the trainings, each [points], of curves [trainings, points]."""
    low, high = np.percentile(curves, [100 * TRIM, 100 * (1 - TRIM)], axis=0)
    return stats.trim_mean(curves, TRIM, axis=0), low, high


def curves_of(results: Sequence[Result], name: str) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Updates at which every training has the figure, [points], and the figure, [trainings, points]."""
    tables = [{point["update"]: point[name] for point in one["curve"] if point[name] is not None} for one in results]
    updates = sorted(set.intersection(*(set(table) for table in tables)))
    return np.array(updates, int), np.array([[table[update] for update in updates] for table in tables])


def picture(results: Sequence[Result]) -> bytes:
    """The learning curve as PNG: interquartile means over the trainings, with the band between the quartiles."""

    def paint(_: Any, axes: Any) -> None:
        panel = axes[0][0]
        for name, colour, told in (
            ("drawn", BLUE, "while training, choices drawn"),
            ("validated", ORANGE, "validation towns, the likeliest choice"),
        ):
            updates, curves = curves_of(results, name)
            mean, low, high = middle(curves)
            panel.plot(updates, mean, color=colour, marker="o" if name == "validated" else None, label=told)
            panel.fill_between(updates, low, high, color=colour, alpha=0.2, linewidth=0)
        teacher = np.mean([one["teacher"] for one in results])
        panel.axhline(teacher, linestyle="--", color=INK, label="the teacher in the validation towns")
        panel.set(xlabel="update", ylabel="return per citizen and day")
        panel.set_title(f"Learning by living: interquartile mean and quartiles of {len(results)} trainings")
        panel.legend(loc="best")

    return drawn(1, 1, (8.0, 4.5), paint)


def table(results: Sequence[Result]) -> list[str]:
    """A Markdown table with a line per training: what shipped, and its paired differences from the teacher."""
    head = ["seed", "ships update", "minutes", *(f"{kpi}: policy − teacher" for kpi in JUDGED)]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for one in results:
        minutes = "found" if one["seconds"] is None else f"{one['seconds'] / 60:.1f}"
        gaps = ("{:+.3f} [{:+.3f}, {:+.3f}]".format(*one[kpi]["gap"]) for kpi in JUDGED)
        lines.append(
            "| " + " | ".join([str(one["seed"]), f"{one['update']} of {one['updates']}", minutes, *gaps]) + " |"
        )
    return lines


def verdict(results: Sequence[Result], towns: int) -> str:
    """How many trainings beat the teacher's return, and how many cost neither survival nor attendance."""
    won = sum(one["return"]["gap"][1] > 0 for one in results)
    kept = sum(all(one[kpi]["ours"] >= one[kpi]["teacher"] for kpi in JUDGED[1:]) for one in results)
    return (
        f"{won} of {len(results)} beat the teacher's return (95 % interval of the paired difference above zero, "
        f"{towns} towns);\n{kept} of {len(results)} are at least as good in survival and attendance."
    )


def section(results: Sequence[Result], profile: str, towns: int, minutes: float, machine: str) -> str:
    """What the page `docs/learning.md` says of one profile, from its heading on."""
    return "\n".join(
        [
            f"## `{profile}`",
            "",
            f"Written by `tests/benchmarks/learning.py --seeds {len(results)} --profile {profile}`, which took",
            f"{minutes:.1f} minutes on {machine}.",
            "",
            f"![Learning curve of {profile}](images/learning-{profile}.png)",
            "",
            *table(results),
            "",
            verdict(results, towns),
            "",
        ]
    )


def page(known: str, profile: str, told: str, towns: int) -> str:
    """The page `docs/learning.md`: what is known of other profiles, with what is told of this one in its place."""
    sections = {one.split("`")[1]: f"## {one.rstrip()}\n" for one in known.split("\n## ")[1:]} | {profile: told}
    head = f"""# Learning curves

Each training begins with a clone of its own; its policy and the teacher then live a day in the same {towns} towns of
the default town, which nothing else uses. Intervals are 95 % and paired by town. Minutes are those of clone and
improvement together, on one core; where another profile has left the same clone it is found, and half a minute saved.
"""
    return "\n".join([head, *(sections[name] for name in sorted(sections, reverse=True))])
