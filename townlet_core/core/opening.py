"""Opening: what the configuration says for certain about a town's first tick, laid over what was drawn."""

from townlet_core.kernels import kernel
from townlet_core.world.movement import lift, place
from townlet_core.world.state import EXPECTED, NOBODY


@kernel
def _begin(town, rules, beginning):  # type: ignore[no-untyped-def]
    agent = town.agents[beginning.who]
    for k in range(beginning.needs.shape[0]):
        if beginning.needs[k] >= 0:
            agent.needs[k] = beginning.needs[k]
    for k in range(beginning.personality.shape[0]):
        if beginning.personality[k] >= 0:
            agent.personality[k] = beginning.personality[k]
    if beginning.wallet >= 0:
        agent.wallet = beginning.wallet
    if beginning.ingredients >= 0:
        agent.ingredients = beginning.ingredients
    if beginning.y >= 0:
        lift(town, rules, beginning.who)
        place(town, rules, beginning.who, beginning.y, beginning.x)


@kernel
def _feel(ties, feeling):  # type: ignore[no-untyped-def]
    """Put a feeling into the first free slot; loading saw to it that there is one."""
    for k in range(ties.shape[1]):
        tie = ties[feeling.who, k]
        if tie.other == NOBODY:
            tie.other = feeling.other
            tie.trust = feeling.trust
            tie.familiarity = feeling.familiarity
            tie.rivalry = feeling.rivalry
            return


@kernel
def _await(town, rules, i, ticks):  # type: ignore[no-untyped-def]
    """Leave place ``i`` empty for so many ticks; who takes it then brings along what newcomers do."""
    agent, common = town.agents[i], town.common
    lift(town, rules, i)
    agent.alive = 0
    agent.wallet = 0.0
    agent.ingredients = 0
    agent.arrived_at = EXPECTED
    agent.arrives_at = common.tick + ticks
    common.empty_places += 1


@kernel
def open_town(town, rules, opening):  # type: ignore[no-untyped-def]
    """Make a settled town begin as its opening says; the draws of everybody else stay what they were."""
    for k in range(opening.citizens.shape[0]):
        _begin(town, rules, opening.citizens[k])
    for k in range(opening.feelings.shape[0]):
        _feel(town.ties, opening.feelings[k])
    founders = town.agents.shape[0] - opening.newcomers.shape[0]
    for k in range(opening.newcomers.shape[0]):
        _await(town, rules, founders + k, opening.newcomers[k])
