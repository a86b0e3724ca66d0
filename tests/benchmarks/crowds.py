"""What a citizen costs in towns of 8, 32, 128 and 512: processor time per agent-step, tick alone and with observations.

Run by `make bench`. Each size has as many towns as make 512 citizens in all, so that nothing but the size of a town
differs; then one town of each size lives alone. The teacher's choices are recorded first and then played back. Adds a
dated line to docs/benchmarks.md.
"""

import argparse
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np
from crowd_towns import crowd_town
from engine import best_seconds, processor

from townlet_core.core import Simulation
from townlet_core.policy.teacher import Teacher

PAGE = Path(__file__).resolve().parents[2] / "docs" / "benchmarks.md"
MARK = "| date | processor | load | 8 citizens | 32 | 128 | 512 | 512 : 8 | one of 8 | of 32 | of 128 | of 512 |"
SIZES = (8, 32, 128, 512)
MINUTES = 480


class Cost(NamedTuple):
    """Nanoseconds per agent-step in towns of one size, tick alone and with observations."""

    citizens: int
    ticking: float
    stepping: float

    @property
    def rates(self) -> tuple[float, float]:
        """The same as agent-steps per second."""
        return 1e9 / self.ticking, 1e9 / self.stepping


def measure(citizens: int, towns: int) -> Cost:
    """Time so many towns of one size from six in the morning to two in the afternoon."""
    sim = Simulation(crowd_town(citizens), towns, seed=7)
    teacher, choices = Teacher(sim), np.zeros((MINUTES, *sim.shape), np.int8)
    for tick in range(MINUTES):
        choices[tick] = teacher.act()
        sim.step(choices[tick])
    ticking = best_seconds(lambda: [sim.advance(tick) for tick in choices], sim.reset)
    stepping = best_seconds(lambda: [sim.step(tick) for tick in choices], sim.reset)
    return Cost(citizens, 1e9 * ticking / choices.size, 1e9 * stepping / choices.size)


def main() -> None:
    """Measure every size, print the costs and their growth, and add the line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--dry", action="store_true", help="print only; leave docs/benchmarks.md alone")
    options = parser.parse_args()
    load, costs = os.getloadavg()[0], [measure(citizens, SIZES[-1] // citizens) for citizens in SIZES]
    alone = [measure(citizens, 1) for citizens in SIZES]
    growth = (costs[-1].ticking / costs[0].ticking, costs[-1].stepping / costs[0].stepping)
    for cost in costs:
        print(
            f"{cost.citizens:>5} citizens: {cost.ticking:7.1f} ns tick alone, {cost.stepping:7.1f} ns with observations"
        )
    print(f"512 against 8: {growth[0]:.2f} times tick alone, {growth[1]:.2f} times with observations")
    for cost in alone:
        ticking, stepping = cost.rates
        print(f"one town of {cost.citizens:>3}: {ticking:>12,.0f}/s tick alone, {stepping:>12,.0f}/s with observations")
    if not options.dry:
        add_line(costs, growth, alone, load)


def add_line(costs: list[Cost], growth: tuple[float, float], alone: list[Cost], load: float) -> None:
    """Add a row below the table's last one in docs/benchmarks.md."""
    cells = [f"{datetime.now(UTC):%Y-%m-%d}", processor(), f"{load:.1f}"]
    cells += [f"{cost.ticking:.0f} / {cost.stepping:.0f}" for cost in costs]
    cells.append(f"{growth[0]:.2f} / {growth[1]:.2f}")
    cells += [" / ".join(f"{rate / 1e6:.2f}" for rate in cost.rates) for cost in alone]
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    end = lines.index(MARK)
    while end < len(lines) and lines[end].startswith("|"):
        end += 1
    lines.insert(end, f"| {' | '.join(cells)} |")
    PAGE.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
