"""Action masks: what an agent may choose now."""

from townlet_core.agents.primitives import (
    CHAT,
    FIRST_MOVE,
    FIRST_REQUEST,
    LAST_REQUEST,
    RELEASE,
    START,
    WAIT,
    may_release,
    may_start,
    neighbour,
    target_in_reach,
)
from townlet_core.config.options import OPTION_NAMES
from townlet_core.kernels import kernel
from townlet_core.world.movement import may_step
from townlet_core.world.state import FREE, USING

OPTIONS = len(OPTION_NAMES)


@kernel
def _mask_options(agent, features, choices, mask):  # type: ignore[no-untyped-def]
    """Allow whatever is possible or pursued, and idling; a committed agent has one choice."""
    mask[0] = not agent.committed or agent.option == 0
    for option in range(1, OPTIONS):
        pursued = option == agent.option and agent.phase != FREE
        possible = features[choices + 2 * (option - 1)] == 1.0
        mask[option] = pursued if agent.committed else pursued or possible


@kernel
def _mask_primitives(town, rules, i, mask):  # type: ignore[no-untyped-def]
    """Allow the steps that can have an effect, and waiting; whoever uses something or is called away has one choice."""
    agent = town.agents[i]
    mask[:] = False
    mask[WAIT] = True
    if agent.phase == USING or agent.meeting:
        return
    for d in range(4):
        mask[FIRST_MOVE + d] = may_step(town, rules, i, d)
    for action in range(FIRST_REQUEST, LAST_REQUEST + 1):
        option = action - FIRST_REQUEST + 1
        mask[action] = agent.phase == FREE and target_in_reach(town, rules, i, option)[0] >= 0
    mask[START] = may_start(town, rules, i)
    mask[RELEASE] = may_release(agent)
    mask[CHAT] = neighbour(town, rules, i) >= 0


@kernel
def write_mask(town, rules, i, features, choices, mask):  # type: ignore[no-untyped-def]
    """Write what agent ``i`` may choose, options or primitives.

    Args:
        town: The town.
        rules: Its rules.
        i: The agent.
        features: Its feature vector, float32 [F].
        choices: Where the choices block begins in it.
        mask: bool [actions].
    """
    if rules.scalars[0].primitives:
        _mask_primitives(town, rules, i, mask)
    else:
        _mask_options(town.agents[i], features, choices, mask)
