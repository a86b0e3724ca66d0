"""A log read back: what is right comes through whole, what is wrong is told by file, line and field."""

import json
import math
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.core.policy.logbook.conftest import VALIDATION, Write, end, epoch, line, update
from townlet_core.errors import DataError
from townlet_core.policy.logbook.entries import log_file, read_entries
from townlet_core.policy.training_figures import Annealing, KpiVerdict
from townlet_core.policy.training_log import LOG_FILE, TABLE_FILE, UpdateRecord, write_table


def test_lines_and_rows_hold_the_same_figures(write: Write, tmp_path: Path) -> None:
    records = [update(1, return_mean=None), update(2, validation=VALIDATION)]
    table = tmp_path / TABLE_FILE
    write_table(records, table)
    told, shown = read_entries(write(*records)), read_entries(table)
    for one, other in zip(told, shown, strict=True):
        assert {key: value for key, value in other.row.items() if value is not None} == {
            key: value for key, value in one.row.items() if value is not None
        }
    assert (shown[0].figure("return"), shown[1].figure("return")) == (None, 2.0)
    assert shown[1].figure("validated_return") == 2.5


def test_a_table_of_lasting_figures_has_no_times(tmp_path: Path) -> None:
    write_table([update(1)], tmp_path / TABLE_FILE, lasting=True)
    (entry,) = read_entries(tmp_path / TABLE_FILE)
    assert entry.figure("speed") is None
    assert entry.figure("kl") == 0.005


def test_a_folder_names_the_log_in_it(write: Write, tmp_path: Path) -> None:
    file = write(epoch(1), end(1))
    assert log_file(tmp_path) == file
    assert [entry.kind for entry in read_entries(tmp_path)] == ["epoch", "end"]


def test_a_folder_of_trainings_names_the_newest_log_in_it(tmp_path: Path) -> None:
    for age, name in enumerate(("one/updates.ndjson", "two/updates.ndjson", "clone-three/epochs.ndjson")):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_bytes(line(update(1)))
        os.utime(tmp_path / name, (1000.0 - age, 1000.0 - age))
    assert log_file(tmp_path) == tmp_path / "one/updates.ndjson"
    os.utime(tmp_path / "clone-three/epochs.ndjson", (2000.0, 2000.0))
    assert log_file(tmp_path) == tmp_path / "clone-three/epochs.ndjson"


def test_figures_that_are_no_numbers_are_kept_and_named(write: Write) -> None:
    sour = line(update(1), loss_total=float("nan"), episodes__return_mean=float("-inf"))
    (entry,) = read_entries(write(sour))
    assert set(entry.broken) == {"loss_total", "episodes.return_mean"}
    assert math.isnan(entry.row["loss_total"])
    assert (entry.figure("loss"), entry.figure("return")) == (None, None)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", r"is empty: no update and no epoch is in it"),
        (line(end(0)), r"is empty: no update and no epoch is in it"),
        (b"{}\n", r":1: kind: found None, expected one of update, epoch, end"),
        (b"[1]\n", r":1: kind: found None"),
        (b'{"kind": ["update"]}\n', r":1: kind: found \['update'\]"),
        (b"not a log\n", r":1: is not JSON"),
        (b"\xff\xfe\n", r":1: is not JSON"),
        (line(update(1)) + line(update(2), grad_norm="much"), r":2: grad_norm: Input should be a valid number"),
        (line(update(1), grad_norm=None), r":1: grad_norm: Input should be a valid number"),
        (line(update(1), grad_norm=None, loss_total=float("nan")), r":1: grad_norm: Input should be a valid number"),
        (line(update(1), episodes__survival="all"), r":1: episodes\.survival: Input should be a valid number"),
        (line(update(1), joy=3), r":1: joy: Extra inputs are not permitted"),
        (line(epoch(1), schema_version="1.0"), r":1: schema_version: Input should be '4\.0'"),
    ],
)
def test_a_log_that_is_wrong_is_told_by_file_line_and_field(tmp_path: Path, content: bytes, told: str) -> None:
    (tmp_path / LOG_FILE).write_bytes(content)
    with pytest.raises(DataError, match=f"{LOG_FILE}.*{told}") as stopped:
        read_entries(tmp_path / LOG_FILE)
    assert "\n" not in str(stopped.value)


