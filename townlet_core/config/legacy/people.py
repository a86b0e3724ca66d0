"""Places of work and citizens: what the earlier system left open and a town here must say."""

from collections.abc import Iterator, Mapping
from typing import Any

from townlet_core.config.documents import Document
from townlet_core.config.legacy.rules import Fate, Line, Path, line_at

WORKPLACES = {"groc": "till", "shop": "till", "till": "till", "bari": "cafe_counter", "cafe": "cafe_counter"}
"""Objects of the shipped map by how the name of a job that is done there begins or contains."""
OFFICE = "desk"
PLACES = {"till": 2, "cafe_counter": 2, "desk": 8}
"""How many of each stand on the shipped map."""
BEDS = 8
LONGEST_WAY = 60
"""Ticks in which everybody comes from bed to work on the shipped map, in any weather."""


def employ(document: Document, values: dict[Path, Any]) -> Iterator[Line]:
    """Give every translated job a workplace and openings, and the town as many citizens as a cast has or jobs employ.

    Args:
        document: The earlier file.
        values: The translated keys; completed in place.
    """
    jobs, cast = document.data.get("jobs"), _cast(document)
    if not isinstance(jobs, Mapping) or not jobs:
        if cast:
            values["agents",] = min(len(cast), BEDS)
            text = f"agents: {values['agents',]}, as many as the scene has, and beds"
            yield line_at(document, ("scenario", "agents"), Fate.TRANSLATED, text)
        return
    openings = _openings(list(map(str, jobs)), cast)
    for name, count in openings.items():
        place = workplace_of(name)
        values["jobs", name, "workplace"], values["jobs", name, "openings"] = place, count
        known = place != OFFICE
        text = f"work is done at an object: jobs.{name}.workplace: {place}" + ("" if known else "; name the right one")
        yield line_at(document, ("jobs", name), Fate.TRANSLATED if known else Fate.DECIDE, text)
    values["agents",] = min(len(cast) or BEDS, sum(openings.values()), BEDS)
    values["economy", "rent_per_day"] = 0.0
    values["clock", "start_tick"] = 0
    yield line_at(document, ("jobs",), Fate.TRANSLATED, f"agents: {values['agents',]}, as many as have work and a bed")
    yield line_at(document, ("jobs",), Fate.TRANSLATED, "economy.rent_per_day: 0.0, since nobody paid rent")
    yield line_at(document, ("jobs",), Fate.TRANSLATED, "clock.start_tick: 0, since days began at tick 0")
    yield from _leave_time_for_the_way(document, values)


def _leave_time_for_the_way(document: Document, values: dict[Path, Any]) -> Iterator[Line]:
    """Begin all shifts later where the first begins before anybody can be there."""
    paths = [path for path in values if path[0] == "jobs" and path[-1] in ("start_tick", "end_tick")]
    ticks = [values[path] for path in paths]
    if not ticks or not all(isinstance(tick, int) for tick in ticks) or min(ticks) >= LONGEST_WAY:
        return
    delay = LONGEST_WAY - min(ticks)
    values.update({path: values[path] + delay for path in paths})
    text = f"shifts are {delay} ticks later, since nobody is at work before tick {LONGEST_WAY}: ways are longer here"
    yield line_at(document, ("jobs",), Fate.TRANSLATED, text)


def workplace_of(job: str) -> str:
    """Guess at which object of the shipped map a job is done, by its name; the office where nothing tells."""
    return next((place for sign, place in WORKPLACES.items() if sign in job.lower()), OFFICE)


def _cast(document: Document) -> list[Mapping[str, Any]]:
    scene = document.data.get("scenario")
    people = scene.get("agents") if isinstance(scene, Mapping) else None
    return [one for one in people if isinstance(one, Mapping)] if isinstance(people, list) else []


def _openings(jobs: list[str], cast: list[Mapping[str, Any]]) -> dict[str, int]:
    """Share out the places on the map: those that a cast names first, else evenly."""
    left = dict(PLACES)
    openings = {}
    for index, job in enumerate(jobs):
        place = workplace_of(job)
        rivals = sum(workplace_of(later) == place for later in jobs[index:])
        wanted = sum(one.get("job") == job for one in cast) or max(1, left[place] // rivals)
        openings[job] = min(wanted, left[place]) or 1
        left[place] = max(0, left[place] - openings[job])
    return openings
