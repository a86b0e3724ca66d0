"""The telemetry summary: what life in the captured towns and the training on it looked like."""

import dagster as dg

from assets import datasets, training
from assets.code import code_version
from assets.failures import plain_failures
from assets.line import OWNERS, Line
from assets.metadata import facts
from assets.verdicts import Finding, Guarantee, results, specs

KEY = dg.AssetKey("telemetry_summary")
NEEDS_MET = Guarantee("needs_are_met", "In every scenario each need's mean stays above 0.3 all day.", blocking=False)
TRAINING_WELL = Guarantee(
    "training_kept_its_bounds", "The log of the training gives no alarm by configs/watch.yaml.", blocking=False
)
GUARANTEES = [NEEDS_MET, TRAINING_WELL]
LEAST_NEED = 0.3


@dg.asset(
    key=KEY,
    deps=[training.KEY, datasets.KEY],
    group_name="telemetry",
    kinds={"markdown", "png"},
    owners=OWNERS,
    code_version=code_version("telemetry"),
    check_specs=specs(KEY, GUARANTEES),
    description="A page with plots: the clone's training curve, the improvement update by update, what citizens did in "
    "each hour of the day, and how their needs went, per scenario, from the captured shards that the candidate learnt "
    "from.",
)
def telemetry_summary(line: Line) -> dg.MaterializeResult:
    """Summarise the published candidate and its dataset, or take the summary that both gave before."""
    with plain_failures():
        return _summarise(line)


def _summarise(line: Line) -> dg.MaterializeResult:
    from townlet_core.config.watch import load_watch
    from townlet_core.release.candidate import read_candidate
    from townlet_core.release.summary import summarise_candidate
    from townlet_core.release.workshop import stored_bytes

    rules = load_watch(line.config("watch.yaml"))
    summary = summarise_candidate(read_candidate(line.workshop), line.workshop, rules)
    line.workshop.publish("telemetry", summary.record)
    page = stored_bytes(line.workshop.artifacts, summary.record["inline"]).decode()
    lowest = summary.record["lowest_needs"]
    met = Finding(NEEDS_MET, all(level > LEAST_NEED for level in lowest.values()), {**lowest, "bound": LEAST_NEED})
    alarms = summary.record["alarms"]
    well = Finding(TRAINING_WELL, not alarms, {"alarms": len(alarms), "first": alarms[0] if alarms else "none"})
    return dg.MaterializeResult(
        data_version=dg.DataVersion(summary.record["digest"]),
        metadata={
            "reused": summary.reused,
            "lowest_needs": facts(lowest),
            "summary": dg.MetadataValue.md(page),
        },
        check_results=results([met, well]),
    )
