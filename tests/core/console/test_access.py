"""The role is the token's, a command is done once, everything is noted, and no secret is shown."""

import json
import logging
import os
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.core.console.conftest import opened
from townlet_core.config.console import ConsoleRules, load_console, token_holders
from townlet_core.console import Audit, Command, CommandError, Console, parse_command
from townlet_core.core import Simulation
from townlet_core.errors import ConfigError, DataError

ADMIN, VIEWER = "tok-admin-91f0", "tok-viewer-77c2"
SET = {"agent": "agent_1", "needs": {"hunger": 0.5}}


def rules(**auth: object) -> ConsoleRules:
    tokens = [{"label": "night_shift", "role": "admin", "token": ADMIN}, {"role": "viewer", "token_env": "LOOKER"}]
    return ConsoleRules.model_validate_json(json.dumps({"auth": {"enabled": True, "tokens": tokens, **auth}}))


@pytest.fixture
def guarded(sim: Simulation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Console:
    monkeypatch.setenv("LOOKER", VIEWER)
    return opened(sim, tmp_path, rules(), audit=Audit(tmp_path / "audit.ndjson"))


def code(console: Console, line: dict[str, object]) -> str:
    result = console.execute(Command.model_validate_json(json.dumps(line)))
    return result.error["code"] if result.error else "ok"


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"name": "status"}, "unauthorized"),
        ({"name": "status", "token": "wrong"}, "unauthorized"),
        ({"name": "status", "token": VIEWER}, "ok"),
        ({"name": "setneed", "args": SET, "token": VIEWER}, "forbidden"),
        ({"name": "setneed", "args": SET, "token": VIEWER, "mode": "admin"}, "forbidden"),
        ({"name": "setneed", "args": SET, "mode": "admin"}, "unauthorized"),
        ({"name": "setneed", "args": SET, "token": ADMIN}, "ok"),
        ({"name": "setneed", "args": SET, "token": ADMIN, "mode": "viewer"}, "forbidden"),
        ({"name": "setned", "token": ADMIN}, "not_found"),
        ({"name": "setneed", "token": ADMIN, "args": {"agent": "agent_1", "needs": {"hunger": 2}}}, "invalid_args"),
        ({"name": "setneed", "token": ADMIN, "args": {"agent": "agent_99", "needs": {"hunger": 1}}}, "not_found"),
    ],
)
def test_what_may_be_done_is_decided_by_the_token(guarded: Console, said: dict[str, object], expected: str) -> None:
    assert code(guarded, said) == expected


def test_without_authentication_a_command_cannot_make_itself_an_administrator(sim: Simulation, tmp_path: Path) -> None:
    console = opened(sim, tmp_path, ConsoleRules())
    assert code(console, {"name": "setneed", "args": SET, "mode": "admin"}) == "forbidden"
    assert code(console, {"name": "status", "mode": "admin"}) == "ok"


