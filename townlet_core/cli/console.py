"""`townlet console` and `townlet demo`: speak to a running town, or let a timeline speak to it."""

import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from pydantic import SecretStr

from townlet_core.cli.options import CONFIGS, DATA, Configs, Data, refuse_unused
from townlet_core.cli.pacing import WATCHED, Speed, Watcher, refuse_pace, watching
from townlet_core.cli.snapshots import snapshot_rules
from townlet_core.config import TownConfig, load_config, load_scenario
from townlet_core.config.console import ConsoleRules, Role, load_console, token_holders
from townlet_core.config.documents import read_document
from townlet_core.console import (
    Audit,
    Command,
    CommandError,
    Console,
    Gatekeeper,
    Result,
    Timeline,
    load_timeline,
    parse_command,
    play,
    require_playable,
)
from townlet_core.console.desk import Shelf
from townlet_core.console.envelope import POSITIONAL
from townlet_core.core import Simulation
from townlet_core.errors import InputError
from townlet_core.policy.teacher import Teacher
from townlet_core.snapshots import allowed_folders

ADVANCE = "advance"
MOST_TICKS = 100_000

Config = Annotated[Path | None, typer.Option(help="A town's YAML file.", show_default="configs/towns/default.yaml")]
ScenarioName = Annotated[str | None, typer.Option(help="A scenario's name or file, instead of --config.")]
Seed = Annotated[int, typer.Option(min=0, help="Seed of the run.")]
Mode = Annotated[str | None, typer.Option(help="viewer or admin; without it, the mode of configs/console.yaml.")]
TokenEnv = Annotated[str | None, typer.Option("--token-env", help="Variable with the token of typed commands.")]
TimelineFile = Annotated[Path | None, typer.Option("--timeline", help="Play this demonstration's commands first.")]
DemoFile = Annotated[Path, typer.Argument(help="A demonstration's YAML file.", show_default=False)]
Watch = Annotated[bool, typer.Option("--watch", help="Draw the town in the terminal.")]


def console(
    context: typer.Context,
    config: Config = None,
    scenario: ScenarioName = None,
    seed: Seed = 7,
    mode: Mode = None,
    token_env: TokenEnv = None,
    timeline: TimelineFile = None,
    configs: Configs = CONFIGS,
    data: Data = DATA,
) -> None:
    """Give commands to a town on stdin, one to a line, typed or as JSON; each is answered by one line of JSON.

    `help` lists the commands and `advance 60` lets the town live an hour under the teacher. Exit code 1 if a command
    was not done.
    """
    token = _token(token_env)
    if timeline is not None:
        refuse_unused(context, ["config", "scenario", "seed"], "--timeline names its own; leave one of them out")
    played = load_timeline(timeline) if timeline is not None else None
    town = played.config if played else _town(config, scenario, configs)
    sim = Simulation(town, seed=played.written.seed if played else seed)
    desk = open_console(sim, console_rules(configs, mode), configs, data)
    live = living(sim, desk)
    failed = _played(played, desk, live, _said) if played is not None else False
    for line in sys.stdin:
        if line.strip() and not line.lstrip().startswith("#"):
            result = _answered(line, desk, live, token)
            print(result.line(), flush=True)
            failed |= result.error is not None
    raise typer.Exit(1 if failed else 0)


def demo(
    context: typer.Context,
    file: DemoFile,
    watch: Watch = False,
    speed: Speed = WATCHED,
    configs: Configs = CONFIGS,
    data: Data = DATA,
) -> None:
    """Let a town live through a demonstration; every command of its timeline is checked before anything runs.

    One line of JSON for each command, or with --watch a line beside the picture; exit code 1 if one was not done.
    """
    refuse_pace(context, watch)
    if watch and not sys.stdout.isatty():
        raise InputError("--watch: draws in a terminal; do not pipe it")
    timeline = load_timeline(file)
    sim = Simulation(timeline.config, seed=timeline.written.seed)
    desk = open_console(sim, console_rules(configs, "admin"), configs, data)
    with watching(sim, speed if watch else None) as watcher:
        live = living(sim, desk, watcher.after_tick if watcher is not None else None)
        failed = _played(timeline, desk, live, _said if watcher is None else partial(_noted, watcher))
    raise typer.Exit(1 if failed else 0)


