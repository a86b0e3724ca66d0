"""A town is a PettingZoo environment, and says the same as the engine does."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pettingzoo.test import parallel_api_test, parallel_seed_test

from townlet_core.config import TownConfig, load_config
from townlet_core.core import Simulation
from townlet_core.errors import InputError
from townlet_core.policy.env import TownletParallelEnv, Turn
from townlet_core.policy.teacher import Teacher

TOWN = Path(__file__).parents[3] / "configs" / "towns" / "default.yaml"
DAY = 1440
IDLE = 0


@pytest.fixture(scope="module")
def hungry_config() -> TownConfig:
    """A town in which whoever only idles starves within a few hours, each at a time of its own."""
    needs = {"decay_per_tick": {"hunger": 0.004, "hygiene": 0.0008, "energy": 0.0008}}
    lifecycle = {"exits_per_day": 0, "exit_cooldown_ticks": 0, "arrivals": {"enabled": False}}
    return load_config(TOWN, {"needs": needs, "lifecycle": lifecycle})


@pytest.fixture(scope="module")
def changing_config() -> TownConfig:
    """The same hungry town, where somebody else soon takes an empty place."""
    needs = {"decay_per_tick": {"hunger": 0.004, "hygiene": 0.0008, "energy": 0.0008}}
    lifecycle = {"exits_per_day": 3, "exit_cooldown_ticks": 50}
    return load_config(TOWN, {"needs": needs, "lifecycle": lifecycle})


@pytest.fixture
def env(config: TownConfig) -> TownletParallelEnv:
    return TownletParallelEnv(config, seed=3)


def all_idle(env: TownletParallelEnv) -> dict[str, int]:
    return dict.fromkeys(env.agents, IDLE)


def taught(env: TownletParallelEnv) -> dict[str, int]:
    """What the teacher would have everybody choose."""
    return dict(zip(env.sim.people(), Teacher(env.sim).act()[0].tolist(), strict=True))


def copied(seen: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {name: {key: part.copy() for key, part in parts.items()} for name, parts in seen.items()}


def same(one: dict[str, dict[str, Any]], other: dict[str, dict[str, Any]]) -> bool:
    return one.keys() == other.keys() and all(
        np.array_equal(part, other[name][key]) for name, parts in one.items() for key, part in parts.items()
    )


@pytest.mark.parametrize("which", ["config", "hungry_config", "changing_config"])
def test_it_passes_the_interface_test_without_a_warning(which: str, request: pytest.FixtureRequest) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        if which == "config":  # the newcomers who could have come did not: nobody left
            warnings.filterwarnings("ignore", "No agents present but not all possible_agents")
        parallel_api_test(TownletParallelEnv(request.getfixturevalue(which)), num_cycles=DAY + 10)


def test_it_passes_the_seed_test(config: TownConfig) -> None:
    parallel_seed_test(lambda: TownletParallelEnv(config), num_cycles=300)


def test_observations_lie_in_their_space(hungry_config: TownConfig) -> None:
    env = TownletParallelEnv(hungry_config, seed=3)
    seen, _ = env.reset(seed=3)
    for tick in range(600):
        if tick % 20 == 0 or len(seen) < len(env.possible_agents):
            assert all(env.observation_space(name).contains(parts) for name, parts in seen.items())
            assert env.state_space.contains(env.state())
        seen = env.step(all_idle(env)).observations
    assert not env.agents


def test_it_says_what_the_engine_says(env: TownletParallelEnv, config: TownConfig) -> None:
    sim = Simulation(config, seed=11)
    seen, infos = env.reset(seed=11)
    for _ in range(400):
        for i, name in enumerate(env.agents):
            assert np.array_equal(seen[name]["map"], sim.observation.map[0, i])
            assert np.array_equal(seen[name]["features"], sim.observation.features[0, i])
            assert np.array_equal(seen[name]["action_mask"], sim.observation.mask[0, i])
            assert np.array_equal(infos[name]["action_mask"], seen[name]["action_mask"])
        choices = taught(env)
        step = sim.step(np.array([list(choices.values())]))
        seen, rewards, _, _, infos = env.step(choices)
        assert list(rewards.values()) == step.reward[0].tolist()


def test_the_state_is_everybodys_features(env: TownletParallelEnv) -> None:
    seen, _ = env.reset()
    assert np.array_equal(env.state(), np.concatenate([parts["features"] for parts in seen.values()]))


def test_who_starves_is_terminated_once_and_leaves(hungry_config: TownConfig) -> None:
    env = TownletParallelEnv(hungry_config, seed=3)
    env.reset(seed=3)
    left: list[str] = []
    while env.agents:
        before = list(env.agents)
        seen, rewards, terminations, truncations, infos = env.step(all_idle(env))
        fainted = [name for name in before if terminations[name]]
        for part in (seen, rewards, terminations, truncations, infos):
            assert list(part) == before
        assert env.agents == [name for name in before if name not in fainted]
        assert not any(truncations.values())
        for name in fainted:
            assert rewards[name] < -0.5
            assert not seen[name]["map"].any()
            assert not seen[name]["features"].any()
            assert seen[name]["action_mask"].nonzero()[0].tolist() == [IDLE]
        left += fainted
    assert sorted(left) == sorted(env.possible_agents)
    assert env.sim.tick < DAY


def test_newcomers_join_under_names_of_their_own_and_nobody_comes_back(changing_config: TownConfig) -> None:
    env = TownletParallelEnv(changing_config, seed=3)
    env.reset(seed=3)
    known, gone, first_ticks = set(env.agents), set(), []
    while env.agents:
        turn = env.step(all_idle(env))
        arrived = [name for name in turn.observations if name not in known]
        for name in arrived:
            assert turn.rewards[name] == 0
            assert not turn.terminations[name]
            assert turn.observations[name]["features"].any()
        for part in turn:
            assert set(part) == set(turn.observations)
        first_ticks += [env.sim.tick] * len(arrived)
        known |= set(arrived)
        gone |= {name for name in turn.observations if turn.terminations[name]}
        assert not gone & set(env.agents)
    assert env.sim.tick == DAY, "an episode with newcomers ends by its time"
    assert len(first_ticks) == len(gone) > 0
    assert known <= set(env.possible_agents)
    assert env.step({}) == ({}, {}, {}, {}, {})


def leaving_together(tick: int) -> tuple[TownletParallelEnv, Turn]:
    """A town that everybody leaves in one tick, and what that step brings."""
    lifecycle = {"exits_per_day": 0, "exit_cooldown_ticks": 0}
    env = TownletParallelEnv(load_config(TOWN, {"lifecycle": lifecycle}))
    env.reset(seed=3)
    for _ in range(tick - 1):
        env.step(taught(env))
    env.sim.agents["needs"][:] = 0
    return env, env.step(all_idle(env))


def test_a_town_that_everybody_leaves_is_lived_in_again_when_the_step_ends() -> None:
    env, turn = leaving_together(tick=100)
    founders, newcomers = env.possible_agents[:8], env.agents
    assert newcomers
    assert not set(newcomers) & set(founders)
    assert [name for name in turn.terminations if turn.terminations[name]] == founders
    assert not any(turn.truncations.values())
    for part in turn:
        assert list(part) == [*founders, *newcomers]
    assert all(turn.rewards[name] < -0.5 for name in founders)
    assert all(turn.rewards[name] == 0 for name in newcomers)
    assert not any(turn.observations[name]["features"].any() for name in founders)
    assert all(turn.observations[name]["features"].any() for name in newcomers)
    assert 100 < env.sim.tick < 130
    assert env.step(all_idle(env)).observations.keys() >= set(newcomers)


def test_a_town_that_everybody_leaves_just_before_its_time_is_up_stays_empty() -> None:
    env, turn = leaving_together(tick=DAY - 3)
    assert all(turn.terminations.values())
    assert len(turn.terminations) == 8
    assert not any(turn.truncations.values())
    assert (env.sim.tick, env.agents) == (DAY, [])
    assert env.step({}) == ({}, {}, {}, {}, {})


def test_nobody_is_left_to_act_after_the_end(hungry_config: TownConfig) -> None:
    env = TownletParallelEnv(hungry_config, seed=3)
    env.reset()
    while env.agents:
        env.step(all_idle(env))
    assert env.step({}) == ({}, {}, {}, {}, {})


def test_who_lives_at_the_episodes_end_is_truncated(env: TownletParallelEnv) -> None:
    env.reset(seed=3)
    for _ in range(DAY - 1):
        turn = env.step(taught(env))
        assert not any(turn.truncations.values())
    assert env.agents == env.possible_agents[:8]
    turn = env.step(taught(env))
    assert all(turn.truncations.values())
    assert not any(turn.terminations.values())
    assert env.agents == []


def test_who_faints_in_the_last_tick_is_terminated_and_not_truncated(env: TownletParallelEnv) -> None:
    env.reset(seed=3)
    for _ in range(DAY - 1):
        env.step(taught(env))
    env.sim.agents[0, 2].needs[:] = 0
    turn = env.step(all_idle(env))
    fainted = [name == "agent_3" for name in env.possible_agents[:8]]
    assert list(turn.terminations.values()) == fainted
    assert list(turn.truncations.values()) == [not one for one in fainted]
    assert env.agents == []


def test_a_committed_agent_has_one_choice_and_any_other_changes_nothing(config: TownConfig) -> None:
    histories = []
    for forbidden in (False, True):
        env = TownletParallelEnv(config, seed=3)
        seen, _ = env.reset(seed=3)
        rng = np.random.default_rng(0)
        history = []
        for _ in range(300):
            choices = {}
            for name, parts in seen.items():
                legal = parts["action_mask"].nonzero()[0]
                committed = len(legal) == 1
                choices[name] = int(rng.integers(10)) if forbidden and committed else int(legal[-1])
            seen, rewards, *_ = env.step(choices)
            history.append((rewards, {name: parts["features"].tolist() for name, parts in seen.items()}))
        histories.append(history)
    assert histories[0] == histories[1]


def test_a_forbidden_choice_costs_a_free_agent_the_tick(env: TownletParallelEnv) -> None:
    """Before the shops open nobody can shop."""
    seen, _ = env.reset(seed=3)
    shop = env.sim.layout.actions.index("shop")
    barred = [name for name, parts in seen.items() if not parts["action_mask"][shop]]
    assert barred
    places = [(agent.y, agent.x) for agent in env.sim.agents[0]]
    seen = env.step(dict.fromkeys(env.agents, shop)).observations
    for i, name in enumerate(env.sim.people()):
        if name in barred:
            assert seen[name]["action_mask"].sum() > 1
            assert (env.sim.agents[0, i].y, env.sim.agents[0, i].x) == places[i]


def test_later_steps_leave_handed_out_observations_alone(env: TownletParallelEnv) -> None:
    seen, infos = env.reset(seed=3)
    kept, kept_infos = copied(seen), copied(infos)
    history = []
    for _ in range(50):
        turn = env.step(taught(env))
        history.append((turn.observations, copied(turn.observations)))
    env.reset(seed=4)
    assert same(seen, kept)
    assert same(infos, kept_infos)
    assert all(same(handed, copy) for handed, copy in history)
    assert not same(history[0][0], history[-1][0])


def test_writing_into_an_observation_does_not_reach_the_town(config: TownConfig) -> None:
    one, other = TownletParallelEnv(config), TownletParallelEnv(config)
    seen, _ = one.reset(seed=3)
    other.reset(seed=3)
    for parts in seen.values():
        for part in parts.values():
            part[...] = 1
    assert same(one.step(taught(one)).observations, other.step(taught(other)).observations)


def test_each_reset_begins_the_next_episode_and_a_seed_the_first_one(env: TownletParallelEnv) -> None:
    first, _ = env.reset(seed=3)
    second, _ = env.reset()
    assert not same(first, second)
    assert same(env.reset(options={"episode": 0})[0], first)
    assert same(env.reset()[0], second)
    assert same(env.reset(seed=3)[0], first)
    assert not same(env.reset(seed=4)[0], first)


def test_an_environment_is_the_town_of_that_number(config: TownConfig) -> None:
    sim = Simulation(config, towns=4, seed=3)
    seen, _ = TownletParallelEnv(config, seed=3, town=2).reset()
    assert np.array_equal([parts["features"] for parts in seen.values()], sim.observation.features[2])


@pytest.mark.parametrize("episode", [-1, 1.5, "two", True])
def test_an_episode_that_is_no_number_is_refused(env: TownletParallelEnv, episode: object) -> None:
    with pytest.raises(InputError, match="episode must be a whole number from 0"):
        env.reset(options={"episode": episode})


def test_a_missing_choice_is_refused_by_name(env: TownletParallelEnv) -> None:
    env.reset()
    with pytest.raises(InputError, match="no choice for 'agent_1'"):
        env.step({name: IDLE for name in env.agents if name != "agent_1"})


@pytest.mark.parametrize("action", [-1, 10, 300])
def test_a_choice_that_is_no_option_is_refused(env: TownletParallelEnv, action: int) -> None:
    env.reset()
    with pytest.raises(InputError, match=r"actions must lie in 0\.\.9"):
        env.step({**all_idle(env), "agent_2": action})


def test_an_unknown_render_mode_is_refused(config: TownConfig) -> None:
    with pytest.raises(InputError, match=r"render_mode must be one of rgb_array, ansi or None, not 'human'"):
        TownletParallelEnv(config, render_mode="human")


def test_closing_ends_the_episode(env: TownletParallelEnv) -> None:
    env.reset()
    env.close()
    assert env.agents == []
