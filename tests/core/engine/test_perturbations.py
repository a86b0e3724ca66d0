"""Perturbations do what they say, keep to their bounds, and leave every promise of a town intact."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.engine.conftest import CONFIGS
from tests.core.engine.test_town_life import money
from townlet_core.config import TownConfig, load_config
from townlet_core.core import Simulation
from townlet_core.errors import InputError
from townlet_core.observations.reference import reference_features, reference_mask
from townlet_core.policy.teacher import Teacher
from townlet_core.world.events import Event
from townlet_core.world.state import EVENT_LASTING

TOWN = CONFIGS / "towns" / "default.yaml"
STARTED, ENDED = Event.PERTURBATION_STARTED, Event.PERTURBATION_ENDED
CANCELLED = Event.PERTURBATION_CANCELLED
NAMES = ("arranged_meet", "blackout", "chaos_hour", "price_spike", "water_outage")


def calm(**perturbations: Any) -> TownConfig:
    """The default town where nothing happens by chance, with other keys of `perturbations` changed."""
    events = {name: {"prob_per_day": 0.0} for name in NAMES}
    return load_config(TOWN, {"perturbations": {"events": events, **perturbations}})


def wild(**perturbations: Any) -> TownConfig:
    """The default town where everything happens every day, as far as the bounds let it."""
    events = {name: {"prob_per_day": 1.0, "cooldown_ticks": 0} for name in NAMES}
    return load_config(TOWN, {"perturbations": {"events": events, **perturbations}})


def rows_of(sim: Simulation, *kinds: Event) -> list[tuple[Any, ...]]:
    """This tick's (kind, town, subject, perturbation, number) of some kinds."""
    rows = sim.events.rows
    picked = rows[np.isin(rows["kind"], kinds)]
    return [
        (Event(row["kind"]), int(row["town"]), int(row["subject"]), sim.names.perturbations[row["other"]], row["value"])
        for row in picked
    ]


def idle(sim: Simulation, ticks: int = 1) -> list[tuple[Any, ...]]:
    """Let time pass, and gather what is told of perturbations."""
    told = []
    for _ in range(ticks):
        sim.step(np.zeros(sim.shape, np.int8))
        told += rows_of(sim, STARTED, ENDED, CANCELLED)
    return told


@pytest.mark.parametrize(
    ("name", "power", "water"),
    [("blackout", 0, 1), ("water_outage", 1, 0), ("chaos_hour", 0, 0), ("price_spike", 1, 1)],
)
def test_what_is_triggered_begins_with_the_next_tick_and_ends_in_time(name: str, power: int, water: int) -> None:
    sim = Simulation(calm(), towns=2, seed=1)
    number = sim.trigger(1, name, ticks=10)
    assert idle(sim) == [(STARTED, 1, -1, name, number)]
    assert sim.state.towns["utilities"].tolist() == [[1, 1], [power, water]]
    assert [(event.number, event.name) for event in sim.perturbations(1)] == [(number, name)]
    assert idle(sim, 9) == []
    assert sim.state.towns["utilities"][1].tolist() == [power, water]
    assert idle(sim) == [(ENDED, 1, -1, name, number)]
    assert sim.state.towns["utilities"][1].tolist() == [1, 1]
    assert sim.perturbations(1) == []


def test_a_spike_multiplies_the_prices_that_it_aims_at_and_spikes_compound() -> None:
    sim = Simulation(calm(), towns=1, seed=1)
    usual = sim.state.towns["prices"][0].copy()
    for magnitude in (2.0, 1.5):
        sim.trigger(0, "price_spike", ticks=5, magnitude=magnitude)
    idle(sim)
    factor = dict(zip(sim.names.prices, sim.state.towns["prices"][0] / np.where(usual, usual, 1.0), strict=False))
    assert factor == pytest.approx({"clothes": 1.0, "groceries": 3.0, "meal": 3.0, "shower": 1.0})
    idle(sim, 5)
    np.testing.assert_array_equal(sim.state.towns["prices"][0], usual)


