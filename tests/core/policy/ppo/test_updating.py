"""An update: schedules, the bound on divergence, and runs of decisions that stay together."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.policy.ppo.small_training import small_profile, small_start
from townlet_core.config import ImprovementRules, Ramp
from townlet_core.policy.network import network_from
from townlet_core.policy.ppo.advantages import Spans
from townlet_core.policy.ppo.experience import Decided, Experience
from townlet_core.policy.ppo.updating import Learner, Pace, pace_at, ramp_at
from townlet_core.policy.stretches import lives_cut

ROWS = 64


def experience(seed: int = 0) -> Experience:
    """Decisions in which the first action always pays and every other one never does."""
    generator = np.random.default_rng(seed)
    network = network_from(small_start(0).tensors)
    size = network.size
    action = generator.integers(0, size.actions, ROWS)
    decided = Decided(
        row=np.arange(ROWS),
        cells=generator.integers(0, 255, (ROWS, size.cells), dtype=np.uint8),
        features=generator.random((ROWS, size.features), dtype=np.float32),
        mask=np.ones((ROWS, size.actions), bool),
        memory=np.zeros((ROWS, 0), np.float32),
        action=action,
        log_prob=np.full(ROWS, -np.log(size.actions), np.float32),
        value=np.zeros(ROWS),
        entropy=np.full(ROWS, np.log(size.actions), np.float32),
    )
    reward = np.where(action == 0, 1.0, -1.0)
    return Experience(decided, Spans(reward, np.ones(ROWS, int), np.zeros(ROWS), np.full(ROWS, -1), np.zeros(ROWS)))


def learner(**rules: object) -> Learner:
    profile = small_profile(**rules)
    assert profile.ppo is not None
    return Learner(network_from(small_start(0).tensors), profile.ppo, 0.99, np.random.default_rng(1))


def test_what_paid_becomes_likelier() -> None:
    trained, seen = learner(epochs=8, target_kl=0.0), experience()
    before = trained.update(seen, Pace(2, 5e-3, 0.0, critic_only=False)).minibatches
    after = trained.update(seen, Pace(3, 5e-3, 0.0, critic_only=False)).minibatches
    assert after[-1].policy < before[0].policy - 0.05


def test_a_policy_that_moves_too_far_ends_the_passes() -> None:
    free = learner(epochs=10, target_kl=0.0).update(experience(), Pace(2, 0.05, 0.0, critic_only=False))
    bound = learner(epochs=10, target_kl=0.01).update(experience(), Pace(2, 0.05, 0.0, critic_only=False))
    assert (free.passes, free.stopped_early) == (10, False)
    assert bound.stopped_early
    assert bound.passes < 10
    assert all(one.divergence <= 0.01 for one in bound.minibatches[1:])


def test_weight_on_entropy_keeps_choices_open() -> None:
    plain, open_minded = (learner(epochs=30, target_kl=0.0) for _ in range(2))
    narrow = plain.update(experience(), Pace(2, 5e-3, 0.0, critic_only=False)).minibatches[-1]
    wide = open_minded.update(experience(), Pace(2, 5e-3, 1.0, critic_only=False)).minibatches[-1]
    assert wide.entropy > narrow.entropy + 0.05


def test_ramps_begin_and_end_where_they_say() -> None:
    for shape in ("linear", "cosine"):
        ramp = Ramp(start=0.8, end=0.2, shape=shape)  # type: ignore[arg-type]
        assert [ramp_at(ramp, update, 5) for update in (1, 3, 5)] == pytest.approx([0.8, 0.5, 0.2])
    assert ramp_at(Ramp(start=0.8, end=0.2, shape="cosine"), 2, 5) > ramp_at(Ramp(start=0.8, end=0.2), 2, 5)
    assert ramp_at(Ramp(start=0.3, end=0.1), 1, 1) == 0.3
    rules = ImprovementRules(updates=4, critic_warmup=2)
    assert [pace_at(rules, update).critic_only for update in (1, 2, 3, 4)] == [True, True, False, False]


@given(data=st.data(), longest=st.integers(1, 5), size=st.integers(1, 12))
def test_runs_hold_every_decision_once_in_order_and_never_two_lives(
    data: st.DataObject, longest: int, size: int
) -> None:
    rows = np.array(data.draw(st.lists(st.integers(0, 3), min_size=1, max_size=40)))
    following = np.full(len(rows), -1)
    for row in set(rows.tolist()):
        places = np.flatnonzero(rows == row)
        goes_on = np.array(data.draw(st.lists(st.booleans(), min_size=len(places) - 1, max_size=len(places) - 1)), bool)
        following[places[:-1][goes_on]] = places[1:][goes_on]
    afresh = np.array(data.draw(st.lists(st.booleans(), min_size=len(rows), max_size=len(rows))), bool)
    dealt = list(lives_cut(rows, following, afresh, longest).shuffled(np.random.default_rng(1)).minibatches(size))
    assert sorted(np.concatenate([part.order for part in dealt]).tolist()) == list(range(len(rows)))
    for part in dealt:
        assert part.begins[0]
        for place in np.flatnonzero(~part.begins):
            assert following[part.order[place - 1]] == part.order[place]
            assert not afresh[part.order[place]]
        assert np.diff(part.starts, append=len(part.order)).max() <= longest
        assert len(part.order) < size + longest
