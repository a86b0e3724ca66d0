"""`townlet promote evaluate` and `calibrate`: judge the candidate by the plan, and measure how often the plan errs."""

from typing import Annotated

import typer

from townlet_core.cli.options import CONFIGS, DATA, AsJson, Configs, Data
from townlet_core.cli.output import print_json, print_table, progress_bar
from townlet_core.config.gates import load_gates
from townlet_core.release.calibrating import (
    PROMISES_HEADER,
    RATES_HEADER,
    Calibrated,
    calibrate_gate,
    promise_rows,
    rates_rows,
)
from townlet_core.release.candidate import read_candidate
from townlet_core.release.judging import decide_promotion, evaluate_candidate, gather_evidence
from townlet_core.release.workshop import Workshop
from townlet_core.stability import Decision, decide

EXITS = {"PROMOTE": 0, "HOLD": 1, "FAIL": 2}
EVALUATE = "Example: townlet promote evaluate --json. Exit code 0: PROMOTE; 1: HOLD; 2: FAIL, or bad input."
CALIBRATE = "Example: townlet promote calibrate. Exit code 0: every target of the plan is met; 1: one is not."

DryRun = Annotated[bool, typer.Option(help="Judge what was evaluated before, and record nothing.")]


def evaluate_promotion(
    dry_run: DryRun = False, as_json: AsJson = False, configs: Configs = CONFIGS, data: Data = DATA
) -> None:
    """Let the published candidate live in the towns of the plan, judge it by the plan, and record the decision."""
    gates, workshop = load_gates(configs / "gates.yaml"), Workshop(data)
    if dry_run:
        decision = decide(gates, gather_evidence(gates, configs, workshop))
    else:
        with progress_bar("evaluate", quiet=as_json) as advance:
            judged = evaluate_candidate(read_candidate(workshop), configs, gates, workshop, advance)
        workshop.publish("evaluation", judged.record)
        decision = decide_promotion(gates, configs, workshop)
    if as_json:
        print_json({"verdict": decision.verdict, "digest": decision.digest, **decision.model_dump(mode="json")})
    else:
        _tell(decision)
    raise typer.Exit(EXITS[decision.verdict])


def calibrate(as_json: AsJson = False, configs: Configs = CONFIGS, data: Data = DATA) -> None:
    """Measure how often the gate promotes an equal, a worse and a better policy, and hold that against the plan."""
    gates, workshop = load_gates(configs / "gates.yaml"), Workshop(data)
    with progress_bar("calibrate", quiet=as_json) as advance:
        found = calibrate_gate(configs, gates, workshop, lambda what, done, total: advance(done, total))
    workshop.publish("calibration", found.record)
    met = all(promise.holds for promise in found.promises)
    if as_json:
        print_json(_document(found))
    else:
        print_table("error rates of the gate", RATES_HEADER, rates_rows(found.calibration))
        print_table("what the plan promises", PROMISES_HEADER, promise_rows(found.promises))
    raise typer.Exit(0 if met else 1)


def _tell(decision: Decision) -> None:
    for one in sorted(decision.criteria, key=lambda criterion: criterion.verdict.severity):
        print(f"{one.verdict:<4}  {one.name}: {one.reason}; would change with {one.what_would_change}")
    print(f"{decision.verdict} of {decision.candidate_digest[:12]} by plan {decision.plan}")


def _document(found: Calibrated) -> dict[str, object]:
    kept = [promise._asdict() for promise in found.promises]
    return {"digest": found.calibration.digest, **found.calibration.model_dump(mode="json"), "promises": kept}
