"""Settling: how a town comes to its first tick."""

from townlet_core.core.opening import open_town
from townlet_core.kernels import WORLD, kernel, refer, uniform_between
from townlet_core.lifecycle.arrivals import begin_life
from townlet_core.lifecycle.traits import draw_rotation
from townlet_core.scheduler.outages import plan_outages, update_utilities
from townlet_core.scheduler.perturbations import plan_perturbations
from townlet_core.world.movement import show_reservation
from townlet_core.world.state import NOBODY, Town
from townlet_core.world.supply import plan_truck
from townlet_core.world.weather import set_weather

LONG_AGO = -(2**30)
"""A tick so long ago that no pause or grace reaches from it to the present."""


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
    begin_life(town, rules, i)
    agent.wallet = uniform_between(streams, WORLD, scalars.initial_wallet[0], scalars.initial_wallet[1])
    portions = scalars.initial_ingredients
    agent.ingredients = int(uniform_between(streams, WORLD, portions[0], portions[1] + 1))


@kernel
def begin_history(common, scalars):  # type: ignore[no-untyped-def]
    """Set the latest exit to long ago, and the switches of a town to the configured ones."""
    common.exit_at = LONG_AGO
    common.mortality = scalars.mortality
    common.job_exit_cap = scalars.job_exit_cap
    common.arrival_delay[0] = scalars.arrival_delay[0]
    common.arrival_delay[1] = scalars.arrival_delay[1]


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
    begin_history(common, rules.scalars[0])
    if rules.scalars[0].relationship_stage > 0:
        draw_rotation(town, rules)
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
