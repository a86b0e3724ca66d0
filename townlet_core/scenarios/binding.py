"""Binding: from the names in an expectation to the numbers of a town, and to the probe that takes the measure."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from townlet_core.config.documents import KeyPath
from townlet_core.config.expectations import (
    EventMeasure,
    EventPattern,
    Expectation,
    KpiMeasure,
    ObservationMeasure,
    OptionMeasure,
    OrderMeasure,
    RotationMeasure,
    StateMeasure,
)
from townlet_core.config.explain import unknown_name
from townlet_core.config.weather import WEATHER_NAMES
from townlet_core.core import Simulation
from townlet_core.core.people import most_people, person_names
from townlet_core.scenarios.probes import (
    EventProbe,
    KpiProbe,
    ObservationProbe,
    OptionProbe,
    OrderProbe,
    Pattern,
    Probe,
    StateProbe,
)
from townlet_core.scenarios.readings import (
    CITIZEN_PARTS,
    OBJECT_PARTS,
    PARTS,
    PRICE,
    TIE_PARTS,
    citizen_reading,
    object_reading,
    price_reading,
    tie_reading,
    town_reading,
)
from townlet_core.scenarios.rotation import RotationProbe
from townlet_core.world.events import EVENT_NAMES, SECONDS
from townlet_core.world.state import UTILITY_NAMES

NO_PERSON = [kind for kinds in SECONDS.values() for kind in kinds]
ANY = "any"


def bind(expectation: Expectation, sim: Simulation) -> Probe:
    """Make the probe that takes an expectation's measure in freshly settled towns.

    Raises:
        ConfigError: A name in it means nothing in this town; the error stands at its line.
    """
    return _Binder(expectation, sim).probe()


def with_persons(events: npt.NDArray[Any], sim: Simulation) -> npt.NDArray[Any]:
    """Put persons in the place of those places in town where the latest tick's events happened to them.

    Who has left is still the last one in its place at the end of that tick: a newcomer comes in a later one.
    """
    person = sim.agents["person"]
    others = (events["other"] >= 0) & ~np.isin(events["kind"], NO_PERSON)
    for part, rows in (("subject", events["subject"] >= 0), ("other", others)):
        events[part][rows] = person[events["town"][rows], events[part][rows]]
    return events


class _Binder(NamedTuple):
    expectation: Expectation
    sim: Simulation

    def probe(self) -> Probe:
        measure, towns = self.expectation.measure, len(self.sim.agents)
        match measure:
            case EventMeasure():
                return EventProbe(self.pattern(measure, ()), measure.take, towns)
            case OrderMeasure():
                chain = [self.pattern(link, ("order", index)) for index, link in enumerate(measure.order)]
                return OrderProbe(chain, towns)
            case KpiMeasure():
                return KpiProbe(self.known("key figure", ("kpi",), measure.kpi, self.sim.kpis()))
            case StateMeasure():
                return self.state(measure)
            case OptionMeasure():
                option = self.number("option", ("option",), measure.option, self.sim.names.options)
                return OptionProbe(option, self.person(measure.of), towns)
            case RotationMeasure():
                return RotationProbe(self.objects(("rotation",), measure.rotation), measure.take, self.sim)
            case ObservationMeasure():
                return ObservationProbe(self.features(measure.observation), measure.take, self.sim)

    def known(self, kind: str, path: KeyPath, name: str, names: Iterable[str]) -> str:
        if name not in (names := list(names)):
            raise self.expectation.document.error(path, unknown_name(kind, name, names))
        return name

    def number(self, kind: str, path: KeyPath, name: str, names: Sequence[str]) -> int:
        return list(names).index(self.known(kind, path, name, names))

    def citizen(self, path: KeyPath, name: str) -> int:
        """Find a person by name: a founder, or a newcomer who may come while the scenario lasts."""
        return self.number("citizen", path, name, person_names(most_people(self.sim.config)))

    def person(self, of: str | None) -> int | None:
        return None if of is None else self.citizen(("of",), of)

    def objects(self, path: KeyPath, name: str) -> tuple[int, ...]:
        """Find an object by its name, or all objects of a type."""
        fixtures = self.sim.names.fixtures
        types = [fixture.rsplit("_", 1)[0] for fixture in fixtures]
        self.known("object", path, name, {*fixtures, *types})
        return tuple(index for index, fixture in enumerate(fixtures) if name in (fixture, types[index]))

    def features(self, name: str) -> list[int]:
        names = [feature.name for feature in self.sim.layout.features]
        self.known("feature", ("observation",), name, [ANY, *names])
        return list(range(len(names))) if name == ANY else [names.index(name)]

    def pattern(self, pattern: EventPattern, root: KeyPath) -> Pattern:
        names = self.sim.names
        kind = self.number("event", (*root, "event"), pattern.event, EVENT_NAMES)
        known: dict[str, Sequence[str]] = {
            "other": person_names(most_people(self.sim.config)),
            "affordance": names.affordances,
            "utility": UTILITY_NAMES,
            "weather": WEATHER_NAMES,
            "perturbation": names.perturbations,
        }
        fitting = next((key for key, kinds in SECONDS.items() if kind in kinds), "other")
        for key in known:
            if getattr(pattern, key) is not None and key != fitting:
                reason = f"events of kind {pattern.event} have none; they may have the key '{fitting}'"
                raise self.expectation.document.error((*root, key), reason)
        second, subject = getattr(pattern, fitting), pattern.subject
        return Pattern(
            kind,
            None if subject is None else self.citizen((*root, "subject"), subject),
            None if second is None else self.number(fitting, (*root, fitting), second, known[fitting]),
            None if pattern.object is None else self.objects((*root, "object"), pattern.object),
        )

    def state(self, measure: StateMeasure) -> Probe:
        part = self.known("part of the state", ("state",), measure.state, PARTS)
        if measure.towards is not None and part not in TIE_PARTS:
            raise self.expectation.document.error(("towards",), f"{part} is no part of a tie; remove 'towards'")
        if part in CITIZEN_PARTS:
            read = citizen_reading(part, self.person(measure.of))
        elif part in OBJECT_PARTS:
            every = range(len(self.sim.names.fixtures))
            read = object_reading(part, list(every if measure.of is None else self.objects(("of",), measure.of)))
        elif part in TIE_PARTS:
            read = tie_reading(part, *self.pair(measure))
        elif part == PRICE:
            if measure.of is None:
                raise self.expectation.document.error(("state",), "name the price key with 'of'")
            read = price_reading(self.number("price", ("of",), measure.of, self.sim.names.prices))
        else:
            if measure.of is not None:
                raise self.expectation.document.error(("of",), f"{part} belongs to the town; remove 'of'")
            read = town_reading(part)
        return StateProbe(read, measure.over, self.sim)

    def pair(self, measure: StateMeasure) -> tuple[int, int]:
        if measure.of is None or measure.towards is None:
            reason = f"{measure.state} is part of a tie; say whose with 'of' and 'towards'"
            raise self.expectation.document.error(("state",), reason)
        return self.citizen(("of",), measure.of), self.citizen(("towards",), measure.towards)
