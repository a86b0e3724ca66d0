"""The log of a training: one typed record per line, as NDJSON while it runs and as Parquet beside its checkpoints.

A clone writes an `EpochRecord` per epoch into `epochs.ndjson`, its improvement an `UpdateRecord` per update into
`updates.ndjson`; the last line of either is an `EndRecord`. What an update measured is a fact about the training and
the same whenever it is repeated; what it cost is a fact about the run. `UpdateRecord.timing` holds all of the latter,
so that the rest can go into digests.
"""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any, Literal, TypeAlias

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from upath import UPath

from townlet_core.errors import DataError
from townlet_core.files import sink, write_whole
from townlet_core.policy.training_figures import (
    Annealing,
    ConflictFigures,
    LearnsFrom,
    RowsUsed,
    Stage,
    StoredFigures,
)

LOG_FILE, TABLE_FILE = "updates.ndjson", "updates.parquet"
EPOCHS_FILE, EPOCHS_TABLE = "epochs.ndjson", "epochs.parquet"
EVENTS = "tensorboard"
"""Folder of the TensorBoard events, beside the log."""
SCHEMA_VERSION: Literal["4.0"] = "4.0"

_MODEL = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Timing(BaseModel):
    """What an update cost: seconds of the whole and of its parts, agent-steps per second, and where its line begins."""

    model_config = _MODEL
    epoch_duration_sec: float
    rollout_sec: float
    update_sec: float
    steps_per_second: float
    log_stream_offset: int
    """Byte at which this record begins in the NDJSON file."""


class EpisodeFigures(BaseModel):
    """Means over the episodes that ended during a rollout, of all citizens, whoever drove them; None where none did."""

    model_config = _MODEL
    count: int
    return_mean: float | None
    return_std: float | None
    survival: float | None
    attendance: float | None
    needs_ok_share: float | None
    clipped_share: float | None


class Validation(BaseModel):
    """How the policy, acting greedily, fared in the validation towns, beside the teacher in the same ones."""

    model_config = _MODEL
    towns: int
    return_mean: float
    survival: float
    attendance: float
    teacher_return_mean: float
    clone_return_mean: float
    """Of the clone that the training began with; where it may ship itself, only a better return ships instead."""
    held: bool
    """Whether survival and attendance, as means over the scenarios, lay at most the slack below the teacher's, so that
    it may ship."""


class EpochRecord(BaseModel):
    """What one epoch of cloning measured; losses are per decision, `value_loss` in squared standard deviations."""

    model_config = _MODEL
    kind: Literal["epoch"] = "epoch"
    schema_version: Literal["4.0"] = SCHEMA_VERSION
    data_mode: Literal["bc"] = "bc"
    epoch: int
    """Its number, from 1."""
    updates: int
    """How many epochs there are at most."""
    loss: float
    value_loss: float
    validation_loss: float
    accuracy: float
    """Agreement with the teacher on validation episodes."""
    epoch_duration_sec: float


class EndRecord(BaseModel):
    """The last line of a log whose training came to an end by itself; one that was killed leaves none."""

    model_config = _MODEL
    kind: Literal["end"] = "end"
    schema_version: Literal["4.0"] = SCHEMA_VERSION
    outcome: Literal["finished", "stopped"]
    reason: str | None
    """What stopped it, in one line."""
    epoch: int
    """The last update or epoch that was logged."""
    seconds: float
    """Since the log was opened: by the run that ended, without those before it."""
    then: LearnsFrom | None = None
    """How a training goes on whose clone is finished, in a log of its own beside this one; None where it does not."""


