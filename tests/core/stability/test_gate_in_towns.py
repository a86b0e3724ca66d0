"""The gate in real towns: carelessness of a known degree is noticed, and the teacher itself is not accused."""

from pathlib import Path

import numpy as np
import pytest

from tests.core.stability.conftest import CANDIDATE, TEACHER, sound_evidence
from townlet_core.config import config_digest, digest, load_scenario
from townlet_core.config.gates import GatePolicy
from townlet_core.core import Simulation
from townlet_core.policy.teacher import Teacher
from townlet_core.stability import Contender, Decision, Planned, decide, evaluate_by_plan
from townlet_core.stability.evaluation import FIRST

CONFIGS = Path(__file__).parents[3] / "configs"
SCENARIO = "ordinary_day"


class Careless:
    """The teacher, who takes a random legal option in a share of its decisions."""

    name = "careless"

    def __init__(self, sim: Simulation, share: float) -> None:
        self._teacher, self._share = Teacher(sim), share
        self._generator = np.random.default_rng(11)

    def act(self, sim: Simulation) -> np.ndarray:
        """The teacher's choice, or a random one."""
        advised, mask = self._teacher.act(sim), sim.observation.mask
        anything = (self._generator.random(mask.shape) * mask).argmax(axis=2)
        slips = (self._generator.random(advised.shape) < self._share) & sim.decision
        return np.where(slips, anything, advised).astype(np.int8)


def judged(plan: GatePolicy, share: float) -> Decision:
    contenders = {
        "candidate": Contender(CANDIDATE, lambda sim: Careless(sim, share)),
        "teacher": Contender(TEACHER, Teacher),
    }
    rules = plan.comparison.model_copy(update={"scenarios": (SCENARIO,)})
    scenario = load_scenario(SCENARIO, CONFIGS)
    alone = plan.model_copy(update={"comparison": rules})
    evaluation = evaluate_by_plan(contenders, [scenario], Planned(rules, digest(rules), {"teacher": "no_worse"}, FIRST))
    today = {"engine": evaluation.engine, "scenarios": {SCENARIO: config_digest(scenario.config)}}
    return decide(alone, sound_evidence(evaluation=evaluation, **today))


def test_a_policy_that_acts_like_the_teacher_is_promoted(plan: GatePolicy) -> None:
    decision = judged(plan, 0.0)
    assert decision.verdict == "PROMOTE", decision.reasons


@pytest.mark.parametrize(("share", "verdicts"), [(0.05, {"HOLD", "FAIL"}), (0.2, {"FAIL"})])
def test_a_careless_policy_is_refused(plan: GatePolicy, share: float, verdicts: set[str]) -> None:
    assert judged(plan, share).verdict in verdicts