def console_rules(configs: Path, mode: str | None) -> ConsoleRules:
    """Read the rules of the console; whoever starts the process may choose the mode of those without a token.

    Raises:
        ConfigError: Something in configs/console.yaml is wrong.
        InputError: The mode is none.
    """
    path = configs / "console.yaml"
    rules = load_console(path) if path.exists() else ConsoleRules()
    if mode is None:
        return rules
    modes: dict[str, Role] = {"viewer": "viewer", "admin": "admin"}
    if mode not in modes:
        raise InputError(f"--mode: found {mode}, expected viewer or admin")
    return rules.model_copy(update={"mode": modes[mode]})


def open_console(sim: Simulation, rules: ConsoleRules, configs: Path, data: Path) -> Console:
    """Open a console on the first town of a batch.

    Raises:
        ConfigError: A token's variable is not set.
        DataError: The audit cannot be kept.
    """
    path, snapshots = configs / "console.yaml", snapshot_rules(configs)
    holders = token_holders(rules, os.environ, read_document(path) if path.exists() else None)
    audit = Audit(data / rules.audit) if rules.audit is not None else None
    shelf = Shelf(allowed_folders(snapshots, data), snapshots.guardrails)
    return Console(sim, Gatekeeper(rules, holders), shelf, audit, actor=Teacher.actor())


def living(sim: Simulation, desk: Console, after: Callable[[], None] | None = None) -> Callable[[], None]:
    """Give what lets the towns live one tick under the teacher, but for whom the console leads."""
    teacher = Teacher(sim)

    def live() -> None:
        with desk.tick():
            sim.advance(desk.overrule(teacher.act()))
        if after is not None:
            after()

    return live


def _town(config: Path | None, scenario: str | None, configs: Path) -> TownConfig:
    if config is not None and scenario is not None:
        raise InputError("--config and --scenario: give one of them; a scenario names its own town")
    if scenario is not None:
        return load_scenario(scenario, configs).config
    return load_config(config or configs / "towns" / "default.yaml")


def _token(variable: str | None) -> SecretStr | None:
    if variable is None:
        return None
    value = os.environ.get(variable, "")
    if not value:
        raise InputError(f"--token-env: the variable {variable} is not set; set it to the token")
    return SecretStr(value)


def _answered(line: str, desk: Console, live: Callable[[], None], token: SecretStr | None) -> Result:
    try:
        command = parse_command(line)
        if command.token is None:
            command = command.model_copy(update={"token": token})
        if command.name != ADVANCE:
            return desk.execute(command)
        for _ in range(_ticks(command)):
            live()
    except CommandError as error:
        return desk.refuse(error)
    return desk.execute(Command(name="status", cmd_id=command.cmd_id, token=command.token, issuer=command.issuer))


def _ticks(command: Command) -> int:
    ticks = command.args.get("ticks", next(iter(command.args.get(POSITIONAL, [])), 1))
    if not isinstance(ticks, int) or isinstance(ticks, bool) or not 1 <= ticks <= MOST_TICKS:
        reason = f"ticks: expected a whole number from 1 to {MOST_TICKS}"
        raise CommandError("invalid_args", reason, usage="advance [ticks]")
    return ticks


def _said(result: Result) -> None:
    print(result.line(), flush=True)


def _noted(watcher: Watcher, result: Result) -> None:
    watcher.tell(f"› {result.name}: {result.error['message'] if result.error is not None else result.status}")


def _played(timeline: Timeline, desk: Console, live: Callable[[], None], say: Callable[[Result], None]) -> bool:
    require_playable(timeline, desk)
    failed = False
    for result in play(timeline, desk, live):
        say(result)
        failed |= result.error is not None
    return failed
