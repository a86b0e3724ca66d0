"""The promotion decision: PROMOTE, HOLD or FAIL with reasons, from the plan in `configs/gates.yaml`."""

from pathlib import Path
from typing import Any

import dagster as dg

from assets import datasets, evaluation, training
from assets.code import code_version
from assets.failures import plain_failures
from assets.line import OWNERS, Line
from assets.metadata import facts, table

KEY = dg.AssetKey("promotion_decision")
PROMOTE = "PROMOTE"


@dg.asset(
    key=KEY,
    deps=[evaluation.KEY, training.KEY, datasets.KEY],
    group_name="promotion",
    kinds={"json"},
    owners=OWNERS,
    code_version=code_version("promotion"),
    description="What the plan says of the candidate: one line per criterion with its figure, bound and verdict, and "
    "what would have changed it. It records the digests of the plan, the candidate, the dataset and the evaluation.",
)
def promotion_decision(line: Line) -> dg.MaterializeResult:
    """Decide, and record the decision whatever it is; the check beside this asset stops the line unless it promotes."""
    with plain_failures():
        return _decide(line)


@dg.asset_check(
    asset=KEY,
    name="verdict",
    blocking=True,
    description="The decision is PROMOTE, and it still follows from the plan, the candidate and the evaluation as they "
    "are now. Anything else stops the release here; the bundle asks again for itself.",
)
def verdict(line: Line) -> dg.AssetCheckResult:
    """Ask whether the recorded decision allows a release now."""
    from townlet_core.errors import TownletError
    from townlet_core.release.judging import require_decision

    try:
        decision, _ = require_decision(_gates(line), Path(line.configs), line.workshop)
    except TownletError as error:
        return dg.AssetCheckResult(passed=False, description=str(error), metadata={"why": str(error)})
    return dg.AssetCheckResult(passed=True, metadata={"verdict": decision.verdict, "decision": decision.digest})


def _gates(line: Line) -> Any:
    from townlet_core.config.gates import load_gates

    return load_gates(line.config("gates.yaml"))


def _decide(line: Line) -> dg.MaterializeResult:
    from townlet_core.release.judging import decide_promotion

    decision = decide_promotion(_gates(line), Path(line.configs), line.workshop)
    return dg.MaterializeResult(
        data_version=dg.DataVersion(decision.digest),
        metadata={
            "verdict": decision.verdict,
            "reasons": table(["against it"], [[reason] for reason in decision.reasons] or [["nothing"]]),
            "passed": f"{_passed(decision)} of {len(decision.criteria)} criteria",
            "criteria": table(["criterion", "verdict", "reason", "what would change it"], _criteria(decision)),
            "decision": facts(_digests(decision)),
        },
    )


def _criteria(decision: Any) -> list[tuple[str, ...]]:
    return [(c.name, str(c.verdict), c.reason, c.what_would_change) for c in decision.criteria]


def _passed(decision: Any) -> int:
    return sum(criterion.verdict == "pass" for criterion in decision.criteria)


def _digests(decision: Any) -> dict[str, Any]:
    shown = ("plan", "gates_digest", "candidate_digest", "dataset_id", "evaluation_digest", "baseline_digest")
    return {"digest": decision.digest, **{name: getattr(decision, name) for name in shown}}
