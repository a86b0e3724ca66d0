"""Outcome: what a step gives to whoever let the towns live it."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from townlet_core.world.events import EVENT_DTYPE


class Observation(NamedTuple):
    """What B x N agents perceive; views into buffers that the next step overwrites.

    Attributes:
        map: uint8 [B, N, w, w, channels]; [B, N, 0, 0, 0] in the compact variant.
        features: float32 [B, N, F].
        mask: bool [B, N, actions]; a committed agent has one choice.
    """

    map: npt.NDArray[np.uint8]
    features: npt.NDArray[np.float32]
    mask: npt.NDArray[np.bool_]


class EventBatch(NamedTuple):
    """The events of one tick of a batch, gathered only when somebody reads them."""

    log: npt.NDArray[Any]
    counts: npt.NDArray[np.int32]

    @property
    def rows(self) -> npt.NDArray[Any]:
        """The rows of all towns in town order, records of ``EVENT_DTYPE``."""
        keep = np.arange(self.log.shape[1]) < self.counts[:, None]
        rows: npt.NDArray[Any] = self.log[keep].view(EVENT_DTYPE)
        return rows


class Step(NamedTuple):
    """What a tick brought.

    Attributes:
        observation: The new observation.
        reward: float32 [B, N].
        terminated: bool [B, N], true in the tick that ends an agent's life.
        truncated: bool [B], true when the episode's time is up.
        events: The events of the tick.
    """

    observation: Observation
    reward: npt.NDArray[np.float32]
    terminated: npt.NDArray[np.bool_]
    truncated: npt.NDArray[np.bool_]
    events: EventBatch
