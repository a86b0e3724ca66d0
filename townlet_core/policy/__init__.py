"""Policies: the scripted teacher, networks, behaviour cloning (in `bc`, which needs torch) and checkpoints."""

from townlet_core.policy.acting import LearnedPolicy, Policy
from townlet_core.policy.checkpoint import Checkpoint, load_checkpoint, read_checkpoint, save_checkpoint
from townlet_core.policy.report import CloningReport, EpochPoint
from townlet_core.policy.teacher import Teacher

__all__ = [
    "Checkpoint",
    "CloningReport",
    "EpochPoint",
    "LearnedPolicy",
    "Policy",
    "Teacher",
    "load_checkpoint",
    "read_checkpoint",
    "save_checkpoint",
]