def test_whoever_shows_no_token_may_look_on_if_the_rules_say_so(
    sim: Simulation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOOKER", VIEWER)
    console = opened(sim, tmp_path, rules(require_for_viewer=False))
    assert code(console, {"name": "status"}) == "ok"
    assert code(console, {"name": "setneed", "args": SET}) == "forbidden"


def test_the_issuer_is_who_the_token_says(guarded: Console) -> None:
    lied = Command.model_validate_json(json.dumps({"name": "status", "token": ADMIN, "issuer": "the mayor"}))
    assert guarded.execute(lied).issuer == "night_shift"


def test_a_command_with_an_id_is_done_once(console: Console, sim: Simulation) -> None:
    first = Command(name="setwallet", args={"agent": "agent_1", "amount": 3.0}, cmd_id="a1")
    done = console.execute(first)
    sim.agents["wallet"][0, 0] = 7.0
    assert console.execute(first) == done
    assert sim.agents["wallet"][0, 0] == 7.0
    other = first.model_copy(update={"args": {"agent": "agent_1", "amount": 4.0}})
    assert console.execute(other).error["code"] == "conflict"
    assert console.execute(first) == done


def test_the_id_of_somebody_else_is_not_mine(guarded: Console) -> None:
    """A viewer cannot fetch an administrator's result by its id."""
    secret = Command.model_validate_json(json.dumps({"name": "kpis", "cmd_id": "x", "token": ADMIN}))
    assert guarded.execute(secret).issuer == "night_shift"
    mine = guarded.execute(Command.model_validate_json(json.dumps({"name": "status", "cmd_id": "x", "token": VIEWER})))
    assert (mine.status, mine.name, mine.issuer) == ("ok", "status", "LOOKER")


def test_every_command_is_noted_and_no_secret_is(guarded: Console, tmp_path: Path) -> None:
    code(guarded, {"name": "setneed", "args": {**SET, "token": ADMIN}, "token": ADMIN})
    code(guarded, {"name": "status", "token": "wrong-wrong"})
    text = (tmp_path / "audit.ndjson").read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    assert [(line["name"], line["issuer"], line["code"]) for line in lines] == [
        ("setneed", "night_shift", "invalid_args"),
        ("status", None, "unauthorized"),
    ]
    assert not any(secret in text for secret in (ADMIN, VIEWER, "wrong-wrong"))
    assert stat.S_IMODE(os.stat(tmp_path / "audit.ndjson").st_mode) & 0o007 == 0


def test_the_audit_is_only_ever_added_to(tmp_path: Path) -> None:
    for day in (1, 2):
        audit = Audit(tmp_path / "logs" / "audit.ndjson", lambda day=day: datetime(2026, 1, day, tzinfo=UTC))
        audit.note({"name": "status"})
        audit.close()
    times = [json.loads(line)["time"][:10] for line in (tmp_path / "logs" / "audit.ndjson").read_text().splitlines()]
    assert times == ["2026-01-01", "2026-01-02"]
    with pytest.raises(DataError, match="the audit cannot be kept"):
        Audit(tmp_path)


def test_no_secret_is_in_any_result_error_log_or_snapshot(
    guarded: Console, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    said = [
        guarded.execute(Command.model_validate_json(json.dumps({"name": name, "token": ADMIN}))).line()
        for name in ("help", "status", "telemetry_snapshot", "nonsense")
    ]
    (tmp_path / "snapshots").mkdir()
    save = {"name": "snapshot_save", "args": {"path": "now.safetensors"}, "token": ADMIN}
    said.append(guarded.execute(Command.model_validate_json(json.dumps(save))).line())
    for line in (
        f'{{"name": "status", "token": ["{ADMIN}"]}}',
        f'{{"name": 1, "token": "{ADMIN}"}}',
        f"status token='{ADMIN}",
    ):
        with pytest.raises(CommandError) as refused:
            parse_command(line)
        said.append(str(refused.value))
    said += [repr(guarded._gatekeeper), repr(parse_command(f"status token={ADMIN}")), caplog.text]
    assert not [text for text in said if ADMIN in text or VIEWER in text]
    assert ADMIN.encode() not in (tmp_path / "snapshots" / "now.safetensors").read_bytes()


def test_a_defect_in_a_command_does_not_end_the_town(
    console: Console, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(type(console.desk.sim), "kpis", lambda sim: 1 / 0)
    result = console.execute(Command(name="kpis"))
    assert result.error["code"] == "internal"
    assert "ZeroDivisionError" in result.error["message"]
    assert "Traceback" in caplog.text


def test_how_long_a_command_took_is_measured(sim: Simulation, tmp_path: Path) -> None:
    seconds = iter([1.0, 1.25])
    console = opened(sim, tmp_path, timer=lambda: next(seconds))
    assert console.execute(Command(name="status")).latency_ms == 250.0


AUTH = "mode: viewer\nauth:\n  enabled: true\n  tokens:\n"


@pytest.mark.parametrize(
    ("tokens", "said"),
    [
        ("    []", "auth.enabled: nobody could do anything; add a token"),
        ("    - {role: admin, token: '  '}", "auth.tokens[0].token: is blank"),
        ("    - {role: admin}", "auth.tokens[0]: needs exactly one of token and token_env"),
        (f"    - {{role: admin, token: {ADMIN}, token_env: T}}", "needs exactly one of token and token_env"),
        (f"    - {ADMIN}", "auth.tokens[0]: found something else, expected a section"),
        (f"    - {{role: admin, token: [{ADMIN}]}}", "auth.tokens[0].token: found something else, expected text"),
    ],
)
def test_bad_rules_are_refused_without_showing_a_token(tmp_path: Path, tokens: str, said: str) -> None:
    path = tmp_path / "console.yaml"
    path.write_text(AUTH + tokens)
    with pytest.raises(ConfigError) as refused:
        load_console(path)
    assert said in str(refused.value)
    assert ADMIN not in str(refused.value)


def test_a_token_whose_variable_is_not_set_is_refused_by_the_variables_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOOKER", raising=False)
    with pytest.raises(ConfigError, match=r"auth.tokens\[1\].token_env: the variable LOOKER is not set"):
        token_holders(rules())
    with pytest.raises(ConfigError, match="the same token as an entry above"):
        token_holders(rules(), {"LOOKER": ADMIN})
    assert [holder.label for holder in token_holders(rules(), {"LOOKER": VIEWER})] == ["night_shift", "LOOKER"]
    assert token_holders(ConsoleRules(), {}) == []
