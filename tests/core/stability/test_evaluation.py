"""Every contender lives in the same held-out towns, and the figures say who does better."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from townlet_core.config import Scenario, canonical_json, load_scenario
from townlet_core.core import Simulation
from townlet_core.datasets.capture import capture_seed
from townlet_core.errors import DataError, InputError
from townlet_core.policy.teacher import Teacher
from townlet_core.stability import Contender, Evaluation, difference, estimate, evaluate, towns_table
from townlet_core.stability.evaluation import FIRST, NO_PLAN, window_seed

CONFIGS = Path(__file__).parents[3] / "configs"


class Idler:
    """Does nothing that it need not do."""

    name = "idler"

    def act(self, sim: Simulation) -> np.ndarray:
        """Idle wherever that is allowed."""
        return sim.observation.mask.argmax(axis=2).astype(np.int8)


TEACHER = Contender("7" * 64, Teacher)
IDLER = Contender("1" * 64, lambda sim: Idler())


@pytest.fixture(scope="module")
def scenarios() -> list[Scenario]:
    return [load_scenario(name, CONFIGS) for name in ("one_shower", "ordinary_day")]


@pytest.fixture(scope="module")
def evaluation(scenarios: list[Scenario]) -> Evaluation:
    contenders = {"candidate": IDLER, "current": TEACHER, "teacher": TEACHER}
    return evaluate(contenders, scenarios, towns=4, days=2, seed=1)


def test_the_same_policy_twice_differs_by_nothing(evaluation: Evaluation) -> None:
    for scenario in evaluation.scenarios:
        for kpi in ("survival", "attendance", "return", "wallet"):
            apart = difference(evaluation, scenario, "current", "teacher", kpi, 0.95)
            assert apart is not None
            assert (apart.mean, apart.low, apart.high, apart.n) == (0.0, 0.0, 0.0, 4)


def test_somebody_who_never_works_attends_no_shift(evaluation: Evaluation) -> None:
    apart = difference(evaluation, "ordinary_day", "candidate", "teacher", "attendance", 0.95)
    assert apart is not None
    assert apart.high < -0.5
    teacher = estimate(evaluation, "ordinary_day", "teacher", "attendance", 0.95)
    assert teacher is not None
    assert teacher.low > 0.8


def test_decisions_are_counted_by_action_and_town(evaluation: Evaluation) -> None:
    idler = evaluation.windows[0].scenarios["ordinary_day"].policies["candidate"].decisions
    assert all(sum(counts) == 0 for action, counts in idler.items() if action != "idle")
    assert all(count > 0 for count in idler["idle"])
    teacher = evaluation.windows[0].scenarios["ordinary_day"].policies["teacher"].decisions
    assert sum(teacher["work"]) > 0
    assert sum(teacher["sleep"]) > 0


def test_an_evaluation_does_not_depend_on_threads_or_on_who_else_takes_part(
    evaluation: Evaluation, scenarios: list[Scenario]
) -> None:
    alone = evaluate({"teacher": TEACHER}, scenarios[1:], towns=4, days=2, seed=1, threads=2)
    ours = evaluation.windows[0].scenarios["ordinary_day"].policies["teacher"]
    assert alone.windows[0].scenarios["ordinary_day"].policies["teacher"] == ours


def test_a_town_of_a_longer_evaluation_is_the_same_town(evaluation: Evaluation, scenarios: list[Scenario]) -> None:
    more = evaluate({"teacher": TEACHER}, scenarios[1:], towns=6, days=2, seed=1)
    ours = evaluation.figures("ordinary_day", "teacher", "return")
    theirs = more.figures("ordinary_day", "teacher", "return")
    assert ours is not None
    assert theirs is not None
    np.testing.assert_array_equal(ours, theirs[:4])


def test_held_out_towns_are_no_captured_towns(evaluation: Evaluation) -> None:
    seeds = {run.seed for _, _, run in evaluation.runs}
    captured = {capture_seed(name, f"2026-11-{day:02d}") for name in evaluation.scenarios for day in range(1, 31)}
    assert len(seeds) == 2
    assert seeds.isdisjoint(captured)


def test_every_release_is_followed_by_towns_that_serve_nothing_else() -> None:
    chosen = [
        window_seed("a", 1, follows, window) for follows in (FIRST, NO_PLAN, "c" * 64, "d" * 64) for window in (1, 2)
    ]
    uses = ("capture", "training", "validation", "calibration", "golden", "variants")
    others = {capture_seed("a", said, use) for use in uses for said in ("1", "1/first/1", "2026-11-01")}
    assert len(set(chosen)) == 8
    assert others.isdisjoint(chosen)


def test_an_evaluation_survives_its_own_json(evaluation: Evaluation) -> None:
    again = Evaluation.from_json(evaluation.to_json())
    assert again == evaluation
    assert again.digest == evaluation.digest


def test_the_rollouts_have_a_row_per_scenario_contender_and_town(evaluation: Evaluation) -> None:
    table = towns_table(evaluation)
    assert table.num_rows == 2 * 3 * 4
    assert {"window", "scenario", "policy", "town", "seed", "survival", "return", "decisions_work"} <= set(
        table.column_names
    )
    rows = [row for row in table.to_pylist() if (row["scenario"], row["policy"]) == ("one_shower", "teacher")]
    expected = evaluation.figures("one_shower", "teacher", "return")
    assert expected is not None
    assert [row["return"] for row in rows] == expected.tolist()


def test_a_figure_that_is_no_number_is_missing_not_zero(evaluation: Evaluation) -> None:
    body = evaluation.model_dump()
    kpis = body["windows"][0]["scenarios"]["ordinary_day"]["policies"]["candidate"]["kpis"]
    kpis["return"] = [float("nan"), *kpis["return"][1:]]
    spoilt = Evaluation(**body)
    assert spoilt.windows[0].scenarios["ordinary_day"].policies["candidate"].kpis["return"][0] is None
    mean = estimate(spoilt, "ordinary_day", "candidate", "return", 0.95)
    assert mean is not None
    assert np.isnan(mean.mean)


def test_a_town_that_is_missing_from_the_figures_is_refused(evaluation: Evaluation) -> None:
    body = evaluation.model_dump(mode="json")
    body["windows"][0]["scenarios"]["ordinary_day"]["towns"] = 5
    with pytest.raises(DataError, match="has 4 values for 5 towns"):
        Evaluation.from_json(canonical_json(body), "evaluation.json")


@pytest.mark.parametrize("content", [b"", b"{", b'{"seed": 1}'])
def test_a_damaged_evaluation_is_refused(content: bytes) -> None:
    with pytest.raises(DataError, match=r"^evaluation\.json: .*; evaluate again$"):
        Evaluation.from_json(content, "evaluation.json")


RUN = "windows.0.scenarios.ordinary_day"


@pytest.mark.parametrize(
    ("empty", "told"),
    [
        (lambda body: body.update(windows=[]), "windows: Tuple should have at least 1 item"),
        (
            lambda body: body["windows"][0].update(scenarios={}),
            "windows.0.scenarios: Dictionary should have at least 1",
        ),
        (lambda body: run_of(body).update(policies={}), f"{RUN}.policies: Dictionary should have at least 1"),
        (lambda body: run_of(body).update(towns=0), f"{RUN}.towns: Input should be greater than or equal to 1"),
        (lambda body: run_of(body)["policies"]["teacher"].update(kpis={}), f"{RUN}.policies.teacher.kpis: Dictionary"),
    ],
)
def test_an_evaluation_of_nothing_is_refused_by_file_and_field(evaluation: Evaluation, empty: Any, told: str) -> None:
    body = evaluation.model_dump(mode="json")
    empty(body)
    with pytest.raises(DataError) as refused:
        Evaluation.from_json(canonical_json(body), "evaluation.json")
    assert str(refused.value).startswith(f"evaluation.json: {told}")


def run_of(body: Any) -> Any:
    return body["windows"][0]["scenarios"]["ordinary_day"]


@pytest.mark.parametrize(("towns", "days"), [(1, 1), (4, 0)])
def test_an_empty_evaluation_is_refused(scenarios: list[Scenario], towns: int, days: int) -> None:
    with pytest.raises(InputError, match="at least 2 towns and at least 1 day"):
        evaluate({"teacher": TEACHER}, scenarios, towns=towns, days=days, seed=1)
    with pytest.raises(InputError, match="needs a policy, a scenario"):
        evaluate({}, scenarios, towns=4, days=1, seed=1)
