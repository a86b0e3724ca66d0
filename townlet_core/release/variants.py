"""Observation variants compared: each learns from the same days of the teacher and lives in the same new towns."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pydantic import ValidationError

from townlet_core.config import (
    CurationRules,
    Scenario,
    TrainingProfile,
    canonical_json,
    config_digest,
    digest,
    embedded_config,
    id_with_variant,
    load_curation,
    load_profile,
    load_scenario,
)
from townlet_core.config.rehearsal import VariantRules, load_rehearsal
from townlet_core.core import ENGINE
from townlet_core.datasets.capture import capture, capture_seed
from townlet_core.datasets.curation import curate
from townlet_core.datasets.derivations import derive
from townlet_core.datasets.reading import DecisionReader
from townlet_core.datasets.splitting import SIDES
from townlet_core.datasets.store import Record, Store
from townlet_core.datasets.versions import build_version, episode_keys
from townlet_core.errors import DataError
from townlet_core.kernels import source_digest
from townlet_core.observations.layout import ObservationLayout
from townlet_core.policy.checkpoint import load_checkpoint, save_checkpoint
from townlet_core.policy.teacher import Teacher
from townlet_core.release.candidate import OF_THE_IMPROVEMENT
from townlet_core.release.workshop import Workshop, stored_bytes
from townlet_core.stability.records import first_error
from townlet_core.stability.suite import Stay, live
from townlet_core.stability.variants import Lives, Schooling, VariantComparison, compare_figures

STAGE = "variants"
PARQUET = ".parquet"
HEADER = ("variant", "figure", "verdict", "reason")
TAUGHT = ("episode", "agent", "tick", "decision", "action", "expert", "reward", "terminated")
"""Columns of a shard that do not depend on what is seen; they must be the same for every variant."""

Progress = Callable[[str, int, int], None]
"""Called with what has been done, how many of such steps are done, and how many there are."""


@dataclass(frozen=True)
class Compared:
    """A comparison on record: what was found, the name of the table with every life, and whether it was found again."""

    comparison: VariantComparison
    record: Record
    reused: bool


class _Lesson(NamedTuple):
    """What one variant is shown: its scenarios, the dataset's manifest, and the store that holds it."""

    scenarios: list[Scenario]
    manifest: Record
    store: Store


class _Course(NamedTuple):
    """Everything that a comparison follows from."""

    rules: VariantRules
    profile: TrainingProfile
    curation: CurationRules
    scenarios: list[Scenario]

    def inputs(self) -> Record:
        return {
            "rules": self.rules.model_dump(mode="json"),
            "profile": self.profile.model_dump(mode="json"),
            "curation": self.curation.model_dump(mode="json"),
            "scenarios": {scenario.name: config_digest(scenario.config) for scenario in self.scenarios},
        }


def compare_variants(configs: Path, workshop: Workshop, progress: Progress | None = None) -> Compared:
    """Compare the observation variants of the plan, or find what the same plan, scenarios and code gave before.

    Nothing of the line is touched: what is captured and trained for it goes when it ends.

    Raises:
        ConfigError: the plan names a scenario or a profile that there is none of.
        RefusedError: what was captured cannot be learnt from.
    """
    rules = load_rehearsal(configs / "rehearsal.yaml").variants
    profile = load_profile(rules.profile, configs)
    course = _Course(
        rules,
        _first_stage(profile),
        load_curation(configs / "curation.yaml"),
        [load_scenario(name, configs) for name in sorted(rules.scenarios)],
    )
    code = source_digest(*ENGINE, "datasets", "policy", "stability", "release")
    derived = derive(workshop.artifacts, STAGE, course.inputs(), lambda: _built(course, workshop, progress), code=code)
    return Compared(_load(derived.record, workshop), derived.record, derived.reused)


def comparison_rows(comparison: VariantComparison) -> list[tuple[str, str, str, str]]:
    """Every figure as a row below `HEADER`."""
    return [(one.variant, one.figure, one.verdict, one.reason) for one in comparison.figures]


def seen_as(scenario: Scenario, variant: str) -> Scenario:
    """The same scenario as another variant sees it; what happens in it stays the same."""
    body = scenario.config.model_dump(mode="json")
    body["observations"]["variant"] = variant
    body["config_id"] = id_with_variant(scenario.config.config_id, variant)
    return scenario._replace(config=embedded_config(json.dumps(body), f"scenario {scenario.name} as {variant} sees it"))


def _first_stage(profile: TrainingProfile) -> TrainingProfile:
    """The profile without what makes more of a clone."""
    return TrainingProfile(profile=profile.profile, **profile.model_dump(exclude=OF_THE_IMPROVEMENT))


