"""The release pointer goes forward and back, each way once, and its history cannot be rewritten."""

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from tests.core.stability.conftest import sound_evidence
from townlet_core.config.gates import GatePolicy
from townlet_core.datasets import Store
from townlet_core.errors import DataError, InputError, RefusedError
from townlet_core.stability import (
    Decision,
    Release,
    champion,
    current_release,
    decide,
    effective_history,
    history,
    publish,
    roll_back,
    swap,
)
from townlet_core.stability.pointer import CURRENT_RELEASE, HISTORY, write_line

A, B, C = "a" * 64, "b" * 64, "c" * 64


def whole(_: Release) -> None:
    """Find nothing wrong with any bundle."""


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


class Line:
    """A line that releases one policy after another."""

    def __init__(self, plan: GatePolicy, store: Store) -> None:
        self.honest, self.store = decide(plan, sound_evidence()), store

    def decision(self, policy: str) -> Decision:
        rival = champion(self.store, policy)
        digest = rival.policy_digest if rival is not None else None
        return self.honest.model_copy(update={"candidate_digest": policy, "baseline_digest": digest})

    def release(self, policy: str) -> Release:
        """The release of a policy; publishes it unless it is current."""
        decision = self.decision(policy)
        made = Release(
            release_id=f"r-{policy[0]}",
            policy_digest=policy,
            content_digest=policy,
            decision_digest=decision.digest,
            bundle=f"releases/r-{policy[0]}",
        )
        publish(self.store, made, decision, {})
        return made


@pytest.fixture
def line(plan: GatePolicy, store: Store) -> Line:
    return Line(plan, store)


def events(store: Store) -> list[tuple[str, str, str | None]]:
    return [(one.event, one.release.release_id, one.previous) for one in history(store)]


def test_a_rollback_brings_back_what_was_replaced_and_is_done_once(line: Line, store: Store) -> None:
    first, _ = line.release(A), line.release(B)
    assert roll_back(store, whole, {"reason": "queues"}) == (first, True)
    assert roll_back(store, whole, {}) == (first, False)
    assert current_release(store) == first
    assert events(store)[-1] == ("rolled_back", "r-a", "r-b")
    assert history(store)[-1].facts == {"reason": "queues"}


def test_to_go_further_back_one_names_the_release(line: Line, store: Store) -> None:
    first = line.release(A)
    line.release(B)
    line.release(C)
    roll_back(store, whole, {})
    assert roll_back(store, whole, {}, to="r-a") == (first, True)
    assert roll_back(store, whole, {}, to="r-a") == (first, False)


def test_the_first_release_has_nothing_behind_it(line: Line, store: Store) -> None:
    with pytest.raises(RefusedError, match="no release to roll back"):
        roll_back(store, whole, {})
    line.release(A)
    with pytest.raises(RefusedError, match="r-a is the first release"):
        roll_back(store, whole, {})


def test_what_was_rolled_back_is_not_promoted_again_until_somebody_brings_it_back(line: Line, store: Store) -> None:
    line.release(A)
    second = line.release(B)
    roll_back(store, whole, {})
    with pytest.raises(RefusedError, match=r"was rolled back \(event 3 .*townlet promote swap r-b"):
        line.release(B)
    assert swap(store, "r-b", whole, {}) == (second, True)
    assert swap(store, "r-b", whole, {}) == (second, False)
    assert line.release(B) == current_release(store)


def test_after_a_rollback_another_candidate_is_judged_against_the_release_that_is_back(
    line: Line, store: Store
) -> None:
    first = line.release(A)
    line.release(B)
    roll_back(store, whole, {})
    assert champion(store, A) is None
    assert champion(store, B) == first
    assert champion(store, C) == first
    assert line.release(C) == current_release(store)
    assert events(store)[-1] == ("promoted", "r-c", "r-a")


def test_only_a_release_that_was_current_can_be_named(line: Line, store: Store) -> None:
    line.release(A)
    line.release(B)
    for name, told in (("r-x", "no release of this name; known: r-a, r-b"), ("r-", "more than one")):
        with pytest.raises(InputError, match=told):
            swap(store, name, whole, {})


def test_nothing_points_at_a_bundle_that_is_not_whole(line: Line, store: Store) -> None:
    line.release(A)
    second = line.release(B)

    def damaged(release: Release) -> None:
        raise DataError(f"{release.bundle}: a file is missing")

    for attempt in (lambda: roll_back(store, damaged, {}), lambda: swap(store, "r-a", damaged, {})):
        with pytest.raises(DataError, match="releases/r-a: a file is missing"):
            attempt()
    assert current_release(store) == second
    assert len(history(store)) == 2


