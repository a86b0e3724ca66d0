"""The town is liveable: people eat, work, pay and get by, and money is neither made nor lost."""

from collections.abc import Callable

import numpy as np
import pytest

from townlet_core.config import TownConfig
from townlet_core.core import Simulation, kpi_meaning
from townlet_core.core.kpis import KPI_MEANINGS
from townlet_core.errors import InputError
from townlet_core.world.events import Event
from townlet_core.world.state import EXIT_NAMES, REWARD_TERMS


def money(sim: Simulation) -> np.ndarray:
    towns = sim.state.towns
    return sim.agents["wallet"].sum(axis=1) + towns["treasury"] + towns["supplier"] + towns["tills"].sum(axis=1)


def test_nobody_starves_in_thirty_days_of_twenty_towns(config: TownConfig, taught: Callable) -> None:
    sim = Simulation(config, towns=20, seed=1)
    for _ in taught(sim, 30 * config.clock.ticks_per_day):
        pass
    figures = {name: values.mean() for name, values in sim.kpis().items()}
    assert figures["survival"] == 1.0
    assert figures["attendance"] > 0.9
    assert figures["needs_ok_share"] > 0.8
    assert figures["clipped_share"] < 0.05
    assert figures["rent_unpaid"] == 0.0
    assert all(figures[name] > 0 for name in figures if name.startswith("uses_"))
    assert sim.events_dropped == 0


@pytest.mark.parametrize("name", ["one_shower", "stove_outage", "low_money"])
def test_the_teacher_copes_with_every_scenario(scenario_config: Callable, taught: Callable, name: str) -> None:
    sim = Simulation(scenario_config(name), towns=20, seed=1)
    for _ in taught(sim, 5 * 1440):
        pass
    deaths = [EXIT_NAMES.index(reason) for reason in ("faint", "collapse", "exposure")]
    assert sim.state.towns["exits"][:, deaths].sum() == 0
    assert sim.kpis()["survival"].mean() > 0.97


@pytest.mark.parametrize("name", ["ordinary_day", "stove_outage", "low_money"])
def test_money_is_conserved_whatever_people_do(scenario_config: Callable, at_random: Callable, name: str) -> None:
    sim = Simulation(scenario_config(name), towns=6, seed=9)
    before = money(sim)
    for _ in at_random(sim, 3 * 1440, 1):
        assert (sim.agents["wallet"] >= 0).all()
    assert (sim.agents["wages_paid"] > 0).any()
    np.testing.assert_allclose(money(sim), before, rtol=1e-9)


def test_an_empty_treasury_withholds_wages(config: TownConfig, taught: Callable) -> None:
    poor = config.model_copy(update={"economy": config.economy.model_copy(update={"treasury": 1.0})})
    sim = Simulation(poor, towns=2, seed=1)
    for _ in taught(sim, 900):
        assert (sim.state.towns["treasury"] >= 0).all()
    assert sim.agents["wages_withheld"].sum() > 0


def test_a_stove_outage_stops_cooking_until_the_power_is_back(scenario_config: Callable, taught: Callable) -> None:
    sim = Simulation(scenario_config("stove_outage"), towns=80, seed=5)
    cook = sim.names.affordances.index("cook_meal")
    dark, failed, lengths = np.zeros(80, int), 0, []
    for step in taught(sim, 1440):
        out = sim.state.towns["utilities"][:, 0] == 0
        rows = step.events.rows
        for row in rows[rows["other"] == cook]:
            assert not (row["kind"] == Event.AFFORDANCE_START and out[row["town"]])
            failed += row["kind"] == Event.AFFORDANCE_FAIL
        lengths += list(dark[(dark > 0) & ~out])
        dark = np.where(out, dark + 1, 0)
    assert len(lengths) == 80
    assert all(180 <= length <= 480 for length in lengths)
    assert failed > 0, "no outage caught anybody cooking"


def test_wages_follow_presence_and_shifts_come_every_day(config: TownConfig, taught: Callable) -> None:
    sim = Simulation(config, towns=4, seed=1)
    for _ in taught(sim, 4 * 1440):
        pass
    agents, wage = sim.agents, sim.rules.citizens["wage"]
    np.testing.assert_allclose(agents["wages_paid"], agents["present_ticks"] * wage, rtol=1e-9)
    assert (agents["shifts"] == 4).all()
    length = sim.rules.citizens["shift_end"] - sim.rules.citizens["shift_start"]
    assert (agents["scheduled_ticks"] == 4 * length).all()


def test_who_never_works_is_absent_and_pays_for_it(unsheltered: TownConfig) -> None:
    sim = Simulation(unsheltered, towns=1, seed=1)
    seen = []
    for _ in range(1000):
        seen += list(sim.step(np.zeros(sim.shape, np.int8)).events.rows["kind"])
    assert seen.count(Event.SHIFT_ABSENT) == 8
    assert seen.count(Event.SHIFT_ON_TIME) == 0
    assert (sim.agents["wages_withheld"] > 0).all()


