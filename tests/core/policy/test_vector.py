"""A batch of towns to train on: episodes follow one another, and no town feels its neighbours or the threads."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from gymnasium.vector import AutoresetMode

from townlet_core.config import TownConfig, load_config
from townlet_core.core import Simulation
from townlet_core.errors import InputError
from townlet_core.policy.teacher import Teacher
from townlet_core.policy.vector import TownletVectorEnv, VectorStep

TOWN = Path(__file__).parents[3] / "configs" / "towns" / "default.yaml"
DAY = 1440
STARVING_TICKS = 700


@pytest.fixture(scope="module")
def hungry_config() -> TownConfig:
    """A town that dies out within hours when all idle, each town and episode at a time of its own."""
    needs = {"decay_per_tick": {"hunger": 0.006, "hygiene": 0.0008, "energy": 0.0008}}
    lifecycle = {"exits_per_day": 0, "exit_cooldown_ticks": 0, "arrivals": {"enabled": False}}
    return load_config(TOWN, {"needs": needs, "lifecycle": lifecycle, "economy": {"rent_per_day": 0.1}})


class Wanderers:
    """Legal choices drawn at random, with luck that belongs to each town's number."""

    def __init__(self, env: TownletVectorEnv) -> None:
        self.luck = [np.random.default_rng(env.sim.first_town + town) for town in range(env.shape[0])]

    def act(self, env: TownletVectorEnv) -> npt.NDArray[np.int8]:
        drawn = np.array([luck.random(env.mask.shape[1:]) for luck in self.luck])
        return (drawn * env.mask).argmax(axis=2).astype(np.int8)


def idling(env: TownletVectorEnv, ticks: int) -> Iterator[VectorStep]:
    for _ in range(ticks):
        yield env.step(np.zeros(env.shape, np.int8))


def told(env: TownletVectorEnv, step: VectorStep, town: int) -> tuple[bytes, ...]:
    """Everything that a step tells of one town, its ended episode included."""
    parts = [*step.observation, step.reward, step.terminated, step.truncated, env.decision, env.alive, env.episodes]
    words = [part[town].tobytes() for part in parts]
    if step.infos and step.infos["_final_obs"][town]:
        row = int(step.infos["_final_obs"][:town].sum())
        finals = [*step.infos["final_obs"], *step.infos["final_info"].values()]
        words += [part[row].tobytes() for part in finals]
    return tuple(words)


def history(env: TownletVectorEnv, town: int, ticks: int = STARVING_TICKS) -> tuple[list[tuple[bytes, ...]], int]:
    """What a town tells while its citizens wander, and how many episodes it has begun by the end."""
    wanderers = Wanderers(env)
    words = [told(env, env.step(wanderers.act(env)), town) for _ in range(ticks)]
    return words, int(env.episodes[town])


@pytest.mark.parametrize("town", [0, 3, 6])
def test_episodes_are_the_same_in_every_batch(hungry_config: TownConfig, town: int) -> None:
    among, begun = history(TownletVectorEnv(hungry_config, towns=7, seed=3), town)
    alone, _ = history(TownletVectorEnv(hungry_config, towns=1, seed=3, first_town=town), 0)
    assert begun >= 1
    assert alone == among


@pytest.mark.parametrize("town", [1, 4])
def test_episodes_are_the_same_on_every_number_of_threads(hungry_config: TownConfig, town: int) -> None:
    one, begun = history(TownletVectorEnv(hungry_config, towns=5, seed=3), town)
    two, _ = history(TownletVectorEnv(hungry_config, towns=5, seed=3, threads=2), town)
    assert begun >= 1
    assert one == two


def test_towns_begin_anew_at_times_of_their_own(hungry_config: TownConfig) -> None:
    env = TownletVectorEnv(hungry_config, towns=5, seed=3)
    ends = [step.infos["_final_obs"] for step in idling(env, STARVING_TICKS) if step.infos]
    assert len(ends) > 5
    assert all(end.any() and not end.all() for end in ends)
    assert np.array_equal(np.sum(ends, axis=0), env.episodes)