def test_in_a_chaos_hour_needs_run_down_faster() -> None:
    sim = Simulation(calm(), towns=2, seed=1)
    sim.trigger(1, "chaos_hour", ticks=50, magnitude=3.0)
    start = sim.agents["needs"][..., 0].copy()
    idle(sim, 20)
    lost = start - sim.agents["needs"][..., 0]
    np.testing.assert_allclose(lost[1], 3.0 * lost[0, 0], rtol=1e-3)


def test_those_who_are_called_walk_to_the_place_and_keep_each_other_company() -> None:
    sim = Simulation(calm(), towns=6, seed=2)
    teacher = Teacher(sim)
    for _ in range(960):  # until the afternoon, when nobody on an early shift is at work
        sim.step(teacher.act())
    for town in range(6):
        sim.trigger(town, "arranged_meet", ticks=90)
    talked = met = 0
    sim.step(teacher.act())
    called = sim.agents["meeting"] > 0
    invited = rows_of(sim, Event.INVITED)
    assert len(invited) == called.sum() >= 4
    assert (called.sum(axis=1)[called.any(axis=1)] >= 2).all()
    assert (sim.observation.mask[called].sum(axis=1) == 1).all()
    reset = [spec.name for spec in sim.layout.features].index("ctx_reset_flag")
    assert (sim.observation.features[called][:, reset] == 1.0).all()
    for town, agent in np.argwhere(called):
        expected = reference_features(sim.state, sim.rules, sim.layout, town, agent)
        np.testing.assert_allclose(sim.observation.features[town, agent], expected, atol=2e-6)
        np.testing.assert_array_equal(
            sim.observation.mask[town, agent], reference_mask(sim.state, sim.rules, town, agent)
        )
    for _ in range(88):
        here = sim.agents[["y", "x"]].copy()
        step = sim.step(teacher.act())
        way = np.abs(sim.agents["y"].astype(int) - here["y"]) + np.abs(sim.agents["x"].astype(int) - here["x"])
        assert way[called].max() <= 1
        rows = step.events.rows[np.isin(step.events.rows["kind"], (Event.CHAT_SUCCESS, Event.CHAT_FAILURE))]
        talked += sum(called[row["town"], row["subject"]] and called[row["town"], row["other"]] for row in rows)
    for town, agent in np.argwhere(called & (sim.agents["meeting"] > 0)):
        me = sim.agents[town, agent]
        met += sim.rules.distance[me["target"], me["y"], me["x"]] <= 3
    assert met >= 0.8 * called.sum()
    assert talked > 2
    for _ in range(2):
        sim.step(teacher.act())
    assert (sim.agents["meeting"] == 0).all()


def test_a_hard_need_excuses_from_a_meeting() -> None:
    sim = Simulation(calm(), towns=4, seed=2)
    idle(sim)
    for town in range(4):
        sim.trigger(town, "arranged_meet", ticks=200)
    sim.agents["needs"][:] = 0.5
    idle(sim)
    called = sim.agents["meeting"] > 0
    assert called.any()
    sim.agents["needs"][called, 2] = sim.config.options.hard_need + 1e-4
    idle(sim)
    assert (sim.agents["meeting"][called] == 0).all()
    assert (sim.observation.mask[called].sum(axis=1) > 1).all()


def test_a_meeting_to_which_nobody_can_come_is_called_off() -> None:
    sim = Simulation(calm(), towns=1, seed=2)
    sim.agents["needs"][:] = 0.2
    number = sim.trigger(0, "arranged_meet")
    assert idle(sim) == [(CANCELLED, 0, -1, "arranged_meet", number)]


def test_who_has_lost_the_job_has_time_in_its_hours() -> None:
    sim = Simulation(calm(), towns=2, seed=2)
    while sim.minute < 720:
        sim.agents["needs"][:] = 0.9
        idle(sim)
    sim.agents["employed"][1] = 0
    sim.agents["unemployed_at"][1] = sim.tick
    for town in range(2):
        sim.trigger(town, "arranged_meet", ticks=60)
    idle(sim)
    on_shift = (sim.rules.citizens["shift_start"] < 720) & (sim.rules.citizens["shift_end"] > 720)
    called = sim.agents["meeting"] > 0
    assert on_shift.sum() == 6
    assert not called[0, on_shift].any()
    assert called[1, on_shift].any()


