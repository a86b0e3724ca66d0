"""The tick: one minute in the life of a town, as functions called in order."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from townlet_core.agents.company import note_company
from townlet_core.agents.needs import decay_needs
from townlet_core.agents.options import choose, pursue_option, yield_commitment
from townlet_core.agents.primitives import take_primitive
from townlet_core.agents.ties import update_ties
from townlet_core.core.settling import settle_town, town_of
from townlet_core.kernels import kernel, refer
from townlet_core.lifecycle.arrivals import welcome_newcomers
from townlet_core.lifecycle.exits import remove
from townlet_core.lifecycle.verdicts import CONTENT, begin_day, note_hardship, verdict
from townlet_core.observations.encoder import observe_town
from townlet_core.rewards.curiosity import note_milestones
from townlet_core.rewards.shaping import note_potentials
from townlet_core.rewards.social import value_company
from townlet_core.rewards.terms import end_rewards, reward_tick
from townlet_core.scheduler.outages import plan_outages, update_utilities
from townlet_core.scheduler.perturbations import advance_perturbations, plan_perturbations
from townlet_core.world.clothes import wear_clothes
from townlet_core.world.dismissal import process_dismissals
from townlet_core.world.economy import close_tills, collect_rent
from townlet_core.world.employment import advance_shift, minute_of_day
from townlet_core.world.events import Event, begin_log, emit
from townlet_core.world.prices import move_prices
from townlet_core.world.state import STAYS
from townlet_core.world.supply import plan_truck, restock, spoil, unload_truck
from townlet_core.world.weather import turn_weather

NIGHTLY_RESET = int(Event.NIGHTLY_RESET)


class Outputs(NamedTuple):
    """What a step writes, for B towns with N agents.

    Attributes:
        maps: uint32 [B, N, w * w * planes], four uint8 channels packed; no planes in the compact variant.
        features: float32 [B, N, F].
        masks: bool [B, N, actions].
        rewards: float32 [B, N].
        terms: float32 [B, N, 9], the reward's terms.
        terminated: bool [B, N], true in the tick that ends a life.
        truncated: bool [B], true when the episode's time is up.
    """

    maps: npt.NDArray[np.uint32]
    features: npt.NDArray[np.float32]
    masks: npt.NDArray[np.bool_]
    rewards: npt.NDArray[np.float32]
    terms: npt.NDArray[np.float32]
    terminated: npt.NDArray[np.bool_]
    truncated: npt.NDArray[np.bool_]


@kernel
def take_steps(town, rules, actions):  # type: ignore[no-untyped-def]
    """Let everybody take the step that it chose; who goes first changes with the tick."""
    size = town.agents.shape[0]
    for turn in range(size):
        i = (turn + town.common.tick) % size
        if town.agents[i].alive:
            take_primitive(town, rules, i, actions[i])


@kernel
def act(town, rules, actions):  # type: ignore[no-untyped-def]
    """Let everybody choose, then do one tick of what they chose; who goes first changes with the tick."""
    if rules.scalars[0].primitives:
        take_steps(town, rules, actions)
        return
    size = town.agents.shape[0]
    for i in range(size):
        if town.agents[i].alive and not town.agents[i].committed:
            choose(town, rules, i, actions[i])
    for turn in range(size):
        i = (turn + town.common.tick) % size
        if town.agents[i].alive:
            pursue_option(town, rules, i)


@kernel
def live(town, rules):  # type: ignore[no-untyped-def]
    """Let needs run down and shifts go on."""
    for i in range(town.agents.shape[0]):
        agent = town.agents[i]
        if agent.alive:
            if decay_needs(rules, agent, town.common.event_haste):
                yield_commitment(agent)
            note_hardship(rules, agent)
            advance_shift(town, rules, i)
    process_dismissals(town, rules)


@kernel
def reset_nightly(town, rules):  # type: ignore[no-untyped-def]
    """At midnight: rent, tills, what the night does to stock, clothes and prices; and the new day's luck is drawn."""
    collect_rent(town, rules)
    close_tills(town)
    spoil(town, rules)
    restock(town, rules)
    wear_clothes(town, rules)
    move_prices(town, rules)
    plan_truck(town, rules)
    plan_outages(town, rules)
    plan_perturbations(town, rules)
    begin_day(town, rules)
    emit(town.common, town.log, NIGHTLY_RESET, -1, -1, -1, 0.0)


@kernel
def _tally(agent):  # type: ignore[no-untyped-def]
    agent.ticks += 1
    agent.satisfied_ticks += min(agent.needs[0], agent.needs[1], agent.needs[2]) > CONTENT


@kernel
def judge(town, rules, rewards, terms, terminated):  # type: ignore[no-untyped-def]
    """Decide who leaves, and what the tick was worth to each agent."""
    for i in range(town.agents.shape[0]):
        agent = town.agents[i]
        rewards[i] = 0.0
        terms[i, :] = 0.0
        terminated[i] = False
        if not agent.alive:
            continue
        reason = verdict(town, rules, i)
        terminated[i] = reason != STAYS
        _tally(agent)
        rewards[i] = reward_tick(town, rules, i, reason, terms[i])
        if terminated[i]:
            end_rewards(town, rules, i)
            remove(town, rules, i, reason)


@kernel
def advance_town(town, rules, actions, rewards, terms, terminated):  # type: ignore[no-untyped-def]
    """Live one tick of one town."""
    common = town.common
    common.tick += 1
    begin_log(common, town.log)
    advance_perturbations(town, rules)
    turn_weather(town, rules)
    note_potentials(town, rules)
    update_utilities(town, rules)
    unload_truck(town, rules)
    act(town, rules, actions)
    live(town, rules)
    if minute_of_day(town, rules) == 0:
        reset_nightly(town, rules)
    note_company(town, rules)
    update_ties(town, rules)
    value_company(town, rules)
    note_milestones(town, rules)
    judge(town, rules, rewards, terms, terminated)
    welcome_newcomers(town, rules)
    common.events_told = common.event_count
    common.truncated = common.tick - rules.scalars[0].start_tick >= rules.scalars[0].episode_ticks


@kernel(entry=True)
def reset_towns(low: int, high: int, state: Any, rules: Any, opening: Any, asked: Any, out: Outputs) -> None:
    """Settle and observe those of towns ``low`` to ``high`` that ``asked`` bool [B] names."""
    book = refer(rules)
    for b in range(low, high):
        if not asked[b]:
            continue
        town = town_of(state, b)
        settle_town(town, book, opening)
        observe_town(town, book, out.maps[b], out.features[b], out.masks[b])


@kernel(entry=True)
def step_towns(low: int, high: int, state: Any, rules: Any, actions: Any, out: Outputs, observe: bool) -> None:
    """Advance towns ``low`` to ``high`` by a tick with ``actions`` int8 [B, N] and, if asked, observe them."""
    book = refer(rules)
    for b in range(low, high):
        town = town_of(state, b)
        advance_town(town, book, actions[b], out.rewards[b], out.terms[b], out.terminated[b])
        out.truncated[b] = town.common.truncated
        if observe:
            observe_town(town, book, out.maps[b], out.features[b], out.masks[b])
