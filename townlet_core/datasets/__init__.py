"""Datasets: trajectories as verified Parquet shards, from capture over curation to versions that learners read."""

from townlet_core.datasets.audit import AuditReport, Finding, audit
from townlet_core.datasets.capture import capture, capture_seed
from townlet_core.datasets.comparing import Difference
from townlet_core.datasets.curation import curate
from townlet_core.datasets.derivations import Derived, derive
from townlet_core.datasets.reading import DecisionBatch, DecisionReader
from townlet_core.datasets.records import CaptureRecord, CuratedRecord, EpisodeVerdict, read_capture, read_curated
from townlet_core.datasets.replay import ReplayReport, replay
from townlet_core.datasets.store import Record, Store
from townlet_core.datasets.versions import build_version, deprecate, find_version, read_catalogue, read_version

__all__ = [
    "AuditReport",
    "CaptureRecord",
    "CuratedRecord",
    "DecisionBatch",
    "DecisionReader",
    "Derived",
    "Difference",
    "EpisodeVerdict",
    "Finding",
    "Record",
    "ReplayReport",
    "Store",
    "audit",
    "build_version",
    "capture",
    "capture_seed",
    "curate",
    "deprecate",
    "derive",
    "find_version",
    "read_capture",
    "read_catalogue",
    "read_curated",
    "read_version",
    "replay",
]
