"""The gate: from a plan and the evidence to PROMOTE, HOLD or FAIL. A pure function: same input, same decision."""

from typing import Literal, NamedTuple

from pydantic import BaseModel

from townlet_core.config import digest
from townlet_core.config.gates import GatePolicy, Mode, UncomparedRule
from townlet_core.stability.claims import CANDIDATE, CURRENT, TEACHER
from townlet_core.stability.criteria import (
    FROZEN,
    Criterion,
    Verdict,
    agrees,
    at_least,
    at_most,
    missing,
    short,
    worst,
)
from townlet_core.stability.evaluation import FIRST, Evaluation
from townlet_core.stability.evidence import Evidence
from townlet_core.stability.training_bands import training_criteria
from townlet_core.stability.windows import window_criteria

Outcome = Literal["PROMOTE", "HOLD", "FAIL"]

SHOWN = 4
"""Reasons that a single line can take."""

_OUTCOMES: dict[Verdict, Outcome] = {Verdict.PASS: "PROMOTE", Verdict.HOLD: "HOLD", Verdict.FAIL: "FAIL"}


class Decision(BaseModel):
    """The verdict on one candidate, with every criterion, and the digests of exactly what it is about.

    `baseline_digest` is the policy of the release that the candidate would replace, also when it could not be compared
    with it; `incompatible` is then how their layouts differ.
    """

    model_config = FROZEN
    verdict: Outcome
    criteria: tuple[Criterion, ...]
    plan: str
    gates_digest: str
    candidate_digest: str
    dataset_id: str
    evaluation_digest: str | None
    baseline_digest: str | None
    incompatible: str | None
    evidence_digest: str
    first_release: bool

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical form."""
        return digest(self)

    @property
    def reasons(self) -> tuple[str, ...]:
        """One line for each criterion that did not pass, the worst first: who failed, then who could not pass."""
        open_ones = [criterion for criterion in self.criteria if criterion.verdict is not Verdict.PASS]
        open_ones.sort(key=_hopeless_first)
        return tuple(f"{criterion.name}: {criterion.reason}" for criterion in open_ones)

    def brief(self) -> str:
        """The worst reasons in one line, and how many more there are."""
        first, others = self.reasons[:SHOWN], len(self.reasons) - SHOWN
        return "; ".join((*first, f"and {others} more criteria that did not pass") if others > 0 else first)


def _hopeless_first(criterion: Criterion) -> tuple[int, float]:
    return -criterion.verdict.severity, -1.0 if criterion.chance is None else criterion.chance


def decide(policy: GatePolicy, evidence: Evidence) -> Decision:
    """Judge a candidate. The worst criterion wins; what is missing, not a number or stale never promotes."""
    criteria = (
        *_freshness(evidence),
        *_data(policy, evidence),
        *_cloning(policy, evidence),
        *training_criteria(policy.training, evidence),
        *_release_rule(policy, evidence),
        *_comparisons(policy, evidence),
    )
    return Decision(
        verdict=_OUTCOMES[worst(criteria)],
        criteria=criteria,
        plan=policy.plan,
        gates_digest=digest(policy),
        candidate_digest=evidence.candidate_digest,
        dataset_id=evidence.dataset_id,
        evaluation_digest=evidence.evaluation.digest if evidence.evaluation is not None else None,
        baseline_digest=evidence.baseline_digest,
        incompatible=evidence.incompatible,
        evidence_digest=evidence.digest,
        first_release=evidence.baseline_digest is None,
    )


def _freshness(evidence: Evidence) -> list[Criterion]:
    evaluated = evidence.evaluation.policies if evidence.evaluation is not None else {}
    cloning, data = evidence.cloning, evidence.data
    return [
        agrees(
            "evidence.evaluation",
            evaluated.get(CANDIDATE),
            evidence.candidate_digest,
            "the evaluated candidate",
            "an evaluation of this candidate",
        ),
        _same_baseline(evaluated.get(CURRENT), evidence.baseline_digest if evidence.incompatible is None else None),
        agrees(
            "evidence.engine",
            evidence.evaluation.engine if evidence.evaluation is not None else None,
            evidence.engine,
            "the engine of the evaluation",
            "an evaluation in the towns of today's engine",
        ),
        agrees(
            "evidence.teacher",
            evaluated.get(TEACHER),
            evidence.teacher,
            "the teacher of the evaluation",
            "an evaluation beside today's teacher",
        ),
        *_same_scenarios(evidence),
        agrees(
            "evidence.training",
            cloning.candidate_digest if cloning is not None else None,
            evidence.candidate_digest,
            "the candidate of the training report",
            "the training report of this candidate",
        ),
        agrees(
            "evidence.training_data",
            cloning.dataset_id if cloning is not None else None,
            evidence.dataset_id,
            "the dataset of the training report",
            "a candidate trained on this dataset",
        ),
        agrees(
            "evidence.data",
            data.dataset_id if data is not None else None,
            evidence.dataset_id,
            "the dataset of the data figures",
            "the figures of this dataset",
        ),
    ]


def _same_baseline(evaluated: str | None, current: str | None) -> Criterion:
    name, what = "evidence.baseline", "the release that was evaluated as current"
    if current is None and evaluated is None:
        return agrees(name, "none", "none", what, "")
    remedy = "an evaluation beside the release that the candidate would replace"
    if current is None:
        return agrees(name, evaluated, "none", what, remedy)
    return agrees(name, evaluated, current, what, remedy)


def _same_scenarios(evidence: Evidence) -> list[Criterion]:
    """A line for each scenario of the plan or of the evaluation: every window lived in it as it is configured now."""
    lived: dict[str, set[str]] = {}
    for _, name, run in evidence.evaluation.runs if evidence.evaluation is not None else ():
        lived.setdefault(name, set()).add(run.config_digest)
    return [
        agrees(
            f"evidence.scenario.{name}",
            _odd_one(lived.get(name, set()), evidence.scenarios.get(name, "none")),
            evidence.scenarios.get(name, "none"),
            f"the configuration of {name} in the evaluation",
            "an evaluation of the plan's scenarios as they are now",
        )
        for name in sorted(evidence.scenarios.keys() | lived.keys())
    ]


def _odd_one(found: set[str], expected: str) -> str | None:
    """One that is not as expected, if there is any; None where there is none at all."""
    return next(iter(sorted(found - {expected}) or found), None)


def _data(policy: GatePolicy, evidence: Evidence) -> list[Criterion]:
    data, rules = evidence.data, policy.data
    if data is None:
        return [missing("data", "the dataset's figures are missing")]
    shares = data.action_shares.values()
    distinct = sum(share is not None and share >= rules.distinct_action_share for share in shares)
    counted = None if any(share is None for share in shares) else distinct
    told = f"the number of actions with at least {rules.distinct_action_share:.2g} of the decisions"
    return [
        at_least("data.decisions", data.decisions, rules.min_decisions, "the number of decisions"),
        at_least("data.distinct_actions", counted, rules.min_distinct_actions, told),
        at_most("data.clipped_share", data.clipped_share, rules.max_clipped_share, "the share of clipped reward ticks"),
    ]


def _cloning(policy: GatePolicy, evidence: Evidence) -> list[Criterion]:
    report, rules = evidence.cloning, policy.cloning
    if report is None:
        return [missing("cloning", "the training report is missing")]
    accuracy, majority = report.accuracy, report.majority_share
    margin = None if accuracy is None or majority is None else accuracy - majority
    told = "the accuracy on held-out decisions"
    absent = set(policy.comparison.scenarios) - set(report.scenarios)
    scenarios = report.scenarios | dict.fromkeys(absent)
    return [
        at_least("cloning.accuracy", accuracy, rules.min_accuracy, told),
        at_least(
            "cloning.margin_over_majority", margin, rules.min_margin_over_majority, f"{told} above the majority share"
        ),
        *(
            at_least(f"cloning.accuracy.{name}", scenarios[name], rules.min_scenario_accuracy, f"{told} of {name}")
            for name in sorted(scenarios)
        ),
    ]


class _Uncompared(NamedTuple):
    """Why there is no release to compare with, and the rule of the plan that then takes the place of its baselines."""

    name: str
    rule: UncomparedRule
    why: str
    otherwise: str


def _uncompared(policy: GatePolicy, evidence: Evidence) -> _Uncompared | None:
    if evidence.baseline_digest is None:
        return _Uncompared("first_release", policy.first_release, "there is no other release", "")
    if evidence.incompatible is None:
        return None
    current = f"the current release {short(evidence.baseline_digest)}"
    why = f"{current} could not be compared, since its layout differs: {evidence.incompatible}"
    otherwise = ", or towns with the layout of the current release and a candidate for them"
    return _Uncompared("incompatible_release", policy.incompatible_release, why, otherwise)


def _release_rule(policy: GatePolicy, evidence: Evidence) -> list[Criterion]:
    uncompared = _uncompared(policy, evidence)
    if uncompared is None:
        return []
    name, rule, why, otherwise = uncompared
    told = f"{why}; the plan's {name} rule {'allows' if rule.allow else 'forbids'} one"
    change = f"{name}.allow: {str(not rule.allow).lower()} in the plan"
    return [
        Criterion(
            name=name,
            value=None,
            bound=None,
            verdict=Verdict.PASS if rule.allow else Verdict.HOLD,
            reason=f"{told} that is no worse than {rule.must_match}" if rule.allow else told,
            what_would_change=change if rule.allow else f"{change}{otherwise}",
        )
    ]


def _comparisons(policy: GatePolicy, evidence: Evidence) -> list[Criterion]:
    evaluation, rules = evidence.evaluation, policy.comparison
    if evaluation is None:
        return [missing("comparison", "the evaluation is missing")]
    absent = sorted(set(rules.scenarios) - set(evaluation.scenarios))
    remedy = f"an evaluation as the plan has it: seed {rules.seed}, days {rules.days}"
    return [
        agrees("comparison.plan", evaluation.plan, digest(rules), "the plan of the evaluation", "an evaluation by it"),
        agrees("comparison.seed", evaluation.seed, rules.seed, "the seed of the towns", remedy),
        agrees(
            "comparison.follows",
            evaluation.follows,
            FIRST if evidence.baseline_digest is None else evidence.baseline_digest,
            "the release after which the towns were drawn",
            "an evaluation in the towns that are drawn after the current release",
        ),
        agrees("comparison.days", evaluation.days, rules.days, "the number of days", remedy),
        _own_towns(evaluation),
        *(missing(f"comparison.{name}", f"scenario {name} was not evaluated") for name in absent),
        *window_criteria(rules, modes_against(policy, evidence.baseline_digest, evidence.incompatible), evaluation),
    ]


def _own_towns(evaluation: Evaluation) -> Criterion:
    foreign = evaluation.foreign_towns
    told = f"of other towns than the plan chooses: {foreign[0]}" if foreign else "its own"
    return agrees("comparison.towns", told, "its own", "the evaluation's every window", "an evaluation by the plan")


def modes_against(policy: GatePolicy, baseline_digest: str | None, incompatible: str | None) -> dict[str, Mode]:
    """The baselines that a candidate is held to, and what must be shown on the primary figure against each.

    Without a release to compare with it is the one that the plan's rule for that case names, who must be matched.
    """
    if baseline_digest is None:
        return {policy.first_release.must_match: "no_worse"}
    if incompatible is not None:
        return {policy.incompatible_release.must_match: "no_worse"}
    return dict(policy.comparison.primary.against)
