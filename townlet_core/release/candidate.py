"""The candidate: a policy trained on one dataset version, kept as two objects and laid out as a checkpoint folder."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from upath import UPath

from townlet_core.config import TrainingProfile
from townlet_core.datasets.derivations import derive
from townlet_core.datasets.reading import DecisionReader
from townlet_core.datasets.splitting import HOLDOUT, TRAIN
from townlet_core.datasets.store import Record
from townlet_core.datasets.versions import read_version
from townlet_core.files import write_whole
from townlet_core.kernels import source_digest
from townlet_core.observations.layout import ObservationLayout
from townlet_core.policy.checkpoint import DESCRIPTION_FILE, WEIGHTS_FILE, save_checkpoint
from townlet_core.release.workshop import Workshop, stored_bytes

WEIGHTS, DESCRIPTION = ".safetensors", ".json"
METHOD = "behaviour cloning"


@dataclass(frozen=True)
class Candidate:
    """A trained policy.

    Attributes:
        record: checkpoint `digest`, `dataset`, `profile`, object names `weights` and `description`, and `report`.
        folder: the checkpoint folder, `policy.safetensors` and `policy.json`.
        reused: whether this call found it instead of training it.
    """

    record: Record
    folder: Path
    reused: bool

    @property
    def digest(self) -> str:
        """Digest of the checkpoint."""
        return str(self.record["digest"])

    @property
    def dataset_id(self) -> str:
        """The dataset version that it learnt from."""
        return str(self.record["dataset"])

    @property
    def report(self) -> dict[str, Any]:
        """The cloning report as plain data: accuracy overall, per scenario and per action, and the curve."""
        return dict(self.record["report"])


def train_candidate(
    dataset_id: str, profile: TrainingProfile, workshop: Workshop, progress: Callable[[Any], None] | None = None
) -> Candidate:
    """Train on a dataset version, or find the candidate that the same version, profile and code gave before.

    Args:
        dataset_id: a version in the workshop's catalogue.
        profile: how to train.
        workshop: where the dataset lies and the candidate goes.
        progress: called with every epoch's figures.

    Raises:
        DataError: the version or a shard of it is missing or damaged, or cannot be learnt from.
    """
    inputs = {"dataset": dataset_id, "profile": profile.model_dump(mode="json"), "method": METHOD}
    code = source_digest("config", "datasets", "policy", "observations")

    def build() -> Record:
        return _trained(dataset_id, profile, workshop, progress)

    derived = derive(workshop.artifacts, "candidate", inputs, build, code=code)
    return Candidate(derived.record, lay_out(derived.record, workshop), derived.reused)


def read_candidate(workshop: Workshop) -> Candidate:
    """The candidate that was published last. Raises DataError when there is none or its bytes are not there."""
    record = workshop.latest("candidate")
    return Candidate(record, lay_out(record, workshop), reused=True)


def lay_out(record: Record, workshop: Workshop) -> Path:
    """Write the checkpoint folder of a candidate from its objects, so that its files are always those of its record."""
    folder = workshop.data / "candidates" / str(record["digest"])[:16]
    for name, key in ((WEIGHTS_FILE, "weights"), (DESCRIPTION_FILE, "description")):
        content = stored_bytes(workshop.artifacts, record[key])
        if not (folder / name).is_file() or (folder / name).read_bytes() != content:
            write_whole(UPath(folder / name), content)
    return folder


def _trained(
    dataset_id: str, profile: TrainingProfile, workshop: Workshop, progress: Callable[[Any], None] | None
) -> Record:
    # Torch takes seconds to import; a candidate that is found rather than trained must not wait for it.
    from townlet_core.policy.bc import train_bc
    from townlet_core.policy.network import network_tensors

    manifest = read_version(workshop.datasets, dataset_id)
    train, held = (DecisionReader(manifest, workshop.datasets, side) for side in (TRAIN, HOLDOUT))
    result = train_bc(train, held, profile, progress=progress)
    report = result.report.model_dump(mode="json")
    stored = _stored(network_tensors(result.network), train.layout, _identity(dataset_id, profile), workshop)
    return {**stored, "dataset": dataset_id, "profile": profile.model_dump(mode="json"), "report": report}


def _identity(dataset_id: str, profile: TrainingProfile) -> Record:
    return {"method": METHOD, "dataset": dataset_id, "profile": profile.model_dump(mode="json")}


def _stored(tensors: Any, layout: Any, trained: Record, workshop: Workshop) -> Record:
    with TemporaryDirectory() as folder:
        digest = save_checkpoint(folder, tensors, ObservationLayout.from_json(json.dumps(layout)), trained)
        weights = workshop.artifacts.put_bytes((Path(folder) / WEIGHTS_FILE).read_bytes(), WEIGHTS)
        description = workshop.artifacts.put_bytes((Path(folder) / DESCRIPTION_FILE).read_bytes(), DESCRIPTION)
    return {"digest": digest, "weights": weights + WEIGHTS, "description": description + DESCRIPTION}