class UpdateRecord(BaseModel):
    """What one update did and measured. Losses, shares and divergences are means over its minibatches, weighed by
    their decisions; `_max` is the largest minibatch's. Events and rewards are those of the update's rollout.
    """

    model_config = _MODEL
    kind: Literal["update"] = "update"
    schema_version: Literal["4.0"] = SCHEMA_VERSION
    data_mode: LearnsFrom
    """The mode of the training."""
    rows: RowsUsed
    cycle: int
    """The cycle that the update belongs to, from 0."""
    social_stage: Stage | None
    """Stage of social rewards that the schedule asked for; None where the towns are in their own."""
    perturbations: bool | None
    """Whether the schedule lets them happen by chance; None where it leaves that to the towns."""
    epoch: int
    """The update's number, from 1."""
    updates: int
    """How many updates the training has in all."""
    steps: int
    """Agent-steps lived since the training began."""
    transitions: int
    """Decisions learnt from in this update."""
    transitions_total: int
    rollout_ticks: int
    epochs_run: int
    """Passes begun over the decisions."""
    stopped_early: bool
    """Whether the divergence bound ended them."""
    minibatches: int
    loss_policy: float
    loss_value: float
    loss_entropy: float
    """Minus the entropy, as it enters the total with its weight."""
    loss_imitation: float | None
    """Of decisions that others took, over the minibatches that held some; None where none did."""
    loss_total: float
    clip_fraction: float | None
    """Share of decisions whose ratio left the clip range; None in mode `replay`, which clips nothing."""
    clip_fraction_max: float | None
    clip_triggered_minibatches: int | None
    capped_share: float | None
    """Share of decisions that weighed as much as one may, in mode `replay`; None in the others."""
    adv_mean: float
    adv_std: float
    adv_min_std: float
    """Smallest deviation of the advantages within a minibatch."""
    adv_zero_std_batches: int
    grad_norm: float
    grad_norm_max: float
    kl_divergence: float
    kl_divergence_max: float
    lr: float
    entropy_weight: float
    critic_only: bool
    explained_variance: float | None
    """Share of the returns' variance that the critic knew beforehand; None where the returns did not vary."""
    batch_entropy_mean: float
    """Entropy of the choices as they were taken, in nats."""
    batch_entropy_std: float
    reward_advantage_corr: float | None
    """Correlation of span rewards and advantages; None where one of them did not vary."""
    span_ticks_mean: float
    """Ticks from a decision to the next."""
    reward_mean: float
    """Per agent-step; in mode `replay` per tick of the recording, discounted from each decision to the next. In mode
    `anneal` citizens whom the teacher drives count, too."""
    baseline_sample_count: int
    """Citizens' stretches of life in the first update's rollout, by the policy that the training began with; in mode
    `replay` the decisions of the first update."""
    baseline_reward_mean: float
    """`reward_mean` there, `baseline_reward_sum` over all of it, `baseline_reward_sum_mean` per sample."""
    baseline_reward_sum: float
    baseline_reward_sum_mean: float
    baseline_log_prob_mean: float
    """Of the choices taken there by the policy that the training began with, in nats."""
    deaths: int | None
    """None where nobody lived, as all counts below."""
    episodes: EpisodeFigures
    events: dict[str, int]
    """How often each kind of event happened, by name."""
    completed: dict[str, int]
    """How many uses of things were finished, by the intention that they served."""
    queue_conflict_events: int | None
    """Ghost steps in a jam, and queues left unserved."""
    queue_conflict_intensity_sum: float | None
    """Ticks waited in vain by those who left a queue."""
    shared_meal_events: int | None
    late_help_events: int | None
    shift_takeover_events: int | None
    chat_success_events: int | None
    chat_failure_events: int | None
    chat_quality_mean: float | None
    shower_complete_events: int | None
    sleep_complete_events: int | None
    """Spells of sleep that were finished; a night has several."""
    utility_outage_events: int | None
    rivalry_mean: float | None
    """Over all ties when the rollout ended; None where nobody lived."""
    rivalry_max: float | None
    avoidance_events: int | None
    conflict: ConflictFigures | None
    """None where nobody lived."""
    validation: Validation | None = None
    """Measured where a checkpoint is written, if the profile has validation towns."""
    annealing: Annealing | None = None
    stored: StoredFigures | None = None
    """Measured where a checkpoint is written, in mode `replay`."""
    timing: Timing = Field(repr=False)

    def lasting(self) -> dict[str, Any]:
        """Everything but what the run cost: the same whenever the training is repeated."""
        return self.model_dump(mode="json", exclude={"timing"})


Record: TypeAlias = UpdateRecord | EpochRecord | EndRecord
KINDS: dict[str, type[Record]] = {"update": UpdateRecord, "epoch": EpochRecord, "end": EndRecord}
"""What a line may be, by its `kind`."""


class LogFile:
    """An NDJSON file that grows by one record per line, which others may follow while it does."""

    def __init__(self, path: Path, kept: bytes = b"") -> None:
        """Begin the file with `kept`, the lines of an earlier run that stay; the old file is replaced whole."""
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(UPath(path), kept)
        self.path, self.offset, self._began = path, len(kept), time.perf_counter()

    def append(self, record: Record) -> None:
        """Write one record as one line and hand it to the operating system, so that others can follow the file."""
        line = record.model_dump_json().encode() + b"\n"
        with self.path.open("ab") as stream:
            stream.write(line)
        self.offset += len(line)

    @contextmanager
    def ending(self, last: Callable[[], int], then: LearnsFrom | None = None) -> Iterator[None]:
        """Write the last line when the block is left: finished with update or epoch `last()`, or stopped there.

        Args:
            last: The last update or epoch.
            then: How the training goes on in another log once this one is finished.
        """
        try:
            yield
        except BaseException as error:
            with suppress(OSError):  # a disk that is full must not hide what went wrong
                told = " ".join(str(error).split()) or type(error).__name__
                self.append(EndRecord(outcome="stopped", reason=told, epoch=last(), seconds=self._seconds))
            raise
        self.append(EndRecord(outcome="finished", reason=None, epoch=last(), seconds=self._seconds, then=then))

    @property
    def _seconds(self) -> float:
        return time.perf_counter() - self._began


