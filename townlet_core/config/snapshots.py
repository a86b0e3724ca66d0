"""Where snapshots may lie, how often they are made and how many are kept, and which ones may be loaded.

These rules decide nothing about a town's history, so they are a file of their own and no part of its digest.
"""

from typing import Annotated

from pydantic import BaseModel, Field

from townlet_core.config.fields import STRICT

MIN_CADENCE = 100
"""Ticks: saving more often than this costs more than living."""
MAX_RETAIN = 1000

Cadence = Annotated[int, Field(ge=MIN_CADENCE, le=100_000_000)]
Retain = Annotated[int, Field(ge=1, le=MAX_RETAIN)]
Folder = Annotated[str, Field(min_length=1, max_length=4096)]


class AutosaveRules(BaseModel):
    """How often `--autosave` saves, unless `--every` says so, and how many files of a run it keeps; null: never."""

    model_config = STRICT
    cadence_ticks: Cadence | None = 1440
    retain: Retain = 3


class Guardrails(BaseModel):
    """What may be loaded: only towns of exactly the named configuration, no newer schema, and from which folders."""

    model_config = STRICT
    require_exact_config: bool = True
    allow_downgrade: bool = False
    allowed_paths: tuple[Folder, ...] = ()


class SnapshotRules(BaseModel):
    """The rules of `configs/snapshots.yaml`; `root` is a folder below the data folder."""

    model_config = STRICT
    root: Folder = "snapshots"
    autosave: AutosaveRules = AutosaveRules()
    guardrails: Guardrails = Guardrails()
