"""`townlet release`: build a release from one command, and verify one anywhere."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from assets import training
from assets.partitions import FIRST_DAY
from townlet_core.cli.options import CONFIGS, DATA, AsJson, Configs, Data
from townlet_core.cli.output import print_facts, print_json

app = typer.Typer(help="Build a release bundle, and verify one.", no_args_is_help=True)

BUILD = "Example: townlet release build --profile full. Exit code 0: promoted; 1: refused or failed; 2: bad input."
VERIFY = "Example: townlet release verify data/releases/townlet-0123456789abcdef. Exit code 1 names what is wrong."


@app.command("build", epilog=BUILD)
def build(
    date: Annotated[str | None, typer.Option(help="Day to capture; by default the newest that was captured.")] = None,
    profile: Annotated[str, typer.Option(help="Training profile: a file of configs/training.")] = training.PROFILE,
    as_json: AsJson = False,
    configs: Configs = CONFIGS,
    data: Data = DATA,
) -> None:
    """Run the whole line for one day: capture, train, evaluate, decide, and bundle what is promoted."""
    from assets.line import Line
    from pipelines.definitions import build_defs
    from pipelines.headless import require_day, run_job
    from pipelines.instance import open_instance

    require_configuration(configs, profile)
    line = Line(data=str(data.resolve()), configs=str(configs.resolve()))
    day = require_day(date or newest_day(data))
    with open_instance(data) as instance, _watching(quiet=as_json) as watch:
        settings = {training.KEY.to_python_identifier(): {"profile": profile}}
        run = run_job(build_defs(line), instance, "release", day, watch, settings)
    _tell(_outcome(run, line, profile), as_json)
    raise typer.Exit(run.exit_code)


@app.command("verify", epilog=VERIFY)
def verify(
    bundle: Annotated[Path, typer.Argument(help="Folder of a release bundle.")], as_json: AsJson = False
) -> None:
    """Compare a bundle with its manifest and its parts with one another, offline; name everything that is wrong."""
    from townlet_core.release import verify_bundle

    report = verify_bundle(bundle)
    if as_json:
        print_json(report.to_json())
    else:
        for problem in report.problems:
            print(problem)
        verdict = "verified" if report.ok else f"NOT verified: {len(report.problems)} of its files are wrong"
        print(f"{bundle}: {verdict}; {report.files} files, {report.bytes:,} bytes, digest {report.content_digest}")
    raise typer.Exit(0 if report.ok else 1)


def require_configuration(configs: Path, profile: str) -> None:
    """Read every configuration file that a release needs, so that a mistake is told before any work starts.

    Args:
        configs: folder of the configuration files.
        profile: the training profile; the scenarios that it lives in must be there too.

    Raises:
        ConfigError: a file is missing or wrong.
    """
    from townlet_core.config import load_curation, load_profile, load_scenario, scenario_names
    from townlet_core.config.gates import load_gates
    from townlet_core.config.rehearsal import load_rehearsal
    from townlet_core.config.watch import load_watch
    from townlet_core.release.candidate import training_scenarios

    for name in scenario_names(configs):
        load_scenario(name, configs)
    load_curation(configs / "curation.yaml")
    training_scenarios(load_profile(profile, configs), configs)
    load_watch(configs / "watch.yaml")
    load_gates(configs / "gates.yaml")
    load_rehearsal(configs / "rehearsal.yaml")


def newest_day(data: Path) -> str:
    """The newest day that was captured, so that a release can be built again; the first day of the line before that."""
    days = {path.stem for path in (data / "datasets" / "captures").glob("*/*.json")}
    return max(days, default=FIRST_DAY)


@contextmanager
def _watching(*, quiet: bool) -> Iterator[Any]:
    """A line for every step that ends, and a bar where somebody looks."""
    from pipelines.headless import StepEnd, Watch

    console = Console(stderr=True, highlight=False, quiet=quiet, width=None if sys.stderr.isatty() else 120)
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True, disable=quiet or not sys.stderr.isatty()) as bar:
        task = bar.add_task("release", total=None)

        def ends(step: StepEnd) -> None:
            note = "unchanged, kept" if step.reused else ""
            mark = "[red]✗[/]" if step.problems else "[green]✓[/]"
            bar.console.print(f"{mark} {step.key:<28} {step.seconds:7.1f} s  {note}")
            bar.advance(task)

        yield Watch(lambda total: bar.update(task, total=total), lambda key: bar.update(task, description=key), ends)


def _tell(outcome: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(outcome)
        return
    if outcome["ok"]:
        print_facts(f"{outcome['verdict']}: released {outcome['bundle']}", _shown(outcome))
        return
    print(f"{outcome['verdict'] or 'STOPPED'}: nothing was released, the release pointer stays where it was")
    for problem in outcome["problems"]:
        print(f"  {problem}")


def _outcome(run: Any, line: Any, profile: str) -> dict[str, Any]:
    """What a script wants to know: only what this run decided and built, never what an older one left."""
    from townlet_core.stability import read_decision

    done = {step.key for step in run.steps if not step.problems}
    decision = read_decision(line.workshop.state) if "promotion_decision" in done else None
    bundle = line.workshop.latest("bundle") if "release_bundle" in done else {}
    return {
        "ok": run.success,
        "run_id": run.run_id,
        "day": run.day,
        "profile": profile,
        "verdict": decision.verdict if decision is not None else None,
        "reasons": list(decision.reasons) if decision is not None else [],
        "bundle": str(Path(line.data) / bundle["bundle"]) if bundle else None,
        "content_digest": bundle.get("content_digest"),
        "problems": list(run.problems),
        "steps": [step._asdict() for step in run.steps],
    }


def _shown(outcome: dict[str, Any]) -> dict[str, Any]:
    bundle = outcome["bundle"]
    return {
        "profile": outcome["profile"],
        "read first": f"{bundle}/content/README.md",
        "digest": outcome["content_digest"],
        "verify": f"townlet release verify {bundle}",
        "lineage": f"townlet audit lineage {outcome['content_digest'][:12]}",
    }
