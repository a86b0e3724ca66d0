"""The log of a training: typed lines, a table beside them, and event files that others can read."""

import json
import struct
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.core.policy.ppo.small_training import small_training
from townlet_core.errors import DataError
from townlet_core.policy.cloning_log import CloningLog
from townlet_core.policy.logbook.entries import read_entries
from townlet_core.policy.report import EpochPoint
from townlet_core.policy.tensorboard import EventFile, masked_crc
from townlet_core.policy.training_log import (
    EPOCHS_FILE,
    EPOCHS_TABLE,
    LOG_FILE,
    TABLE_FILE,
    TrainingLog,
    UpdateRecord,
    read_log,
    write_table,
)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[UpdateRecord]]:
    folder = tmp_path_factory.mktemp("logged")
    return folder, small_training(folder, recurrent=0).records


def test_lines_read_back_are_the_records(trained: tuple[Path, list[UpdateRecord]]) -> None:
    assert list(read_log(trained[0] / LOG_FILE)) == trained[1]


def test_the_table_holds_the_same_figures_and_its_lasting_form_no_times(
    trained: tuple[Path, list[UpdateRecord]], tmp_path: Path
) -> None:
    table = pq.read_table(trained[0] / TABLE_FILE)
    for name, key in (("loss_value", "loss_value"), ("events.chat_success", "chat_success_events")):
        assert table.column(name).to_pylist() == [getattr(record, key) for record in trained[1]]
    assert {name for name in table.column_names if name.startswith("timing.")}
    for place in ("one", "two"):
        write_table(trained[1], tmp_path / f"{place}.parquet", lasting=True)
    assert (tmp_path / "one.parquet").read_bytes() == (tmp_path / "two.parquet").read_bytes()
    assert not [name for name in pq.read_table(tmp_path / "one.parquet").column_names if "timing" in name]


def test_a_line_that_is_still_being_written_is_not_there_yet(
    trained: tuple[Path, list[UpdateRecord]], tmp_path: Path
) -> None:
    lines = (trained[0] / LOG_FILE).read_bytes().splitlines(keepends=True)
    (tmp_path / LOG_FILE).write_bytes(b"".join(lines[:6])[:-20])
    assert [record.epoch for record in read_log(tmp_path / LOG_FILE)] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda line: {key: line[key] for key in line if key != "loss_policy"}, "loss_policy: Field required"),
        (lambda line: {**line, "kl_divergence": None}, "kl_divergence: Input should be a valid number"),
        (lambda line: {**line, "schema_version": "1.2"}, "schema_version: Input should be '4.0'"),
        (lambda line: {**line, "kind": "joke"}, "kind: found 'joke', expected one of update, epoch, end"),
        (lambda line: {key: line[key] for key in line if key != "kind"}, "kind: found None, expected one of"),
    ],
)
def test_a_line_that_is_no_record_is_told_by_its_number_and_key(
    trained: tuple[Path, list[UpdateRecord]], tmp_path: Path, damage: Any, told: str
) -> None:
    lines = (trained[0] / LOG_FILE).read_text().splitlines()
    lines[2] = json.dumps(damage(json.loads(lines[2])))
    (tmp_path / LOG_FILE).write_text("\n".join(lines) + "\n")
    with pytest.raises(DataError, match=rf"{LOG_FILE}:3: {told}"):
        list(read_log(tmp_path / LOG_FILE))
    with pytest.raises(DataError, match="has not the records of updates 1 to 7"):
        TrainingLog(trained[0], 7)


def test_the_last_line_says_how_it_ended(trained: tuple[Path, list[UpdateRecord]], tmp_path: Path) -> None:
    last = json.loads((trained[0] / LOG_FILE).read_text().splitlines()[-1])
    assert (last["kind"], last["outcome"], last["reason"], last["epoch"]) == ("end", "finished", None, 6)
    log = TrainingLog(tmp_path, 0)
    log.append(trained[1][0])
    with pytest.raises(KeyboardInterrupt), log.ending():
        raise KeyboardInterrupt
    told = (tmp_path / LOG_FILE).read_text().splitlines()
    assert [json.loads(line)["kind"] for line in told] == ["update", "end"]
    last = json.loads(told[-1])
    assert (last["outcome"], last["reason"], last["epoch"]) == ("stopped", "KeyboardInterrupt", 1)


def test_a_log_that_cannot_be_ended_hides_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = TrainingLog(tmp_path, 0)
    full = OSError(28, "No space left on device")
    monkeypatch.setattr(Path, "open", lambda *_, **__: (_ for _ in ()).throw(full))
    with pytest.raises(ValueError, match="the real one"), log.ending():
        raise ValueError("the real one")
    with pytest.raises(OSError, match="No space left"), log.ending():
        pass