def _built(course: _Course, workshop: Workshop, progress: Progress | None) -> Record:
    told = _Told(progress, len(course.rules.variants) * (1 + 2 * course.rules.trainings))
    with TemporaryDirectory(prefix="townlet-variants-") as folder:
        lessons = {name: _lesson(name, course, Path(folder), told) for name in course.rules.variants}
        schooling: dict[str, Schooling] = {}
        tables = []
        for name, lesson in lessons.items():
            schooling[name], lived = _schooled(name, lesson, course, Path(folder), told)
            tables.append(lived)
        same = _same_teacher(list(lessons.values()))
    lives = pa.concat_tables(tables)
    comparison = VariantComparison(
        plan=digest(course.rules),
        engine=source_digest(*ENGINE),
        same_teacher=same,
        schooling=schooling,
        figures=compare_figures(course.rules, {name: _lives(lives, name, course.rules) for name in lessons}),
    )
    content = BytesIO()
    pq.write_table(lives, content, compression="zstd")
    table = workshop.artifacts.put_bytes(content.getvalue(), PARQUET) + PARQUET
    return {"digest": comparison.digest, "comparison": comparison.model_dump(mode="json"), "lives": table}


class _Told:
    """Tells how far a comparison has come."""

    def __init__(self, progress: Progress | None, total: int) -> None:
        self._progress, self._total, self._done = progress, total, 0

    def add(self, what: str) -> None:
        self._done += 1
        if self._progress is not None:
            self._progress(what, self._done, self._total)


def _lesson(variant: str, course: _Course, folder: Path, told: _Told) -> _Lesson:
    store = Store(folder / variant)
    scenarios = [seen_as(one, variant)._replace(capture=course.rules.capture) for one in course.scenarios]
    captured = [capture(one, course.rules.date, store, policy_factory=Teacher) for one in scenarios]
    manifest = build_version([curate(one, course.curation, store) for one in captured], course.curation, store)
    told.add(f"{variant}: captured")
    return _Lesson(scenarios, manifest, store)


def _same_teacher(lessons: list[_Lesson]) -> bool:
    """Whether every variant was shown the same deeds of the teacher, in the same episodes, on the same sides."""
    first, *others = lessons
    sides = [{side: episode_keys(one.manifest, side) for side in SIDES} for one in lessons]
    return all(found == sides[0] for found in sides) and all(
        ours.equals(theirs) for other in others for ours, theirs in zip(_deeds(first), _deeds(other), strict=True)
    )


def _deeds(lesson: _Lesson) -> Iterator[pa.Table]:
    for shard in lesson.manifest["shards"]:
        yield lesson.store.open(shard["digest"]).read(columns=list(TAUGHT)).replace_schema_metadata()


def _schooled(variant: str, lesson: _Lesson, course: _Course, folder: Path, told: _Told) -> tuple[Schooling, pa.Table]:
    # Torch takes seconds to import; a comparison that is found rather than made must not wait for it.
    from townlet_core.policy.bc import train_bc
    from townlet_core.policy.network import network_tensors

    discount = course.profile.discount
    readers = [DecisionReader(lesson.manifest, lesson.store, side, discount=discount) for side in SIDES]
    layout = ObservationLayout.from_json(json.dumps(readers[0].layout))
    accuracy, lives = [], []
    for training in range(course.rules.trainings):
        profile = course.profile.model_copy(update={"seed": course.profile.seed + training})
        result = train_bc(readers[0], readers[1], readers[2], profile)
        place = folder / variant / f"clone-{training}"
        save_checkpoint(place, network_tensors(result.network), layout, {"training": training})
        accuracy.append(result.report.accuracy)
        told.add(f"{variant}: clone {training + 1} agrees with the teacher in {result.report.accuracy:.1%}")
        lives.append(_let_loose(place, training, variant, lesson.scenarios, course.rules))
        told.add(f"{variant}: clone {training + 1} has lived")
    return Schooling(decisions=readers[0].decisions, accuracy=tuple(accuracy)), pa.concat_tables(lives)


def _let_loose(place: Path, training: int, variant: str, scenarios: list[Scenario], rules: VariantRules) -> pa.Table:
    policy, tables = load_checkpoint(place), []
    for scenario in scenarios:
        seed = capture_seed(scenario.name, str(rules.seed), STAGE)
        run = live(policy.enter, scenario, Stay(seed, 0, rules.towns, rules.days))
        where = {"variant": variant, "training": training, "scenario": scenario.name, "seed": str(seed)}
        columns = {name: [value] * rules.towns for name, value in where.items()}
        tables.append(pa.table({**columns, "town": range(rules.towns), **run.kpis}))
    return pa.concat_tables(tables)


def _lives(table: pa.Table, variant: str, rules: VariantRules) -> Lives:
    """The lives of a variant's clones as arrays [trainings, towns] by scenario and figure."""
    shape = (rules.trainings, rules.towns)
    own = table.filter(pc.equal(table["variant"], variant))
    parts = {one: own.filter(pc.equal(own["scenario"], one)) for one in rules.scenarios}
    return {
        (scenario, figure): part[figure].to_numpy().astype(np.float64).reshape(shape)
        for scenario, part in parts.items()
        for figure in rules.bands
        if figure in part.column_names
    }


def _load(record: Record, workshop: Workshop) -> VariantComparison:
    stored_bytes(workshop.artifacts, record["lives"])
    try:
        return VariantComparison.model_validate_json(canonical_json(record["comparison"]))
    except ValidationError as error:
        raise DataError(f"variants: {first_error(error)}; run `townlet promote compare-variants` again") from error
