"""Evaluation: every contender lives in the same towns, and each town gives one pair of figures per contender."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import BaseModel, ValidationError, model_validator

from townlet_core.config import Scenario, canonical_json, config_digest, digest
from townlet_core.core import ENGINE, Simulation
from townlet_core.datasets.capture import capture_seed
from townlet_core.errors import DataError, InputError
from townlet_core.kernels import source_digest
from townlet_core.policy.acting import Policy
from townlet_core.stability.criteria import FROZEN, Figure
from townlet_core.telemetry.intervals import Interval, mean_interval, paired_interval

CANDIDATE, CURRENT, TEACHER = "candidate", "current", "teacher"
"""Names of the contenders that a gate knows: what is judged, the release it would replace, and the scripted teacher."""

FORMAT_VERSION = 1

Progress = Callable[[int, int], None]
"""Called with the ticks lived and the ticks in all."""


class Contender(NamedTuple):
    """A policy that enters an evaluation: the digest that identifies it, and how it enters a simulation."""

    digest: str
    enter: Callable[[Simulation], Policy]


class PolicyRun(BaseModel):
    """One contender in one scenario: each figure town by town, and each action's decisions town by town."""

    model_config = FROZEN
    kpis: dict[str, tuple[Figure, ...]]
    decisions: dict[str, tuple[int, ...]]


class ScenarioRun(BaseModel):
    """One scenario: the towns, numbered from 0 under one seed, and how every contender fared in them."""

    model_config = FROZEN
    config_digest: str
    seed: int
    towns: int
    policies: dict[str, PolicyRun]

    @model_validator(mode="after")
    def _every_town_counts(self) -> Self:
        for name, run in self.policies.items():
            for figure, values in (*run.kpis.items(), *run.decisions.items()):
                if len(values) != self.towns:
                    raise ValueError(f"{name}: {figure} has {len(values)} values for {self.towns} towns")
        return self


class Evaluation(BaseModel):
    """The whole evaluation, without times or hosts: the same policies, towns and engine give the same bytes."""

    model_config = FROZEN
    format_version: int = FORMAT_VERSION
    seed: int
    days: int
    engine: str
    """Digest of the sources that decide what happens in a town."""
    policies: dict[str, str]
    """Digest of every contender by name."""
    scenarios: dict[str, ScenarioRun]

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical form."""
        return digest(self)

    def to_json(self) -> bytes:
        """The canonical JSON."""
        return canonical_json(self)

    @classmethod
    def from_json(cls, text: bytes, name: str = "evaluation") -> "Evaluation":
        """Read an evaluation back.

        Raises:
            DataError: It is damaged; `name` is what the line calls it.
        """
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            first = error.errors()[0]
            key = ".".join(str(part) for part in first["loc"]) or "document"
            raise DataError(f"{name}: {key}: {first['msg']}; evaluate again") from error

    def towns_of(self, scenario: str) -> int:
        """How many towns of a scenario every contender lived in."""
        return self.scenarios[scenario].towns

    def figures(self, scenario: str, policy: str, kpi: str) -> NDArray[np.float64] | None:
        """One contender's figure in each town, NaN where it was not measured; None where there is no such figure."""
        run = self.scenarios[scenario].policies.get(policy) if scenario in self.scenarios else None
        if run is None or kpi not in run.kpis:
            return None
        return np.array([np.nan if value is None else value for value in run.kpis[kpi]])


def evaluate(
    contenders: Mapping[str, Contender],
    scenarios: Sequence[Scenario],
    *,
    towns: int,
    days: int,
    seed: int,
    threads: int = 1,
    progress: Progress | None = None,
) -> Evaluation:
    """Let every contender live in the same held-out towns of every scenario.

    Args:
        contenders: Who takes part, by name.
        scenarios: Where they live.
        towns: Towns per scenario.
        days: How long they live there.
        seed: Chooses the towns; they are others than any capture's.
        threads: Threads of the engine; the result does not depend on it.
        progress: Called once per simulated day.

    Raises:
        InputError: Nobody takes part, nowhere, or for no time.
        CheckpointError: A contender cannot live in one of the towns.
    """
    if not contenders or not scenarios or towns < 2 or days < 1:
        raise InputError("evaluation: needs a policy, a scenario, at least 2 towns and at least 1 day")
    lived = sum(_ticks(scenario, days) for scenario in scenarios) * len(contenders)
    trial = _Trial(towns, days, seed, threads, _Tally(progress, lived))
    return Evaluation(
        seed=seed,
        days=days,
        engine=source_digest(*ENGINE),
        policies={name: contender.digest for name, contender in contenders.items()},
        scenarios={scenario.name: _scenario_run(contenders, scenario, trial) for scenario in scenarios},
    )


