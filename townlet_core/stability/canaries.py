"""Canaries: they call when a town is going wrong, and fall silent when the cause is over."""

from collections.abc import Iterator, Mapping
from math import ceil
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from townlet_core.config import TownConfig
from townlet_core.config.telemetry import CANARIES, SLOT_REUSE, CanaryRules, RateRules, StarvationRules
from townlet_core.core import Simulation
from townlet_core.errors import ConfigError
from townlet_core.telemetry.rolling import RollingSums
from townlet_core.world.events import EVENT_NAMES, Event
from townlet_core.world.state import HUNGER

Floats = NDArray[np.float64]

PRESSURE = (Event.QUEUE_JOIN, Event.GHOST_STEP)
PROPOSED = (Event.EMPLOYMENT_EXIT_PENDING, Event.EMPLOYMENT_EXIT_QUEUE_OVERFLOW)
SHIFTS = (Event.SHIFT_ON_TIME, Event.SHIFT_LATE, Event.SHIFT_ABSENT)


class Reading(NamedTuple):
    """What a canary measures now in each town: the figure, float64 [B], and the samples that it rests on."""

    value: Floats
    samples: Floats


class _Tick(NamedTuple):
    """One tick of B towns with N agents, as canaries see it."""

    alive: NDArray[np.bool_]  # at the beginning of the tick [B, N]
    died: NDArray[np.bool_]
    switched: NDArray[np.bool_]
    clipped: NDArray[np.bool_]
    hunger: NDArray[np.float32]
    reward: Floats
    rivals: Floats  # ties at the level of avoidance, in each town
    events: Floats  # how many of each kind, in each town [B, kinds]
    values: Floats  # the sums of their values
    per_tick: tuple[Floats, Floats]  # weight and samples of what citizens do at any tick: those who live, and the tick

    def happened(self, *kinds: Event) -> Floats:
        """Events of some kinds in each town."""
        count: Floats = self.events[:, kinds].sum(axis=1)
        return count

    def add_up(self, *kinds: Event) -> Floats:
        """Sum of the values of events of some kinds, in each town."""
        sums: Floats = self.values[:, kinds].sum(axis=1)
        return sums


