"""The dataset version: which episodes teach, validate and judge, under an id that is the digest of exactly that."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import dagster as dg

from assets.code import code_version
from assets.curation import curated_key
from assets.failures import plain_failures
from assets.line import OWNERS, Line
from assets.metadata import facts, table
from assets.verdicts import Finding, Guarantee, may_go_on, results, specs

KEY = dg.AssetKey("dataset_version")
ACTIONS = Guarantee("actions_covered", "The decisions hold as many distinct actions as the curation rules ask for.")
DISJOINT = Guarantee("held_out_disjoint", "No episode is on two sides, and every scenario is on all three.")
SHARDS = Guarantee("shards_verify", "Every shard that the manifest names is there, to the byte.")
CLASSES = Guarantee("classes_over_one_percent", "Five actions or more each hold over 1 % of decisions.", blocking=False)
FEW_REJECTED = Guarantee("few_rejected", "Under a tenth of the episodes was rejected.", blocking=False)
ALL_DAYS = Guarantee("no_day_left_out", "Every curated day fits the rules and the newest day's form.", blocking=False)
GUARANTEES = [ACTIONS, DISJOINT, SHARDS, CLASSES, FEW_REJECTED, ALL_DAYS]
SIDES = ("train", "validation", "holdout")
LEAST_SHARE, LEAST_CLASSES, MOST_REJECTED = 0.01, 5, 0.1


def dataset_asset(scenarios: Sequence[str]) -> dg.AssetsDefinition:
    """The asset that makes a dataset version from every curated day of these scenarios."""

    @dg.asset(
        key=KEY,
        deps=[curated_key(scenario) for scenario in scenarios],
        group_name="datasets",
        kinds={"json", "parquet"},
        owners=OWNERS,
        code_version=code_version("datasets"),
        check_specs=specs(KEY, GUARANTEES),
        description="A manifest of the accepted episodes of the newest curated days (all on disk, not only the day of "
        "this run), with validation and held-out episodes set apart. Its id is its digest; `versions.json` lists all.",
    )
    def dataset_version(line: Line) -> dg.MaterializeResult:
        with plain_failures():
            return _version(scenarios, line)

    return dataset_version


def _version(scenarios: Sequence[str], line: Line) -> dg.MaterializeResult:
    from townlet_core.config import load_curation
    from townlet_core.datasets.versions import build_version, version_path
    from townlet_core.release.days import curated_days

    rules = load_curation(line.config("curation.yaml"))
    days = curated_days(scenarios, rules, line.store)
    manifest = build_version(days.used, rules, line.store)
    findings = [
        *_findings(manifest, scenarios, line),
        Finding(ALL_DAYS, not days.left_out, {"days": len(days.left_out)}),
    ]
    if may_go_on(findings):
        line.workshop.publish("dataset", {"id": manifest["id"]})
    quality = manifest["quality"]
    return dg.MaterializeResult(
        data_version=dg.DataVersion(manifest["id"]),
        metadata={
            "dagster/row_count": quality["rows"],
            "dataset": facts({"id": manifest["id"], **_plain(quality)}),
            "scenarios": table(["scenario", *_PER_SCENARIO], _scenario_rows(quality)),
            "actions": table(["action", "decisions", "share"], _action_rows(quality)),
            "days": table(["scenario", "date", *SIDES, "shard"], _shard_rows(manifest)),
            "left_out": table(["day", "reason"], sorted(days.left_out.items())),
            "rejected": table(["episode", "reasons"], _rejected_rows(manifest)),
            "manifest": dg.MetadataValue.path(str(Path(line.store.path(version_path(manifest["id"]))))),
        },
        check_results=results(findings),
    )


_PER_SCENARIO = ("episodes", "rejected_episodes", "rows", "decisions", "majority_share", "clipped_share")


def _plain(quality: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in quality.items() if not isinstance(value, dict)}


def _scenario_rows(quality: dict[str, Any]) -> list[list[Any]]:
    return [[name, *(figures[key] for key in _PER_SCENARIO)] for name, figures in sorted(quality["scenarios"].items())]


def _action_rows(quality: dict[str, Any]) -> list[tuple[str, int, float]]:
    return [(name, figures["decisions"], figures["share"]) for name, figures in quality["actions"].items()]


def _shard_rows(manifest: dict[str, Any]) -> list[tuple[Any, ...]]:
    rows = []
    for shard in manifest["shards"]:
        counts = [sum(episode["side"] == side for episode in shard["episodes"]) for side in SIDES]
        rows.append((shard["scenario"], shard["date"], *counts, shard["digest"][:12]))
    return rows


def _rejected_rows(manifest: dict[str, Any]) -> list[tuple[str, str]]:
    return [(f"{e['scenario']}/{e['date']}/{e['episode']}", "; ".join(e["reasons"])) for e in manifest["rejected"]]


def _findings(manifest: dict[str, Any], scenarios: Sequence[str], line: Line) -> list[Finding]:
    quality = manifest["quality"]
    needed = manifest["rules"]["min_distinct_actions"]
    common = sum(figures["share"] > LEAST_SHARE for figures in quality["actions"].values())
    rejected = quality["rejected_episodes"] / max(1, quality["episodes"] + quality["rejected_episodes"])
    broken = [shard["steps"] for shard in manifest["shards"] if not line.store.holds(shard["steps"])]
    distinct = {"distinct": quality["distinct_actions"], "needed": needed}
    return [
        Finding(ACTIONS, quality["distinct_actions"] >= needed, distinct),
        _disjoint(manifest, scenarios),
        Finding(SHARDS, not broken, {"shards": len(manifest["shards"]), "broken": len(broken)}),
        Finding(CLASSES, common >= LEAST_CLASSES, {"classes": common, "needed": LEAST_CLASSES}),
        Finding(FEW_REJECTED, rejected < MOST_REJECTED, {"share": rejected, "bound": MOST_REJECTED}),
    ]


def _disjoint(manifest: dict[str, Any], scenarios: Sequence[str]) -> Finding:
    from townlet_core.datasets.versions import episode_keys

    sides = {side: set(episode_keys(manifest, side)) for side in SIDES}
    lacking = [name for name in scenarios if not all(any(k.scenario == name for k in side) for side in sides.values())]
    shared = sum(map(len, sides.values())) - len(set.union(*sides.values()))
    figures = {**{side: len(own) for side, own in sides.items()}, "shared": shared, "lacking": ", ".join(lacking)}
    return Finding(DISJOINT, not shared and not lacking, figures)
