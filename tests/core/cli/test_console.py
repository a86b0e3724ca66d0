"""`townlet console` answers each line by a line; `townlet demo` plays a file."""

import io
import json
from pathlib import Path

import pytest

from tests.core.cli.conftest import ROOT, Townlet
from townlet_core.policy.teacher import Teacher

SECRET = "tok-42-very-secret"


def spoken(townlet: Townlet, monkeypatch: pytest.MonkeyPatch, text: str, *words: object):  # type: ignore[no-untyped-def]
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    outcome = townlet("console", *words)
    return outcome, [json.loads(line) for line in outcome.out.splitlines()]


def test_a_town_is_spoken_to_and_lives_on(townlet: Townlet, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "# a morning\nsetneed agent_1 hunger=0.5\nadvance 30\n\nagent agent_1\n"
    outcome, lines = spoken(townlet, monkeypatch, text, "--mode", "admin")
    assert outcome.code == 0, outcome.out
    assert [(line["name"], line["tick"]) for line in lines] == [("setneed", 360), ("status", 390), ("agent", 390)]


def test_what_was_not_done_is_exit_code_1(townlet: Townlet, monkeypatch: pytest.MonkeyPatch) -> None:
    outcome, lines = spoken(townlet, monkeypatch, "kill agent_1\nadvance 0\n{\nstatus\n")
    assert outcome.code == 1
    assert [line.get("error", {}).get("code") for line in lines] == ["forbidden", "invalid_args", "usage", None]


def test_a_token_comes_from_the_environment_and_is_nowhere_in_the_output(
    townlet: Townlet, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    configs = tmp_path / "configs"
    configs.mkdir()
    entry = "{label: op, role: admin, token_env: OP_TOKEN}"
    (configs / "console.yaml").write_text(f"auth: {{enabled: true, tokens: [{entry}]}}\n")
    town = ("--configs", configs, "--config", ROOT / "configs" / "towns" / "default.yaml")
    monkeypatch.delenv("OP_TOKEN", raising=False)
    outcome = townlet("console", *town)
    assert (outcome.code, outcome.out) == (2, "")
    assert "console.yaml:1: auth.tokens[0].token_env: the variable OP_TOKEN is not set" in outcome.err
    monkeypatch.setenv("OP_TOKEN", SECRET)
    outcome, lines = spoken(townlet, monkeypatch, "setneed agent_1 hunger=1\n", *town, "--token-env", "OP_TOKEN")
    assert (outcome.code, lines[0]["issuer"]) == (0, "op")
    left = b"".join(path.read_bytes() for path in (tmp_path / "data").rglob("*") if path.is_file())
    assert b"setneed" in left
    assert SECRET.encode() not in left
    assert SECRET not in outcome.out + outcome.err


def test_towns_that_are_saved_say_who_chose_for_them(
    townlet: Townlet, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    outcome, _ = spoken(townlet, monkeypatch, "snapshot_save now.safetensors\n", "--mode", "admin")
    assert outcome.code == 0, outcome.out
    (file,) = (tmp_path / "data").rglob("now.safetensors")
    saved = json.loads(townlet("snapshot", "inspect", file, "--json").out)["identity"]
    assert (saved["policy_name"], saved["policy_digest"]) == Teacher.actor()[:2]


def test_a_demonstration_is_played(townlet: Townlet) -> None:
    path = ROOT / "configs" / "demo" / "first_day.yaml"
    outcome = townlet("demo", path)
    assert outcome.code == 0
    assert {json.loads(line)["issuer"] for line in outcome.out.splitlines()} == {"first_day"}
    assert townlet("validate", "config", path).code == 0


def test_a_demonstration_that_cannot_be_played_is_refused(townlet: Townlet, tmp_path: Path) -> None:
    text = (ROOT / "configs" / "demo" / "first_day.yaml").read_text().replace("../towns", f"{ROOT}/configs/towns")
    (tmp_path / "first_day.yaml").write_text(text.replace("force_chat", "force_chats"))
    outcome = townlet("demo", tmp_path / "first_day.yaml")
    assert (outcome.code, outcome.out) == (2, "")
    assert "unknown command 'force_chats'; did you mean 'force_chat'?" in outcome.err