class Canaries:
    """Watches a batch of towns. Memory is bounded by the number of towns; ordinary life keeps every canary silent."""

    def __init__(self, sim: Simulation, rules: CanaryRules) -> None:
        """Begin to watch at the simulation's present tick.

        Raises:
            ConfigError: A bound lies where this town can never come, so that its canary could not call.
        """
        _require_reach(sim.config, rules)
        self._sim, self._rules = sim, rules
        towns, _ = sim.shape
        self._rates = _rates(rules)
        self._sums = {
            name: RollingSums(rate.window_ticks, (4 if name == "reward_variance" else 3, towns))
            for name, rate in self._rates.items()
        }
        self._incidents = RollingSums(rules.starvation.window_ticks, (towns,))
        self._hungry = np.zeros(sim.shape, np.int64)
        self._alive, self._option = self._look()
        self._ones = np.ones(towns)
        self._since: dict[str, NDArray[np.int64]] = {name: np.full(towns, -1) for name in CANARIES}
        self._ever = {name: np.zeros(towns, np.bool_) for name in CANARIES}

    def observe(self) -> None:
        """Take in the latest tick; call it once after every tick."""
        tick = self._tick()
        self._incidents.add(self._starving(tick, self._rules.starvation))
        for name, sums in self._sums.items():
            sums.add(_MEASURES[name](tick))
        self._note_calls()

    def calling(self, town: int = 0) -> dict[str, int]:
        """Name the canaries that call in a town now, each with the tick since when it has been calling."""
        return {name: int(since[town]) for name, since in self._since.items() if since[town] >= 0}

    def ever_called(self) -> dict[str, NDArray[np.bool_]]:
        """Say for each canary in which towns [B] it has ever called since the watch began."""
        return {name: called.copy() for name, called in self._ever.items()}

    def readings(self) -> Mapping[str, Reading]:
        """Give what each canary measures now, in the unit of its bound."""
        rates = {name: _FIGURES.get(name, _ratio)(sums.total) for name, sums in self._sums.items()}
        incidents = self._incidents.total
        always = np.full_like(incidents, np.inf)
        return {"starvation": Reading(incidents, always), SLOT_REUSE: Reading(self._slot_reuse(), always), **rates}

    def _slot_reuse(self) -> Floats:
        """Share of embedding slots that had not rested when they were given again; the town's file has the bound."""
        towns = self._sim.state.towns
        share: Floats = towns["slots_forced"] / np.maximum(towns["slots_given"], 1)
        return share

    def _note_calls(self) -> None:
        now = self._sim.state.towns["tick"]
        bounds = {name: (rate.max, rate.min_samples) for name, rate in self._rates.items()}
        bounds["starvation"] = (self._rules.starvation.max_incidents, 0)
        bounds[SLOT_REUSE] = (self._sim.config.embedding_allocator.reuse_warning_threshold, 0)
        for name, reading in self.readings().items():
            most, samples = bounds[name]
            calls = (reading.value > most) & (reading.samples >= samples)
            since = self._since[name]
            self._since[name] = np.where(calls, np.where(since >= 0, since, now), -1)
            self._ever[name] |= calls

    def _look(self) -> tuple[NDArray[np.bool_], NDArray[np.uint8]]:
        return self._sim.agents["alive"].astype(bool), self._sim.agents["option"].copy()

    def _tick(self) -> _Tick:
        sim, (alive, option) = self._sim, self._look()
        events, values = _told(sim.events.rows, sim.first_town, len(alive))
        seen = _Tick(
            alive=self._alive,
            died=self._alive & ~alive,
            switched=self._alive & alive & (option != self._option),
            clipped=sim.clipped & self._alive,
            hunger=sim.agents["needs"][:, :, HUNGER],
            reward=sim.reward_terms.sum(axis=2, dtype=np.float64) * self._alive,
            rivals=self._rivals(),
            events=events,
            values=values,
            per_tick=(self._alive.sum(axis=1, dtype=np.float64), self._ones),
        )
        self._alive, self._option = alive, option
        return seen

    def _rivals(self) -> Floats:
        rivalry = self._sim.state.ties["rivalry"]
        rivals: Floats = (rivalry >= self._sim.config.relationships.avoid_threshold).sum(axis=(1, 2), dtype=np.float64)
        return rivals

    def _starving(self, tick: _Tick, rules: StarvationRules) -> Floats:
        """Incidents of a tick in each town: a death in hunger, or another `min_ticks` of hunger without a break."""
        hungry = tick.hunger <= rules.hunger
        self._hungry = np.where(hungry & tick.alive & ~tick.died, self._hungry + 1, 0)
        long = (self._hungry > 0) & (self._hungry % rules.min_ticks == 0)
        incidents: Floats = (long | (tick.died & hungry)).sum(axis=1, dtype=np.float64)
        return incidents


def _told(rows: NDArray[Any], first_town: int, towns: int) -> tuple[Floats, Floats]:
    """How many events of each kind there were in each town, and the sums of their values, each [B, kinds]."""
    kinds = len(EVENT_NAMES)
    places = (rows["town"].astype(np.int64) - first_town) * kinds + rows["kind"]
    counts = np.bincount(places, minlength=towns * kinds).astype(np.float64)
    values = np.bincount(places, rows["value"], towns * kinds).astype(np.float64)
    return counts.reshape(towns, kinds), values.reshape(towns, kinds)


def _rates(rules: CanaryRules) -> dict[str, RateRules]:
    named = {name: getattr(rules, name) for name in CanaryRules.model_fields}
    return {name: rate for name, rate in named.items() if isinstance(rate, RateRules)}


def _measure_reward(tick: _Tick) -> Floats:
    return np.stack([tick.reward.sum(axis=1), *tick.per_tick, (tick.reward**2).sum(axis=1)])


def _measure_thrash(tick: _Tick) -> Floats:
    return np.stack([tick.switched.sum(axis=1), *tick.per_tick])


def _measure_queues(tick: _Tick) -> Floats:
    return np.stack([tick.happened(*PRESSURE), *tick.per_tick])


