"""Promotion: the record of a decision, the refusal to ship without one, and the pointer to the current release."""

from typing import Any

from pydantic import BaseModel, ValidationError

from townlet_core.config import canonical_json
from townlet_core.config.gates import GatePolicy
from townlet_core.datasets.store import Store
from townlet_core.errors import DataError, RefusedError
from townlet_core.files import write_whole
from townlet_core.stability.criteria import FROZEN
from townlet_core.stability.evidence import Evidence
from townlet_core.stability.gates import Decision, decide

DECISION = "promotion/decision.json"
CURRENT_RELEASE = "releases/current.json"
HISTORY = "releases/history.jsonl"


class Release(BaseModel):
    """What the release pointer points at; `bundle` is a path below the data root."""

    model_config = FROZEN
    release_id: str
    policy_digest: str
    content_digest: str
    decision_digest: str
    bundle: str


class HistoryEntry(BaseModel):
    """One event in the life of the release pointer. `facts` are about the run (when, who), never part of a decision."""

    model_config = FROZEN
    sequence: int
    event: str
    release: Release
    previous: str | None
    facts: dict[str, Any]


def write_decision(store: Store, decision: Decision) -> None:
    """Record a decision, replacing the last one in a single step."""
    store.write_record(DECISION, decision.model_dump(mode="json"))


def read_decision(store: Store) -> Decision | None:
    """The recorded decision, or None when none was recorded.

    Raises:
        DataError: The record is damaged.
    """
    if not store.has_record(DECISION):
        return None
    try:
        return Decision.model_validate_json(canonical_json(store.read_record(DECISION)))
    except ValidationError as error:
        raise DataError(f"{store.path(DECISION)}: {_first(error)}; run the promotion step again") from error


def require_promotion(recorded: Decision | None, policy: GatePolicy, evidence: Evidence) -> Decision:
    """Refuse to go on unless the recorded decision promotes exactly what the evidence is about, and is still right.

    Args:
        recorded: What `read_decision` gave.
        policy: The plan as it is in the file now.
        evidence: About what is to be shipped now, read anew.

    Returns:
        The decision, made again from plan and evidence and equal to the recorded one.

    Raises:
        RefusedError: No decision, a decision about something else, one that does not follow from the evidence,
            or one that does not promote; all reasons in one line.
    """
    if recorded is None:
        raise RefusedError("promotion: refused: no decision was recorded; run the promotion step")
    fresh = decide(policy, evidence)
    stale = _stale(recorded, fresh)
    if stale:
        raise RefusedError(f"promotion: refused: {'; '.join(stale)}; run the evaluation and promotion steps again")
    if recorded != fresh:
        raise RefusedError(
            "promotion: refused: the record is not what plan and evidence give; run the promotion step again"
        )
    if fresh.verdict != "PROMOTE":
        raise RefusedError(f"promotion: refused: {fresh.verdict}: {'; '.join(fresh.reasons)}")
    return fresh


def current_release(store: Store) -> Release | None:
    """What the release pointer points at, or None before the first release.

    Raises:
        DataError: The pointer is damaged.
    """
    if not store.has_record(CURRENT_RELEASE):
        return None
    try:
        return Release.model_validate_json(canonical_json(store.read_record(CURRENT_RELEASE)))
    except ValidationError as error:
        raise DataError(f"{store.path(CURRENT_RELEASE)}: {_first(error)}; restore it from {HISTORY}") from error


def history(store: Store) -> tuple[HistoryEntry, ...]:
    """Every event of the release pointer, oldest first.

    Raises:
        DataError: A line is damaged.
    """
    path = store.path(HISTORY)
    if not path.is_file():
        return ()
    entries = []
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        try:
            entries.append(HistoryEntry.model_validate_json(line))
        except ValidationError as error:
            raise DataError(f"{path}:{number}: {_first(error)}; restore the file from a copy") from error
    return tuple(entries)


def champion(store: Store, candidate_digest: str) -> Release | None:
    """The release that a candidate is measured against: the latest one with another policy, or None.

    A candidate that already is the current release is measured against the one that it replaced, so that building the
    same release again rests on the same evidence and gives the same bundle.
    """
    current = current_release(store)
    if current is None or current.policy_digest != candidate_digest:
        return current
    past = [entry.release for entry in history(store)]
    # Lines after the current release's own are of runs that died before the pointer moved: never current, no rivals.
    before = past[: _last(past, current)]
    return next((release for release in reversed(before) if release.policy_digest != candidate_digest), None)


def _last(past: list[Release], release: Release) -> int:
    return max((index for index, one in enumerate(past) if one == release), default=len(past))


def publish(store: Store, release: Release, decision: Decision, facts: dict[str, Any]) -> bool:
    """Point at a release. Safe to repeat: history first, pointer second, each in one step, under a lock.

    Args:
        store: Where the pointer lives.
        release: What to point at.
        decision: The promotion that allows it.
        facts: About this run (when, who), for the history.

    Returns:
        Whether the pointer moved; False when it pointed there already.

    Raises:
        RefusedError: The decision is not a promotion of this policy, or another release came in between.
    """
    with store.exclusive():
        _require_allowed(store, release, decision)
        if current_release(store) == release:
            return False
        _append(store, release, facts)
        store.write_record(CURRENT_RELEASE, release.model_dump(mode="json"))
        return True


def _require_allowed(store: Store, release: Release, decision: Decision) -> None:
    if decision.verdict != "PROMOTE":
        raise RefusedError(f"release {release.release_id}: refused: the decision is {decision.verdict}")
    if (release.policy_digest, release.decision_digest) != (decision.candidate_digest, decision.digest):
        raise RefusedError(f"release {release.release_id}: refused: the decision is about another policy")
    rival = champion(store, release.policy_digest)
    if (rival.policy_digest if rival is not None else None) != decision.baseline_digest:
        raise RefusedError(
            f"release {release.release_id}: refused: the current release is not the one it was judged against; "
            "run the evaluation and promotion steps again"
        )


def _append(store: Store, release: Release, facts: dict[str, Any]) -> None:
    past = history(store)
    if past and past[-1].release == release:
        return  # a run died between history and pointer: the line is there already
    before = current_release(store)
    entry = HistoryEntry(
        sequence=len(past) + 1,
        event="promoted",
        release=release,
        previous=before.release_id if before is not None else None,
        facts=facts,
    )
    path = store.path(HISTORY)
    content = path.read_bytes() if path.is_file() else b""
    write_whole(path, content + canonical_json(entry) + b"\n")


def _stale(recorded: Decision, fresh: Decision) -> list[str]:
    about = {
        "gates_digest": "the plan in the gates file changed since",
        "candidate_digest": "the decision is about another candidate",
        "dataset_id": "the decision is about another dataset",
        "evaluation_digest": "the decision rests on another evaluation",
        "baseline_digest": "the decision compares with another release",
    }
    return [reason for name, reason in about.items() if getattr(recorded, name) != getattr(fresh, name)]


def _first(error: ValidationError) -> str:
    first = error.errors()[0]
    key = ".".join(str(part) for part in first["loc"]) or "document"
    return f"{key}: {first['msg']}"
