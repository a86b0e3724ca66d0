"""`townlet train` and `evaluate`: a policy from a dataset version, and how it lives beside the teacher."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from townlet_core.cli.data import chosen_scenarios
from townlet_core.cli.options import CONFIGS, DATA, AsJson, Configs, Data, Scenarios, Threads
from townlet_core.cli.output import (
    Described,
    described_bar,
    interval_text,
    print_facts,
    print_json,
    print_table,
    progress_bar,
)
from townlet_core.config import TrainingProfile, load_profile, load_scenario
from townlet_core.datasets import read_version
from townlet_core.errors import InputError
from townlet_core.observations.layout import layout_of
from townlet_core.policy.checkpoint import DESCRIPTION_FILE, load_checkpoint
from townlet_core.policy.layouts import require_same_layout
from townlet_core.policy.report import EpochPoint
from townlet_core.policy.training_log import UpdateRecord
from townlet_core.release.candidate import Candidate, train_candidate, training_scenarios
from townlet_core.release.workshop import Workshop
from townlet_core.stability import (
    CANDIDATE,
    TEACHER,
    Contender,
    Evaluation,
    difference,
    estimate,
    evaluate,
    scripted_teacher,
)
from townlet_core.telemetry import Interval

SHOWN = ("survival", "needs_ok_share", "attendance", "return", "clipped_share", "conflicts")
CONFIDENCE = 0.95

Checkpoint = Annotated[Path, typer.Argument(help="A checkpoint folder: policy.safetensors and policy.json.")]
Towns = Annotated[int, typer.Option(min=2, max=4096, help="Towns per scenario, the same for both policies.")]
Resume = Annotated[bool, typer.Option("--resume", help="Go on from the last checkpoint of a broken-off training.")]
Days = Annotated[int, typer.Option(min=1, max=3650, help="Days that each town lives.")]
Seed = Annotated[int, typer.Option(min=0, help="Chooses the towns; they are others than any capture's.")]


def train(
    dataset: Annotated[str, typer.Option(help="Id of a dataset version, or `latest`.")] = "latest",
    profile: Annotated[str, typer.Option(help="Name or file of a training profile.")] = "quick",
    resume: Resume = False,
    as_json: AsJson = False,
    configs: Configs = CONFIGS,
    data: Data = DATA,
) -> None:
    """Clone the teacher from a dataset version and, where the profile's mode says so, improve the clone.

    Modes: `bc` stops at the clone, `rollout` learns from its own life, `replay` from the dataset, `mixed` from both,
    `anneal` beside a teacher who drives ever fewer citizens. The clone's accuracy is measured on decisions of held-out
    episodes. While the clone improves, its log grows below `data/training`, with checkpoints from which `--resume`
    goes on.
    """
    rules, workshop = load_profile(profile, configs), Workshop(data)
    if resume and rules.mode == "bc":
        raise InputError(
            f"--resume: profile {rules.profile} stops at the clone, which has no checkpoints; leave it out"
        )
    scenarios = training_scenarios(rules, configs)
    version = read_version(workshop.datasets, dataset)["id"]
    with described_bar(f"train {rules.profile}", quiet=as_json) as advance:
        told = _teller(rules, advance)
        candidate = train_candidate(version, rules, workshop, scenarios, told, resume=resume)
    if as_json:
        print_json({"checkpoint": str(candidate.folder), "reused": candidate.reused, **candidate.record})
    else:
        _print_candidate(candidate)


def evaluate_checkpoint(
    checkpoint: Checkpoint,
    scenarios: Scenarios = None,
    towns: Towns = 24,
    days: Days = 1,
    seed: Seed = 1,
    threads: Threads = 1,
    as_json: AsJson = False,
    configs: Configs = CONFIGS,
) -> None:
    """Let a trained policy and the teacher live in the same held-out towns, and compare them town by town."""
    policy = load_checkpoint(checkpoint, name=CANDIDATE)
    contenders = {CANDIDATE: Contender(policy.digest, policy.enter), TEACHER: scripted_teacher()}
    loaded = [load_scenario(name, configs) for name in chosen_scenarios(scenarios, configs)]
    for each in loaded:
        require_same_layout(policy.layout, layout_of(each.config), str(checkpoint / DESCRIPTION_FILE))
    with progress_bar("evaluate", quiet=as_json) as advance:
        outcome = evaluate(contenders, loaded, towns=towns, days=days, seed=seed, threads=threads, progress=advance)
    if as_json:
        print_json(_document(outcome))
        return
    for scenario in outcome.scenarios:
        _print_scenario(outcome, scenario)


def _teller(rules: TrainingProfile, advance: Described) -> Callable[[EpochPoint | UpdateRecord], None]:
    def tell(point: EpochPoint | UpdateRecord) -> None:
        if isinstance(point, EpochPoint):
            advance(point.epoch, rules.epochs, f"clone: agrees in {point.accuracy:.1%}")
            return
        advance(point.epoch, point.updates, _update_line(point))

    return tell


def _update_line(point: UpdateRecord) -> str:
    if point.data_mode == "replay":
        return f"replay: {point.rows.stored:,} stored decisions, loss {point.loss_total:.3f}"
    lived = "–" if point.episodes.return_mean is None else f"{point.episodes.return_mean:.2f}"
    share = f", the teacher drives {point.annealing.ratio:.0%}" if point.annealing else ""
    return f"{point.data_mode}: return {lived}{share}, {point.timing.steps_per_second:,.0f} agent-steps/s"


def _print_candidate(candidate: Candidate) -> None:
    report = candidate.report
    rows = [
        (name, f"{one['decisions']:,}", f"{one['accuracy']:.3f}", f"{one['majority_share']:.3f}")
        for name, one in {**report["scenarios"], "all": _overall(report)}.items()
    ]
    print_table("held-out decisions", ("scenario", "decisions", "accuracy", "majority"), rows)
    keys = ("share", "recall", "precision")
    by_action = ((name, *(_number(one[key]) for key in keys)) for name, one in _seen(report))
    print_table("by action", ("action", *keys), by_action)
    reused = "yes" if candidate.reused else "no"
    facts = {"checkpoint": candidate.folder, "digest": candidate.digest, "stage": candidate.record["stage"]}
    facts["mode"] = candidate.record["profile"]["mode"]
    facts["decisions"] = ", ".join(f"{rows:,} {kind}" for kind, rows in candidate.record["rows"].items() if rows)
    print_facts("candidate", {**facts, **_improvement(candidate), "reused": reused})


def _improvement(candidate: Candidate) -> dict[str, object]:
    found = candidate.improvement
    if found is None:
        return {}
    returns = [point["return"] for point in found["curve"] if point["return"] is not None]
    shown: dict[str, object] = {"update": f"{found['update']} of {found['updates']}"}
    if returns:
        shown["return"] = f"{returns[0]:.3f} at first, {returns[-1]:.3f} at last, choices drawn"
    if found["validation"]:
        validated = found["validation"]
        shown["validated"] = f"{validated['return_mean']:.3f}, " + ", ".join(
            f"{who} {validated[f'{who}_return_mean']:.3f}" for who in ("clone", "teacher")
        )
    if found["stored"]:
        shown["stored"] = f"agrees with {found['stored']['agreement']:.1%} of the dataset's validation side"
    if found["annealing"]:
        shown["annealed"] = _annealed(found["annealing"])
    return {**shown, "log": found["live_log"]}


def _annealed(standing: dict[str, Any]) -> str:
    ratio = standing["ratio"] if standing["next_ratio"] is None else standing["next_ratio"]
    return f"the teacher drives {ratio:.0%}" + (", frozen" if standing["decision"] == "freeze" else "")


def _overall(report: dict[str, Any]) -> dict[str, Any]:
    return {"decisions": report["held_decisions"], **{key: report[key] for key in ("accuracy", "majority_share")}}


def _seen(report: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    return ((name, one) for name, one in report["actions"].items() if one["decisions"])


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _print_scenario(outcome: Evaluation, scenario: str) -> None:
    rows = [
        (kpi, _interval(ours), _interval(theirs), _interval(gap))
        for kpi, ours, theirs, gap in _comparisons(outcome, scenario)
        if kpi in SHOWN
    ]
    towns = outcome.towns_of(scenario)
    print_table(f"{scenario}, {towns} towns", ("key figure", CANDIDATE, TEACHER, "difference, paired"), rows)


def _comparisons(
    outcome: Evaluation, scenario: str
) -> Iterator[tuple[str, Interval | None, Interval | None, Interval | None]]:
    for kpi in outcome.windows[0].scenarios[scenario].policies[CANDIDATE].kpis:
        ours = estimate(outcome, scenario, CANDIDATE, kpi, CONFIDENCE)
        theirs = estimate(outcome, scenario, TEACHER, kpi, CONFIDENCE)
        yield kpi, ours, theirs, difference(outcome, scenario, CANDIDATE, TEACHER, kpi, CONFIDENCE)


def _interval(value: Interval | None) -> str:
    return "–" if value is None else f"{value.mean:.3f} [{interval_text(value)}]"


def _document(outcome: Evaluation) -> dict[str, Any]:
    return {
        "digest": outcome.digest,
        "seed": outcome.seed,
        "days": outcome.days,
        "policies": outcome.policies,
        "scenarios": {name: _scenario_document(outcome, name) for name in outcome.scenarios},
    }


def _scenario_document(outcome: Evaluation, scenario: str) -> dict[str, Any]:
    return {
        kpi: {CANDIDATE: _plain(ours), TEACHER: _plain(theirs), "difference": _plain(gap)}
        for kpi, ours, theirs, gap in _comparisons(outcome, scenario)
    }


def _plain(value: Interval | None) -> dict[str, Any] | None:
    return None if value is None else value._asdict()
