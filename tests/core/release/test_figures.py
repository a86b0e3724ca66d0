"""The figures of an evaluation are shown as means with intervals, drawn for every contender."""

import re

from tests.core.stability.conftest import drawn_evaluation
from townlet_core.release.figures import figures_page, key_figures


def test_the_page_has_a_line_per_scenario_and_figure_and_a_plot_inside_it() -> None:
    evaluation = drawn_evaluation(shift={"return": 0.5})
    rows = key_figures(evaluation)
    assert {row.policy for row in rows} == {"candidate", "teacher"}
    ours, theirs = (row for row in rows if (row.scenario, row.kpi) == (rows[0].scenario, "return"))
    assert ours.interval.low > theirs.interval.mean
    page = figures_page(rows)
    assert page.startswith("# Evaluation")
    assert f"| {rows[0].scenario} | Return (reward per citizen) | {ours.interval.mean:.4g}"[:50] in page
    assert re.search(r"data:image/png;base64,[A-Za-z0-9+/=]{1000}", page)


def test_a_figure_that_was_not_measured_is_a_dash() -> None:
    evaluation = drawn_evaluation()
    window = evaluation.windows[0]
    scenario, run = next(iter(window.scenarios.items()))
    teacher = run.policies["teacher"]
    holed = teacher.model_copy(update={"kpis": {**teacher.kpis, "return": [None] * run.towns}})
    runs = {**window.scenarios, scenario: run.model_copy(update={"policies": {**run.policies, "teacher": holed}})}
    windows = (window.model_copy(update={"scenarios": runs}), *evaluation.windows[1:])
    page = figures_page(key_figures(evaluation.model_copy(update={"windows": windows})))
    assert re.search(rf"\| {scenario} \| Return \(reward per citizen\) \| .* \| – \|", page)
