"""What agents perceive and choose from, as Gymnasium spaces."""

import numpy as np
from gymnasium import spaces

from townlet_core.observations.layout import ObservationLayout


def observation_space(layout: ObservationLayout) -> spaces.Dict:
    """Return the space of one agent's observation.

    ``map`` is uint8 [w, w, channels], ``features`` float32 [F] within the ranges of the layout, ``action_mask``
    int8 [options] with 1 for what the agent may choose.
    """
    crop = (layout.window, layout.window, len(layout.channels))
    return spaces.Dict(
        {
            "map": spaces.Box(0, 255, crop, np.uint8),
            "features": feature_space(layout, agents=1),
            "action_mask": spaces.Box(0, 1, (len(layout.actions),), np.int8),
        }
    )


def feature_space(layout: ObservationLayout, agents: int) -> spaces.Box:
    """Return the space of the feature vectors of some agents, one after another: float32 [agents * F].

    An agent that has left the town shows zeros, so every range holds zero.
    """
    low = np.array([min(spec.low, 0.0) for spec in layout.features] * agents, np.float32)
    high = np.array([max(spec.high, 0.0) for spec in layout.features] * agents, np.float32)
    return spaces.Box(low, high, dtype=np.float32)


def action_space(layout: ObservationLayout) -> spaces.Discrete:
    """Return the space of one agent's choice: the number of an option in mask order."""
    return spaces.Discrete(len(layout.actions))
