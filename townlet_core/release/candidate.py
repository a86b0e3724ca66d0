"""The candidate: a policy trained on one dataset version, kept as two objects and laid out as a checkpoint folder."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from upath import UPath

from townlet_core.config import Scenario, TrainingProfile, config_digest, digest, load_scenario
from townlet_core.config.training_modes import Mode
from townlet_core.datasets.derivations import derive
from townlet_core.datasets.reading import DecisionReader
from townlet_core.datasets.splitting import SIDES
from townlet_core.datasets.store import PARQUET, Record
from townlet_core.datasets.versions import read_version
from townlet_core.errors import InputError
from townlet_core.files import write_whole
from townlet_core.kernels import source_digest
from townlet_core.observations.layout import ObservationLayout
from townlet_core.policy.checkpoint import DESCRIPTION_FILE, WEIGHTS_FILE, read_checkpoint, save_checkpoint
from townlet_core.policy.cloning_log import CloningLog
from townlet_core.policy.discounts import require_same_discount
from townlet_core.policy.report import EpochPoint
from townlet_core.policy.training_figures import CloneScore, RowsUsed
from townlet_core.policy.training_log import LOG_FILE, UpdateRecord, write_table
from townlet_core.release.workshop import Workshop, stored_bytes
from townlet_core.sources import ENGINE

WEIGHTS, DESCRIPTION = ".safetensors", ".json"
BEST = "best"
"""Folder beside a clone's log: its best weights, where the loss stopped being a number."""
CLONED, IMPROVED = "clone", "improved"
"""The stages of a training; a candidate names the one that it is."""

METHODS: dict[Mode, str] = {
    "bc": "behaviour cloning",
    "rollout": "behaviour cloning, then proximal policy optimisation",
    "replay": "behaviour cloning, then advantage-weighted imitation of stored decisions",
    "mixed": "behaviour cloning, then proximal policy optimisation with stored decisions beside its own",
    "anneal": "behaviour cloning, then proximal policy optimisation beside a teacher who drives ever fewer citizens",
}
OF_THE_IMPROVEMENT = {"profile", "mode", "ships", "ppo", "replay", "mix", "anneal"}
"""Keys of a profile that the clone does not depend on."""

CURVE = ("epoch", "reward_mean", "kl_divergence", "batch_entropy_mean", "explained_variance", "lr")

Progress = Callable[[EpochPoint | UpdateRecord], None]


