"""Our learner beside sb3-contrib's MaskablePPO: the same towns, decisions, network width and batches; the same return.

A town of one citizen is a Markov decision process whose step is a decision: without discount, the rewards until the
next decision are that step's reward, which any learner understands. Both begin with random weights and learn from
equally many days. Run it with `pytest -m oracle` after `pip install -e '.[bench]'`; it takes some minutes.
"""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from scipy import stats

from townlet_core.config import ImprovementRules, Ramp, TownConfig, load_config
from townlet_core.core import Observation
from townlet_core.policy.network import NetworkSize, PolicyNetwork, seeded_network
from townlet_core.policy.ppo.collecting import Collector
from townlet_core.policy.ppo.towns import TrainingTowns
from townlet_core.policy.ppo.updating import Learner, Pace
from townlet_core.policy.vector import TownletVectorEnv

pytestmark = [pytest.mark.slow, pytest.mark.oracle]

TOWN = Path(__file__).parents[4] / "configs/towns/default.yaml"
TOWNS, DAYS, SEEDS, CONFIDENCE = 16, 60, 4, 0.95
DECISIONS_A_DAY = 30
WIDTH, RATE, PASSES, MINIBATCH, TRACE, CLIP, ENTROPY = 64, 1e-3, 4, 128, 0.95, 0.2, 0.01
JUDGED_TOWNS, JUDGED_SEED = 32, 999
RETURNS_VARY_BY = 4.0
"""What a clone would have measured: our value head shares the policy's trunk and answers in standard deviations."""


class Outcome(NamedTuple):
    """Mean return of a day in towns that nobody trained in, with choices drawn: before and after training."""

    before: float
    after: float


def lonely_town() -> TownConfig:
    """One citizen who perceives no map."""
    changed = {"config_id": "default-compact-1", "agents": 1, "observations": {"variant": "compact"}}
    return load_config(TOWN, changed)