class TrainingLog:
    """Appends records to a folder's NDJSON file; a training that goes on drops what lies behind its checkpoint."""

    def __init__(self, folder: Path, keep: int) -> None:
        """Open the log and keep its first `keep` records.

        Args:
            folder: Created when missing.
            keep: Number of updates whose records stay.

        Raises:
            DataError: Fewer records are there, or one of them is damaged.
        """
        path = folder / LOG_FILE
        lines = path.read_bytes().splitlines(keepends=True)[:keep] if keep else []
        found = [parsed(line, f"{path}:{number}") for number, line in enumerate(lines, 1)]
        self.records = [record for record in found if isinstance(record, UpdateRecord)]
        if [record.epoch for record in self.records] != list(range(1, keep + 1)):
            raise DataError(f"{path}: has not the records of updates 1 to {keep}; train anew without --resume")
        self._file = LogFile(path, b"".join(lines))

    @property
    def offset(self) -> int:
        """Byte at which the next record will begin."""
        return self._file.offset

    def append(self, record: UpdateRecord) -> None:
        """Write one update's record as a line."""
        self._file.append(record)
        self.records.append(record)

    def ending(self) -> AbstractContextManager[None]:
        """A block in which the training runs; the last line says whether it was finished, or what stopped it."""
        return self._file.ending(lambda: len(self.records))

    def write_table(self) -> None:
        """Write all records as Parquet beside the NDJSON file; the file appears whole."""
        write_table(self.records, self._file.path.parent / TABLE_FILE)


def read_log(path: Path) -> Iterator[UpdateRecord]:
    """The updates of an NDJSON log in order; a last line that is still being written is left out.

    Raises:
        DataError: The file is missing, or a line is no record; names the line and the key.
    """
    if not path.is_file():
        raise DataError(f"{path}: there is no such log; name the {LOG_FILE} of a training")
    for number, line in enumerate(path.read_bytes().splitlines(keepends=True), 1):
        record = parsed(line, f"{path}:{number}") if line.endswith(b"\n") else None
        if isinstance(record, UpdateRecord):
            yield record


def write_table(records: Sequence[UpdateRecord], path: Path, *, lasting: bool = False) -> None:
    """Write records as a Parquet table, one row per update and one column per figure.

    Args:
        records: At least one.
        path: The file; it appears whole.
        lasting: Leave out what the run cost, so that the same training gives the same bytes.
    """
    write_rows([flat(record.lasting() if lasting else record.model_dump(mode="json")) for record in records], path)


def write_rows(rows: Sequence[dict[str, Any]], path: Path) -> None:
    """Write flat records of one kind, at least one, as a Parquet table; the file appears whole."""
    found = {name: [row.get(name) for row in rows] for name in _names(rows)}
    columns = {name: pa.array(values, _type(values)) for name, values in found.items()}
    with sink(UPath(path.parent)) as opened:
        pq.write_table(pa.table(columns), opened, compression="zstd")
        opened.commit(UPath(path))


def parsed(line: bytes, place: str) -> Record:
    """The record of one line.

    Raises:
        DataError: It is none; names the place and the key.
    """
    try:
        document = json.loads(line)
    except ValueError as error:
        raise DataError(f"{place}: is not JSON ({error}); the log is damaged") from error
    return validated(document, place)


def validated(document: Any, place: str) -> Record:
    """The record that plain data is. Raises DataError naming the place and the key."""
    kind = document.get("kind") if isinstance(document, dict) else None
    if not isinstance(kind, str) or kind not in KINDS:
        raise DataError(
            f"{place}: kind: found {kind!r}, expected one of {', '.join(KINDS)}; the log of another version"
        )
    try:
        return KINDS[kind].model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or "record"
        raise DataError(f"{place}: {key}: {first['msg']}; the log of another version, or a damaged one") from error


def flat(document: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """The columns of a record: figures of a part go by `part.figure`."""
    columns: dict[str, Any] = {}
    for name, value in document.items():
        columns |= flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {f"{prefix}{name}": value}
    return columns


def _names(rows: Sequence[dict[str, Any]]) -> list[str]:
    names = dict.fromkeys(name for row in rows for name in row)
    # A part that some rows lack has a column in none: its figures' columns are empty there.
    parts = {name.rpartition(".")[0] for name in names}
    return [name for name in names if name not in parts]


def _type(values: list[Any]) -> pa.DataType:
    # A figure that was never measured in a short training is a number all the same.
    known = next((value for value in values if value is not None), 0.0)
    return {bool: pa.bool_(), int: pa.int64(), str: pa.string()}.get(type(known), pa.float64())
