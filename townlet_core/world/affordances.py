"""Affordances: which object serves an intention, what a use needs, and what it changes."""

import numpy as np

from townlet_core.kernels import WORLD, kernel, uniform_between
from townlet_core.world.clothes import is_wanted, mend
from townlet_core.world.conditions import first_failing
from townlet_core.world.economy import pay, pay_back
from townlet_core.world.employment import may_work
from townlet_core.world.events import Event, emit
from townlet_core.world.movement import BUSY, STANDING, show_agent, show_reservation
from townlet_core.world.prices import price_of
from townlet_core.world.queues import release
from townlet_core.world.rules import PAY_FIRST, REFUND, WASTE, WORKPLACE_CODE
from townlet_core.world.state import FREE, FRUGALITY, NOBODY, USING
from townlet_core.world.ties import is_rival
from townlet_core.world.weather import ticks_to_walk

START = int(Event.AFFORDANCE_START)
FINISH = int(Event.AFFORDANCE_FINISH)
FAIL = int(Event.AFFORDANCE_FAIL)
PRECONDITION_FAIL = int(Event.AFFORDANCE_PRECONDITION_FAIL)
QUEUE_COST = 15
RIVAL_COST = 60
TICKS_PER_COIN = 30
"""Ticks of walking for which the most frugal would save a coin."""
NO_TARGET = (-1, -1, 65535)
DEAREST = 65534
"""What anything costs at most that can be had at all."""


@kernel
def is_open(town, rules, a):  # type: ignore[no-untyped-def]
    """Say whether affordance ``a`` is within its opening hours."""
    minute = town.common.tick % rules.scalars[0].day
    return rules.affordances[a].opens <= minute < rules.affordances[a].closes


@kernel
def affordable(town, rules, i, a):  # type: ignore[no-untyped-def]
    """Say whether agent ``i`` wants affordance ``a`` and has the money, at today's prices, and the ingredients."""
    rule, agent = rules.affordances[a], town.agents[i]
    payable = agent.wallet >= price_of(town.common.prices, rule) and agent.ingredients >= rule.takes_ingredients
    return payable and is_wanted(rules.scalars[0], agent, rule)


@kernel
def _can_pay(town, rules, i):  # type: ignore[no-untyped-def]
    """Say whether agent ``i`` can pay for what it is heading for, or, once inside, the price that was agreed."""
    agent = town.agents[i]
    if agent.phase != USING:
        return affordable(town, rules, i, agent.affordance)
    rule = rules.affordances[agent.affordance]
    paid = (rule.before & PAY_FIRST) != 0
    return (paid or agent.wallet >= agent.agreed_price) and agent.ingredients >= rule.takes_ingredients


@kernel
def serves(town, rules, i, a, f):  # type: ignore[no-untyped-def]
    """Say whether object ``f`` can serve agent ``i`` with affordance ``a``: access, utility, stock, room."""
    rule, fixture = rules.affordances[np.uintp(a)], rules.fixtures[np.uintp(f)]
    citizen = rules.citizens[np.uintp(i)]
    if fixture.owner >= 0 and fixture.owner != i:
        return False
    if fixture.home >= 0 and fixture.home != citizen.home:
        return False
    if _cooling_down(town, i, f):
        return False
    if fixture.utility >= 0 and not town.common.utilities[fixture.utility]:
        return False
    if rule.gives_meals > 0 and not _room_for_meals(town, rules, citizen.fridge, rule.gives_meals):
        return False
    return town.fixtures[np.uintp(f)].stock >= rule.takes_stock


@kernel
def _cooling_down(town, i, f):  # type: ignore[no-untyped-def]
    """Say whether agent ``i`` used public object ``f`` so lately that it is others' turn."""
    agent = town.agents[i]
    return agent.last_fixture == f and town.common.tick < agent.cooldown_until


@kernel
def _room_for_meals(town, rules, fridge, meals):  # type: ignore[no-untyped-def]
    return fridge >= 0 and town.fixtures[fridge].stock + meals <= rules.fixtures[fridge].capacity


@kernel
def _agent_may(town, rules, i, a):  # type: ignore[no-untyped-def]
    """Say whether the conditions of affordance ``a`` hold that are the same for all objects."""
    rule = rules.affordances[a]
    return rule.first_row == rule.bound_row or first_failing(town, rules, i, 0, rule.first_row, rule.bound_row) < 0


@kernel
def _object_may(town, rules, i, a, f):  # type: ignore[no-untyped-def]
    """Say whether the conditions of affordance ``a`` hold that depend on object ``f``."""
    rule = rules.affordances[a]
    return rule.bound_row == rule.last_row or first_failing(town, rules, i, f, rule.bound_row, rule.last_row) < 0


@kernel
def _steps_to(distance, agent, f):  # type: ignore[no-untyped-def]
    return np.int64(distance[np.uintp(f), np.uintp(agent.y), np.uintp(agent.x)])


