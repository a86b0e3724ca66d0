"""Training: a policy cloned from the teacher's decisions in a dataset version, kept as a checkpoint without pickle."""

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
GUARANTEES = [FINITE, LEARNT, ACCURATE]
WANTED_ACCURACY = 0.9


class TrainingConfig(dg.Config):
    """Which file of `configs/training` says how to train."""

    profile: str = "quick"


@dg.asset(
    key=KEY,
    deps=[datasets.KEY],
    group_name="training",
    kinds={"pytorch", "safetensors"},
    owners=OWNERS,
    code_version=code_version("training"),
    check_specs=specs(KEY, GUARANTEES),
    description="A network cloned from the teacher: weights as safetensors, their meaning as JSON. Its accuracy is "
    "measured on decisions of held-out episodes, per scenario and per action, beside the majority guess.",
)
def policy_candidate(context: dg.AssetExecutionContext, config: TrainingConfig, line: Line) -> dg.MaterializeResult:
    """Train on the published dataset version, or take the checkpoint that the same inputs gave before."""
    with plain_failures():
        return _train(config.profile, line, context.log)


def _train(profile: str, line: Line, log: dg.DagsterLogManager) -> dg.MaterializeResult:
    from townlet_core.config import load_training
    from townlet_core.release.candidate import train_candidate

    rules = load_training(line.config(f"training/{profile}.yaml"))
    dataset = line.workshop.latest("dataset")["id"]
    candidate = train_candidate(dataset, rules, line.workshop, lambda point: log.info(str(point)))
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
            "checkpoint": dg.MetadataValue.path(str(candidate.folder)),
        },
        check_results=results(findings),
    )


_EPOCH = ("epoch", "loss", "value_loss", "held_loss", "accuracy")


def _described(candidate: Any) -> dict[str, Any]:
    report = candidate.report
    shown = ("accuracy", "majority_share", "majority_action", "train_decisions", "held_decisions", "best_epoch")
    digests = {"digest": candidate.digest, "dataset": candidate.dataset_id}
    return {**digests, "profile": candidate.record["profile"]["profile"], **{name: report[name] for name in shown}}


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
    ]
