"""Judging a candidate: it lives beside its rivals in held-out towns, and the evidence is read anew each time."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow.parquet as pq

from townlet_core.config import digest
from townlet_core.config.gates import GatePolicy
from townlet_core.core import ENGINE
from townlet_core.datasets.derivations import derive
from townlet_core.datasets.store import Record
from townlet_core.datasets.versions import read_version
from townlet_core.errors import DataError
from townlet_core.kernels import source_digest
from townlet_core.policy.checkpoint import load_checkpoint, read_checkpoint
from townlet_core.policy.layouts import first_difference
from townlet_core.release.candidate import Candidate, read_candidate
from townlet_core.release.manifest import CONTENT
from townlet_core.release.planned import planned_scenarios, scenario_digests
from townlet_core.release.training_evidence import candidate_training, release_training
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
    Planned,
    Release,
    champion,
    decide,
    evaluate_by_plan,
    modes_against,
    read_decision,
    require_promotion,
    scripted_teacher,
    towns_table,
    write_decision,
)
from townlet_core.stability.choices import choices_file
from townlet_core.stability.evaluation import FIRST
from townlet_core.stability.suite import Progress

JSON, PARQUET = ".json", ".parquet"


class Rival(NamedTuple):
    """The release that a candidate would replace, and its checkpoint folder.

    `incompatible` is how its layout differs from the candidate's, or None. The candidate has to live in the towns, so
    a policy of another layout cannot.
    """

    release: Release
    folder: Path
    incompatible: str | None


@dataclass(frozen=True)
class Judged:
    """An evaluation on record: the evaluation, the names of its objects, and whether it was found or made.

    Its objects are the evaluation itself, a row per town (`towns`), and a row per choice of everybody (`choices`).
    `rival` is the release that the candidate would replace, or None; it took part unless it is incompatible.
    """

    evaluation: Evaluation
    record: Record
    reused: bool
    rival: Rival | None


def evaluate_candidate(
    candidate: Candidate, configs: Path, gates: GatePolicy, workshop: Workshop, progress: Progress | None = None
) -> Judged:
    """Let the candidate, the release it would replace and the teacher live in the towns of the plan.

    A release whose policy was trained on another layout stays out; the plan has a rule for that.

    Raises:
        CheckpointError: the candidate cannot live in one of the scenarios, or the policy of the current release is
            missing or damaged.
        ConfigError: the plan names a scenario that there is none of.
        DataError: the current release holds another policy than its pointer says.
    """
    rival = find_rival(candidate, workshop)
    contenders = _contenders(candidate, rival)
    scenarios = planned_scenarios(gates, configs)
    known = (rival.release.policy_digest, rival.incompatible) if rival is not None else (None, None)
    modes, follows = modes_against(gates, *known), FIRST if rival is None else rival.release.policy_digest
    plan = Planned(gates.comparison, digest(gates.comparison), modes, follows)
    inputs = {
        "contenders": {name: contender.digest for name, contender in contenders.items()},
        "scenarios": scenario_digests(scenarios),
        "plan": plan.digest,
        "modes": dict(plan.modes),
        "follows": follows,
    }
    code = source_digest(*ENGINE, "policy", "stability")

    def build() -> Record:
        with workshop.artifacts.create(PARQUET) as sink, choices_file(sink) as keep:
            evaluation = evaluate_by_plan(
                contenders, scenarios, plan, threads=os.cpu_count() or 1, progress=progress, keep=keep
            )
        return {**_stored(evaluation, workshop), "choices": f"{sink.digest}{PARQUET}"}

    derived = derive(workshop.artifacts, "evaluation", inputs, build, code=code)
    return Judged(_load(derived.record, workshop), derived.record, derived.reused, rival)


def find_rival(candidate: Candidate, workshop: Workshop) -> Rival | None:
    """The release that a candidate would replace, its policy read and verified anew; None when there is none.

    Raises:
        CheckpointError: its policy is missing or damaged; that is never taken for another layout.
        DataError: its bundle holds another policy than the release pointer says.
    """
    release = champion(workshop.state, candidate.digest)
    if release is None:
        return None
    folder = workshop.data / release.bundle / CONTENT / "policy"
    found = read_checkpoint(folder)
    if found.digest != release.policy_digest:
        raise DataError(
            f"{folder}: holds policy {found.digest[:12]}…, release {release.release_id} is about "
            f"{release.policy_digest[:12]}…; restore the bundle from a copy"
        )
    return Rival(release, folder, first_difference(found.layout, read_checkpoint(candidate.folder).layout))


def read_evaluation(workshop: Workshop) -> Evaluation:
    """The evaluation that was published last. Raises DataError when there is none or it is damaged."""
    return _load(workshop.latest("evaluation"), workshop)


def gather_evidence(gates: GatePolicy, configs: Path, workshop: Workshop) -> Evidence:
    """Everything a decision rests on, read anew from the published candidate, dataset and evaluation.

    Raises:
        ConfigError: the plan names a scenario that there is none of.
        DataError: no candidate or no dataset was published, or something is damaged. A missing evaluation is no error
            here: it is evidence that is missing, and holds the decision.
        CheckpointError: the policy of the current release is missing or damaged.
    """
    candidate = read_candidate(workshop)
    manifest = read_version(workshop.datasets, str(workshop.latest("dataset")["id"]))
    rival, updates = find_rival(candidate, workshop), gates.training.updates
    return Evidence(
        candidate_digest=candidate.digest,
        dataset_id=manifest["id"],
        baseline_digest=rival.release.policy_digest if rival is not None else None,
        incompatible=rival.incompatible if rival is not None else None,
        engine=source_digest(*ENGINE),
        teacher=scripted_teacher().digest,
        scenarios=scenario_digests(planned_scenarios(gates, configs)),
        data=_data(manifest),
        cloning=_cloning(candidate),
        training=candidate_training(candidate, workshop, updates),
        baseline_training=release_training(rival.folder.parents[1], updates) if rival is not None else None,
        evaluation=read_evaluation(workshop) if workshop.has("evaluation") else None,
    )


def decide_promotion(gates: GatePolicy, configs: Path, workshop: Workshop) -> Decision:
    """Judge the published candidate by the plan and record the decision, whatever it is."""
    decision = decide(gates, gather_evidence(gates, configs, workshop))
    write_decision(workshop.state, decision)
    return decision


def require_decision(gates: GatePolicy, configs: Path, workshop: Workshop) -> tuple[Decision, Evidence]:
    """The recorded decision, if it promotes exactly what is published now under the plan as it is now.

    Raises:
        RefusedError: it does not; with every reason.
    """
    evidence = gather_evidence(gates, configs, workshop)
    return require_promotion(read_decision(workshop.state), gates, evidence), evidence


def _contenders(candidate: Candidate, rival: Rival | None) -> dict[str, Contender]:
    folders = {CANDIDATE: candidate.folder}
    if rival is not None and rival.incompatible is None:
        folders[CURRENT] = rival.folder
    loaded = {name: load_checkpoint(folder, name=name) for name, folder in folders.items()}
    learned = {name: Contender(policy.digest, policy.enter) for name, policy in loaded.items()}
    return {**learned, TEACHER: scripted_teacher()}


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
    report, clone = candidate.report, str(candidate.record["clone"]["digest"])
    # The report is about a clone; it speaks for the candidate only as far as the candidate itself says it came from it.
    began_as = read_checkpoint(candidate.folder).description.trained.get("clone", candidate.digest)
    return CloningEvidence(
        dataset_id=candidate.dataset_id,
        candidate_digest=candidate.digest if clone == began_as else clone,
        accuracy=report["accuracy"],
        majority_share=report["majority_share"],
        scenarios={name: figures["accuracy"] for name, figures in report["scenarios"].items()},
    )
