"""People leave for reasons, newcomers take their places, and nothing of a former life is left in them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import qmc

from townlet_core.config import TownConfig, load_config
from townlet_core.core import Simulation
from townlet_core.errors import ConfigError
from townlet_core.world.events import Event
from townlet_core.world.state import AGED_OUT, EXIT_NAMES, NOBODY, REWARD_TERMS

TOWN = Path(__file__).parents[3] / "configs" / "towns" / "default.yaml"
DAY, WHO = 1440, 2
HUNGER, HYGIENE, ENERGY = range(3)
REASONS = EXIT_NAMES[1:-1]
DEATHS = ("faint", "collapse", "exposure")
PUT_OUT = ("eviction", "unemployment")


def town(allocator: dict[str, Any] | None = None, **lifecycle: Any) -> TownConfig:
    """The default town with other rules of coming and going."""
    return load_config(TOWN, {"lifecycle": lifecycle, "embedding_allocator": allocator or {}})


def afflict(sim: Simulation, reason: str, who: int = WHO) -> None:
    """Bring a citizen of every town into the state in which one leaves for this reason; all needs are met otherwise."""
    agents, tick = sim.agents, int(sim.state.towns["tick"][0])
    agents["needs"] = 1.0
    if reason in DEATHS:
        agents["needs"][:, who, (HUNGER, ENERGY, HYGIENE)[DEATHS.index(reason)]] = 0.0
    elif reason == "eviction":
        agents["unpaid_days"][:, who] = 2
    elif reason == "unemployment":
        agents["employed"][:, who] = 0
        agents["unemployed_at"][:, who] = tick - 2 * DAY
    elif reason == "chronic_need":
        agents["low_ticks"][:, who] = DAY // 4
    elif reason == "age_out":
        agents["arrived_at"][:, who] = tick - DAY


def live(sim: Simulation, ticks: int, reason: str | None = None) -> list[tuple[int, int]]:
    """Let everybody idle, afflicted if asked; give the events as tick and kind."""
    found = []
    for _ in range(ticks):
        sim.agents["needs"] = 1.0
        if reason:
            afflict(sim, reason)
        sim.step(np.zeros(sim.shape, np.int8))
        found += [(int(row["tick"]), int(row["kind"])) for row in sim.events.rows]
    return found


def exits(sim: Simulation) -> dict[str, int]:
    counts = sim.state.towns["exits"].sum(axis=0)
    return {name: int(count) for name, count in zip(EXIT_NAMES, counts, strict=True) if count}


def ticks_of(reason: str) -> int:
    return {"collapse": 30, "exposure": 90}.get(reason, 1)


def rules_for(**changes: Any) -> TownConfig:
    return town(max_days=1, exposure_ticks=90, collapse_ticks=30, **changes)


@pytest.mark.parametrize("reason", REASONS)
def test_every_reason_to_leave_comes_true_when_it_is_due(reason: str) -> None:
    sim = Simulation(rules_for(), towns=1, seed=1)
    sim.agents["arrived_at"] = 10**6
    live(sim, ticks_of(reason) - 1, reason)
    assert exits(sim) == {}
    events = live(sim, 1, reason)
    assert exits(sim) == {reason: 1}
    assert int(Event[reason.upper()]) in {kind for _, kind in events}
    assert sim.agents["alive"][0].tolist() == [place != WHO for place in range(8)]
    rewards = sim.config.rewards
    owed = {**dict.fromkeys(PUT_OUT, rewards.eviction_penalty), "age_out": 0.0}.get(reason, rewards.faint_penalty)
    assert sim.reward_terms[0, WHO, REWARD_TERMS.index("terminal")] == pytest.approx(owed)
    assert sim.kpis()["survival"][0] == pytest.approx(1.0 if EXIT_NAMES.index(reason) == AGED_OUT else 7 / 8)


def reach_cap(sim: Simulation) -> None:
    sim.state.towns["exits_today"] = 2


def rest(sim: Simulation) -> None:
    sim.state.towns["exit_at"] = sim.state.towns["tick"]


def upset(sim: Simulation) -> None:
    sim.trigger(0, sim.names.perturbations[0], ticks=100)


@pytest.mark.parametrize("reason", REASONS)
@pytest.mark.parametrize("hindrance", [reach_cap, rest, upset])
def test_nobody_leaves_beyond_the_cap_in_the_pause_or_in_a_city_event(reason: str, hindrance: Callable) -> None:
    sim = Simulation(rules_for(), towns=1, seed=1)
    sim.agents["arrived_at"] = 10**6
    live(sim, ticks_of(reason) - 1, reason)
    hindrance(sim)
    live(sim, 20, reason)
    assert exits(sim) == {}
    if hindrance is rest:
        live(sim, 120, reason)
        assert exits(sim) == {reason: 1}


def test_the_town_is_left_alone_until_the_grace_after_a_city_event_is_over() -> None:
    sim = Simulation(town(), towns=1, seed=1)
    sim.trigger(0, sim.names.perturbations[0], ticks=10)
    gone = [tick for tick, kind in live(sim, 200, "faint") if kind == Event.FAINT]
    grace = sim.config.perturbations.grace_window_ticks
    assert gone[0] - sim.config.clock.start_tick in (grace + 11, grace + 12)


@pytest.mark.parametrize("reason", DEATHS)
def test_without_mortality_needs_do_not_kill(reason: str) -> None:
    sim = Simulation(rules_for(mortality=False, chronic_share=0.0), towns=1, seed=1)
    sim.agents["arrived_at"] = 10**6
    live(sim, 120, reason)
    assert exits(sim) == {}
    sim.set_mortality(True)
    live(sim, 1, reason)
    assert exits(sim) == {reason: 1}


@pytest.mark.parametrize("reason", REASONS)
def test_where_the_lifecycle_is_off_nobody_leaves_or_comes(reason: str) -> None:
    sim = Simulation(rules_for(enabled=False), towns=1, seed=1)
    live(sim, 130, reason)
    assert exits(sim) == {}
    assert sim.state.towns["people"][0] == 8


def money(sim: Simulation) -> np.ndarray:
    towns = sim.state.towns
    return sim.agents["wallet"].sum(axis=1) + towns["treasury"] + towns["supplier"] + towns["tills"].sum(axis=1)


def test_a_newcomer_comes_within_twenty_ticks_with_a_kit_and_knows_nobody() -> None:
    sim = Simulation(town(), towns=40, seed=1)
    sim.agents["wallet"][:, WHO] = 17.5
    sim.state.ties["other"][:, WHO, 0] = 5
    before, slots = money(sim), sim.agents["slot"][:, WHO].copy()
    live(sim, 1, "faint")
    assert not sim.agents["alive"][:, WHO].any()
    assert (sim.agents["wallet"][:, WHO] == 0).all()
    waited = np.zeros(40, int)
    for tick in range(1, 25):
        live(sim, 1)
        came = (sim.agents["alive"][:, WHO] > 0) & (waited == 0)
        waited[came] = tick
        newcomers = sim.agents[came, WHO]
        assert (newcomers["wallet"] == 1.5 * sim.config.economy.rent_per_day).all()
        assert (newcomers["ingredients"] == sim.config.lifecycle.arrivals.kit_ingredients).all()
        bed = sim.rules.fixtures[sim.rules.citizens[WHO]["bed"]]
        assert (newcomers["y"] == bed["y"]).all()
        assert (newcomers["x"] == bed["x"]).all()
    assert (waited.min(), waited.max()) == (5, 20)
    assert (sim.agents["person"][:, WHO] == 8).all()
    assert sim.people(0)[WHO] == "agent_9"
    assert (sim.agents["slot"][:, WHO] != slots).all()
    assert (sim.state.ties["other"][:, WHO] == NOBODY).all()
    np.testing.assert_allclose(money(sim), before, rtol=1e-12)


KEPT = {
    "reward_sum", "rent_unpaid", "ticks", "satisfied_ticks", "clipped_ticks", "scheduled_ticks", "present_ticks",
    "wages_paid", "queue_waits", "conflicts", "chats", "finished", "failed", "late_shifts", "absent_shifts",
    "no_praise_until",
}  # fmt: skip
"""Figures of the place, which go on adding up, and the guard that outlasts a death."""
DRAWN = {
    "needs", "wallet", "ingredients", "personality", "clothes", "person", "slot", "arrived_at", "moved_at", "next_near",
    "previous_near",
}  # fmt: skip
"""What each newcomer has of its own."""


def test_no_field_of_a_former_life_is_left_in_a_newcomer() -> None:
    """Whoever adds a field to a citizen has to say here, or in `begin_life`, what becomes of it."""
    sim = Simulation(town(), towns=1, seed=1)
    live(sim, 1, "faint")
    place, due = (sim.agents["y"][0, WHO], sim.agents["x"][0, WHO]), int(sim.agents["arrives_at"][0, WHO])
    for name in sim.agents.dtype.names:
        sim.agents[name][0, WHO] = 3
    sim.agents["alive"][0, WHO] = 0
    sim.agents["y"][0, WHO], sim.agents["x"][0, WHO] = place
    sim.agents["arrives_at"][0, WHO] = due
    while not sim.agents["alive"][0, WHO]:
        live(sim, 1)
    fresh = Simulation(sim.config, towns=1, seed=1).agents[0, WHO]
    left = [
        name
        for name in sim.agents.dtype.names
        if name not in KEPT | DRAWN and sim.agents[name][0, WHO].tobytes() != fresh[name].tobytes()
    ]
    assert left == []
    for name in DRAWN - {"clothes"}:
        assert not (np.atleast_1d(sim.agents[name][0, WHO]) == 3).all(), name


def test_nobody_takes_the_place_where_arrivals_are_off_or_somebody_was_killed() -> None:
    from townlet_core.core.operations import kill

    closed = Simulation(town(arrivals={"enabled": False}), towns=1, seed=1)
    live(closed, 1, "faint")
    killed = Simulation(town(), towns=1, seed=1)
    kill(killed, 0, WHO)
    for sim in (closed, killed):
        events = {kind for _, kind in live(sim, 40)}
        assert not sim.agents["alive"][0, WHO]
        assert Event.ARRIVAL not in events
    assert exits(killed) == {"killed": 1}


def hungry(**lifecycle: Any) -> TownConfig:
    """A town with much coming and going."""
    needs = {"decay_per_tick": {"hunger": 0.004, "hygiene": 0.0008, "energy": 0.0008}}
    return load_config(
        TOWN, {"needs": needs, "lifecycle": {"exits_per_day": 0, "exit_cooldown_ticks": 20, **lifecycle}}
    )


def test_a_town_of_comers_and_goers_is_the_same_alone_and_in_a_batch(at_random: Callable) -> None:
    alone = Simulation(hungry(), towns=1, seed=3, first_town=2)
    many = Simulation(hungry(), towns=5, seed=3, threads=2)
    for sim in (alone, many):
        luck = [np.random.default_rng(sim.first_town + b) for b in range(sim.shape[0])]
        for _ in range(DAY):
            drawn = np.array([each.random(sim.observation.mask.shape[1:]) for each in luck]) * sim.observation.mask
            sim.step(drawn.argmax(axis=2).astype(np.int8))
    assert alone.state.towns["people"][0] > 20
    assert alone.agents[0].tobytes() == many.agents[2].tobytes()
    assert alone.state.towns[0].tobytes() == many.state.towns[2].tobytes()


def test_saving_between_an_exit_and_an_arrival_changes_nothing(at_random: Callable, tmp_path: Path) -> None:
    sim = Simulation(hungry(), towns=2, seed=5)
    for _ in at_random(sim, 400, 1):
        if sim.state.towns["empty_places"].any():
            break
    assert sim.state.towns["empty_places"].any()
    sim.save(tmp_path / "town.snapshot")
    again = Simulation.load(tmp_path / "town.snapshot")
    for left, right in zip(at_random(sim, 300, 2), at_random(again, 300, 2), strict=True):
        assert np.array_equal(left.observation.features, right.observation.features)
    assert sim.agents.tobytes() == again.agents.tobytes()
    assert sim.state.towns["people"].max() > 10


def test_money_is_conserved_and_places_are_counted_whatever_comes_and_goes(at_random: Callable) -> None:
    sim = Simulation(hungry(), towns=4, seed=7)
    before = money(sim)
    for _ in at_random(sim, 2 * DAY, 1):
        due = (sim.agents["alive"] == 0) & (sim.agents["arrives_at"] >= 0)
        assert np.array_equal(due.sum(axis=1), sim.state.towns["empty_places"])
        pending = (sim.agents["exit_state"] > 0) & (sim.agents["alive"] > 0)
        assert np.array_equal(pending.sum(axis=1), sim.state.towns["job_exits_pending"])
        slots = np.where(sim.agents["alive"] > 0, sim.agents["slot"], -1 - np.arange(8))
        assert all(len(set(row)) == 8 for row in slots.tolist())
    np.testing.assert_allclose(money(sim), before, rtol=1e-9)
    towns = sim.state.towns
    assert np.array_equal(towns["people"] - 8, towns["exits"].sum(axis=1) - towns["empty_places"])


def one_after_another(sim: Simulation, times: int, wait: int) -> list[int]:
    """Let a citizen starve again and again; give the slots of those who came."""
    slots = []
    for _ in range(times):
        live(sim, 1, "faint")
        while not sim.agents["alive"][0, WHO]:
            live(sim, 1)
        slots.append(int(sim.agents["slot"][0, WHO]))
        live(sim, wait)
    return slots


def test_slots_are_taken_unused_first_then_rested_and_else_by_force() -> None:
    quick = {"exits_per_day": 0, "exit_cooldown_ticks": 0}
    sim = Simulation(town({"max_slots": 10, "cooldown_ticks": 100}, **quick), towns=1, seed=1)
    assert sim.agents["slot"][0].tolist() == list(range(8))
    assert one_after_another(sim, 2, 110) == [8, 9]
    assert sim.state.towns["slots_forced"][0] == 0
    assert one_after_another(sim, 1, 0) == [2], "the one freed longest ago"
    assert sim.state.towns["slots_forced"][0] == 0
    events_before = int(sim.state.towns["slots_forced"][0])
    assert one_after_another(sim, 3, 0) == [8, 9, 2]
    assert sim.state.towns["slots_forced"][0] > events_before
    assert sim.kpis()["slot_reuse"][0] == pytest.approx(sim.state.towns["slots_forced"][0] / 14)


def test_too_few_slots_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"embedding_allocator\.max_slots: 7 slots for 8 agents"):
        town({"max_slots": 7})


def test_personalities_follow_a_rotated_halton_sequence() -> None:
    sim = Simulation(town(), towns=2, seed=1)
    points = qmc.Halton(d=3, scramble=False).random(9)[1:]
    for b in range(2):
        expected = (points + sim.state.towns["trait_shift"][b, :3]) % 1.0
        np.testing.assert_allclose(sim.agents["personality"][b, :, :3], expected, atol=1e-6)
    assert not np.allclose(sim.agents["personality"][0], sim.agents["personality"][1])


def fitness_of(sim: Simulation, town: int) -> list[float]:
    """The index of each citizen, by its definition."""
    found = []
    for who in sim.agents[town]:
        lived = int(sim.state.towns["tick"][town]) - int(who["arrived_at"])
        kept = min(int(who["shifts"]), sim.config.employment.attendance_window)
        latest = [who["attendance"][(int(who["shifts"]) - 1 - back) % 14] for back in range(kept)]
        attendance = float(np.mean(latest)) if latest else 1.0
        solvency = min(float(who["wallet"]) / (2 * sim.config.economy.rent_per_day), 1.0)
        found.append((int(who["satisfied_life"]) / lived + attendance * int(who["employed"]) + solvency) / 3)
    return found


def test_the_fittest_is_taken_after_where_elitism_asks_for_it(taught: Callable) -> None:
    sim = Simulation(town(arrivals={"elitism": 1.0, "elitism_noise": 0.0}), towns=3, seed=1)
    for _ in taught(sim, DAY + 300):
        pass
    indices = [fitness_of(sim, b) for b in range(3)]
    assert sim.kpis()["fitness"] == pytest.approx(np.mean(indices, axis=1), abs=1e-5)
    for b in range(3):
        others = [value if place != WHO else -1.0 for place, value in enumerate(indices[b])]
        model = sim.agents["personality"][b, int(np.argmax(others))].copy()
        sim.agents["wallet"][b] = np.where(np.arange(8) == np.argmax(others), 1e3, sim.agents["wallet"][b])
        sim.agents["needs"][b, WHO] = 0.0
        sim.state.towns["arrival_delay"][b] = 1
        sim.step(np.zeros(sim.shape, np.int8))
        sim.step(np.zeros(sim.shape, np.int8))
        np.testing.assert_array_equal(sim.agents["personality"][b, WHO], model)


def test_places_that_are_empty_at_first_are_taken_when_the_opening_says(taught: Callable) -> None:
    config = load_config(TOWN, {"opening": {"newcomers": [30, 50]}})
    full, sim = Simulation(load_config(TOWN), towns=2, seed=4), Simulation(config, towns=2, seed=4)
    assert sim.agents["alive"].tolist() == [[1] * 6 + [0] * 2] * 2
    assert np.array_equal(sim.agents["wallet"][:, :6], full.agents["wallet"][:, :6]), "nobody else's luck changes"
    assert not sim.observation.mask[:, 6:, 1:].any()
    before, came = money(sim), []
    for _ in taught(sim, 60):
        came += [
            (int(row["tick"]) - 360, int(row["subject"])) for row in sim.events.rows if row["kind"] == Event.ARRIVAL
        ]
    assert sorted(came) == [(30, 6)] * 2 + [(50, 7)] * 2
    assert sim.people(0) == full.people(0)
    assert sim.agents["slot"][0].tolist() == list(range(8))
    assert (sim.kpis()["survival"], sim.kpis()["arrivals"] > 0) == (pytest.approx(1.0), pytest.approx(True))
    np.testing.assert_allclose(money(sim), before, rtol=1e-12)


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"opening": {"newcomers": [5] * 8}}, "leave at least one citizen there"),
        ({"opening": {"newcomers": [5]}, "lifecycle": {"enabled": False}}, "nobody comes where lifecycle"),
        ({"opening": {"newcomers": [5], "citizens": {"agent_8": {"wallet": 3.0}}}}, "comes later"),
    ],
)
def test_an_opening_that_could_not_come_true_is_refused(changes: dict[str, Any], fault: str) -> None:
    with pytest.raises(ConfigError, match=fault):
        load_config(TOWN, changes)


def test_nothing_is_praised_before_a_death_that_a_chaotic_hour_hastens() -> None:
    rewards = {"needs_scale": 0.0, "survival_tick": 0.01}
    praised = []
    for haste in (1.0, 3.0):
        sim = Simulation(load_config(TOWN, {"rewards": rewards}), towns=1, seed=1)
        sim.agents["needs"] = 1.0
        sim.agents["needs"][0, WHO, HUNGER] = 0.03 + 20 * 0.0012
        sim.state.towns["event_haste"] = haste
        sim.step(np.zeros(sim.shape, np.int8))
        terms = sim.reward_terms[0, WHO]
        praised.append(float(terms.sum() - terms[REWARD_TERMS.index("shaping")]))
    assert praised == [pytest.approx(0.01), 0.0]


def test_the_episodes_progress_ends_at_one_however_long_the_town_lives_on() -> None:
    sim = Simulation(town(), towns=1, seed=1)
    at = [feature.name for feature in sim.layout.features].index("episode_progress")
    live(sim, DAY + 5)
    assert (sim.observation.features[0, :, at] == 1.0).all()


def test_an_outage_in_the_first_minute_is_told() -> None:
    plan = {"utility": "water", "probability": 1.0, "start": [360, 360], "ticks": [5, 5]}
    sim = Simulation(load_config(TOWN, {"outages": [plan]}), towns=1, seed=1)
    assert [kind for _, kind in live(sim, 2)].count(Event.OUTAGE_BEGIN) == 1
