"""Golden rollouts on record: lived once per policy, judged anew whenever something asks, and asked for by a bundle."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import ValidationError

from townlet_core.config import Scenario, canonical_json, config_digest, digest, load_scenario
from townlet_core.config.rehearsal import GoldenRules, load_rehearsal
from townlet_core.core import ENGINE
from townlet_core.datasets.derivations import derive
from townlet_core.datasets.store import Record
from townlet_core.errors import CheckpointError, DataError, RefusedError
from townlet_core.kernels import source_digest
from townlet_core.policy.acting import LearnedPolicy
from townlet_core.policy.checkpoint import load_checkpoint
from townlet_core.policy.layouts import first_difference
from townlet_core.release.candidate import Candidate
from townlet_core.release.manifest import CONTENT
from townlet_core.release.workshop import Workshop, stored_bytes
from townlet_core.stability import CANDIDATE, TEACHER, Contender, Release, scripted_teacher
from townlet_core.stability.forgetting import BY_NOBODY, BY_RELEASES, BY_TEACHER, GoldenReport, judge_forgetting
from townlet_core.stability.golden import Lived, lived_figures, roll_out
from townlet_core.stability.pointer import releases_before, withdrawn_before
from townlet_core.stability.records import first_error

STAGE = "golden"
PARQUET = ".parquet"
REMEDY = "materialise golden_rollouts, or run `townlet promote golden`"
CRITERIA_HEADER = ("criterion", "verdict", "reason", "what would change it")

Progress = Callable[[int, int], None]
"""Called with the policies that have lived in the golden towns, and how many there are."""


@dataclass(frozen=True)
class Golden:
    """Golden rollouts on record: the report, the names of the rollouts' tables, and whether all of them were found."""

    report: GoldenReport
    record: Record
    reused: bool


class _Setting(NamedTuple):
    """Who lives where: fixed by the plan, the candidate and the releases before it."""

    rules: GoldenRules
    scenarios: list[Scenario]
    contenders: dict[str, Contender]
    left_out: dict[str, str]

    @property
    def reference(self) -> str:
        """Who sets the bar."""
        if set(self.contenders) - {CANDIDATE, TEACHER}:
            return BY_RELEASES
        return BY_TEACHER if self.rules.first_release == "teacher" else BY_NOBODY


def rehearse_golden(
    candidate: Candidate, configs: Path, workshop: Workshop, progress: Progress | None = None
) -> Golden:
    """Let the candidate, the releases before it and the teacher live in the golden towns, and judge what it forgot.

    Who lived there before, by the same rules and engine, is not asked again.

    Raises:
        CheckpointError: the candidate cannot live in one of the towns.
        ConfigError: the plan names a scenario that there is none of.
        DataError: the bundle of an earlier release that counts is missing or damaged.
    """
    setting = _setting(candidate, configs, workshop)
    rollouts, reused = {}, True
    for done, (name, contender) in enumerate(setting.contenders.items(), start=1):
        rollouts[name], found = _rolled_out(contender, setting, workshop)
        reused = reused and found
        if progress is not None:
            progress(done, len(setting.contenders))
    report = _report(setting, rollouts, workshop)
    record = {"candidate": candidate.digest, "rollouts": rollouts, "report": report.model_dump(mode="json")}
    return Golden(report, record, reused)


def require_golden(candidate: Candidate, configs: Path, workshop: Workshop) -> Golden:
    """The published golden rollouts, if they are about this candidate, plan, engine and history, and nothing is lost.

    The judgement is made again from the rollouts' own tables.

    Raises:
        RefusedError: there are none, they are about something else, or the candidate forgot something; the line names
            every scenario and figure with its bound.
        DataError: they are damaged.
    """
    if not workshop.has(STAGE):
        raise RefusedError(f"golden: no golden rollouts were recorded; {REMEDY}")
    found, setting = read_golden(workshop), _setting(candidate, configs, workshop)
    stale = _stale(found, candidate, setting)
    if stale:
        raise RefusedError(f"golden: {'; '.join(stale)}; {REMEDY}")
    if _report(setting, found.record["rollouts"], workshop) != found.report:
        raise RefusedError(f"golden: the record is not what plan and rollouts give; {REMEDY}")
    if not found.report.holds:
        raise RefusedError(f"golden: refused: {told_broken(found.report)}")
    return found