def test_every_field_of_an_update_is_needed(write: Write) -> None:
    document = update(1).model_dump(mode="json")
    for name in document.keys() - {"validation", "annealing", "stored", "schema_version", "kind"}:
        record = update(1).model_dump(mode="json")
        del record[name]
        with pytest.raises(DataError, match=rf":1: {name}: Field required"):
            read_entries(write(json.dumps(record).encode() + b"\n"))


def test_a_table_without_a_column_is_told_by_its_row_and_field(tmp_path: Path) -> None:
    write_table([update(1)], tmp_path / TABLE_FILE)
    whole = pq.read_table(tmp_path / TABLE_FILE)
    pq.write_table(whole.drop_columns(["kl_divergence"]), tmp_path / TABLE_FILE)
    with pytest.raises(DataError, match=rf"{TABLE_FILE}: row 1: kl_divergence: Field required"):
        read_entries(tmp_path)
    pq.write_table(pa.table({"a": [1]}), tmp_path / TABLE_FILE)
    with pytest.raises(DataError, match=rf"{TABLE_FILE}: schema_version: no row has one"):
        read_entries(tmp_path)


def test_a_table_that_is_none_and_a_log_that_is_not_there_are_told(tmp_path: Path) -> None:
    (tmp_path / TABLE_FILE).write_bytes(b"PAR1 and then nothing")
    with pytest.raises(DataError, match=rf"{TABLE_FILE}: is no Parquet table"):
        read_entries(tmp_path / TABLE_FILE)
    with pytest.raises(DataError, match=r"nowhere/updates\.ndjson: there is no such log; name the"):
        read_entries(tmp_path / "nowhere")


def test_a_table_of_annealing_reads_back_with_the_figures_of_its_decisions(tmp_path: Path) -> None:
    held = KpiVerdict(found=0.9, baseline=1.0, bound=0.7, held=True)
    broken = KpiVerdict(found=None, baseline=1.0, bound=0.7, held=False)
    standing = Annealing(step=0, ratio=0.8, frozen=False)
    judged = standing.model_copy(update={"decision": "freeze", "kpis": {"return": held, "survival": broken}})
    write_table([update(1, annealing=standing), update(2, annealing=judged)], tmp_path / TABLE_FILE)
    found = [entry.row for entry in read_entries(tmp_path)]
    assert [row["annealing.ratio"] for row in found] == [0.8, 0.8]
    assert found[1]["annealing.kpis.return.found"] == 0.9
    assert found[1]["annealing.kpis.survival.held"] is False


def test_a_table_of_a_training_in_which_nobody_lived_is_read(tmp_path: Path) -> None:
    counts = [name for name in UpdateRecord.model_fields if name.endswith("_events")]
    nothing = dict.fromkeys((*counts, "deaths", "conflict", "clip_fraction"))
    still = update(1, data_mode="replay", events={}, completed={}, **nothing)
    write_table([still, still], tmp_path / TABLE_FILE)
    (entry, _) = read_entries(tmp_path)
    assert entry.figure("kl") == 0.005
    of_a_life = ("reward", "rivalry", "shared_meal", "queue_events", "speed", "clip")
    assert [entry.figure(name) for name in of_a_life] == [None] * len(of_a_life), "nothing that did not happen is zero"


def test_columns_that_contradict_each_other_are_refused_by_name(tmp_path: Path) -> None:
    write_table([update(1)], tmp_path / TABLE_FILE)
    whole = pq.read_table(tmp_path / TABLE_FILE)
    pq.write_table(whole.append_column("deaths.early", pa.array([1])), tmp_path / TABLE_FILE)
    with pytest.raises(DataError, match=rf"{TABLE_FILE}: row 1: deaths: Input should be a valid integer"):
        read_entries(tmp_path)