def test_who_never_eats_faints_and_leaves_the_map(unsheltered: TownConfig) -> None:
    sim = Simulation(unsheltered, towns=2, seed=1)
    faints, rewards = 0, []
    for _ in range(1000):
        step = sim.step(np.zeros(sim.shape, np.int8))
        faints += int(step.terminated.sum())
        rewards += list(step.reward[step.terminated])
    assert faints == 16
    assert max(rewards) <= unsheltered.rewards.faint_penalty
    assert (sim.state.occupancy == -1).all()
    assert not sim.decision.any()


def test_the_terms_of_a_reward_add_up_to_it(config: TownConfig, at_random: Callable) -> None:
    sim = Simulation(config, towns=6, seed=1)
    for step in at_random(sim, 1440, 2):
        np.testing.assert_allclose(sim.reward_terms.sum(axis=-1), step.reward, atol=1e-6)


def test_the_clip_bounds_everyday_rewards_and_says_whose_it_cut(config: TownConfig, at_random: Callable) -> None:
    clip = config.rewards.clip.model_copy(update={"clip_per_tick": 0.01})
    rewards = config.rewards.model_copy(update={"clip": clip})
    sim = Simulation(config.model_copy(update={"rewards": rewards}), towns=6, seed=1)
    terminal, cut = REWARD_TERMS.index("terminal"), 0
    for step in at_random(sim, 720, 2):
        everyday = step.reward - sim.reward_terms[..., terminal]
        assert (np.abs(everyday) <= 0.01 + 1e-6).all()
        cut += int(sim.clipped.sum())
    assert cut > 0
    assert sim.kpis()["clipped_share"].mean() > 0


def test_a_committed_agent_has_one_choice_and_keeps_it(config: TownConfig, at_random: Callable) -> None:
    sim = Simulation(config, towns=6, seed=1)
    for _ in at_random(sim, 600, 3):
        committed = sim.agents["committed"].astype(bool)
        masks = sim.observation.mask
        assert (masks[committed].sum(axis=-1) == 1).all()
        assert masks[committed, sim.agents["option"][committed]].all()
        assert masks.any(axis=-1).all()


@pytest.mark.parametrize(
    ("actions", "complaint"),
    [(np.zeros((1, 3), np.int8), "expected \\(1, 8\\)"), (np.full((1, 8), 10), "must lie in 0..9")],
)
def test_impossible_actions_are_refused(config: TownConfig, actions: np.ndarray, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        Simulation(config).step(actions)


def test_nothing_is_praised_shortly_before_a_death(unsheltered: TownConfig) -> None:
    sim = Simulation(unsheltered, towns=8, seed=1)
    window = unsheltered.rewards.clip.no_positive_within_death_ticks
    rewards, deaths = [], np.full(sim.shape, -1)
    for tick in range(900):
        step = sim.step(np.zeros(sim.shape, np.int8))
        rewards.append(step.reward.copy())
        deaths[step.terminated] = tick
    last = [rewards[deaths[where] - back][where] for where in np.ndindex(sim.shape) for back in range(window)]
    assert (deaths > 0).all()
    assert max(last) <= 0
    assert max(float(reward.max()) for reward in rewards) > 0


def test_a_cooldown_sends_the_last_user_elsewhere(config: TownConfig, taught: Callable) -> None:
    patient = config.model_copy(update={"queues": config.queues.model_copy(update={"cooldown_ticks": 300})})
    sim = Simulation(patient, towns=4, seed=1)
    last: dict[tuple[int, int], tuple[int, int]] = {}
    again = []
    public = (sim.rules.fixtures["home"] < 0) & (sim.rules.fixtures["owner"] < 0)
    for step in taught(sim, 4 * 1440):
        for row in step.events.rows[np.isin(step.events.rows["object"], np.flatnonzero(public))]:
            who, what = (int(row["town"]), int(row["subject"])), int(row["object"])
            if row["kind"] == Event.AFFORDANCE_START and last.get(who, (-1, 0))[0] == what:
                again.append(int(row["tick"]) - last[who][1])
            elif row["kind"] == Event.AFFORDANCE_FINISH:
                last[who] = (what, int(row["tick"]))
    assert again
    assert min(again) >= 300


def test_every_key_figure_says_what_it_is_and_nothing_else_does(config: TownConfig) -> None:
    figures = Simulation(config, towns=1, seed=1).kpis()
    assert [name for name in figures if kpi_meaning(name) is None] == []
    assert set(KPI_MEANINGS) < set(figures)
    assert kpi_meaning("window") is None
