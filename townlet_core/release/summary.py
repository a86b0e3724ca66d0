"""The telemetry summary of a candidate: its clone, its improvement, and the captured days that it learnt from."""

from dataclasses import dataclass
from itertools import groupby

import numpy as np
import pyarrow.parquet as pq

from townlet_core.config import NEED_NAMES, canonical_json, digest
from townlet_core.config.watch import WatchRules
from townlet_core.datasets.derivations import derive
from townlet_core.datasets.store import Record, Store
from townlet_core.datasets.versions import read_version
from townlet_core.kernels import source_digest
from townlet_core.policy.logbook.entries import Entry, table_entries
from townlet_core.policy.logbook.pages import markdown_page
from townlet_core.policy.logbook.plots import draw_log
from townlet_core.policy.logbook.summary import summarise_log
from townlet_core.policy.logbook.watch import watched
from townlet_core.release.candidate import Candidate
from townlet_core.release.workshop import Workshop, stored_bytes
from townlet_core.telemetry.days import DayProfile, day_profile
from townlet_core.telemetry.events import count_events
from townlet_core.telemetry.summary import PAGE, Summary, markdown_with_images, summarise

MARKDOWN, PNG, JSON = ".md", ".png", ".json"
IMPROVEMENT, WATCH = "improvement.png", "watch.json"


@dataclass(frozen=True)
class CandidateSummary:
    """A summary on record.

    Attributes:
        record: `digest`, `candidate`, object names of the page and its plots in `files`, `inline` (the page with its
            plots inside it), `lowest_needs`: the lowest mean of each need over the day, by scenario, and `alarms`:
            what the watch has to say of the log of its training, line by line.
        reused: whether it was found instead of made.
    """

    record: Record
    reused: bool


def summarise_candidate(candidate: Candidate, workshop: Workshop, rules: WatchRules) -> CandidateSummary:
    """Summarise a candidate and its dataset version, or find the summary that both gave before.

    Args:
        candidate: whose training and dataset it is about.
        workshop: where both lie and the summary goes.
        rules: bounds that the log of the training is held to.

    Raises:
        DataError: the dataset version, a shard of it or the log of the training is missing or damaged.
    """
    inputs = {"candidate": candidate.digest, "dataset": candidate.dataset_id, "report": digest(candidate.report)}
    inputs["log"] = str((candidate.improvement or {}).get("log", ""))
    inputs["watch"] = digest(rules)
    code = source_digest("telemetry", "datasets", "policy")
    derived = derive(workshop.artifacts, "summary", inputs, lambda: _summarised(candidate, workshop, rules), code=code)
    return CandidateSummary(derived.record, derived.reused)


def _summarised(candidate: Candidate, workshop: Workshop, rules: WatchRules) -> Record:
    shards = read_version(workshop.datasets, candidate.dataset_id)["shards"]
    by_scenario = {name: list(group) for name, group in groupby(shards, key=lambda shard: str(shard["scenario"]))}
    days = [day_profile(_opened(group, "steps", workshop.datasets)) for group in by_scenario.values()]
    events = {name: _counted(_opened(group, "events", workshop.datasets)) for name, group in by_scenario.items()}
    entries = _log(candidate, workshop)
    summary = _with_improvement(summarise(training=candidate.report, days=days, events=events), entries)
    inline = workshop.artifacts.put_bytes(markdown_with_images(summary).encode(), MARKDOWN) + MARKDOWN
    files = {PAGE: workshop.artifacts.put_bytes(summary.markdown.encode(), MARKDOWN) + MARKDOWN}
    for name, png in summary.images.items():
        files[name] = workshop.artifacts.put_bytes(png, PNG) + PNG
    alarms = [alarm._asdict() for alarm in watched(entries, rules)]
    watch = canonical_json({"rules": rules.model_dump(mode="json"), "records": len(entries), "alarms": alarms})
    files[WATCH] = workshop.artifacts.put_bytes(watch + b"\n", JSON) + JSON
    record = {"candidate": candidate.digest, "files": files, "inline": inline, "lowest_needs": _lowest(days)}
    record["alarms"] = [alarm["told"] for alarm in alarms]
    return {**record, "digest": digest(record)}


def _log(candidate: Candidate, workshop: Workshop) -> list[Entry]:
    """The log of the improvement; nothing where the candidate is a clone and no more."""
    if candidate.improvement is None:
        return []
    name = str(candidate.improvement["log"])
    return table_entries(stored_bytes(workshop.artifacts, name), name)


def _with_improvement(summary: Summary, entries: list[Entry]) -> Summary:
    if not entries:
        return summary
    page = markdown_page("The improvement", summarise_log(entries), plot=IMPROVEMENT, level=2)
    return Summary(f"{summary.markdown}\n{page}", {**summary.images, IMPROVEMENT: draw_log(entries)})


def _opened(shards: list[Record], kind: str, store: Store) -> list[pq.ParquetFile]:
    return [store.open(str(shard[kind]).partition(".")[0]) for shard in shards]


def _counted(shards: list[pq.ParquetFile]) -> dict[str, int]:
    kinds = [np.asarray(shard.read(["kind"]).column("kind").to_numpy()) for shard in shards]
    return count_events(np.concatenate(kinds))


def _lowest(days: list[DayProfile]) -> dict[str, float]:
    return {
        f"{day.scenario}/{need}": round(float(np.nanmin(means)), 6)
        for day in days
        for need, means in zip(NEED_NAMES, day.need_means(), strict=True)
    }