def test_a_rollback_that_died_half_way_left_the_old_release_and_can_be_repeated(
    line: Line, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = line.release(A), line.release(B)
    monkeypatch.setattr(Store, "write_record", lambda *_: None)
    roll_back(store, whole, {})
    monkeypatch.undo()
    assert current_release(store) == second
    assert [one.release.release_id for one in effective_history(store)] == ["r-a", "r-b"]
    assert roll_back(store, whole, {}) == (first, True)
    assert len(history(store)) == 3


def test_a_rollback_that_died_half_way_may_also_be_left_alone(
    line: Line, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    line.release(A)
    line.release(B)
    monkeypatch.setattr(Store, "write_record", lambda *_: None)
    roll_back(store, whole, {})
    monkeypatch.undo()
    line.release(C)
    assert [one.event for one in history(store)] == ["promoted", "promoted", "rolled_back", "promoted"]
    assert [one.release.release_id for one in effective_history(store)] == ["r-a", "r-b", "r-c"]
    assert champion(store, C) is not None


def without_the_first(lines: list[bytes]) -> list[bytes]:
    return lines[1:]


def with_another_name(lines: list[bytes]) -> list[bytes]:
    return [lines[0].replace(b"r-a", b"r-z"), *lines[1:]]


def with_another_reason(lines: list[bytes]) -> list[bytes]:
    return [*lines[:-1], lines[-1].replace(b'"facts":{}', b'"facts":{"reason":"none"}')]


def without_the_last(lines: list[bytes]) -> list[bytes]:
    return lines[:-1]


FOLLOWS = r"history\.jsonl:\d: does not follow the line before it"
MADE_CURRENT = r"history\.jsonl: the line by which r-b became current is missing or changed"


@pytest.mark.parametrize(
    ("rewrite", "told"),
    [
        (without_the_first, FOLLOWS),
        (with_another_name, FOLLOWS),
        (with_another_reason, MADE_CURRENT),
        (without_the_last, MADE_CURRENT),
        (None, MADE_CURRENT),
    ],
    ids=["first line gone", "first line changed", "last line changed", "last line gone", "file gone"],
)
def test_a_history_that_was_rewritten_is_refused(
    line: Line, store: Store, rewrite: Callable[[list[bytes]], list[bytes]] | None, told: str
) -> None:
    line.release(A)
    line.release(B)
    path = store.path(HISTORY)
    lines = path.read_bytes().splitlines()
    path.unlink()
    if rewrite is not None:
        assert rewrite(lines) != lines
        path.write_bytes(b"".join(line + b"\n" for line in rewrite(lines)))
    for attempt in (lambda: history(store), lambda: roll_back(store, whole, {}), lambda: line.release(C)):
        with pytest.raises(DataError, match=told):
            attempt()


def test_a_pointer_that_was_put_back_by_hand_is_refused(line: Line, store: Store) -> None:
    line.release(A)
    older = store.path(CURRENT_RELEASE).read_bytes()
    line.release(B)
    line.release(C)
    newer = store.path(CURRENT_RELEASE).read_bytes()
    for content in (older, newer.replace(b"r-c", b"r-z")):
        store.path(CURRENT_RELEASE).unlink()
        store.path(CURRENT_RELEASE).write_bytes(content)
        with pytest.raises(DataError, match=r"current\.json: is not what line \d of releases/history\.jsonl"):
            history(store)


def test_a_line_of_a_move_that_died_says_nothing_even_if_it_names_the_current_release(line: Line, store: Store) -> None:
    first, second = line.release(A), line.release(B)
    write_line(store, second, "rolled_back", {})
    assert len(history(store)) == 3
    assert [one.event for one in effective_history(store)] == ["promoted", "promoted"]
    assert roll_back(store, whole, {}) == (first, True)


def test_a_pointer_of_the_older_form_is_believed_and_names_its_line_from_the_next_move_on(
    line: Line, store: Store
) -> None:
    line.release(A)
    second = line.release(B)
    store.write_record(CURRENT_RELEASE, second.model_dump(mode="json"))
    assert current_release(store) == second
    assert len(effective_history(store)) == 2
    line.release(C)
    last = store.path(HISTORY).read_bytes().splitlines()[-1]
    assert store.read_record(CURRENT_RELEASE)["line"] == sha256(last).hexdigest()
    assert events(store)[-1] == ("promoted", "r-c", "r-b")
