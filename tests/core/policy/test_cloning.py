"""Behaviour cloning learns the teacher's rule, says how well, and stops when it must."""

from dataclasses import replace
from itertools import count

import numpy as np
import pytest
import torch

from tests.core.policy.conftest import RuleSource, rule_source, with_batch
from townlet_core.config import TrainingProfile
from townlet_core.errors import DataError
from townlet_core.policy import bc
from townlet_core.policy.bc import BCResult, NonFiniteLoss, class_weights, train_bc
from townlet_core.policy.decisions import Deck
from townlet_core.policy.network import network_tensors


@pytest.fixture(scope="module")
def clone(train: RuleSource, validation: RuleSource, holdout: RuleSource, profile: TrainingProfile) -> BCResult:
    return train_bc(train, validation, holdout, profile)


def test_the_clone_agrees_with_the_rule_on_episodes_it_never_saw(clone: BCResult) -> None:
    assert clone.report.accuracy > 0.8
    assert clone.report.accuracy > clone.report.majority_share + 0.4


def test_the_clone_never_chooses_what_the_mask_forbids(clone: BCResult, holdout: RuleSource) -> None:
    for pool in Deck(holdout).pools():
        predicted = bc.predict(clone.network, pool).actions
        assert pool.mask[np.arange(predicted.size), predicted].all()


def test_the_report_counts_every_held_out_decision_once(clone: BCResult, holdout: RuleSource) -> None:
    report = clone.report
    decisions = sum(batch.expert.size for batch in holdout)
    assert report.held_decisions == decisions
    assert sum(score.decisions for score in report.scenarios.values()) == decisions
    assert sum(score.decisions for score in report.actions.values()) == decisions
    assert sum(map(sum, report.confusion)) == decisions


def test_the_report_agrees_with_counting_by_hand(clone: BCResult, holdout: RuleSource) -> None:
    calm = [batch for batch in holdout if batch.scenario[0] == "calm"]
    right = total = 0
    for pool in Deck(replace(holdout, batches=calm)).pools():
        right += int((bc.predict(clone.network, pool) == pool.expert).sum())
        total += pool.expert.size
    assert clone.report.scenarios["calm"].accuracy == right / total
    labels = np.concatenate([batch.expert for batch in holdout])
    assert clone.report.majority_share == np.bincount(labels).max() / labels.size


def test_the_same_data_and_profile_give_the_same_weights(
    clone: BCResult, train: RuleSource, validation: RuleSource, holdout: RuleSource, profile: TrainingProfile
) -> None:
    again = train_bc(train, validation, holdout, profile)
    assert again.report == clone.report
    for name, tensor in network_tensors(clone.network).items():
        np.testing.assert_array_equal(tensor, network_tensors(again.network)[name])


def test_held_out_episodes_choose_nothing(
    clone: BCResult, train: RuleSource, validation: RuleSource, profile: TrainingProfile
) -> None:
    other = train_bc(train, validation, rule_source(9, 2), profile)
    assert other.report.curve == clone.report.curve
    assert other.report.best_epoch == clone.report.best_epoch
    assert other.report.held_decisions == 500 != clone.report.held_decisions
    for name, tensor in network_tensors(clone.network).items():
        np.testing.assert_array_equal(tensor, network_tensors(other.network)[name])


def test_the_report_says_how_much_of_the_returns_the_value_head_foretells(clone: BCResult, holdout: RuleSource) -> None:
    told = [(bc.predict(clone.network, pool).returns, pool.returns) for pool in Deck(holdout).pools()]
    guesses, returns = (np.concatenate(column) for column in zip(*told, strict=True))
    explained = 1 - np.square(returns - guesses).mean() / returns.var()
    assert clone.report.value_explained == pytest.approx(explained, abs=1e-6)
    assert explained > 0.5


def test_another_seed_gives_other_weights(
    clone: BCResult, train: RuleSource, validation: RuleSource, holdout: RuleSource, profile: TrainingProfile
) -> None:
    other = train_bc(train, validation, holdout, profile.model_copy(update={"seed": 8, "epochs": 1}))
    assert not np.array_equal(
        network_tensors(clone.network)["trunk.weight"], network_tensors(other.network)["trunk.weight"]
    )


def test_the_value_head_learns_the_returns(clone: BCResult, holdout: RuleSource) -> None:
    first, last = clone.report.curve[0], clone.report.curve[clone.report.best_epoch - 1]
    assert last.value_loss < 0.5 * first.value_loss


def test_training_stops_when_held_out_episodes_stop_improving_and_keeps_the_best_epoch(
    validation: RuleSource, holdout: RuleSource, profile: TrainingProfile
) -> None:
    noise = rule_source(5, 2)
    generator = np.random.default_rng(0)
    for number, batch in enumerate(noise.batches):
        legal = np.where(batch.mask, generator.random(batch.mask.shape), -1.0).argmax(axis=1)
        noise = with_batch(noise, number, expert=legal.astype(np.int8))
    report = train_bc(noise, validation, holdout, profile.model_copy(update={"epochs": 60, "patience": 3})).report
    assert len(report.curve) == report.best_epoch + 3 < 60
    assert min(point.validation_loss for point in report.curve) == report.curve[report.best_epoch - 1].validation_loss