def read_golden(workshop: Workshop) -> Golden:
    """The golden rollouts that were published last. Raises DataError when there are none or they are damaged."""
    record = workshop.latest(STAGE)
    try:
        report = GoldenReport.model_validate_json(canonical_json(record["report"]))
    except (KeyError, ValidationError) as error:
        wrong = first_error(error) if isinstance(error, ValidationError) else "report: missing"
        raise DataError(f"{workshop.state.path(f'line/{STAGE}.json')}: {wrong}; {REMEDY}") from error
    return Golden(report, record, reused=True)


def told_broken(report: GoldenReport) -> str:
    """Every criterion that did not pass, with its verdict, in one line."""
    return "; ".join(f"{one.verdict}: {one.name}: {one.reason}" for one in report.broken)


def golden_figures(golden: Golden, workshop: Workshop) -> dict[str, Lived]:
    """What everybody did in the golden towns, by name."""
    return {name: _lived(tables, workshop) for name, tables in golden.record["rollouts"].items()}


def golden_tables(golden: Golden, workshop: Workshop) -> dict[str, bytes]:
    """The rollouts as Parquet files: `golden` has everybody's figures, `golden_decisions` what the candidate chose."""
    rollouts = golden.record["rollouts"]
    towns = [_named(_table(tables["towns"], workshop), name) for name, tables in rollouts.items()]
    decisions = stored_bytes(workshop.artifacts, rollouts[CANDIDATE]["decisions"])
    return {"golden": _parquet(pa.concat_tables(towns)), "golden_decisions": decisions}


def criteria_rows(report: GoldenReport) -> list[tuple[str, str, str, str]]:
    """Every criterion as a row below `CRITERIA_HEADER`, those that did not pass first."""
    ordered = (*report.broken, *(one for one in report.criteria if one not in report.broken))
    return [(one.name, str(one.verdict), one.reason, one.what_would_change) for one in ordered]


def _setting(candidate: Candidate, configs: Path, workshop: Workshop) -> _Setting:
    rules = load_rehearsal(configs / "rehearsal.yaml").golden
    scenarios = [load_scenario(name, configs) for name in sorted(rules.scenarios)]
    own = load_checkpoint(candidate.folder, name=CANDIDATE)
    earlier, left_out = _earlier(own, candidate, rules, workshop)
    policies = {CANDIDATE: own, **earlier}
    contenders = {name: Contender(policy.digest, policy.enter) for name, policy in policies.items()}
    contenders[TEACHER] = scripted_teacher()
    return _Setting(rules, scenarios, contenders, left_out)


def _earlier(
    own: LearnedPolicy, candidate: Candidate, rules: GoldenRules, workshop: Workshop
) -> tuple[dict[str, LearnedPolicy], dict[str, str]]:
    """The newest earlier releases that stand and can live in the candidate's towns; of the others, why they do not."""
    gone = withdrawn_before(workshop.state, candidate.digest)
    count: dict[str, LearnedPolicy] = {}
    left_out: dict[str, str] = {}
    for release in reversed(releases_before(workshop.state, candidate.digest)):
        if len(count) == rules.releases:
            break
        if release.policy_digest in gone:
            left_out[release.release_id] = "it was rolled back"
            continue
        policy = _policy_of(release, workshop)
        difference = first_difference(policy.layout, own.layout)
        if difference is None:
            count[release.release_id] = policy
        else:
            left_out[release.release_id] = difference.replace("in the town", "in the candidate")
    return count, left_out


