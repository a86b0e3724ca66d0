"""What bounds the engine: nanoseconds per agent-step of the tick and of each piece of an observation.

Run by `make bench`. The towns live the hours of the other benchmarks by the teacher's recorded choices; after each tick
one piece after another is written again for everybody and timed, the quickest of a few times. Adds a dated line to
docs/benchmarks.md.
"""

import argparse
import math
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import numpy as np
from engine import HEADLINE, MINUTES, PAGE, SEED, Actions, processor, record_choices
from environments import with_row
from variants import everything_on

from townlet_core.core import Simulation
from townlet_core.core.settling import town_of
from townlet_core.kernels import kernel, refer
from townlet_core.observations.crops import write_map
from townlet_core.observations.paths import write_choices, write_hints, write_job_direction
from townlet_core.observations.person import write_body, write_deeds, write_security, write_time, write_work
from townlet_core.observations.social import write_social
from townlet_core.observations.surroundings import write_surroundings

HEADING = "## What bounds it"
MAP, CHOICES, SOCIAL, OTHERS, NOTHING = range(5)
PIECES = {"map": MAP, "choices": CHOICES, "social": SOCIAL, "others": OTHERS}
REPEATS = 5
EVERY = 4
"""Every so many-th tick is timed."""


@kernel
def write_others(town: Any, rules: Any, i: int, out: Any) -> None:
    """Write every block that looks nothing up among objects or people."""
    agent = town.agents[i]
    k = write_body(town, rules, i, out, 0)
    k = write_time(town, rules, i, math.sin(0.1), math.cos(0.1), out, k)
    k = write_work(rules, agent, out, k)
    k = write_security(rules, agent, out, k)
    k = write_job_direction(rules, i, agent, out, k)
    k = write_deeds(rules, agent, i, out, k)
    k = write_hints(rules, agent, out, k)
    write_surroundings(town, rules, agent, out, k)


@kernel(entry=True)
def write_piece(state: Any, rules: Any, maps: Any, features: Any, piece: int) -> None:
    """Write one piece of everybody's observation."""
    book = refer(rules)
    for b in range(maps.shape[0]):
        town = town_of(state, b)
        for i in range(maps.shape[1]):
            if piece == MAP:
                write_map(town, book, i, maps[b, i])
            elif piece == CHOICES:
                write_choices(town, book, i, features[b, i], 0)
            elif piece == SOCIAL:
                write_social(town, book, i, features[b, i], 0)
            elif piece == OTHERS:
                write_others(town, book, i, features[b, i])


def quickest(work: Callable[[], object]) -> float:
    """Processor seconds of the quickest of a few runs."""
    times = []
    for _ in range(REPEATS):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)


def piece_times(sim: Simulation, maps: Any, features: Any) -> dict[str, float]:
    """Seconds that each piece takes now, less those of looking at everybody and writing nothing."""

    def seconds(piece: int) -> float:
        return quickest(lambda: write_piece(sim.state, sim.rules, maps, features, piece))

    empty = seconds(NOTHING)
    return {name: seconds(piece) - empty for name, piece in PIECES.items()}


def tick_times(sim: Simulation, choices: Actions, live: Callable[[Actions], object]) -> float:
    """Mean seconds of a tick over the hours, each tick the quickest of a few lives."""
    times = np.zeros((REPEATS, len(choices)))
    for life in times:
        sim.reset()
        for k, tick in enumerate(choices):
            start = time.process_time()
            live(tick)
            life[k] = time.process_time() - start
    return float(times.min(axis=0).mean())


def mean_pieces(sim: Simulation, choices: Actions) -> dict[str, float]:
    """Mean seconds of each piece over the hours."""
    maps = np.zeros((*sim.shape, sim.layout.cells // 4), np.uint32)
    features = np.zeros((*sim.shape, len(sim.layout.features)), np.float32)
    found = []
    sim.reset()
    for tick in choices:
        sim.step(tick)
        if sim.tick % EVERY == 0:
            found.append(piece_times(sim, maps, features))
    return {name: float(np.mean([times[name] for times in found])) for name in PIECES}


def measure() -> dict[str, float]:
    """Nanoseconds per agent-step of the tick, of each piece and of the whole step."""
    sim = Simulation(everything_on("hybrid"), HEADLINE, SEED)
    choices = record_choices(sim, MINUTES)
    costs = {"tick": tick_times(sim, choices, sim.advance), **mean_pieces(sim, choices)}
    costs["step"] = tick_times(sim, choices, sim.step)
    return {name: 1e9 * seconds / (sim.shape[0] * sim.shape[1]) for name, seconds in costs.items()}


def main() -> None:
    """Measure every piece, print the costs and add the line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--dry", action="store_true", help="print only; leave docs/benchmarks.md alone")
    options = parser.parse_args()
    load, costs = os.getloadavg()[0], measure()
    for name, cost in costs.items():
        print(f"{name:<8} {cost:7.1f} ns")
    if not options.dry:
        add_line(costs, load)


def add_line(costs: dict[str, float], load: float) -> None:
    """Add a row to the table in docs/benchmarks.md."""
    cells = [f"{datetime.now(UTC):%Y-%m-%d}", processor(), f"{load:.1f}", *(f"{cost:.0f}" for cost in costs.values())]
    PAGE.write_text(with_row(PAGE.read_text(encoding="utf-8"), f"| {' | '.join(cells)} |", HEADING), encoding="utf-8")


if __name__ == "__main__":
    main()
