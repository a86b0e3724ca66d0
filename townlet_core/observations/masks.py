"""Action masks: what an agent may choose now."""

from townlet_core.config.options import OPTION_NAMES
from townlet_core.kernels import kernel
from townlet_core.world.state import FREE

OPTIONS = len(OPTION_NAMES)


@kernel
def write_mask(agent, features, choices, mask):  # type: ignore[no-untyped-def]
    """Write the mask over options: whatever is possible or pursued, and idling; a committed agent has one choice.

    Args:
        agent: The agent.
        features: Its feature vector, float32 [F].
        choices: Where the choices block begins in it.
        mask: bool [options].
    """
    mask[0] = not agent.committed or agent.option == 0
    for option in range(1, OPTIONS):
        pursued = option == agent.option and agent.phase != FREE
        possible = features[choices + 2 * (option - 1)] == 1.0
        mask[option] = pursued if agent.committed else pursued or possible
