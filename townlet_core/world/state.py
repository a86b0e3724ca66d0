"""The state of a batch of towns: a handful of record arrays with the town as leading axis.

A record array holds every field of one agent side by side, so that a rule touches one cache line, a kernel takes one
argument per kind of thing, and a snapshot is these arrays and nothing else.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from townlet_core.config.affordances import MAX_AFFORDANCES, MAX_SHOPS
from townlet_core.config.economy import MAX_PRICES
from townlet_core.config.lifecycle import MAX_SLOTS
from townlet_core.config.personality import TRAIT_NAMES
from townlet_core.config.perturbations import MAX_EVENT_SPECS, MAX_EVENTS
from townlet_core.world.events import EVENT_DTYPE

NEED_NAMES = ("hunger", "hygiene", "energy")
HUNGER, HYGIENE, ENERGY = 0, 1, 2

UTILITY_NAMES = ("power", "water")
SHIFT_NAMES = ("off", "pre", "await_start", "on_time", "late", "absent", "post")
SHIFT_OFF, SHIFT_PRE, SHIFT_AWAIT, SHIFT_ON_TIME, SHIFT_LATE, SHIFT_ABSENT, SHIFT_POST = range(7)

NO_EXIT, EXIT_PENDING, EXIT_APPROVED, EXIT_DEFERRED = range(4)
"""How far the dismissal of an agent has come; who is approved or deferred is dealt with at the next tick."""
WEEK = 7
SHIFTS_KEPT = 14

EXIT_NAMES = (
    "stays", "faint", "collapse", "exposure", "eviction", "unemployment", "chronic_need", "age_out", "killed",
)  # fmt: skip
STAYS, FAINTED, COLLAPSED, EXPOSED, EVICTED, UNEMPLOYED, IN_NEED, AGED_OUT, KILLED = range(9)
"""Why a life in the town ended."""
EMPTY_PLACE = -1
EXPECTED = -1
"""When somebody arrived who is to come for the first time: it has its number and slot, and no life yet."""

PHASE_NAMES = ("free", "walking", "waiting", "using")
FREE, WALKING, WAITING, USING = range(4)

REWARD_TERMS = (
    "survival",
    "needs",
    "wage",
    "punctuality",
    "social",
    "curiosity",
    "shaping",
    "terminal",
    "clip",
)
SQUARE = 4
"""Side in tiles of the squares in which curiosity counts an agent's steps."""
EXTROVERSION, FORGIVENESS, AMBITION, PATIENCE, FRUGALITY = range(5)
TRAITS = len(TRAIT_NAMES)
TIE_SIDES = ("trust", "familiarity", "rivalry")
OUTAGES = 20
NOBODY = -1
BLOCK_SHIFT = 3
"""A block of the map is 2 ** 3 tiles wide and high."""

EVENT_PHASE_NAMES = ("free", "asked", "lasting", "cancelled")
EVENT_FREE, EVENT_ASKED, EVENT_LASTING, EVENT_CANCELLED = range(4)


def _record(fields: list[tuple[Any, ...]]) -> np.dtype[Any]:
    return np.dtype((np.record, np.dtype(fields, align=True)))


