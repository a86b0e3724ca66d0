"""The jobs of the line: a release from nothing, a night's capture, and the promotion alone."""

import dagster as dg

VARIANTS = dg.AssetSelection.assets("variant_comparison")
"""What no release waits for: it has a job of its own."""
EVERYTHING = dg.AssetSelection.all() - VARIANTS
NIGHT = dg.AssetSelection.groups("capture", "curation")
PROMOTION = dg.AssetSelection.groups("evaluation", "promotion", "release") - VARIANTS

release_job = dg.define_asset_job(
    "release",
    selection=EVERYTHING,
    executor_def=dg.in_process_executor,
    description="From a living town to a release bundle. The partition is the day that is captured; a stage whose "
    "inputs have not changed is taken from what it recorded before.",
)

nightly_capture_job = dg.define_asset_job(
    "nightly_capture",
    selection=NIGHT,
    executor_def=dg.in_process_executor,
    description="Capture and curate one day of every scenario; the next release learns from it.",
)

promotion_job = dg.define_asset_job(
    "promotion",
    selection=PROMOTION,
    executor_def=dg.in_process_executor,
    description="Judge the candidate that is there and, if it may pass, bundle it and move the release pointer. "
    "After a failure, re-execute from failure: only the failed step and those after it run.",
)

variants_job = dg.define_asset_job(
    "compare_variants",
    selection=VARIANTS,
    executor_def=dg.in_process_executor,
    description="Whether it matters what citizens see: clones that see by different observation variants, shown the "
    "same days of the teacher, live in the same new towns. Fails where they are not shown to live alike.",
)

JOBS = [release_job, nightly_capture_job, promotion_job, variants_job]
