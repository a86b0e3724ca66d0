"""Runs the command line as a person does: words in, output and exit code out."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from townlet_core.cli import app, run

ROOT = Path(__file__).resolve().parents[3]
STYLE = re.compile(r"\x1b\[[0-9;]*m")


class Outcome(NamedTuple):
    """What a command left behind: its exit code and both outputs, without colours."""

    code: int
    out: str
    err: str


Townlet = Callable[..., Outcome]


@pytest.fixture
def townlet(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Townlet:
    """Run `townlet` with some words, with this project's configuration and an empty data folder."""
    monkeypatch.setenv("TOWNLET_CONFIGS", str(ROOT / "configs"))
    monkeypatch.setenv("TOWNLET_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "200")

    def call(*words: object) -> Outcome:
        monkeypatch.setattr("sys.argv", ["townlet", *map(str, words)])
        with pytest.raises(SystemExit) as stopped:
            run(app)
        printed = capsys.readouterr()
        return Outcome(int(stopped.value.code or 0), STYLE.sub("", printed.out), STYLE.sub("", printed.err))

    return call
