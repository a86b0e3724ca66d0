"""Decisions made by a simple rule, so that learning can be tried without a town."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from tests.small_layouts import small_layout
from townlet_core.config import TrainingProfile
from townlet_core.datasets.reading import DecisionBatch

TOWN_LAYOUT = small_layout(3)
LAYOUT = TOWN_LAYOUT._replace(features=TOWN_LAYOUT.features[:66])
"""A layout of a fixed size, so that what is learnt here stays as hard as it is when a town shows more."""
RULE_SEED = 3


@dataclass(frozen=True)
class RuleSource:
    """One side of a dataset in memory, with everything that a learner asks of it."""

    batches: list[DecisionBatch]
    layout: dict[str, Any]
    actions: tuple[str, ...]
    scenarios: list[str]

    @property
    def decisions(self) -> int:
        """Rows of all batches."""
        return sum(batch.expert.size for batch in self.batches)

    @property
    def episodes(self) -> range:
        """Numbers of the batches."""
        return range(len(self.batches))

    def read(self, number: int) -> DecisionBatch:
        """One batch."""
        return self.batches[number]

    def __iter__(self) -> Iterator[DecisionBatch]:
        return iter(self.batches)


def rule_batch(generator: np.random.Generator, rows: int, episode: int) -> DecisionBatch:
    """An episode whose choices follow the needs: the legal option that a fixed linear rule likes best."""
    actions, width = len(LAYOUT.actions), len(LAYOUT.features)
    features = generator.random((rows, width), dtype=np.float32)
    mask = generator.random((rows, actions)) < 0.5
    mask[:, 0] = mask[:, 1] = True
    liking = (features[:, :6] - 0.5) @ np.random.default_rng(RULE_SEED).normal(size=(6, actions))
    expert = np.where(mask, liking, -np.inf).argmax(axis=1).astype(np.int8)
    zeros = np.zeros(rows, np.int32)
    return DecisionBatch(
        map=generator.integers(0, 255, (rows, 3, 3, 4), dtype=np.uint8),
        features=features,
        mask=mask,
        expert=expert,
        scenario=np.full(rows, "calm" if episode % 2 else "busy"),
        episode=np.full(rows, episode, np.int32),
        agent=zeros.astype(np.int8),
        tick=np.arange(rows, dtype=np.int32),
        return_to_next=features[:, 0],
        ticks_to_next=zeros + 1,
        returns=features[:, 0] * 3,
        begins=np.arange(rows) % 10 == 0,
    )


def rule_source(seed: int, episodes: int, rows: int = 250) -> RuleSource:
    """Episodes of the rule under one seed."""
    generator = np.random.default_rng(seed)
    batches = [rule_batch(generator, rows, episode) for episode in range(episodes)]
    layout = {"features": [feature._asdict() for feature in LAYOUT.features]}
    return RuleSource(batches, layout, LAYOUT.actions, ["busy", "calm"])


def with_batch(source: RuleSource, number: int, **changes: Any) -> RuleSource:
    """The source with some columns of one batch replaced."""
    batches = list(source.batches)
    batches[number] = batches[number]._replace(**changes)
    return replace(source, batches=batches)


@pytest.fixture(scope="session")
def train() -> RuleSource:
    """Ten episodes to learn from."""
    return rule_source(1, 10)


@pytest.fixture(scope="session")
def validation() -> RuleSource:
    """Three others that say when to stop."""
    return rule_source(4, 3)


@pytest.fixture(scope="session")
def holdout() -> RuleSource:
    """Four other episodes."""
    return rule_source(2, 4)


@pytest.fixture(scope="session")
def profile() -> TrainingProfile:
    """A training that takes a second."""
    return TrainingProfile(
        profile="test", epochs=14, batch_size=64, learning_rate=3e-3, hidden=48, map_hidden=8, patience=6
    )
