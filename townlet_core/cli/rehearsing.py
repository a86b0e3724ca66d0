"""`townlet promote golden`: what the candidate still can do of what was possible before."""

import typer

from townlet_core.cli.options import CONFIGS, DATA, AsJson, Configs, Data
from townlet_core.cli.output import print_json, progress_bar
from townlet_core.release.candidate import read_candidate
from townlet_core.release.golden import STAGE, rehearse_golden
from townlet_core.release.workshop import Workshop
from townlet_core.stability.forgetting import GoldenReport

GOLDEN = "Example: townlet promote golden. Exit code 0: nothing was forgotten; 1: something was."


def golden(as_json: AsJson = False, configs: Configs = CONFIGS, data: Data = DATA) -> None:
    """Let the candidate live in the golden towns, hold it against the releases before it, and record that."""
    workshop = Workshop(data)
    with progress_bar("golden rollouts", quiet=as_json) as advance:
        found = rehearse_golden(read_candidate(workshop), configs, workshop, advance)
    workshop.publish(STAGE, found.record)
    if as_json:
        print_json({"holds": found.report.holds, "digest": found.report.digest, **found.report.model_dump(mode="json")})
    else:
        _tell(found.report)
    raise typer.Exit(0 if found.report.holds else 1)


def _tell(report: GoldenReport) -> None:
    for one in sorted(report.criteria, key=lambda criterion: criterion.verdict.severity):
        print(f"{one.verdict:<4}  {one.name}: {one.reason}")
    for release, why in report.left_out.items():
        print(f"left out  {release}: {why}")
    told = "nothing was forgotten" if report.holds else f"{len(report.broken)} figures are outside their bands"
    print(f"{told}; the bar was set by {report.bar}")
