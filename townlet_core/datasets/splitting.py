"""Which episodes are held out: by whole episodes, the same ones however often and in whatever order one asks."""

from collections.abc import Iterable
from typing import NamedTuple

from townlet_core.config import digest
from townlet_core.errors import RefusedError

TRAIN = "train"
HOLDOUT = "holdout"


class EpisodeKey(NamedTuple):
    """An episode's name: the scenario and date of its capture and the town within it."""

    scenario: str
    date: str
    episode: int


def held_out(episodes: Iterable[EpisodeKey], share: float) -> frozenset[EpisodeKey]:
    """Choose the held-out episodes of every capture by the order of their digests.

    Each capture (scenario and date) gives `share` of its episodes, at least one and never all; a capture of a single
    episode gives none. So an episode keeps its side when a dataset gains or loses other days. A scenario whose captures
    are all single gives the episode with the lowest digest, so that every scenario is held out and trained on.

    Args:
        episodes: the accepted episodes, in any order.
        share: share of each capture to hold out, between 0 and 1.

    Raises:
        RefusedError: a scenario has one episode only, which cannot be on both sides.
    """
    captures: dict[tuple[str, str], list[EpisodeKey]] = {}
    scenarios: dict[str, list[EpisodeKey]] = {}
    for key in sorted(set(episodes), key=_order):
        captures.setdefault((key.scenario, key.date), []).append(key)
        scenarios.setdefault(key.scenario, []).append(key)
    chosen = {key for group in captures.values() for key in group[: _quota(len(group), share)]}
    for scenario, group in scenarios.items():
        if len(group) < 2:
            raise RefusedError(f"{scenario}: one accepted episode cannot be on both sides; capture more towns")
        if not chosen.intersection(group):
            chosen.add(group[0])
    return frozenset(chosen)


def _quota(count: int, share: float) -> int:
    return min(count - 1, max(1, round(share * count)))


def _order(key: EpisodeKey) -> tuple[str, EpisodeKey]:
    return digest([key.scenario, key.date, key.episode]), key
