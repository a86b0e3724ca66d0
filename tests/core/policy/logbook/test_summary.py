"""A log summed up by phase, worked out by hand, and compared with another."""

import math
from pathlib import Path

import pytest

from tests.core.policy.logbook.conftest import TIMING, VALIDATION, Write, end, epoch, line, update
from townlet_core.policy.logbook.entries import read_entries
from townlet_core.policy.logbook.pages import markdown_page
from townlet_core.policy.logbook.plots import draw_log
from townlet_core.policy.logbook.summary import Difference, Figures, LogSummary, differences, summarise_log
from townlet_core.policy.training_figures import Annealing
from townlet_core.policy.training_log import TABLE_FILE, write_table


def summary(log: Path, last: int | None = None) -> LogSummary:
    return summarise_log(read_entries(log), last)


def test_each_phase_has_first_last_best_and_mean(write: Write) -> None:
    slow = TIMING.model_copy(update={"epoch_duration_sec": 6.0, "steps_per_second": 100.0})
    found = summary(
        write(
            epoch(1, accuracy=0.7),
            epoch(2, accuracy=0.9),
            epoch(3, accuracy=0.8),
            update(1, critic_only=True, loss_total=4.0, return_mean=None),
            update(2, loss_total=3.0, return_mean=1.0),
            update(3, loss_total=1.0, return_mean=5.0, timing=slow),
            update(4, loss_total=2.0, return_mean=3.0),
            end(4),
        )
    )
    assert (found.outcome, found.reason, found.records, found.of) == ("finished", None, 7, 20)
    assert [(phase.name, phase.first, phase.last) for phase in found.phases] == [
        ("clone", 1, 3),
        ("critic", 1, 1),
        ("rollout", 2, 4),
    ]
    clone, critic, improve = found.phases
    assert clone.figures["accuracy"] == Figures(0.7, 0.8, 0.9, pytest.approx(0.8), 3)
    assert (clone.seconds, clone.agent_steps, clone.steps_per_second) == (4.5, None, None)
    assert "return" not in critic.figures
    assert improve.figures["loss"] == Figures(3.0, 2.0, 1.0, 2.0, 3)
    assert improve.figures["return"] == Figures(1.0, 3.0, 5.0, 3.0, 3)
    assert improve.figures["kl"].best is None
    # 2 s at 500, 6 s at 100, 2 s at 500: the speed of a phase is over its time, not a mean of speeds.
    assert (improve.seconds, improve.agent_steps, improve.steps_per_second) == (10.0, 2600, 260.0)
    assert (found.seconds, found.wall_seconds) == (16.5, 60.0)


def test_only_the_last_updates_are_looked_at_when_asked(write: Write) -> None:
    log = write(*(update(number, kl_divergence=number / 10) for number in range(1, 5)))
    found = summary(log, last=2)
    assert (found.records, found.outcome) == (2, "open")
    assert found.phases[0].figures["kl"] == Figures(0.3, 0.4, None, pytest.approx(0.35), 2)


def test_a_baseline_is_compared_phase_by_phase(write: Write) -> None:
    theirs = summary(write(update(1, critic_only=True), update(2, return_mean=-2.0, deaths=0)))
    ours = summary(write(update(2, return_mean=-1.0, deaths=3)))
    found = {one.figure: one for one in differences(ours, theirs)}
    assert found["return"] == Difference("rollout", "return", -1.0, -2.0, 1.0, 0.5)
    assert found["deaths"] == Difference("rollout", "deaths", 3.0, 0.0, 3.0, None)
    assert {one.phase for one in found.values()} == {"rollout"}
    assert all(one.difference == 0.0 for one in differences(ours, ours))


def test_a_stopped_training_and_figures_that_are_no_numbers_are_told(write: Write) -> None:
    sour = line(update(2), grad_norm=math.inf)
    log = write(update(1), sour, update(3), end(3, "no space left"))
    found = summary(log)
    assert (found.outcome, found.reason) == ("stopped", "no space left")
    assert found.not_finite == {"grad_norm": f"{log}:2"}
    assert found.phases[0].figures["grad"].records == 2
    page = markdown_page("mine", found)
    assert "| not finite: grad_norm | first in" in page
    assert "| outcome | stopped: no space left |" in page


def test_a_table_without_times_has_figures_all_the_same(tmp_path: Path) -> None:
    write_table([update(1), update(2)], tmp_path / TABLE_FILE, lasting=True)
    found = summary(tmp_path / TABLE_FILE)
    assert found.seconds is None
    assert found.phases[0].figures["return"].mean == 2.0
    assert "## rollout, 1 to 2\n" in markdown_page("mine", found)


def test_the_page_shows_every_phase_and_the_comparison(write: Write) -> None:
    found = summary(write(epoch(1), update(1), end(1)))
    page = markdown_page("mine", found, differences(found, found), "training.png")
    assert page.startswith("# mine\n")
    assert "| time in updates | 3.5 s |" in page
    assert "| wall time of the last run | 60.0 s |" in page
    assert "![The training by update](training.png)" in page
    assert "## rollout, 1 to 1: 2.0 s, 500 agent-steps/s" in page
    assert "| kl | 0.005 | 0.005 | – | 0.005 | 1 |" in page
    assert "| rollout | return | 2 | 2 | 0 | 0.0% |" in page


def test_a_training_is_drawn_with_its_baseline_and_always_the_same(write: Write) -> None:
    entries = read_entries(write(update(1), update(2, validation=VALIDATION), update(3)))
    plain, beside = draw_log(entries), draw_log(entries, entries[:2])
    assert plain.startswith(b"\x89PNG")
    assert plain == draw_log(entries)
    assert plain != beside
    assert draw_log(read_entries(write(epoch(1), epoch(2)))).startswith(b"\x89PNG")


def test_annealing_is_told_share_by_share(write: Write) -> None:
    shares = [0.8, 0.8, 0.4, 0.4, 0.4, 0.0]
    steps = [Annealing(step=0, ratio=share, frozen=False) for share in shares]
    log = write(*(update(n, data_mode="anneal", annealing=step) for n, step in enumerate(steps, 1)))
    assert [(phase.name, phase.first, phase.last) for phase in summary(log).phases] == [
        ("anneal at 80%", 1, 2),
        ("anneal at 40%", 3, 5),
        ("anneal at 0%", 6, 6),
    ]
