"""Observation layouts: the published names, ranges and units of everything an agent perceives."""

import json
from hashlib import sha256
from typing import Any, NamedTuple, Self

from townlet_core.config import TownConfig
from townlet_core.config.options import OPTION_NAMES
from townlet_core.world.state import NEED_NAMES, PERSONALITY_NAMES, PHASE_NAMES, SHIFT_NAMES, UTILITY_NAMES

CHANNELS = ("terrain", "object", "agent", "reservation")
CIRCLE = 2
"""Friends, and likewise rivals, that an agent sees."""
DIRECTIONS = ("north", "east", "south", "west")


class FeatureSpec(NamedTuple):
    """One entry of the feature vector: its name, its range, and what one unit of it means."""

    name: str
    low: float
    high: float
    unit: str


class ObservationLayout(NamedTuple):
    """How an observation is laid out; its digest tells whether a policy can read it.

    Attributes:
        variant: Name of the layout, such as ``hybrid``.
        window: Side of the square map crop around the agent, in tiles.
        channels: Names of the map channels, uint8 each.
        features: The entries of the feature vector, float32 each.
        actions: Names of the options in mask order.
    """

    variant: str
    window: int
    channels: tuple[str, ...]
    features: tuple[FeatureSpec, ...]
    actions: tuple[str, ...]

    def to_json(self) -> str:
        """Return the layout as canonical JSON."""
        body = {**self._asdict(), "features": [spec._asdict() for spec in self.features]}
        return json.dumps(body, sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read a layout back from ``to_json``."""
        body: dict[str, Any] = json.loads(text)
        features = tuple(FeatureSpec(**spec) for spec in body["features"])
        return cls(body["variant"], body["window"], tuple(body["channels"]), features, tuple(body["actions"]))

    @property
    def digest(self) -> str:
        """The SHA-256 of the layout's canonical JSON."""
        return sha256(self.to_json().encode()).hexdigest()


def _shares(unit: str, *names: str) -> list[FeatureSpec]:
    return [FeatureSpec(name, 0.0, 1.0, unit) for name in names]


def _body() -> list[FeatureSpec]:
    return [
        *_shares("1 = satisfied", *(f"need_{name}" for name in NEED_NAMES)),
        *_shares("of 50 coins", "wallet"),
        *_shares("of 5 coins", "wallet_small"),
        *_shares("of 16 portions", "ingredients"),
        *_shares("of the fridge's capacity", "home_meals"),
        *_shares("flag", *(f"{name}_on" for name in UTILITY_NAMES)),
    ]


def _time() -> list[FeatureSpec]:
    return [
        FeatureSpec("time_sin", -1.0, 1.0, "sine of the day's angle"),
        FeatureSpec("time_cos", -1.0, 1.0, "cosine of the day's angle"),
        *_shares("of 120 minutes", "minutes_to_shift"),
        *_shares("of the shift", "shift_progress"),
        *_shares("of the episode", "episode_progress"),
    ]


def _work() -> list[FeatureSpec]:
    return [
        *_shares("of 60 minutes", "lateness"),
        *_shares("share of scheduled ticks", "attendance_ratio"),
        *_shares("of 10 coins", "wages_withheld"),
        *_shares("flag", *(f"shift_{name}" for name in SHIFT_NAMES)),
    ]


def _option() -> list[FeatureSpec]:
    return [
        *_shares("flag", *(f"option_{name}" for name in OPTION_NAMES)),
        *_shares("flag", *(f"phase_{name}" for name in PHASE_NAMES)),
        *_shares("of 180 minutes", "option_elapsed"),
        *_shares("of the use", "use_progress"),
        *_shares("flag", "last_success"),
        *_shares("of 180 minutes", "last_duration"),
        *_shares("flag", "ctx_reset_flag", "on_object", "at_home"),
    ]


def _hints() -> list[FeatureSpec]:
    return _shares("1 = leads to the target", *(f"path_hint_{name}" for name in DIRECTIONS))


def _choices() -> list[FeatureSpec]:
    parts = []
    for name in OPTION_NAMES[1:]:
        parts += _shares("flag", f"{name}_possible")
        parts += _shares("of 128 ticks of walking and waiting", f"{name}_cost")
    return parts


def _social() -> list[FeatureSpec]:
    parts = [*_shares("0..1", *PERSONALITY_NAMES), *_shares("flag", "may_chat")]
    for circle in ("friend", "rival"):
        for rank in range(1, CIRCLE + 1):
            name = f"{circle}_{rank}"
            parts += _shares("flag", f"{name}_known")
            parts += [FeatureSpec(f"{name}_{side}", -1.0, 1.0, "of a tie") for side in ("trust", "familiarity")]
            parts += _shares("of a tie", f"{name}_rivalry")
            parts += _shares("flag", f"{name}_near")
            parts += [FeatureSpec(f"{name}_{axis}", -1.0, 1.0, "of half the window") for axis in ("dy", "dx")]
    parts += [FeatureSpec("trust_mean", -1.0, 1.0, "over ties"), FeatureSpec("trust_max", -1.0, 1.0, "over ties")]
    return parts + _shares("over ties", "rivalry_mean", "rivalry_max")


def hybrid_layout(window: int, *, social: bool = False) -> ObservationLayout:
    """Return the layout of the ``hybrid`` variant: a map crop of side ``window`` and the feature vector.

    Args:
        window: Side of the crop in tiles.
        social: Whether the agent sees its personality and its ties.
    """
    features = (*_body(), *_time(), *_work(), *_option(), *_hints(), *_choices(), *(_social() if social else ()))
    return ObservationLayout("hybrid", window, CHANNELS, features, OPTION_NAMES)


def layout_of(config: TownConfig) -> ObservationLayout:
    """Return the observation layout of a configured town."""
    return hybrid_layout(config.observations.local_window, social=config.stages.relationships == "B")
