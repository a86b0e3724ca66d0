"""Where a promotion stands: monitoring, ready, promoted or rolled back, and why."""

from pathlib import Path
from typing import Literal, NamedTuple

from townlet_core.config.gates import load_gates
from townlet_core.errors import DataError, RefusedError
from townlet_core.release.candidate import read_candidate
from townlet_core.release.golden import require_golden
from townlet_core.release.judging import require_decision
from townlet_core.release.workshop import Workshop
from townlet_core.stability import Release, current_release, effective_history, read_decision, withdrawn
from townlet_core.stability.pointer import ROLLED_BACK

State = Literal["monitoring", "ready", "promoted", "rolled_back"]


class Standing(NamedTuple):
    """Where the candidate that was published last stands.

    Attributes:
        state: `monitoring` while nothing may be released; `ready` when a promotion stands and waits to be applied;
            `promoted` when the current release has the candidate's policy; `rolled_back` when the release before it was
            brought back.
        candidate: Digest of the candidate's policy; None before there is one.
        verdict: The recorded decision about it; None when none was recorded about exactly this candidate.
        current: The current release, or None.
        why: What keeps it where it is, or what to do next, in one line.
    """

    state: State
    candidate: str | None
    verdict: str | None
    current: Release | None
    why: str


def standing(configs: Path, workshop: Workshop) -> Standing:
    """Say where the promotion stands, from the records alone; nothing is changed.

    Raises:
        DataError: A record is damaged.
    """
    current = current_release(workshop.state)
    candidate = str(workshop.latest("candidate")["digest"]) if workshop.has("candidate") else None
    decision = read_decision(workshop.state)
    verdict = decision.verdict if decision is not None and decision.candidate_digest == candidate else None
    state, why = _state(configs, workshop, candidate, current)
    return Standing(state, candidate, verdict, current, why)


def _state(configs: Path, workshop: Workshop, candidate: str | None, current: Release | None) -> tuple[State, str]:
    past = effective_history(workshop.state)
    if candidate is not None and (gone := withdrawn(past).get(candidate)) is not None:
        return "rolled_back", f"{gone.previous} was rolled back: {gone.facts.get('reason') or 'no reason was given'}"
    if current is not None and current.policy_digest == candidate:
        back = bool(past) and past[-1].event == ROLLED_BACK
        return "promoted", f"{current.release_id} is current" + (", by a rollback" if back else "")
    try:
        require_decision(load_gates(configs / "gates.yaml"), configs, workshop)
        require_golden(read_candidate(workshop), configs, workshop)
    except (RefusedError, DataError) as error:
        return "monitoring", str(error)
    return "ready", _next(workshop, candidate)


def _next(workshop: Workshop, candidate: str | None) -> str:
    built = workshop.has("bundle") and workshop.latest("bundle")["policy_digest"] == candidate
    return "apply it with `townlet promote apply`" if built else "materialise release_bundle, then apply it"
