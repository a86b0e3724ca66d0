"""The key figures of an evaluation as a page: every contender in every scenario, drawn and in a table."""

import math

from townlet_core.stability import Evaluation, estimate
from townlet_core.telemetry import Interval, KpiRow, markdown_with_images, summarise

CONFIDENCE = 0.95
UNMEASURED = Interval(math.nan, math.nan, math.nan, 0)


def key_figures(evaluation: Evaluation) -> list[KpiRow]:
    """Estimate every figure of every contender over the towns of all windows, by scenario; NaN where one is missing."""
    named = {(name, kpi) for _, name, run in evaluation.runs for one in run.policies.values() for kpi in one.kpis}
    return [
        KpiRow(scenario, policy, kpi, estimate(evaluation, scenario, policy, kpi, CONFIDENCE) or UNMEASURED)
        for scenario, kpi in sorted(named)
        for policy in evaluation.policies
    ]


def figures_page(rows: list[KpiRow]) -> str:
    """Write key figures as markdown that carries its plot, to be shown where no file beside it can be reached."""
    return markdown_with_images(summarise(kpis=rows, title="Evaluation"))