def _policy_of(release: Release, workshop: Workshop) -> LearnedPolicy:
    folder = workshop.data / release.bundle / CONTENT / "policy"
    remedy = "restore the bundle from a copy, or let fewer releases count: golden.releases in rehearsal.yaml"
    try:
        policy = load_checkpoint(folder, name=release.release_id)
    except CheckpointError as error:
        raise DataError(f"golden: release {release.release_id}: {error}; {remedy}") from error
    if policy.digest != release.policy_digest:
        raise DataError(f"golden: {folder}: holds another policy than {release.release_id} was released with; {remedy}")
    return policy


def _rolled_out(contender: Contender, setting: _Setting, workshop: Workshop) -> tuple[Record, bool]:
    inputs = {
        "policy": contender.digest,
        "seed": setting.rules.seed,
        "towns": setting.rules.towns,
        "scenarios": {scenario.name: _lived_in(scenario) for scenario in setting.scenarios},
    }

    def build() -> Record:
        lived = roll_out(contender.enter, setting.scenarios, setting.rules)
        return {
            "policy": contender.digest,
            **{kind: _stored(table, workshop) for kind, table in lived._asdict().items()},
        }

    code = source_digest(*ENGINE, "policy", "scenarios", "stability")
    derived = derive(workshop.artifacts, "golden", inputs, build, code=code)
    return derived.record, derived.reused


def _lived_in(scenario: Scenario) -> str:
    """Digest of everything about a scenario that a rollout depends on."""
    promises = [{"of": one.measure, "owed": one.demand} for one in scenario.expectations]
    return digest({"config": config_digest(scenario.config), "check": scenario.check, "expectations": promises})


def _report(setting: _Setting, rollouts: Mapping[str, Record], workshop: Workshop) -> GoldenReport:
    setters = {BY_RELEASES: set(setting.contenders) - {CANDIDATE, TEACHER}, BY_TEACHER: {TEACHER}, BY_NOBODY: set()}
    names = setters[setting.reference]
    references = {name: _lived(rollouts[name], workshop) for name in setting.contenders if name in names}
    own = _lived(rollouts[CANDIDATE], workshop)
    return GoldenReport(
        plan=digest(setting.rules),
        engine=source_digest(*ENGINE),
        reference=setting.reference,
        policies={name: contender.digest for name, contender in setting.contenders.items()},
        left_out=setting.left_out,
        criteria=judge_forgetting(setting.rules, setting.scenarios, own, references),
    )


def _stale(found: Golden, candidate: Candidate, setting: _Setting) -> list[str]:
    report = found.report
    others = {name: one.digest for name, one in setting.contenders.items() if name != CANDIDATE}
    beside = {name: policy for name, policy in report.policies.items() if name != CANDIDATE}
    about = {
        "they are about another candidate": report.policies.get(CANDIDATE) == candidate.digest,
        "the plan in rehearsal.yaml changed since": report.plan == digest(setting.rules),
        "they were lived by another engine": report.engine == source_digest(*ENGINE),
        "other releases came before it now": (beside, report.left_out) == (others, setting.left_out),
    }
    return [told for told, holds in about.items() if not holds]


def _stored(table: pa.Table, workshop: Workshop) -> str:
    return workshop.artifacts.put_bytes(_parquet(table), PARQUET) + PARQUET


def _parquet(table: pa.Table) -> bytes:
    content = BytesIO()
    pq.write_table(table.combine_chunks(), content, compression="zstd")
    return content.getvalue()


def _table(name: str, workshop: Workshop) -> pa.Table:
    return pq.read_table(BytesIO(stored_bytes(workshop.artifacts, name)))


def _lived(tables: Mapping[str, Any], workshop: Workshop) -> Lived:
    return lived_figures(_table(tables["towns"], workshop))


def _named(table: pa.Table, name: str) -> pa.Table:
    return table.add_column(0, "policy", pa.array([name] * table.num_rows, pa.string()))
