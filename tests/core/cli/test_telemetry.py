"""`townlet simulate --telemetry` tells of a town while it lives; `townlet telemetry` reads what was told."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.core.cli.conftest import ROOT, Townlet
from townlet_core.telemetry.mirror import Mirror, read_frames


@pytest.fixture
def recorded(townlet: Townlet, tmp_path: Path) -> Path:
    """A file of one day's frames."""
    path = tmp_path / "town.ndjson"
    outcome = townlet("simulate", "--towns", 2, "--telemetry", path)
    assert outcome.code == 0
    assert f"telemetry: 1441 frames to {path}, 0 dropped" in outcome.err
    return path


def test_a_day_is_told_into_a_file_and_can_be_followed(townlet: Townlet, recorded: Path) -> None:
    mirror = Mirror()
    with recorded.open("rb") as lines:
        for frame in read_frames(lines, "file"):
            mirror.apply(frame)
    assert mirror.state is not None
    assert mirror.state["clock"]["tick"] == 360 + 1440
    outcome = townlet("telemetry", "check", recorded, "--json")
    assert outcome.code == 0
    facts = json.loads(outcome.out)
    assert (facts["ok"], facts["snapshots"], facts["diffs"], facts["missed"]) == (True, 2, 1439, 0)


def test_the_narrator_can_be_read(townlet: Townlet, recorded: Path) -> None:
    outcome = townlet("telemetry", "narrate", recorded)
    assert outcome.code == 0
    assert outcome.out.startswith("day 1, 06:")
    assert "finished 'use shower' at shower_" in outcome.out


def test_telemetry_changes_nothing_in_the_towns(townlet: Townlet, tmp_path: Path) -> None:
    plain = json.loads(townlet("simulate", "--towns", 2, "--json").out)
    told = json.loads(townlet("simulate", "--towns", 2, "--json", "--telemetry", tmp_path / "town.ndjson").out)
    assert told.pop("telemetry")["sent"] == 1441
    assert told == plain


def test_frames_on_standard_output_are_alone_there(townlet: Townlet) -> None:
    outcome = townlet("simulate", "--towns", 1, "--telemetry", "stdout")
    assert outcome.code == 0
    frames = list(read_frames(outcome.out.encode().splitlines(), "stdout"))
    assert (len(frames), frames[0]["kind"]) == (1441, "snapshot")
    assert "telemetry: 1441 frames to stdout, 0 dropped" in outcome.err


def test_a_reader_may_leave_early() -> None:
    command = "from townlet_core.cli import app, run; run(app)"
    words = [sys.executable, "-c", command, "simulate", "--towns", "1", "--telemetry", "stdout"]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().startswith(b'{"events":')
        process.stdout.close()
        errors = process.stderr.read().decode()
        assert process.wait(60) == 0
    assert "nobody reads the output any more" in errors
    assert "Traceback" not in errors
    assert "Exception" not in errors


def test_trouble_shows_in_the_frames(townlet: Townlet, tmp_path: Path) -> None:
    """Bounds so low that an ordinary day passes them: the alerts are in the state."""
    settings, path = tmp_path / "telemetry.yaml", tmp_path / "town.ndjson"
    settings.write_text(
        f"transport: {{target: {path}}}\ncanaries:\n  option_thrash: {{window_ticks: 600, max: 0.001}}\n"
    )
    assert townlet("simulate", "--towns", 1, "--telemetry-config", settings).code == 0
    mirror = Mirror()
    with path.open("rb") as lines:
        alerts = [set(mirror.apply(frame)["alerts"]) for frame in read_frames(lines, "file")]
    assert alerts[0] == set()
    assert {"option_thrash"} in alerts


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("--telemetry", "tcp://nowhere"), "--telemetry: found text 'tcp://nowhere', expected tcp://HOST:PORT"),
        (("--telemetry", "stdout", "--json"), "--json: frames go to standard output; send them to a file"),
        (("--telemetry", "no/folder/town.ndjson"), "telemetry: no/folder/town.ndjson: cannot be opened: No such file"),
        (("--telemetry-config", "nothing.yaml"), "nothing.yaml: "),
    ],
)
def test_what_cannot_be_told_is_refused_before_anybody_lives(
    townlet: Townlet, words: tuple[str, ...], problem: str
) -> None:
    outcome = townlet("simulate", *words)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith(problem)
    assert outcome.err.count("\n") == 1


def test_a_canary_that_could_never_call_is_refused(townlet: Townlet, tmp_path: Path) -> None:
    settings = tmp_path / "telemetry.yaml"
    settings.write_text("transport: {}\ncanaries: {starvation: {hunger: 0.01}}\n")
    outcome = townlet("simulate", "--telemetry-config", settings)
    assert outcome.code == 2
    assert outcome.err.startswith("canaries.starvation.hunger: 0.01 can never be seen")


def test_privacy_without_a_key_is_refused_and_leaves_no_file(
    townlet: Townlet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TOWN_KEY", raising=False)
    settings, path = tmp_path / "telemetry.yaml", tmp_path / "town.ndjson"
    settings.write_text("transport: {}\nprivacy: {enabled: true, key_env: TOWN_KEY}\n")
    outcome = townlet("simulate", "--telemetry-config", settings, "--telemetry", path)
    assert outcome.code == 2
    assert outcome.err.startswith("privacy: the environment variable TOWN_KEY is not set; set it to a secret of 16")
    assert not path.exists()


def test_the_schema_is_printed_as_it_is_published(townlet: Townlet) -> None:
    assert townlet("telemetry", "schema").out == (ROOT / "docs/telemetry.schema.json").read_text()


def test_a_damaged_file_is_refused_with_its_line(townlet: Townlet, recorded: Path) -> None:
    lines = recorded.read_bytes().splitlines(keepends=True)
    lines[4] = lines[4].replace(b'"minute":', b'"minuet":')
    recorded.write_bytes(b"".join(lines))
    outcome = townlet("telemetry", "check", recorded)
    assert outcome.code == 2
    assert outcome.err.startswith(f"{recorded}:5: frame: changed.clock.minuet: extra inputs are not permitted")


def test_missing_frames_are_counted(townlet: Townlet, recorded: Path) -> None:
    lines = recorded.read_bytes().splitlines(keepends=True)
    recorded.write_bytes(b"".join(lines[:10] + lines[15:]))
    outcome = townlet("telemetry", "check", recorded, "--json")
    assert outcome.code == 1
    assert json.loads(outcome.out)["missed"] == 5 + 1425


def test_a_file_of_something_else_is_refused_at_its_first_line(townlet: Townlet, tmp_path: Path) -> None:
    (tmp_path / "town.yaml").write_text("agents: 8\n")
    outcome = townlet("telemetry", "check", tmp_path / "town.yaml")
    assert outcome.code == 2
    assert outcome.err.startswith(f"{tmp_path / 'town.yaml'}:1: frame: invalid json: ")


@pytest.mark.parametrize("verb", ["check", "narrate"])
def test_a_file_that_is_not_there_is_one_line(townlet: Townlet, verb: str) -> None:
    outcome = townlet("telemetry", verb, "nowhere.ndjson")
    assert outcome.code == 2
    assert outcome.err == (
        "nowhere.ndjson: cannot be read: No such file or directory; give a file that --telemetry wrote\n"
    )
