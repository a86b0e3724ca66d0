"""What a user may configure: models of every section, and loading with errors that name file, line and remedy."""

from townlet_core.config.affordances import WORKPLACE, Affordance, AffordanceManifest, ObjectType
from townlet_core.config.basket import basket_per_day, day_slack
from townlet_core.config.curation import CurationRules
from townlet_core.config.documents import Document, read_document
from townlet_core.config.economy import Economy, Employment, Job, Queues
from townlet_core.config.expectations import CheckRules, Expectation
from townlet_core.config.fields import NEED_NAMES
from townlet_core.config.identity import canonical_json, config_digest, digest, id_with_variant
from townlet_core.config.loading import (
    captured_scenarios,
    embedded_config,
    load_affordances,
    load_config,
    load_curation,
    load_map,
    load_profile,
    load_scenario,
    load_snapshot_rules,
    load_training,
    scenario_names,
)
from townlet_core.config.map_checks import homes, placed_objects
from townlet_core.config.maps import LegendEntry, MapConfig
from townlet_core.config.needs import Needs, Rewards
from townlet_core.config.options import OPTION_NAMES, Option
from townlet_core.config.reading import read_model
from townlet_core.config.scenario import CaptureRules, Scenario
from townlet_core.config.schema import SCHEMA_KINDS, schema_json, write_schemas
from townlet_core.config.snapshots import AutosaveRules, Guardrails, SnapshotRules
from townlet_core.config.town import Clock, Outage, TownConfig
from townlet_core.config.training import ImprovementRules, TrainingProfile
from townlet_core.config.training_modes import AnnealRules, MixRules, Ramp, ReplayRules, StageFrom
from townlet_core.config.validation import CheckReport, check_affordances, check_config, check_map

__all__ = [
    "NEED_NAMES",
    "OPTION_NAMES",
    "SCHEMA_KINDS",
    "WORKPLACE",
    "Affordance",
    "AffordanceManifest",
    "AnnealRules",
    "AutosaveRules",
    "CaptureRules",
    "CheckReport",
    "CheckRules",
    "Clock",
    "CurationRules",
    "Document",
    "Economy",
    "Employment",
    "Expectation",
    "Guardrails",
    "ImprovementRules",
    "Job",
    "LegendEntry",
    "MapConfig",
    "MixRules",
    "Needs",
    "ObjectType",
    "Option",
    "Outage",
    "Queues",
    "Ramp",
    "ReplayRules",
    "Rewards",
    "Scenario",
    "SnapshotRules",
    "StageFrom",
    "TownConfig",
    "TrainingProfile",
    "basket_per_day",
    "canonical_json",
    "captured_scenarios",
    "check_affordances",
    "check_config",
    "check_map",
    "config_digest",
    "day_slack",
    "digest",
    "embedded_config",
    "homes",
    "id_with_variant",
    "load_affordances",
    "load_config",
    "load_curation",
    "load_map",
    "load_profile",
    "load_scenario",
    "load_snapshot_rules",
    "load_training",
    "placed_objects",
    "read_document",
    "read_model",
    "scenario_names",
    "schema_json",
    "write_schemas",
]