def test_a_town_whose_citizens_have_all_fainted_begins_its_next_episode_at_once(hungry_config: TownConfig) -> None:
    env, sim = TownletVectorEnv(hungry_config, towns=3, seed=3), Simulation(hungry_config, 3, seed=3)
    alive = env.alive
    for step in idling(env, DAY):
        before = alive & ~sim.step(np.zeros(sim.shape, np.int8)).terminated
        if step.infos:
            break
        alive = before
    (town,) = np.flatnonzero(step.infos["_final_obs"])
    assert step.terminated[town].any()
    assert not before[town].any()
    assert not step.truncated[town].any()
    assert env.alive[town].all()
    assert env.episodes.tolist() == [int(other == town) for other in range(3)]
    following = Simulation(hungry_config, 1, seed=3, first_town=int(town))
    first = following.reset_towns(np.ones(1, np.bool_), np.ones(1, np.int64))
    for handed, fresh, old, last in zip(step.observation, first, sim.observation, step.infos["final_obs"], strict=True):
        assert np.array_equal(handed[town], fresh[0])
        assert np.array_equal(last[0], old[town])
    assert step.infos["final_info"]["length"].tolist() == [sim.tick]
    assert step.infos["final_info"]["survival"].tolist() == [0.0]
    assert step.infos["final_info"]["episode"].tolist() == [0]


def test_the_end_of_the_day_truncates_those_who_live(config: TownConfig) -> None:
    env, sim = TownletVectorEnv(config, towns=2, seed=3), Simulation(config, 2, seed=3)
    teacher = Teacher(sim)
    for _ in range(DAY - 1):
        actions = teacher.act()
        sim.step(actions)
        step = env.step(actions)
        assert not step.truncated.any()
        assert step.infos == {}
    actions = teacher.act()
    lived, step = sim.step(actions), env.step(actions)
    assert step.truncated.all()
    assert not step.terminated.any()
    assert np.array_equal(step.reward, lived.reward)
    assert step.reward.any()
    for last, old in zip(step.infos["final_obs"], lived.observation, strict=True):
        assert np.array_equal(last, old)
    figures = step.infos["final_info"]
    assert {name: values.tolist() for name, values in sim.kpis().items()} == {
        name: values.tolist() for name, values in figures.items() if name not in ("episode", "length")
    }
    assert figures["length"].tolist() == [DAY, DAY]
    assert env.episodes.tolist() == [1, 1]
    assert env.sim.tick == 0


def test_who_fainted_before_the_end_of_the_day_is_not_truncated(config: TownConfig) -> None:
    """One town, in which only the first citizen never eats."""
    needs = {"decay_per_tick": {"hunger": 0.0012, "hygiene": 0.0008, "energy": 0.0008}, "starvation_threshold": 0.1}
    nobody = {"arrivals": {"enabled": False}}
    env = TownletVectorEnv(load_config(TOWN, {"needs": needs, "lifecycle": nobody}), towns=1, seed=3)
    teacher = Teacher(env.sim)
    fainted = 0
    for _ in range(DAY):
        actions = teacher.act()
        actions[0, 0] = 0
        step = env.step(actions)
        fainted += step.terminated[0]
        if fainted[0] and not step.infos:
            assert not env.alive[0, 0]
            assert not env.decision[0, 0]
            assert step.terminated[0, 0] or step.reward[0, 0] == 0
    assert fainted.tolist() == [1, 0, 0, 0, 0, 0, 0, 0]
    assert step.truncated[0].tolist() == [False, True, True, True, True, True, True, True]


def test_a_row_takes_a_newcomer_whose_life_is_told_apart(config: TownConfig) -> None:
    env = TownletVectorEnv(load_config(TOWN, {"clock": {"episode_days": 2}}), towns=4, seed=3)
    env.sim.agents["needs"][:, 5] = 0.02
    flag = [spec.name for spec in env.sim.layout.features].index("ctx_reset_flag")
    (step,) = idling(env, 1)
    assert step.terminated[:, 5].all()
    assert not env.alive[:, 5].any()
    empty = np.zeros(4, int)
    for step in idling(env, 25):
        came = env.alive[:, 5] & (empty >= 0)
        assert (env.people[came, 5] == 8).all()
        assert (step.observation.features[came, 5, flag] == 1).all()
        assert (step.reward[:, 5][came] == 0).all()
        empty = np.where(came, -1, np.where(env.alive[:, 5], empty, empty + 1))
    assert (empty == -1).all()
    assert step.infos == {}


