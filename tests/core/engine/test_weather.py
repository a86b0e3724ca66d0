"""Weather turns at its intervals, slows people down under the open sky, and moves prices."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.core.engine.conftest import CONFIGS
from townlet_core.config import TownConfig, load_config
from townlet_core.config.weather import WEATHER_NAMES, Weather
from townlet_core.core import Simulation
from townlet_core.observations.layout import layout_of
from townlet_core.observations.reference import reference_features
from townlet_core.world.events import Event
from townlet_core.world.grid import GRASS, ROAD

TOWN = CONFIGS / "towns" / "default.yaml"


def under(config: TownConfig, start: str = "clear", **kinds: dict[str, Any]) -> TownConfig:
    """The default town where only these kinds of weather exist; nothing else happens by chance."""
    weather = Weather.model_validate(
        {"enabled": True, "interval_ticks": 60, "start": start, "kinds": kinds or {start: {}}}, strict=False
    )
    quiet = config.perturbations.model_copy(update={"events": {}})
    return config.model_copy(update={"weather": weather, "perturbations": quiet})


def test_the_weather_turns_at_its_intervals_and_tells(config: TownConfig, taught: Callable) -> None:
    changing = {"clear": {"turns_to": {"rain": 1.0}}, "rain": {"turns_to": {"clear": 1.0}, "pause_every": 7}}
    sim = Simulation(under(config, **changing), towns=3, seed=1)
    told = []
    for step in taught(sim, 240):
        told += step.events.rows[step.events.rows["kind"] == Event.WEATHER_CHANGE].tolist()
        assert (sim.state.towns["pause_every"] == np.where(sim.state.towns["weather"] == 1, 7, 0)).all()
    assert [(row[0], row[5]) for row in told if row[1] == 0] == [(420, 1), (480, 0), (540, 1), (600, 0)]
    assert len(told) == 12


def test_towns_have_weather_of_their_own_in_the_shares_of_the_chain(config: TownConfig) -> None:
    rare = {"clear": {"turns_to": {"rain": 0.1}}, "rain": {"turns_to": {"clear": 0.3}}}
    sim = Simulation(under(config, **rare), towns=40, seed=1)
    idle, rainy = np.zeros(sim.shape, np.int8), []
    for _ in range(3 * 1440):
        sim.advance(idle)
        rainy.append((sim.state.towns["weather"] == 1).mean())
    assert 0.15 < np.mean(rainy[600:]) < 0.35
    assert 0 < np.min(rainy[600:]) < np.max(rainy) < 1


@pytest.mark.parametrize("control", ["options", "primitives"])
def test_under_the_open_sky_one_stands_still_in_every_so_many_th_tick(
    config: TownConfig, taught: Callable, control: str
) -> None:
    wet = under(config, "rain", rain={"pause_every": 3})
    unmoved = wet.queues.model_copy(update={"ghost_step_after": 0})
    wet = wet.model_copy(update={"queues": unmoved, "control": control})
    sim = Simulation(wet, towns=4, seed=2)
    before, moved = sim.agents[["y", "x"]].copy(), {"outdoors": 0, "indoors": 0}
    for _ in taught(sim, 400):
        tick, numbers = int(sim.state.towns["tick"][0]), np.arange(sim.shape[1])
        pausing = (tick + numbers) % 3 == 0
        outdoors = np.isin(sim.rules.terrain[before["y"], before["x"]], (ROAD, GRASS))
        stepped = sim.agents[["y", "x"]] != before
        aside = sim.rules.fixture_at[before["y"], before["x"]] >= 0
        assert not (stepped & pausing & outdoors & ~aside).any()
        moved["outdoors"] += int((stepped & outdoors).sum())
        moved["indoors"] += int((stepped & pausing & ~outdoors).sum())
        before = sim.agents[["y", "x"]].copy()
    assert min(moved.values()) > 20


def test_ways_cost_more_in_bad_weather_and_the_oracle_agrees(config: TownConfig, at_random: Callable) -> None:
    dry, wet = (Simulation(under(config, "storm", storm={"pause_every": k}), towns=2, seed=3) for k in (0, 3))
    costs = [k for k, spec in enumerate(wet.layout.features) if spec.name.endswith("_cost")]
    near, far = (sim.observation.features[..., costs] * 128 for sim in (dry, wet))
    walks = np.arange(len(costs) - 1)  # company is sought in sight
    np.testing.assert_allclose(far[..., walks], np.minimum(near + near // 2, 128)[..., walks], atol=1e-3)
    for count, step in enumerate(at_random(wet, 300, 1)):
        if count % 50 == 0:
            for town, agent in np.ndindex(wet.shape):
                expected = reference_features(wet.state, wet.rules, wet.layout, town, agent)
                np.testing.assert_allclose(step.observation.features[town, agent], expected, atol=2e-6)


def test_people_come_to_work_in_time_in_any_weather(config: TownConfig, taught: Callable) -> None:
    sim = Simulation(under(config, "storm", storm={"pause_every": 3}), towns=8, seed=4)
    for _ in taught(sim, 3 * 1440):
        pass
    figures = sim.kpis()
    assert figures["survival"].min() == 1.0
    assert figures["attendance"].mean() > 0.85


def test_weather_moves_the_prices_that_it_names(config: TownConfig) -> None:
    snow = {"prices": {"market": 2.0, "meal": 1.5}}
    sim = Simulation(under(config, "snow", snow=snow), towns=1, seed=1)
    prices = dict(zip(sim.names.prices, sim.state.towns["prices"][0].tolist(), strict=False))
    usual = config.economy.prices
    assert prices["meal"] == usual["meal"] * 3.0
    assert prices["groceries"] == usual["groceries"] * 2.0
    assert prices["shower"] == usual["shower"]


def test_without_weather_there_is_none(config: TownConfig, taught: Callable) -> None:
    still = config.weather.model_copy(update={"enabled": False, "start": "storm"})
    sim = Simulation(config.model_copy(update={"weather": still}), towns=2, seed=1)
    told = [kind for step in taught(sim, 300) for kind in step.events.rows["kind"]]
    assert Event.WEATHER_CHANGE not in told
    assert (sim.state.towns["pause_every"] == 0).all()
    assert (sim.state.towns["weather"] == WEATHER_NAMES.index("clear")).all()
    usual = list(config.economy.prices.values())
    np.testing.assert_array_equal(sim.state.towns["prices"][:, : len(usual)], [usual, usual])
    assert not [spec.name for spec in layout_of(sim.config).features if spec.name.startswith("weather_")]
    assert len(layout_of(config).features) == len(sim.layout.features) + len(WEATHER_NAMES)


def test_an_override_changes_one_kind_and_keeps_the_others() -> None:
    town = load_config(TOWN, {"weather": {"kinds": {"storm": {"pause_every": 2}}}})
    assert town.weather.kinds["storm"].pause_every == 2
    assert town.weather.kinds["rain"] == load_config(TOWN).weather.kinds["rain"]
