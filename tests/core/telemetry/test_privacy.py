"""With privacy on, no name leaves the town, and nothing from which it could be found."""

import os
import re
from typing import Any

import pytest

from tests.core.telemetry.streams import Told, settings, told
from townlet_core.config.telemetry import PrivacyRules
from townlet_core.errors import InputError
from townlet_core.telemetry.mirror import Mirror
from townlet_core.telemetry.privacy import identities

KEY, OTHER_KEY = "a key that nobody else knows", "another key that nobody knows"
PRIVATE = settings(privacy={"enabled": True, "key_env": "TOWN_KEY"})


def private_day(monkeypatch: pytest.MonkeyPatch, key: str) -> Told:
    monkeypatch.setenv("TOWN_KEY", key)
    return told(700, PRIVATE)


def test_no_name_no_key_and_no_seed_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    private = private_day(monkeypatch, KEY)
    assert b"agent_" not in private.data
    assert KEY.encode() not in private.data
    assert private.frames[0]["run"]["seed"] is None
    assert private.frames[0]["run"]["private"] is True
    assert len(private.frames[0]["state"]["agents"]) == 8


def test_it_is_the_same_town_under_other_names(monkeypatch: pytest.MonkeyPatch) -> None:
    names = identities(_rules(monkeypatch, KEY))
    private, public = private_day(monkeypatch, KEY), told(700)
    for one, other in zip(private.frames, public.frames, strict=True):
        assert one["events"] == [
            {**event, **{part: event[part] and _hidden(names, event[part]) for part in ("agent", "other")}}
            for event in other["events"]
        ]
    sentences = [sentence["text"] for frame in private.frames for sentence in frame["narration"]]
    assert any(re.match(r"citizen_[0-9a-f]{16} ", text) for text in sentences)
    mirror, plain = Mirror(), Mirror()
    for one, other in zip(private.frames, public.frames, strict=True):
        hidden, open_ = mirror.apply(one), plain.apply(other)
        known = {name: {**agent, "ties": _renamed(names, agent["ties"])} for name, agent in open_["agents"].items()}
        assert _renamed(names, known) == hidden["agents"]
    assert any(agent["ties"] for agent in hidden["agents"].values())


def test_the_same_key_gives_the_same_pseudonyms_and_another_key_others(monkeypatch: pytest.MonkeyPatch) -> None:
    first, again = (identities(_rules(monkeypatch, KEY)).of("agent_1") for _ in range(2))
    assert first == again != identities(_rules(monkeypatch, OTHER_KEY)).of("agent_1")


def test_the_key_is_not_in_what_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert KEY not in repr(identities(_rules(monkeypatch, KEY)))


@pytest.mark.parametrize(("key", "found"), [(None, "is not set"), ("short", "is too short")])
def test_privacy_without_a_good_key_is_refused(monkeypatch: pytest.MonkeyPatch, key: str | None, found: str) -> None:
    monkeypatch.delenv("TOWN_KEY", raising=False)
    if key:
        monkeypatch.setenv("TOWN_KEY", key)
    with pytest.raises(InputError, match=f"TOWN_KEY {found}") as refused:
        identities(PrivacyRules(enabled=True, key_env="TOWN_KEY"))
    assert not key or os.environ["TOWN_KEY"] not in str(refused.value).replace("is too short", "")


def _rules(monkeypatch: pytest.MonkeyPatch, key: str) -> PrivacyRules:
    monkeypatch.setenv("TOWN_KEY", key)
    return PrivacyRules(enabled=True, key_env="TOWN_KEY")


def _renamed(names: object, people: dict[str, Any]) -> dict[str, Any]:
    return {_hidden(names, name): what for name, what in people.items()}


def _hidden(names: object, name: str) -> str:
    return names.of(name) if name.startswith("agent_") else name  # type: ignore[attr-defined]
