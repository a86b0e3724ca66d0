"""Whole-loop speed of PPO against sb3-contrib's MaskablePPO: same towns, layers of the same width, same batch sizes.

Both learners live in the same number of towns and go through their rows with the same number of passes and the same
minibatch, on one torch thread. MaskablePPO knows no forced ticks, so each agent-step is a row of its rollout; ours
learns from decisions, of which there is one in some forty agent-steps. Three figures are therefore told for each:
agent-steps lived per second, which is what a training takes; rows learnt per second of the whole loop, in which ours
has lived through all the forced ticks between them; and rows per second of the update alone, which is equal work for
both. Times are processor times.
Needs the extra `bench` (pip install -e '.[bench]'); without it only our figures are printed.
"""

import argparse
import importlib.util
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from townlet_core.config import ImprovementRules, TownConfig, load_config
from townlet_core.policy.network import NetworkSize, seeded_network
from townlet_core.policy.ppo.collecting import Collector
from townlet_core.policy.ppo.towns import TrainingTowns
from townlet_core.policy.ppo.updating import Learner, pace_at
from townlet_core.policy.vector import TownletVectorEnv

TOWN = Path(__file__).resolve().parents[2] / "configs/towns/default.yaml"
WIDTH, EPOCHS, MINIBATCH, TOWNS = 128, 4, 1024, 64
TICKS, SB3_TICKS = 720, 32
SEED, DISCOUNT = 7, 0.998
WANTED = 1.4


class Rate(NamedTuple):
    """A learner: its name; agent-steps lived and rows learnt per second of the loop; rows per second of the update.

    All are seconds of processor time; a row counts once, however many passes there are.
    """

    name: str
    steps: float
    rows: float
    updated: float


def measure_ours(config: TownConfig, updates: int) -> Rate:
    """Our loop: rollouts of 720 ticks, learning from decisions."""
    rules = ImprovementRules(
        towns=TOWNS,
        ticks=TICKS,
        updates=updates + 1,
        epochs=EPOCHS,
        minibatch=MINIBATCH,
        target_kl=0.0,
        critic_warmup=0,
    )
    towns = TrainingTowns({"default": config}, TOWNS, {"default": SEED})
    layout = towns.layout
    size = NetworkSize(layout.cells, len(layout.features), len(layout.actions), WIDTH, WIDTH)
    network, stream = seeded_network(size, SEED), np.random.default_rng(SEED)
    collector, learner = Collector(towns, network, DISCOUNT, stream), Learner(network, rules, DISCOUNT, stream)
    learner.update(collector.collect(TICKS).experience, pace_at(rules, 1))
    rows, updating, start = 0, 0.0, time.process_time()
    for update in range(2, updates + 2):
        experience = collector.collect(TICKS).experience
        before = time.process_time()
        learner.update(experience, pace_at(rules, update))
        updating += time.process_time() - before
        rows += experience.size
    spent = time.process_time() - start
    return Rate("townlet", towns.rows * TICKS * updates / spent, rows / spent, rows / updating)


def measure_sb3(config: TownConfig, updates: int) -> Rate:
    """MaskablePPO with separate actor and critic of two layers each, as its default policy has them."""
    from sb3_contrib import MaskablePPO

    updating: list[float] = []

    class Timed(MaskablePPO):
        """The same learner; its updates are timed."""

        def train(self) -> None:
            before = time.process_time()
            super().train()
            updating.append(time.process_time() - before)

    env = as_sb3(config)
    model = Timed(
        "MlpPolicy",
        env,
        n_steps=SB3_TICKS,
        batch_size=MINIBATCH,
        n_epochs=EPOCHS,
        gamma=DISCOUNT,
        policy_kwargs={"net_arch": [WIDTH, WIDTH]},
        seed=SEED,
        device="cpu",
    )
    size = env.num_envs * SB3_TICKS
    model.learn(size)
    start = time.process_time()
    model.learn(size * updates, reset_num_timesteps=False)
    rate = size * updates / (time.process_time() - start)
    return Rate("sb3-contrib", rate, rate, size * updates / sum(updating[1:]))


def as_sb3(config: TownConfig) -> Any:
    """The same towns as a stable-baselines vector environment: one environment per citizen, one flat vector each."""
    from gymnasium import spaces
    from stable_baselines3.common.vec_env import VecEnv

    class Citizens(VecEnv):
        """Every citizen of every town is an environment; the dead idle until their town begins anew."""

        def __init__(self) -> None:
            self.towns = TownletVectorEnv(config, TOWNS, SEED)
            layout, self.count = self.towns.sim.layout, int(np.prod(self.towns.shape))
            width = layout.cells + len(layout.features)
            self.actions = np.zeros(self.towns.shape, np.int8)
            super().__init__(self.count, spaces.Box(-np.inf, np.inf, (width,)), spaces.Discrete(len(layout.actions)))

        def observe(self) -> np.ndarray:
            seen = self.towns.sim.observation
            cells = seen.map.reshape(self.count, -1).astype(np.float32) / 255
            return np.concatenate((cells, seen.features.reshape(self.count, -1)), axis=1)

        def reset(self) -> np.ndarray:
            self.towns.reset()
            return self.observe()

        def step_async(self, actions: np.ndarray) -> None:
            self.actions = actions.reshape(self.towns.shape).astype(np.int8)

        def step_wait(self) -> Any:
            step = self.towns.step(self.actions)
            done = (step.terminated | step.truncated).reshape(-1)
            seen = self.observe()
            infos: list[dict[str, Any]] = [{} for _ in range(self.count)]
            for index in np.flatnonzero(done):
                infos[index] = {"terminal_observation": seen[index]}
            return seen, step.reward.reshape(-1), done, infos

        def env_method(self, method_name: str, *args: Any, indices: Any = None, **kwargs: Any) -> list[Any]:
            return list(self.towns.mask.reshape(self.count, -1))

        def has_attr(self, attr_name: str) -> bool:
            return attr_name == "action_masks"

        def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
            return [None] * self.count

        def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None: ...

        def env_is_wrapped(self, wrapper_class: Any, indices: Any = None) -> list[bool]:
            return [False] * self.count

        def close(self) -> None:
            self.towns.close()

    return Citizens()


def main() -> None:
    """Measure both and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--updates", type=int, default=6, help="updates that are timed, after one that is not")
    options = parser.parse_args()
    torch.set_num_threads(1)
    config = load_config(TOWN)
    rates = [measure_ours(config, options.updates)]
    if importlib.util.find_spec("sb3_contrib") is None:
        print("ppo: sb3-contrib is not installed, so there is nothing to compare with; pip install -e '.[bench]'")
    else:
        rates.append(measure_sb3(config, options.updates))
    print(f"{'learner':<14} {'agent-steps':>14} {'rows learnt':>14} {'rows, update':>14}")
    for one in rates:
        print(f"{one.name:<14} {one.steps:>12,.0f}/s {one.rows:>12,.0f}/s {one.updated:>12,.0f}/s")
    if len(rates) == 2:
        whole, rows, updated = (ours / theirs for ours, theirs in zip(rates[0][1:], rates[1][1:], strict=True))
        print(f"{'ratio':<14} {whole:>13.2f}× {rows:>13.2f}× {updated:>13.2f}×")
        print(f"whole loop: {whole:.2f}× sb3-contrib's agent-steps per second; wanted are {WANTED:.1f}×")


if __name__ == "__main__":
    main()
