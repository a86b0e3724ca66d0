"""Curation: every captured episode is accepted, or rejected with its reasons."""

from collections import Counter
from pathlib import Path
from typing import Any

import dagster as dg

from assets.capture import capture_key
from assets.code import code_version
from assets.failures import plain_failures
from assets.line import OWNERS, Line
from assets.metadata import facts, table
from assets.partitions import DAYS
from assets.verdicts import Finding, Guarantee, results, specs

ENOUGH = Guarantee("enough_accepted", "At least half of the episodes may teach.")
NONE_REJECTED = Guarantee("nothing_rejected", "Every captured episode may teach.", blocking=False)
GUARANTEES = [ENOUGH, NONE_REJECTED]
LEAST_ACCEPTED = 0.5


def curated_key(scenario: str) -> dg.AssetKey:
    """The key of a scenario's curated episodes, for example `curated/ordinary_day`."""
    return dg.AssetKey(["curated", scenario])


def curated_asset(scenario: str) -> dg.AssetsDefinition:
    """The asset that curates one scenario's captures: a partition is a day."""
    key = curated_key(scenario)

    @dg.asset(
        key=key,
        deps=[capture_key(scenario)],
        partitions_def=DAYS,
        group_name="curation",
        kinds={"json"},
        owners=OWNERS,
        code_version=code_version("curation"),
        check_specs=specs(key, GUARANTEES),
        description=f"Which captured episodes of scenario `{scenario}` may teach, by the rules in "
        "`configs/curation.yaml`; each rejected episode says why.",
    )
    def curated(context: dg.AssetExecutionContext, line: Line) -> dg.MaterializeResult:
        with plain_failures():
            return _curate(scenario, context.partition_key, line)

    return curated


def _curate(scenario: str, day: str, line: Line) -> dg.MaterializeResult:
    from townlet_core.config import digest, load_curation
    from townlet_core.datasets import curate, read_capture
    from townlet_core.datasets.records import as_record, curated_path

    record = curate(read_capture(line.store, scenario, day), load_curation(line.config("curation.yaml")), line.store)
    return dg.MaterializeResult(
        data_version=dg.DataVersion(digest(as_record(record))),
        metadata={
            "dagster/row_count": sum(episode.rows for episode in record.accepted),
            "reused": record.reused,
            "episodes": facts({"accepted": len(record.accepted), "rejected": len(record.rejected)}),
            "actions": table(["action", "decisions"], _actions(record)),
            "rejected": table(["episode", "reasons"], [(e.episode, "; ".join(e.reasons)) for e in record.rejected]),
            "record": dg.MetadataValue.path(str(Path(line.store.path(curated_path(scenario, day))))),
            "capture_digest": record.steps,
        },
        check_results=results(_findings(record)),
    )


def _actions(record: Any) -> list[tuple[str, int]]:
    counts: Counter[str] = Counter()
    for episode in record.accepted:
        counts.update(dict(zip(record.action_names, episode.actions, strict=True)))
    return counts.most_common()


def _findings(record: Any) -> list[Finding]:
    total, accepted = len(record.episodes), len(record.accepted)
    share = accepted / max(1, total)
    figures = {"accepted": accepted, "episodes": total, "share": share}
    return [
        Finding(ENOUGH, share >= LEAST_ACCEPTED, {**figures, "bound": LEAST_ACCEPTED}),
        Finding(NONE_REJECTED, accepted == total, figures),
    ]
