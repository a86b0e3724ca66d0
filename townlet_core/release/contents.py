"""Everything that goes into a bundle, read anew from what the stages published, and refused unless it fits together."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from townlet_core.config import (
    CurationRules,
    Scenario,
    canonical_json,
    load_curation,
)
from townlet_core.config.gates import GatePolicy, load_gates
from townlet_core.config.rehearsal import RehearsalPlan, load_rehearsal
from townlet_core.datasets.derivations import derive
from townlet_core.datasets.store import Record
from townlet_core.datasets.versions import read_version
from townlet_core.errors import DataError, RefusedError
from townlet_core.kernels import source_digest
from townlet_core.release.bundle import Part
from townlet_core.release.calibrating import (
    PROMISES_HEADER,
    RATES_HEADER,
    promise_rows,
    rates_rows,
    require_calibration,
)
from townlet_core.release.candidate import Candidate, read_candidate
from townlet_core.release.card import Subject, figures_table, write_card
from townlet_core.release.drawing import draw_accuracy, draw_guard_rails, markdown_table
from townlet_core.release.drill import require_drill
from townlet_core.release.environment import environment_lock
from townlet_core.release.golden import CRITERIA_HEADER, Golden, criteria_rows, golden_tables, require_golden
from townlet_core.release.judging import read_evaluation, require_decision
from townlet_core.release.lineage import Node, Nodes, dataset_nodes, to_document
from townlet_core.release.planned import planned_scenarios
from townlet_core.release.tracing import trace_nodes
from townlet_core.release.workshop import Workshop, stored_bytes
from townlet_core.stability import Decision, Evaluation, Evidence
from townlet_core.stability.calibration import Calibration, promises

PNG = ".png"
MOST_CHOICES = 10_000_000
"""Bytes of choices that a bundle still carries; more stay in the data folder, and the report names them."""


LIVED = ("evaluation/evaluation.json", "evaluation/towns.parquet", "evaluation/choices.parquet")
"""Where a bundle has what was found in the towns of the evaluation."""


class Contents(NamedTuple):
    """The parts of a bundle by path below `content/`, its lineage, and the decision that allows it."""

    parts: dict[str, Part]
    nodes: Nodes
    decision: Decision


class _Facts(NamedTuple):
    plan: GatePolicy
    rules: CurationRules
    scenarios: Sequence[Scenario]
    candidate: Candidate
    manifest: Record
    evaluation: Evaluation
    decision: Decision
    evidence: Evidence
    rehearsal: RehearsalPlan
    golden: Golden
    drill: Record
    telemetry: Record
    calibration: Calibration
    evaluated: Record


def gather_contents(configs: Path, workshop: Workshop) -> Contents:
    """Collect a bundle's content; asks for the promotion itself, whatever ran or did not run before.

    Raises:
        RefusedError: the recorded decision does not promote exactly what is published now under the plan as it is
            now, it forgot something, or it was not rehearsed; with every reason.
        DataError: something that belongs into the bundle is missing or damaged.
    """
    facts = _read(configs, workshop)
    parts: dict[str, Part] = {
        **_policy_parts(facts),
        **_config_parts(facts),
        **_dataset_parts(facts, workshop),
        **_telemetry_parts(facts, workshop),
        **_evaluation_parts(facts, workshop),
        **_decision_parts(facts),
        **_golden_parts(facts, workshop),
        "environment.lock": environment_lock().encode(),
    }
    record, golden = facts.candidate.record, facts.golden.report
    subject = Subject(facts.decision, facts.evaluation, facts.manifest, record, _reliability(facts), golden)
    parts["README.md"] = write_card(subject).encode()
    nodes = _nodes(facts, parts, workshop)
    parts["lineage.json"] = _text(to_document(nodes))
    return Contents(parts, nodes, facts.decision)


def _read(configs: Path, workshop: Workshop) -> _Facts:
    plan = load_gates(configs / "gates.yaml")
    decision, evidence = require_decision(plan, configs, workshop)
    candidate, evaluation = read_candidate(workshop), read_evaluation(workshop)
    return _Facts(
        plan=plan,
        rules=load_curation(configs / "curation.yaml"),
        scenarios=planned_scenarios(plan, configs),
        candidate=candidate,
        manifest=read_version(workshop.datasets, decision.dataset_id),
        evaluation=evaluation,
        decision=decision,
        evidence=evidence,
        rehearsal=load_rehearsal(configs / "rehearsal.yaml"),
        golden=require_golden(candidate, configs, workshop),
        drill=require_drill(decision, workshop),
        telemetry=workshop.latest("telemetry"),
        calibration=require_calibration(plan, configs, workshop),
        evaluated=workshop.latest("evaluation"),
    )


def _policy_parts(facts: _Facts) -> dict[str, Part]:
    folder = facts.candidate.folder
    return {f"policy/{name}": folder / name for name in ("policy.safetensors", "policy.json")}


def _config_parts(facts: _Facts) -> dict[str, Part]:
    documents = {
        "gates": facts.plan.model_dump(mode="json"),
        "rehearsal": facts.rehearsal.model_dump(mode="json"),
        "curation": facts.rules.model_dump(mode="json"),
        "training": facts.candidate.record["profile"],
        **{scenario.name: scenario.config.model_dump(mode="json") for scenario in facts.scenarios},
    }
    return {f"config/{name}.json": _text(document) for name, document in documents.items()}


def _dataset_parts(facts: _Facts, workshop: Workshop) -> dict[str, Part]:
    trace = trace_nodes("dataset", dataset_nodes(facts.manifest, workshop.datasets), workshop.datasets)
    wrong = [traced.problem for traced in trace.nodes.values() if traced.problem]
    if wrong:
        raise DataError(f"{wrong[0]}; a release rests on every byte of its dataset")
    return {"dataset/manifest.json": _text(facts.manifest), "dataset/audit.json": _text(trace.to_json())}


def _telemetry_parts(facts: _Facts, workshop: Workshop) -> dict[str, Part]:
    if facts.telemetry["candidate"] != facts.candidate.digest:
        raise RefusedError("telemetry: is about another candidate; materialise telemetry_summary again")
    files = dict(facts.telemetry["files"])
    if facts.candidate.improvement is not None:
        files["updates.parquet"] = facts.candidate.improvement["log"]
    return {f"telemetry/{path}": stored_bytes(workshop.artifacts, name) for path, name in files.items()}


def _evaluation_parts(facts: _Facts, workshop: Workshop) -> dict[str, Part]:
    drawn = derive(
        workshop.artifacts,
        "report",
        {"decision": facts.decision.digest, "candidate": facts.candidate.digest},
        lambda: _drawn(facts, workshop),
        code=source_digest("release", "stability"),
    ).record
    artifacts = workshop.artifacts
    choices = stored_bytes(artifacts, facts.evaluated["choices"])
    carried = len(choices) <= MOST_CHOICES
    return {
        "evaluation/report.md": _report(facts, carried=carried).encode(),
        "evaluation/evaluation.json": facts.evaluation.to_json() + b"\n",
        "evaluation/towns.parquet": stored_bytes(artifacts, facts.evaluated["towns"]),
        **({"evaluation/choices.parquet": choices} if carried else {}),
        **{f"evaluation/{name}.png": stored_bytes(artifacts, drawn[name]) for name in ("guard_rails", "accuracy")},
    }


def _drawn(facts: _Facts, workshop: Workshop) -> Record:
    criteria = facts.decision.model_dump(mode="json")["criteria"]
    plots = {"guard_rails": draw_guard_rails(criteria), "accuracy": draw_accuracy(facts.candidate.report["scenarios"])}
    return {name: workshop.artifacts.put_bytes(png, PNG) + PNG for name, png in plots.items()}


def _report(facts: _Facts, *, carried: bool) -> str:
    where = "`choices.parquet`" if carried else f"the object `{facts.evaluated['choices']}` of the data folder"
    criteria = [(c.name, str(c.verdict), c.reason, c.what_would_change) for c in facts.decision.criteria]
    runs = [(n, name, run.towns, run.seed, run.config_digest[:12]) for n, name, run in facts.evaluation.runs]
    return "\n\n".join(
        (
            f"# Evaluation of `{facts.candidate.digest[:12]}`: {facts.decision.verdict}",
            figures_table(facts.evaluation),
            "![differences and their bounds](guard_rails.png)",
            "## Every criterion",
            markdown_table(["criterion", "verdict", "reason", "what would change it"], criteria),
            "## The towns",
            markdown_table(["window", "scenario", "towns", "seed", "configuration"], runs),
            f"One row per window, scenario, policy and town is in `towns.parquet`, one per choice in {where}.",
            "## Golden rollouts",
            f"The bar is set by {facts.golden.report.bar}. Everybody's figures in each golden town are in "
            "`golden.parquet`, every choice of the candidate there in `golden_decisions.parquet`.",
            markdown_table(CRITERIA_HEADER, criteria_rows(facts.golden.report)) + "\n",
        )
    )


def _decision_parts(facts: _Facts) -> dict[str, Part]:
    models = {"decision": facts.decision, "evidence": facts.evidence, "calibration": facts.calibration}
    documents = {name: model.model_dump(mode="json") for name, model in models.items()} | {"drill": facts.drill}
    return {f"decision/{name}.json": _text(document) for name, document in documents.items()}


def _golden_parts(facts: _Facts, workshop: Workshop) -> dict[str, Part]:
    tables = golden_tables(facts.golden, workshop)
    return {
        "decision/golden.json": _text(facts.golden.report.model_dump(mode="json")),
        **{f"evaluation/{name}.parquet": content for name, content in tables.items()},
    }


def _reliability(facts: _Facts) -> str:
    """How often the gate errs, as two tables: what the plan promises, and every case that was measured."""
    kept = promises(facts.calibration, facts.plan.calibration)
    rates = markdown_table(RATES_HEADER, rates_rows(facts.calibration))
    return f"{markdown_table(PROMISES_HEADER, promise_rows(kept))}\n\n{rates}"


def _nodes(facts: _Facts, parts: Mapping[str, Part], workshop: Workshop) -> Nodes:
    report, decision = facts.candidate.report, facts.decision
    nodes = dataset_nodes(facts.manifest, workshop.datasets)
    nodes["dataset"] = replace(nodes["dataset"], in_bundle=_digests(parts, "dataset/manifest.json"))
    nodes["candidate"] = Node(
        digest=facts.candidate.digest,
        facts={
            "accuracy": report["accuracy"],
            "profile": facts.candidate.record["profile"]["profile"],
            "stage": facts.candidate.record["stage"],
        },
        inputs=("dataset",),
        in_bundle=_digests(parts, "policy/policy.json", "policy/policy.safetensors"),
    )
    nodes["telemetry"] = Node(
        digest=str(facts.telemetry["digest"]),
        inputs=("candidate",),
        in_bundle=_digests(parts, *_below(parts, "telemetry/")),
    )
    nodes["evaluation"] = Node(
        digest=facts.evaluation.digest,
        facts={
            "days": facts.evaluation.days,
            "seed": facts.evaluation.seed,
            "follows": facts.evaluation.follows,
            "contenders": facts.evaluation.policies,
            "choices": facts.evaluated["choices"],
        },
        inputs=("candidate",),
        in_bundle=_digests(parts, *(path for path in parts if path in LIVED)),
    )
    nodes["decision"] = Node(
        digest=decision.digest,
        facts={"verdict": decision.verdict, "plan": decision.plan, "gates_digest": decision.gates_digest},
        inputs=("candidate", "dataset", "evaluation"),
        in_bundle=_digests(parts, "config/gates.json", *_below(parts, "decision/")),
    )
    nodes["golden"] = _golden_node(facts, parts)
    return nodes


def _golden_node(facts: _Facts, parts: Mapping[str, Part]) -> Node:
    golden = facts.golden.report
    paths = ("config/rehearsal.json", *(path for path in parts if "/golden" in path))
    return Node(
        digest=golden.digest,
        facts={"reference": golden.reference, "contenders": golden.policies},
        inputs=("candidate",),
        in_bundle=_digests(parts, *paths),
    )


def _below(parts: Mapping[str, Part], folder: str) -> list[str]:
    return [path for path in parts if path.startswith(folder)]


def _digests(parts: Mapping[str, Part], *paths: str) -> dict[str, str]:
    return {path: sha256(_bytes(parts[path])).hexdigest() for path in paths}


def _bytes(part: Part) -> bytes:
    return part if isinstance(part, bytes) else part.read_bytes()


def _text(document: Any) -> bytes:
    # Canonical JSON made readable: same keys, same order, one value a line.
    plain = json.loads(canonical_json(document))
    return (json.dumps(plain, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()
