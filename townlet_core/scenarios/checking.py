"""Checking: let a scenario's towns live, take the measures, and judge what was observed."""

from collections.abc import Callable
from math import ceil
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from townlet_core.config import Expectation, Scenario, TownConfig
from townlet_core.config.expectations import Demand, ObservationMeasure, OrderMeasure
from townlet_core.core import Simulation
from townlet_core.errors import InputError
from townlet_core.scenarios.binding import bind, with_persons
from townlet_core.scenarios.probes import Probe, Values
from townlet_core.scenarios.wording import demand_in_words, observed_in_words, title_of

TOLERANCE = 1e-6
"""By how much a measured value may miss a bound: state is kept in single precision."""
Progress = Callable[[int, int], None]


class Actor(Protocol):
    """Something that chooses for every citizen of the simulation it was made for."""

    def act(self) -> npt.NDArray[np.int8]:
        """Everybody's option, int8 [towns, agents]."""


class Verdict(NamedTuple):
    """What became of one expectation.

    Attributes:
        expectation: What was measured, in words.
        demanded: What was demanded of it, in words.
        observed: What the towns did, in words; where some failed, how many and one of them.
        met: Whether enough towns met the demand.
        share_of_towns: The share that did.
        lowest: The least of the observed values; NaN where there was none.
        highest: The greatest of them.
    """

    expectation: str
    demanded: str
    observed: str
    met: bool
    share_of_towns: float
    lowest: float
    highest: float


class Report(NamedTuple):
    """The check of a scenario: a verdict per expectation, and how it was run."""

    scenario: str
    towns: int
    ticks: int
    seed: int
    verdicts: tuple[Verdict, ...]
    events_dropped: int

    @property
    def met(self) -> bool:
        """Whether every expectation was met and no event was lost that could have said otherwise."""
        return all(verdict.met for verdict in self.verdicts) and not self.events_dropped


def check(
    scenario: Scenario,
    actor: Callable[[Simulation], Actor],
    *,
    threads: int = 1,
    progress: Progress | None = None,
) -> Report:
    """Let a scenario's towns live as its `check` section says, and judge its expectations.

    Args:
        scenario: What to run; each of its expectations becomes a verdict.
        actor: Makes the policy for a simulation.
        threads: Threads of the engine.
        progress: Called now and then with the ticks done and those in all.

    Raises:
        ConfigError: An expectation names something that this town does not have.
        InputError: The scenario expects nothing.
    """
    if not scenario.expectations:
        raise InputError(f"scenario {scenario.name}: has no 'expectations' to check; add some to its file")
    rules = scenario.check
    sim = Simulation(_lasting(scenario.config, rules.ticks), rules.towns, rules.seed, threads=threads)
    probes = [bind(expectation, sim) for expectation in scenario.expectations]
    observe = any(isinstance(expectation.measure, ObservationMeasure) for expectation in scenario.expectations)
    _live(sim, actor(sim), probes, rules.ticks, observe, progress)
    verdicts = (_judge(*pair, sim) for pair in zip(scenario.expectations, probes, strict=True))
    return Report(scenario.name, rules.towns, rules.ticks, rules.seed, tuple(verdicts), sim.events_dropped)


def towns_that_keep(expectation: Expectation, probe: Probe, sim: Simulation) -> npt.NDArray[np.bool_]:
    """Say which towns met an expectation, bool [towns], once its probe has followed them to the end."""
    return _meets(probe.values(sim), _demand(expectation))


def _lasting(config: TownConfig, ticks: int) -> TownConfig:
    clock = config.clock.model_copy(update={"episode_days": ceil(ticks / config.clock.ticks_per_day)})
    return config.model_copy(update={"clock": clock})


def _live(
    sim: Simulation, actor: Actor, probes: list[Probe], ticks: int, observe: bool, progress: Progress | None
) -> None:
    live: Callable[[npt.NDArray[Any]], object] = sim.step if observe else sim.advance
    for tick in range(ticks):
        live(actor.act())
        events = sim.events.rows
        events["town"] -= sim.first_town
        events = with_persons(events, sim)
        for probe in probes:
            probe.note(sim, events)
        if progress is not None and tick % 60 == 59:
            progress(tick + 1, ticks)


def _judge(expectation: Expectation, probe: Probe, sim: Simulation) -> Verdict:
    values, demand = probe.values(sim), _demand(expectation)
    good = _meets(values, demand)
    share = float(good.mean())
    seen = values[np.isfinite(values)]
    low, high = (float(seen.min()), float(seen.max())) if len(seen) else (np.nan, np.nan)
    observed = observed_in_words(values, good, share)
    title = title_of(expectation.measure, demand.shows)
    met = share >= demand.share_of_towns
    return Verdict(title, demand_in_words(demand), observed, met, share, low, high)


def _demand(expectation: Expectation) -> Demand:
    """What is demanded of the measured value; of an order, that every link comes."""
    if isinstance(expectation.measure, OrderMeasure):
        return expectation.demand.model_copy(update={"exactly": float(len(expectation.measure.order))})
    return expectation.demand


def _meets(values: Values, demand: Demand) -> npt.NDArray[np.bool_]:
    """Say which towns meet a demand, bool [towns]: with every thing that was there, and there was one."""
    good = np.ones(values.shape, np.bool_)
    if demand.at_least is not None:
        good &= values >= demand.at_least - TOLERANCE
    if demand.at_most is not None:
        good &= values <= demand.at_most + TOLERANCE
    if demand.exactly is not None:
        good &= np.abs(values - demand.exactly) <= TOLERANCE
    there = np.isfinite(values)
    return np.asarray((good | ~there).all(axis=1) & there.any(axis=1), np.bool_)
