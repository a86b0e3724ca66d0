"""`townlet capture`, `curate` and `replay`: from a living town to a dataset version, without Dagster."""

from pathlib import Path
from typing import Annotated, Any

import typer

from townlet_core.cli.options import (
    CONFIGS,
    DATA,
    FIRST_DATE,
    AsJson,
    Configs,
    Data,
    Date,
    Scenarios,
    Threads,
)
from townlet_core.cli.output import print_facts, print_json, print_table, progress_bar
from townlet_core.config import captured_scenarios, load_curation, load_scenario
from townlet_core.datasets import (
    CaptureRecord,
    CuratedRecord,
    Record,
    ReplayReport,
    Store,
    build_version,
    capture,
    curate,
    read_capture,
    read_curated,
    replay,
)
from townlet_core.errors import ConfigError
from townlet_core.policy.teacher import Teacher

CURATED = "curated"


def datasets_in(data: Path) -> Store:
    """The store of shards and manifests below a data folder."""
    return Store(data / "datasets")


def chosen_scenarios(names: list[str] | None, configs: Path) -> list[str]:
    """The scenarios that are named, or all that the line captures.

    Raises:
        ConfigError: The configuration folder has none.
    """
    chosen = names or captured_scenarios(configs)
    if not chosen:
        raise ConfigError(
            f"{configs / 'scenarios'}: no scenario with a 'capture' section; add one, or name a folder with --configs"
        )
    return chosen


def capture_scenarios(
    scenarios: Scenarios = None,
    date: Date = FIRST_DATE,
    threads: Threads = 1,
    as_json: AsJson = False,
    configs: Configs = CONFIGS,
    data: Data = DATA,
) -> None:
    """Let the teacher live a day of each scenario and record every step and event as Parquet shards."""
    loaded = [load_scenario(name, configs) for name in chosen_scenarios(scenarios, configs)]
    store, records = datasets_in(data), []
    for scenario in loaded:
        with progress_bar(f"capture {scenario.name}", quiet=as_json) as advance:
            record = capture(scenario, date, store, policy_factory=Teacher, threads=threads, progress=advance)
        records.append(record)
    _report_captures(records, store, as_json)


def curate_captures(
    scenarios: Scenarios = None,
    date: Date = FIRST_DATE,
    version: Annotated[bool, typer.Option(help="Make a dataset version of all that is curated.")] = True,
    as_json: AsJson = False,
    configs: Configs = CONFIGS,
    data: Data = DATA,
) -> None:
    """Judge every captured episode, with a reason for each that is rejected, and make a dataset version of the rest."""
    store, rules = datasets_in(data), load_curation(configs / "curation.yaml")
    names = chosen_scenarios(scenarios, configs)
    records = [curate(read_capture(store, name, date), rules, store) for name in names]
    manifest = build_version(_all_curated(store), rules, store) if version else None
    _report_curation(records, manifest, as_json)


def replay_shard(
    shard: Annotated[Path, typer.Argument(help="A steps shard, such as data/datasets/objects/<digest>.parquet.")],
    validate: Annotated[
        bool, typer.Option("--validate", help="Also require that the file is named by its digest and unchanged.")
    ] = False,
    threads: Threads = 1,
    as_json: AsJson = False,
) -> None:
    """Run a shard's actions through the engine again and compare every observation, reward and event.

    Exit code 1 names the first difference.
    """
    with progress_bar(f"replay {shard.name}", quiet=as_json) as advance:
        report = replay(shard, threads=threads, progress=advance)
    faithful = report.identical and (report.digest_matches is True or not validate)
    if as_json:
        print_json({"identical": report.identical, "faithful": faithful, **_replay_document(report)})
    else:
        typer.echo(str(report), err=not report.identical)
    if report.identical and not faithful:
        typer.echo(f"{shard}: not named by its digest; replay it where it was captured", err=True)
    raise typer.Exit(0 if faithful else 1)


def _all_curated(store: Store) -> list[CuratedRecord]:
    places = [Path(path) for path in store.records(CURATED)]
    return [read_curated(store, place.parent.name, place.stem) for place in places]


def _report_captures(records: list[CaptureRecord], store: Store, as_json: bool) -> None:
    if as_json:
        print_json([_capture_document(record, store) for record in records])
        return
    rows = [
        (r.scenario, str(r.towns), f"{r.rows:,}", f"{r.decisions:,}", "yes" if r.reused else "no", r.digest[:12])
        for r in records
    ]
    print_table("captures", ("scenario", "towns", "steps", "decisions", "reused", "shard"), rows)


def _capture_document(record: CaptureRecord, store: Store) -> dict[str, Any]:
    shown = ("scenario", "date", "seed", "towns", "agents", "ticks", "rows", "decisions", "events", "reused")
    facts = {name: getattr(record, name) for name in shown}
    return {**facts, "digest": record.digest, "shard": str(store.object_path(record.digest))}


def _report_curation(records: list[CuratedRecord], manifest: Record | None, as_json: bool) -> None:
    if as_json:
        curated = [_curated_document(record) for record in records]
        print_json({"curated": curated, "dataset": manifest and manifest["id"]})
        return
    rows = [(r.scenario, str(len(r.accepted)), str(len(r.rejected)), _reasons(r)) for r in records]
    print_table("curated", ("scenario", "accepted", "rejected", "reasons"), rows)
    if manifest is not None:
        shards = {shard["scenario"] for shard in manifest["shards"]}
        print_facts("dataset version", {"id": manifest["id"], "scenarios": ", ".join(sorted(shards))})


def _reasons(record: CuratedRecord) -> str:
    return "; ".join(f"{verdict.episode}: {', '.join(verdict.reasons)}" for verdict in record.rejected)


def _curated_document(record: CuratedRecord) -> dict[str, Any]:
    rejected = [{"episode": verdict.episode, "reasons": verdict.reasons} for verdict in record.rejected]
    return {"scenario": record.scenario, "date": record.date, "accepted": len(record.accepted), "rejected": rejected}


def _replay_document(report: ReplayReport) -> dict[str, Any]:
    difference = report.difference._asdict() if report.difference is not None else None
    return {**report._asdict(), "difference": difference}
