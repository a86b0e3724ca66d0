"""A file read while it grows: every whole line once, whatever happens to the file."""

import os
from pathlib import Path

import pytest

from townlet_core.policy.logbook.tail import Tail


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"


def told(tail: Tail) -> list[str]:
    return [line.content.decode().strip() for line in tail.poll()]


def grow(path: Path, text: str) -> None:
    with path.open("a") as stream:
        stream.write(text)


def test_lines_come_when_their_end_is_written(log: Path) -> None:
    tail = Tail(log)
    assert told(tail) == []
    grow(log, "one\ntw")
    assert told(tail) == ["one"]
    assert told(tail) == []
    grow(log, "o\nthree\n")
    assert [(line.content, line.number) for line in tail.poll()] == [(b"two\n", 2), (b"three\n", 3)]


def test_a_rotation_loses_and_repeats_nothing(log: Path) -> None:
    tail = Tail(log)
    grow(log, "one\n")
    assert told(tail) == ["one"]
    grow(log, "two\n")
    log.rename(log.with_suffix(".1"))
    assert told(tail) == ["two"]
    grow(log.with_suffix(".1"), "three\n")
    grow(log, "four\n")
    assert told(tail) == ["three", "four"]


def test_a_log_that_is_taken_up_again_repeats_only_what_is_new(log: Path, tmp_path: Path) -> None:
    tail = Tail(log)
    grow(log, "one\ntwo\nstopped\n")
    assert told(tail) == ["one", "two", "stopped"]
    shorter = tmp_path / "shorter"
    shorter.write_text("one\n")
    os.replace(shorter, log)
    assert told(tail) == []
    grow(log, "two, again\nthree\n")
    assert told(tail) == ["two, again", "three"]


def test_a_file_cut_to_nothing_is_read_from_its_beginning(log: Path) -> None:
    tail = Tail(log)
    grow(log, "one\ntwo\n")
    assert told(tail) == ["one", "two"]
    os.truncate(log, 0)
    grow(log, "three\n")
    assert told(tail) == ["three"]
