"""Golden rollouts: the candidate in towns that stay the same for good, beside the releases before it."""

from pathlib import Path
from typing import Any

import dagster as dg

from assets import training
from assets.code import code_version
from assets.failures import plain_failures
from assets.line import OWNERS, Line
from assets.metadata import column_schema, facts, table
from assets.verdicts import Finding, Guarantee, results, specs

KEY = dg.AssetKey("golden_rollouts")
MEASURED = Guarantee("everything_measured", "Every figure of the plan was measured in every golden town.")
KEPT = Guarantee("nothing_forgotten", "What an earlier release could do the candidate still does, within the bands.")
RELEASES = Guarantee("compared_with_a_release", "An earlier release sets the bar, not the teacher.", blocking=False)

ROW = {
    "scenario": "what the town lived through",
    "town": "number of the golden town",
    "seed": "seed of the scenario's golden towns, the same for every release",
    "figure": "a key figure, or a number of the scenario's expectations",
    "value": "the figure in that town; of an expectation 1 where it was kept, else 0",
}
"""What the columns say."""


@dg.asset(
    key=KEY,
    deps=[training.KEY],
    group_name="promotion",
    kinds={"numba", "parquet"},
    owners=OWNERS,
    code_version=code_version("golden"),
    check_specs=specs(KEY, [MEASURED, KEPT, RELEASES]),
    description="The candidate, the releases before it and the teacher in the golden towns of "
    "`configs/rehearsal.yaml`, the same for every release: what an earlier release could do there, scenario by "
    "scenario, the candidate must still do. Lived once for each policy and engine. The bundle asks for them.",
)
def golden_rollouts(line: Line) -> dg.MaterializeResult:
    """Live in the golden towns or take what was lived there before, judge it, and record it whatever it is."""
    with plain_failures():
        return _rehearse(line)


def _rehearse(line: Line) -> dg.MaterializeResult:
    from townlet_core.datasets.store import open_parquet
    from townlet_core.release.candidate import read_candidate
    from townlet_core.release.golden import CRITERIA_HEADER, STAGE, criteria_rows, golden_figures, rehearse_golden

    found = rehearse_golden(read_candidate(line.workshop), Path(line.configs), line.workshop)
    line.workshop.publish(STAGE, found.record)
    report, figures = found.report, golden_figures(found, line.workshop)
    towns = line.workshop.artifacts.path(f"objects/{found.record['rollouts']['candidate']['towns']}")
    rows = open_parquet(towns)
    left_out = table(["release", "why it does not count"], report.left_out.items())
    return dg.MaterializeResult(
        data_version=dg.DataVersion(report.digest),
        metadata={
            "dagster/row_count": rows.metadata.num_rows,
            "dagster/column_schema": column_schema(rows.schema_arrow, ROW),
            "reused": found.reused,
            "bar": report.bar,
            "criteria": table(CRITERIA_HEADER, criteria_rows(report)),
            "figures": table(["scenario", "figure", *figures], _means(figures)),
            "golden": facts({"digest": report.digest, "plan": report.plan, **report.policies}),
            **({"left_out": left_out} if report.left_out else {}),
            "towns": dg.MetadataValue.path(str(towns)),
        },
        check_results=results(_findings(report)),
    )


def _means(figures: dict[str, Any]) -> list[tuple[Any, ...]]:
    return [
        (scenario, figure, *(float(lived[scenario, figure].mean()) for lived in figures.values()))
        for scenario, figure in sorted(next(iter(figures.values())))
    ]


def _findings(report: Any) -> list[Finding]:
    broken = [one for one in report.broken if one.verdict == "fail"]
    gaps = [one.name for one in report.broken if one.verdict != "fail"]
    told = "; ".join(f"{one.name}: {one.reason}" for one in broken) or "nothing"
    return [
        Finding(MEASURED, not gaps, {"missing": ", ".join(gaps) or "nothing"}),
        Finding(KEPT, not broken and bool(report.criteria), {"forgotten": told, "criteria": len(report.criteria)}),
        Finding(RELEASES, report.reference == "releases", {"bar": report.bar}),
    ]
