"""The release pointer: which release is current, and the history of how it came to be.

The history is written first and the pointer second, each whole or not at all. The pointer holds the SHA-256 of the
line that moved it, so the history up to that line cannot be changed, cut off or taken away unseen. A line whose release
never became current is of a run that died in between: the pointer still names an earlier line, and the line after it
names another release as the one before. A pointer written before lines were named is believed as it stands; its next
move names the line.
"""

from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, ValidationError, model_validator

from townlet_core.config import canonical_json
from townlet_core.datasets.store import Store
from townlet_core.errors import DataError, InputError, RefusedError
from townlet_core.files import write_whole
from townlet_core.stability.criteria import FROZEN
from townlet_core.stability.records import first_error, read_recorded

CURRENT_RELEASE = "releases/current.json"
HISTORY = "releases/history.jsonl"
PROMOTED, ROLLED_BACK, SWAPPED = "promoted", "rolled_back", "swapped"


class Release(BaseModel):
    """What the release pointer points at; `bundle` is a path below the data root."""

    model_config = FROZEN
    release_id: str
    policy_digest: str
    content_digest: str
    decision_digest: str
    bundle: str


class Pointer(BaseModel):
    """`current.json`: the keys of the current release, and beside them the SHA-256 of the history's `line` for it."""

    model_config = FROZEN
    release: Release
    line: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_record(cls, record: dict[str, Any]) -> dict[str, Any]:
        release = {key: value for key, value in record.items() if key != "line"}
        return {"release": release, "line": record.get("line")}


class HistoryEntry(BaseModel):
    """One event in the life of the release pointer.

    `release` is what is current after it and `previous` the release before; `after` is the SHA-256 of the line before
    it, so that a line cannot be changed or taken out unseen; `facts` are about the run (when, who, why), never part of
    a decision.
    """

    model_config = FROZEN
    sequence: int
    event: Literal["promoted", "rolled_back", "swapped"]
    release: Release
    previous: str | None
    after: str | None = None
    facts: dict[str, Any]


class _Past(NamedTuple):
    """The pointer, every event of the history, oldest first, and the digest of each event's line."""

    pointer: Pointer | None
    entries: tuple[HistoryEntry, ...]
    digests: tuple[str, ...]

    @property
    def moved(self) -> int:
        """How many lines there are up to the one that moved the pointer last."""
        if self.pointer is None or self.pointer.line is None:
            return len(self.entries)
        return self.digests.index(self.pointer.line) + 1


Check = Callable[[Release], None]
"""Raises if the bundle of a release is not whole."""


def current_release(store: Store) -> Release | None:
    """What the release pointer points at, or None before the first release.

    Raises:
        DataError: The pointer is damaged.
    """
    pointer = _pointer(store)
    return pointer.release if pointer is not None else None


def history(store: Store) -> tuple[HistoryEntry, ...]:
    """Every event of the release pointer, oldest first.

    Raises:
        DataError: A line is damaged or is not the one that the next line was written after, or the pointer was not
            written after one of these lines.
    """
    return _past(store).entries


def effective_history(store: Store) -> tuple[HistoryEntry, ...]:
    """The events after which the pointer really moved, oldest first."""
    past = _past(store)
    entries = past.entries[: past.moved]
    at_the_end = past.pointer.release.release_id if past.pointer is not None else None
    found = [entry.previous for entry in entries[1:]] + [at_the_end]
    return tuple(entry for entry, came in zip(entries, found, strict=False) if entry.release.release_id == came)


def champion(store: Store, candidate_digest: str) -> Release | None:
    """The release that a candidate is measured against: the current one if it has another policy, or None.

    A candidate that already is the current release is measured against the one that it replaced when it was promoted,
    so that building the same release again rests on the same evidence and gives the same bundle.
    """
    current = current_release(store)
    if current is None or current.policy_digest != candidate_digest:
        return current
    before = releases_before(store, candidate_digest)
    return before[-1] if before else None


def releases_before(store: Store, candidate_digest: str) -> tuple[Release, ...]:
    """The releases that were current before a candidate was promoted, in the order in which they last became so.

    All releases so far where the candidate is not the current one; its own policy is left out.
    """
    order = {entry.release.release_id: entry.release for entry in reversed(_past_before(store, candidate_digest))}
    return tuple(release for release in reversed(order.values()) if release.policy_digest != candidate_digest)


def withdrawn_before(store: Store, candidate_digest: str) -> dict[str, HistoryEntry]:
    """The policies that stood rolled back when a candidate was promoted, or stand so now if it is not current."""
    return withdrawn(_past_before(store, candidate_digest))


def withdrawn(past: Sequence[HistoryEntry]) -> dict[str, HistoryEntry]:
    """The policies that were rolled back and not brought in again since, with the event that withdrew each."""
    policies = {entry.release.release_id: entry.release.policy_digest for entry in past}
    gone: dict[str, HistoryEntry] = {}
    for entry in past:
        gone.pop(entry.release.policy_digest, None)
        if entry.event == ROLLED_BACK and entry.previous is not None:
            gone[policies[entry.previous]] = entry
    return gone


def point(store: Store, release: Release, event: str, facts: dict[str, Any]) -> bool:
    """Write the line, then the pointer. Callers hold the store's lock and know that this is allowed.

    Returns:
        Whether the pointer moved; False when it pointed there already.
    """
    if current_release(store) == release:
        return False
    line = write_line(store, release, event, facts)
    store.write_record(CURRENT_RELEASE, {**release.model_dump(mode="json"), "line": line})
    return True