@dataclass(frozen=True)
class Candidate:
    """A trained policy.

    Attributes:
        record: checkpoint `digest`, `dataset`, `profile`, `stage`, object names `weights` and `description`, the
            clone's `report`, `improvement`: what the second stage did, or None, and `rows`: how many decisions of which
            kind both learnt from.
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

    @property
    def improvement(self) -> dict[str, Any] | None:
        """What the clone made of its own experience, as plain data; None where the profile has no second stage."""
        found = self.record["improvement"]
        return None if found is None else dict(found)


def train_candidate(
    dataset_id: str,
    profile: TrainingProfile,
    workshop: Workshop,
    scenarios: Sequence[Scenario],
    progress: Progress | None = None,
    *,
    resume: bool = True,
) -> Candidate:
    """Train on a dataset version, or find the candidate that the same version, profile, towns and code gave before.

    The clone is kept by itself, so that a change of the second stage does not train it again.

    Args:
        dataset_id: a version in the workshop's catalogue.
        profile: how to train.
        workshop: where the dataset lies and the candidate goes.
        scenarios: the towns of the second stage, as `training_scenarios` reads them.
        progress: called with every epoch's and every update's figures.
        resume: go on from the newest checkpoint of the same second stage, if it was broken off.

    Raises:
        DataError: the version or a shard of it is missing or damaged, or cannot be learnt from; or a loss stopped being
            a number, with the folder of what was kept.
        InputError: the scenarios are not those that the profile names, or shape rewards by another discount.
    """
    _require_scenarios(profile, scenarios)
    require_same_discount(profile, {scenario.name: scenario.config for scenario in scenarios})
    inputs = {
        "dataset": dataset_id,
        "profile": profile.model_dump(mode="json"),
        "scenarios": {scenario.name: config_digest(scenario.config) for scenario in scenarios},
    }
    code = source_digest("datasets", "policy", *ENGINE)

    def build() -> Record:
        clone = _cloned(dataset_id, profile, workshop, progress)
        improvement = None
        if profile.ppo is not None or profile.replay is not None:
            improvement = _improved(dataset_id, clone, profile, scenarios, workshop, progress, resume=resume)
        shipped = improvement if improvement and profile.ships == IMPROVED and improvement["update"] else clone
        return {
            **{key: shipped[key] for key in ("digest", "weights", "description", "stage")},
            "clone": {key: clone[key] for key in ("digest", "weights", "description")},
            "dataset": dataset_id,
            "profile": profile.model_dump(mode="json"),
            "rows": {"cloned": clone["report"]["train_decisions"], **(improvement["rows"] if improvement else {})},
            "report": clone["report"],
            "improvement": improvement,
        }

    derived = derive(workshop.artifacts, "candidate", inputs, build, code=code)
    return Candidate(derived.record, lay_out(derived.record, workshop), derived.reused)


def training_scenarios(profile: TrainingProfile, configs: Path) -> list[Scenario]:
    """The scenarios that a profile's second stage lives in. Raises ConfigError for one that does not exist."""
    return [load_scenario(name, configs) for name in profile.ppo.scenarios] if profile.ppo else []


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


def _require_scenarios(profile: TrainingProfile, scenarios: Sequence[Scenario]) -> None:
    wanted = list(profile.ppo.scenarios) if profile.ppo else []
    given = [scenario.name for scenario in scenarios]
    if wanted != given:
        names = ", ".join(wanted) or "none"
        raise InputError(f"training profile {profile.profile}: lives in {names}, not in {', '.join(given) or 'none'}")


def _cloned(dataset_id: str, profile: TrainingProfile, workshop: Workshop, progress: Progress | None) -> Record:
    plain = profile.model_dump(mode="json", exclude=OF_THE_IMPROVEMENT)

    def build() -> Record:
        # Torch takes seconds to import; a clone that is found rather than trained must not wait for it.
        from townlet_core.policy.bc import NonFiniteLoss, train_bc
        from townlet_core.policy.network import network_tensors

        readers = _sides(dataset_id, profile, workshop)
        trained = {"method": METHODS["bc"], "dataset": dataset_id, "profile": plain}
        layout = ObservationLayout.from_json(json.dumps(readers[0].layout))
        folder = workshop.data / "training" / f"clone-{digest([dataset_id, plain])[:16]}"
        log = CloningLog(folder, profile.epochs, then=None if profile.mode == "bc" else profile.mode)
        with log.ending():
            try:
                result = train_bc(readers[0], readers[1], readers[2], profile, progress=_both(log.append, progress))
            except NonFiniteLoss as error:
                if error.best is None:
                    raise
                save_checkpoint(folder / BEST, network_tensors(error.best), layout, trained)
                raise error.keeping(folder / BEST) from error
        stored = _stored(network_tensors(result.network), layout, trained, workshop)
        return {**stored, "stage": CLONED, "report": result.report.model_dump(mode="json")}

    code = source_digest("config", "datasets", "policy", "observations")
    return derive(workshop.artifacts, "clone", {"dataset": dataset_id, "profile": plain}, build, code=code).record


def _both(log: Callable[[EpochPoint], None], progress: Progress | None) -> Callable[[EpochPoint], None]:
    def tell(point: EpochPoint) -> None:
        log(point)
        if progress is not None:
            progress(point)

    return tell


