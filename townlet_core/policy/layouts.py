"""Whether a policy and a town speak of the same observations: the first difference, in words."""

from typing import Any

from townlet_core.errors import CheckpointError
from townlet_core.observations.layout import ObservationLayout


def require_same_layout(trained: ObservationLayout, town: ObservationLayout, where: str) -> None:
    """Refuse a policy whose observations or actions are not those of the town.

    Args:
        trained: The layout the policy was trained on.
        town: The layout of the town it should act in.
        where: The file that holds the policy, for the error.

    Raises:
        CheckpointError: The layouts differ; names the first difference and what would be right.
    """
    difference = first_difference(trained, town)
    if difference is not None:
        raise CheckpointError(
            f"{where}: {difference}; train a policy on this town, or run the town it was trained on "
            f"(variant {trained.variant}, window {trained.window})"
        )


def first_difference(trained: ObservationLayout, town: ObservationLayout) -> str | None:
    """What differs first between two layouts, or None: variant, window, channels, features, then actions."""
    for name, ours, theirs in (
        ("observation variant", trained.variant, town.variant),
        ("map window", trained.window, town.window),
    ):
        if ours != theirs:
            return f"{name} is {ours!r} in the policy and {theirs!r} in the town"
    return (
        _first_unequal("map channel", trained.channels, town.channels)
        or _first_unequal("feature", trained.features, town.features)
        or _first_unequal("action", trained.actions, town.actions)
    )


def _first_unequal(what: str, trained: tuple[Any, ...], town: tuple[Any, ...]) -> str | None:
    for index in range(max(len(trained), len(town))):
        ours = _shown(trained[index]) if index < len(trained) else "missing"
        theirs = _shown(town[index]) if index < len(town) else "missing"
        if ours != theirs:
            return f"{what} {index} is {ours} in the policy and {theirs} in the town"
    return None


def _shown(item: Any) -> str:
    if isinstance(item, str):
        return repr(item)
    return f"{item.name!r} [{item.low:g}, {item.high:g}] {item.unit}".rstrip()
