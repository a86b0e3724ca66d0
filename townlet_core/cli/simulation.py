"""`townlet simulate`: let towns live under the scripted teacher and say how they did."""

import sys
from functools import partial
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from townlet_core.cli.checking import check_alone
from townlet_core.cli.hooks import RunHooks, hook_document, print_hooks, require_own_allow_list, start_hooks
from townlet_core.cli.options import CONFIGS, DATA, AsJson, Configs, Data, Threads, refuse_unused
from townlet_core.cli.output import Advance, counted, interval_text, print_json, print_table, progress_bar
from townlet_core.cli.pacing import WATCHED, Speed, Watcher, refuse_pace, watching
from townlet_core.cli.reporting import Plot, Report, diary_document, diary_for, draw_diary, print_diary
from townlet_core.cli.resuming import NO_STEPS, Every, Folder, Keep, Resume, Saving, planned, resumed
from townlet_core.cli.telemetry import (
    LiveTelemetry,
    Settings,
    Target,
    end_telemetry,
    refuse_two_on_stdout,
    start_telemetry,
    telemetry_config,
)
from townlet_core.config import TownConfig, config_digest, load_config, load_scenario
from townlet_core.core import Simulation
from townlet_core.errors import InputError
from townlet_core.policy.teacher import Teacher
from townlet_core.snapshots import Autosave
from townlet_core.telemetry import Interval, mean_interval
from townlet_core.telemetry.diary import Diary
from townlet_core.telemetry.hooks import AffordanceHooks
from townlet_core.telemetry.sender import SenderStatus

HEADLINES = (
    "survival",
    "needs_ok_share",
    "attendance",
    "mean_reward",
    "clipped_share",
    "wallet",
    "conflicts",
    "queue_waits",
)
"""Key figures of the short table; `--report` shows all of them."""


class Figures(NamedTuple):
    """What a simulation came to: each key figure over the towns, and how much of the log was lost."""

    kpis: dict[str, Interval]
    events_dropped: int


class _Outcome(NamedTuple):
    """Everything that a simulation can be asked for when it has ended."""

    sim: Simulation
    days: int
    figures: Figures
    diary: Diary | None
    hooks: AffordanceHooks | None
    telemetry: SenderStatus | None


Towns = Annotated[int, typer.Option(min=1, max=4096, help="Towns, each with its own luck.")]
Days = Annotated[int, typer.Option(min=1, max=3650, help="Days that each town lives.")]
Seed = Annotated[int, typer.Option(min=0, help="Seed of the run; the same seed lives the same days.")]
Config = Annotated[Path | None, typer.Option(help="A town's YAML file.", show_default="configs/towns/default.yaml")]
ScenarioName = Annotated[str | None, typer.Option(help="A scenario's name or file, instead of --config.")]
Check = Annotated[bool, typer.Option("--check", help="Check what the scenario promises; exit code 1 if it breaks.")]
Watch = Annotated[bool, typer.Option("--watch", help="Let one town live, and draw it minute by minute.")]


def simulate(
    context: typer.Context,
    config: Config = None,
    scenario: ScenarioName = None,
    days: Days = 1,
    towns: Towns = 20,
    seed: Seed = 7,
    threads: Threads = 1,
    check: Check = False,
    report: Report = False,
    plot: Plot = None,
    watch: Watch = False,
    speed: Speed = WATCHED,
    autosave: Folder = None,
    every: Every = None,
    keep: Keep = None,
    resume: Resume = None,
    telemetry: Target = None,
    telemetry_settings: Settings = None,
    hooks: RunHooks = False,
    as_json: AsJson = False,
    configs: Configs = CONFIGS,
    data: Data = DATA,
) -> None:
    """Let towns live under the scripted teacher; print their key figures with 95 % confidence intervals."""
    if check:
        check_alone(context, scenario, configs, threads, as_json)
        return
    refuse_pace(context, watch)
    if watch:
        refuse_unused(context, ["towns"], "does not go with --watch, which lets one town live; leave one of them out")
    if watch and (as_json or not sys.stdout.isatty()):
        raise InputError("--watch: draws in a terminal; leave out --json, and do not pipe it")
    telling = telemetry_config(telemetry, telemetry_settings, configs)
    refuse_two_on_stdout(telling, {"--json": as_json, "--report": report, "--watch": watch})
    require_own_allow_list(hooks, resume, config or scenario)
    saving = Saving(autosave, every, keep, resume, configs, data)
    town = partial(chosen_town, config, scenario, configs)
    if resume is None:
        sim, steps = Simulation(town(days), 1 if watch else towns, seed, threads=threads), NO_STEPS
    else:
        sim, steps = resumed(context, saving, town if config or scenario else None, threads)
    days, called = sim.config.clock.episode_days, start_hooks(hooks, sim)
    diary = diary_for(sim, report, plot)
    with progress_bar(f"{counted(sim.shape[0], 'town')}, {counted(days, 'day')}", quiet=as_json or watch) as advance:
        told = start_telemetry(sim, telling)
        try:
            with watching(sim, speed if watch else None) as watcher:
                figures = live(sim, advance, watcher, planned(saving, steps), told, called, diary)
        finally:
            status = end_telemetry(told)
    if diary is not None and plot is not None:
        draw_diary(diary, sim.config, plot)
    outcome = _Outcome(sim, days, figures, diary, called, status)
    if as_json:
        print_json(_document(outcome))
    elif status is None or status.target != "stdout":
        _print(outcome, report)


