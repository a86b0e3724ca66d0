"""Promotion: the record of a decision, and the refusal to ship without one."""

from typing import Any

from townlet_core.config.gates import GatePolicy
from townlet_core.datasets.store import Store
from townlet_core.errors import RefusedError
from townlet_core.stability.evidence import Evidence
from townlet_core.stability.gates import Decision, decide
from townlet_core.stability.pointer import (
    HISTORY,
    PROMOTED,
    Release,
    champion,
    effective_history,
    point,
    withdrawn,
)
from townlet_core.stability.records import read_recorded

DECISION = "promotion/decision.json"


def write_decision(store: Store, decision: Decision) -> None:
    """Record a decision, replacing the last one in a single step."""
    store.write_record(DECISION, decision.model_dump(mode="json"))


def read_decision(store: Store) -> Decision | None:
    """The recorded decision, or None when none was recorded.

    Raises:
        DataError: The record is damaged.
    """
    return read_recorded(store, DECISION, Decision, "run the promotion step again")


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
            or one that does not promote, with the worst of its reasons in one line.
    """
    if recorded is None:
        raise RefusedError("promotion: refused: no decision was recorded; run the promotion step")
    fresh = decide(policy, evidence)
    stale = _stale(recorded, fresh)
    if stale:
        raise RefusedError(f"promotion: refused: {'; '.join(stale)}; run the evaluation and promotion steps again")
    if recorded != fresh:
        told = "; ".join(filter(None, ("the record is not what plan and evidence give", fresh.brief())))
        raise RefusedError(f"promotion: refused: {told}; run the evaluation and promotion steps again")
    if fresh.verdict != "PROMOTE":
        raise RefusedError(f"promotion: refused: {fresh.verdict}: {fresh.brief()}")
    return fresh


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
        RefusedError: The decision is not a promotion of this policy, another release came in between, or the policy
            was rolled back and not brought in again by hand.
    """
    with store.exclusive():
        _require_allowed(store, release, decision)
        return point(store, release, PROMOTED, facts)


def _require_allowed(store: Store, release: Release, decision: Decision) -> None:
    if decision.verdict != "PROMOTE":
        raise RefusedError(f"release {release.release_id}: refused: the decision is {decision.verdict}")
    if (release.policy_digest, release.decision_digest) != (decision.candidate_digest, decision.digest):
        raise RefusedError(f"release {release.release_id}: refused: the decision is about another policy")
    gone = withdrawn(effective_history(store)).get(release.policy_digest)
    if gone is not None:
        raise RefusedError(
            f"release {release.release_id}: refused: its policy was rolled back (event {gone.sequence} of {HISTORY}); "
            f"release another candidate, or bring it back with `townlet promote swap {gone.previous}`"
        )
    rival = champion(store, release.policy_digest)
    if (rival.policy_digest if rival is not None else None) != decision.baseline_digest:
        raise RefusedError(
            f"release {release.release_id}: refused: the current release is not the one it was judged against; "
            "run the evaluation and promotion steps again"
        )


def _stale(recorded: Decision, fresh: Decision) -> list[str]:
    about = {
        "gates_digest": "the plan in the gates file changed since",
        "candidate_digest": "the decision is about another candidate",
        "dataset_id": "the decision is about another dataset",
        "evaluation_digest": "the decision rests on another evaluation",
        "baseline_digest": "the decision compares with another release",
    }
    return [reason for name, reason in about.items() if getattr(recorded, name) != getattr(fresh, name)]