@kernel
def _cost(town, rules, i, f, steps):  # type: ignore[no-untyped-def]
    """Return what going to object ``f``, so many steps away, would cost agent ``i``; never less than the steps."""
    fixture = town.fixtures[np.uintp(f)]
    cost = ticks_to_walk(steps, town.common.pause_every) + QUEUE_COST * fixture.waiting
    if fixture.user >= 0 and fixture.user != i:
        cost += QUEUE_COST
        if is_rival(town.ties, i, fixture.user, rules.scalars[0].avoid_threshold):
            cost += RIVAL_COST
    return cost


@kernel
def _listed(lists, rule, home, tile, k):  # type: ignore[no-untyped-def]
    """Return the ``k``-th object to look at: those at home, the nearest public ones, all public ones; -1 for none."""
    if k < rule.per_home:
        return np.int64(lists[rule.at_home + home * rule.home_stride + k]) if home >= 0 else np.int64(-1)
    k -= rule.per_home
    if k < rule.near:
        return np.int64(lists[rule.nearest + tile * rule.near + k])
    return np.int64(lists[rule.public + k - rule.near])


@kernel
def _best_listed(town, rules, i, a):  # type: ignore[no-untyped-def]
    """Return the cheapest object for affordance ``a`` at home or outside as (object, cost), or (-1, 65535).

    An object whose way alone costs more than the best so far is not looked at, nor, from near to far, any after it.
    """
    rule, agent, home = rules.affordances[a], town.agents[i], np.int64(rules.citizens[i].home)
    tile = np.int64(agent.y) * rules.terrain.shape[1] + agent.x
    known = rule.per_home + rule.near
    best, least = np.int64(-1), np.int64(65535)
    for k in range(known + rule.publics):
        f = _listed(rules.lists, rule, home, tile, k)
        if f < 0:
            continue
        steps = _steps_to(rules.distance, agent, f)
        if steps > least:
            if rule.per_home <= k < known:
                break
            continue
        if serves(town, rules, i, a, f):
            cost = _cost(town, rules, i, f, steps)
            if (cost < least or (cost == least and f < best)) and _object_may(town, rules, i, a, f):
                best, least = f, cost
    return best, least


@kernel
def _best_of(town, rules, i, a):  # type: ignore[no-untyped-def]
    """Return the cheapest object for affordance ``a`` as (object, cost), or (-1, 65535)."""
    if rules.affordances[a].type != WORKPLACE_CODE:
        return _best_listed(town, rules, i, a)
    f = np.int64(rules.citizens[i].workplace)
    possible = f >= 0 and may_work(town, rules, i) and _object_may(town, rules, i, a, f)
    if not possible:
        return np.int64(-1), np.int64(65535)
    return f, np.int64(_cost(town, rules, i, f, _steps_to(rules.distance, town.agents[i], f)))


@kernel
def _thrift(town, rules, i, a):  # type: ignore[no-untyped-def]
    """Return what the price of affordance ``a`` weighs for agent ``i`` beside the way there, in ticks."""
    price = price_of(town.common.prices, rules.affordances[a])
    return np.int64(price * town.agents[i].personality[FRUGALITY] * TICKS_PER_COIN)


@kernel
def best_target(town, rules, i, option):  # type: ignore[no-untyped-def]
    """Find where agent ``i`` would go to fulfil an option.

    Returns:
        (object, affordance, cost): cost in ticks of walking and expected waiting, and to the frugal what the price
        weighs; ``NO_TARGET`` if nothing serves.
    """
    best, chosen, least = NO_TARGET
    for k in range(rules.serving.shape[1]):
        a = rules.serving[option, k]
        if a < 0:
            break
        if is_open(town, rules, a) and affordable(town, rules, i, a) and _agent_may(town, rules, i, a):
            f, cost = _best_of(town, rules, i, a)
            if f >= 0 and rules.scalars[0].traits[FRUGALITY]:
                cost = min(cost + _thrift(town, rules, i, a), DEAREST)
            if cost < least:
                best, chosen, least = f, a, cost
    return best, chosen, least


@kernel
def still_possible(town, rules, i):  # type: ignore[no-untyped-def]
    """Say whether the use that agent ``i`` is heading for, or in, can still happen. Closing time ends no use."""
    agent = town.agents[i]
    if rules.affordances[agent.affordance].type == WORKPLACE_CODE:
        return may_work(town, rules, i)
    open_or_inside = agent.phase == USING or is_open(town, rules, agent.affordance)
    return open_or_inside and _can_pay(town, rules, i) and serves(town, rules, i, agent.affordance, agent.target)


@kernel
def _condition_in_the_way(town, rules, i):  # type: ignore[no-untyped-def]
    """Return which precondition of its use fails first for agent ``i`` where it stands; -1 if all hold."""
    rule, f = rules.affordances[town.agents[i].affordance], np.int64(town.agents[i].target)
    if rule.first_row == rule.last_row:
        return -1
    ours = first_failing(town, rules, i, f, rule.first_row, rule.bound_row)
    its = first_failing(town, rules, i, f, rule.bound_row, rule.last_row)
    return max(ours, its) if min(ours, its) < 0 else min(ours, its)