def _measure_failures(tick: _Tick) -> Floats:
    return np.stack([tick.happened(Event.AFFORDANCE_FAIL), *tick.per_tick])


def _measure_lateness(tick: _Tick) -> Floats:
    shifts = tick.happened(*SHIFTS)
    return np.stack([tick.add_up(*SHIFTS), shifts, shifts])


def _measure_clipping(tick: _Tick) -> Floats:
    return np.stack([tick.clipped.sum(axis=1), *tick.per_tick])


def _measure_rivalry(tick: _Tick) -> Floats:
    return np.stack([tick.rivals, *tick.per_tick])


def _measure_dismissals(tick: _Tick) -> Floats:
    return np.stack([tick.happened(*PROPOSED), *tick.per_tick])


def _ratio(sums: Floats) -> Reading:
    value, weight, samples = sums[:3]
    return Reading(np.divide(value, weight, out=np.zeros_like(value), where=weight > 0), samples)


def _count_per_citizen(sums: Floats) -> Reading:
    """Events over the mean number of citizens in the window."""
    value, living, ticks = sums
    return _ratio(np.stack([value * ticks, living, ticks]))


def _variance(sums: Floats) -> Reading:
    total, living, ticks, squares = sums
    mean, square = (_ratio(np.stack([value, living, ticks])).value for value in (total, squares))
    return Reading(np.maximum(square - mean**2, 0.0), ticks)


_MEASURES = {
    "reward_variance": _measure_reward,
    "option_thrash": _measure_thrash,
    "queue_pressure": _measure_queues,
    "affordance_failures": _measure_failures,
    "lateness_spike": _measure_lateness,
    "clipped_rewards": _measure_clipping,
    "rivalry_spike": _measure_rivalry,
    "dismissals": _measure_dismissals,
}
_FIGURES = {
    "reward_variance": _variance,
    "queue_pressure": _count_per_citizen,
    "affordance_failures": _count_per_citizen,
    "dismissals": _count_per_citizen,
}


def _require_reach(config: TownConfig, rules: CanaryRules) -> None:
    if rules.starvation.hunger <= config.needs.starvation_threshold:
        raise ConfigError(
            f"canaries.starvation.hunger: {rules.starvation.hunger:g} can never be seen, since citizens of "
            f"'{config.config_id}' die at {config.needs.starvation_threshold:g}; choose a higher level"
        )
    for key, bound, most in _reach(config, rules):
        # Where there is nothing to watch the canary is silent by right, and no lower bound would make it call.
        if 0.0 < most <= bound:
            raise ConfigError(
                f"canaries.{key}: {bound:g} can never be passed in '{config.config_id}'; choose less than {most:g}"
            )


def _reach(config: TownConfig, rules: CanaryRules) -> Iterator[tuple[str, float, float]]:
    """Key and value of each bound that can be told to be too high, with the highest figure that a town can come to.

    Of numbers within a range, half the range squared is the variance. Counts per citizen have no highest figure: they
    are counted by those who live, who may become few.
    """
    spread = 2 * config.rewards.clip.clip_per_tick - config.rewards.faint_penalty
    most = {
        "reward_variance": (spread / 2) ** 2,
        "option_thrash": 1.0,
        "lateness_spike": float(config.employment.absent_cutoff),
        "clipped_rewards": 1.0,
        "rivalry_spike": float(min(config.relationships.max_ties, config.agents - 1)),
    }
    for name, figure in most.items():
        yield f"{name}.max", getattr(rules, name).max, figure
    yield "starvation.max_incidents", rules.starvation.max_incidents, _most_incidents(config, rules.starvation)


def _most_incidents(config: TownConfig, rules: StarvationRules) -> float:
    """The most incidents of a window: every citizen hungry all the time, and as many deaths as may be."""
    window, lifecycle = rules.window_ticks, config.lifecycle
    days = ceil(window / config.clock.ticks_per_day) + 1
    deaths = lifecycle.exits_per_day * days if lifecycle.exits_per_day else config.agents * window
    return float(config.agents * ceil(window / rules.min_ticks) + (deaths if lifecycle.enabled else 0))
