"""The drill: promote the candidate and take it back again, on a copy of the release state, before anything is real.

A release that cannot be undone is no release. The drill moves the pointer of a copy forward and back, lets a run die
between history and pointer, and looks at the bundle that one would have to go back to: is it whole, and can its policy
still be loaded? It costs a fraction of a second and leaves nothing behind.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from townlet_core.datasets.store import Record, Store
from townlet_core.errors import DataError, RefusedError, TownletError
from townlet_core.policy.checkpoint import load_checkpoint
from townlet_core.release.manifest import CONTENT
from townlet_core.release.pointing import whole_bundle
from townlet_core.release.workshop import Workshop
from townlet_core.stability import Decision, Release, champion, current_release, history, publish, roll_back
from townlet_core.stability.pointer import PROMOTED, point, releases_before, write_line

STAGE = "drill"
NO_BUNDLE = "0" * 64
"""Stands for the content digest of a bundle that is not built yet."""


class DrillStep(NamedTuple):
    """One step of a drill: what was done, what had to come of it, and what came."""

    name: str
    expected: str
    observed: str

    @property
    def holds(self) -> bool:
        """Whether what came is what had to come."""
        return self.observed == self.expected


class Drill(NamedTuple):
    """A drill for one decision: `back_to` is the release that a rollback would bring back, None before the first."""

    decision_digest: str
    candidate_digest: str
    back_to: str | None
    steps: tuple[DrillStep, ...]

    @property
    def holds(self) -> bool:
        """Whether every step did what it had to."""
        return all(step.holds for step in self.steps)

    def to_record(self) -> Record:
        """The drill as plain data; the same decision and releases give the same bytes."""
        steps = [{**step._asdict(), "holds": step.holds} for step in self.steps]
        return {**self._asdict(), "steps": steps, "holds": self.holds}


def drill(decision: Decision, workshop: Workshop) -> Drill:
    """Rehearse the promotion of a decision and its rollback on a copy of the release state.

    Args:
        decision: A promotion.
        workshop: Where the real state and the bundles are; nothing there is changed.

    Raises:
        RefusedError: The decision is no promotion, so there is nothing to rehearse.
    """
    if decision.verdict != "PROMOTE":
        raise RefusedError(f"drill: the decision is {decision.verdict}; there is nothing to rehearse")
    before = champion(workshop.state, decision.candidate_digest)
    with _copy_of_state(workshop, decision.candidate_digest) as state:
        steps = tuple(_rehearse(decision, state, workshop, before))
    back_to = before.release_id if before is not None else None
    return Drill(decision.digest, decision.candidate_digest, back_to, steps)


def publish_drill(done: Drill, workshop: Workshop) -> None:
    """Record a drill; a bundle asks for it."""
    workshop.publish(STAGE, done.to_record())


def require_drill(decision: Decision, workshop: Workshop) -> Record:
    """The recorded drill of exactly this decision.

    Raises:
        RefusedError: There is none, it is about another decision, or a step of it did not hold.
    """
    if not workshop.has(STAGE):
        raise RefusedError("drill: no drill was recorded; materialise promotion_drill")
    record = workshop.latest(STAGE)
    if record.get("decision_digest") != decision.digest:
        raise RefusedError("drill: is about another decision; materialise promotion_drill again")
    failed = [step["name"] for step in record["steps"] if not step["holds"]]
    if failed:
        raise RefusedError(f"drill: {'; '.join(failed)}: did not go as it must; see promotion_drill")
    return record


@contextmanager
def _copy_of_state(workshop: Workshop, candidate: str) -> Iterator[Store]:
    """A state in which the candidate has not been released, with the pointer and history of the releases before it."""
    with TemporaryDirectory(prefix="townlet-drill-") as folder:
        state = Store(Path(folder))
        for release in releases_before(workshop.state, candidate):
            point(state, release, PROMOTED, {})
        yield state


def _rehearse(decision: Decision, state: Store, workshop: Workshop, before: Release | None) -> Iterator[DrillStep]:
    release = Release(
        release_id="drill",
        policy_digest=decision.candidate_digest,
        content_digest=NO_BUNDLE,
        decision_digest=decision.digest,
        bundle="releases/drill",
    )
    old = before.release_id if before is not None else "none"
    yield DrillStep("a run dies before the pointer moves", old, _died(state, release))
    yield DrillStep("the promotion is repeated", "drill", _now(state, lambda: publish(state, release, decision, {})))
    yield DrillStep("the promotion is repeated again", "one line", _lines(state, release, decision))
    if before is None:
        refusal = "promotion: drill is the first release; there is none to roll back to"
        yield DrillStep("there is nothing to roll back to", refusal, _now(state, lambda: _back(state, workshop)))
        return
    yield DrillStep("the bundle to go back to can be used", "whole, its policy loads", _usable(workshop, before))
    yield DrillStep("it is rolled back", old, _now(state, lambda: _back(state, workshop)))
    yield DrillStep("it is rolled back again", old, _now(state, lambda: _back(state, workshop)))
    yield DrillStep("it is not promoted again by itself", "refused", _refused(state, release, decision))


def _back(state: Store, workshop: Workshop) -> None:
    roll_back(state, whole_bundle(workshop), {"reason": "drill"})


def _now(state: Store, act: Callable[[], Any]) -> str:
    """Do something and say which release is current then, or why it was refused."""
    try:
        act()
    except TownletError as error:
        return str(error)
    return _current(state)


def _current(state: Store) -> str:
    release = current_release(state)
    return release.release_id if release is not None else "none"


def _died(state: Store, release: Release) -> str:
    """Do the first half of a promotion, as a run does that dies before the second, and say what is current."""
    write_line(state, release, PROMOTED, {})
    return _current(state)


def _lines(state: Store, release: Release, decision: Decision) -> str:
    moved = publish(state, release, decision, {})
    told = sum(entry.release == release for entry in history(state))
    return "one line" if told == 1 and not moved else f"{told} lines"


def _usable(workshop: Workshop, before: Release) -> str:
    try:
        whole_bundle(workshop)(before)
        load_checkpoint(workshop.data / before.bundle / CONTENT / "policy")
    except DataError as error:
        return str(error)
    return "whole, its policy loads"


def _refused(state: Store, release: Release, decision: Decision) -> str:
    try:
        publish(state, release, decision, {})
    except RefusedError:
        return "refused"
    return _current(state)
