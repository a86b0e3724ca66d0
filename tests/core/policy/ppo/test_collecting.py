"""Collected decisions against a plain record of every tick: spans, rewards, lives, and what outlives a rollout."""

from collections import defaultdict
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch

from tests.core.policy.ppo.small_training import TOWN, small_start
from townlet_core.config import OPTION_NAMES, TownConfig, load_config
from townlet_core.policy.network import PolicyNetwork, network_from
from townlet_core.policy.ppo.collecting import Collector, Costs, Rollout
from townlet_core.policy.ppo.towns import TrainingTowns
from townlet_core.world.events import Event

DISCOUNT = 0.97
LIFE_COST, DISTRESS_COST, ABSENCE_COST, FLOOR = 3.0, 0.5, 2.0, np.float32(0.15)
HARSH = {"decay_per_tick": {"hunger": 0.0025, "hygiene": 0.0008, "energy": 0.0008}}


class Moment(NamedTuple):
    """One tick as somebody who stands beside writes it down."""

    decides: np.ndarray
    reward: np.ndarray
    terminated: np.ndarray
    hungry: np.ndarray
    exhausted: np.ndarray
    missed: np.ndarray
    ended: set[int]


class Watched(TrainingTowns):
    """Towns that write down every tick."""

    def __init__(self, config: TownConfig, towns: int, seed: int) -> None:
        super().__init__({"one": config, "two": config}, towns, {"one": seed, "two": seed + 1})
        self.moments: list[Moment] = []

    def step(self, actions: np.ndarray) -> Any:
        decides = self.decides.copy()
        tick = super().step(actions)
        needs = np.concatenate([env.sim.agents["needs"].reshape(-1, 3) for env in self.envs])
        alive = np.concatenate([env.sim.agents["alive"].reshape(-1) for env in self.envs])
        ended = set(tick.ended.tolist())
        missed = np.concatenate([self._missed(env) for env in self.envs])
        hungry, exhausted = (needs[:, 0] < FLOOR) & (alive == 1), (needs[:, 2] == 0.0) & (alive == 1)
        reward, terminated = tick.reward.copy(), tick.terminated.copy()
        self.moments.append(Moment(decides, reward, terminated, hungry, exhausted, missed, ended))
        return tick

    @staticmethod
    def _missed(env: Any) -> np.ndarray:
        """Whom the tick's events say to be absent, or gone for longer than one may; to leave a bit early is no miss."""
        rows, missed = env.sim.events.rows, np.zeros(env.shape, np.bool_)
        gone = (rows["kind"] == Event.SHIFT_DEPARTED_EARLY) & (rows["value"] > env.sim.config.employment.absence_slack)
        for row in rows[gone | (rows["kind"] == Event.SHIFT_ABSENT)]:
            missed[row["town"], row["subject"]] = True
        return missed.reshape(-1)


def lived(network: PolicyNetwork, rollouts: list[int]) -> tuple[Watched, list[Rollout], Collector]:
    config = load_config(TOWN, {"observations": {"local_window": 5}, "needs": HARSH, "economy": {"rent_per_day": 0.1}})
    towns = Watched(config, 2, 11)
    costs = Costs(LIFE_COST, DISTRESS_COST, ABSENCE_COST)
    collector = Collector(towns, network, DISCOUNT, np.random.default_rng(5), costs=costs)
    with torch.inference_mode():
        return towns, [collector.collect(ticks) for ticks in rollouts], collector


@pytest.fixture(scope="module", params=[0, 8], ids=["forgetful", "mindful"])
def harsh_life(request: pytest.FixtureRequest) -> tuple[Watched, list[Rollout], Collector]:
    """Two days in hungry towns, in rollouts of unequal length, with a policy that knows nothing."""
    return lived(network_from(small_start(request.param).tensors), [700, 333, 900, 1000])


def spans_by_hand(moments: list[Moment], rows: int) -> dict[int, list[tuple[float, int, str]]]:
    """Per row, its finished decisions: discounted reward, ticks, and what finished it."""
    found: dict[int, list[tuple[float, int, str]]] = defaultdict(list)
    for row in range(rows):
        reward, ticks = None, 0
        for moment in moments:
            if moment.decides[row]:
                if reward is not None:
                    found[row].append((reward, ticks, "decision"))
                reward, ticks = 0.0, 0
            if reward is None:
                continue
            charge = LIFE_COST * moment.terminated[row] + DISTRESS_COST * (moment.hungry[row] or moment.exhausted[row])
            charge += ABSENCE_COST * moment.missed[row]
            reward += DISCOUNT**ticks * (float(moment.reward[row]) - charge)
            ticks += 1
            if moment.terminated[row] or row in moment.ended:
                found[row].append((reward, ticks, "death" if moment.terminated[row] else "end"))
                reward = None
    return found