AGENT_DTYPE = _record(
    [
        ("needs", "f4", (3,)),  # 1 = satisfied, 0 = empty
        ("wallet", "f8"),
        ("wages_withheld", "f8"),
        ("episode_reward", "f8"),
        ("reward_sum", "f8"),
        ("personality", "f4", (TRAITS,)),  # each 0..1; 0 for what nobody has here
        ("y", "i2"),
        ("x", "i2"),
        ("target", "i2"),
        ("ingredients", "i2"),
        ("option_ticks", "i4"),  # since the option was chosen
        ("progress", "i4"),
        ("duration", "i4"),
        ("queued_at", "i4"),
        ("waited_in_vain", "i4"),  # ticks spent in queues that did not serve it, since one last did
        ("last_duration", "i4"),
        ("cooldown_until", "i4"),  # before this tick, last_fixture may not be used again
        ("moved_at", "i4"),  # the latest tick with a step, one's own or a ghost step
        ("last_fixture", "i2"),
        ("next_near", "i2"),  # the next and the previous agent in the same block of the map
        ("previous_near", "i2"),
        ("next_waiting", "i2"),  # the next agent in the same queue
        ("partner", "i2"),  # whom a socialising agent seeks
        ("chat_ready_at", "i4"),
        ("social_signal", "f4"),  # this tick's social reward
        ("blocked", "i2"),
        ("affordance", "i2"),
        ("alive", "u1"),
        ("option", "u1"),
        ("committed", "u1"),
        ("phase", "u1"),
        ("holds", "u1"),  # has the reservation of its target
        ("last_success", "u1"),
        ("last_action", "u1"),  # the latest primitive, where agents are controlled by them
        ("context_reset", "u1"),
        ("shift_state", "u1"),
        ("worked", "u1"),  # spent this tick at work
        ("wage_signal", "f4"),  # +1 for a paid tick of work, -1 for a withheld one
        ("punctuality_signal", "f4"),  # 0..1 at the first tick of a shift's work
        ("at_work_since", "i4"),  # the tick at which the present stretch of work began; 0 elsewhere
        ("potential", "f8"),  # before this tick; see rewards.shaping
        ("no_praise_until", "i4"),  # before this tick nothing is praised, for somebody has just died here
        ("milestone", "u1"),  # of this life; see rewards.curiosity
        ("shift_present", "i4"),
        ("lateness", "i4"),  # ticks late in the current shift
        ("attendance", "f4", (SHIFTS_KEPT,)),  # of the latest shifts
        ("shifts", "i4"),
        ("shift_ticks", "i4"),  # of the current shift, since one was due
        ("away_ticks", "i4"),  # since one was last at work in the current shift
        ("was_punctual", "u1"),  # came to the current shift in time
        ("employed", "u1"),
        ("exit_state", "u1"),  # how far a dismissal has come
        ("absences", "u1", (WEEK,)),  # missed shifts by day modulo a week
        ("exit_since", "i4"),
        ("unemployed_at", "i4"),
        ("person", "i4"),  # who lives here: founders from 0, newcomers in order after them
        ("arrived_at", "i4"),
        ("arrives_at", "i4"),  # when somebody will take an empty place; -1 if nobody will
        ("slot", "i2"),  # the number by which networks know this person
        ("empty_ticks", "i4", (3,)),  # since each need was last above nothing
        ("low_ticks", "i4"),  # of today with a need below the chronic level
        ("satisfied_life", "i4"),  # ticks of this life with all needs looked after
        ("unpaid_days", "i4"),  # of rent in a row
        ("late_shifts", "i4"),
        ("absent_shifts", "i4"),
        ("rent_unpaid", "i4"),
        ("ticks", "i8"),
        ("satisfied_ticks", "i8"),
        ("clipped_ticks", "i8"),
        ("scheduled_ticks", "i8"),
        ("present_ticks", "i8"),
        ("wages_paid", "f8"),
        ("queue_waits", "i4"),  # queues joined
        ("conflicts", "i4"),  # ghost steps and queues left out of impatience, counted for both who are in them
        ("chats", "i4"),
        ("finished", "i4", (MAX_AFFORDANCES,)),  # completed uses per affordance
        ("failed", "i4"),
        ("agreed_price", "f8"),  # of the use in progress, as it was when it began
        ("clothes", "f4"),  # 1 = new, 0 = in rags
        ("meeting", "i2"),  # 1 + the slot of the event that one is called to; 0 = none
        ("meet_ready_at", "i4"),  # before this tick, one is not invited again
    ]
)
"""One citizen. Ticks are minutes; money is in the town's currency."""

