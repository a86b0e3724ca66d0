"""Layouts to test with: those of the default town, with a smaller window perhaps."""

from pathlib import Path

from townlet_core.config import load_config
from townlet_core.observations.layout import ObservationLayout, layout_of

TOWN = Path(__file__).resolve().parents[1] / "configs" / "towns" / "default.yaml"


def small_layout(window: int, variant: str = "hybrid", relationships: str = "OFF") -> ObservationLayout:
    """The layout of the default town seen through a window of that many tiles."""
    observations = {"variant": variant, "local_window": window}
    changes = {"observations": observations, "stages": {"relationships": relationships, "social_rewards": "OFF"}}
    return layout_of(load_config(TOWN, {"config_id": f"default-{variant}-1", **changes}))
