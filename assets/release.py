"""The release: a bundle that stands alone, and the pointer that says which bundle is the current one."""

import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg

from assets import calibration, datasets, evaluation, golden, promotion, rehearsal, telemetry, training
from assets.code import code_version
from assets.failures import plain_failures
from assets.line import OWNERS, Line
from assets.metadata import facts, table

BUNDLE_KEY = dg.AssetKey("release_bundle")
POINTER_KEY = dg.AssetKey("release_pointer")

STAGE_KEYS = {
    "dataset": datasets.KEY,
    "candidate": training.KEY,
    "telemetry": telemetry.KEY,
    "evaluation": evaluation.KEY,
    "decision": promotion.KEY,
    "golden": golden.KEY,
}
RECENT = 20


@dg.asset(
    key=BUNDLE_KEY,
    deps=[
        rehearsal.DRILL_KEY,
        golden.KEY,
        promotion.KEY,
        calibration.KEY,
        telemetry.KEY,
        evaluation.KEY,
        training.KEY,
        datasets.KEY,
    ],
    group_name="release",
    kinds={"json", "parquet", "safetensors"},
    owners=OWNERS,
    code_version=code_version("release"),
    description="A folder that stands alone: policy, configuration, dataset manifest and audit, evaluation, "
    "decision, lineage, and a card to read first. It refuses to be built unless the decision promotes exactly what it "
    "would ship, whatever ran before it. The same inputs give the same content digest.",
)
def release_bundle(context: dg.AssetExecutionContext, line: Line) -> dg.MaterializeResult:
    """Ask for the promotion anew, then write the bundle whole or not at all."""
    with plain_failures():
        return _bundle(context, line)


@dg.asset_check(
    asset=BUNDLE_KEY, name="verifies", blocking=True, description="Every byte of the bundle is as its manifest says."
)
def verifies(line: Line) -> dg.AssetCheckResult:
    """Verify the bundle that was built last, as anybody can with `townlet release verify`."""
    from townlet_core.release import verify_bundle

    with plain_failures():
        report = verify_bundle(Path(line.data) / line.workshop.latest("bundle")["bundle"])
    wrong = table(["path", "problem"], [(problem.path, problem.what) for problem in report.problems])
    size = {"files": report.files, "bytes": report.bytes}
    return dg.AssetCheckResult(passed=report.ok, metadata={**size, "problems": wrong})


@dg.asset(
    key=POINTER_KEY,
    deps=[BUNDLE_KEY],
    group_name="release",
    kinds={"json"},
    owners=OWNERS,
    code_version=code_version("release"),
    description="`releases/current.json`, changed in one step to point at the bundle, after a line in "
    "`releases/history.jsonl`. Moving it to where it already points changes nothing.",
)
def release_pointer(context: dg.AssetExecutionContext, line: Line) -> dg.MaterializeResult:
    """Verify the bundle, ask for its promotion once more, and point at it."""
    with plain_failures():
        return _point(context, line)


def _bundle(context: dg.AssetExecutionContext, line: Line) -> dg.MaterializeResult:
    from townlet_core.release import build_bundle
    from townlet_core.release.contents import gather_contents

    contents = gather_contents(Path(line.configs), line.workshop)
    bundle = build_bundle(contents.parts, _run_facts(context, contents.nodes), line.workshop.releases)
    line.workshop.publish("bundle", _record(bundle, contents.decision, line))
    return dg.MaterializeResult(
        data_version=dg.DataVersion(bundle.content_digest),
        metadata={
            "reused": bundle.reused,
            "bundle": dg.MetadataValue.path(str(bundle.path)),
            "content_digest": bundle.content_digest,
            "size": facts({"files": bundle.files, "bytes": bundle.bytes}),
            "card": dg.MetadataValue.md((bundle.path / "content/README.md").read_text()),
            "lineage": table(["what", "digest"], [(name, node.digest) for name, node in contents.nodes.items()]),
        },
    )


def _record(bundle: Any, decision: Any, line: Line) -> dict[str, str]:
    return {
        "bundle": bundle.path.relative_to(line.data).as_posix(),
        "content_digest": bundle.content_digest,
        "decision_digest": decision.digest,
        "policy_digest": decision.candidate_digest,
    }


def _point(context: dg.AssetExecutionContext, line: Line) -> dg.MaterializeResult:
    from townlet_core.release.pointing import point_at

    run = {"run_id": context.run.run_id, **_now()}
    moved = point_at(line.workshop.latest("bundle"), Path(line.configs), line.workshop, run)
    return dg.MaterializeResult(
        data_version=dg.DataVersion(moved.release.content_digest),
        metadata={
            "moved": moved.moved,
            "release": facts(moved.release.model_dump()),
            "history": table(["#", "event", "release", "previous"], moved.history),
            "pointer": dg.MetadataValue.path(str(line.workshop.releases / "current.json")),
        },
    )


def _now() -> dict[str, str]:
    return {"at": datetime.now(UTC).isoformat(timespec="seconds")}


def _run_facts(context: dg.AssetExecutionContext, nodes: Any) -> dict[str, Any]:
    """What is true of this run and not of the content: when, where, and which materialisations were shipped."""
    found = {name: _materialisation(context, name, node) for name, node in nodes.items()}
    shipped = {name: materialisation for name, materialisation in found.items() if materialisation is not None}
    machine = {"host": platform.node(), "platform": platform.platform()}
    return {**_now(), **machine, "run_id": context.run.run_id, "materializations": shipped}


def _materialisation(context: dg.AssetExecutionContext, name: str, node: Any) -> dict[str, Any] | None:
    """The newest materialisation whose data version is this node's, so that run and content cannot be mixed up."""
    stage, *rest = name.split("/")
    key = dg.AssetKey([stage, rest[0]]) if rest else STAGE_KEYS[stage]
    wanted = dg.AssetRecordsFilter(asset_key=key, asset_partitions=[rest[1]] if rest else None)
    version = node.objects[0].partition(".")[0] if stage == "capture" else node.digest
    for record in context.instance.fetch_materializations(wanted, limit=RECENT).records:
        tags = record.asset_materialization.tags if record.asset_materialization else None
        if tags and tags.get("dagster/data_version") == version:
            return {"run_id": record.run_id, "storage_id": record.storage_id, "timestamp": record.timestamp}
    return None
