"""The whole state of one town as plain JSON values, as frames carry it."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from townlet_core.config import NEED_NAMES, OPTION_NAMES, config_digest
from townlet_core.config.personality import TRAIT_NAMES
from townlet_core.config.weather import WEATHER_NAMES
from townlet_core.core import Simulation
from townlet_core.telemetry.diffs import State
from townlet_core.telemetry.events import named_events
from townlet_core.telemetry.privacy import Identities
from townlet_core.telemetry.windows import DayFigures, town_rows
from townlet_core.world.state import NO_EXIT, NOBODY, PHASE_NAMES, SHIFT_NAMES, UTILITY_NAMES

LEVEL_DIGITS, COIN_DIGITS = 4, 6
"""Digits behind the point: of needs, feelings and event values, and of money."""


def run_facts(sim: Simulation, town: int, identities: Identities) -> dict[str, Any]:
    """Say which run a stream tells of. With hidden names the seed stays inside: with it anybody could live the run
    again and see who is who.
    """
    return {
        "config_id": sim.config.config_id,
        "config_digest": config_digest(sim.config),
        "seed": None if identities.hidden else sim.seed,
        "town": sim.first_town + town,
        "ticks_per_day": sim.config.clock.ticks_per_day,
        "private": identities.hidden,
    }


def town_state(sim: Simulation, town: int, identities: Identities, kpis: DayFigures, alerts: dict[str, int]) -> State:
    """Write down a town as nested dictionaries with plain values.

    Args:
        sim: The towns.
        town: Which of the batch.
        identities: What citizens are called.
        kpis: Figures of the latest day.
        alerts: The canaries that call, and the tick since when.
    """
    return {
        "clock": _clock(sim, town),
        "agents": _agents(sim, town, identities),
        "objects": _objects(sim, town, identities),
        "weather": WEATHER_NAMES[sim.state.towns["weather"][town]] if sim.config.weather.enabled else None,
        "perturbations": _perturbations(sim, town),
        "economy": _economy(sim, town),
        "utilities": _utilities(sim, town),
        "kpis": kpis,
        "alerts": alerts,
        "events_dropped": int(sim.state.towns["events_dropped"][town]),
    }


def town_events(sim: Simulation, town: int, identities: Identities) -> list[dict[str, Any]]:
    """Name the events of the latest tick in one town."""
    rows = town_rows(sim, town)
    if not len(rows):
        return []
    names = sim.names._replace(agents=sim.people(town))
    known = {name: identities.of(name) for name in names.agents}
    return [
        {
            "tick": event.tick,
            "event": event.event,
            "agent": known.get(event.agent or "", event.agent),
            "object": event.object,
            "other": known.get(event.other or "", event.other),
            "value": None if event.value is None else round(event.value, LEVEL_DIGITS),
            "unit": event.unit,
            "reason": event.reason,
        }
        for event in named_events(rows, names)
    ]


def _clock(sim: Simulation, town: int) -> State:
    common, day = sim.state.towns[town], sim.config.clock.ticks_per_day
    return {"tick": int(common["tick"]), "day": int(common["tick"]) // day + 1, "minute": int(common["tick"]) % day}


def _agents(sim: Simulation, town: int, identities: Identities) -> State:
    agents = sim.agents[town]
    people = [identities.of(name) for name in sim.people(town)]
    return {
        name: {**_agent(sim, agents[index], index), **_company(sim, town, index, people)}
        for index, name in enumerate(people)
    }


def _agent(sim: Simulation, agent: NDArray[np.void], index: int) -> State:
    levels = agent["needs"].tolist()
    return {
        "alive": bool(agent["alive"]),
        "position": [int(agent["x"]), int(agent["y"])],
        "needs": {name: round(level, LEVEL_DIGITS) for name, level in zip(NEED_NAMES, levels, strict=True)},
        "wallet": round(float(agent["wallet"]), COIN_DIGITS),
        "ingredients": int(agent["ingredients"]),
        "clothes": round(float(agent["clothes"]), LEVEL_DIGITS) if sim.config.economy.clothes.enabled else None,
        "meeting": int(agent["meeting"]) > 0,
        "option": OPTION_NAMES[agent["option"]],
        "committed": bool(agent["committed"]),
        "phase": PHASE_NAMES[agent["phase"]],
        "target": _name(sim.names.fixtures, int(agent["target"])),
        "affordance": _name(sim.names.affordances, int(agent["affordance"])),
        "job": _name(sim.names.jobs, int(sim.rules.citizens["job"][index])),
        "shift": SHIFT_NAMES[agent["shift_state"]],
        "lateness": int(agent["lateness"]),
        "employed": bool(agent["employed"]),
        "exit_pending": bool(agent["exit_state"] != NO_EXIT),
        "absences": int(agent["absences"].sum()),
        "conflicts": int(agent["conflicts"]),
        "queue_waits": int(agent["queue_waits"]),
        "rent_unpaid": int(agent["rent_unpaid"]),
    }


def _company(sim: Simulation, town: int, index: int, people: list[str]) -> State:
    """What an agent is like and whom it knows; both empty where relationships are off."""
    slots = sim.state.ties[town, index].tolist()
    traits = sim.agents["personality"][town, index].tolist()
    return {
        "personality": {name: _feeling(traits[TRAIT_NAMES.index(name)]) for name in sim.config.traits},
        "ties": {
            people[other]: {
                "trust": _feeling(trust),
                "familiarity": _feeling(familiarity),
                "rivalry": _feeling(rivalry),
            }
            for trust, familiarity, rivalry, other in slots
            if other != NOBODY
        },
    }


def _feeling(level: float) -> float:
    """Round a level; what rounds to nothing from below is 0.0 and not -0.0."""
    return round(level, LEVEL_DIGITS) + 0.0


def _objects(sim: Simulation, town: int, identities: Identities) -> State:
    fixtures, people = sim.state.fixtures[town], [identities.of(name) for name in sim.people(town)]
    return {
        name: {
            "user": _name(people, int(thing["user"])),
            "waiting": int(thing["waiting"]),
            "stock": int(thing["stock"]),
        }
        for name, thing in zip(sim.names.fixtures, fixtures, strict=True)
    }


def _economy(sim: Simulation, town: int) -> State:
    common = sim.state.towns[town]
    tills = np.asarray(common["tills"], np.float64).tolist()
    return {
        "treasury": round(float(common["treasury"]), COIN_DIGITS),
        "supplier": round(float(common["supplier"]), COIN_DIGITS),
        "tills": [round(coins, COIN_DIGITS) for coins in tills],
        "prices": {name: round(float(common["prices"][k]), COIN_DIGITS) for k, name in enumerate(sim.names.prices)},
    }


def _perturbations(sim: Simulation, town: int) -> State:
    """The perturbations that last, by their number in the town: which, until when, and where people meet."""
    return {
        str(event.number): {"name": event.name, "until": event.until, "place": event.place}
        for event in sim.perturbations(town)
    }


def _utilities(sim: Simulation, town: int) -> State:
    works = sim.state.towns[town]["utilities"].tolist()
    return {name: bool(state) for name, state in zip(UTILITY_NAMES, works, strict=True)}


def _name(names: Any, index: int) -> str | None:
    return names[index] if index >= 0 else None
