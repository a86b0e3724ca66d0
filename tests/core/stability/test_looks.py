"""A window stops at the look that decides, says why, and cannot be talked into a promotion."""

import numpy as np
import pytest

from tests.core.stability.conftest import PLAN
from townlet_core.stability import Verdict
from townlet_core.stability.claims import CANDIDATE, CURRENT, Figures, claims_of
from townlet_core.stability.looks import Ruling, rule

RULES = PLAN.comparison.model_copy(
    update={"scenarios": ("one",), "guard_rails": {}, "bands": {}, "canaries": None, "towns": (16, 32, 64)}
)
RETURN = RULES.primary.model_copy(update={"margin": 0.1})
RULES = RULES.model_copy(update={"primary": RETURN})


def judged(mean: float, *, mode: str = "no_worse", towns: int = 64, seed: int = 1, rules=RULES) -> Ruling:
    generator = np.random.default_rng(seed)
    theirs = generator.normal(0.0, 1.0, towns)
    ours = theirs + mean + 0.1 * generator.normal(size=towns)
    return rule(claims_of(rules, {CURRENT: mode}, frozenset()), figures(ours, theirs), rules)


def figures(ours: np.ndarray, theirs: np.ndarray) -> Figures:
    return {("one", CANDIDATE, "return"): ours, ("one", CURRENT, "return"): theirs}


def test_what_is_clear_is_decided_early_and_what_is_not_takes_more_towns() -> None:
    assert (judged(0.3).verdict, judged(0.3).look) == (Verdict.PASS, 1)
    assert (judged(-0.5).verdict, judged(-0.5).look) == (Verdict.FAIL, 1)
    assert judged(-0.07).look > 1


def test_a_window_without_hope_is_given_up_before_its_last_look() -> None:
    ruling = judged(-0.13)
    assert (ruling.verdict, ruling.futile) == (Verdict.HOLD, True)
    assert ruling.look < 3
    patient = RULES.model_copy(update={"futility": 0.0})
    assert not judged(-0.13, rules=patient).futile
    assert judged(-0.13, rules=patient).look > ruling.look


def test_a_window_that_was_given_up_says_which_claim_was_without_hope() -> None:
    ruling = judged(-0.13)
    (reading,) = ruling.readings
    assert reading.chance is not None
    assert reading.chance < RULES.futility
    assert judged(0.3).readings[0].chance is None


def test_no_worse_is_not_better() -> None:
    assert judged(0.0).verdict is Verdict.PASS
    assert judged(0.0, mode="better").verdict is Verdict.HOLD
    assert judged(0.3, mode="better").verdict is Verdict.PASS


def test_a_policy_that_does_exactly_the_same_is_never_better() -> None:
    same = np.random.default_rng(2).normal(size=64)
    for mode, verdict in (("better", Verdict.HOLD), ("no_worse", Verdict.PASS)):
        claims = claims_of(RULES, {CURRENT: mode}, frozenset({CURRENT}))
        assert rule(claims, figures(same, same), RULES).verdict is verdict


def test_towns_beyond_the_look_that_decided_change_nothing() -> None:
    ours = np.concatenate([np.full(16, 0.3) + 0.01 * np.arange(16), np.full(48, -9.0)])
    claims = claims_of(RULES, {CURRENT: "no_worse"}, frozenset())
    assert rule(claims, figures(ours, np.zeros(64)), RULES).verdict is Verdict.PASS


def test_too_few_towns_leave_a_window_open() -> None:
    ruling = judged(0.3, towns=15)
    assert (ruling.verdict, ruling.over) == (Verdict.HOLD, False)


@pytest.mark.parametrize("missing", [np.nan, np.inf])
def test_a_figure_that_was_not_measured_ends_the_window_without_a_promotion(missing: float) -> None:
    ours = np.full(64, 0.5)
    ours[3] = missing
    ruling = rule(claims_of(RULES, {CURRENT: "no_worse"}, frozenset()), figures(ours, np.zeros(64)), RULES)
    assert (ruling.verdict, ruling.over, ruling.look) == (Verdict.HOLD, True, 1)


def test_nobody_passes_by_luck_more_often_than_alpha_and_nobody_fails_more_often() -> None:
    at_the_margin = [judged(-0.1, seed=seed).verdict for seed in range(600)]
    assert at_the_margin.count(Verdict.PASS) / 600 <= RULES.alpha + 0.03
    assert at_the_margin.count(Verdict.FAIL) / 600 <= RULES.fail_alpha + 0.03


def test_by_holm_one_claim_among_many_needs_more_to_fail() -> None:
    """What fails alone holds among a hundred claims about which nothing is wrong."""
    generator = np.random.default_rng(3)
    poor = generator.normal(0.0, 1.0, 64)
    poor = -0.132 + 0.1 * (poor - poor.mean()) / poor.std(ddof=1)
    few = RULES.model_copy(update={"futility": 0.0})
    alone = rule(claims_of(few, {CURRENT: "no_worse"}, frozenset()), figures(poor, np.zeros(64)), few)
    rails = {f"figure_{k}": PLAN.comparison.guard_rails["return"] for k in range(100)}
    many = few.model_copy(update={"guard_rails": rails})
    whole = dict(figures(poor, np.zeros(64)))
    for name in rails:
        whole["one", CANDIDATE, name] = generator.normal(0.0, 0.1, 64)
        whole["one", CURRENT, name] = np.zeros(64)
    among = rule(claims_of(many, {CURRENT: "no_worse"}, frozenset()), whole, many)
    assert alone.verdict is Verdict.FAIL
    assert among.verdict is Verdict.HOLD
