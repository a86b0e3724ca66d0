"""What an evaluation found: every contender in the same towns, window by window, and each town's figures."""

from typing import Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import BaseModel, Field, ValidationError, model_validator

from townlet_core.config import canonical_json, digest
from townlet_core.datasets.capture import capture_seed
from townlet_core.errors import DataError
from townlet_core.stability.claims import CANDIDATE, CURRENT, TEACHER, Figures
from townlet_core.stability.criteria import FROZEN, Figure
from townlet_core.telemetry.intervals import Interval, bootstrap_interval, paired_interval

__all__ = [
    "CANDIDATE",
    "CURRENT",
    "FIRST",
    "NO_PLAN",
    "TEACHER",
    "Evaluation",
    "PolicyRun",
    "ScenarioRun",
    "Window",
    "window_seed",
]

FORMAT_VERSION = 3

FIRST = "first"
"""In the place of a release, in the seeds of towns, where there is none to replace."""
NO_PLAN = "no plan"
"""In that place where no plan is followed: such an evaluation never lives in the towns of a gate."""


def window_seed(scenario: str, seed: int, follows: str, window: int) -> int:
    """The seed of a window's towns in a scenario: no capture and no other window has them.

    `follows` is the policy digest of the release that the candidate would replace, or `FIRST`. So nobody is judged in
    the towns in which that release was chosen, and nobody knows them before it was.
    """
    return capture_seed(scenario, f"{seed}/{follows}/{window}", "evaluation")


class PolicyRun(BaseModel):
    """One contender in one scenario: each figure town by town, and each action's decisions town by town."""

    model_config = FROZEN
    kpis: dict[str, tuple[Figure, ...]] = Field(min_length=1)
    decisions: dict[str, tuple[int, ...]]

    def followed_by(self, more: "PolicyRun") -> "PolicyRun":
        """The figures of these towns and of those that come after them."""
        kpis = {name: values + more.kpis[name] for name, values in self.kpis.items()}
        return PolicyRun(kpis=kpis, decisions={name: n + more.decisions[name] for name, n in self.decisions.items()})


class ScenarioRun(BaseModel):
    """One scenario of a window: towns numbered from 0 under one seed, and how every contender fared in them."""

    model_config = FROZEN
    config_digest: str
    seed: int
    towns: int = Field(ge=1)
    policies: dict[str, PolicyRun] = Field(min_length=1)

    @model_validator(mode="after")
    def _every_town_counts(self) -> Self:
        for name, run in self.policies.items():
            for figure, values in (*run.kpis.items(), *run.decisions.items()):
                if len(values) != self.towns:
                    raise ValueError(f"{name}: {figure} has {len(values)} values for {self.towns} towns")
        return self

    def followed_by(self, more: "ScenarioRun") -> "ScenarioRun":
        """These towns and those that come after them under the same seed."""
        policies = {name: run.followed_by(more.policies[name]) for name, run in self.policies.items()}
        return self.model_copy(update={"towns": self.towns + more.towns, "policies": policies})


class Window(BaseModel):
    """Towns that no other window has, in every scenario. The window's number, from 1, is part of their seeds."""

    model_config = FROZEN
    number: int
    scenarios: dict[str, ScenarioRun] = Field(min_length=1)

    def figures(self) -> Figures:
        """Every figure by (scenario, policy, figure); NaN in a town where it was not measured."""
        return {
            (scenario, policy, kpi): _numbers(values)
            for scenario, run in self.scenarios.items()
            for policy, outcome in run.policies.items()
            for kpi, values in outcome.kpis.items()
        }


class Evaluation(BaseModel):
    """The whole evaluation, without times or hosts: the same policies, towns and engine give the same bytes."""

    model_config = FROZEN
    format_version: int = FORMAT_VERSION
    seed: int
    follows: str
    """What the seeds of the towns are made of beside `seed` and the window's number; see `window_seed`."""
    days: int
    engine: str
    """Digest of the sources that decide what happens in a town."""
    plan: str | None
    """Digest of the plan's comparison, fixed before the evaluation began; None where it followed no plan."""
    policies: dict[str, str]
    """Digest of every contender by name."""
    windows: tuple[Window, ...] = Field(min_length=1)

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical form."""
        return digest(self)

    @property
    def scenarios(self) -> tuple[str, ...]:
        """Every scenario that was lived in, sorted."""
        return tuple(sorted({name for window in self.windows for name in window.scenarios}))

    @property
    def runs(self) -> tuple[tuple[int, str, ScenarioRun], ...]:
        """Every run with the number of its window and its scenario, in order."""
        return tuple((w.number, name, run) for w in self.windows for name, run in sorted(w.scenarios.items()))

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

    @property
    def foreign_towns(self) -> tuple[str, ...]:
        """The runs whose towns are not those of `seed`, `follows` and the window's number, one line each."""
        owed = [
            (f"{name} in window {window}", run.seed, window_seed(name, self.seed, self.follows, window))
            for window, name, run in self.runs
        ]
        repeated = [f"window {w.number} twice" for i, w in enumerate(self.windows) if w.number != i + 1]
        return (*repeated, *(told for told, found, expected in owed if found != expected))

    def towns_of(self, scenario: str) -> int:
        """How many towns of a scenario every contender lived in, over all windows."""
        return sum(run.towns for _, name, run in self.runs if name == scenario)

    def figures(self, scenario: str, policy: str, kpi: str) -> NDArray[np.float64] | None:
        """One contender's figure in each town of all windows, NaN where it was not measured; None if there is none."""
        runs = [run.policies.get(policy) for _, name, run in self.runs if name == scenario]
        values = [run.kpis.get(kpi) for run in runs if run is not None]
        known = [_numbers(one) for one in values if one is not None]
        return np.concatenate(known) if known and len(known) == len(runs) else None


def estimate(evaluation: Evaluation, scenario: str, policy: str, kpi: str, confidence: float) -> Interval | None:
    """A figure's mean over towns with its bootstrap interval; None where it was not measured."""
    values = evaluation.figures(scenario, policy, kpi)
    return None if values is None else bootstrap_interval(values, confidence)


def difference(
    evaluation: Evaluation, scenario: str, policy: str, baseline: str, kpi: str, confidence: float
) -> Interval | None:
    """The mean of `policy - baseline` over the same towns with its Student-t interval; None where one is missing."""
    ours = evaluation.figures(scenario, policy, kpi)
    theirs = evaluation.figures(scenario, baseline, kpi)
    return None if ours is None or theirs is None else paired_interval(ours, theirs, confidence)


def towns_table(evaluation: Evaluation) -> pa.Table:
    """The rollouts as a table: a row per window, scenario, contender and town, with every figure and all decisions."""
    rows = [
        {
            "window": window,
            "scenario": scenario,
            "policy": policy,
            "town": town,
            "seed": str(run.seed),
            **{kpi: values[town] for kpi, values in outcome.kpis.items()},
            **{f"decisions_{action}": values[town] for action, values in outcome.decisions.items()},
        }
        for window, scenario, run in evaluation.runs
        for policy, outcome in sorted(run.policies.items())
        for town in range(run.towns)
    ]
    return pa.Table.from_pylist(rows)


def _numbers(values: tuple[float | None, ...]) -> NDArray[np.float64]:
    return np.array([np.nan if value is None else value for value in values], np.float64)
