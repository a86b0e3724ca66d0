"""Judging a candidate: it lives beside its rivals in held-out towns, and the evidence is read anew each time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any, NamedTuple

import pyarrow.parquet as pq

from townlet_core.config import Scenario, config_digest
from townlet_core.config.gates import GatePolicy
from townlet_core.core import ENGINE
from townlet_core.datasets.derivations import derive
from townlet_core.datasets.store import Record
from townlet_core.datasets.versions import read_version
from townlet_core.errors import DataError
from townlet_core.kernels import source_digest
from townlet_core.policy.checkpoint import load_checkpoint
from townlet_core.policy.teacher import Teacher
from townlet_core.release.candidate import Candidate, read_candidate
from townlet_core.release.manifest import CONTENT
from townlet_core.release.workshop import Workshop, stored_bytes
from townlet_core.stability import (
    CANDIDATE,
    CURRENT,
    TEACHER,
    CloningEvidence,
    Contender,
    DataEvidence,
    Decision,
    Evaluation,
    Evidence,
    Release,
    champion,
    decide,
    evaluate,
    read_decision,
    require_promotion,
    towns_table,
    write_decision,
)

JSON, PARQUET = ".json", ".parquet"


class Trial(NamedTuple):
    """How long an evaluation is: towns per scenario, days per town, and the seed that chooses the towns."""

    towns: int
    days: int
    seed: int


@dataclass(frozen=True)
class Judged:
    """An evaluation on record: the evaluation, the names of its objects, and whether it was found or made."""

    evaluation: Evaluation
    record: Record
    reused: bool


def evaluate_candidate(candidate: Candidate, scenarios: Sequence[Scenario], trial: Trial, workshop: Workshop) -> Judged:
    """Let the candidate, the release it would replace and the teacher live in the same held-out towns.

    Raises:
        CheckpointError: a policy cannot live in one of the scenarios.
        DataError: the bundle of the current release is gone.
    """
    contenders = _contenders(candidate, champion(workshop.state, candidate.digest), workshop)
    inputs = {
        "contenders": {name: contender.digest for name, contender in contenders.items()},
        "scenarios": {scenario.name: config_digest(scenario.config) for scenario in scenarios},
        **trial._asdict(),
    }
    code = source_digest(*ENGINE, "policy", "stability")

    def build() -> Record:
        return _stored(evaluate(contenders, scenarios, **trial._asdict()), workshop)

    derived = derive(workshop.artifacts, "evaluation", inputs, build, code=code)
    return Judged(_load(derived.record, workshop), derived.record, derived.reused)


def read_evaluation(workshop: Workshop) -> Evaluation:
    """The evaluation that was published last. Raises DataError when there is none or it is damaged."""
    return _load(workshop.latest("evaluation"), workshop)


def gather_evidence(workshop: Workshop) -> Evidence:
    """Everything a decision rests on, read anew from the published candidate, dataset and evaluation.

    Raises:
        DataError: no candidate or no dataset was published, or something is damaged. A missing evaluation is no error
            here: it is evidence that is missing, and holds the decision.
    """
    candidate = read_candidate(workshop)
    manifest = read_version(workshop.datasets, str(workshop.latest("dataset")["id"]))
    rival = champion(workshop.state, candidate.digest)
    return Evidence(
        candidate_digest=candidate.digest,
        dataset_id=manifest["id"],
        baseline_digest=rival.policy_digest if rival is not None else None,
        engine=source_digest(*ENGINE),
        data=_data(manifest),
        cloning=_cloning(candidate),
        evaluation=read_evaluation(workshop) if workshop.has("evaluation") else None,
    )


def decide_promotion(gates: GatePolicy, workshop: Workshop) -> Decision:
    """Judge the published candidate by the plan and record the decision, whatever it is."""
    decision = decide(gates, gather_evidence(workshop))
    write_decision(workshop.state, decision)
    return decision


def require_decision(gates: GatePolicy, workshop: Workshop) -> tuple[Decision, Evidence]:
    """The recorded decision, if it promotes exactly what is published now under the plan as it is now.

    Raises:
        RefusedError: it does not; with every reason.
    """
    evidence = gather_evidence(workshop)
    return require_promotion(read_decision(workshop.state), gates, evidence), evidence


def _contenders(candidate: Candidate, rival: Release | None, workshop: Workshop) -> dict[str, Contender]:
    folders = {CANDIDATE: candidate.folder}
    if rival is not None:
        folders[CURRENT] = workshop.data / rival.bundle / CONTENT / "policy"
    loaded = {name: load_checkpoint(folder, name=name) for name, folder in folders.items()}
    teacher = Contender(source_digest(*ENGINE, "policy"), Teacher)
    return {**{name: Contender(policy.digest, policy.enter) for name, policy in loaded.items()}, TEACHER: teacher}


def _stored(evaluation: Evaluation, workshop: Workshop) -> Record:
    artifacts = workshop.artifacts
    table = BytesIO()
    pq.write_table(towns_table(evaluation), table, compression="zstd")
    return {
        "digest": evaluation.digest,
        "evaluation": artifacts.put_bytes(evaluation.to_json(), JSON) + JSON,
        "towns": artifacts.put_bytes(table.getvalue(), PARQUET) + PARQUET,
    }


def _load(record: Record, workshop: Workshop) -> Evaluation:
    name = str(record["evaluation"])
    evaluation = Evaluation.from_json(stored_bytes(workshop.artifacts, name), name)
    if evaluation.digest != record["digest"]:
        raise DataError(f"{name}: is not the evaluation that its record names; evaluate again")
    return evaluation


def _data(manifest: Mapping[str, Any]) -> DataEvidence:
    quality = manifest["quality"]
    return DataEvidence(
        dataset_id=manifest["id"],
        decisions=quality["decisions"],
        action_shares={name: figures["share"] for name, figures in quality["actions"].items()},
        clipped_share=quality["clipped_share"],
    )


def _cloning(candidate: Candidate) -> CloningEvidence:
    report = candidate.report
    return CloningEvidence(
        dataset_id=candidate.dataset_id,
        candidate_digest=candidate.digest,
        accuracy=report["accuracy"],
        majority_share=report["majority_share"],
        scenarios={name: figures["accuracy"] for name, figures in report["scenarios"].items()},
    )
