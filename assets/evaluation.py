"""Evaluation: candidate, current release and teacher live in the same held-out towns, and are compared town by town."""

from pathlib import Path
from typing import Any

import dagster as dg

from assets import training
from assets.code import code_version
from assets.failures import plain_failures
from assets.line import OWNERS, Line
from assets.metadata import facts, figure_schema, table
from assets.verdicts import Finding, Guarantee, may_go_on, results, specs

KEY = dg.AssetKey("evaluation")
COMPLETE = Guarantee("complete", "Every contender lived in every town, and every figure was measured.")
UNCLIPPED = Guarantee("few_clipped_rewards", "In no scenario are 5 % of the teacher's rewards cut off.", blocking=False)
GUARANTEES = [COMPLETE, UNCLIPPED]
MOST_CLIPPED = 0.05
ROW = {
    "window": "which of the consecutive windows the town belongs to, from 1",
    "scenario": "what the town lived through",
    "policy": "who drove its citizens: candidate, current release or teacher",
    "town": "number of the town in its window",
    "seed": "seed of the scenario's towns in that window",
}
"""What the columns say that are no key figures."""


@dg.asset(
    key=KEY,
    deps=[training.KEY],
    group_name="evaluation",
    kinds={"numba", "parquet"},
    owners=OWNERS,
    code_version=code_version("evaluation"),
    check_specs=specs(KEY, GUARANTEES),
    description="Figures of life in towns that no capture has seen, the same towns for every contender: means with "
    "95 % intervals. The plan in `configs/gates.yaml` says which towns, and at which looks it may stop. One row per "
    "window, scenario, contender and town, whose paired differences the gate judges, and one per choice.",
)
def evaluation(line: Line) -> dg.MaterializeResult:
    """Evaluate the published candidate, or take the evaluation that the same contenders and towns gave before."""
    with plain_failures():
        return _evaluate(line)


def _evaluate(line: Line) -> dg.MaterializeResult:
    from townlet_core.config.gates import load_gates
    from townlet_core.datasets.store import open_parquet
    from townlet_core.release.candidate import read_candidate
    from townlet_core.release.figures import figures_page, key_figures
    from townlet_core.release.judging import evaluate_candidate

    gates = load_gates(line.config("gates.yaml"))
    judged = evaluate_candidate(read_candidate(line.workshop), Path(line.configs), gates, line.workshop)
    findings = _findings(judged.evaluation)
    if may_go_on(findings):
        line.workshop.publish("evaluation", judged.record)
    figures = key_figures(judged.evaluation)
    towns, choices = (line.workshop.artifacts.path(f"objects/{judged.record[kind]}") for kind in ("towns", "choices"))
    rows = open_parquet(towns)
    return dg.MaterializeResult(
        data_version=dg.DataVersion(judged.evaluation.digest),
        metadata={
            "dagster/row_count": rows.metadata.num_rows,
            "dagster/column_schema": figure_schema(rows.schema_arrow, ROW | _chosen(rows.schema_arrow.names)),
            "reused": judged.reused,
            "evaluation": facts(_digests(judged.evaluation)),
            "windows": table(["window", "scenario", "towns", "seed"], _windows(judged.evaluation)),
            **_left_out(judged.rival),
            "figures": table(["scenario", "figure", *judged.evaluation.policies], _by_policy(figures)),
            "summary": dg.MetadataValue.md(figures_page(figures)),
            "towns": dg.MetadataValue.path(str(towns)),
            "choices": facts({"path": str(choices), "rows": open_parquet(choices).metadata.num_rows}),
        },
        check_results=results(findings),
    )


def _chosen(columns: list[str]) -> dict[str, str]:
    """What the columns say that count how often an action was chosen."""
    counts = [name for name in columns if name.startswith("decisions_")]
    return {name: f"decisions for {name.removeprefix('decisions_')} in the whole town" for name in counts}


def _left_out(rival: Any) -> dict[str, str]:
    if rival is None or rival.incompatible is None:
        return {}
    return {"left_out": f"current release {rival.release.policy_digest[:12]}: {rival.incompatible}"}


def _digests(evaluation: Any) -> dict[str, str]:
    return {"digest": evaluation.digest, "plan": evaluation.plan, "follows": evaluation.follows, **evaluation.policies}


def _windows(evaluation: Any) -> list[tuple[Any, ...]]:
    return [(window, scenario, run.towns, run.seed) for window, scenario, run in evaluation.runs]


def _by_policy(figures: list[Any]) -> list[list[str]]:
    found = {(row.scenario, row.kpi): list[str]() for row in figures}
    for row in figures:
        found[row.scenario, row.kpi].append(_interval(row.interval))
    return [[*named, *told] for named, told in found.items()]


def _interval(mean: Any) -> str:
    return f"{mean.mean:.4g} [{mean.low:.4g}, {mean.high:.4g}]" if mean.n else "not measured"


def _findings(evaluation: Any) -> list[Finding]:
    unmeasured = sorted(
        f"{scenario}/{policy}/{kpi}"
        for _, scenario, run in evaluation.runs
        for policy, outcome in run.policies.items()
        for kpi, values in outcome.kpis.items()
        if None in values
    )
    absent = [name for _, name, run in evaluation.runs if set(run.policies) != set(evaluation.policies)]
    clipped = max(_clipped(evaluation, scenario) for scenario in evaluation.scenarios)
    return [
        Finding(COMPLETE, not unmeasured and not absent, {"unmeasured": ", ".join(unmeasured[:10]) or "nothing"}),
        Finding(UNCLIPPED, clipped < MOST_CLIPPED, {"share": clipped, "bound": MOST_CLIPPED}),
    ]


def _clipped(evaluation: Any, scenario: str) -> float:
    values = evaluation.figures(scenario, "teacher", "clipped_share")
    return float(values.mean()) if values is not None else 1.0
