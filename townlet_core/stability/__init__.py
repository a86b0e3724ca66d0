"""Stability: evaluation on held-out towns, the gates, and the promotion of what passes them."""

from townlet_core.stability.criteria import Criterion, Verdict
from townlet_core.stability.evaluation import (
    CANDIDATE,
    CURRENT,
    TEACHER,
    Contender,
    Evaluation,
    difference,
    estimate,
    evaluate,
    towns_table,
)
from townlet_core.stability.evidence import CloningEvidence, DataEvidence, Evidence
from townlet_core.stability.gates import Decision, decide
from townlet_core.stability.promotion import (
    HistoryEntry,
    Release,
    champion,
    current_release,
    history,
    publish,
    read_decision,
    require_promotion,
    write_decision,
)

__all__ = [
    "CANDIDATE",
    "CURRENT",
    "TEACHER",
    "CloningEvidence",
    "Contender",
    "Criterion",
    "DataEvidence",
    "Decision",
    "Evaluation",
    "Evidence",
    "HistoryEntry",
    "Release",
    "Verdict",
    "champion",
    "current_release",
    "decide",
    "difference",
    "estimate",
    "evaluate",
    "history",
    "publish",
    "read_decision",
    "require_promotion",
    "towns_table",
    "write_decision",
]
