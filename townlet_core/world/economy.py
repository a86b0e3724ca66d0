"""Money: every credit has a debit, so that the sum over wallets, tills, treasury and supplier never changes."""

from townlet_core.kernels import kernel
from townlet_core.world.events import Event, emit

RENT_PAID, RENT_UNPAID = int(Event.RENT_PAID), int(Event.RENT_UNPAID)


@kernel
def pay(common, agent, amount, shop):  # type: ignore[no-untyped-def]
    """Move ``amount`` from an agent's wallet to a shop's till, or to the treasury when ``shop`` is negative."""
    agent.wallet -= amount
    if shop >= 0:
        common.tills[shop] += amount
    else:
        common.treasury += amount


@kernel
def pay_back(common, agent, amount, shop):  # type: ignore[no-untyped-def]
    """Return what an agent has paid, from the till or, where the day's takings are gone, from the treasury."""
    if shop >= 0 and common.tills[shop] >= amount:
        common.tills[shop] -= amount
    else:
        amount = min(amount, common.treasury)
        common.treasury -= amount
    agent.wallet += amount


@kernel
def pay_wage(common, agent, wage):  # type: ignore[no-untyped-def]
    """Pay one tick's wage out of the treasury; an empty treasury withholds it. Returns whether it was paid."""
    if common.treasury < wage:
        agent.wages_withheld += wage
        return False
    common.treasury -= wage
    agent.wallet += wage
    agent.wages_paid += wage
    return True


@kernel
def collect_rent(town, rules):  # type: ignore[no-untyped-def]
    """Take the day's rent from everybody who is alive; who cannot pay owes nothing but is marked as unpaid."""
    rent = rules.scalars[0].rent
    for i in range(town.agents.shape[0]):
        agent = town.agents[i]
        if not agent.alive:
            continue
        if agent.wallet >= rent:
            agent.unpaid_days = 0
            pay(town.common, agent, rent, -1)
            emit(town.common, town.log, RENT_PAID, i, -1, -1, rent)
        else:
            agent.rent_unpaid += 1
            agent.unpaid_days += 1
            emit(town.common, town.log, RENT_UNPAID, i, -1, -1, rent)


@kernel
def close_tills(town):  # type: ignore[no-untyped-def]
    """Sweep the day's takings of all shops into the treasury."""
    for shop in range(town.common.tills.shape[0]):
        town.common.treasury += town.common.tills[shop]
        town.common.tills[shop] = 0.0
