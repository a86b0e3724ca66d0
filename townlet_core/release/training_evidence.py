"""What the log of a training says for the gate: that of the candidate, and that of the release it would replace."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from townlet_core.config import digest
from townlet_core.config.watch import LOGGED, Logged
from townlet_core.errors import DataError
from townlet_core.policy.checkpoint import Checkpoint, read_checkpoint
from townlet_core.policy.logbook.entries import Entry, table_entries, table_form
from townlet_core.policy.logbook.figures import FIGURES
from townlet_core.policy.training_log import SCHEMA_VERSION, TABLE_FILE
from townlet_core.release.candidate import Candidate
from townlet_core.release.manifest import CONTENT, file_entry, read_manifest
from townlet_core.release.workshop import Workshop, stored_bytes
from townlet_core.stability.evidence import TrainingEvidence

NO_RECIPE = {"profile", "seed"}
"""Keys of a profile that say nothing about how it trains."""

LOG_IN_BUNDLE = f"telemetry/{TABLE_FILE}"


def candidate_training(candidate: Candidate, workshop: Workshop, updates: int) -> TrainingEvidence | None:
    """The log of a candidate's training, over its last `updates` updates; None where it should have one and has none.

    Raises:
        DataError: The log is damaged, or a field of it is missing.
    """
    checkpoint = read_checkpoint(candidate.folder)
    if not _improved(checkpoint):
        return _of_a_clone(checkpoint)
    found = candidate.improvement
    if found is None or "log" not in found:
        return None
    return _read(
        str(found["digest"]), checkpoint, stored_bytes(workshop.artifacts, found["log"]), found["log"], updates
    )


def release_training(bundle: Path, updates: int) -> TrainingEvidence | None:
    """The log of the training that a released policy came from, as `candidate_training` gives it.

    Raises:
        DataError: The log is not what the bundle's manifest says, or damaged.
        CheckpointError: The policy is missing or damaged.
    """
    checkpoint = read_checkpoint(bundle / CONTENT / "policy")
    if not _improved(checkpoint):
        return _of_a_clone(checkpoint)
    path, name = bundle / CONTENT / LOG_IN_BUNDLE, f"{CONTENT}/{LOG_IN_BUNDLE}"
    if not path.is_file():
        return None
    if read_manifest(bundle).files.get(name) != file_entry(path):
        raise DataError(f"{path}: is not the log that the bundle's manifest names; restore the bundle from a copy")
    return _read(checkpoint.digest, checkpoint, path.read_bytes(), str(path), updates)


def _improved(checkpoint: Checkpoint) -> bool:
    # What was improved names the clone that it began with.
    return "clone" in checkpoint.description.trained


def _of_a_clone(checkpoint: Checkpoint) -> TrainingEvidence:
    return TrainingEvidence(
        policy_digest=checkpoint.digest, recipe=None, mode=None, form=None, logged=0, planned=0, figures={}
    )


def _read(policy: str, checkpoint: Checkpoint, content: bytes, name: str, updates: int) -> TrainingEvidence:
    form = table_form(content, name)
    entries = table_entries(content, name) if form == SCHEMA_VERSION else []
    return TrainingEvidence(
        policy_digest=policy,
        recipe=_recipe(checkpoint.description.trained),
        mode=str(entries[-1].row["data_mode"]) if entries else None,
        form=form,
        logged=len(entries),
        planned=int(entries[-1].row["updates"]) if entries else 0,
        frozen=entries[-1].row.get("annealing.frozen") if entries else None,
        figures=_figures(entries[-updates:]),
    )


def _recipe(trained: Mapping[str, Any]) -> str:
    return digest({key: value for key, value in trained["profile"].items() if key not in NO_RECIPE})


def _figures(entries: Sequence[Entry]) -> dict[str, float | None]:
    return {name: _mean(name, entries) for name in LOGGED} if entries else {}


def _mean(name: Logged, entries: Sequence[Entry]) -> float | None:
    if any(FIGURES[name].update in entry.broken for entry in entries):
        return None
    values = [value for entry in entries if (value := entry.figure(name)) is not None]
    return fmean(values) if values else None
