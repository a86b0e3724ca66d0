"""All stages in the order of the line; a scenario file more is a capture and a curation asset more."""

from collections.abc import Sequence

import dagster as dg

from assets.calibration import gate_calibration
from assets.capture import capture_asset
from assets.curation import curated_asset
from assets.datasets import dataset_asset
from assets.evaluation import evaluation
from assets.golden import golden_rollouts
from assets.promotion import promotion_decision, verdict
from assets.rehearsal import promotion_drill
from assets.release import release_bundle, release_pointer, verifies
from assets.telemetry import telemetry_summary
from assets.training import policy_candidate
from assets.variants import variant_comparison


def line_assets(scenarios: Sequence[str]) -> list[dg.AssetsDefinition]:
    """Every asset of a line over these scenarios."""
    return [
        *(capture_asset(scenario) for scenario in scenarios),
        *(curated_asset(scenario) for scenario in scenarios),
        dataset_asset(scenarios),
        policy_candidate,
        telemetry_summary,
        evaluation,
        variant_comparison,
        gate_calibration,
        promotion_decision,
        golden_rollouts,
        promotion_drill,
        release_bundle,
        release_pointer,
    ]


def line_checks() -> list[dg.AssetChecksDefinition]:
    """The checks that are steps of their own, so that they can run again by themselves."""
    return [verdict, verifies]
