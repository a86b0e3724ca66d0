"""Two ways of seeing count as alike only where that was shown; what is apart, or open, is said so."""

from pathlib import Path

import numpy as np
import pytest

from townlet_core.config.rehearsal import VariantRules, load_rehearsal
from townlet_core.stability.variants import (
    FigureComparison,
    Lives,
    Schooling,
    VariantComparison,
    compare_figures,
)

RULES = load_rehearsal(Path(__file__).parents[3] / "configs/rehearsal.yaml").variants
TOWNS, TRAININGS = 24, 3
LEVELS = {"return": -0.1, "needs_ok_share": 0.7, "attendance": 0.9, "survival": 1.0}


def lives(shift: float = 0.0, spread: float = 0.01, seed: int = 1, unlike: float = 0.0) -> Lives:
    """Figures around their levels; `shift` is added to the attendance, `unlike` to that of the first training only."""
    generator = np.random.default_rng(seed)
    found = {}
    for scenario in RULES.scenarios:
        for figure, level in LEVELS.items():
            values = np.full((TRAININGS, TOWNS), level)
            if figure != "survival":
                values = values + generator.normal(size=values.shape) * spread
            if figure == "attendance":
                values = values + shift
                values[0] += unlike
            found[scenario, figure] = values
    return found


def compared(other: Lives, rules: VariantRules = RULES) -> dict[str, FigureComparison]:
    return {one.figure: one for one in compare_figures(rules, {"hybrid": lives(seed=2), "full": other})}


def test_who_live_alike_are_shown_to() -> None:
    assert {one.verdict for one in compared(lives()).values()} == {"within"}


@pytest.mark.parametrize(
    ("other", "verdict"),
    [
        (lives(shift=-0.2), "outside"),
        (lives(shift=0.2), "outside"),
        (lives(shift=-0.09), "not shown"),
        (lives(spread=2.0), "not shown"),
        (lives(unlike=0.12), "not shown"),
    ],
    ids=["much worse", "much better", "at the edge", "too scattered to tell", "one training unlike the others"],
)
def test_who_do_not_or_may_not_live_alike_are_not(other: Lives, verdict: str) -> None:
    found = compared(other)["attendance"]
    assert found.verdict == verdict
    assert found.limit == pytest.approx(0.09, rel=0.01)
    assert f"±{found.limit:.4g}" in found.reason


def test_the_pairs_are_towns_so_that_what_towns_share_cancels_out() -> None:
    luck = np.random.default_rng(3).normal(size=TOWNS)
    first, other = ({place: values + luck for place, values in one.items()} for one in (lives(seed=2), lives()))
    (found,) = (
        one for one in compare_figures(RULES, {"hybrid": first, "full": other}) if one.figure == "needs_ok_share"
    )
    assert found.interval is not None
    assert found.interval[1] - found.interval[0] < 0.01


def test_where_no_town_differs_the_interval_still_has_a_width() -> None:
    found = compared(lives())["survival"]
    assert found.difference == 0.0
    assert found.interval is not None
    assert found.interval[0] == -found.interval[1] < 0.0


@pytest.mark.parametrize("gap", ["missing", "not a number"])
def test_what_was_not_measured_is_not_shown(gap: str) -> None:
    other = dict(lives())
    if gap == "missing":
        del other["one_shower", "return"]
    else:
        other["one_shower", "return"] = np.full((TRAININGS, TOWNS), np.nan)
    assert compared(other)["return"].verdict == "not shown"


def test_variants_that_were_shown_another_teacher_never_agree() -> None:
    school = {name: Schooling(decisions=1, accuracy=(0.9,)) for name in RULES.variants}
    figures = tuple(compared(lives()).values())
    for same in (True, False):
        whole = VariantComparison(plan="p", engine="e", same_teacher=same, schooling=school, figures=figures)
        assert whole.agrees is same
    assert not VariantComparison(plan="p", engine="e", same_teacher=True, schooling=school, figures=()).agrees
