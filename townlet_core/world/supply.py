"""Supply: how shelves fill up again, at night or from the truck, and what goes bad on them."""

from townlet_core.kernels import EVENTS, kernel, uniform, uniform_between
from townlet_core.world.events import Event, emit
from townlet_core.world.rules import NIGHTLY, TRUCK

RESTOCK, SPOILED, TRUCK_ARRIVES = int(Event.RESTOCK), int(Event.SPOILED), int(Event.TRUCK_ARRIVES)


@kernel
def _fill(town, rules, f, most):  # type: ignore[no-untyped-def]
    """Bring an object up to ``most`` pieces closer to its capacity, if the treasury can pay the supplier for them."""
    common, fixture = town.common, town.fixtures[f]
    pieces = min(rules.fixtures[f].capacity - fixture.stock, most)
    cost = pieces * rules.fixtures[f].restock_cost
    if pieces <= 0 or common.treasury < cost:
        return
    common.treasury -= cost
    common.supplier += cost
    fixture.stock += pieces
    emit(common, town.log, RESTOCK, -1, f, -1, pieces)


@kernel
def restock(town, rules):  # type: ignore[no-untyped-def]
    """Fill the shelves that are restocked every night up to their capacity."""
    for f in range(town.fixtures.shape[0]):
        if rules.fixtures[f].restock == NIGHTLY:
            _fill(town, rules, f, rules.fixtures[f].capacity)


@kernel
def _await_truck(fixtures):  # type: ignore[no-untyped-def]
    """Return how many objects are supplied by the truck."""
    count = 0
    for f in range(fixtures.shape[0]):
        count += fixtures[f].restock == TRUCK
    return count


@kernel
def plan_truck(town, rules):  # type: ignore[no-untyped-def]
    """Draw whether and when today's truck comes; nothing where nothing waits for it."""
    common, scalars = town.common, rules.scalars[0]
    common.truck_at = -1
    if _await_truck(rules.fixtures) == 0:
        return
    comes = uniform(common.streams, EVENTS) < scalars.truck_probability
    minute = uniform_between(common.streams, EVENTS, scalars.truck_arrives[0], scalars.truck_arrives[1] + 1)
    if comes:
        common.truck_at = common.tick - common.tick % scalars.day + int(minute)


@kernel
def unload_truck(town, rules):  # type: ignore[no-untyped-def]
    """At the tick at which the truck comes, fill what it supplies, so many pieces each."""
    if town.common.tick != town.common.truck_at:
        return
    emit(town.common, town.log, TRUCK_ARRIVES, -1, -1, -1, 0.0)
    for f in range(town.fixtures.shape[0]):
        if rules.fixtures[f].restock == TRUCK:
            _fill(town, rules, f, rules.scalars[0].truck_size)


@kernel
def spoil(town, rules):  # type: ignore[no-untyped-def]
    """Let a share of the stock go bad in the night; the part of a piece that is left over is a piece by chance."""
    for f in range(town.fixtures.shape[0]):
        share, fixture = rules.fixtures[f].spoilage, town.fixtures[f]
        if share <= 0.0:
            continue
        luck = uniform(town.common.streams, EVENTS)
        lost = int(fixture.stock * share + luck)
        if lost > 0:
            fixture.stock -= lost
            emit(town.common, town.log, SPOILED, -1, f, -1, lost)