def test_what_lasts_can_be_cancelled_and_what_is_only_asked_for_never_begins() -> None:
    sim = Simulation(calm(), towns=1, seed=1)
    lasting = sim.trigger(0, "blackout", ticks=100)
    idle(sim, 3)
    sim.cancel(0, lasting)
    assert idle(sim) == [(CANCELLED, 0, -1, "blackout", lasting)]
    assert sim.state.towns["utilities"][0].tolist() == [1, 1]
    asked = sim.trigger(0, "blackout")
    sim.cancel(0, asked)
    assert idle(sim, 3) == []
    assert asked == lasting + 1


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda sim: sim.trigger(0, "blakout"), "unknown perturbation 'blakout'; did you mean 'blackout'?"),
        (lambda sim: sim.trigger(2, "blackout"), "town: found 2, expected 0 to 0"),
        (lambda sim: sim.trigger(0, "blackout", ticks=0), "ticks: found 0, expected 1 to 100000"),
        (lambda sim: sim.trigger(0, "price_spike", magnitude=11.0), "magnitude: found 11.0, expected 0.1 to 10"),
        (
            lambda sim: sim.trigger(0, "blackout", magnitude=2.0),
            "magnitude: found 2.0, expected none: this perturbation has no magnitude",
        ),
        (lambda sim: sim.cancel(0, 7), "perturbation 7 does not last in town 0; those that do: none"),
        (
            lambda sim: [sim.trigger(0, "blackout") for _ in range(9)],
            "8 perturbations last or are asked for already; cancel one first",
        ),
    ],
)
def test_what_cannot_be_asked_for_is_refused(ask: Callable[[Simulation], Any], said: str) -> None:
    with pytest.raises(InputError, match="^" + said.replace("?", r"\?") + "$"):
        ask(Simulation(calm(), towns=1, seed=1))