def test_who_faints_in_the_last_tick_is_terminated_and_not_truncated(config: TownConfig) -> None:
    env = TownletVectorEnv(config, towns=2, seed=3)
    teacher = Teacher(env.sim)
    for _ in range(DAY - 1):
        env.step(teacher.act())
    env.sim.agents[1, 2].needs[:] = 0
    step = env.step(teacher.act())
    fainted = np.arange(16).reshape(2, 8) == 10
    assert np.array_equal(step.terminated, fainted)
    assert np.array_equal(step.truncated, ~fainted)


def test_rewards_and_ends_stay_as_they_were_handed_out(hungry_config: TownConfig) -> None:
    env = TownletVectorEnv(hungry_config, towns=3, seed=3)
    kept = []
    for step in idling(env, 400):
        ended = step.infos.get("final_obs", ())
        parts = (step.reward, step.terminated, step.truncated, step.events.log, step.events.counts, *ended)
        kept.append((parts, [part.copy() for part in parts]))
    assert env.episodes.any()
    assert any(parts[3].size for parts, _ in kept)
    assert all(np.array_equal(one, other) for parts, copies in kept for one, other in zip(parts, copies, strict=True))


def test_decisions_are_the_ticks_with_more_than_one_choice(config: TownConfig) -> None:
    env = TownletVectorEnv(config, towns=4, seed=3)
    wanderers = Wanderers(env)
    shares = []
    for _ in range(100):
        assert np.array_equal(env.decision, env.mask.sum(axis=2) > 1)
        shares.append(env.decision.mean())
        env.step(wanderers.act(env))
    assert shares[0] == 1
    assert 0 < np.mean(shares) < 0.5


def test_a_reset_begins_the_run_again_and_a_seed_another_one(hungry_config: TownConfig) -> None:
    env = TownletVectorEnv(hungry_config, towns=3, seed=3)
    first = env.sim.observation.features.copy()
    for _ in idling(env, 400):
        pass
    assert env.episodes.any()
    observation, infos = env.reset()
    assert np.array_equal(observation.features, first)
    assert infos == {}
    assert not env.episodes.any()
    assert not np.array_equal(env.reset(seed=4)[0].features, first)


def test_spaces_are_those_of_one_agent(config: TownConfig) -> None:
    env = TownletVectorEnv(config, towns=2)
    seen = env.sim.observation
    assert env.metadata["autoreset_mode"] is AutoresetMode.SAME_STEP
    assert env.num_envs == 2
    assert env.single_action_space.n == env.mask.shape[2]
    one = {"map": seen.map[1, 2], "features": seen.features[1, 2], "action_mask": seen.mask[1, 2].astype(np.int8)}
    assert env.single_observation_space.contains(one)


@pytest.mark.parametrize(("towns", "threads"), [(0, 1), (1, 0)])
def test_no_town_or_no_thread_is_refused(config: TownConfig, towns: int, threads: int) -> None:
    with pytest.raises(InputError, match="towns and threads must be at least 1"):
        TownletVectorEnv(config, towns=towns, threads=threads)


def test_actions_of_another_shape_are_refused(config: TownConfig) -> None:
    env = TownletVectorEnv(config, towns=2)
    with pytest.raises(InputError, match=r"expected \(2, 8\) \(towns, agents\)"):
        env.step(np.zeros((8, 2), np.int8))


def test_after_closing_the_threads_are_gone(config: TownConfig) -> None:
    env = TownletVectorEnv(config, towns=2, threads=2)
    env.close()
    with pytest.raises(RuntimeError, match="after shutdown"):
        env.step(np.zeros(env.shape, np.int8))