FIXTURE_DTYPE = _record([("user", "i2"), ("waiting", "i2"), ("first_waiting", "i2"), ("stock", "i4")])
"""One object that agents use: who holds it, how many wait for it, who heads their chain, what is left in it."""

TIE_DTYPE = _record([("trust", "f4"), ("familiarity", "f4"), ("rivalry", "f4"), ("other", "i2")])
"""What one agent feels about another: trust and familiarity -1..1, rivalry 0..1; ``other`` is -1 in a free slot."""

TOWN_DTYPE = _record(
    [
        ("streams", "u8", (3,)),
        ("tick", "i4"),  # minutes since midnight of day 0
        ("number", "i4"),
        ("treasury", "f8"),
        ("supplier", "f8"),
        ("tills", "f8", (MAX_SHOPS,)),
        ("utilities", "u1", (2,)),
        ("outage_start", "i4", (OUTAGES,)),
        ("outage_end", "i4", (OUTAGES,)),
        ("event_count", "i4"),
        ("events_told", "i4"),  # of them, when the tick ended; the rest belongs to the next tick
        ("events_dropped", "i8"),
        ("truncated", "u1"),
        ("prices", "f8", (MAX_PRICES,)),  # in force now, by price key
        ("price_moves", "f8", (MAX_PRICES,)),  # factors that wander from night to night
        ("price_index", "f4"),  # mean over the keys, in units of the base price
        ("eat_out_price", "f4"),  # in units of its base price
        ("shop_price", "f4"),  # of food, in units of its base price
        ("truck_at", "i4"),  # the tick at which today's truck comes; -1: none
        ("weather", "u1"),
        ("pause_every", "i4"),  # outdoors one stands still in every so many-th tick; 0: never
        # perturbations: by what may happen, then by slot of what does
        ("event_due", "i4", (MAX_EVENT_SPECS,)),  # tick at which it should begin today; -1: not
        ("event_ready_at", "i4", (MAX_EVENT_SPECS,)),
        ("event_windows", "i4", (MAX_EVENT_SPECS,)),  # the window in which it began last
        ("event_counts", "i4", (MAX_EVENT_SPECS,)),  # how often it began in that window
        ("event_phase", "u1", (MAX_EVENTS,)),
        ("event_spec", "i2", (MAX_EVENTS,)),
        ("event_place", "i2", (MAX_EVENTS,)),
        ("event_id", "i4", (MAX_EVENTS,)),
        ("event_ticks", "i4", (MAX_EVENTS,)),  # asked for; 0: drawn
        ("event_end", "i4", (MAX_EVENTS,)),
        ("event_value", "f8", (MAX_EVENTS,)),  # asked for; 0: drawn
        ("events_lasting", "i4"),
        ("event_serial", "i4"),
        ("event_wake", "i4"),  # before this tick nothing begins or ends
        ("event_quiet_until", "i4"),
        ("event_grace_until", "i4"),
        ("overlap_left", "i4"),  # ticks of this day that may still see more than one event
        ("event_cut", "u1", (2,)),  # utilities that an event cuts
        ("event_haste", "f4"),  # how many times as fast needs run down
        ("mortality", "u1"),
        ("exits_today", "i4"),
        ("exit_at", "i4"),  # the latest exit
        ("exits", "i4", (len(EXIT_NAMES),)),  # lives that ended, by reason
        ("people", "i4"),  # persons who have lived here
        ("empty_places", "i4"),  # that somebody will take
        ("arrival_delay", "i4", (2,)),
        ("trait_shift", "f4", (TRAITS,)),  # rotates the sequence that personalities come from
        ("job_exits_pending", "i4"),
        ("job_exits_today", "i4"),
        ("job_exit_cap", "i4"),
        ("slots_used", "i4"),  # that somebody has had at least once: the first ones
        ("slots_given", "i4"),
        ("slots_forced", "i4"),  # given although they had not rested
        ("slot_freed", "i4", (MAX_SLOTS,)),  # tick at which each was freed; -1 = taken
    ]
)
"""What a town has one of: clock, streams, accounts, utilities, the comings and goings, and its event counters."""


