"""Which captured episodes may teach: each rule that an episode breaks is a reason, in words, in the curated record."""

from collections.abc import Iterable

from townlet_core.config import CurationRules
from townlet_core.datasets.derivations import derive
from townlet_core.datasets.figures import EpisodeFigures, measure_shard
from townlet_core.datasets.records import (
    CaptureRecord,
    CuratedRecord,
    EpisodeVerdict,
    as_record,
    curated_from,
    curated_path,
)
from townlet_core.datasets.schema import expected_fingerprint, read_facts
from townlet_core.datasets.store import Record, Store
from townlet_core.kernels import source_digest


def curate(capture: CaptureRecord, rules: CurationRules, store: Store) -> CuratedRecord:
    """Judge every episode of a capture and record the verdicts in `curated/<scenario>/<date>.json`.

    The shard is not copied: a curated record names the episodes of it that may teach.

    Raises:
        DataError: the shard is missing, damaged or of another form than it promises.
    """
    inputs = {"capture": as_record(capture), "rules": rules.model_dump(mode="json")}
    code = source_digest("config", "datasets")
    stage = f"curate/{capture.scenario}"
    derived = derive(store, stage, inputs, lambda: _curated(capture, rules, store), code=code)
    store.write_record(curated_path(capture.scenario, capture.date), derived.record)
    return curated_from(derived.record, stage, reused=derived.reused)


def judge(figures: Iterable[EpisodeFigures], rules: CurationRules) -> list[EpisodeVerdict]:
    """The verdict on every episode; of several equal ones the first is kept."""
    seen: dict[str, int] = {}
    verdicts = []
    for episode in figures:
        reasons = [*_broken(episode, rules), *_duplicate(episode, rules, seen)]
        verdicts.append(_verdict(episode, reasons))
        seen.setdefault(episode.fingerprint, episode.episode)
    return verdicts


def _curated(capture: CaptureRecord, rules: CurationRules, store: Store) -> Record:
    shard = store.open(capture.digest)
    facts = read_facts(shard, str(store.object_path(capture.digest)))
    curated = CuratedRecord(
        scenario=capture.scenario,
        date=capture.date,
        steps=capture.steps,
        events=capture.events,
        bytes=store.object_path(capture.digest).stat().st_size,
        agents=facts.agents,
        schema_fingerprint=expected_fingerprint(facts),
        layout_digest=facts.layout_digest,
        action_names=list(facts.layout["actions"]),
        config_digest=facts.config_digest,
        rules=rules.model_dump(mode="json"),
        episodes=judge(measure_shard(shard, facts), rules),
    )
    return as_record(curated)


def _verdict(figures: EpisodeFigures, reasons: list[str]) -> EpisodeVerdict:
    return EpisodeVerdict(
        episode=figures.episode,
        rows=figures.rows,
        decisions=figures.decisions,
        actions=list(figures.actions),
        clipped=figures.clipped,
        fingerprint=figures.fingerprint,
        reasons=reasons,
    )


def _broken(figures: EpisodeFigures, rules: CurationRules) -> Iterable[str]:
    if not figures.complete:
        yield f"incomplete: {figures.rows} rows; one per citizen and tick, in order"
    if figures.ticks < rules.min_ticks:
        yield f"too_short: {figures.ticks} ticks; at least {rules.min_ticks}"
    if not figures.finite:
        yield "non_finite: NaN or infinity in features or rewards; none"
    if not figures.legal:
        yield "illegal_label: the policy chose what its mask forbids; only what it allows"
    if figures.deaths and not rules.allow_deaths:
        yield f"death: {figures.deaths} lives ended; none"
    yield from _monotonous(figures, rules)
    clipped, bound = figures.clipped / max(1, figures.rows), rules.max_clipped_share
    if clipped > bound:
        yield f"reward_saturated: {clipped:.1%} of the rewards were cut by the clip; at most {bound:.1%}"


def _monotonous(figures: EpisodeFigures, rules: CurationRules) -> Iterable[str]:
    distinct = sum(count > 0 for count in figures.actions)
    if distinct < rules.min_distinct_actions:
        yield f"few_actions: {distinct} distinct actions in decisions; at least {rules.min_distinct_actions}"
    majority, bound = max(figures.actions, default=0) / max(1, figures.decisions), rules.max_majority_share
    if majority > bound:
        yield f"one_action_majority: {majority:.1%} of the decisions are one action; at most {bound:.1%}"


def _duplicate(figures: EpisodeFigures, rules: CurationRules, seen: dict[str, int]) -> Iterable[str]:
    if rules.reject_duplicates and figures.fingerprint in seen:
        yield f"duplicate: the same as episode {seen[figures.fingerprint]}; every episode once"
