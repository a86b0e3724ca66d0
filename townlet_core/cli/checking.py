"""Checks of scenarios on the command line: what was promised, what was observed, and the verdict."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from townlet_core.cli.options import CONFIGS, AsJson, Configs, Threads, is_given, refuse_unused
from townlet_core.cli.output import counted, print_json, print_table, progress_bar
from townlet_core.config import Scenario, load_scenario, scenario_names
from townlet_core.core import Simulation
from townlet_core.errors import ConfigError, InputError
from townlet_core.policy.teacher import Teacher
from townlet_core.scenarios import Report, bind, check

Names = Annotated[list[str] | None, typer.Argument(help="Scenarios by name or file; all of them by default.")]
Run = Annotated[bool, typer.Option("--run", help="Let every scenario live, and check that it keeps its promises.")]

CHECKED_ALONE = (
    *("config", "days", "report", "plot", "watch", "speed", "hooks"),
    *("autosave", "every", "keep", "resume", "telemetry", "telemetry_settings"),
)
"""Options of `townlet simulate` that a check leaves no room for."""


def check_alone(context: typer.Context, name: str | None, configs: Path, threads: int, as_json: bool) -> None:
    """Check one scenario for `townlet simulate --check`, over other towns or another seed if the options say so.

    Raises:
        InputError: No scenario is named, or an option does not go with a check.
        Exit: With code 1 when a promise is broken.
    """
    refuse_unused(context, CHECKED_ALONE, "does not go with --check; the scenario's 'check' section says how it is run")
    if name is None:
        raise InputError("--check: checks what a scenario promises; name one with --scenario")
    scenario = load_scenario(name, configs)
    chosen = {key: context.params[key] for key in ("towns", "seed") if is_given(context, key)}
    rules = scenario.check.model_copy(update=chosen)
    _show([_checked(scenario._replace(check=rules), threads, as_json)], as_json)


def validate_scenarios(
    context: typer.Context,
    scenarios: Names = None,
    run: Run = False,
    threads: Threads = 1,
    as_json: AsJson = False,
    configs: Configs = CONFIGS,
) -> None:
    """Check scenarios with every name in their expectations; with --run, let them live and judge them."""
    if not run:
        refuse_unused(context, ["threads"], "nobody lives without --run; add it, or leave the option out")
    loaded = [load_scenario(name, configs) for name in scenarios or scenario_names(configs)]
    if not loaded:
        raise ConfigError(f"{configs / 'scenarios'}: no scenario here; add one, or name another folder with --configs")
    if run:
        _show([_checked(scenario, threads, as_json) for scenario in loaded], as_json)
        return
    for scenario in loaded:
        sim = Simulation(scenario.config)
        for expectation in scenario.expectations:
            bind(expectation, sim)
    facts = [(one.name, str(len(one.expectations)), "yes" if one.capture else "no") for one in loaded]
    if as_json:
        print_json({"ok": True, "scenarios": {name: int(count) for name, count, _ in facts}})
    else:
        print_table("sound scenarios", ("scenario", "expectations", "captured"), facts)


def _checked(scenario: Scenario, threads: int, quiet: bool) -> Report:
    with progress_bar(f"check {scenario.name}", quiet=quiet) as advance:
        return check(scenario, Teacher, threads=threads, progress=advance)


def _show(reports: Sequence[Report], as_json: bool) -> None:
    if as_json:
        documents = [_document(report) for report in reports]
        print_json(documents[0] if len(documents) == 1 else {"met": all(r.met for r in reports), "checks": documents})
    else:
        for report in reports:
            _print(report)
    if not all(report.met for report in reports):
        raise typer.Exit(1)


def _print(report: Report) -> None:
    rows = [
        (verdict.expectation, verdict.demanded, verdict.observed, "met" if verdict.met else "BROKEN")
        for verdict in report.verdicts
    ]
    title = f"{report.scenario}: {counted(report.towns, 'town')}, {report.ticks} ticks, seed {report.seed}, teacher"
    print_table(title, ("expectation", "demanded", "observed", "verdict"), rows)
    if report.events_dropped:
        typer.echo(f"{report.scenario}: {report.events_dropped} events were lost because a log was full", err=True)


def _document(report: Report) -> dict[str, Any]:
    verdicts = [verdict._asdict() for verdict in report.verdicts]
    return {**report._asdict(), "policy": "teacher", "met": report.met, "verdicts": verdicts}
