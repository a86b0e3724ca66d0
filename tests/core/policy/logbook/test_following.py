"""Following a log from another thread than the one that writes it."""

import os
import threading
from pathlib import Path

import pytest

from tests.core.policy.conftest import RuleSource
from tests.core.policy.logbook.conftest import end, epoch, line, update
from townlet_core.config import TrainingProfile
from townlet_core.policy.bc import train_bc
from townlet_core.policy.cloning_log import CloningLog
from townlet_core.policy.logbook import following
from townlet_core.policy.logbook.following import follow, follow_on
from townlet_core.policy.training_log import EPOCHS_FILE, LOG_FILE


def test_a_clone_is_followed_while_it_learns(
    train: RuleSource, validation: RuleSource, holdout: RuleSource, profile: TrainingProfile, tmp_path: Path
) -> None:
    curve = []

    def clone() -> None:
        log = CloningLog(tmp_path, profile.epochs)
        with log.ending():
            result = train_bc(train, validation, holdout, profile, progress=log.append)
        curve.extend(result.report.curve)

    training = threading.Thread(target=clone)
    training.start()
    told = list(follow(tmp_path / EPOCHS_FILE, threading.Event(), 0.005, timeout=60.0))
    training.join()
    assert [entry.kind for entry in told if entry] == ["epoch"] * len(curve) + ["end"]
    assert [entry.figure("accuracy") for entry in told[:-1] if entry] == [point.accuracy for point in curve]
    assert all(entry.figure("seconds") for entry in told[:-1] if entry)


def test_who_follows_all_trainings_goes_from_a_clone_on_to_its_improvement(tmp_path: Path) -> None:
    old, new, clone = tmp_path / "old" / LOG_FILE, tmp_path / "new" / LOG_FILE, tmp_path / "clone-new" / EPOCHS_FILE
    for path in (old, new, clone):
        path.parent.mkdir()
    old.write_bytes(line(update(9)) + line(end(9)))
    os.utime(old, (1000.0, 1000.0))
    finished = end(1).model_copy(update={"then": "rollout"})
    clone.write_bytes(line(epoch(1)) + line(finished))
    improvement = threading.Timer(0.1, lambda: new.write_bytes(line(update(1)) + line(end(1))))
    improvement.start()
    told = list(follow_on(tmp_path, clone, threading.Event(), 0.005, timeout=60.0))
    assert [entry.kind for entry in told if entry] == ["epoch", "end", "update", "end"]
    clone.write_bytes(line(epoch(1)) + line(end(1)))
    alone = list(follow_on(tmp_path, clone, threading.Event(), 0.005, timeout=60.0))
    assert [entry.kind for entry in alone if entry] == ["epoch", "end"], "a clone that is all there is"


def test_following_ends_when_it_is_asked_to(tmp_path: Path) -> None:
    (tmp_path / LOG_FILE).write_bytes(line(update(1)))
    stop = threading.Event()
    entries = follow(tmp_path / LOG_FILE, stop, 0.005, timeout=None)
    first = next(entries)
    assert first is not None
    assert first.epoch == 1
    threading.Timer(0.05, stop.set).start()
    assert list(entries) == []


class Clock(threading.Event):
    """A stop that never comes, and whose waiting is all the time that passes."""

    def __init__(self, log: Path) -> None:
        super().__init__()
        self.now, self._log = 0.0, log

    def wait(self, timeout: float | None = None) -> bool:
        """Let time pass, and write a record after 3 and after 6 seconds."""
        self.now += timeout or 0.0
        if self.now in (3.0, 6.0):
            with self._log.open("ab") as stream:
                stream.write(line(update(int(self.now))))
        return False


def test_a_record_begins_the_wait_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = tmp_path / LOG_FILE
    log.write_bytes(b"")
    clock = Clock(log)
    monkeypatch.setattr(following.time, "monotonic", lambda: clock.now)
    told = list(follow(log, clock, 1.0, timeout=4.0))
    assert [entry.epoch if entry else None for entry in told] == [3, 6, None]
    assert clock.now == 11.0, "five seconds after the last record, the first look beyond the timeout"
