"""The gate's own error rates on record: measured once for each plan and engine, and asked for by every bundle."""

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import pyarrow.parquet as pq
from pydantic import ValidationError

from townlet_core.config import Scenario, config_digest, load_scenario
from townlet_core.config.gates import GatePolicy
from townlet_core.core import ENGINE
from townlet_core.datasets.derivations import derive
from townlet_core.datasets.store import Record
from townlet_core.errors import DataError, RefusedError
from townlet_core.kernels import source_digest
from townlet_core.release.workshop import Workshop, stored_bytes
from townlet_core.stability.calibration import (
    Calibration,
    Promise,
    calibrated_plan,
    live_in_pool,
    measure,
    pool_of,
    promises,
)

JSON, PARQUET = ".json", ".parquet"
RATES_HEADER = ("case", "asked for", "promoted", "95 % interval", "held", "failed", "towns of a scenario")
PROMISES_HEADER = ("the gate promises", "measured", "95 % interval", "target", "holds")

Progress = Callable[[str, int, int], None]
"""Called with what is done now, how much of it is done, and how much there is of it."""


@dataclass(frozen=True)
class Calibrated:
    """A calibration on record, the targets it was held to, and whether it was found or measured."""

    calibration: Calibration
    promises: tuple[Promise, ...]
    record: Record
    reused: bool


def calibrate_gate(
    configs: Path, gates: GatePolicy, workshop: Workshop, progress: Progress | None = None
) -> Calibrated:
    """Measure how often the gate errs, or find what the same plan, scenarios and code gave before.

    The towns that policies of known quality lived in are kept, so that another margin only needs new trials.

    Raises:
        ConfigError: the plan names a scenario that there is none of.
    """
    scenarios = [load_scenario(name, configs) for name in sorted(gates.comparison.scenarios)]
    pool = _pool(scenarios, gates, workshop, progress)
    engine = source_digest(*ENGINE)

    def build() -> Record:
        table = pq.read_table(BytesIO(stored_bytes(workshop.artifacts, pool)))
        found = measure(pool_of(table), gates, engine, _told("trials", progress))
        name = workshop.artifacts.put_bytes(found.to_json(), JSON) + JSON
        return {"calibration": name, "digest": found.digest, "pool": pool}

    inputs = {"plan": calibrated_plan(gates), "pool": pool}
    derived = derive(workshop.artifacts, "calibration", inputs, build, code=source_digest("config", "stability"))
    calibration = _load(derived.record, workshop)
    return Calibrated(calibration, promises(calibration, gates.calibration), derived.record, derived.reused)


def require_calibration(gates: GatePolicy, workshop: Workshop) -> Calibration:
    """The calibration that was published last, if it is about this plan and today's engine.

    Raises:
        RefusedError: there is none, or it is about another plan or engine.
        DataError: it is damaged.
    """
    remedy = "materialise gate_calibration, or run `townlet promote calibrate`"
    if not workshop.has("calibration"):
        raise RefusedError(f"calibration: the gate's error rates were not measured; {remedy}")
    found = _load(workshop.latest("calibration"), workshop)
    if (found.plan, found.engine) != (calibrated_plan(gates), source_digest(*ENGINE)):
        raise RefusedError(f"calibration: the gate's error rates are those of another plan or engine; {remedy}")
    return found


def rates_rows(calibration: Calibration) -> list[tuple[str, ...]]:
    """The measured rates as rows below `RATES_HEADER`."""
    rows: list[tuple[str, ...]] = []
    for one in calibration.rates:
        share, low, high = one.promoted_share
        asked = "better" if one.mode == "better" else "no worse"
        held, failed = (f"{count / one.trials:.1%}" for count in (one.held, one.failed))
        rows.append((one.case, asked, f"{share:.1%}", f"{low:.1%} to {high:.1%}", held, failed, f"{one.towns:.0f}"))
    return rows


def promise_rows(kept: tuple[Promise, ...]) -> list[tuple[str, ...]]:
    """The targets and what was measured as rows below `PROMISES_HEADER`."""
    return [
        (p.told, f"{p.share[0]:.1%}", f"{p.share[1]:.1%} to {p.share[2]:.1%}", p.target, "yes" if p.holds else "no")
        for p in kept
    ]


def _pool(scenarios: list[Scenario], gates: GatePolicy, workshop: Workshop, progress: Progress | None) -> str:
    rules, comparison = gates.calibration, gates.comparison
    inputs = {
        "scenarios": {scenario.name: config_digest(scenario.config) for scenario in scenarios},
        "days": comparison.days,
        "canaries": comparison.canaries.model_dump(mode="json")["rules"] if comparison.canaries else None,
        **{name: rules.model_dump(mode="json")[name] for name in ("seed", "towns", "noise", "replace")},
    }

    def build() -> Record:
        content = BytesIO()
        lived = live_in_pool(scenarios, gates, _told("towns", progress)).combine_chunks()
        pq.write_table(lived, content, compression="zstd")
        return {"pool": workshop.artifacts.put_bytes(content.getvalue(), PARQUET) + PARQUET}

    code = source_digest(*ENGINE, "policy", "stability")
    return str(derive(workshop.artifacts, "calibration_pool", inputs, build, code=code).record["pool"])


def _told(what: str, progress: Progress | None) -> Callable[[int, int], None] | None:
    return None if progress is None else lambda done, total: progress(what, done, total)


def _load(record: Record, workshop: Workshop) -> Calibration:
    name = str(record["calibration"])
    try:
        return Calibration.model_validate_json(stored_bytes(workshop.artifacts, name))
    except ValidationError as error:
        raise DataError(f"{name}: {error.errors()[0]['msg']}; run `townlet promote calibrate` again") from error