def test_chance_keeps_to_every_bound() -> None:
    bounds = {"max_concurrent": 2, "max_overlap_share": 0.02, "global_cooldown_ticks": 30, "not_before_day": 1}
    bounds |= {"per_agent_cooldown_ticks": 900, "max_events_per_window": 1, "window_ticks": 2880}
    town = wild(**bounds)
    sim, ticks = Simulation(town, towns=12, seed=1), 8 * 1440
    teacher, overlapping = Teacher(sim), np.zeros(12)
    starts: dict[tuple[int, str], list[int]] = {}
    last_end, invited = np.full(12, -9999), np.full(sim.shape, -9999)
    for _ in range(ticks):
        sim.advance(teacher.act())
        tick = int(sim.state.towns["tick"][0])
        lasting = (sim.state.towns["event_phase"] == EVENT_LASTING).sum(axis=1)
        assert lasting.max() <= 2
        overlapping += lasting > 1
        for kind, where, agent, name, _ in rows_of(sim, STARTED, ENDED, Event.INVITED):
            if kind == STARTED:
                assert tick >= 1440
                assert tick - last_end[where] >= 30
                starts.setdefault((where, name), []).append(tick // 2880)
            elif kind == ENDED:
                last_end[where] = tick
            else:
                assert tick - invited[where, agent] >= 900
                invited[where, agent] = tick
    assert all(len(set(windows)) == len(windows) for windows in starts.values())
    assert {name for _, name in starts} == set(NAMES)
    assert 0 < overlapping.max() <= 0.02 * ticks


def test_probabilities_are_what_they_say_when_the_bounds_leave_room() -> None:
    events = {name: {"prob_per_day": 0.0} for name in NAMES} | {"blackout": {"prob_per_day": 0.4, "cooldown_ticks": 0}}
    town = load_config(TOWN, {"perturbations": {"events": events, "max_events_per_window": 0}})
    sim, begun = Simulation(town, towns=60, seed=5), 0
    for _ in range(5 * 1440):
        sim.advance(np.zeros(sim.shape, np.int8))
        begun += len(rows_of(sim, STARTED))
    assert 0.33 < begun / 300 < 0.47


def test_the_flag_holds_during_an_event_and_its_grace_window() -> None:
    sim = Simulation(calm(grace_window_ticks=20), towns=1, seed=1)
    flag = [spec.name for spec in sim.layout.features].index("in_city_event")
    sim.trigger(0, "blackout", ticks=10)
    seen = [(idle(sim) and None) or float(sim.observation.features[0, 0, flag]) for _ in range(40)]
    assert seen == [1.0] * 30 + [0.0] * 10


def test_no_perturbations_no_rows_no_features_no_luck_spent(config: TownConfig) -> None:
    none = config.perturbations.model_copy(update={"events": {}})
    sims = [Simulation(town, towns=2, seed=1) for town in (config.model_copy(update={"perturbations": none}), calm())]
    names = [{spec.name for spec in sim.layout.features} for sim in sims]
    assert names[1] - names[0] == {"in_city_event", "called_together"}
    assert idle(sims[0], 1500) == []
    assert (sims[0].state.towns["event_wake"] > 10**9).all()
    with pytest.raises(InputError, match="this town has no perturbations"):
        sims[0].trigger(0, "blackout")


def history(sim: Simulation, town: int, ticks: int, asked: bool = True) -> bytes:
    """What one town shows over a stretch of time in which it is meddled with."""
    teacher, seen = Teacher(sim), []
    for tick in range(ticks):
        if asked and tick % 211 == 17:
            sim.trigger(town, NAMES[tick // 211 % 5], ticks=40)
        sim.step(teacher.act())
        seen += [sim.observation.features[town].tobytes(), sim.agents[town].tobytes()]
        seen += [sim.events.rows[sim.events.rows["town"] == sim.first_town + town].tobytes()]
    return b"".join([*seen, sim.state.towns[town].tobytes()])


def test_a_stirred_town_lives_the_same_alone_in_a_batch_and_on_two_threads() -> None:
    alone = history(Simulation(wild(), towns=1, seed=3, first_town=5), 0, 1600)
    assert history(Simulation(wild(), towns=8, seed=3), 5, 1600) == alone
    assert history(Simulation(wild(), towns=6, seed=3, first_town=1, threads=2), 4, 1600) == alone


def test_a_town_saved_during_an_event_goes_on_as_if_it_never_was(tmp_path: Path) -> None:
    sim = Simulation(wild(), towns=2, seed=3)
    history(sim, 1, 700)
    lasting = sim.trigger(1, "chaos_hour", ticks=30)
    idle(sim)
    asked = sim.trigger(1, "price_spike")
    sim.save(tmp_path / "towns.safetensors")
    twin = Simulation.load(tmp_path / "towns.safetensors")
    assert [event.name for event in twin.perturbations(1)] == [event.name for event in sim.perturbations(1)]
    assert history(twin, 1, 400) == history(sim, 1, 400)
    assert asked == lasting + 1
    assert twin.trigger(1, "price_spike") == sim.trigger(1, "price_spike") > asked


@settings(max_examples=12)
@given(st.data())
def test_money_is_conserved_whatever_is_done_to_the_town(data: st.DataObject) -> None:
    sim = Simulation(wild(max_concurrent=8, max_overlap_share=1.0), towns=3, seed=data.draw(st.integers(0, 999)))
    rng = np.random.default_rng(data.draw(st.integers(0, 999)))
    before = money(sim)
    for _ in range(900):
        if rng.random() < 0.02:
            town = int(rng.integers(3))
            for event in sim.perturbations(town)[:1]:
                sim.cancel(town, event.number)
            sim.trigger(town, str(rng.choice(NAMES)), ticks=int(rng.integers(1, 90)))
        luck = rng.random(sim.observation.mask.shape) * sim.observation.mask
        sim.step(luck.argmax(axis=2).astype(np.int8))
        assert (sim.agents["wallet"] >= 0).all()
        assert (sim.state.fixtures["stock"] >= 0).all()
    np.testing.assert_allclose(money(sim), before, rtol=1e-9)