def test_a_training_that_goes_on_drops_the_end_of_the_run_before(
    trained: tuple[Path, list[UpdateRecord]], tmp_path: Path
) -> None:
    (tmp_path / LOG_FILE).write_bytes((trained[0] / LOG_FILE).read_bytes())
    log = TrainingLog(tmp_path, 4)
    with log.ending():
        log.append(trained[1][4])
    assert [record.epoch for record in read_log(tmp_path / LOG_FILE)] == [1, 2, 3, 4, 5]
    told = [json.loads(line)["kind"] for line in (tmp_path / LOG_FILE).read_text().splitlines()]
    assert told == ["update"] * 5 + ["end"]


def scalars_in(path: Path) -> list[tuple[int, dict[str, float]]]:
    """Steps and scalars of an event file, decoded by hand and each checksum verified."""
    content, place, found = path.read_bytes(), 0, []
    while place < len(content):
        head = content[place : place + 8]
        (length,) = struct.unpack("<Q", head)
        assert content[place + 8 : place + 12] == masked_crc(head)
        body = content[place + 12 : place + 12 + length]
        assert content[place + 12 + length : place + 16 + length] == masked_crc(body)
        fields = dict(fields_of(body))
        if 5 in fields:
            values = [dict(fields_of(value)) for _, value in fields_of(fields[5])]
            found.append((fields[2], {one[1].decode(): struct.unpack("<f", one[2])[0] for one in values}))
        place += 16 + length
    return found


def fields_of(message: bytes) -> list[tuple[int, Any]]:
    found: list[tuple[int, Any]] = []
    place = 0
    while place < len(message):
        key, place = varint(message, place)
        if key & 7 == 0:
            value, place = varint(message, place)
            found.append((key >> 3, value))
            continue
        size, place = varint(message, place) if key & 7 == 2 else ({1: 8, 5: 4}[key & 7], place)
        found.append((key >> 3, message[place : place + size]))
        place += size
    return found


def varint(message: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[place]
        value, shift, place = value | (byte & 0x7F) << shift, shift + 7, place + 1
        if byte < 0x80:
            return value, place


def test_event_files_hold_the_scalars_of_every_step(tmp_path: Path) -> None:
    events = EventFile(tmp_path, 1.5)
    events.add({"loss/policy": 0.25, "town/return": -3.0}, 1, 2.0)
    events.add({"loss/policy": 0.125}, 70_000, 3.0)
    events.close()
    (path,) = tmp_path.glob("events.out.tfevents.*")
    assert scalars_in(path) == [(1, {"loss/policy": 0.25, "town/return": -3.0}), (70_000, {"loss/policy": 0.125})]


def test_the_checksum_is_that_of_the_published_test_vector() -> None:
    # RFC 3720, B.4: CRC-32C of 32 zero bytes is 0x8a9136aa; the mask of TFRecord on top.
    crc = 0x8A9136AA
    masked = (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF
    assert masked_crc(bytes(32)) == struct.pack("<I", masked)


def test_a_training_leaves_an_event_file_with_every_update(trained: tuple[Path, list[UpdateRecord]]) -> None:
    (path,) = (trained[0] / "tensorboard").iterdir()
    told = scalars_in(path)
    assert [step for step, _ in told] == [1, 2, 3, 4, 5, 6]
    assert told[-1][1]["loss/value"] == pytest.approx(trained[1][-1].loss_value, rel=1e-6)


def test_a_clone_leaves_lines_and_events_of_every_epoch(tmp_path: Path) -> None:
    log = CloningLog(tmp_path, 30)
    points = [
        EpochPoint(epoch=number, loss=0.5 / number, value_loss=0.25, validation_loss=0.5, accuracy=0.75)
        for number in (1, 2)
    ]
    with log.ending():
        for point in points:
            log.append(point)
    told = [json.loads(line) for line in (tmp_path / EPOCHS_FILE).read_text().splitlines()]
    assert [(line["kind"], line["epoch"]) for line in told] == [("epoch", 1), ("epoch", 2), ("end", 2)]
    assert [line["loss"] for line in told[:2]] == [0.5, 0.25]
    table = read_entries(tmp_path / EPOCHS_TABLE)
    assert [(entry.kind, entry.epoch, entry.figure("loss")) for entry in table] == [
        ("epoch", 1, 0.5),
        ("epoch", 2, 0.25),
    ]
    (path,) = (tmp_path / "tensorboard").iterdir()
    figures = {"clone/value_loss": 0.25, "clone/validation_loss": 0.5, "clone/accuracy": 0.75}
    assert scalars_in(path) == [(1, {"clone/loss": 0.5, **figures}), (2, {"clone/loss": 0.25, **figures})]
