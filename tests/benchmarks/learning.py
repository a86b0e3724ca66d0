"""Whether training pays: several trainings by one profile, each compared with the teacher in the same unseen towns.

    .venv/bin/python tests/benchmarks/learning.py --seeds 5 [--profile quick|full] [--processes 2]

Captures and curates what the clones learn from; then trains a clone and its improvement for each seed, as many at a
time as there are processes, and lets each live a day in 64 towns of the default town that nothing else uses. What is
finished is found again and a training that was broken off goes on, so the command may be stopped and repeated. Prints
each seed's paired differences and writes the profile's section of `docs/learning.md` with its picture: the
interquartile mean of the return while training, with the band of the quartiles. Without --seeds, as in `make bench`, it
only tells what was measured last.
"""

import argparse
import json
import multiprocessing
import os
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

import torch
from engine import processor
from learning_page import JUDGED, page, picture, section, table, verdict

from townlet_core.config import Scenario, captured_scenarios, load_curation, load_profile, load_scenario
from townlet_core.datasets import build_version, capture, curate
from townlet_core.policy import Teacher, load_checkpoint
from townlet_core.policy.training_log import read_log
from townlet_core.release.candidate import train_candidate, training_scenarios
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

ROOT = Path(__file__).resolve().parents[2]
CONFIGS = ROOT / "configs"
DATE = "2026-11-01"
SCENARIO = "ordinary_day"
TOWNS = 64
HELD_OUT_SEED = 20_260
CONFIDENCE = 0.95


def dataset(workshop: Workshop) -> str:
    """The id of the dataset version that the clones learn from: a day of every scenario; what is there is found."""
    store, rules = workshop.datasets, load_curation(CONFIGS / "curation.yaml")
    scenarios = [load_scenario(name, CONFIGS) for name in captured_scenarios(CONFIGS)]
    curated = [curate(capture(one, DATE, store, policy_factory=Teacher), rules, store) for one in scenarios]
    return str(build_version(curated, rules, store)["id"])


def train(seed: int, name: str, version: str, workshop: Workshop) -> dict[str, Any]:
    """Train with one seed, or find that it was done; gives the candidate's curve, folder and seconds of the log."""
    profile = load_profile(name, CONFIGS).model_copy(update={"seed": seed})
    began = time.perf_counter()
    found = train_candidate(version, profile, workshop, training_scenarios(profile, CONFIGS))
    if found.improvement is None:
        raise SystemExit(f"learning: profile {name} has no section ppo; name one that improves the clone")
    seconds = time.perf_counter() - began
    return {"seed": seed, "folder": found.folder, "improvement": found.improvement, "seconds": seconds,
            "reused": found.reused, "stage": found.record["stage"]}  # fmt: skip


def judge(folder: Path, scenario: Scenario) -> Evaluation:
    """The trained policy and the teacher in the same held-out towns for a day."""
    policy = load_checkpoint(folder, name=CANDIDATE)
    contenders = {
        CANDIDATE: Contender(policy.digest, policy.enter),
        TEACHER: scripted_teacher(),
    }
    return evaluate(contenders, [scenario], towns=TOWNS, days=1, seed=HELD_OUT_SEED)


def figures_of(run: dict[str, Any], evaluation: Evaluation, workshop: Workshop) -> dict[str, Any]:
    """What one seed gave, as plain figures: its curve, its means, and paired differences with their intervals."""
    improvement = run["improvement"]
    figures: dict[str, Any] = {key: run[key] for key in ("seed", "stage")}
    figures |= {key: improvement[key] for key in ("update", "updates", "agent_steps")}
    records = list(read_log(workshop.data / improvement["live_log"]))
    figures["curve"] = [
        {
            "update": record.epoch,
            "drawn": record.episodes.return_mean,
            "validated": record.validation.return_mean if record.validation else None,
        }
        for record in records
    ]
    validations = [record.validation for record in records if record.validation]
    figures["teacher"] = validations[-1].teacher_return_mean if validations else None
    figures["seconds"] = None if run["reused"] else run["seconds"]
    for kpi in JUDGED:
        ours, theirs = (estimate(evaluation, SCENARIO, who, kpi, CONFIDENCE) for who in (CANDIDATE, TEACHER))
        gap = difference(evaluation, SCENARIO, CANDIDATE, TEACHER, kpi, CONFIDENCE)
        assert ours is not None
        assert theirs is not None
        assert gap is not None
        figures[kpi] = {"ours": ours.mean, "teacher": theirs.mean, "gap": [gap.mean, gap.low, gap.high]}
    return figures


def one_seed(seed: int, profile: str, version: str, data: Path) -> dict[str, Any]:
    """Train and judge one seed, in a process of its own with one thread."""
    torch.set_num_threads(1)
    workshop = Workshop(data)
    run = train(seed, profile, version, workshop)
    return figures_of(run, judge(run["folder"], load_scenario(SCENARIO, CONFIGS)), workshop)


def every_seed(seeds: int, processes: int, work: tuple[str, str, Path]) -> Iterator[dict[str, Any]]:
    """The seeds' results as they come, so many processes at a time."""
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=fresh) as pool:
        running = [pool.submit(one_seed, seed, *work) for seed in range(1, seeds + 1)]
        for done in as_completed(running):
            yield done.result()


def write_page(docs: Path, profile: str, told: str, curve: bytes) -> None:
    """Put the profile's section and picture in their place among those of other profiles."""
    (docs / f"images/learning-{profile}.png").write_bytes(curve)
    where = docs / "learning.md"
    known = where.read_text() if where.is_file() else ""
    where.write_text(page(known, profile, told, TOWNS))


def main() -> None:
    """Train and judge as many seeds as asked, or tell what is there."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seeds", type=int, default=0, help="trainings; 0 tells what is there")
    parser.add_argument("--profile", default="quick", help="a file of configs/training")
    parser.add_argument("--processes", type=int, default=min(2, os.cpu_count() or 1), help="trainings at a time")
    parser.add_argument("--data", type=Path, default=ROOT / "data/benchmarks/learning")
    parser.add_argument("--docs", type=Path, default=ROOT / "docs", help="where the page and the picture go")
    options = parser.parse_args()
    summary = options.data / f"{options.profile}.json"
    if not options.seeds:
        known = json.loads(summary.read_text()) if summary.is_file() else []
        told = [*table(known), verdict(known, TOWNS)] if known else ["learning: not measured yet; run with --seeds 5"]
        print("\n".join(told))
        return
    began, results = time.perf_counter(), list[dict[str, Any]]()
    # The dataset is made, and kernels are compiled, before processes share them.
    work = (options.profile, dataset(Workshop(options.data)), options.data)
    for found in every_seed(options.seeds, options.processes, work):
        results = sorted([*results, found], key=lambda one: one["seed"])
        summary.write_text(json.dumps(results))
        print("\n".join(table([found])[2:]), flush=True)
    minutes = (time.perf_counter() - began) / 60
    machine = f"{options.processes} processes, {processor()}"
    told = section(results, options.profile, TOWNS, minutes, machine)
    write_page(options.docs, options.profile, told, picture(results))
    print(verdict(results, TOWNS), f"\n{minutes:.1f} minutes; told in {options.docs / 'learning.md'}")


if __name__ == "__main__":
    main()
