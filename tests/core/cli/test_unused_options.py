"""An option that nothing would read is refused in one line before anything runs, never taken and forgotten."""

from pathlib import Path

import pytest

from tests.core.cli.conftest import ROOT, Townlet

DEMO = ROOT / "configs" / "demo" / "first_day.yaml"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("simulate --speed 60", "--speed: is the speed of --watch; add it"),
        ("simulate --watch --towns 3", "--towns: does not go with --watch"),
        ("simulate --scenario late_clerk --check --telemetry-config a.yaml", "--telemetry-config: does not go with"),
        (f"demo {DEMO} --speed 60", "--speed: is the speed of --watch; add it"),
        (f"console --timeline {DEMO} --seed 3", "--seed: --timeline names its own"),
        (f"console --timeline {DEMO} --scenario low_money", "--scenario: --timeline names its own"),
        ("telemetry watch data/training --timeout 3", "--timeout: says how to follow a log; add --follow"),
        ("telemetry watch data/training --interval 3", "--interval: says how to follow a log; add --follow"),
        ("validate scenarios --threads 2", "--threads: nobody lives without --run; add it"),
        ("train --profile clone --resume", "--resume: profile clone stops at the clone"),
        ("config schema town --write schemas", "kind: --write writes the schemas of all kinds"),
    ],
)
def test_an_option_that_nothing_would_read_is_refused(
    townlet: Townlet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: str, told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    outcome = townlet(*words.split())
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith(told)
    assert outcome.err.count("\n") == 1
    assert not list(tmp_path.iterdir())
