"""What seeing costs: agent-steps per second of each observation variant, and the seconds until the first observation.

Run by `make bench`. Everything is on. The teacher's choices are recorded first and played back, so that only the engine
is timed. Prints a table and adds a dated line to docs/benchmarks.md.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from typing import NamedTuple

import numpy as np
from engine import MINUTES, PAGE, SEED, TOWN, Actions, processor, record_choices
from environments import with_row

from townlet_core.config import TownConfig, load_config
from townlet_core.core import Simulation
from townlet_core.observations.layout import CHANNELS

HEADING = "## What agents see"
TOWNS = (128, 256)
REPEATS = 5
FIRST_CALL = """
import sys
from townlet_core.config import load_config
from townlet_core.core import Simulation
import numpy as np
sim = Simulation(load_config(sys.argv[1]))
sim.step(np.zeros(sim.shape, np.int8))
"""


class Sample(NamedTuple):
    """One variant and batch: agent-steps per second, by processor time on one core and by the wall clock on two.

    ``gain`` is how much quicker two threads are than one, both by the wall clock and in turns; ``size`` the bytes of an
    observation.
    """

    variant: str
    towns: int
    one: float
    two: float
    gain: float
    size: int


def everything_on(variant: str) -> TownConfig:
    """The default town as a variant sees it, with every system switched on."""
    rewards = {"shaping": {"use_potential": True}, "curiosity": {"phase": "phase_A"}}
    stages = {"relationships": "B", "social_rewards": "C3"}
    changes = {"config_id": f"default-{variant}-1", "rewards": rewards, "stages": stages}
    return load_config(TOWN, {**changes, "observations": {"variant": variant}})


class Lives:
    """Several lives of the same hours; each tick counts as in the life in which it was quickest."""

    def __init__(self, sim: Simulation, choices: Actions) -> None:
        self.sim, self.choices = sim, choices
        self.wall, self.processor = np.full(len(choices), np.inf), np.full(len(choices), np.inf)

    def live(self) -> None:
        """Live once more."""
        self.sim.reset()
        for k, tick in enumerate(self.choices):
            wall, processor = time.perf_counter(), time.process_time()
            self.sim.step(tick)
            self.processor[k] = min(self.processor[k], time.process_time() - processor)
            self.wall[k] = min(self.wall[k], time.perf_counter() - wall)


def measure(variant: str, towns: int) -> Sample:
    """Time one variant on one core and on two, in turns."""
    config = everything_on(variant)
    one, two = (Simulation(config, towns, SEED, threads=threads) for threads in (1, 2))
    choices = record_choices(one, MINUTES)
    alone, together = Lives(one, choices), Lives(two, choices)
    for _ in range(REPEATS):
        alone.live()
        together.live()
    size = sum(part.nbytes for part in one.observation) // (one.shape[0] * one.shape[1])
    rates = choices.size / float(alone.processor.sum()), choices.size / float(together.wall.sum())
    return Sample(variant, towns, *rates, float(alone.wall.sum() / together.wall.sum()), size)


class FirstCall(NamedTuple):
    """Seconds of a fresh process until its first observation, by the wall clock and of processor time."""

    wall: float
    processor: float

    def __str__(self) -> str:
        return f"{self.wall:.1f} ({self.processor:.1f})"


def first_call(cache: str) -> FirstCall:
    """Time a fresh process that lives one tick, with its compiled kernels in a folder."""
    start, spent = time.perf_counter(), children_seconds()
    environment = {**os.environ, "TOWNLET_KERNEL_CACHE": cache}
    subprocess.run([sys.executable, "-c", FIRST_CALL, str(TOWN)], check=True, env=environment)
    return FirstCall(time.perf_counter() - start, children_seconds() - spent)


def children_seconds() -> float:
    """Processor seconds that finished child processes have taken so far."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def first_calls() -> tuple[FirstCall, FirstCall]:
    """Time the first observation with an empty and with a kept kernel cache, the latter the quickest of a few."""
    with tempfile.TemporaryDirectory() as cache:
        cold = first_call(cache)
        return cold, min(first_call(cache) for _ in range(REPEATS))


def page_line(samples: list[Sample], calls: tuple[FirstCall, FirstCall], load: float) -> str:
    """One row for docs/benchmarks.md."""
    rates = [f"{one.one / 1e6:.2f} / {one.two / 1e6:.2f} ({one.gain:.2f}x)" for one in samples]
    cells = [f"{datetime.now(UTC):%Y-%m-%d}", processor(), f"{load:.1f}", *rates, f"{calls[0]} / {calls[1]}"]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Measure every variant, print the table and add the line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--dry", action="store_true", help="print only; leave docs/benchmarks.md alone")
    options = parser.parse_args()
    load, calls = os.getloadavg()[0], first_calls()
    samples = [measure(variant, towns) for variant in CHANNELS for towns in TOWNS]
    print(f"first call {calls[0]} s with an empty cache, {calls[1]} s with a kept one; in brackets, processor time")
    for one in samples:
        rates = f"{one.one:>12,.0f}/s, two {one.two:>12,.0f}/s ({one.gain:.2f}x)"
        print(f"{one.variant:<8} {one.towns:>4} towns {one.size:>5} bytes {rates}")
    if not options.dry:
        page = with_row(PAGE.read_text(encoding="utf-8"), page_line(samples, calls, load), HEADING)
        PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
