"""Prices move within bounds and are what people pay; goods come by truck and go bad; clothes wear out."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.core.engine.test_town_life import money
from townlet_core.config import TownConfig
from townlet_core.core import Simulation
from townlet_core.observations.layout import layout_of
from townlet_core.world.events import Event


def with_economy(config: TownConfig, **changes: Any) -> TownConfig:
    """The town with some of its economy replaced, and nothing by chance."""
    quiet = {
        "perturbations": config.perturbations.model_copy(update={"events": {}}),
        "weather": config.weather.model_copy(update={"enabled": False}),
    }
    return config.model_copy(update={"economy": config.economy.model_copy(update=changes), **quiet})


def changed(model: Any, **changes: Any) -> Any:
    return model.model_copy(update=changes)


def test_prices_wander_within_their_bounds_around_the_usual(config: TownConfig) -> None:
    moves = changed(config.economy.price_moves, daily_max=0.1, bound=0.15, reversion=0.3)
    sim = Simulation(with_economy(config, price_moves=moves), towns=30, seed=1)
    usual, idle, seen = np.array(list(config.economy.prices.values())), np.zeros(sim.shape, np.int8), []
    for tick in range(60 * 1440):
        sim.advance(idle)
        if tick % 1440 == 1000:
            seen.append(sim.state.towns["prices"][:, : len(usual)] / usual)
    levels = np.array(seen)
    assert levels.min() >= 0.85 - 1e-9
    assert levels.max() <= 1.15 + 1e-9
    assert np.abs(np.diff(levels, axis=0)).max() <= 0.1 + 0.3 * 0.15 + 1e-9
    assert 0.97 < levels.mean() < 1.03
    assert levels.std() > 0.02


def test_prices_that_do_not_move_stand_still(config: TownConfig) -> None:
    moves = changed(config.economy.price_moves, daily_max=0.0)
    sim = Simulation(with_economy(config, price_moves=moves), towns=2, seed=1)
    for _ in range(1500):
        sim.advance(np.zeros(sim.shape, np.int8))
    assert sim.state.towns["prices"][:, :4].tolist() == [list(config.economy.prices.values())] * 2
    assert not [spec.name for spec in sim.layout.features if spec.name.endswith("_price")]


def test_one_pays_the_price_that_was_in_force_when_the_use_began(config: TownConfig, taught: Callable) -> None:
    sim = Simulation(config, towns=12, seed=3)
    meal, key = sim.names.affordances.index("cafe_meal"), sim.names.prices.index("meal")
    agreed: dict[tuple[int, int], float] = {}
    before, paid, dearer = sim.agents["wallet"].copy(), 0, 0
    for tick, step in enumerate(taught(sim, 1000)):
        if tick % 97 == 0:
            for town in range(12):
                if not sim.perturbations(town):
                    sim.trigger(town, "price_spike", ticks=60, magnitude=3.0)
        for row in step.events.rows[step.events.rows["other"] == meal]:
            who = int(row["town"]), int(row["subject"])
            if row["kind"] == Event.AFFORDANCE_START:
                agreed[who] = float(sim.state.towns["prices"][who[0], key])
            elif row["kind"] == Event.AFFORDANCE_FINISH:
                assert before[who] - sim.agents["wallet"][who] == pytest.approx(agreed[who], abs=0.05)
                paid += 1
                dearer += sim.state.towns["prices"][who[0], key] > agreed[who] * 1.5
        before = sim.agents["wallet"].copy()
    assert paid > 20
    assert dearer > 0, "no price rose during a meal"


def test_the_truck_brings_so_many_pieces_when_it_comes(config: TownConfig, taught: Callable) -> None:
    truck = changed(config.economy.truck, arrives=(700, 700), probability=1.0, size=3)
    sim = Simulation(with_economy(config, truck=truck, spoilage={"shelf": 0.5}), towns=2, seed=1)
    by_truck = sim.rules.fixtures["restock"] == 2
    before, held, came = money(sim), sim.state.fixtures["stock"].copy(), 0
    for step in taught(sim, 2 * 1440):
        gained = sim.state.fixtures["stock"] - held
        arrives = sim.state.towns["tick"][0] % 1440 == 700
        assert gained[:, by_truck].max() <= (3 if arrives else 0)
        came += int((step.events.rows["kind"] == Event.TRUCK_ARRIVES).sum())
        held = sim.state.fixtures["stock"].copy()
    assert came == 4
    assert (sim.state.towns["supplier"] > 0).all()
    np.testing.assert_allclose(money(sim), before, rtol=1e-9)


def test_a_truck_that_never_comes_leaves_the_shelves_bare(config: TownConfig) -> None:
    truck = changed(config.economy.truck, probability=0.0)
    sim = Simulation(with_economy(config, truck=truck, spoilage={"shelf": 1.0}), towns=2, seed=1)
    for _ in range(2 * 1440):
        sim.advance(np.zeros(sim.shape, np.int8))
    shelves = [k for k, name in enumerate(sim.names.fixtures) if name.startswith("shelf")]
    assert (sim.state.fixtures["stock"][:, shelves] == 0).all()


def test_a_share_of_the_stock_goes_bad_every_night(config: TownConfig) -> None:
    sim = Simulation(with_economy(config, spoilage={"fridge": 0.25}), towns=2, seed=1)
    fridges = [k for k, name in enumerate(sim.names.fixtures) if name.startswith("fridge")]
    sim.state.fixtures["stock"][:, fridges] = 8
    rows: list[Any] = []
    for _ in range(1440):
        rows += sim.step(np.zeros(sim.shape, np.int8)).events.rows.tolist()
    spoiled = [row for row in rows if row[2] == Event.SPOILED]
    assert {row[4] for row in spoiled} == set(fridges)
    assert {row[6] for row in spoiled} == {2.0}
    assert (sim.state.fixtures["stock"][:, fridges] == 6).all()


def clothed(config: TownConfig, **changes: Any) -> TownConfig:
    return with_economy(config, clothes=changed(config.economy.clothes, **changes))


def test_clothes_wear_out_night_by_night(config: TownConfig) -> None:
    still = config.model_copy(update={"lifecycle": config.lifecycle.model_copy(update={"enabled": False})})
    sim = Simulation(clothed(still, initial=(0.9, 0.9), wear_per_day=0.25), towns=1, seed=1)
    for _ in range(2 * 1440):
        sim.advance(np.zeros(sim.shape, np.int8))
    np.testing.assert_allclose(sim.agents["clothes"], 0.4, atol=1e-6)


def test_in_worn_clothes_one_gets_dirty_sooner(config: TownConfig) -> None:
    sims = [Simulation(clothed(config, initial=(w, w), hygiene_factor=2.0), towns=1, seed=1) for w in (0.1, 0.9)]
    start = sims[0].agents["needs"].copy()
    for sim in sims:
        for _ in range(100):
            sim.advance(np.zeros(sim.shape, np.int8))
    worn, new = (start - sim.agents["needs"] for sim in sims)
    np.testing.assert_allclose(worn[..., 1], 2.0 * new[..., 1], rtol=1e-4)
    np.testing.assert_allclose(worn[..., 0], new[..., 0], rtol=1e-6)


def test_worn_clothes_make_talks_fail(config: TownConfig, taught: Callable) -> None:
    shares = []
    for condition in (0.1, 0.9):
        worn = clothed(config, initial=(condition, condition), chat_factor=0.2, wear_per_day=0.0)
        worn = worn.model_copy(
            update={"economy": changed(worn.economy, prices={**worn.economy.prices, "clothes": 1e6})}
        )
        kinds = np.concatenate([step.events.rows["kind"] for step in taught(Simulation(worn, towns=20, seed=1), 720)])
        good, bad = ((kinds == kind).sum() for kind in (Event.CHAT_SUCCESS, Event.CHAT_FAILURE))
        shares.append(good / (good + bad))
    assert shares[0] < 0.4 < shares[1]


def test_worn_clothes_are_replaced_at_the_shop_and_paid_for(config: TownConfig, taught: Callable) -> None:
    sim = Simulation(clothed(config, initial=(0.1, 0.1)), towns=10, seed=1)
    buy, shop = sim.names.affordances.index("buy_clothes"), sim.names.prices.index("clothes")
    wallets, bought = sim.agents["wallet"].copy(), 0
    for step in taught(sim, 2 * 1440):
        rows = step.events.rows
        for row in rows[(rows["kind"] == Event.AFFORDANCE_FINISH) & (rows["other"] == buy)]:
            who = int(row["town"]), int(row["subject"])
            assert sim.agents["clothes"][who] == 1.0
            assert wallets[who] - sim.agents["wallet"][who] > 0.8 * config.economy.prices["clothes"]
            bought += 1
        wallets = sim.agents["wallet"].copy()
    assert bought > 40
    assert sim.state.towns["prices"][0, shop] > 0
    assert (sim.agents["clothes"] > 0.8).mean() > 0.5


def test_without_clothes_nobody_wears_any(config: TownConfig, taught: Callable) -> None:
    sim = Simulation(clothed(config, enabled=False), towns=2, seed=1)
    for _ in taught(sim, 1440):
        pass
    assert (sim.agents["clothes"] == 0).all()
    assert sim.agents["finished"][:, :, sim.names.affordances.index("buy_clothes")].sum() == 0
    assert "clothes" not in [spec.name for spec in layout_of(sim.config).features]
