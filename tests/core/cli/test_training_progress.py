"""What the progress bar of `townlet train` tells while a policy learns: its return, and how fast it lives."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.core.cli.conftest import Townlet
from tests.core.policy.logbook.conftest import update
from townlet_core.cli import learning
from townlet_core.policy.report import EpochPoint


def test_the_bar_tells_agreement_then_return_and_speed(townlet: Townlet, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[int, int, str]] = []

    @contextmanager
    def bar(title: str, *, quiet: bool) -> Iterator[Any]:
        assert (title, quiet) == ("train quick", True)
        yield lambda done, total, text: told.append((done, total, text))

    def train(version: str, rules: Any, workshop: Any, scenarios: Any, progress: Any, *, resume: bool) -> Any:
        progress(EpochPoint(epoch=3, loss=0.4, value_loss=0.3, validation_loss=0.5, accuracy=0.912))
        progress(update(7, return_mean=None, steps_per_second=1234.5))
        progress(update(8, return_mean=2.345, steps_per_second=5678.0))
        return SimpleNamespace(folder=Path("here"), reused=False, record={})

    monkeypatch.setattr(learning, "described_bar", bar)
    monkeypatch.setattr(learning, "train_candidate", train)
    monkeypatch.setattr(learning, "read_version", lambda store, name: {"id": name})
    assert townlet("train", "--json").code == 0
    assert told == [
        (3, 30, "clone: agrees in 91.2%"),
        (7, 20, "rollout: return –, 1,234 agent-steps/s"),
        (8, 20, "rollout: return 2.35, 5,678 agent-steps/s"),
    ]
