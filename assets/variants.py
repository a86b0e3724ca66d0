"""Observation variants compared: whether clones of one teacher that see differently live alike."""

from pathlib import Path
from typing import Any

import dagster as dg

from assets.code import code_version
from assets.failures import plain_failures
from assets.line import OWNERS, Line
from assets.metadata import facts, figure_schema, table
from assets.verdicts import Finding, Guarantee, results, specs

KEY = dg.AssetKey("variant_comparison")
SAME = Guarantee("shown_the_same", "Every variant was shown the same episodes, choices and rewards of the teacher.")
MEASURED = Guarantee("everything_measured", "Every figure of the plan was measured in every town, for every clone.")
ALIKE = Guarantee("within_bands", "On every figure the difference is shown to lie within its band.")

ROW = {
    "variant": "what the clone sees",
    "training": "which of the variant's clones, from 0",
    "scenario": "what the town lived through",
    "seed": "seed of the scenario's towns",
    "town": "number of the town",
}
"""What the columns say that are no key figures."""


@dg.asset(
    key=KEY,
    group_name="evaluation",
    kinds={"pytorch", "parquet"},
    owners=OWNERS,
    code_version=code_version("variants"),
    check_specs=specs(KEY, [SAME, MEASURED, ALIKE]),
    description="The observation variants of `configs/rehearsal.yaml`: each is shown the same days of the teacher, "
    "cloned, and let loose in the same new towns; differences are paired town by town. No release waits for it: it "
    "has a job of its own.",
)
def variant_comparison(context: dg.AssetExecutionContext, line: Line) -> dg.MaterializeResult:
    """Compare the variants, or take what the same plan, scenarios and code gave before."""
    with plain_failures():
        return _compare(line, context.log)


def _compare(line: Line, log: dg.DagsterLogManager) -> dg.MaterializeResult:
    from townlet_core.datasets.store import open_parquet
    from townlet_core.release.variants import HEADER, STAGE, compare_variants, comparison_rows

    told = lambda what, done, total: log.info(f"{what} ({done} of {total})")  # noqa: E731
    found = compare_variants(Path(line.configs), line.workshop, told)
    line.workshop.publish(STAGE, found.record)
    comparison = found.comparison
    lives = line.workshop.artifacts.path(f"objects/{found.record['lives']}")
    rows = open_parquet(lives)
    return dg.MaterializeResult(
        data_version=dg.DataVersion(comparison.digest),
        metadata={
            "dagster/row_count": rows.metadata.num_rows,
            "dagster/column_schema": figure_schema(rows.schema_arrow, ROW),
            "reused": found.reused,
            "figures": table(HEADER, comparison_rows(comparison)),
            "clones": table(["variant", "decisions", "agreement with the teacher"], _clones(comparison)),
            "comparison": facts({"digest": comparison.digest, "plan": comparison.plan}),
            "lives": dg.MetadataValue.path(str(lives)),
        },
        check_results=results(_findings(comparison)),
    )


def _clones(comparison: Any) -> list[tuple[Any, ...]]:
    return [
        (name, one.decisions, ", ".join(f"{share:.1%}" for share in one.accuracy))
        for name, one in comparison.schooling.items()
    ]


def _findings(comparison: Any) -> list[Finding]:
    apart = [one for one in comparison.figures if one.verdict != "within"]
    unmeasured = [f"{one.variant} {one.figure}" for one in comparison.figures if one.difference is None]
    told = "; ".join(f"{one.verdict}: {one.reason}" for one in apart) or "nothing"
    return [
        Finding(SAME, comparison.same_teacher, {"variants": ", ".join(comparison.schooling)}),
        Finding(MEASURED, not unmeasured, {"missing": ", ".join(unmeasured) or "nothing"}),
        Finding(ALIKE, not apart and bool(comparison.figures), {"apart": told, "figures": len(comparison.figures)}),
    ]
