"""How fast one learns from the towns: agent-steps per second through the two environments, beside the engine alone.

Run by `make bench`. The teacher's choices of a whole day are recorded first and played back to the engine and to the
environment in turns, so both do the same work, the new episode at the day's end included. Times are processor times.
Prints a table and adds a dated line to docs/benchmarks.md.
"""

import argparse
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from engine import PAGE, TOWN, processor

from townlet_core.config import TownConfig, load_config
from townlet_core.core import Simulation
from townlet_core.policy.env import TownletParallelEnv
from townlet_core.policy.teacher import Teacher
from townlet_core.policy.vector import TownletVectorEnv

HEADING = "## The environments"
BATCHES = (128, 256)
DAY = 1440
REPEATS = 3
SEED = 7

Actions = npt.NDArray[np.int8]


class Sample(NamedTuple):
    """One environment: its name, and agent-steps per second through it and through the engine alone."""

    name: str
    rate: float
    engine: float

    @property
    def share(self) -> float:
        """How much of the engine's rate is left."""
        return self.rate / self.engine


def record_choices(config: TownConfig, towns: int) -> Actions:
    """Let the teacher live a day and return its choices, int8 [minutes, towns, agents]."""
    sim = Simulation(config, towns, SEED)
    teacher = Teacher(sim)
    choices = np.zeros((DAY, *sim.shape), np.int8)
    for tick in range(DAY):
        choices[tick] = teacher.act()
        sim.advance(choices[tick])
    return choices


def seconds(work: Callable[[], object]) -> float:
    """Seconds of processor time that some work takes."""
    start = time.process_time()
    work()
    return time.process_time() - start


def compare(name: str, choices: Actions, engine: Callable[[], object], environment: Callable[[], object]) -> Sample:
    """Time the engine and an environment in turns and keep the best of each."""
    times = [(seconds(engine), seconds(environment)) for _ in range(REPEATS)]
    alone, through = (min(column) for column in zip(*times, strict=True))
    return Sample(name, choices.size / through, choices.size / alone)


def live(sim: Simulation, choices: Actions) -> None:
    """Play a day back to the engine."""
    sim.reset()
    for tick in choices:
        sim.step(tick)


def measure_parallel(config: TownConfig) -> Sample:
    """Time one town through PettingZoo's interface, its dictionaries included."""
    choices = record_choices(config, towns=1)
    sim, env = Simulation(config, 1, SEED), TownletParallelEnv(config, SEED)
    turns = [dict(zip(env.possible_agents[: config.agents], tick[0].tolist(), strict=True)) for tick in choices]

    def play() -> None:
        env.reset(seed=SEED)
        for turn in turns:
            env.step(turn)

    return compare("TownletParallelEnv, 1 town", choices, lambda: live(sim, choices), play)


def measure_vector(config: TownConfig, towns: int) -> Sample:
    """Time a batch of towns through the vector environment."""
    choices = record_choices(config, towns)
    sim, env = Simulation(config, towns, SEED), TownletVectorEnv(config, towns, SEED)

    def play() -> None:
        env.reset()
        for tick in choices:
            env.step(tick)

    return compare(f"TownletVectorEnv, {towns} towns", choices, lambda: live(sim, choices), play)


def page_line(samples: list[Sample], load: float) -> str:
    """One row for docs/benchmarks.md: thousand agent-steps a second, and the share of the engine's rate."""
    rates = [f"{one.rate / 1e3:,.0f} ({one.share:.2f})" for one in samples]
    return f"| {' | '.join([f'{datetime.now(UTC):%Y-%m-%d}', processor(), f'{load:.1f}', *rates])} |"


def with_row(page: str, row: str, heading: str = HEADING) -> str:
    """The page with a row more at the end of the table under a heading."""
    lines = page.splitlines()
    start = lines.index(heading)
    table = next(k for k in range(start, len(lines)) if lines[k].startswith("|"))
    end = next((k for k in range(table, len(lines)) if not lines[k].startswith("|")), len(lines))
    return "\n".join([*lines[:end], row, *lines[end:]]) + "\n"


def main() -> None:
    """Measure each environment, print the table and add the line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--dry", action="store_true", help="print only; leave docs/benchmarks.md alone")
    options = parser.parse_args()
    load, config = os.getloadavg()[0], load_config(TOWN)
    samples = [measure_parallel(config), *(measure_vector(config, towns) for towns in BATCHES)]
    print(f"{'environment':<28} {'agent-steps':>14} {'engine alone':>14}  share")
    for one in samples:
        print(f"{one.name:<28} {one.rate:>12,.0f}/s {one.engine:>12,.0f}/s  {one.share:.2f}")
    if not options.dry:
        PAGE.write_text(with_row(PAGE.read_text(encoding="utf-8"), page_line(samples, load)), encoding="utf-8")


if __name__ == "__main__":
    main()