def roll_back(store: Store, check: Check, facts: dict[str, Any], to: str | None = None) -> tuple[Release, bool]:
    """Point at an earlier release again: by default at the one that the current release replaced.

    Args:
        store: Where the pointer lives.
        check: Looks at the bundle before anything points at it.
        facts: Why, when and who, for the history.
        to: Id of an earlier release.

    Returns:
        The current release now, and whether the pointer moved. Doing it twice moves it once: to go further back, name
        the release.

    Raises:
        RefusedError: There is no release, or none before the current one.
        InputError: No release of that name was ever current.
        DataError: The bundle is not whole.
    """
    with store.exclusive():
        past, current = effective_history(store), current_release(store)
        if current is None:
            raise RefusedError("promotion: there is no release to roll back")
        if to is None and past and past[-1].event == ROLLED_BACK:
            return current, False
        target = _known(past, to) if to is not None else _replaced_by(past, current)
        check(target)
        return target, point(store, target, ROLLED_BACK, facts)


def swap(store: Store, to: str, check: Check, facts: dict[str, Any]) -> tuple[Release, bool]:
    """Point at any release that was current before, also at one that was rolled back.

    Raises:
        InputError: No release of that name was ever current.
        DataError: The bundle is not whole.
    """
    with store.exclusive():
        target = _known(effective_history(store), to)
        check(target)
        return target, point(store, target, SWAPPED, facts)


def write_line(store: Store, release: Release, event: str, facts: dict[str, Any]) -> str:
    """Write the history's line of a move and return its digest; it takes effect when the pointer names it.

    Repeating it adds nothing: a run that died between history and pointer has left the line already.
    """
    pointer, past, digests = _past(store)
    previous = pointer.release.release_id if pointer is not None else None
    if past and (past[-1].release, past[-1].event, past[-1].previous) == (release, event, previous):
        return digests[-1]
    path = store.path(HISTORY)
    content = path.read_bytes() if path.is_file() else b""
    entry = HistoryEntry.model_validate(
        {
            "sequence": len(past) + 1,
            "event": event,
            "release": release,
            "previous": previous,
            "after": digests[-1] if past else None,
            "facts": facts,
        }
    )
    line = canonical_json(entry)
    write_whole(path, content + line + b"\n")
    return _digest(line)


def _pointer(store: Store) -> Pointer | None:
    return read_recorded(store, CURRENT_RELEASE, Pointer, f"restore it from {HISTORY}")


def _past(store: Store) -> _Past:
    # The pointer first: a run that moves it meanwhile adds to the history, and takes nothing away from it.
    pointer, path = _pointer(store), store.path(HISTORY)
    lines = path.read_bytes().splitlines() if path.is_file() else []
    entries: list[HistoryEntry] = []
    digests: list[str] = []
    for number, line in enumerate(lines, start=1):
        try:
            entry = HistoryEntry.model_validate_json(line)
        except ValidationError as error:
            raise DataError(f"{path}:{number}: {first_error(error)}; restore the file from a copy") from error
        if (entry.sequence, entry.after) != (number, digests[-1] if digests else None):
            raise DataError(f"{path}:{number}: does not follow the line before it; restore the file from a copy")
        entries.append(entry)
        digests.append(_digest(line))
    past = _Past(pointer, tuple(entries), tuple(digests))
    _require_together(past, store)
    return past


def _require_together(past: _Past, store: Store) -> None:
    """Hold pointer and history against each other; behind the pointer's line only moves that died may follow."""
    pointer, entries, digests = past
    if pointer is None or pointer.line is None:
        return
    name = pointer.release.release_id
    if pointer.line not in digests:
        raise DataError(
            f"{store.path(HISTORY)}: the line by which {name} became current is missing or changed; "
            "restore the file from a copy"
        )
    told = entries[past.moved - 1]
    if told.release != pointer.release or any(entry.previous != name for entry in entries[past.moved :]):
        raise DataError(
            f"{store.path(CURRENT_RELEASE)}: is not what line {told.sequence} of {HISTORY} or a later one made "
            "current; restore the file from a copy"
        )


def _past_before(store: Store, candidate_digest: str) -> tuple[HistoryEntry, ...]:
    past, current = effective_history(store), current_release(store)
    if current is None or current.policy_digest != candidate_digest:
        return past
    promoted = [k for k, entry in enumerate(past) if entry.event == PROMOTED and entry.release == current]
    return past[: promoted[-1]] if promoted else ()


def _known(past: Sequence[HistoryEntry], name: str) -> Release:
    known = {entry.release.release_id: entry.release for entry in past}
    fitting = [release for key, release in known.items() if key == name or key.startswith(name)]
    if len(fitting) != 1:
        listed = ", ".join(known) or "none yet"
        raise InputError(f"{name}: {'no' if not fitting else 'more than one'} release of this name; known: {listed}")
    return fitting[0]


def _replaced_by(past: Sequence[HistoryEntry], current: Release) -> Release:
    came = [entry for entry in past if entry.release == current and entry.event != ROLLED_BACK]
    if not came or came[-1].previous is None:
        raise RefusedError(f"promotion: {current.release_id} is the first release; there is none to roll back to")
    return _known(past, came[-1].previous)


def _digest(line: bytes) -> str:
    return sha256(line).hexdigest()
