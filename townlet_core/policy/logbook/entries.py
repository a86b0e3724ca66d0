"""A log as entries: each line or row checked against its record's type, and laid flat, column by column."""

import json
from collections.abc import Iterator, Mapping
from io import BytesIO
from math import isfinite
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias

import pyarrow as pa
import pyarrow.parquet as pq

from townlet_core.config.watch import WITHOUT_LIFE, Watched
from townlet_core.errors import DataError
from townlet_core.policy.logbook.figures import column_of
from townlet_core.policy.training_log import (
    EPOCHS_FILE,
    EPOCHS_TABLE,
    LOG_FILE,
    TABLE_FILE,
    UpdateRecord,
    flat,
    validated,
)

Kind: TypeAlias = Literal["update", "epoch", "end"]
REMEDY = f"name the {LOG_FILE}, {EPOCHS_FILE} or {TABLE_FILE} of a training, or its folder"
REPLAY = "replay"
"""The mode of a training in which nobody lives."""
STILL = (*WITHOUT_LIFE, "seconds")
SUFFIXES = (".ndjson", ".jsonl", ".parquet")
NAMES = (LOG_FILE, EPOCHS_FILE, TABLE_FILE, EPOCHS_TABLE)
_NO_TIMES = dict.fromkeys(
    ("epoch_duration_sec", "rollout_sec", "update_sec", "steps_per_second", "log_stream_offset"), 0
)


class Entry(NamedTuple):
    """One record of a log.

    Attributes:
        kind: Update, epoch of cloning, or the end of the training.
        row: Every column of it by dotted name, as in the Parquet table; a table of lasting figures has no `timing.`.
        broken: Columns whose value is not a finite number.
        place: File and line or row.
    """

    kind: Kind
    row: Mapping[str, Any]
    broken: tuple[str, ...]
    place: str

    @property
    def epoch(self) -> int:
        """The number of the update or epoch."""
        return int(self.row["epoch"])

    def figure(self, name: Watched) -> float | None:
        """A figure by its short name; None where this record has none, or none that is a number.

        Where nobody lived, figures of a life are none rather than zero.
        """
        if self.row.get("data_mode") == REPLAY and name not in STILL:
            return None
        column = column_of(name, self.kind)
        value = self.row.get(column) if column is not None else None
        return float(value) if value is not None and isfinite(value) else None


def entry_of(document: Any, place: str) -> Entry:
    """The entry that plain data is; figures that are no finite numbers are noted, everything else must be right.

    Raises:
        DataError: A field is missing, unknown or of the wrong type; names the place and the field.
    """
    columns = flat(document) if isinstance(document, dict) else {}
    broken = tuple(name for name, value in columns.items() if _is_broken(value))
    validated(_mended(document) if broken else document, place)
    return Entry(document["kind"], columns, broken, place)


def parse_entry(line: bytes, place: str) -> Entry:
    """The entry of one NDJSON line. Raises DataError as `entry_of`, or when it is not JSON."""
    try:
        return entry_of(json.loads(line), place)
    except ValueError as error:
        raise DataError(f"{place}: is not JSON ({error}); the log is damaged") from error


def read_entries(path: Path) -> list[Entry]:
    """All entries of a log, NDJSON or Parquet; a last line that is still being written is left out.

    Raises:
        DataError: The file is missing or damaged, or holds no update and no epoch.
    """
    file = log_file(path)
    if not file.is_file():
        raise DataError(f"{file}: there is no such log; {REMEDY}")
    entries = list(_rows(file, str(file)) if file.suffix == ".parquet" else _lines(file))
    if not any(entry.kind != "end" for entry in entries):
        raise DataError(f"{file}: is empty: no update and no epoch is in it; wait for the first, or {REMEDY}")
    return entries


def log_file(path: Path) -> Path:
    """The log that a path names: the file itself, the one in a training's folder, or of many trainings the newest."""
    if path.suffix in SUFFIXES or path.is_file():
        return path
    found = [path / name for name in NAMES if (path / name).is_file()]
    below = [each for name in NAMES[:2] for each in path.glob(f"*/{name}")]
    newest = sorted(below, key=lambda each: each.stat().st_mtime)[-1:]
    return [*found, *newest, path / LOG_FILE][0]


def _lines(file: Path) -> Iterator[Entry]:
    for number, line in enumerate(file.read_bytes().splitlines(keepends=True), 1):
        if line.endswith(b"\n"):
            yield parse_entry(line, f"{file}:{number}")


def table_entries(content: bytes, name: str) -> list[Entry]:
    """The entries of a Parquet log in memory. Raises DataError as `read_entries`, with `name` for the file."""
    return list(_rows(BytesIO(content), name))


def table_form(content: bytes, name: str) -> str:
    """The version of a Parquet log in memory, whatever it is. Raises DataError when it is no log."""
    form = _table(BytesIO(content), name).column("schema_version")[0]
    return str(form)


def _table(file: Path | BytesIO, name: str) -> pa.Table:
    try:
        table = pq.read_table(file)
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"{name}: is no Parquet table ({str(error).splitlines()[0]}); {REMEDY}") from error
    if table.num_rows == 0 or "schema_version" not in table.column_names:
        raise DataError(f"{name}: schema_version: no row has one; {REMEDY}")
    return table


def _rows(file: Path | BytesIO, name: str) -> Iterator[Entry]:
    table = _table(file, name)
    # An epoch has its time in a column like any other, so that only tables of updates may lack theirs.
    timed = "epoch_duration_sec" in table.column_names or any(name.startswith("timing.") for name in table.column_names)
    for number, row in enumerate(table.to_pylist(), 1):
        document = _nested(row)
        entry = entry_of(document if timed else {**document, "timing": _NO_TIMES}, f"{name}: row {number}")
        yield entry if timed else entry._replace(row=flat(document))


def _nested(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of dotted columns as the document it was; a part that may be absent and has no value is absent."""
    # Where nobody lived there are no events, and so no columns of theirs.
    document: dict[str, Any] = {"events": {}, "completed": {}} if row.get("data_mode") == REPLAY else {}
    for name, value in row.items():
        *parts, last = name.split(".")
        place = document
        for part in parts:
            below = place.get(part)
            place[part] = place = below if isinstance(below, dict) else {}
        place[last] = value
    for name, value in document.items():
        field = UpdateRecord.model_fields.get(name)
        optional = field is not None and not field.is_required()
        if optional and isinstance(value, dict):
            document[name] = _known(value)
    return document


def _known(part: dict[str, Any]) -> dict[str, Any] | None:
    """A part without parts of its own that hold nothing; None when it holds nothing itself."""
    known = {name: _known(value) if isinstance(value, dict) else value for name, value in part.items()}
    if all(value is None for value in known.values()):
        return None
    return {name: value for name, value in known.items() if value is not None or not isinstance(part[name], dict)}


def _is_broken(value: Any) -> bool:
    return isinstance(value, float) and not isfinite(value)


def _mended(document: Any) -> Any:
    if isinstance(document, dict):
        return {name: _mended(value) for name, value in document.items()}
    return 0.0 if _is_broken(document) else document
