"""`townlet promote golden` and `compare-variants`: what was forgotten, and whether it matters what citizens see."""

import typer

from townlet_core.cli.options import CONFIGS, DATA, AsJson, Configs, Data
from townlet_core.cli.output import described_bar, print_facts, print_json, print_table, progress_bar
from townlet_core.release.candidate import read_candidate
from townlet_core.release.golden import STAGE, rehearse_golden
from townlet_core.release.variants import HEADER, compare_variants, comparison_rows
from townlet_core.release.variants import STAGE as VARIANTS
from townlet_core.release.workshop import Workshop
from townlet_core.stability.forgetting import GoldenReport

GOLDEN = "Example: townlet promote golden. Exit code 0: nothing was forgotten; 1: something was."

COMPARE = "Example: townlet promote compare-variants. Exit code 0: every figure lies within its band; 1: not so."


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


def compare(as_json: AsJson = False, configs: Configs = CONFIGS, data: Data = DATA) -> None:
    """Clone the teacher once for each way of seeing, and say whether the clones live alike."""
    workshop = Workshop(data)
    with described_bar("compare variants", quiet=as_json) as advance:
        found = compare_variants(configs, workshop, lambda what, done, total: advance(done, total, what))
    workshop.publish(VARIANTS, found.record)
    comparison = found.comparison
    if as_json:
        print_json({"agrees": comparison.agrees, "digest": comparison.digest, **comparison.model_dump(mode="json")})
    else:
        print_table("variants", HEADER, comparison_rows(comparison))
        agreed = {
            f"{name} agrees with the teacher in": ", ".join(f"{share:.1%}" for share in one.accuracy)
            for name, one in comparison.schooling.items()
        }
        told = "yes" if comparison.same_teacher else "NO: nothing can be said"
        print_facts("clones", {**agreed, "were shown the same": told})
    raise typer.Exit(0 if comparison.agrees else 1)


def _tell(report: GoldenReport) -> None:
    for one in sorted(report.criteria, key=lambda criterion: criterion.verdict.severity):
        print(f"{one.verdict:<4}  {one.name}: {one.reason}")
    for release, why in report.left_out.items():
        print(f"left out  {release}: {why}")
    told = "nothing was forgotten" if report.holds else f"{len(report.broken)} figures are outside their bands"
    print(f"{told}; the bar was set by {report.bar}")
