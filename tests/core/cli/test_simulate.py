"""`townlet simulate` lets towns live and prints figures that are true."""

import json
from pathlib import Path

import numpy as np
import pytest

from tests.core.cli.conftest import ROOT, Townlet
from townlet_core.cli.watching import draw_frame
from townlet_core.config import load_config
from townlet_core.core import Simulation
from townlet_core.policy.teacher import Teacher

TOWN = ROOT / "configs" / "towns" / "default.yaml"


def test_the_figures_are_those_of_the_engine(townlet: Townlet) -> None:
    outcome = townlet("simulate", "--towns", 3, "--seed", 11, "--json")
    sim = Simulation(load_config(TOWN), 3, 11)
    teacher = Teacher(sim)
    for _ in range(1440):
        sim.advance(teacher.act())
    document = json.loads(outcome.out)
    assert outcome.code == 0
    means = {name: kpi["mean"] for name, kpi in document["kpis"].items()}
    assert means == pytest.approx({name: float(np.mean(values)) for name, values in sim.kpis().items()})
    assert all(kpi["low"] <= kpi["mean"] <= kpi["high"] for kpi in document["kpis"].values())


def test_more_threads_give_the_same_figures(townlet: Townlet) -> None:
    one = townlet("simulate", "--towns", 4, "--json", "--threads", 1)
    two = townlet("simulate", "--towns", 4, "--json", "--threads", 2)
    assert one.out == two.out


def test_a_person_sees_a_short_table_and_all_figures_on_demand(townlet: Townlet) -> None:
    short, full = townlet("simulate", "--towns", 2), townlet("simulate", "--towns", 2, "--report")
    assert "survival" in short.out
    assert "uses_" not in short.out
    assert "uses_" in full.out


def test_a_report_says_where_time_and_wages_went_and_draws_it(townlet: Townlet, tmp_path: Path) -> None:
    plot = tmp_path / "life.png"
    outcome = townlet("simulate", "--towns", 2, "--days", 2, "--report", "--plot", plot, "--json")
    document = json.loads(outcome.out)
    assert sum(share["mean"] for share in document["options"].values()) == pytest.approx(1.0)
    assert document["livelihood"]["wages_over_cost"]["mean"] > 0.5
    assert plot.read_bytes().startswith(b"\x89PNG")


def test_a_figure_that_cannot_be_drawn_is_refused_before_anybody_lives(townlet: Townlet, tmp_path: Path) -> None:
    outcome = townlet("simulate", "--towns", 2, "--plot", tmp_path / "life.gif")
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith("--plot: ")
    assert not list(tmp_path.glob("life*"))


def test_a_scenario_lives_in_its_own_town(townlet: Townlet) -> None:
    ordinary, shower = (
        json.loads(townlet("simulate", "--scenario", name, "--towns", 2, "--json").out)["config_digest"]
        for name in ("ordinary_day", "one_shower")
    )
    assert ordinary != shower


def test_a_town_and_a_scenario_at_once_are_refused(townlet: Townlet) -> None:
    outcome = townlet("simulate", "--scenario", "ordinary_day", "--config", TOWN)
    assert outcome.code == 2
    assert outcome.err.startswith("--config and --scenario: give one of them")


def test_watching_without_a_terminal_is_refused(townlet: Townlet) -> None:
    outcome = townlet("simulate", "--watch")
    assert outcome.code == 2
    assert outcome.out == ""
    assert outcome.err.startswith("--watch: draws in a terminal")


def test_an_unknown_scenario_is_refused_with_the_known_ones(townlet: Townlet) -> None:
    outcome = townlet("simulate", "--scenario", "ordinary_dya")
    assert outcome.code == 2
    assert "ordinary_day" in outcome.err
    assert len(outcome.err.splitlines()) == 1


def test_a_misspelt_key_is_refused_with_file_line_and_remedy(townlet: Townlet, tmp_path: Path) -> None:
    town = tmp_path / "town.yaml"
    text = TOWN.read_text().replace("../", f"{ROOT}/configs/").replace("agents: 8", "agnets: 8")
    town.write_text(text)
    line = text.splitlines().index("agnets: 8") + 1
    outcome = townlet("simulate", "--config", town)
    assert outcome.code == 2
    assert outcome.err.startswith(f"{town}:{line}: agnets: ")
    assert "agents" in outcome.err
    assert len(outcome.err.splitlines()) == 1


def test_the_picture_shows_every_citizen_on_the_map() -> None:
    sim = Simulation(load_config(TOWN), 1, 3)
    frame = draw_frame(sim, sim.config.map, colour=False).splitlines()
    rows = [line[:48] for line in frame]
    for index, who in enumerate(sim.agents[0]):
        assert rows[int(who.y)][int(who.x)] == str(index + 1), "numbered as they are called: agent_1 is 1"
    assert frame[0][48:].strip() == "day 1, 06:00"
    drawn, plan = "".join(rows), "".join(sim.config.map.rows)
    assert sum(a != b for a, b in zip(drawn, plan, strict=True)) == 8
