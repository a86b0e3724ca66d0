"""The gate's error rates are measured through the gate itself, and tell a sound gate from a lax one."""

from pathlib import Path

import numpy as np
import pytest

from tests.core.stability.conftest import LEVELS, PLAN, SCENARIOS, SPREAD
from townlet_core.config import load_scenario
from townlet_core.policy.teacher import Teacher
from townlet_core.stability.calibration import Basis, Calibration, Player, Pool, cases_of, measure, promises, wilson
from townlet_core.stability.careless import careless
from townlet_core.stability.suite import Stay, live

TOWNS = 192
CONFIGS = Path(__file__).parents[3] / "configs"
BASIS = Basis(engine="e" * 64, teacher="7" * 64, scenarios={})
FEW = PLAN.model_copy(update={"calibration": PLAN.calibration.model_copy(update={"trials": 60})})


def drawn_pool() -> Pool:
    """Players who lose attendance and return as they err more, each with its own luck in the same towns."""
    generator = np.random.default_rng(7)
    players = {player for case in cases_of(PLAN.calibration) for player in (case.candidate, case.rival)}
    loss = {"attendance": 0.9, "return": 2.5}
    pool = {}
    for scenario in SCENARIOS:
        common = {kpi: generator.normal(size=TOWNS) * SPREAD[kpi] for kpi in LEVELS}
        for player in sorted(players):
            for kpi, level in LEVELS.items():
                luck = generator.normal(size=TOWNS) * SPREAD[kpi] * (player.noise > 0)
                pool[scenario, player, kpi] = level + common[kpi] + luck - player.noise * loss.get(kpi, 0.0)
    return pool


@pytest.fixture(scope="module")
def calibration() -> Calibration:
    return measure(drawn_pool(), FEW, BASIS)


def test_the_shipped_plan_keeps_its_promises_on_figures_whose_truth_is_known(calibration: Calibration) -> None:
    kept = promises(calibration, PLAN.calibration)
    assert [promise.told for promise in kept if not promise.holds] == []


def test_the_worse_a_policy_is_the_more_often_it_fails(calibration: Calibration) -> None:
    failed = [calibration.of(f"worse by {noise:g} slips", "no_worse").failed for noise in PLAN.calibration.noise]
    assert failed == sorted(failed)
    assert failed[-1] == FEW.calibration.trials


def test_an_identical_policy_passes_as_no_worse_and_never_as_better(calibration: Calibration) -> None:
    assert calibration.of("identical", "no_worse").promoted == FEW.calibration.trials
    assert calibration.of("identical", "better").promoted == 0


def test_a_gate_with_wide_margins_is_caught_breaking_its_promises() -> None:
    rails = {name: rail.model_copy(update={"margin": 9.0, "overall": 9.0}) for name, rail in _rails().items()}
    primary = PLAN.comparison.primary.model_copy(update={"margin": 9.0})
    lax = FEW.comparison.model_copy(update={"guard_rails": rails, "primary": primary})
    found = measure(drawn_pool(), FEW.model_copy(update={"comparison": lax}), BASIS)
    assert not promises(found, PLAN.calibration)[0].holds


def test_the_same_pool_and_plan_give_the_same_rates(calibration: Calibration) -> None:
    assert measure(drawn_pool(), FEW, BASIS).digest == calibration.digest


def test_a_share_has_the_published_interval() -> None:
    share, low, high = wilson(0, 100)
    assert (share, low) == (0.0, 0.0)
    assert high == pytest.approx(0.0370, abs=1e-4)


def test_slips_belong_to_a_town_and_not_to_its_batch() -> None:
    scenario = load_scenario("ordinary_day", CONFIGS)
    together = live(careless(Teacher, 0.3, 5), scenario, Stay(9, 0, 3, 1))
    alone = live(careless(Teacher, 0.3, 5), scenario, Stay(9, 1, 1, 1))
    sound = live(careless(Teacher, 0.0, 5), scenario, Stay(9, 0, 3, 1))
    assert together.kpis["return"][1] == alone.kpis["return"][0]
    assert sound.kpis["return"] != together.kpis["return"]
    assert Player(0.0) < Player(0.3)


def _rails() -> dict:
    return PLAN.comparison.guard_rails
