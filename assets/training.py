"""Training: a policy cloned from the teacher's decisions in a dataset version, and improved by living on its own."""

from pathlib import Path
from typing import Any

import dagster as dg

from assets import datasets
from assets.code import code_version
from assets.failures import plain_failures
from assets.line import OWNERS, Line
from assets.metadata import facts, table
from assets.verdicts import Finding, Guarantee, may_go_on, results, specs

KEY = dg.AssetKey("policy_candidate")
FINITE = Guarantee("weights_are_finite", "Every weight of the checkpoint is a finite number.")
LEARNT = Guarantee("beats_majority", "On held-out decisions it beats always guessing the commonest action.")
ACCURATE = Guarantee("accuracy_over_90_percent", "It agrees with the teacher on 90 % of decisions.", blocking=False)
IMPROVED = Guarantee(
    "improves_on_the_clone",
    "Where the profile ships an improved policy, its return in validation towns is above the clone's.",
    blocking=False,
)
GUARANTEES = [FINITE, LEARNT, ACCURATE, IMPROVED]
WANTED_ACCURACY = 0.9
PROFILE = "quick"
"""The profile of a release that names none."""


class TrainingConfig(dg.Config):
    """Which file of `configs/training` says how to train; its name goes with the candidate into the bundle."""

    profile: str = PROFILE


@dg.asset(
    key=KEY,
    deps=[datasets.KEY],
    group_name="training",
    kinds={"pytorch", "safetensors"},
    owners=OWNERS,
    code_version=code_version("training"),
    check_specs=specs(KEY, GUARANTEES),
    description="A network cloned from the teacher and, where the profile says so, improved by its own experience: "
    "weights as safetensors, their meaning as JSON. The clone's accuracy is measured on decisions of held-out "
    "episodes, per scenario and per action, beside the majority guess.",
)
def policy_candidate(context: dg.AssetExecutionContext, config: TrainingConfig, line: Line) -> dg.MaterializeResult:
    """Train on the published dataset version, or take the checkpoint that the same inputs gave before.

    A training that was broken off goes on from its last checkpoint and ends as if it had not been.
    """
    with plain_failures():
        return _train(config.profile, line, context.log)


def _train(profile: str, line: Line, log: dg.DagsterLogManager) -> dg.MaterializeResult:
    from townlet_core.config import load_profile
    from townlet_core.release.candidate import train_candidate, training_scenarios

    rules = load_profile(profile, Path(line.configs))
    dataset = line.workshop.latest("dataset")["id"]
    scenarios = training_scenarios(rules, Path(line.configs))
    candidate = train_candidate(dataset, rules, line.workshop, scenarios, lambda point: log.info(_line(point)))
    findings = _findings(candidate)
    if may_go_on(findings):
        line.workshop.publish("candidate", candidate.record)
    return dg.MaterializeResult(
        data_version=dg.DataVersion(candidate.digest),
        metadata={
            "reused": candidate.reused,
            "candidate": facts(_described(candidate)),
            "scenarios": table(["scenario", "decisions", "accuracy", "majority"], _scenarios(candidate.report)),
            "actions": table(["action", "share", "recall", "precision"], _actions(candidate.report)),
            "curve": table(_EPOCH, [[point[key] for key in _EPOCH] for point in candidate.report["curve"]]),
            "updates": table(_UPDATE, [[point[key] for key in _UPDATE] for point in _shown(candidate)]),
            "checkpoint": dg.MetadataValue.path(str(candidate.folder)),
        },
        check_results=results(findings),
    )


_EPOCH = ("epoch", "loss", "value_loss", "validation_loss", "accuracy")

_UPDATE = ("epoch", "return", "reward_mean", "kl_divergence", "batch_entropy_mean", "explained_variance", "lr")
_ROWS = 20


def _line(point: Any) -> str:
    """An epoch of the clone, or an update of its improvement, as one line of the log."""
    if hasattr(point, "validation_loss"):
        return f"clone, epoch {point.epoch}: agrees in {point.accuracy:.1%}"
    update = f"{point.data_mode}, update {point.epoch} of {point.updates}"
    if point.data_mode == "replay":
        return f"{update}: {point.rows.stored:,} stored decisions, loss {point.loss_total:.3f}"
    lived, speed = point.episodes.return_mean, point.timing.steps_per_second
    decision = f", annealing: {point.annealing.decision}" if point.annealing and point.annealing.decision else ""
    return f"{update}: return {lived}, {speed:,.0f} agent-steps/s{decision}"


def _shown(candidate: Any) -> list[dict[str, Any]]:
    """About twenty updates, the first and the last among them."""
    curve = candidate.improvement["curve"] if candidate.improvement else []
    step = max(1, len(curve) // _ROWS)
    return [point for number, point in enumerate(curve) if number % step == 0 or number + 1 == len(curve)]


def _described(candidate: Any) -> dict[str, Any]:
    report = candidate.report
    shown = ("accuracy", "majority_share", "majority_action", "train_decisions", "held_decisions", "best_epoch")
    digests = {"digest": candidate.digest, "dataset": candidate.dataset_id}
    stages = {"profile": candidate.record["profile"]["profile"], "stage": candidate.record["stage"]}
    found = candidate.improvement
    improved = {key: found[key] for key in ("update", "updates", "agent_steps", "decisions")} if found else {}
    rows = {f"decisions {kind}": rows for kind, rows in candidate.record["rows"].items() if rows}
    return {
        **digests,
        **stages,
        "mode": candidate.record["profile"]["mode"],
        **rows,
        **improved,
        **{name: report[name] for name in shown},
    }


def _scenarios(report: dict[str, Any]) -> list[tuple[Any, ...]]:
    scores = sorted(report["scenarios"].items())
    return [(name, score["decisions"], score["accuracy"], score["majority_share"]) for name, score in scores]


def _actions(report: dict[str, Any]) -> list[tuple[Any, ...]]:
    return [(name, score["share"], score["recall"], score["precision"]) for name, score in report["actions"].items()]


def _findings(candidate: Any) -> list[Finding]:
    import numpy as np
    from safetensors.numpy import load_file

    weights = load_file(candidate.folder / "policy.safetensors")
    finite = all(bool(np.isfinite(tensor).all()) for tensor in weights.values())
    accuracy, majority = candidate.report["accuracy"], candidate.report["majority_share"]
    return [
        Finding(FINITE, finite, {"tensors": len(weights), "weights": sum(tensor.size for tensor in weights.values())}),
        Finding(LEARNT, accuracy > majority, {"accuracy": accuracy, "majority_share": majority}),
        Finding(ACCURATE, accuracy >= WANTED_ACCURACY, {"accuracy": accuracy, "wanted": WANTED_ACCURACY}),
        _improved(candidate),
    ]


def _improved(candidate: Any) -> Finding:
    """Whether what was wanted ships, and why; without validation towns nobody knows that it is better."""
    wanted, ships = candidate.record["profile"]["ships"], candidate.record["stage"]
    facts: dict[str, Any] = {"wanted": wanted, "ships": ships}
    if wanted == "clone":
        return Finding(IMPROVED, True, facts)
    found = (candidate.improvement or {}).get("validation")
    if found is None:
        why = "no update was better" if ships != wanted else "it was not compared: the profile has no validation towns"
        return Finding(IMPROVED, False, {**facts, "why": why})
    returns = {key: found[key] for key in ("return_mean", "clone_return_mean", "teacher_return_mean")}
    better = ships == wanted and found["return_mean"] > found["clone_return_mean"]
    return Finding(IMPROVED, better, {**facts, **returns})
