"""Whether training pays: several trainings by one profile, each compared with the teacher in the same unseen towns.

    .venv/bin/python tests/benchmarks/learning.py --seeds 5 [--profile full] [--data data/benchmarks/learning]

Captures and curates what the clones learn from, if the folder has none; then trains a clone and its improvement for
each seed, one after another, and lets each live a day in 64 towns of the default town that nothing else uses. What is
finished is found again and a training that was broken off goes on, so the command may be stopped and repeated. Prints
each seed's paired differences and draws `learning.png`: the interquartile mean of the return while training, with the
band of the quartiles. Without --seeds, as in `make bench`, it only tells what lies in the folder.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np

from townlet_core.config import Scenario, load_curation, load_scenario, load_training, scenario_names
from townlet_core.core import ENGINE
from townlet_core.datasets import build_version, capture, curate
from townlet_core.datasets.versions import read_catalogue
from townlet_core.kernels import source_digest
from townlet_core.policy import Teacher, load_checkpoint
from townlet_core.release.candidate import train_candidate, training_scenarios
from townlet_core.release.workshop import Workshop
from townlet_core.stability import CANDIDATE, TEACHER, Contender, Evaluation, difference, estimate, evaluate
from townlet_core.telemetry.canvas import drawn

ROOT = Path(__file__).resolve().parents[2]
CONFIGS = ROOT / "configs"
DATE = "2026-11-01"
SCENARIO = "ordinary_day"
TOWNS = 64
HELD_OUT_SEED = 20_260
JUDGED = ("return", "survival", "attendance")
CONFIDENCE = 0.95


def dataset(workshop: Workshop) -> str:
    """The id of the folder's dataset version; captures and curates a day of every scenario if there is none."""
    store, rules = workshop.datasets, load_curation(CONFIGS / "curation.yaml")
    known = list(read_catalogue(store))
    if known:
        return known[-1]
    scenarios = [load_scenario(name, CONFIGS) for name in scenario_names(CONFIGS)]
    curated = [curate(capture(one, DATE, store, policy_factory=Teacher), rules, store) for one in scenarios]
    return str(build_version(curated, rules, store)["id"])


def train(seed: int, name: str, version: str, workshop: Workshop) -> dict[str, Any]:
    """Train with one seed, or find that it was done; gives the candidate's curve, folder and seconds of the log."""
    profile = load_training(CONFIGS / "training" / f"{name}.yaml").model_copy(update={"seed": seed})
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
        TEACHER: Contender(source_digest(*ENGINE, "policy"), Teacher),
    }
    return evaluate(contenders, [scenario], towns=TOWNS, days=1, seed=HELD_OUT_SEED)


def told(run: dict[str, Any], evaluation: Evaluation) -> dict[str, Any]:
    """What one seed gave, as plain figures: means, and paired differences with their intervals."""
    figures: dict[str, Any] = {"seed": run["seed"], "stage": run["stage"], "update": run["improvement"]["update"]}
    figures["curve"] = [point["return"] for point in run["improvement"]["curve"]]
    figures["agent_steps"] = run["improvement"]["agent_steps"]
    figures["seconds"] = None if run["reused"] else run["seconds"]
    for kpi in JUDGED:
        ours, theirs = (estimate(evaluation, SCENARIO, who, kpi, CONFIDENCE) for who in (CANDIDATE, TEACHER))
        gap = difference(evaluation, SCENARIO, CANDIDATE, TEACHER, kpi, CONFIDENCE)
        assert ours is not None
        assert theirs is not None
        assert gap is not None
        figures[kpi] = {"ours": ours.mean, "teacher": theirs.mean, "gap": [gap.mean, gap.low, gap.high]}
    return figures


def draw(results: list[dict[str, Any]]) -> bytes:
    """The learning curve as PNG: interquartile mean over seeds of the return while training, and the quartiles."""
    length = min(len(one["curve"]) for one in results)
    curves = np.array([one["curve"][:length] for one in results], float)
    known = ~np.isnan(curves).any(axis=0)
    updates, sorted_curves = np.flatnonzero(known) + 1, np.sort(curves[:, known], axis=0)
    cut = len(results) // 4
    middle = sorted_curves[cut : len(results) - cut].mean(axis=0)
    low, high = np.percentile(sorted_curves, [25, 75], axis=0)

    def paint(_: Any, axes: Any) -> None:
        panel = axes[0][0]
        panel.plot(updates, middle, label=f"interquartile mean of {len(results)} trainings")
        panel.fill_between(updates, low, high, alpha=0.3, label="quartiles")
        teacher = np.mean([one["return"]["teacher"] for one in results])
        panel.axhline(teacher, linestyle="--", color="black", label="teacher, held-out towns of the default town")
        panel.set(xlabel="update", ylabel="return per citizen and day, choices drawn", title="Learning by living")
        panel.legend(loc="best")

    return drawn(1, 1, (8.0, 4.5), paint)


def report(results: list[dict[str, Any]]) -> None:
    """Print every seed's paired differences, and what holds for all of them."""
    print(
        f"{'seed':>6} {'update':>6} {'minutes':>8}  " + "  ".join(f"{kpi + ': ours - teacher':>34}" for kpi in JUDGED)
    )
    for one in results:
        minutes = "found" if one["seconds"] is None else f"{one['seconds'] / 60:.1f}"
        gaps = ("{:+.3f} [{:+.3f}, {:+.3f}]".format(*one[kpi]["gap"]) for kpi in JUDGED)
        print(f"{one['seed']:>6} {one['update']:>6} {minutes:>8}  " + "  ".join(f"{gap:>34}" for gap in gaps))
    won = sum(one["return"]["gap"][1] > 0 for one in results)
    kept = sum(all(one[kpi]["ours"] >= one[kpi]["teacher"] for kpi in JUDGED[1:]) for one in results)
    print(f"{won} of {len(results)} beat the teacher's return (95 % interval above zero, {TOWNS} towns);")
    print(f"{kept} of {len(results)} are at least as good in survival and attendance.")


def main() -> None:
    """Train and judge as many seeds as asked, or tell what is there."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seeds", type=int, default=0, help="trainings; 0 tells what is there")
    parser.add_argument("--profile", default="full", help="a file of configs/training")
    parser.add_argument("--data", type=Path, default=ROOT / "data/benchmarks/learning")
    options = parser.parse_args()
    summary = options.data / f"{options.profile}.json"
    if not options.seeds:
        if not summary.is_file():
            print("learning: nothing was measured yet; run with --seeds 5 (about ten minutes a seed)")
            return
        report(json.loads(summary.read_text()))
        return
    workshop, scenario, results = Workshop(options.data), load_scenario(SCENARIO, CONFIGS), []
    version = dataset(workshop)
    for seed in range(1, options.seeds + 1):
        run = train(seed, options.profile, version, workshop)
        results.append(told(run, judge(run["folder"], scenario)))
        summary.write_text(json.dumps(results))
        report(results)
    (options.data / "learning.png").write_bytes(draw(results))
    print(f"drawn in {options.data / 'learning.png'}")


if __name__ == "__main__":
    main()
