"""How fast the towns live: agent-steps per second, beside what copying the same observations costs.

Run by `make bench`. Each batch lives the same hours again and again: the teacher's choices are recorded first and then
played back, so that only the engine is timed. Prints a table and adds a dated line to docs/benchmarks.md.
"""

import argparse
import os
import platform
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from townlet_core.config import load_config
from townlet_core.core import Simulation
from townlet_core.policy.teacher import Teacher

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "benchmarks.md"
TOWN = ROOT / "configs" / "towns" / "default.yaml"
TOWNS = (1, 16, 128, 256, 512)
MINUTES = 480
"""From six in the morning to two in the afternoon: breakfast, the way to work, lunch."""
REPEATS = 3
SEED = 7
HEADLINE = 256

Actions = npt.NDArray[np.int8]


class Sample(NamedTuple):
    """One batch on one number of threads: agent-steps per second, and seconds per tick of stepping and of copying."""

    towns: int
    threads: int
    tick_rate: float
    step_rate: float
    observe_seconds: float
    copy_seconds: float

    @property
    def ratio(self) -> float:
        """How many times longer a whole step with observations takes than copying its observations."""
        return self.observe_seconds / self.copy_seconds


def record_choices(sim: Simulation, minutes: int) -> Actions:
    """Let the teacher live the hours and return its choices, int8 [minutes, towns, agents]."""
    teacher = Teacher(sim)
    choices = np.zeros((minutes, *sim.shape), np.int8)
    for tick in range(minutes):
        choices[tick] = teacher.act()
        sim.step(choices[tick])
    return choices


def best_seconds(
    work: Callable[[], object], prepare: Callable[[], object], clock: Callable[[], float] = time.process_time
) -> float:
    """Seconds of the quickest of a few runs by a clock; `prepare` runs before each, outside the clock.

    Processor time tells what one core does, whatever else runs; only what two threads do together needs the wall clock.
    """
    times = []
    for _ in range(REPEATS):
        prepare()
        start = clock()
        work()
        times.append(clock() - start)
    return min(times)


def seconds_to_copy(sim: Simulation) -> float:
    """Seconds that `numpy.copyto` needs for one tick's observations."""
    parts = [(np.empty_like(part, order="C"), part) for part in sim.observation]

    def copy() -> None:
        for _ in range(MINUTES):
            for target, source in parts:
                np.copyto(target, source)

    return best_seconds(copy, lambda: None) / MINUTES


def measure(towns: int, threads: int) -> Sample:
    """Time one batch: the tick alone, the tick with observations, and the copy."""
    sim = Simulation(load_config(TOWN), towns, SEED, threads=threads)
    choices = record_choices(sim, MINUTES)

    def advance() -> None:
        for tick in choices:
            sim.advance(tick)

    def step() -> None:
        for tick in choices:
            sim.step(tick)

    steps, clock = choices.size, time.process_time if threads == 1 else time.perf_counter
    ticking, stepping = best_seconds(advance, sim.reset, clock), best_seconds(step, sim.reset, clock)
    return Sample(towns, threads, steps / ticking, steps / stepping, stepping / MINUTES, seconds_to_copy(sim))


def processor() -> str:
    """The processor's name, as the operating system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def print_samples(samples: list[Sample]) -> None:
    """Print every sample as a line of a table."""
    print(f"{'towns':>6} {'threads':>8} {'tick alone':>14} {'with obs.':>14} {'ms/tick':>9} {'copy ms':>9}  ratio")
    for one in samples:
        print(
            f"{one.towns:>6} {one.threads:>8} {one.tick_rate:>12,.0f}/s {one.step_rate:>12,.0f}/s "
            f"{1e3 * one.observe_seconds:>9.3f} {1e3 * one.copy_seconds:>9.3f} {one.ratio:>6.1f}"
        )


def page_line(samples: list[Sample], load: float) -> str:
    """One row for docs/benchmarks.md: rates in million agent-steps a second, tick alone / with observations."""
    found = {(one.threads, one.towns): one for one in samples}
    rates = [_rates(found[1, towns]) for towns in TOWNS]
    two, one = found[2, HEADLINE], found[1, HEADLINE]
    cells = [f"{datetime.now(UTC):%Y-%m-%d}", processor(), f"{load:.1f}", *rates, _rates(two), f"{one.ratio:.1f}"]
    return f"| {' | '.join(cells)} |\n"


def _rates(sample: Sample) -> str:
    return f"{sample.tick_rate / 1e6:.2f} / {sample.step_rate / 1e6:.2f}"


def main() -> None:
    """Measure every batch on one and on two threads, print the table and add the line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--dry", action="store_true", help="print only; leave docs/benchmarks.md alone")
    options = parser.parse_args()
    load = os.getloadavg()[0]
    samples = [measure(towns, threads) for threads in (1, 2) for towns in TOWNS]
    print_samples(samples)
    if not options.dry:
        with PAGE.open("a", encoding="utf-8") as page:
            page.write(page_line(samples, load))


if __name__ == "__main__":
    main()
