"""Operations: what a person may do to a town between two ticks, without breaking anything that the tick relies on."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from townlet_core.agents.options import abandon, finish_option
from townlet_core.core.settling import town_of
from townlet_core.errors import InputError
from townlet_core.kernels import kernel, refer
from townlet_core.lifecycle.exits import remove
from townlet_core.observations.encoder import observe_town
from townlet_core.rewards.terms import end_rewards
from townlet_core.world.affordances import FAIL, end_use
from townlet_core.world.events import Event
from townlet_core.world.grid import WALL
from townlet_core.world.movement import lift, place
from townlet_core.world.prices import set_prices
from townlet_core.world.state import EMPTY_PLACE, FREE, KILLED, NEED_NAMES, NOBODY, TIE_SIDES, USING

if TYPE_CHECKING:
    from townlet_core.core.simulation import Simulation

LOOK, BREAK_OFF, MOVE, REMOVE, REPRICE = range(5)
"""What the kernel does to a citizen; it looks around again in any case."""
CHAT_SUCCESS = int(Event.CHAT_SUCCESS)


class OperationError(InputError):
    """An operation that cannot be done: the town is in the way (conflict), or lacks what it takes (unsupported)."""

    def __init__(self, code: Literal["conflict", "unsupported"], message: str) -> None:
        """Say what stands in the way, and of which kind it is."""
        super().__init__(message)
        self.code = code


@kernel
def _break_off(town, rules, i):  # type: ignore[no-untyped-def]
    """End what agent ``i`` is doing: a use fails, a place in a queue is given up, reservations go to the next."""
    agent = town.agents[i]
    if agent.phase == USING:
        agent.failed += 1
        end_use(town, rules, i, FAIL)
        finish_option(agent, 0)
    elif agent.phase != FREE and agent.target >= 0:
        abandon(town, rules, i)
    else:
        finish_option(agent, 0)
    agent.context_reset = 1


@kernel(entry=True)
def operate(state: Any, rules: Any, out: Any, b: int, i: int, what: int, y: int, x: int) -> None:
    """Break off, move to a free tile or remove agent ``i`` of town ``b``, or reprice, then observe the town anew."""
    town, book = town_of(state, b), refer(rules)
    if what in (BREAK_OFF, MOVE):
        _break_off(town, book, i)
    if what == MOVE:
        lift(town, book, i)
        place(town, book, i, y, x)
    if what == REMOVE:
        end_rewards(town, book, i)
        remove(town, book, i, KILLED)
    if what == REPRICE:
        set_prices(town.common, book)
    observe_town(town, book, out.maps[b], out.features[b], out.masks[b])


def break_off(sim: "Simulation", town: int, agent: int) -> None:
    """End what a citizen is doing; it decides anew at the next tick. A use in progress fails.

    Raises:
        OperationError: The citizen is gone.
    """
    _require_alive(sim, town, agent)
    sim.operate(town, agent, BREAK_OFF)


def hand_over(sim: "Simulation", town: int, agent: int) -> None:
    """Let somebody else choose for a citizen: what it wanted is over, and its next observation says so.

    A use in progress goes on.

    Raises:
        OperationError: The citizen is gone.
    """
    _require_alive(sim, town, agent)
    sim.agents["context_reset"][town, agent] = 1
    sim.operate(town, agent, LOOK if sim.agents["phase"][town, agent] == USING else BREAK_OFF)


def teleport(sim: "Simulation", town: int, agent: int, x: int, y: int) -> None:
    """Put a citizen on a free tile; what it was doing is broken off.

    Raises:
        OperationError: The citizen is gone, or the tile is off the map, a wall, an object's or somebody's.
    """
    _require_alive(sim, town, agent)
    height, width = sim.rules.terrain.shape
    if not (0 <= x < width and 0 <= y < height):
        raise OperationError("conflict", f"({x}, {y}) is off the map; it is {width} tiles wide and {height} high")
    if sim.rules.terrain[y, x] == WALL:
        raise OperationError("conflict", f"({x}, {y}) is a wall; choose a free tile")
    if sim.rules.fixture_at[y, x] != NOBODY:
        thing = sim.names.fixtures[sim.rules.fixture_at[y, x]]
        raise OperationError("conflict", f"{thing} stands on ({x}, {y}); choose a free tile beside it")
    there = int(sim.state.occupancy[town, y, x])
    if there not in (NOBODY, agent):
        raise OperationError("conflict", f"{_called(sim, town, there)} stands on ({x}, {y}); choose a free tile")
    sim.operate(town, agent, MOVE, y, x)


def invite(sim: "Simulation", town: int) -> int:
    """Let a newcomer take an empty place as soon as nobody stands on its bed: one that nobody would take, if there is.

    Returns:
        The number of the place.

    Raises:
        OperationError: Every place is taken.
    """
    agents, common = sim.agents[town], sim.state.towns[town]
    empty = np.flatnonzero(agents["alive"] == 0)
    if not len(empty):
        raise OperationError("conflict", f"all {len(agents)} places are taken; the town's file says how many there are")
    forgotten = empty[agents["arrives_at"][empty] == EMPTY_PLACE]
    place = int(forgotten[0]) if len(forgotten) else int(empty[0])
    common["empty_places"] += len(forgotten) > 0
    agents["arrives_at"][place] = common["tick"] + 1
    return place


def kill(sim: "Simulation", town: int, agent: int) -> None:
    """Take a citizen out of the town at once; whatever it held or waited for goes to the next.

    Raises:
        OperationError: The citizen is gone already.
    """
    _require_alive(sim, town, agent)
    sim.operate(town, agent, REMOVE)


def set_needs(sim: "Simulation", town: int, agent: int, needs: Mapping[str, float]) -> None:
    """Set some needs, 0 (desperate) to 1 (satisfied).

    Raises:
        OperationError: The citizen is gone.
    """
    _require_alive(sim, town, agent)
    for name, level in needs.items():
        sim.agents["needs"][town, agent, NEED_NAMES.index(name)] = level
    sim.operate(town, agent, LOOK)


def set_wallet(sim: "Simulation", town: int, agent: int, amount: float) -> None:
    """Set what a citizen has; the difference comes from the treasury or goes to it, since no coin is made.

    Raises:
        OperationError: The citizen is gone, or the treasury has too little.
    """
    _require_alive(sim, town, agent)
    change = amount - float(sim.agents["wallet"][town, agent])
    treasury = float(sim.state.towns["treasury"][town])
    if change > treasury:
        raise OperationError("conflict", f"the treasury has {treasury:.2f}, not {change:.2f}; ask for less")
    sim.agents["wallet"][town, agent] += change
    sim.state.towns["treasury"][town] -= change
    sim.operate(town, agent, LOOK)


def set_price(sim: "Simulation", town: int, key: int, value: float) -> float:
    """Set what a price key costs now; at night it wanders on from there. Returns what it cost before.

    Raises:
        OperationError: What is free has no price that could move.
    """
    common = sim.state.towns[town]
    before = float(common["prices"][key])
    if before <= 0.0:
        raise OperationError(
            "unsupported", f"{sim.names.prices[key]} is free in this town; give it a price in its file"
        )
    common["price_moves"][key] *= value / before
    sim.operate(town, 0, REPRICE)
    return before


def converse(sim: "Simulation", town: int, speaker: int, listener: int, quality: float) -> None:
    """Let a talk have gone well: it is the first event of the next tick, and moves ties and rewards as any other.

    Raises:
        OperationError: One of them is gone, they are the same, or the town keeps no ties.
    """
    _require_pair(sim, town, speaker, listener)
    common, log = sim.state.towns[town], sim.state.log[town]
    count = int(common["event_count"])
    if count >= log.shape[0]:
        raise OperationError("conflict", "the log of this tick is full; advance a tick first")
    row = (common["tick"], common["number"], CHAT_SUCCESS, speaker, -1, listener, quality)
    log[count] = np.array(row, log.dtype)
    common["event_count"] = count + 1
    sim.agents["chats"][town, [speaker, listener]] += 1


def set_tie(sim: "Simulation", town: int, agent: int, other: int, sides: Mapping[str, float]) -> None:
    """Set sides of what two citizens feel about each other: trust and familiarity -1..1, rivalry 0..1.

    Raises:
        OperationError: One of them is gone, they are the same, the town keeps no ties, or one keeps as many as it can.
    """
    _require_pair(sim, town, agent, other)
    slots = [_slot(sim, town, one, two) for one, two in ((agent, other), (other, agent))]
    for one, two, slot in zip((agent, other), (other, agent), slots, strict=True):
        tie = sim.state.ties[town, one, slot]
        if tie["other"] != two:
            tie["other"] = two
            for side in TIE_SIDES:
                tie[side] = 0.0
        for side, value in sides.items():
            tie[side] = value
    sim.operate(town, agent, LOOK)


def _slot(sim: "Simulation", town: int, agent: int, other: int) -> int:
    """Find the slot of a tie, else a free one."""
    others = sim.state.ties["other"][town, agent]
    for wanted in (other, NOBODY):
        found = np.flatnonzero(others == wanted)
        if len(found):
            return int(found[0])
    raise OperationError(
        "conflict", f"{_called(sim, town, agent)} keeps {len(others)} ties already; raise relationships.max_ties"
    )


def _called(sim: "Simulation", town: int, agent: int) -> str:
    return sim.people(town)[agent]


def _require_alive(sim: "Simulation", town: int, agent: int) -> None:
    if not sim.agents["alive"][town, agent]:
        raise OperationError("conflict", f"{_called(sim, town, agent)} is gone")


def _require_pair(sim: "Simulation", town: int, one: int, other: int) -> None:
    if not sim.state.ties.shape[2]:
        reason = "the town keeps no ties; set stages.relationships to A or B"
        raise OperationError("unsupported", reason)
    if one == other:
        raise OperationError("conflict", f"{_called(sim, town, one)} twice; name two citizens")
    _require_alive(sim, town, one)
    _require_alive(sim, town, other)
