"""The drill before a release: promote and take back, on a copy of the release state."""

from pathlib import Path

import dagster as dg

from assets import golden, promotion
from assets.code import code_version
from assets.failures import plain_failures
from assets.line import OWNERS, Line
from assets.metadata import facts, table
from assets.verdicts import Finding, Guarantee, results, specs

DRILL_KEY = dg.AssetKey("promotion_drill")
UNDOABLE = Guarantee("can_be_undone", "The promotion was made and taken back on a copy, each step as it must go.")


@dg.asset(
    key=DRILL_KEY,
    deps=[promotion.KEY, golden.KEY],
    group_name="promotion",
    kinds={"json"},
    owners=OWNERS,
    code_version=code_version("promotion"),
    check_specs=specs(DRILL_KEY, [UNDOABLE]),
    description="The promotion rehearsed on a copy of the release state: a run dies half-way, the pointer moves, the "
    "bundle to go back to is verified and its policy loaded, the pointer goes back. The bundle asks for this drill.",
)
def promotion_drill(line: Line) -> dg.MaterializeResult:
    """Rehearse the recorded decision, and record how it went."""
    with plain_failures():
        return _drill(line)


def _drill(line: Line) -> dg.MaterializeResult:
    from townlet_core.config import digest
    from townlet_core.config.gates import load_gates
    from townlet_core.release.drill import drill, publish_drill
    from townlet_core.release.judging import require_decision

    decision, _ = require_decision(load_gates(line.config("gates.yaml")), Path(line.configs), line.workshop)
    done = drill(decision, line.workshop)
    publish_drill(done, line.workshop)
    steps = [(step.name, step.expected, step.observed, "yes" if step.holds else "NO") for step in done.steps]
    failed = [step.name for step in done.steps if not step.holds]
    return dg.MaterializeResult(
        data_version=dg.DataVersion(digest(done.to_record())),
        metadata={
            "steps": table(["step", "expected", "observed", "holds"], steps),
            "drill": facts({"back_to": done.back_to, "decision": done.decision_digest}),
        },
        check_results=results([Finding(UNDOABLE, done.holds, {"failed": failed})]),
    )
