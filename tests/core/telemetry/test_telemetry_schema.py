"""The published schema is what frames keep to; a change of it is seen."""

import json
from copy import deepcopy
from typing import Any

import pytest

from tests.core.telemetry.streams import ROOT, Told, told
from townlet_core.errors import DataError
from townlet_core.telemetry.schema import SCHEMA_VERSION, checked_frame, schema_json


@pytest.fixture(scope="module")
def short() -> Told:
    return told(200)


def test_the_published_schema_is_the_one_that_is_checked() -> None:
    """A change must be published: `townlet telemetry schema > docs/telemetry.schema.json`, with another version."""
    assert (ROOT / "docs/telemetry.schema.json").read_text() == schema_json()


def test_the_schema_leaves_no_key_open() -> None:
    schema = json.loads(schema_json())
    for name, model in schema["$defs"].items():
        if "properties" in model:
            assert model["additionalProperties"] is False, name
    assert schema["$defs"]["SnapshotFrame"]["properties"]["schema_version"]["const"] == SCHEMA_VERSION
    assert "required" not in schema["$defs"]["AgentChanges"]
    assert set(schema["$defs"]["AgentChanges"]["properties"]) == set(schema["$defs"]["AgentState"]["properties"])


def test_every_frame_keeps_to_the_schema(short: Told) -> None:
    assert [checked_frame(line) for line in short.data.splitlines()] == short.frames


def _damaged(frame: dict[str, Any], path: tuple[str, ...], value: Any) -> bytes:
    frame = deepcopy(frame)
    place = frame
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return json.dumps(frame).encode()


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("state", "agents", "agent_1", "wallet"), "much"),
        (("state", "agents", "agent_1", "needs", "hunger"), 1.5),
        (("state", "agents", "agent_1", "mood"), "fine"),
        (("state", "agents", "agent_1", "personality", "ambition"), 1.5),
        (("state", "agents", "agent_1", "personality", "charm"), 0.5),
        (("state", "agents", "agent_1", "ties", "agent_2"), {"trust": -1.1, "familiarity": 0.0, "rivalry": 0.0}),
        (("state", "clock", "tick"), True),
        (("schema_version",), "0.9.7"),
        (("kind",), "rumour"),
    ],
)
def test_what_does_not_fit_is_refused_by_its_key(short: Told, path: tuple[str, ...], value: Any) -> None:
    with pytest.raises(DataError, match=rf"^frame: .*{path[-1] if path != ('kind',) else 'kind'}"):
        checked_frame(_damaged(short.frames[0], path, value))


def test_a_diff_may_not_set_what_a_state_does_not_have(short: Told) -> None:
    with pytest.raises(DataError, match="mood"):
        checked_frame(_damaged(short.frames[1], ("changed", "mood"), 1))


@pytest.mark.parametrize("line", [b"", b"{", b"[]", b"nothing", b'{"kind":"diff"}'])
def test_what_is_no_frame_is_refused_in_one_line(line: bytes) -> None:
    with pytest.raises(DataError) as refused:
        checked_frame(line)
    assert "\n" not in str(refused.value)
