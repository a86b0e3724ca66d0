"""Neighbours: who is near, without asking everybody.

The map is divided into blocks of 8 x 8 tiles. Each block heads a chain of the agents in it, linked through the agents'
own records, so that finding those near costs as much as there are people near, however many the town has.
"""

from townlet_core.kernels import kernel
from townlet_core.world.state import BLOCK_SHIFT, NOBODY


@kernel
def enter_block(agents, blocks, i):  # type: ignore[no-untyped-def]
    """Put agent ``i`` at the head of the chain of the block in which it stands."""
    agent = agents[i]
    row, column = agent.y >> BLOCK_SHIFT, agent.x >> BLOCK_SHIFT
    first = blocks[row, column]
    agent.next_near = first
    agent.previous_near = NOBODY
    if first >= 0:
        agents[first].previous_near = i
    blocks[row, column] = i


@kernel
def leave_block(agents, blocks, i):  # type: ignore[no-untyped-def]
    """Take agent ``i`` out of the chain of the block in which it stands."""
    agent = agents[i]
    before, after = agent.previous_near, agent.next_near
    if before >= 0:
        agents[before].next_near = after
    else:
        blocks[agent.y >> BLOCK_SHIFT, agent.x >> BLOCK_SHIFT] = after
    if after >= 0:
        agents[after].previous_near = before


@kernel
def same_block(agent, y, x):  # type: ignore[no-untyped-def]
    """Say whether a tile lies in the block in which an agent stands."""
    return agent.y >> BLOCK_SHIFT == y >> BLOCK_SHIFT and agent.x >> BLOCK_SHIFT == x >> BLOCK_SHIFT
