"""`townlet audit`: follow a release or a dataset to every byte that it was made from."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.tree import Tree

from townlet_core.cli.options import DATA, AsJson, Data
from townlet_core.cli.output import print_json
from townlet_core.errors import DataError, InputError

if TYPE_CHECKING:
    from townlet_core.release.tracing import Trace, Traced
    from townlet_core.release.workshop import Workshop

app = typer.Typer(help="Audit datasets, and the lineage of releases.", no_args_is_help=True)

LINEAGE = "Example: townlet audit lineage 3fa81c. Exit code 0: every byte is there; 1: something is missing or changed."
DATASETS = "Example: townlet audit datasets. Exit code 1: something is damaged or lost."
WIDE = 240
COLOURS = {"verified": "green", "missing": "yellow", "changed": "red"}
SHOWN = ("seed", "towns", "rows", "decisions", "accepted", "rejected", "accuracy", "verdict", "config_digest")


@app.command("lineage", epilog=LINEAGE)
def lineage(
    subject: Annotated[
        str, typer.Argument(help="A bundle's folder, or the beginning of a bundle's or dataset's digest.")
    ],
    as_json: AsJson = False,
    data: Data = DATA,
) -> None:
    """Show everything that a release or a dataset was made from, down to the captured shards, and check each byte."""
    trace = find_trace(subject, data)
    if as_json:
        print_json(trace.to_json())
    else:
        _print(trace)
    raise typer.Exit(0 if trace.ok else 1)


@app.command("datasets", epilog=DATASETS)
def datasets(as_json: AsJson = False, data: Data = DATA) -> None:
    """Read every record of the store, verify every object that one names, and check every dataset version."""
    from townlet_core.datasets import audit
    from townlet_core.release.workshop import Workshop

    if not data.is_dir():
        raise InputError(f"--data: {data}: no such folder; name the one that runs wrote to")
    report = audit(Workshop(data).datasets)
    if as_json:
        print_json({"verdict": report.verdict, **report._asdict(), "findings": [f._asdict() for f in report.findings]})
    else:
        for finding in report.findings:
            print(f"{finding.severity}  {finding.message}")
        print(f"{report.verdict}: {report.objects} objects, {report.records} records, {report.versions} versions")
    raise typer.Exit(1 if report.verdict == "FAIL" else 0)


def find_trace(subject: str, data: Path) -> "Trace":
    """The checked lineage of a bundle's folder or of a digest, a bundle's or a dataset's.

    Raises:
        InputError: nothing goes by that name, or more than one thing does.
    """
    from townlet_core.release.tracing import find_bundle, trace_bundle
    from townlet_core.release.workshop import Workshop

    workshop = Workshop(data)
    bundle = find_bundle(subject, workshop.releases)
    return trace_bundle(bundle, workshop.datasets) if bundle is not None else _dataset_trace(subject, workshop)


def _dataset_trace(subject: str, workshop: "Workshop") -> "Trace":
    from townlet_core.datasets import find_version, read_version
    from townlet_core.release.lineage import dataset_nodes
    from townlet_core.release.tracing import trace_nodes

    try:
        found = find_version(workshop.datasets, subject)
    except DataError as error:
        raise InputError(f"{error}, and no bundle; `ls {workshop.releases}` shows the bundles") from error
    nodes = dataset_nodes(read_version(workshop.datasets, found), workshop.datasets)
    return trace_nodes("dataset", nodes, workshop.datasets)


def _print(trace: "Trace") -> None:
    tree = Tree(f"[bold]{trace.root}[/] {trace.root_digest}")
    shown: set[str] = set()
    for name in trace.top:
        _grow(tree, name, trace, shown)
    Console(highlight=False, width=None if sys.stdout.isatty() else WIDE).print(tree)
    states = [traced.state.value for traced in trace.nodes.values()]
    print(", ".join(f"{states.count(state)} {state}" for state in COLOURS if state in states))


def _grow(tree: Tree, name: str, trace: "Trace", shown: set[str]) -> None:
    traced = trace.nodes[name]
    if name in shown:
        tree.add(f"{name} {traced.node.digest[:12]} [dim](above)[/]")
        return
    shown.add(name)
    branch = tree.add(_line(traced))
    for item in traced.node.objects:
        branch.add(f"[dim]{item}[/]")
    for below in traced.node.inputs:
        _grow(branch, below, trace, shown)


def _line(traced: "Traced") -> str:
    known = traced.node.facts
    facts = " ".join(f"{key}={_short(known[key])}" for key in SHOWN if isinstance(known.get(key), int | float | str))
    run = f" run={traced.run['run_id'][:8]} storage_id={traced.run['storage_id']}" if traced.run else ""
    state = f"[{COLOURS[traced.state.value]}]{traced.state.value}[/]"
    problem = f" — {traced.problem}" if traced.problem else ""
    return f"{traced.name} {traced.node.digest[:12]} {state}{problem} [dim]{facts}{run}[/]"


def _short(value: object) -> str:
    text = str(value)
    return text[:12] if len(text) == 64 else text
