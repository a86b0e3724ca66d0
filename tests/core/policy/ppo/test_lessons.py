"""Decisions of others: what they weigh, in which share they join, and that they are dealt from where one left off."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.core.policy.ppo.small_training import (
    TOWN,
    StoredSide,
    small_profile,
    small_start,
    small_stored,
    small_town,
    small_training,
)
from tests.core.policy.ppo.test_updating import experience
from townlet_core.config import MixRules, Ramp, ReplayRules, TownConfig, load_config
from townlet_core.errors import CheckpointError, DataError, InputError
from townlet_core.observations.layout import layout_of
from townlet_core.policy.decisions import Deck, Hand
from townlet_core.policy.network import network_from
from townlet_core.policy.ppo.lessons import (
    StoredDecisions,
    StoredTutor,
    advantage_weights,
    imitate,
    lesson_of,
    stored_rows,
)
from townlet_core.policy.ppo.training import improve
from townlet_core.policy.ppo.updating import Learner, Pace

RATE = Ramp(start=5e-3, end=5e-3)


def test_weights_are_exponentials_of_advantages_and_bounded_without_overflow() -> None:
    rules = ReplayRules(temperature=0.5, largest_weight=20.0)
    found = advantage_weights(torch.tensor([-1.0, 0.0, 0.5, 1e30]), rules)
    assert found.tolist() == pytest.approx([np.exp(-2.0), 1.0, np.e, 20.0], rel=1e-5)


@pytest.mark.parametrize(("minibatch", "share", "rows"), [(60, 0.25, 20), (64, 0.5, 64), (1, 0.01, 1)])
def test_so_many_stored_decisions_join_that_they_are_the_share(minibatch: int, share: float, rows: int) -> None:
    assert stored_rows(minibatch, share) == rows


def dealer(place: np.ndarray | None = None) -> StoredDecisions:
    stored = StoredDecisions(Deck(StoredSide(5)), 50, seed=3, whole_lives=True)
    if place is not None:
        stored.restore({"place": place})
    return stored


def test_a_pass_deals_every_decision_once_and_each_pass_in_its_own_order() -> None:
    stored, hands = dealer(), list[Hand]()
    while sum(len(hand.expert) for hand in hands) < 540:
        hands.append(stored.deal())
    features = np.concatenate([hand.features[:, 0] for hand in hands])
    first, second = features[:270], features[270:]
    np.testing.assert_array_equal(np.sort(first), np.sort(second))
    assert (first != second).any()
    assert all(hand.begins[0] for hand in hands)


def test_dealing_goes_on_where_it_stopped() -> None:
    stored = dealer()
    for _ in range(9):
        stored.deal()
    again = dealer(stored.arrays()["place"].copy())
    for _ in range(4):
        np.testing.assert_array_equal(stored.deal().features, again.deal().features)


def test_stored_decisions_pull_the_policy_towards_them() -> None:
    profile = small_profile(epochs=10, target_kl=0.0, minibatch=16)
    assert profile.ppo is not None
    pace, hand = Pace(2, 5e-3, 0.0, critic_only=False), next(Deck(StoredSide(5)).pools())

    def agreement(share: float | None) -> float:
        network = network_from(small_start(0).tensors)
        learner = Learner(network, profile.ppo, 0.99, np.random.default_rng(1))
        tutor = None if share is None else StoredTutor(dealer(), MixRules(share=share))
        figures = learner.update(experience(), pace, tutor)
        assert (sum(one.imitated for one in figures.minibatches) > 0) == (share is not None)
        with torch.inference_mode():
            return float(imitate(network, lesson_of(hand, network), None).log_prob.mean())

    assert agreement(0.5) > agreement(None) + 0.5


def test_what_went_well_is_learnt_more_than_what_did_not(tmp_path: Path) -> None:
    """Both actions are recorded alike; only one of them is followed by good returns."""

    class Fork(StoredSide):
        def __iter__(self):  # type: ignore[no-untyped-def]
            for batch in super().__iter__():
                expert = (np.arange(len(batch.expert)) % 2).astype(np.int8)
                yield batch._replace(expert=expert, returns=np.where(expert == 1, 1.0, -1.0).astype(np.float32))

    rules = ReplayRules(updates=8, minibatches=8, minibatch=90, temperature=0.5, learning_rate=RATE)
    profile = small_profile("replay").model_copy(update={"replay": rules})
    stored = small_stored()._replace(train=Fork(5), validation=Fork(6))
    network = improve(small_start(0), {}, profile, tmp_path, stored=stored).network
    hand = next(Deck(Fork(7)).pools())
    with torch.inference_mode():
        log_prob = imitate(network, lesson_of(hand, network), None).log_prob.numpy()
    assert log_prob[hand.expert == 1].mean() > log_prob[hand.expert == 0].mean() + 1.0


def test_replay_learns_from_the_dataset_and_is_measured_beside_it(tmp_path: Path) -> None:
    records = small_training(tmp_path, mode="replay", recurrent=0).records
    assert {record.data_mode for record in records} == {"replay"}
    assert all(record.rows.stored == record.transitions > 0 == record.rows.lived for record in records)
    assert [record.stored is not None for record in records] == [False, True] * 3
    first, last = records[1].stored, records[-1].stored
    assert first is not None
    assert last is not None
    assert last.log_prob_mean > first.log_prob_mean
    assert not list(tmp_path.glob("checkpoints/*/town-*"))


def scenarios_of(mode: str) -> dict[str, TownConfig]:
    return {} if mode == "replay" else {"evening": small_town()}


@pytest.mark.parametrize("mode", ["replay", "mixed"])
def test_a_mode_that_learns_from_a_dataset_wants_one_of_the_same_layout(mode: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=f"mode {mode} learns from a dataset; name one"):
        improve(small_start(), scenarios_of(mode), small_profile(mode), tmp_path)
    other = small_start()._replace(layout=layout_of(load_config(TOWN, {"observations": {"local_window": 7}})))
    with pytest.raises(CheckpointError, match="dataset small: map window is 7 in the policy and 5 in the town"):
        improve(other, scenarios_of("replay"), small_profile("replay"), tmp_path, stored=small_stored())


def test_a_loss_that_is_no_number_stops_replay_and_tells_where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from townlet_core.policy.ppo import replaying

    honest = replaying.imitate

    def sour(*arguments: Any) -> Any:
        found = honest(*arguments)
        sick = bool(list(tmp_path.glob("checkpoints/*/training.json")))
        return found._replace(value=found.value * float("nan")) if sick else found

    monkeypatch.setattr(replaying, "imitate", sour)
    told = r"update 3, minibatch 1: the value loss is not finite \(the last good checkpoint is .*000002\)"
    with pytest.raises(DataError, match=told):
        improve(small_start(), {}, small_profile("replay"), tmp_path, stored=small_stored())


def test_a_dataset_with_a_number_that_is_none_is_refused(tmp_path: Path) -> None:
    class Damaged(StoredSide):
        def __iter__(self):  # type: ignore[no-untyped-def]
            for batch in super().__iter__():
                batch.features[3, 7] = np.nan
                yield batch

    stored = small_stored()._replace(train=Damaged(5))
    with pytest.raises(DataError, match=r"row 3 \(evening, episode 0, tick 3\): a feature is not finite"):
        improve(small_start(), {}, small_profile("replay"), tmp_path, stored=stored)
