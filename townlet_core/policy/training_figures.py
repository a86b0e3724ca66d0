"""Parts of a training's records: what an update learnt from, where annealing stands, and what was felt and measured."""

from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

LearnsFrom = Literal["rollout", "replay", "mixed", "anneal"]
Stage = Literal["OFF", "C1", "C2", "C3"]

_MODEL = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class ConflictFigures(BaseModel):
    """Rivalry as each citizen felt it during a rollout, seen every tenth tick, averaged over citizens.

    `rivalry_max` is the strongest rivalry that a citizen feels, `rivalry_avoid_count` with how many others it is so
    strong that they keep apart; `mean` and `max` are over the rollout.
    """

    model_config = _MODEL
    rivalry_max_mean_avg: float
    rivalry_max_max_avg: float
    rivalry_avoid_count_mean_avg: float
    rivalry_avoid_count_max_avg: float


class RowsUsed(BaseModel):
    """Which decisions an update learnt from, and which it only lived through."""

    model_config = _MODEL
    lived: int
    """Taken by the policy itself in fresh rollouts, and learnt from."""
    stored: int
    """Of the dataset version's training side; a decision that was dealt twice counts twice."""
    scripted: int
    """Taken by the teacher in fresh rollouts; learnt from only as far as they were imitated."""
    imitated: int
    """Of the teacher's decisions, those that were learnt from; each pass over them counts."""


class KpiVerdict(BaseModel):
    """One key figure at the end of a cycle: what was found, beside its baseline and the bound that follows from it."""

    model_config = _MODEL
    found: float | None
    """None where it could not be measured, which is no good figure."""
    baseline: float
    bound: float
    held: bool


class CloneScore(NamedTuple):
    """How well a clone agrees with the teacher on the held-out decisions of a dataset version."""

    dataset: str
    accuracy: float


class Drift(BaseModel):
    """A figure's mean over a cycle beside its mean over the first one, and whether it is too far from it.

    The flag is raised by a loss more than a tenth off, and by jams, or ticks waited in vain, below 85 %.
    """

    model_config = _MODEL
    found: float
    baseline: float
    flag: bool


class Annealing(BaseModel):
    """Where annealing stands during an update and, where a cycle ends with it, what was decided."""

    model_config = _MODEL
    step: int
    """Place on the way from the first share (0) to none."""
    ratio: float
    """Share of citizens that the teacher drives in episodes that begin in this update."""
    frozen: bool
    decision: Literal["advance", "freeze", "recover", "stay"] | None = None
    next_ratio: float | None = None
    rolled_back_to: int | None = None
    """The update whose weights returned; 0 is the clone."""
    kpis: dict[str, KpiVerdict] = Field(default_factory=dict)
    dataset: str | None = None
    """The version that the clone learnt from; None where the training was not told, as the accuracy."""
    clone_accuracy: float | None = None
    """The clone's agreement with the teacher on held-out decisions."""
    clone_threshold: float | None = None
    """What the profile asks of it, `anneal.min_clone_accuracy`."""
    clone_passed: bool | None = None
    drift: dict[str, Drift] = Field(default_factory=dict)
    """Where a cycle ends, behind the first one: what it measured beside the first one."""

    @property
    def trusted(self) -> bool:
        """Whether the weights of the update may ship: not while frozen, and not those that were taken back."""
        return self.decision != "freeze" if self.decision is not None else not self.frozen


class StoredFigures(BaseModel):
    """The policy on the dataset version's validation side, which taught it nothing."""

    model_config = _MODEL
    decisions: int
    agreement: float
    """Share in which the likeliest action is the recorded one."""
    log_prob_mean: float
    """Of the recorded actions, in nats."""
    value_explained: float | None
    """Share of the returns' variance that the critic foretells; None where they do not vary."""