def test_training_does_not_look_at_how_much_of_the_recording_is_left(
    train: RuleSource, validation: RuleSource, holdout: RuleSource, profile: TrainingProfile
) -> None:
    network = train_bc(train, validation, holdout, profile.model_copy(update={"epochs": 1})).network
    column = [feature["name"] for feature in train.layout["features"]].index("episode_progress")
    pool = next(Deck(holdout).pools())
    moved = pool.features.copy()
    moved[:, column] = 1.0 - moved[:, column]
    cells, mask = torch.from_numpy(pool.cells), torch.from_numpy(pool.mask)
    before, _ = network(cells, torch.from_numpy(pool.features), mask)
    after, _ = network(cells, torch.from_numpy(moved), mask)
    torch.testing.assert_close(before, after, rtol=0, atol=1e-5)


def test_the_callers_torch_threads_are_given_back(
    train: RuleSource, validation: RuleSource, holdout: RuleSource, profile: TrainingProfile
) -> None:
    before = torch.get_num_threads()
    seen = []
    train_bc(
        train,
        validation,
        holdout,
        profile.model_copy(update={"epochs": 1}),
        progress=lambda _: seen.append(torch.get_num_threads()),
    )
    assert seen == [1]
    assert torch.get_num_threads() == before


@pytest.mark.parametrize("balance", [0.0, 0.5, 1.0])
def test_class_weights_average_one_over_the_decisions(balance: float) -> None:
    counts = np.array([700, 250, 50, 0])
    weights = class_weights(counts, balance)
    assert (weights * counts).sum() / counts.sum() == pytest.approx(1.0, rel=1e-6)
    assert weights[3] == 0
    assert weights[0] / weights[2] == pytest.approx((50 / 700) ** balance, rel=1e-6)


def test_a_loss_that_is_not_a_number_stops_training_says_where_and_keeps_the_best_weights(
    train: RuleSource,
    validation: RuleSource,
    holdout: RuleSource,
    profile: TrainingProfile,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls, losses = count(), bc._losses
    minibatches = -(-2500 // profile.batch_size)

    def sour(*arguments):  # type: ignore[no-untyped-def]
        policy, value = losses(*arguments)
        return (policy * float("nan"), value) if next(calls) == minibatches + 4 else (policy, value)

    monkeypatch.setattr(bc, "_losses", sour)
    with pytest.raises(NonFiniteLoss, match=r"epoch 2, minibatch 4: the loss is not finite") as stopped:
        train_bc(train, validation, holdout, profile)
    monkeypatch.undo()
    first_epoch = train_bc(train, validation, holdout, profile.model_copy(update={"epochs": 1}))
    assert stopped.value.best is not None
    for name, tensor in network_tensors(stopped.value.best).items():
        assert np.isfinite(tensor).all()
        np.testing.assert_array_equal(tensor, network_tensors(first_epoch.network)[name])


def test_a_feature_that_is_not_a_number_is_refused_with_its_place(
    train: RuleSource, validation: RuleSource, holdout: RuleSource, profile: TrainingProfile
) -> None:
    features = train.batches[3].features.copy()
    features[17, 2] = np.nan
    with pytest.raises(DataError, match=r"calm, episode 3, tick 17\): a feature is not finite"):
        train_bc(with_batch(train, 3, features=features), validation, holdout, profile)


def test_a_choice_that_its_mask_forbids_is_refused(
    train: RuleSource, validation: RuleSource, holdout: RuleSource, profile: TrainingProfile
) -> None:
    mask = train.batches[2].mask.copy()
    mask[5, train.batches[2].expert[5]] = False
    with pytest.raises(DataError, match=r"busy, episode 2, tick 5\): the teacher's choice is not legal"):
        train_bc(with_batch(train, 2, mask=mask), validation, holdout, profile)


@pytest.mark.parametrize(
    ("side", "told"),
    [
        ("train", "training side is empty"),
        ("validation", "validation side is empty"),
        ("holdout", "held-out side is empty"),
    ],
)
def test_an_empty_side_is_refused(
    train: RuleSource, validation: RuleSource, holdout: RuleSource, profile: TrainingProfile, side: str, told: str
) -> None:
    sides = {"train": train, "validation": validation, "holdout": holdout}
    sides[side] = replace(sides[side], batches=[])
    with pytest.raises(DataError, match=told):
        train_bc(sides["train"], sides["validation"], sides["holdout"], profile)


def test_decisions_of_another_layout_are_refused(
    train: RuleSource, validation: RuleSource, holdout: RuleSource, profile: TrainingProfile
) -> None:
    narrow = replace(train, actions=train.actions[:-1])
    with pytest.raises(DataError, match=r"the layout has \d+ and 9"):
        train_bc(narrow, validation, holdout, profile)


def test_a_clone_with_a_memory_learns_what_only_the_past_tells(profile: TrainingProfile) -> None:
    """Half of the lives began with a bright signal; whoever forgets it can only guess which half he is in."""

    def told_once(seed: int, episodes: int) -> RuleSource:
        source = rule_source(seed, episodes)
        for number, batch in enumerate(source.batches):
            lives = np.random.default_rng([seed, number]).integers(0, 2, 25)
            features = np.zeros_like(batch.features)
            features[batch.begins, 0] = lives
            mask = np.zeros_like(batch.mask)
            mask[:, :2] = True
            expert = np.repeat(lives, 10).astype(np.int8)
            cells = np.zeros_like(batch.map)
            source = with_batch(source, number, features=features, mask=mask, expert=expert, map=cells)
        return source

    sides = told_once(1, 10), told_once(2, 4), told_once(3, 4)
    forgetful = train_bc(*sides, profile)
    mindful = train_bc(*sides, profile.model_copy(update={"recurrent": 16}))
    assert forgetful.report.accuracy < 0.7
    assert mindful.report.accuracy > 0.95