def estimate(evaluation: Evaluation, scenario: str, policy: str, kpi: str, confidence: float) -> Interval | None:
    """A figure's mean over towns with its Student-t interval; None where it was not measured."""
    values = evaluation.figures(scenario, policy, kpi)
    return None if values is None else mean_interval(values, confidence)


def difference(
    evaluation: Evaluation, scenario: str, policy: str, baseline: str, kpi: str, confidence: float
) -> Interval | None:
    """The mean of `policy - baseline` over the same towns with its interval; None where one is missing."""
    ours = evaluation.figures(scenario, policy, kpi)
    theirs = evaluation.figures(scenario, baseline, kpi)
    return None if ours is None or theirs is None else paired_interval(ours, theirs, confidence)


def towns_table(evaluation: Evaluation) -> pa.Table:
    """The rollouts as a table: a row per scenario, contender and town, with every figure and count of decisions."""
    rows = [
        {
            "scenario": scenario,
            "policy": policy,
            "town": town,
            "seed": str(run.seed),
            **{kpi: values[town] for kpi, values in outcome.kpis.items()},
            **{f"decisions_{action}": values[town] for action, values in outcome.decisions.items()},
        }
        for scenario, run in sorted(evaluation.scenarios.items())
        for policy, outcome in sorted(run.policies.items())
        for town in range(run.towns)
    ]
    return pa.Table.from_pylist(rows)


class _Trial(NamedTuple):
    """How long an evaluation is, and how far it has come."""

    towns: int
    days: int
    seed: int
    threads: int
    told: "_Tally"


class _Tally:
    def __init__(self, progress: Progress | None, total: int) -> None:
        self._progress, self._total, self._done = progress, total, 0

    def add(self, ticks: int) -> None:
        self._done += ticks
        if self._progress is not None:
            self._progress(self._done, self._total)


def _ticks(scenario: Scenario, days: int) -> int:
    return days * scenario.config.clock.ticks_per_day


def _scenario_run(contenders: Mapping[str, Contender], scenario: Scenario, trial: _Trial) -> ScenarioRun:
    seed = capture_seed(scenario.name, str(trial.seed), "evaluation")
    clock = scenario.config.clock.model_copy(update={"episode_days": trial.days})
    config = scenario.config.model_copy(update={"clock": clock})
    policies = {}
    for name, contender in contenders.items():
        sim = Simulation(config, trial.towns, seed, threads=trial.threads)
        policies[name] = _live(sim, contender.enter(sim), trial)
    return ScenarioRun(config_digest=config_digest(scenario.config), seed=seed, towns=trial.towns, policies=policies)


def _live(sim: Simulation, policy: Policy, trial: _Trial) -> PolicyRun:
    sim.reset()
    shape = (sim.shape[0], len(sim.layout.actions))
    decisions = np.zeros(shape, np.int64)
    town_offset = np.arange(shape[0])[:, None] * shape[1]
    for _ in range(trial.days):
        for _ in range(sim.config.clock.ticks_per_day):
            actions = policy.act(sim)
            decided = (town_offset + actions)[sim.decision]
            decisions += np.bincount(decided, minlength=decisions.size).reshape(shape)
            sim.step(actions)
        trial.told.add(sim.config.clock.ticks_per_day)
    return PolicyRun(
        kpis={name: tuple(float(value) for value in values) for name, values in sim.kpis().items()},
        decisions={name: tuple(int(n) for n in decisions[:, index]) for index, name in enumerate(sim.layout.actions)},
    )