def _sides(dataset_id: str, profile: TrainingProfile, workshop: Workshop) -> list[DecisionReader]:
    """Readers of the training, the validation and the held-out side."""
    manifest = read_version(workshop.datasets, dataset_id)
    return [DecisionReader(manifest, workshop.datasets, side, discount=profile.discount) for side in SIDES]


def _improved(
    dataset_id: str,
    clone: Record,
    profile: TrainingProfile,
    scenarios: Sequence[Scenario],
    workshop: Workshop,
    progress: Progress | None,
    *,
    resume: bool,
) -> Record:
    from townlet_core.policy.network import network_tensors
    from townlet_core.policy.ppo.starting import Start, Stored, training_identity
    from townlet_core.policy.ppo.training import improve

    checkpoint = read_checkpoint(lay_out(clone, workshop))
    towns = {scenario.name: scenario.config for scenario in scenarios}
    trained = {"method": METHODS[profile.mode], "clone": clone["digest"], "profile": profile.model_dump(mode="json")}
    score = CloneScore(dataset_id, clone["report"]["accuracy"])
    start = Start(checkpoint.tensors, checkpoint.layout, trained, score)
    learnt_again = None
    if profile.replay is not None or profile.mix is not None:
        train, validation, _ = _sides(dataset_id, profile, workshop)
        learnt_again = Stored(train, validation, dataset_id)
    # Checkpoints are taken up by their identity, so what differs in it never shares a folder.
    identity = training_identity(start, towns, profile, learnt_again)
    folder = workshop.data / "training" / digest([clone["digest"], trained, identity])[:16]
    result = improve(start, towns, profile, folder, stored=learnt_again, resume=resume, progress=progress)
    trained = {**trained, "updates": result.update}
    stored = _stored(network_tensors(result.network), checkpoint.layout, trained, workshop)
    return {**stored, "stage": IMPROVED, **_told(result.update, result.records, folder, workshop)}


def _told(update: int, records: Sequence[UpdateRecord], folder: Path, workshop: Workshop) -> Record:
    write_table(records, folder / "lasting.parquet", lasting=True)
    log = workshop.artifacts.put_bytes((folder / "lasting.parquet").read_bytes(), PARQUET) + PARQUET
    validated = next((record.validation for record in records if record.epoch == update and record.validation), None)
    rows = [record.lasting() for record in records]
    return {
        "update": update,
        "updates": len(records),
        "agent_steps": records[-1].steps,
        "decisions": records[-1].transitions_total,
        "validation": validated.model_dump(mode="json") if validated else None,
        "mode": records[-1].data_mode,
        "rows": rows_used(records),
        "annealing": records[-1].annealing.model_dump(mode="json") if records[-1].annealing else None,
        "stored": records[-1].stored.model_dump(mode="json") if records[-1].stored else None,
        "curve": [{**{key: row[key] for key in CURVE}, "return": row["episodes"]["return_mean"]} for row in rows],
        "log": log,
        "live_log": f"{folder.relative_to(workshop.data)}/{LOG_FILE}",
    }


def rows_used(records: Sequence[UpdateRecord]) -> dict[str, int]:
    """How many decisions of which kind a whole improvement used, by the names of `RowsUsed`."""
    return {name: sum(getattr(record.rows, name) for record in records) for name in RowsUsed.model_fields}


def _stored(tensors: Any, layout: ObservationLayout, trained: Record, workshop: Workshop) -> Record:
    with TemporaryDirectory() as folder:
        digest_found = save_checkpoint(folder, tensors, layout, trained)
        weights = workshop.artifacts.put_bytes((Path(folder) / WEIGHTS_FILE).read_bytes(), WEIGHTS)
        description = workshop.artifacts.put_bytes((Path(folder) / DESCRIPTION_FILE).read_bytes(), DESCRIPTION)
    return {"digest": digest_found, "weights": weights + WEIGHTS, "description": description + DESCRIPTION}
