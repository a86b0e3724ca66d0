"""Schema 3: joining a queue is counted apart from conflicts. Until then it was what counted as one."""

import numpy as np

from townlet_core.core.statefile import StateFile
from townlet_core.snapshots.lives import lay_over
from townlet_core.world.state import AGENT_DTYPE


def waits(stored: StateFile) -> StateFile:
    """Count what a file of schema 2 calls conflicts as queues joined; of conflicts it tells nothing."""
    old = stored.arrays["state.agents"]
    agents = np.zeros(old.shape, AGENT_DTYPE)
    lay_over(agents, old)
    agents["queue_waits"], agents["conflicts"] = old["conflicts"], 0
    return StateFile({**stored.header, "schema_version": 3}, {**stored.arrays, "state.agents": agents})
