"""Capture: the teacher lives a day in every town of a scenario, and every step is written down."""

import json
from pathlib import Path
from typing import Any

import dagster as dg

from assets.code import code_version
from assets.failures import plain_failures
from assets.line import OWNERS, Line
from assets.metadata import column_schema, facts, table
from assets.partitions import DAYS
from assets.verdicts import Finding, Guarantee, results, specs

HAS_ROWS = Guarantee("has_rows", "Every citizen has a row for every tick of every episode.")
FINITE = Guarantee("values_are_finite", "No feature and no reward is NaN or infinite.")
HAS_DECISIONS = Guarantee("has_decisions", "Some ticks leave a choice: without them there is nothing to learn.")
DIGEST = Guarantee("digest_verifies", "The bytes on disk are those that the record names.")
FEW_CLIPPED = Guarantee("few_clipped_rewards", "Under 5 % of the rewards are cut by the clip.", blocking=False)
GUARANTEES = [HAS_ROWS, FINITE, HAS_DECISIONS, DIGEST, FEW_CLIPPED]
MOST_CLIPPED = 0.05


def capture_key(scenario: str) -> dg.AssetKey:
    """The key of a scenario's capture, for example `capture/ordinary_day`."""
    return dg.AssetKey(["capture", scenario])


def capture_asset(scenario: str) -> dg.AssetsDefinition:
    """The asset that captures one scenario: a partition is a day."""
    key = capture_key(scenario)

    @dg.asset(
        key=key,
        partitions_def=DAYS,
        group_name="capture",
        kinds={"numba", "parquet"},
        owners=OWNERS,
        code_version=code_version("capture"),
        check_specs=specs(key, GUARANTEES),
        description=f"Steps and events of one day in scenario `{scenario}`: what every citizen saw, what the teacher "
        "would choose, what was done and what came of it. Seeded by scenario and date, it is repeatable to the byte.",
    )
    def captured(context: dg.AssetExecutionContext, line: Line) -> dg.MaterializeResult:
        with plain_failures():
            return _capture(scenario, context.partition_key, line)

    return captured


def _capture(scenario: str, day: str, line: Line) -> dg.MaterializeResult:
    from townlet_core.config import load_scenario
    from townlet_core.datasets import capture
    from townlet_core.policy.teacher import Teacher

    record = capture(load_scenario(scenario, Path(line.configs)), day, line.store, policy_factory=Teacher)
    findings = _findings(record, line.store)
    return dg.MaterializeResult(
        data_version=dg.DataVersion(record.digest),
        metadata={
            "dagster/row_count": record.rows,
            **_columns(record, line.store, findings),
            "reused": record.reused,
            "capture": facts(_described(record)),
            "towns": table(["figure", "mean", "least", "most"], _spread(record.kpis)),
            "shard": dg.MetadataValue.path(str(line.store.object_path(record.digest))),
            "digest": record.digest,
        },
        check_results=results(findings),
    )


def _described(record: Any) -> dict[str, Any]:
    shown = ("date", "seed", "towns", "agents", "ticks", "decisions", "exploration", "event_rows", "bytes")
    return {name: getattr(record, name) for name in (*shown, "config_digest", "code")}


def _spread(kpis: dict[str, list[float]]) -> list[tuple[str, float, float, float]]:
    return [(name, sum(v) / len(v), min(v), max(v)) for name, v in sorted(kpis.items()) if v]


def _columns(record: Any, store: Any, findings: list[Finding]) -> dict[str, dg.TableSchema]:
    """The shard's columns with what they mean; none when its bytes are damaged."""
    from townlet_core.datasets.store import open_parquet

    if not all(finding.holds for finding in findings if finding.guarantee is DIGEST):
        return {}
    shard = open_parquet(store.object_path(record.digest))
    told = json.loads((shard.metadata.metadata or {}).get(b"townlet.columns", b"{}"))
    about = {name: f"{column['about']} [{column['unit']}]" for name, column in told.items()}
    return {"dagster/column_schema": column_schema(shard.schema_arrow, about)}


def _findings(record: Any, store: Any) -> list[Finding]:
    intact = store.holds(record.steps) and store.holds(record.events)
    digests = Finding(DIGEST, intact, {"steps": record.steps, "events": record.events})
    if intact:
        return [digests, *_content_findings(record, store)]
    unread = [guarantee for guarantee in GUARANTEES if guarantee is not DIGEST]
    return [digests, *(Finding(guarantee, False, {"why": "damaged bytes were not read"}) for guarantee in unread)]


def _content_findings(record: Any, store: Any) -> list[Finding]:
    expected = record.towns * record.agents * record.ticks
    rows, clipped, finite = _read_back(store.open(record.digest))
    share = clipped / max(1, rows)
    return [
        Finding(HAS_ROWS, rows == expected > 0, {"rows": rows, "expected": expected}),
        Finding(FINITE, finite, {"rows": rows}),
        Finding(HAS_DECISIONS, record.decisions > 0, {"decisions": record.decisions}),
        Finding(FEW_CLIPPED, share < MOST_CLIPPED, {"share": share, "bound": MOST_CLIPPED}),
    ]


def _read_back(shard: Any) -> tuple[int, int, bool]:
    """Rows and clipped rewards, and whether all features and rewards are finite, read one episode at a time."""
    import numpy as np

    from townlet_core.datasets.trajectory import read_columns

    rows, clipped, finite = 0, 0, True
    for group in range(shard.num_row_groups):
        columns = read_columns(shard, group, ("features", "reward", "clipped"))
        finite = finite and bool(np.isfinite(columns["features"]).all() and np.isfinite(columns["reward"]).all())
        clipped, rows = clipped + int(columns["clipped"].sum()), rows + len(columns["clipped"])
    return rows, clipped, finite
