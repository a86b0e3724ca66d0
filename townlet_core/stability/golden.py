"""Golden rollouts: what a policy does in towns that stay the same for good, kept as two tables."""

from collections.abc import Callable, Mapping, Sequence
from math import ceil
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from townlet_core.config import Scenario
from townlet_core.config.rehearsal import GoldenRules
from townlet_core.core import Simulation
from townlet_core.datasets.capture import capture_seed
from townlet_core.policy.acting import Policy
from townlet_core.scenarios import bind, towns_that_keep
from townlet_core.stability.choices import CHOICES_SCHEMA, Diary

Floats = NDArray[np.float64]
Lived = Mapping[tuple[str, str], Floats]
"""A figure of one policy in each golden town: by (scenario, figure)."""

TOWNS_SCHEMA = pa.schema(
    [
        pa.field("scenario", pa.string()),
        pa.field("town", pa.int32()),
        pa.field("seed", pa.string()),
        pa.field("figure", pa.string()),
        pa.field("value", pa.float64()),
    ]
)


class Rollouts(NamedTuple):
    """What one policy did in the golden towns.

    `towns` has a row per scenario, town and figure; `decisions` a row per choice, in the order they were made, with the
    rewards of that life until then. A tick that left no choice has no row, so that the choices are the whole rollout.
    """

    towns: pa.Table
    decisions: pa.Table


def golden_seed(scenario: str, rules: GoldenRules) -> int:
    """The seed of a scenario's golden towns; no capture, no evaluation and no calibration has them."""
    return capture_seed(scenario, str(rules.seed), "golden")


def promise(number: int) -> str:
    """The figure that is 1 in a town where the scenario's expectation of this number, from 1, was met, else 0."""
    return f"expectation_{number}"


def roll_out(
    enter: Callable[[Simulation], Policy], scenarios: Sequence[Scenario], rules: GoldenRules, *, threads: int = 1
) -> Rollouts:
    """Let a policy live in the golden towns of every scenario.

    Args:
        enter: How the policy enters a simulation.
        scenarios: Those of the rules; each lives as long as its `check` says.
        rules: Which towns, and how many.
        threads: Threads of the engine; the result does not depend on it.

    Raises:
        CheckpointError: The policy cannot live in one of the towns.
    """
    lived = [_live(enter, scenario, rules, threads) for scenario in scenarios]
    return Rollouts(pa.concat_tables([one.towns for one in lived]), pa.concat_tables([one.decisions for one in lived]))


def lived_figures(towns: pa.Table) -> Lived:
    """The figures of a policy as arrays over towns, from the table that `roll_out` gave."""
    found: dict[tuple[str, str], list[float]] = {}
    for row in towns.select(["scenario", "figure", "value"]).to_pylist():
        value = row["value"]
        found.setdefault((row["scenario"], row["figure"]), []).append(np.nan if value is None else value)
    return {place: np.array(values) for place, values in found.items()}


def _live(enter: Callable[[Simulation], Policy], scenario: Scenario, rules: GoldenRules, threads: int) -> Rollouts:
    sim, ticks = _towns(scenario, rules, threads), scenario.check.ticks
    sim.reset()
    probes = [bind(expectation, sim) for expectation in scenario.expectations]
    choices: list[pa.Table] = []
    policy, diary = enter(sim), Diary(scenario.name, sim, choices.append)
    for tick in range(ticks):
        actions = policy.act(sim)
        diary.note(actions, tick)
        events = sim.step(actions).events.rows
        events["town"] -= sim.first_town
        for probe in probes:
            probe.note(sim, events)
    diary.close()
    kept = {
        promise(number): towns_that_keep(*pair, sim).astype(np.float64)
        for number, pair in enumerate(zip(scenario.expectations, probes, strict=True), start=1)
    }
    figures = _figures_table(scenario.name, golden_seed(scenario.name, rules), {**sim.kpis(), **kept})
    return Rollouts(figures, pa.concat_tables([CHOICES_SCHEMA.empty_table(), *choices]))


def _towns(scenario: Scenario, rules: GoldenRules, threads: int) -> Simulation:
    days = ceil(scenario.check.ticks / scenario.config.clock.ticks_per_day)
    clock = scenario.config.clock.model_copy(update={"episode_days": days})
    config = scenario.config.model_copy(update={"clock": clock})
    return Simulation(config, rules.towns, golden_seed(scenario.name, rules), threads=threads)


def _figures_table(scenario: str, seed: int, figures: Mapping[str, Floats]) -> pa.Table:
    rows = [
        {"scenario": scenario, "town": town, "seed": str(seed), "figure": name, "value": float(value)}
        for name, values in figures.items()
        for town, value in enumerate(values)
    ]
    return pa.Table.from_pylist(rows, schema=TOWNS_SCHEMA)
