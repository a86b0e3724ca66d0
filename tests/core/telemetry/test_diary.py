"""The diary of living towns counts what happened, whoever counts it, and can be drawn."""

from pathlib import Path

import numpy as np
import pytest

from townlet_core.config import TownConfig, basket_per_day, load_config
from townlet_core.core import Simulation
from townlet_core.policy.teacher import Teacher
from townlet_core.telemetry.diary import Diary
from townlet_core.telemetry.life_plot import life_of

CONFIGS = Path(__file__).parents[3] / "configs"
TOWNS = 3


@pytest.fixture(scope="module")
def config() -> TownConfig:
    """Two days in the hamlet."""
    return load_config(
        CONFIGS / "towns" / "hamlet.yaml", {"agents": 4, "clock": {"start_tick": 360, "episode_days": 2}}
    )


@pytest.fixture(scope="module")
def lived(config: TownConfig) -> tuple[Simulation, Diary, list[np.ndarray]]:
    """Two days of towns with their diary, and what everybody was about at every tick."""
    sim = Simulation(config, TOWNS, 5)
    teacher, diary, options = Teacher(sim), Diary(sim), []
    for _ in range(2 * 1440):
        sim.advance(teacher.act())
        diary.after_tick(sim)
        options.append(sim.agents["option"].copy())
    return sim, diary, options


def test_time_goes_to_what_citizens_were_about(lived: tuple[Simulation, Diary, list[np.ndarray]]) -> None:
    sim, diary, options = lived
    assert (sim.agents["alive"] == 1).all()
    followed = np.array(options)
    shares = diary.shares()
    for code, name in enumerate(sim.names.options):
        assert shares[name].mean == pytest.approx((followed == code).mean())
    assert sum(share.mean for share in shares.values()) == pytest.approx(1.0)
    hour = (np.arange(1, 2 * 1440 + 1) + 360) % 1440 // 60
    asleep = sim.names.options.index("sleep")
    assert diary.by_hour[3, asleep] == (followed[hour == 3] == asleep).sum()


def test_a_day_ends_at_midnight_and_days_add_up_to_the_whole(
    lived: tuple[Simulation, Diary, list[np.ndarray]],
) -> None:
    sim, diary, _ = lived
    assert len(diary.days) == 2
    first, second = (day.wages for day in diary.days)
    assert first * 1080 / 1440 + second == pytest.approx(sim.agents["wages_paid"].sum(axis=1) / 4)
    assert all((day.survival == 1.0).all() and (day.attendance > 0.5).all() for day in diary.days)


def test_wages_are_held_against_what_a_day_costs(
    lived: tuple[Simulation, Diary, list[np.ndarray]], config: TownConfig
) -> None:
    figures = lived[1].livelihood(config)
    cost = config.economy.rent_per_day + basket_per_day(config)
    assert figures["cost_of_a_day"].mean == pytest.approx(cost)
    assert figures["wages_over_cost"].mean == pytest.approx(figures["wages_per_day"].mean / cost)


def test_a_life_is_drawn_the_same_each_time(
    lived: tuple[Simulation, Diary, list[np.ndarray]], config: TownConfig
) -> None:
    picture = life_of(lived[1], config)
    assert picture.startswith(b"\x89PNG")
    assert picture == life_of(lived[1], config)
