"""Stability: evaluation on held-out towns, the gates, and the promotion of what passes them."""

from townlet_core.stability.claims import CANDIDATE, CURRENT, TEACHER
from townlet_core.stability.criteria import Criterion, Verdict
from townlet_core.stability.evaluation import Evaluation, Window, difference, estimate, towns_table
from townlet_core.stability.evidence import CloningEvidence, DataEvidence, Evidence, TrainingEvidence
from townlet_core.stability.gates import Decision, decide, modes_against
from townlet_core.stability.pointer import (
    HistoryEntry,
    Release,
    champion,
    current_release,
    effective_history,
    history,
    roll_back,
    swap,
    withdrawn,
)
from townlet_core.stability.promotion import publish, read_decision, require_promotion, write_decision
from townlet_core.stability.suite import Contender, Planned, evaluate, evaluate_by_plan, scripted_teacher

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
    "Planned",
    "Release",
    "TrainingEvidence",
    "Verdict",
    "Window",
    "champion",
    "current_release",
    "decide",
    "difference",
    "effective_history",
    "estimate",
    "evaluate",
    "evaluate_by_plan",
    "history",
    "modes_against",
    "publish",
    "read_decision",
    "require_promotion",
    "roll_back",
    "scripted_teacher",
    "swap",
    "towns_table",
    "withdrawn",
    "write_decision",
]
