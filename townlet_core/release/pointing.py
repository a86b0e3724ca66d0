"""Moving the release pointer: only to a whole bundle whose promotion still stands."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from townlet_core.config.gates import load_gates
from townlet_core.errors import DataError, RefusedError
from townlet_core.release.candidate import read_candidate
from townlet_core.release.golden import require_golden
from townlet_core.release.judging import require_decision
from townlet_core.release.verify import require_verified
from townlet_core.release.workshop import Workshop
from townlet_core.stability import Release, history, publish
from townlet_core.stability.pointer import Check


class Pointed(NamedTuple):
    """Where the pointer is now, whether it moved, and its history as rows (number, event, release, previous)."""

    release: Release
    moved: bool
    history: list[tuple[int, str, str, str | None]]


def point_at(record: Mapping[str, str], configs: Path, workshop: Workshop, facts: Mapping[str, Any]) -> Pointed:
    """Make a bundle the current release; doing it twice changes nothing.

    Args:
        record: what the bundle stage published: `bundle`, `content_digest`, `decision_digest`, `policy_digest`.
        configs: where the plan is.
        workshop: where bundles and pointer are.
        facts: about this run, for the history.

    Raises:
        RefusedError: the promotion or its golden rollouts do not stand any more, or it is about another bundle.
        DataError: the bundle is not whole, or not the one that was published.
    """
    decision, _ = require_decision(load_gates(configs / "gates.yaml"), configs, workshop)
    if decision.digest != record["decision_digest"]:
        raise RefusedError("release: the bundle was built on another decision; materialise release_bundle again")
    require_golden(read_candidate(workshop), configs, workshop)
    verified = require_verified(workshop.data / record["bundle"])
    if verified.content_digest != record["content_digest"]:
        raise DataError(f"{verified.bundle}: is not the bundle that was built; materialise release_bundle again")
    release = Release(release_id=Path(record["bundle"]).name, **record)
    moved = publish(workshop.state, release, decision, dict(facts))
    return Pointed(release, moved, history_rows(workshop))


def history_rows(workshop: Workshop) -> list[tuple[int, str, str, str | None]]:
    """The history of the release pointer as rows (number, event, release, previous), oldest first."""
    return [(e.sequence, str(e.event), e.release.release_id, e.previous) for e in history(workshop.state)]


def whole_bundle(workshop: Workshop) -> Check:
    """A check that a release's bundle is there, whole, and the one that the history names.

    The check raises DataError when it is not.
    """

    def check(release: Release) -> None:
        verified = require_verified(workshop.data / release.bundle)
        if verified.content_digest != release.content_digest:
            raise DataError(f"{verified.bundle}: is not the bundle of {release.release_id}; restore it from a copy")

    return check
