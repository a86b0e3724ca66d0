"""On which side an episode is: by whole episodes, the same ones however often and in whatever order one asks."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from townlet_core.config import digest
from townlet_core.errors import RefusedError

TRAIN = "train"
VALIDATION = "validation"
HOLDOUT = "holdout"
SIDES = (TRAIN, VALIDATION, HOLDOUT)
"""Who learns from it: weights, the choice of the epoch that is kept, and nobody: the held-out side only reports."""

FEWEST = len(SIDES)


class EpisodeKey(NamedTuple):
    """An episode's name: the scenario and date of its capture and the town within it."""

    scenario: str
    date: str
    episode: int


class Shares(NamedTuple):
    """The share of each capture's episodes that is held out, and the share that validates."""

    holdout: float
    validation: float


def sides(episodes: Iterable[EpisodeKey], shares: Shares) -> Mapping[EpisodeKey, str]:
    """Choose each episode's side by the order of their digests within every capture.

    Each capture (scenario and date) gives its shares, at least one episode each, and never all; one of two episodes
    gives none to validation, and a single one trains. So an episode keeps its side when a dataset gains or loses other
    days. A scenario whose captures are too small for a side gives it the training episode with the lowest digest, so
    that every scenario is on every side.

    Args:
        episodes: the accepted episodes, in any order.
        shares: how much goes where; training gets the rest.

    Raises:
        RefusedError: a scenario has fewer than three episodes, which cannot be on three sides.
    """
    captures: dict[tuple[str, str], list[EpisodeKey]] = {}
    scenarios: dict[str, list[EpisodeKey]] = {}
    for key in sorted(set(episodes), key=_order):
        captures.setdefault((key.scenario, key.date), []).append(key)
        scenarios.setdefault(key.scenario, []).append(key)
    chosen: dict[EpisodeKey, str] = {}
    for group in captures.values():
        chosen |= zip(group, _dealt(len(group), shares), strict=True)
    for scenario, group in scenarios.items():
        if len(group) < FEWEST:
            count = "one accepted episode" if len(group) == 1 else f"{len(group)} accepted episodes"
            raise RefusedError(f"{scenario}: {count} cannot be on three sides; capture more towns")
        for side in (HOLDOUT, VALIDATION):
            if side not in {chosen[key] for key in group}:
                chosen[next(key for key in group if chosen[key] == TRAIN)] = side
    return chosen


def _dealt(count: int, shares: Shares) -> list[str]:
    held = min(max(1, round(shares.holdout * count)), max(count - 2, count // 2))
    judging = min(max(1, round(shares.validation * count)), count - 1 - held) if count >= FEWEST else 0
    return [HOLDOUT] * held + [VALIDATION] * judging + [TRAIN] * (count - held - judging)


def _order(key: EpisodeKey) -> tuple[str, EpisodeKey]:
    return digest([key.scenario, key.date, key.episode]), key
