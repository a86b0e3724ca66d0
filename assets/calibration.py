"""The gate's own error rates: policies of known quality go through the gate, and its verdicts are counted."""

from pathlib import Path

import dagster as dg

from assets.code import code_version
from assets.failures import plain_failures
from assets.line import OWNERS, Line
from assets.metadata import facts, table
from assets.verdicts import Finding, Guarantee, results, specs

KEY = dg.AssetKey("gate_calibration")
KEPT = [
    Guarantee("refuses_the_careless", "A policy with random actions is refused as often as the plan says.", False),
    Guarantee("no_equal_is_better", "An identical policy is seldom enough promoted as better.", False),
    Guarantee("no_lucky_equal_is_better", "An equally good policy is seldom enough promoted as better.", False),
    Guarantee("promotes_the_better", "A truly better policy is promoted as often as the plan says.", False),
]


@dg.asset(
    key=KEY,
    group_name="promotion",
    kinds={"numba", "json"},
    owners=OWNERS,
    code_version=code_version("evaluation"),
    check_specs=specs(KEY, KEPT),
    description="How often the gate promotes a policy that is equal, worse or better by a known amount: they live in "
    "real towns once, and trials drawn from those towns go through the gate itself. Measured once for each plan, "
    "engine and scenarios; the table goes into every bundle.",
)
def gate_calibration(line: Line) -> dg.MaterializeResult:
    """Measure the gate's error rates, or take those that the same plan, scenarios and engine gave before."""
    with plain_failures():
        return _calibrate(line)


def _calibrate(line: Line) -> dg.MaterializeResult:
    from townlet_core.config.gates import load_gates
    from townlet_core.release.calibrating import (
        PROMISES_HEADER,
        RATES_HEADER,
        calibrate_gate,
        promise_rows,
        rates_rows,
    )

    found = calibrate_gate(Path(line.configs), load_gates(line.config("gates.yaml")), line.workshop)
    line.workshop.publish("calibration", found.record)
    findings = [
        Finding(guarantee, promise.holds, {"measured": promise.share[0], "target": promise.target})
        for guarantee, promise in zip(KEPT, found.promises, strict=True)
    ]
    calibration = found.calibration
    return dg.MaterializeResult(
        data_version=dg.DataVersion(calibration.digest),
        metadata={
            "reused": found.reused,
            "promises": table(PROMISES_HEADER, promise_rows(found.promises)),
            "rates": table(RATES_HEADER, rates_rows(calibration)),
            "calibration": facts({"digest": calibration.digest, "plan": calibration.plan, "towns": calibration.towns}),
        },
        check_results=results(findings),
    )
