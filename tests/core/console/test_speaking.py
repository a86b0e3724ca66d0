"""Commands are typed or sent as JSON; what is wrong with one is said in a line that helps."""

import json
from pathlib import Path

import pytest

from tests.core.console.conftest import done, live, refused
from townlet_core.console import Command, CommandError, Console, parse_command
from townlet_core.console.console import SPECS
from townlet_core.core import Simulation


@pytest.mark.parametrize(
    ("line", "name", "args"),
    [
        ("status", "status", {}),
        ("teleport agent_1 5 7", "teleport", {"_": ["agent_1", 5, 7]}),
        ("setneed agent_1 hunger=0.4", "setneed", {"_": ["agent_1"], "hunger": 0.4}),
        ("setneed agent_1 'needs={hunger: 0.4}'", "setneed", {"_": ["agent_1"], "needs": {"hunger": 0.4}}),
        ('{"name": "agent", "args": {"agent": "agent_1"}}', "agent", {"agent": "agent_1"}),
    ],
)
def test_a_command_is_read_as_typed_or_as_json(line: str, name: str, args: dict[str, object]) -> None:
    command = parse_command(line)
    assert (command.name, command.args) == (name, args)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "'",
        "{",
        '{"nam": "status"}',
        '{"name": 5}',
        '{"name": "x", "args": [1]}',
        "x " + "y" * 70_000,
        "x a=.nan",
    ],
)
def test_what_is_no_command_is_refused(line: str) -> None:
    with pytest.raises(CommandError) as error:
        parse_command(line)
    assert error.value.code == "usage"
    assert "\n" not in str(error.value)


def test_typed_and_sent_commands_do_the_same(console: Console, sim: Simulation) -> None:
    sent = '{"name": "setneed", "args": {"agent": "agent_3", "needs": {"hunger": 0.25, "energy": 0.5}}}'
    for line in ("setneed agent_2 hunger=0.25 energy=0.5", sent):
        assert console.execute(parse_command(line)).status == "ok"
    assert sim.agents["needs"][0, 1, [0, 2]].tolist() == sim.agents["needs"][0, 2, [0, 2]].tolist() == [0.25, 0.5]


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        ("setned", "not_found", "unknown command 'setned'; did you mean 'setneed'?"),
        ("agent agent1", "not_found", "unknown citizen 'agent1'; did you mean 'agent_1'?"),
        ("queue_inspect sower_1", "not_found", "did you mean 'shower_1'?"),
        ("teleport agent_1", "invalid_args", "x: missing key; expected a whole number from 0 to 1000"),
        ("teleport agent_1 2.5 3", "invalid_args", "x: found 2.5, expected a whole number"),
        ("status 1", "invalid_args", "too many values"),
        ("setneed agent_1 hunge=0.5", "invalid_args", "needs.hunge: unknown key 'hunge'; did you mean 'hunger'?"),
        ("setwallet agent_1 -5", "invalid_args", "amount: found -5, expected a number from 0"),
    ],
)
def test_what_is_wrong_with_a_command_is_said(console: Console, line: str, code: str, said: str) -> None:
    error = console.execute(parse_command(line)).error
    assert error["code"] == code
    assert said in error["message"]
    if code == "invalid_args":
        assert error["details"]["usage"] == SPECS[line.split()[0]].usage


def test_a_result_is_one_line_that_a_script_reads(console: Console) -> None:
    for name in ("status", "nonsense"):
        line = console.execute(Command(name=name, cmd_id="7")).line()
        document = json.loads(line)
        assert "\n" not in line
        assert {"name", "status", "cmd_id", "issuer", "tick", "latency_ms"} < set(document)
        assert ("result" in document) != ("error" in document)


def test_help_lists_every_command(console: Console) -> None:
    assert {entry["usage"].split()[0] for entry in done(console, "help")} == set(SPECS)


def test_what_is_told_is_what_the_town_is_like(console: Console, sim: Simulation) -> None:
    live(console, 240)
    status = done(console, "status")
    assert (status["tick"], status["time"], status["alive"]) == (600, "10:00", 8)
    assert done(console, "agent", agent="agent_1")["wallet"] == pytest.approx(
        float(sim.agents["wallet"][0, 0]), abs=1e-5
    )
    jobs = done(console, "employment_status")["agents"]
    assert {jobs[name]["job"] for name in jobs} == set(sim.config.jobs)
    uses = done(console, "affordance_status")
    assert {use["agent"] for use in uses["running"]} == {
        sim.names.agents[i] for i in range(8) if sim.agents["phase"][0, i] == 3
    }
    assert sum(uses["finished"].values()) == sim.agents["finished"][0].sum()
    events = done(console, "events", limit=50)
    assert [event["tick"] for event in events] == sorted(event["tick"] for event in events)
    assert set(done(console, "kpis")) == set(sim.kpis())
    assert done(console, "telemetry_snapshot")["clock"]["tick"] == 600


def test_who_waits_for_an_object_is_told_in_order(console: Console, sim: Simulation) -> None:
    queues: list[object] = []
    for _ in range(120):
        live(console, 10)
        queues = [done(console, "queue_inspect", object=name) for name in sim.names.fixtures]
        queues = [queue for queue in queues if queue["queue"]]
        if queues:
            break
    assert queues
    for queue in queues:
        assert queue["waiting"] == len(queue["queue"])
        assert queue["user"] is not None
        assert [one["since"] for one in queue["queue"]] == sorted(one["since"] for one in queue["queue"])


def test_snapshots_stay_on_their_shelf(console: Console, sim: Simulation, tmp_path: Path) -> None:
    (tmp_path / "snapshots").mkdir()
    done(console, "snapshot_save", path="one.safetensors")
    assert done(console, "snapshot_inspect", path="one.safetensors")["identity"]["tick"] == 0
    assert done(console, "snapshot_validate", path="one.safetensors")["config_id"] == "default-hybrid-1"
    assert refused(console, "snapshot_save", path="one.safetensors").error["code"] == "conflict"
    assert refused(console, "snapshot_inspect", path="two.safetensors").error["code"] == "not_found"
    for way_out in ("../one.safetensors", "/etc/passwd"):
        assert refused(console, "snapshot_inspect", path=way_out).error["code"] == "forbidden"
