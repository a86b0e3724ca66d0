"""`townlet telemetry watch` on logs: what is printed, how it ends, and with which exit code."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.core.cli.conftest import ROOT, Townlet
from tests.core.policy.logbook.conftest import Write, end, epoch, line, update, write
from townlet_core.policy.training_log import LOG_FILE, read_log

__all__ = ["write"]

SMALL = ROOT / "tests/core/policy/ppo/small_training.py"
COMMAND = "from townlet_core.cli import app, run; run(app)"


def test_a_healthy_log_is_a_line_per_update_and_exit_code_0(townlet: Townlet, write: Write) -> None:
    outcome = townlet("telemetry", "watch", write(epoch(1), update(1), update(2), end(2)))
    assert outcome.code == 0
    assert outcome.out.splitlines() == [
        "epoch 1/30  loss 0.4  validation_loss 0.5  accuracy 0.9",
        "update 1/20  loss 0.01  return 2  reward 0.002  kl 0.005  entropy 0.15  clip 0.05  grad 0.5  "
        "explained_variance 0.9  speed 500",
        outcome.out.splitlines()[1].replace("1/20", "2/20"),
        "finished after 2, in 60 seconds",
    ]
    assert outcome.err == "3 records watched, 0 alarms\n"


def test_an_alarm_is_a_line_of_its_own_and_exit_code_1(townlet: Townlet, write: Write) -> None:
    outcome = townlet("telemetry", "watch", write(update(1, kl_divergence=0.3), update(2)), "--json")
    assert outcome.code == 1
    told = [json.loads(text) for text in outcome.out.splitlines()]
    assert [one["kind"] for one in told] == ["update", "alarm", "update"]
    assert (told[0]["epoch"], told[0]["of"], told[0]["figures"]["kl"]) == (1, 20, 0.3)
    assert (told[1]["rule"], told[1]["figure"], told[1]["value"], told[1]["bound"]) == ("max", "kl", 0.3, 0.05)


def test_options_change_the_bounds_of_the_file(townlet: Townlet, write: Write, tmp_path: Path) -> None:
    log = write(*(update(number, kl_divergence=0.3, steps_per_second=10.0) for number in range(1, 9)))
    assert townlet("telemetry", "watch", log, "--max", "kl=0.4").code == 0
    slow = townlet("telemetry", "watch", log, "--max", "kl=0.4", "--min", "speed=100")
    assert slow.code == 1
    assert "alarm: update 6: speed (timing.steps_per_second) is 10, below 100" in slow.out
    rules = tmp_path / "mine.yaml"
    rules.write_text("max: {kl: 0.1}\n")
    assert townlet("telemetry", "watch", log, "--rules", rules).out.count("alarm:") == 8


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("--max", "kll=1"), "--max: kll: unknown key 'kll'; did you mean 'kl'?"),
        (("--max", "kl"), "--max kl: expected FIGURE=NUMBER, such as kl=0.05"),
        (("--drop", "return=-1"), "--drop: return: "),
        (("--min", "return=nan"), "--min return=nan: expected FIGURE=NUMBER"),
        (("--rules", "nowhere.yaml"), "nowhere.yaml: "),
    ],
)
def test_a_wrong_option_is_one_line_and_exit_code_2(
    townlet: Townlet, write: Write, words: tuple[str, ...], problem: str
) -> None:
    outcome = townlet("telemetry", "watch", write(update(1)), *words)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith(problem)
    assert outcome.err.count("\n") == 1


def test_a_log_with_a_missing_field_is_refused_with_its_line(townlet: Townlet, write: Write) -> None:
    sour = json.loads(line(update(2)))
    del sour["grad_norm"]
    log = write(update(1), json.dumps(sour).encode() + b"\n")
    for words in ((), ("--follow",)):
        outcome = townlet("telemetry", "watch", log, *words)
        assert outcome.code == 2
        assert outcome.err == (f"{log}:2: grad_norm: Field required; the log of another version, or a damaged one\n")


def test_a_training_that_went_silent_is_an_alarm(townlet: Townlet, write: Write, tmp_path: Path) -> None:
    outcome = townlet("telemetry", "watch", write(update(1)), "--follow", "--timeout", 0.05, "--interval", 0.01)
    assert outcome.code == 1
    assert "alarm: nothing was logged for 0.05 seconds, and no end" in outcome.out
    never = townlet("telemetry", "watch", tmp_path / "later", "--follow", "--timeout", 0.05, "--interval", 0.01)
    assert never.code == 1


def test_a_signal_ends_the_watch_with_what_it_knows(write: Write) -> None:
    log = write(update(1), update(2, kl_divergence=0.9))
    for words, code in (((), 1), (("--max", "kl=1"), 0)):
        command = [sys.executable, "-c", COMMAND, "telemetry", "watch", str(log), "--follow", *words]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as watching:
            assert watching.stdout is not None
            assert watching.stdout.readline().startswith("update 1/20")
            watching.send_signal(signal.SIGTERM)
            assert watching.wait(30) == code


def test_a_table_cannot_be_followed(townlet: Townlet, tmp_path: Path) -> None:
    outcome = townlet("telemetry", "watch", tmp_path / "updates.parquet", "--follow")
    assert outcome.code == 2
    assert "a table appears whole; follow the NDJSON log beside it" in outcome.err


def test_a_log_is_followed_through_a_rotation_until_its_end(townlet: Townlet, write: Write) -> None:
    log = write(update(1))

    def train() -> None:
        time.sleep(0.1)
        with log.open("ab") as stream:
            stream.write(line(update(2))[:40])
            stream.flush()
            time.sleep(0.1)
            stream.write(line(update(2))[40:])
        log.rename(log.with_suffix(".1"))
        log.write_bytes(line(update(3)) + line(end(3)))

    training = threading.Thread(target=train)
    training.start()
    outcome = townlet("telemetry", "watch", log, "--follow", "--timeout", 30, "--interval", 0.02)
    training.join()
    assert outcome.code == 0
    assert [text.split("  ")[0] for text in outcome.out.splitlines()][:3] == [
        "update 1/20",
        "update 2/20",
        "update 3/20",
    ]


def test_a_real_training_is_watched_while_it_writes(townlet: Townlet, tmp_path: Path) -> None:
    """The watch begins before the training does and ends with it; it tells every update once."""
    folder = tmp_path / "training"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    words = [sys.executable, str(SMALL), str(folder), json.dumps({"recurrent": 0})]
    with subprocess.Popen(words, cwd=ROOT, env=environment) as training:
        bounds = ("--max", "kl=100", "--max", "clip=1", "--min", "explained_variance=-1e9", "--min", "survival=0")
        loose = (*bounds, "--min", "attendance=0", "--drop", "return=10", "--drop", "survival=10")
        outcome = townlet("telemetry", "watch", folder, "--follow", "--json", "--timeout", 400, *loose)
        assert training.wait(60) == 0
    told = [json.loads(text) for text in outcome.out.splitlines()]
    assert [one["kind"] for one in told] == ["update"] * 6 + ["end"], outcome.out
    assert outcome.code == 0
    records = list(read_log(folder / LOG_FILE))
    assert [one["figures"]["loss"] for one in told[:-1]] == [record.loss_total for record in records]
    assert told[-1]["outcome"] == "finished"


def test_a_summary_comes_as_text_markdown_or_json_with_a_plot(townlet: Townlet, write: Write, tmp_path: Path) -> None:
    log, plot = write(epoch(1), update(1), update(2), end(2)), tmp_path / "training.png"
    text = townlet("telemetry", "summary", log, "--plot", plot)
    assert text.code == 0
    assert "rollout, 1 to 2: 4.0 s, 500 agent-steps/s" in text.out
    assert plot.read_bytes().startswith(b"\x89PNG")
    page = townlet("telemetry", "summary", log, "--format", "markdown", "--baseline", log)
    assert page.out.startswith(f"# Training log {log}\n")
    assert "## Beside the baseline" in page.out
    found = json.loads(townlet("telemetry", "summary", log, "--format", "json", "--baseline", log).out)
    assert (found["outcome"], found["records"], found["phases"][1]["figures"]["return"]["mean"]) == ("finished", 3, 2.0)
    assert {one["difference"] for one in found["baseline"]} == {0.0}


def test_a_summary_refuses_what_is_no_log(townlet: Townlet, write: Write, tmp_path: Path) -> None:
    outcome = townlet("telemetry", "summary", tmp_path / "nowhere.ndjson")
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith(f"{tmp_path}/nowhere.ndjson: there is no such log; name the updates.ndjson")
    plot = tmp_path / "training.png"
    broken = townlet("telemetry", "summary", write(update(1)), "--baseline", tmp_path / "gone", "--plot", plot)
    assert broken.code == 2
    assert not plot.exists()