class TownState(NamedTuple):
    """The whole mutable state of a batch of B towns with N agents and O fixtures on an H x W map.

    Attributes:
        towns: Records of ``TOWN_DTYPE`` [B].
        agents: Records of ``AGENT_DTYPE`` [B, N].
        fixtures: Records of ``FIXTURE_DTYPE`` [B, O].
        ties: Records of ``TIE_DTYPE`` [B, N, K]; K is 0 where relationships are off.
        occupancy: The agent on each tile or -1, int16 [B, H, W].
        blocks: The first agent in each block of 8 x 8 tiles or -1, int16 [B, H / 8, W / 8], rounded up.
        cells: The four map channels of each tile packed in a uint32, with a margin of half a window
            [B, H + 2m, W + 2m].
        log: This tick's events [B, capacity].
        visits: Each agent's steps in each square of the map, uint16 [B, N, S]; S is 0 where curiosity is off.
    """

    towns: npt.NDArray[Any]
    agents: npt.NDArray[Any]
    fixtures: npt.NDArray[Any]
    ties: npt.NDArray[Any]
    occupancy: npt.NDArray[np.int16]
    blocks: npt.NDArray[np.int16]
    cells: npt.NDArray[np.uint32]
    log: npt.NDArray[Any]
    visits: npt.NDArray[np.uint16]


class Town(NamedTuple):
    """One town of a batch, as kernels see it: the slices of ``TownState`` that belong to it.

    Attributes:
        common: Record of ``TOWN_DTYPE``.
        agents: Records [N].
        fixtures: Records [O].
        ties: Records [N, K].
        occupancy: int16 [H, W].
        blocks: int16 [H / 8, W / 8], rounded up.
        cells: uint32 [H + 2m, W + 2m].
        log: Event records [capacity].
        visits: uint16 [N, S].
    """

    common: Any
    agents: npt.NDArray[Any]
    fixtures: npt.NDArray[Any]
    ties: npt.NDArray[Any]
    occupancy: npt.NDArray[np.int16]
    blocks: npt.NDArray[np.int16]
    cells: npt.NDArray[np.uint32]
    log: npt.NDArray[Any]
    visits: npt.NDArray[np.uint16]


class Extent(NamedTuple):
    """How much a town holds: agents, objects, ties per agent, and squares of the map that each agent counts."""

    agents: int
    fixtures: int
    ties: int
    squares: int


def squares_of(height: int, width: int) -> int:
    """Return how many squares of ``SQUARE`` tiles a side cover a map."""
    return -(-height // SQUARE) * -(-width // SQUARE)


def allocate(towns: int, extent: Extent, shape: tuple[int, int], margin: int) -> TownState:
    """Return the zeroed state of ``towns`` towns on a map of ``shape`` (height, width)."""
    agents, fixtures, ties, squares = extent
    height, width = shape
    return TownState(
        towns=np.zeros(towns, TOWN_DTYPE),
        agents=np.zeros((towns, agents), AGENT_DTYPE),
        fixtures=np.zeros((towns, fixtures), FIXTURE_DTYPE),
        ties=np.zeros((towns, agents, ties), TIE_DTYPE),
        occupancy=np.full((towns, height, width), NOBODY, np.int16),
        blocks=np.full((towns, (height - 1 >> BLOCK_SHIFT) + 1, (width - 1 >> BLOCK_SHIFT) + 1), NOBODY, np.int16),
        cells=np.zeros((towns, height + 2 * margin, width + 2 * margin), np.uint32),
        log=np.zeros((towns, 32 + 6 * agents), np.dtype((np.record, EVENT_DTYPE))),
        visits=np.zeros((towns, agents, squares), np.uint16),
    )
