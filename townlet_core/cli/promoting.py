"""`townlet promote`: where the promotion stands, and the hand on the release pointer."""

import getpass
import platform
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from townlet_core.cli import proving, rehearsing
from townlet_core.cli.options import CONFIGS, DATA, AsJson, Configs, Data
from townlet_core.cli.output import print_facts, print_json, print_table
from townlet_core.release.pointing import history_rows, point_at, whole_bundle
from townlet_core.release.standing import standing
from townlet_core.release.workshop import Workshop
from townlet_core.stability import Release, history, roll_back, swap

app = typer.Typer(help="Where the promotion stands; apply it, or take it back.", no_args_is_help=True)

app.command("evaluate", epilog=proving.EVALUATE)(proving.evaluate_promotion)
app.command("calibrate", epilog=proving.CALIBRATE)(proving.calibrate)
app.command("golden", epilog=rehearsing.GOLDEN)(rehearsing.golden)
app.command("compare-variants", epilog=rehearsing.COMPARE)(rehearsing.compare)

Reason = Annotated[str, typer.Option(help="Why, for the history.")]
Name = Annotated[str, typer.Argument(help="Id of a release that was current before, or how it begins.")]
Back = Annotated[str | None, typer.Option(help="Id of an earlier release; by default the one that was replaced.")]


@app.command("status", epilog="Example: townlet promote status --json")
def status(as_json: AsJson = False, configs: Configs = CONFIGS, data: Data = DATA) -> None:
    """Say where the promotion stands: monitoring, ready, promoted or rolled back, and why."""
    found = standing(configs, Workshop(data))
    current = found.current.release_id if found.current is not None else None
    if as_json:
        print_json({**found._asdict(), "current": found.current.model_dump() if found.current else None})
    else:
        facts = {"candidate": found.candidate, "verdict": found.verdict, "current release": current, "why": found.why}
        print_facts(found.state.replace("_", " "), {name: value or "none" for name, value in facts.items()})


@app.command("apply", epilog="Example: townlet promote apply. Doing it twice changes nothing.")
def apply(as_json: AsJson = False, configs: Configs = CONFIGS, data: Data = DATA) -> None:
    """Point at the bundle that was built last, if its promotion still stands."""
    workshop = Workshop(data)
    moved = point_at(workshop.latest("bundle"), configs, workshop, run_facts(None))
    _tell(moved.release, moved.moved, as_json)


@app.command("rollback", epilog="Example: townlet promote rollback --reason 'queues grew'. Doing it twice moves once.")
def rollback(reason: Reason = "", to: Back = None, as_json: AsJson = False, data: Data = DATA) -> None:
    """Point at the release that the current one replaced; the one that is taken back is not promoted again."""
    workshop = Workshop(data)
    _tell(*roll_back(workshop.state, whole_bundle(workshop), run_facts(reason), to), as_json)


@app.command("swap", epilog="Example: townlet promote swap townlet-0123456789abcdef --reason 'as good, and smaller'")
def swap_release(release: Name, reason: Reason = "", as_json: AsJson = False, data: Data = DATA) -> None:
    """Point at any release that was current before."""
    workshop = Workshop(data)
    _tell(*swap(workshop.state, release, whole_bundle(workshop), run_facts(reason)), as_json)


@app.command("history", epilog="Example: townlet promote history --json")
def show_history(as_json: AsJson = False, data: Data = DATA) -> None:
    """List everything that the release pointer went through, oldest first."""
    workshop = Workshop(data)
    if as_json:
        print_json([entry.model_dump(mode="json") for entry in history(workshop.state)])
        return
    rows = [
        (str(number), event, release, previous or "–") for number, event, release, previous in history_rows(workshop)
    ]
    print_table("release history", ("#", "event", "release", "before"), rows)


def run_facts(reason: str | None) -> dict[str, Any]:
    """Facts about this run for the history: when, who, where, and why if somebody said."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    facts = {"at": now, "by": getpass.getuser(), "host": platform.node()}
    return facts if not reason else {**facts, "reason": reason}


def _tell(release: Release, moved: bool, as_json: bool) -> None:
    if as_json:
        print_json({"moved": moved, "release": release.model_dump()})
    else:
        print(f"{release.release_id} is the current release" + ("" if moved else ", as it was before"))