@kernel
def may_begin(town, rules, i):  # type: ignore[no-untyped-def]
    """Say whether the preconditions of its use hold for agent ``i`` where it stands."""
    return _condition_in_the_way(town, rules, i) < 0


@kernel
def begins(town, rules, i):  # type: ignore[no-untyped-def]
    """Say whether agent ``i``, at the object, may begin; the first precondition that does not hold is told."""
    agent = town.agents[i]
    failing = _condition_in_the_way(town, rules, i)
    if failing >= 0:
        agent.failed += 1
        emit(town.common, town.log, PRECONDITION_FAIL, i, agent.target, agent.affordance, failing)
    return failing < 0


@kernel
def start_use(town, rules, i):  # type: ignore[no-untyped-def]
    """Begin the use of the object on whose tile agent ``i`` stands; its length varies by the configured jitter."""
    agent = town.agents[i]
    jitter = rules.scalars[0].jitter
    stretch = uniform_between(town.common.streams, WORLD, 1.0 - jitter, 1.0 + jitter)
    agent.duration = max(1, round(rules.affordances[agent.affordance].duration * stretch))
    agent.agreed_price = price_of(town.common.prices, rules.affordances[agent.affordance])
    agent.progress = 0
    if rules.affordances[agent.affordance].before & PAY_FIRST:
        pay(town.common, agent, agent.agreed_price, rules.affordances[agent.affordance].shop)
    agent.phase = USING
    agent.worked = rules.affordances[agent.affordance].type == WORKPLACE_CODE
    show_agent(town, rules, agent.y, agent.x, BUSY)
    show_reservation(town, rules, agent.target)
    emit(town.common, town.log, START, i, agent.target, agent.affordance, agent.duration)


@kernel
def _regret(town, rules, i):  # type: ignore[no-untyped-def]
    """Do what the manifest says of a use that failed: pay the price back, lose what it would have taken."""
    agent = town.agents[i]
    rule = rules.affordances[agent.affordance]
    if rule.fail & REFUND:
        pay_back(town.common, agent, agent.agreed_price, rule.shop)
    if rule.fail & WASTE:
        agent.ingredients -= min(rule.takes_ingredients, agent.ingredients)
        town.fixtures[agent.target].stock -= min(rule.takes_stock, town.fixtures[agent.target].stock)


@kernel
def end_use(town, rules, i, kind):  # type: ignore[no-untyped-def]
    """Stop using the object, for event ``kind`` (finish or fail), and hand the reservation on."""
    agent = town.agents[i]
    emit(town.common, town.log, kind, i, agent.target, agent.affordance, agent.progress)
    if kind == FAIL:
        _regret(town, rules, i)
    agent.phase = FREE
    rule = rules.fixtures[agent.target]
    if kind == FINISH and rule.home < 0 and rule.owner < 0:
        agent.last_fixture = agent.target
        agent.cooldown_until = town.common.tick + rules.scalars[0].queue_cooldown
    release(town, rules, i)
    show_agent(town, rules, agent.y, agent.x, STANDING)


@kernel
def change_needs(agent, effects):  # type: ignore[no-untyped-def]
    """Add need changes [3] to an agent, within 0 and 1."""
    for k in range(3):
        agent.needs[k] = min(max(agent.needs[k] + effects[k], 0.0), 1.0)


@kernel
def apply_effects(town, rules, i):  # type: ignore[no-untyped-def]
    """Take what a completed use costs and give what it brings."""
    agent = town.agents[i]
    rule = rules.affordances[agent.affordance]
    if not rule.before & PAY_FIRST:
        pay(town.common, agent, agent.agreed_price, rule.shop)
    town.fixtures[agent.target].stock -= rule.takes_stock
    agent.ingredients += rule.gives_ingredients - rule.takes_ingredients
    if rule.gives_meals > 0 and rules.citizens[i].fridge != NOBODY:
        town.fixtures[rules.citizens[i].fridge].stock += rule.gives_meals
    change_needs(agent, rule.effects)
    mend(rules.scalars[0], agent, rule.mends_clothes)
    agent.finished[agent.affordance] += 1


@kernel
def progress_use(town, rules, i):  # type: ignore[no-untyped-def]
    """Go on with a use for one tick.

    Returns:
        0 while it goes on, 1 when it is complete, -1 when it became impossible (an outage, say).
    """
    agent = town.agents[i]
    rule = rules.affordances[agent.affordance]
    agent.progress += 1
    agent.worked = rule.type == WORKPLACE_CODE
    possible = still_possible(town, rules, i)
    if not possible and rule.type != WORKPLACE_CODE:
        agent.failed += 1
        end_use(town, rules, i, FAIL)
        return -1
    change_needs(agent, rule.per_tick)
    if possible and agent.progress < agent.duration:
        return 0
    apply_effects(town, rules, i)
    end_use(town, rules, i, FINISH)
    return 1
