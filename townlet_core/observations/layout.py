"""Observation layouts: the published names, ranges and units of everything an agent perceives."""

import json
from hashlib import sha256
from typing import Any, NamedTuple, Self

from townlet_core.config import TownConfig
from townlet_core.config.options import OPTION_NAMES
from townlet_core.config.primitives import PRIMITIVE_NAMES
from townlet_core.observations.blocks import BLOCKS
from townlet_core.observations.specs import FeatureSpec

NEAR_CHANNELS = ("terrain", "object", "agent", "reservation")
FAR_CHANNELS = ("path_dy", "path_dx", "own", "activity")
CONTEXT_CUT = "ctx_reset_flag"
"""The feature that tells that the context is cut, and every memory with it: a life begins, or it is cut in mid-life."""
CHANNELS = {"full": (*NEAR_CHANNELS, *FAR_CHANNELS), "hybrid": NEAR_CHANNELS, "compact": ()}
"""Names of the map channels of each variant; four of them share a uint32 in the engine."""

__all__ = ["CHANNELS", "FeatureSpec", "ObservationLayout", "layout_of"]


class ObservationLayout(NamedTuple):
    """How an observation is laid out; its digest tells whether a policy can read it.

    Attributes:
        variant: Name of the layout, such as ``hybrid``.
        window: Side of the square map crop around the agent, in tiles; 0 without a map.
        channels: Names of the map channels, uint8 each.
        features: The entries of the feature vector, float32 each.
        actions: Names of the actions in mask order.
    """

    variant: str
    window: int
    channels: tuple[str, ...]
    features: tuple[FeatureSpec, ...]
    actions: tuple[str, ...]

    @property
    def cells(self) -> int:
        """Bytes of a flattened map."""
        return self.window**2 * len(self.channels)

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


def layout_of(config: TownConfig) -> ObservationLayout:
    """Return the observation layout of a configured town."""
    variant = config.observations.variant
    window = config.observations.local_window if CHANNELS[variant] else 0
    features = tuple(spec for block in BLOCKS for spec in block.features(config))
    actions = PRIMITIVE_NAMES if config.control == "primitives" else OPTION_NAMES
    return ObservationLayout(variant, window, CHANNELS[variant], features, actions)
