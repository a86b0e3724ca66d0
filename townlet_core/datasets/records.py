"""The records that captures and curation leave: what was made, from what, and where its bytes are."""

from dataclasses import asdict, dataclass, field, fields
from typing import Any, TypeVar

from townlet_core.datasets.store import PARQUET, Record, Store
from townlet_core.errors import DataError

R = TypeVar("R", "CaptureRecord", "CuratedRecord", "EpisodeVerdict")


@dataclass(frozen=True)
class CaptureRecord:
    """One capture: a scenario on a date, its two shards and what happened in it.

    Attributes:
        scenario: name of the scenario.
        date: capture date, `YYYY-MM-DD`.
        seed: run seed, from scenario and date.
        towns: episodes.
        agents: citizens per town.
        ticks: ticks per episode.
        exploration: share of decisions at which a random legal action was executed.
        policy: name of the policy that labelled the steps.
        steps: object name of the steps shard, `<sha256>.parquet`.
        events: object name of the events shard.
        rows: rows of the steps shard.
        event_rows: rows of the events shard.
        events_dropped: events that the engine's log had no room for; their towns' events shards lack them.
        bytes: size of both shards.
        decisions: rows with a choice.
        layout_digest: digest of the observation layout.
        config_digest: digest of the town's configuration.
        code: digest of the sources of the engine.
        kpis: the engine's KPIs, one value per town.
        reused: whether this call found the capture instead of making it; no part of the record.
    """

    scenario: str
    date: str
    seed: int
    towns: int
    agents: int
    ticks: int
    exploration: float
    policy: str
    steps: str
    events: str
    rows: int
    event_rows: int
    events_dropped: int
    bytes: int
    decisions: int
    layout_digest: str
    config_digest: str
    code: str
    kpis: dict[str, list[float]]
    reused: bool = field(default=False, compare=False)

    @property
    def digest(self) -> str:
        """SHA-256 of the steps shard."""
        return self.steps.removesuffix(PARQUET)

    @property
    def events_digest(self) -> str:
        """SHA-256 of the events shard."""
        return self.events.removesuffix(PARQUET)


@dataclass(frozen=True)
class EpisodeVerdict:
    """What curation found about one episode: its figures, and why it was rejected, if it was.

    Attributes:
        episode: town of the capture.
        rows: rows.
        decisions: rows with a choice.
        actions: per option, how many decisions the recorded policy made for it.
        clipped: rows whose reward was cut by the clip.
        fingerprint: digest of the content, equal for duplicates.
        reasons: one `rule: what was found; what would be right` per broken rule; empty for an accepted episode.
    """

    episode: int
    rows: int
    decisions: int
    actions: list[int]
    clipped: int
    fingerprint: str
    reasons: list[str]

    @property
    def accepted(self) -> bool:
        """Whether the episode may teach."""
        return not self.reasons


@dataclass(frozen=True)
class CuratedRecord:
    """One capture after curation; it names the same shard and says which of its episodes may teach.

    Attributes:
        scenario: name of the scenario.
        date: capture date.
        steps: object name of the steps shard.
        events: object name of the events shard.
        bytes: size of the steps shard.
        agents: citizens per town.
        schema_fingerprint: digest of the shard's form.
        layout_digest: digest of the observation layout.
        action_names: the options by number.
        config_digest: digest of the town's configuration.
        rules: the rules that were applied.
        episodes: a verdict per episode.
        reused: whether this call found the record instead of making it; no part of the record.
    """

    scenario: str
    date: str
    steps: str
    events: str
    bytes: int
    agents: int
    schema_fingerprint: str
    layout_digest: str
    action_names: list[str]
    config_digest: str
    rules: dict[str, Any]
    episodes: list[EpisodeVerdict]
    reused: bool = field(default=False, compare=False)

    @property
    def accepted(self) -> list[EpisodeVerdict]:
        """The episodes that may teach."""
        return [verdict for verdict in self.episodes if verdict.accepted]

    @property
    def rejected(self) -> list[EpisodeVerdict]:
        """The episodes that may not, each with its reasons."""
        return [verdict for verdict in self.episodes if not verdict.accepted]


def capture_path(scenario: str, date: str) -> str:
    """Where a capture's record lies in the store."""
    return f"captures/{scenario}/{date}.json"


def curated_path(scenario: str, date: str) -> str:
    """Where a curated record lies in the store."""
    return f"curated/{scenario}/{date}.json"


def as_record(value: CaptureRecord | CuratedRecord) -> Record:
    """A record as JSON values, without what is true of this run only."""
    return {name: content for name, content in asdict(value).items() if name != "reused"}


def capture_from(record: Record, name: str, *, reused: bool = False) -> CaptureRecord:
    """A CaptureRecord from JSON values. Raises DataError for missing or unknown keys, calling the record `name`."""
    return _build(CaptureRecord, record | {"reused": reused}, name)


def curated_from(record: Record, name: str, *, reused: bool = False) -> CuratedRecord:
    """A CuratedRecord from JSON values. Raises DataError for missing or unknown keys, calling the record `name`."""
    verdicts = record.get("episodes")
    if not isinstance(verdicts, list):
        raise DataError(f"{name}: 'episodes' is missing; run curation again")
    episodes = [_build(EpisodeVerdict, verdict, name) for verdict in verdicts]
    return _build(CuratedRecord, record | {"episodes": episodes, "reused": reused}, name)


def read_capture(store: Store, scenario: str, date: str) -> CaptureRecord:
    """The recorded capture of a scenario on a date. Raises DataError when there is none or it is damaged."""
    path = capture_path(scenario, date)
    return capture_from(store.read_record(path), str(store.path(path)))


def read_curated(store: Store, scenario: str, date: str) -> CuratedRecord:
    """The curated record of a scenario on a date. Raises DataError when there is none or it is damaged."""
    path = curated_path(scenario, date)
    return curated_from(store.read_record(path), str(store.path(path)))


def _build(kind: type[R], record: Any, name: str) -> R:
    known = {entry.name for entry in fields(kind)}
    if not isinstance(record, dict) or set(record) | {"reused"} != known | {"reused"}:
        found = set(record) if isinstance(record, dict) else set()
        wrong = ", ".join(sorted((known - {"reused"}) ^ (found - {"reused"}))) or "its form"
        raise DataError(f"{name}: wrong keys in a {kind.__name__} ({wrong}); delete it and run its step again")
    return kind(**record)