class Days:
    """Towns of one citizen each, stepped from decision to decision; rewards between two decisions are summed."""

    def __init__(self, towns: int, seed: int) -> None:
        self.envs = [TownletVectorEnv(lonely_town(), 1, seed, first_town=number) for number in range(towns)]
        self.last: list[Observation | None] = [None] * towns

    def seen(self) -> tuple[np.ndarray, np.ndarray]:
        """Features [towns, f] and masks [towns, actions] of those who decide now."""
        return (
            np.stack([env.sim.observation.features[0, 0] for env in self.envs]).copy(),
            np.stack([env.mask[0, 0] for env in self.envs]).copy(),
        )

    def begin(self) -> None:
        """Live up to the first decision of each town."""
        for number in range(len(self.envs)):
            self._live(number, 0)

    def step(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Rewards, whether a life ended, and whether time was up, each [towns]."""
        told = [self._live(number, int(action)) for number, action in enumerate(actions)]
        return tuple(np.array(column) for column in zip(*told, strict=True))  # type: ignore[return-value]

    def _live(self, number: int, action: int) -> tuple[float, bool, bool]:
        env, reward, ended = self.envs[number], 0.0, (False, False)
        while True:
            step = env.step(np.array([[action]], np.int8))
            reward += float(step.reward[0, 0])
            if step.infos:
                self.last[number] = step.infos["final_obs"]
                ended = (bool(step.terminated[0, 0]), bool(step.truncated[0, 0]))
                # What comes before the first decision of a new day belongs to nobody's choice.
                while not env.decision[0, 0]:
                    env.step(np.zeros((1, 1), np.int8))
            if step.infos or env.decision[0, 0]:
                return reward, *ended


def judged(choose: Any, seed: int = JUDGED_SEED) -> float:
    """Mean return of a day; `choose` maps features and masks to probabilities [n, actions]."""
    env = TownletVectorEnv(lonely_town(), JUDGED_TOWNS, seed)
    draws, total = np.random.default_rng(seed), np.zeros(JUDGED_TOWNS)
    for _ in range(lonely_town().clock.ticks_per_day):
        mask = env.mask[:, 0].copy()
        probs = choose(env.sim.observation.features[:, 0].copy(), mask)
        reach = probs.cumsum(axis=1)
        actions = (reach <= (draws.random(JUDGED_TOWNS) * 0.999999 * reach[:, -1])[:, None]).sum(axis=1)
        total += env.step(actions[:, None].astype(np.int8)).reward[:, 0]
    return float(total.mean())


def train_ours(seed: int) -> Outcome:
    rules = ImprovementRules(
        epochs=PASSES, minibatch=MINIBATCH, trace=TRACE, clip=CLIP, target_kl=0.0, max_grad_norm=0.5, critic_warmup=0,
        learning_rate=Ramp(start=RATE, end=RATE),
    )  # fmt: skip
    towns = TrainingTowns({"lonely": lonely_town()}, TOWNS, {"lonely": seed})
    layout = towns.layout
    network = seeded_network(NetworkSize(layout.cells, len(layout.features), len(layout.actions), WIDTH, 1), seed)
    network.value_scale[1] = RETURNS_VARY_BY
    draws, shuffles = (np.random.default_rng([seed, number]) for number in (0, 1))
    collector, learner = Collector(towns, network, 1.0, draws), Learner(network, rules, 1.0, shuffles)
    before = judged(probabilities(network))
    for update in range(1, DAYS + 1):
        learner.update(
            collector.collect(lonely_town().clock.ticks_per_day).experience, Pace(update, RATE, ENTROPY, False)
        )
    return Outcome(before, judged(probabilities(network)))


def probabilities(network: PolicyNetwork) -> Any:
    def choose(features: np.ndarray, mask: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            cells = torch.zeros(len(features), 0, dtype=torch.uint8)
            logits, _ = network(cells, torch.from_numpy(features), torch.from_numpy(mask))
            return torch.softmax(logits, 1).numpy().astype(np.float64)

    return choose


def train_theirs(seed: int) -> Outcome:
    from sb3_contrib import MaskablePPO

    env = as_sb3(Days(TOWNS, seed))
    # A day has about so many decisions; both learners then learn once a day from every town.
    model = MaskablePPO(
        "MlpPolicy", env, n_steps=DECISIONS_A_DAY, batch_size=MINIBATCH, n_epochs=PASSES, gamma=1.0, gae_lambda=TRACE,
        clip_range=CLIP, ent_coef=ENTROPY, learning_rate=RATE, max_grad_norm=0.5, seed=seed, device="cpu",
        policy_kwargs={"net_arch": [WIDTH, WIDTH], "activation_fn": torch.nn.ReLU},
    )  # fmt: skip

    def choose(features: np.ndarray, mask: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            found = model.policy.get_distribution(torch.from_numpy(features), action_masks=mask)
            return found.distribution.probs.numpy().astype(np.float64)

    before = judged(choose)
    model.learn(TOWNS * DECISIONS_A_DAY * DAYS)
    return Outcome(before, judged(choose))


def as_sb3(days: Days) -> Any:
    from gymnasium import spaces
    from stable_baselines3.common.vec_env import VecEnv

    class Decisions(VecEnv):
        def __init__(self) -> None:
            days.begin()
            features, mask = days.seen()
            width = features.shape[1]
            super().__init__(len(features), spaces.Box(-np.inf, np.inf, (width,)), spaces.Discrete(mask.shape[1]))

        def reset(self) -> np.ndarray:
            return days.seen()[0]

        def step_async(self, actions: np.ndarray) -> None:
            self.actions = actions

        def step_wait(self) -> Any:
            reward, died, late = days.step(self.actions)
            infos: list[dict[str, Any]] = [{} for _ in reward]
            for number in np.flatnonzero(died | late):
                last = days.last[number]
                assert last is not None
                infos[number] = {
                    "terminal_observation": last.features[0, 0],
                    "TimeLimit.truncated": bool(late[number]),
                }
            return days.seen()[0], reward.astype(np.float32), died | late, infos

        def env_method(self, method_name: str, *args: Any, indices: Any = None, **kwargs: Any) -> list[Any]:
            return list(days.seen()[1])

        def has_attr(self, attr_name: str) -> bool:
            return attr_name == "action_masks"

        def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
            return [None] * self.num_envs

        def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None: ...

        def env_is_wrapped(self, wrapper_class: Any, indices: Any = None) -> list[bool]:
            return [False] * self.num_envs

        def close(self) -> None: ...

    return Decisions()


def test_both_learners_end_at_the_same_return() -> None:
    pytest.importorskip("sb3_contrib", reason="install the extra `bench`")
    ours, theirs = ([train(seed) for seed in range(1, SEEDS + 1)] for train in (train_ours, train_theirs))
    for told in (ours, theirs):
        assert all(one.after > one.before + 1.0 for one in told), f"did not learn: {told}"
    found, wanted = (np.array([one.after for one in told]) for told in (ours, theirs))
    gap = stats.ttest_ind(found, wanted, equal_var=False).confidence_interval(CONFIDENCE)
    assert gap.high - gap.low < 2.0, f"tells nothing: ours {found}, theirs {wanted}"
    assert gap.low <= 0.0 <= gap.high, f"ours {found}, theirs {wanted}"
