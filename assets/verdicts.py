"""A stage's guarantees as asset checks evaluated in its own step: declared once, shown and enforced by Dagster."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import dagster as dg


class Guarantee(NamedTuple):
    """One thing a stage promises: the name of the check, what it says, and whether it stops the line."""

    name: str
    says: str
    blocking: bool = True


class Finding(NamedTuple):
    """What was found for one guarantee: whether it holds, and the figures behind that."""

    guarantee: Guarantee
    holds: bool
    figures: dict[str, Any]


def specs(key: dg.AssetKey, guarantees: Sequence[Guarantee]) -> list[dg.AssetCheckSpec]:
    """The check specs that an asset declares for its guarantees."""
    return [dg.AssetCheckSpec(g.name, asset=key, description=g.says, blocking=g.blocking) for g in guarantees]


def results(findings: Iterable[Finding]) -> list[dg.AssetCheckResult]:
    """The check results of one materialisation; a guarantee that does not stop the line only warns."""
    return [_result(finding) for finding in findings]


def _result(finding: Finding) -> dg.AssetCheckResult:
    severity = dg.AssetCheckSeverity.ERROR if finding.guarantee.blocking else dg.AssetCheckSeverity.WARN
    return dg.AssetCheckResult(
        check_name=finding.guarantee.name, passed=bool(finding.holds), severity=severity, metadata=finding.figures
    )


def may_go_on(findings: Iterable[Finding]) -> bool:
    """Whether every guarantee that stops the line holds; only then may a stage publish its record."""
    return all(finding.holds for finding in findings if finding.guarantee.blocking)
