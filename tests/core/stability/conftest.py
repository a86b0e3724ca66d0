"""Evidence made of drawn figures: a candidate whose difference from the teacher is known exactly."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from townlet_core.config import digest
from townlet_core.config.gates import GatePolicy, load_gates
from townlet_core.config.telemetry import CANARIES
from townlet_core.stability import CloningEvidence, DataEvidence, Evaluation, Evidence, TrainingEvidence
from townlet_core.stability.evaluation import FIRST, PolicyRun, ScenarioRun, Window, window_seed

GATES = Path(__file__).parents[3] / "configs/gates.yaml"
CANDIDATE, CURRENT, TEACHER, DATASET = "c" * 64, "9" * 64, "7" * 64, "d" * 64
ENGINE, CONFIG = "e" * 64, "f" * 64
SCENARIOS = ("dear_day", "late_morning", "low_money", "one_shower", "ordinary_day", "stove_outage")
PLAN = load_gates(GATES)
SILENT = dict.fromkeys((f"canary_{name}" for name in CANARIES), 0.0)
LEVELS = {"survival": 1.0, "needs_ok_share": 0.9, "attendance": 0.95, "return": 2.5, "conflicts": 0.6, "rivalry": 0.02}
SPREAD = {
    "survival": 0.0,
    "needs_ok_share": 0.02,
    "attendance": 0.02,
    "return": 0.1,
    "conflicts": 0.1,
    "rivalry": 0.005,
}
LOGGED = {
    "return": 1.5,
    "loss": 0.008,
    "kl": 0.003,
    "clip": 0.03,
    "grad": 0.5,
    "entropy": 0.15,
    "explained_variance": 0.9,
    "reward_corr": 0.1,
    "queue_events": 400.0,
    "queue_intensity": 120.0,
    "late_help": 127.0,
}
LEVELS, SPREAD = LEVELS | SILENT, SPREAD | SILENT
TOWNS = PLAN.comparison.towns[1]
DIFFERENCE = "feature 9 is 'wallet' in the policy and 'purse' in the town"


def drawn_run(generator: np.random.Generator, towns: int, shift: Mapping[str, float], common: np.ndarray) -> PolicyRun:
    """A policy's figures: the level of the towns, what it is better or worse by, and its own luck."""
    kpis = {}
    for index, (kpi, level) in enumerate(LEVELS.items()):
        luck = generator.normal(size=towns) * SPREAD[kpi]
        kpis[kpi] = tuple(float(x) for x in level + common[index] * SPREAD[kpi] + luck + shift.get(kpi, 0.0))
    return PolicyRun(kpis=kpis, decisions={"idle": (10,) * towns})


def drawn_evaluation(
    seed: int = 0,
    shift: Mapping[str, float] | None = None,
    *,
    towns: int = TOWNS,
    scenarios: tuple[str, ...] = SCENARIOS,
    current: str | None = None,
    follows: str | None = None,
    plan: GatePolicy = PLAN,
) -> Evaluation:
    """An evaluation in which the candidate differs from the teacher by `shift` on average."""
    follows = follows or current or FIRST
    generator = np.random.default_rng(seed)
    digests = {"candidate": CANDIDATE, "teacher": TEACHER} | ({"current": current} if current else {})
    windows = []
    for number in range(1, plan.comparison.windows + 1):
        runs = {}
        for scenario in scenarios:
            common = generator.normal(size=(len(LEVELS), towns))
            policies = {
                name: drawn_run(generator, towns, (shift or {}) if name == "candidate" else {}, common)
                for name in digests
            }
            town_seed = window_seed(scenario, plan.comparison.seed, follows, number)
            runs[scenario] = ScenarioRun(config_digest=CONFIG, seed=town_seed, towns=towns, policies=policies)
        windows.append(Window(number=number, scenarios=runs))
    return Evaluation(
        seed=plan.comparison.seed,
        follows=follows,
        days=plan.comparison.days,
        engine=ENGINE,
        plan=digest(plan.comparison),
        policies=digests,
        windows=tuple(windows),
    )


def trained(policy: str = CANDIDATE, **changes: object) -> TrainingEvidence:
    """The log of a sound training."""
    parts: dict[str, object] = {
        "policy_digest": policy,
        "recipe": "a" * 64,
        "mode": "rollout",
        "form": "4.0",
        "logged": 30,
        "planned": 30,
    }
    parts["figures"] = LOGGED
    return TrainingEvidence(**(parts | changes))  # type: ignore[arg-type]


def sound_evidence(**changes: object) -> Evidence:
    """Evidence that speaks for a first release in every respect, with some parts replaced."""
    parts: dict[str, object] = {
        "candidate_digest": CANDIDATE,
        "dataset_id": DATASET,
        "baseline_digest": None,
        "incompatible": None,
        "engine": ENGINE,
        "teacher": TEACHER,
        "scenarios": dict.fromkeys(SCENARIOS, CONFIG),
        "data": DataEvidence(
            dataset_id=DATASET,
            decisions=20_000,
            action_shares={"idle": 0.3, "work": 0.3, "sleep": 0.2, "wash": 0.1, "relax": 0.09, "shop": 0.01},
            clipped_share=0.001,
        ),
        "cloning": CloningEvidence(
            dataset_id=DATASET,
            candidate_digest=CANDIDATE,
            accuracy=0.93,
            majority_share=0.3,
            scenarios=dict.fromkeys(SCENARIOS, 0.92),
        ),
        "training": trained(),
        "baseline_training": None,
        "evaluation": drawn_evaluation(),
    }
    return Evidence(**(parts | changes))  # type: ignore[arg-type]


def with_current(**changes: object) -> Evidence:
    """Evidence beside a current release."""
    parts = {
        "baseline_digest": CURRENT,
        "baseline_training": trained(CURRENT),
        "evaluation": drawn_evaluation(current=CURRENT),
    }
    return sound_evidence(**(parts | changes))


def with_incompatible(**changes: object) -> Evidence:
    """Evidence of a candidate that would replace a release of another layout, which stayed out of the evaluation."""
    parts = {
        "baseline_digest": CURRENT,
        "baseline_training": trained(CURRENT),
        "incompatible": DIFFERENCE,
        "evaluation": drawn_evaluation(follows=CURRENT),
    }
    return sound_evidence(**(parts | changes))


@pytest.fixture(scope="session")
def plan() -> GatePolicy:
    """The shipped plan."""
    return PLAN


def by_plan(plan: GatePolicy, evidence: Evidence) -> Evidence:
    """The same evidence, as if another plan had been fixed before the evaluation."""
    assert evidence.evaluation is not None
    evaluation = evidence.evaluation.model_copy(update={"plan": digest(plan.comparison)})
    return evidence.model_copy(update={"evaluation": evaluation})


def with_figure(
    evaluation: Evaluation, kpi: str, town: int, value: float | None, policy: str = "candidate", window: int = 1
) -> Evaluation:
    """The evaluation with one town's figure replaced in the ordinary day of a window."""
    body = evaluation.model_dump()
    kpis = body["windows"][window - 1]["scenarios"]["ordinary_day"]["policies"][policy]["kpis"]
    kpis[kpi] = (*kpis[kpi][:town], value, *kpis[kpi][town + 1 :])
    return Evaluation.model_validate(body)
