"""The gate's own error rates on record: measured once for each plan and its towns, and asked for by every bundle."""

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import pyarrow.parquet as pq
from pydantic import ValidationError

from townlet_core.config import Scenario
from townlet_core.config.gates import GatePolicy
from townlet_core.core import ENGINE
from townlet_core.datasets.derivations import derive
from townlet_core.datasets.store import Record
from townlet_core.errors import DataError, RefusedError
from townlet_core.kernels import source_digest
from townlet_core.release.planned import planned_scenarios, scenario_digests
from townlet_core.release.workshop import Workshop, stored_bytes
from townlet_core.stability import scripted_teacher
from townlet_core.stability.calibration import (
    Basis,
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
    scenarios = planned_scenarios(gates, configs)
    pool = _pool(scenarios, gates, workshop, progress)
    basis = _basis(scenarios)

    def build() -> Record:
        table = pq.read_table(BytesIO(stored_bytes(workshop.artifacts, pool)))
        found = measure(pool_of(table), gates, basis, _told("trials", progress))
        name = workshop.artifacts.put_bytes(found.to_json(), JSON) + JSON
        return {"calibration": name, "digest": found.digest, "pool": pool}

    inputs = {"plan": calibrated_plan(gates), "pool": pool, "basis": basis.model_dump()}
    derived = derive(workshop.artifacts, "calibration", inputs, build, code=source_digest("config", "stability"))
    calibration = _load(derived.record, workshop)
    return Calibrated(calibration, promises(calibration, gates.calibration), derived.record, derived.reused)


def require_calibration(gates: GatePolicy, configs: Path, workshop: Workshop) -> Calibration:
    """The calibration that was published last, if it is about this plan and today's engine, teacher and scenarios.

    Raises:
        RefusedError: there is none, or it is about something else; the line says what.
        DataError: it is damaged.
    """
    remedy = "materialise gate_calibration, or run `townlet promote calibrate`"
    if not workshop.has("calibration"):
        raise RefusedError(f"calibration: the gate's error rates were not measured; {remedy}")
    found = _load(workshop.latest("calibration"), workshop)
    others = _others(found, calibrated_plan(gates), _basis(planned_scenarios(gates, configs)))
    if others:
        raise RefusedError(f"calibration: the gate's error rates are those of another {', '.join(others)}; {remedy}")
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


def _basis(scenarios: list[Scenario]) -> Basis:
    teacher = scripted_teacher().digest
    return Basis(engine=source_digest(*ENGINE), teacher=teacher, scenarios=scenario_digests(scenarios))


def _others(found: Calibration, plan: str, basis: Basis) -> list[str]:
    """What a calibration is about that is not what it should be about."""
    lived, now = found.basis.scenarios, basis.scenarios
    about = {
        "plan": found.plan == plan,
        "engine": found.basis.engine == basis.engine,
        "teacher": found.basis.teacher == basis.teacher,
        **{f"scenario {name}": lived.get(name) == now.get(name) for name in sorted(lived.keys() | now.keys())},
    }
    return [name for name, holds in about.items() if not holds]


def _pool(scenarios: list[Scenario], gates: GatePolicy, workshop: Workshop, progress: Progress | None) -> str:
    rules, comparison = gates.calibration, gates.comparison
    inputs = {
        "scenarios": scenario_digests(scenarios),
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
