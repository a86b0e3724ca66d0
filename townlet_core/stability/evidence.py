"""What a candidate is judged on: figures of its data, of its training and of its life in the towns, with digests."""

from typing import Self

from pydantic import BaseModel, model_validator

from townlet_core.config import digest
from townlet_core.stability.criteria import FROZEN, Figure
from townlet_core.stability.evaluation import Evaluation


class DataEvidence(BaseModel):
    """Figures of the dataset version that the candidate was trained on.

    `action_shares` is each action's share of the decisions, by name; `clipped_share` the share of reward ticks cut off.
    """

    model_config = FROZEN
    dataset_id: str
    decisions: int
    action_shares: dict[str, Figure]
    clipped_share: Figure


class CloningEvidence(BaseModel):
    """Figures of the training report: accuracy on held-out decisions, overall and per scenario."""

    model_config = FROZEN
    dataset_id: str
    candidate_digest: str
    accuracy: Figure
    majority_share: Figure
    scenarios: dict[str, Figure]


class TrainingEvidence(BaseModel):
    """Figures of the log of a policy's training, as means over its last updates, by their short names.

    `recipe` is the digest of the profile without name and seed; None for a clone, which has no such log and no
    figures. `mode` is what the training learnt from, `form` the version of the log; figures of another form than
    today's are not read. `logged` updates are in the log out of `planned`. `frozen` says whether annealing ended so,
    None where nothing was annealed.
    """

    model_config = FROZEN
    policy_digest: str
    recipe: str | None
    mode: str | None
    form: str | None
    logged: int
    planned: int
    frozen: bool | None = None
    figures: dict[str, Figure]


class Evidence(BaseModel):
    """Everything that a decision rests on; a part that does not exist is None and holds the decision.

    `baseline_digest` is the policy of the release that the candidate would replace (`promotion.champion`), None when
    there is none; `incompatible` is how its layout differs from the candidate's, None when both can live in the same
    towns. `engine`, `teacher` and `scenarios` are the digests of the engine's sources, of the scripted teacher and of
    the configuration of each scenario of the plan as they are now. `baseline_training` is the log of the training that
    the current release came from.
    """

    model_config = FROZEN
    candidate_digest: str
    dataset_id: str
    baseline_digest: str | None
    incompatible: str | None
    engine: str
    teacher: str
    scenarios: dict[str, str]
    data: DataEvidence | None
    cloning: CloningEvidence | None
    training: TrainingEvidence | None
    baseline_training: TrainingEvidence | None
    evaluation: Evaluation | None

    @model_validator(mode="after")
    def _somebody_differs(self) -> Self:
        if self.incompatible is not None and self.baseline_digest is None:
            raise ValueError("incompatible: there is no release whose layout could differ")
        return self

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical form."""
        return digest(self)