def test_every_span_is_what_a_plain_loop_over_the_ticks_gives(
    harsh_life: tuple[Watched, list[Rollout], Collector],
) -> None:
    towns, rollouts, _ = harsh_life
    wanted = spans_by_hand(towns.moments, towns.rows)
    assert {how for spans in wanted.values() for _, _, how in spans} == {"decision", "death", "end"}
    assert any((moment.hungry & ~moment.exhausted).any() for moment in towns.moments)
    assert any((moment.exhausted & ~moment.hungry).any() for moment in towns.moments)
    assert any(moment.missed.any() for moment in towns.moments)
    found: dict[int, list[tuple[float, int]]] = defaultdict(list)
    for rollout in rollouts:
        spans, rows = rollout.experience.spans, rollout.experience.decided.row
        for place, row in enumerate(rows.tolist()):
            found[row].append((float(spans.reward[place]), int(spans.ticks[place])))
    assert {row: len(spans) for row, spans in found.items()} == {row: len(spans) for row, spans in wanted.items()}
    for row, spans in wanted.items():
        np.testing.assert_allclose([reward for reward, _ in found[row]], [reward for reward, _, _ in spans], atol=1e-9)
        assert [ticks for _, ticks in found[row]] == [ticks for _, ticks, _ in spans]


def test_only_lives_that_go_on_are_linked_and_only_the_dead_are_worth_nothing(
    harsh_life: tuple[Watched, list[Rollout], Collector],
) -> None:
    towns, rollouts, _ = harsh_life
    endings = {row: [how for _, _, how in spans] for row, spans in spans_by_hand(towns.moments, towns.rows).items()}
    for rollout in rollouts:
        decided, spans = rollout.experience.decided, rollout.experience.spans
        for place, row in enumerate(decided.row.tolist()):
            how = endings[row].pop(0)
            following = int(spans.following[place])
            if how == "decision":
                assert following < 0 or decided.row[following] == row
                assert following > place or spans.tail[place] != 0
            else:
                assert following < 0
                assert (spans.tail[place] == 0) == (how == "death")


def test_forced_ticks_are_no_decisions_and_every_choice_was_legal(
    harsh_life: tuple[Watched, list[Rollout], Collector],
) -> None:
    for rollout in harsh_life[1]:
        decided = rollout.experience.decided
        assert (decided.mask.sum(axis=1) > 1).all()
        assert decided.mask[np.arange(len(decided.row)), decided.action].all()


def test_what_was_noted_when_a_choice_was_taken_is_what_the_network_says_of_it(
    harsh_life: tuple[Watched, list[Rollout], Collector],
) -> None:
    network = harsh_life[2]._network
    decided = harsh_life[1][-1].experience.decided
    inputs = [torch.from_numpy(column) for column in (*decided.seen, decided.memory)]
    with torch.inference_mode():
        logits, values, _ = network.step(*inputs)
    log_probs = torch.log_softmax(logits, 1).numpy()[np.arange(len(decided.row)), decided.action]
    np.testing.assert_allclose(log_probs, decided.log_prob, atol=1e-5)
    np.testing.assert_allclose(values.numpy(), decided.value, atol=1e-5)


def test_actions_are_drawn_as_often_as_their_probability_says() -> None:
    from townlet_core.policy.ppo.collecting import _drawn

    probs = np.tile([0.0, 0.25, 0.0, 0.75, 0.0], (40_000, 1))
    drawn = _drawn(probs, np.random.default_rng(0).random(40_000))
    assert np.bincount(drawn, minlength=5)[[0, 2, 4]].sum() == 0
    assert (drawn == 3).mean() == pytest.approx(0.75, abs=0.01)
    assert _drawn(probs[:2], np.array([0.0, 1.0 - 2**-53])).tolist() == [1, 3]


def test_rivalry_is_seen_every_tenth_tick_and_finished_uses_are_counted_by_what_they_serve(
    harsh_life: tuple[Watched, list[Rollout], Collector],
) -> None:
    for rollout, ticks in zip(harsh_life[1], [700, 333, 900, 1000], strict=True):
        assert rollout.rivals.rivalry_max.shape == (-(-ticks // 10), 32)
        assert sum(rollout.completed.values()) == rollout.events["affordance_finish"]
    total = {name: sum(rollout.completed[name] for rollout in harsh_life[1]) for name in OPTION_NAMES}
    assert total["sleep"] > 0
    assert total["wash"] > 0
    assert total["idle"] == 0


def test_rivals_are_those_whom_a_citizen_keeps_apart_from() -> None:
    config = load_config(TOWN, {"relationships": {"avoid_threshold": 0.5}})
    towns = TrainingTowns({"one": config}, 1, {"one": 3})
    ties = towns.envs[0].sim.state.ties
    ties["other"], ties["rivalry"] = -1, 0.9
    assert towns.rivals().rivalry_max.max() == 0.0, "a tie to nobody counts for nothing"
    ties["other"][0, 2, :3] = (4, 5, 6)
    ties["rivalry"][0, 2, :3] = (0.2, 0.5, 0.7)
    strongest, avoided = towns.rivals()
    assert strongest.tolist() == pytest.approx([0, 0, 0.7, 0, 0, 0, 0, 0])
    assert avoided.tolist() == [0, 0, 2, 0, 0, 0, 0, 0]
