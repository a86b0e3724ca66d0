"""How good a dataset is: figures per scenario and per action, and the reasons for which a dataset is refused."""

from collections.abc import Iterable, Mapping, Sequence

from townlet_core.config import CurationRules
from townlet_core.datasets.records import EpisodeVerdict
from townlet_core.datasets.store import Record
from townlet_core.errors import RefusedError


def quality_of(
    accepted: Mapping[str, Sequence[EpisodeVerdict]], rejected: Mapping[str, int], names: Sequence[str]
) -> Record:
    """Figures of a dataset over all its accepted episodes, with the same figures per scenario.

    Args:
        accepted: accepted episodes per scenario.
        rejected: number of rejected episodes per scenario.
        names: the options by number.
    """
    everything = [verdict for verdicts in accepted.values() for verdict in verdicts]
    scenarios = {
        scenario: _figures(verdicts, names) | {"rejected_episodes": rejected.get(scenario, 0)}
        for scenario, verdicts in accepted.items()
    }
    return _figures(everything, names) | {"rejected_episodes": sum(rejected.values()), "scenarios": scenarios}


def require_quality(quality: Record, rules: CurationRules) -> None:
    """Refuse a dataset from which nothing could be learned. Raises RefusedError with the reason."""
    if not quality["decisions"]:
        raise RefusedError("dataset: no decision is left after curation; the curated records say why")
    distinct, least = quality["distinct_actions"], max(2, rules.min_distinct_actions)
    if distinct < least:
        raise RefusedError(
            f"dataset: {distinct} distinct actions; at least {least}, for there to be something to learn"
        )
    if quality["majority_share"] > rules.max_majority_share:
        share, bound = quality["majority_share"], rules.max_majority_share
        raise RefusedError(f"dataset: {share:.1%} of the decisions are one action; at most {bound:.1%}")


def _figures(verdicts: Iterable[EpisodeVerdict], names: Sequence[str]) -> Record:
    kept = list(verdicts)
    rows, decisions = sum(one.rows for one in kept), sum(one.decisions for one in kept)
    counts = [sum(column) for column in zip(*(one.actions for one in kept), strict=True)] or [0] * len(names)
    actions = {
        name: {"decisions": count, "share": round(count / max(1, decisions), 6)}
        for name, count in zip(names, counts, strict=True)
    }
    return {
        "episodes": len(kept),
        "rows": rows,
        "decisions": decisions,
        "actions": actions,
        "distinct_actions": sum(count > 0 for count in counts),
        "majority_share": round(max(counts) / max(1, decisions), 6),
        "clipped_share": round(sum(one.clipped for one in kept) / max(1, rows), 6),
    }