def chosen_town(config: Path | None, scenario: str | None, configs: Path, days: int) -> TownConfig:
    """Load the town that the options name, with its episode as long as asked.

    Raises:
        InputError: Both a town and a scenario are named, or what is named cannot be used.
    """
    if config is not None and scenario is not None:
        raise InputError("--config and --scenario: give one of them; a scenario names its own town")
    if scenario is not None:
        town = load_scenario(scenario, configs).config
    else:
        town = load_config(config or configs / "towns" / "default.yaml")
    return town.model_copy(update={"clock": town.clock.model_copy(update={"episode_days": days})})


def live(
    sim: Simulation,
    advance: Advance,
    watcher: Watcher | None = None,
    autosave: Autosave | None = None,
    telemetry: LiveTelemetry | None = None,
    hooks: AffordanceHooks | None = None,
    diary: Diary | None = None,
) -> Figures:
    """Let the teacher run the towns to the end of their episode, saving them and telling of them if asked."""
    teacher, clock = Teacher(sim), sim.config.clock
    ticks = clock.episode_days * clock.ticks_per_day
    for tick in range(sim.tick, ticks):
        sim.advance(teacher.act())
        if watcher is not None:
            watcher.after_tick()
        if telemetry is not None:
            telemetry.after_tick()
        if hooks is not None:
            hooks.after_tick(sim)
        if autosave is not None:
            autosave.after_tick(sim)
        if diary is not None:
            diary.after_tick(sim)
        if tick % 60 == 59:
            advance(tick + 1, ticks)
    return Figures({name: mean_interval(values) for name, values in sim.kpis().items()}, sim.events_dropped)


def print_figures(figures: Figures, names: tuple[str, ...] | list[str], towns: int, days: int) -> None:
    """Print a table of key figures: mean over the towns and its 95 % confidence interval."""
    rows = [(name, f"{kpi.mean:.3f}", interval_text(kpi)) for name, kpi in _chosen(figures, names)]
    title = f"{counted(towns, 'town')}, {counted(days, 'day')}, teacher"
    print_table(title, ("key figure", "mean", "95 % interval"), rows)
    if figures.events_dropped:
        typer.echo(f"warning: {figures.events_dropped} events were lost because a log was full", err=True)


def _chosen(figures: Figures, names: tuple[str, ...] | list[str]) -> list[tuple[str, Interval]]:
    return [(name, figures.kpis[name]) for name in names]


def _print(outcome: _Outcome, report: bool) -> None:
    figures = outcome.figures
    print_figures(figures, list(figures.kpis) if report else HEADLINES, outcome.sim.shape[0], outcome.days)
    if outcome.diary is not None and report:
        print_diary(outcome.diary, outcome.sim.config)
    print_hooks(outcome.hooks)


def _document(outcome: _Outcome) -> dict[str, object]:
    sim, figures, diary, status = outcome.sim, outcome.figures, outcome.diary, outcome.telemetry
    life = diary_document(diary, sim.config) if diary is not None else {}
    told = {"telemetry": status._asdict()} if status else {}
    return {
        "config_id": sim.config.config_id,
        "config_digest": config_digest(sim.config),
        "seed": sim.seed,
        "towns": sim.shape[0],
        "agents": sim.shape[1],
        "days": outcome.days,
        "policy": "teacher",
        "events_dropped": figures.events_dropped,
        "kpis": {name: kpi._asdict() for name, kpi in figures.kpis.items()},
        **life,
        **hook_document(outcome.hooks),
        **told,
    }
