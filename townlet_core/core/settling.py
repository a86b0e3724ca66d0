"""Settling: how a town comes to its first tick."""

from townlet_core.core.opening import open_town
from townlet_core.kernels import WORLD, kernel, refer, uniform, uniform_between
from townlet_core.scheduler.outages import plan_outages, update_utilities
from townlet_core.scheduler.perturbations import plan_perturbations
from townlet_core.world.movement import place, show_reservation
from townlet_core.world.state import NOBODY, Town
from townlet_core.world.supply import plan_truck
from townlet_core.world.weather import set_weather


@kernel(inline=True)
def town_of(state, b):  # type: ignore[no-untyped-def]
    """Return town ``b`` of a batch as kernels see it, by reference."""
    town = Town(
        state.towns[b],
        state.agents[b],
        state.fixtures[b],
        state.ties[b],
        state.occupancy[b],
        state.blocks[b],
        state.cells[b],
        state.log[b],
        state.visits[b],
    )
    return refer(town)


@kernel
def settle_agent(town, rules, i):  # type: ignore[no-untyped-def]
    """Start agent ``i`` on its bed, with needs, money and food drawn from the town's world stream."""
    agent, scalars, streams = town.agents[i], rules.scalars[0], town.common.streams
    for k in range(3):
        agent.needs[k] = uniform_between(streams, WORLD, scalars.initial_need[0], scalars.initial_need[1])
    agent.wallet = uniform_between(streams, WORLD, scalars.initial_wallet[0], scalars.initial_wallet[1])
    portions = scalars.initial_ingredients
    agent.ingredients = int(uniform_between(streams, WORLD, portions[0], portions[1] + 1))
    agent.alive = 1
    agent.context_reset = 1
    agent.target = -1
    agent.affordance = -1
    agent.last_fixture = -1
    agent.partner = NOBODY
    if scalars.clothes_matter:
        agent.clothes = uniform_between(streams, WORLD, scalars.initial_clothes[0], scalars.initial_clothes[1])
    if scalars.relationship_stage > 0:
        for k in range(3):
            agent.personality[k] = uniform(streams, WORLD)
    for k in range(town.ties.shape[1]):
        town.ties[i, k].other = NOBODY
    bed = rules.fixtures[rules.citizens[i].bed]
    place(town, rules, i, bed.y, bed.x)


@kernel
def settle_town(town, rules, opening):  # type: ignore[no-untyped-def]
    """Bring a zeroed town with an empty map to its first tick, as its opening says where that is certain."""
    common = town.common
    common.tick = rules.scalars[0].start_tick
    common.treasury = rules.scalars[0].treasury
    common.utilities[:] = 1
    common.price_moves[:] = 1.0
    common.event_haste = 1.0
    common.event_windows[:] = -1
    set_weather(common, rules, rules.scalars[0].weather_start)
    for f in range(town.fixtures.shape[0]):
        town.fixtures[f].user = NOBODY
        town.fixtures[f].first_waiting = NOBODY
        town.fixtures[f].stock = rules.fixtures[f].stock
        show_reservation(town, rules, f)
    for i in range(town.agents.shape[0]):
        settle_agent(town, rules, i)
    open_town(town, rules, opening)
    plan_truck(town, rules)
    plan_outages(town, rules)
    plan_perturbations(town, rules)
    update_utilities(town, rules)
