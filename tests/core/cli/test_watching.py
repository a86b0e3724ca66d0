"""The picture in the terminal: every citizen where it is, by the number in its name, and what happens beside it."""

import re

import numpy as np
import pytest

from tests.core.cli.conftest import ROOT, STYLE
from townlet_core.cli.chronicle import Chronicle
from townlet_core.cli.watching import cropped, draw_frame, show
from townlet_core.config import load_config
from townlet_core.core import Simulation
from townlet_core.policy.teacher import Teacher


@pytest.fixture
def sim() -> Simulation:
    return Simulation(load_config(ROOT / "configs" / "towns" / "default.yaml"), 1, 3)


def test_a_coloured_picture_has_two_rows_to_a_line_and_every_citizen_on_it(sim: Simulation) -> None:
    lines = [STYLE.sub("", line) for line in draw_frame(sim, sim.config.map).split("\n")]
    for index, who in enumerate(sim.agents[0]):
        assert lines[int(who.y) // 2][int(who.x)] == str(index + 1)
    picture = "".join(line[:48] for line in lines[:24])
    assert len(picture) - picture.count("▀") == 8
    assert len(lines) == 24


def test_beside_it_stand_the_time_the_citizens_and_the_latest_sentences(sim: Simulation) -> None:
    sim.agents["needs"][0, 2] = (0.25, 0.5, 1.0)
    frame = draw_frame(sim, sim.config.map, colour=False, told=["06:10 agent_1 starved."])
    assert "day 1, 06:00" in frame
    assert re.search(r"3 agent_3   ▃25 ▅50 █99 +\d+\.\d\d  idle", frame)
    assert "06:10 agent_1 starved." in frame


def test_a_need_that_is_low_is_red(sim: Simulation) -> None:
    sim.agents["needs"][0] = (0.29, 0.59, 0.61)
    frame = draw_frame(sim, sim.config.map)
    assert [code in frame for code in ("38;5;160m▃29", "38;5;178m▅59", "38;5;71m▅61")] == [True] * 3


def test_a_small_terminal_shows_what_fits(
    sim: Simulation, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("LINES", "12")
    show(sim, sim.config.map, "10× (space: pause)")
    lines = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", capsys.readouterr().out).split("\n")
    assert len(lines) == 12
    assert max(map(len, lines)) <= 60
    assert lines[-1].startswith("10× (space: pause)")


def test_cutting_a_line_keeps_its_colours() -> None:
    assert cropped("\x1b[31mred\x1b[0m and plain", 5) == "\x1b[31mred\x1b[0m a"


def test_what_happens_is_told_with_its_time_and_only_the_latest_of_it(sim: Simulation) -> None:
    chronicle, teacher = Chronicle(sim), Teacher(sim)
    for _ in range(600):
        sim.step(teacher.act())
        chronicle.after_tick()
    assert len(chronicle.told) == 12
    assert all(re.match(r"\d\d:\d\d .+\.$", line) for line in chronicle.told)
    assert list(chronicle.told) == sorted(chronicle.told)
    assert np.unique(list(chronicle.told)).size == 12
