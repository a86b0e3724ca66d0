"""How a policy is trained: sizes of the network, steps of the optimiser, when to stop."""

from pydantic import BaseModel, Field

from townlet_core.config.fields import STRICT, Identifier, Share


class TrainingProfile(BaseModel):
    """One way to train. `patience` is in epochs without improvement on held-out episodes; `class_balance`
    weighs actions from their share (0) to evenly (1); `hidden` and `map_hidden` are layer widths.
    """

    model_config = STRICT
    profile: Identifier
    seed: int = Field(default=7, ge=0, le=2**63 - 1)
    epochs: int = Field(default=30, ge=1, le=10_000)
    batch_size: int = Field(default=512, ge=1, le=1_000_000)
    learning_rate: float = Field(default=1e-3, gt=0.0, le=1.0)
    weight_decay: float = Field(default=1e-4, ge=0.0, le=1.0)
    hidden: int = Field(default=128, ge=1, le=8192)
    map_hidden: int = Field(default=64, ge=1, le=8192)
    patience: int = Field(default=6, ge=1, le=10_000)
    class_balance: Share = 0.5
    value_weight: float = Field(default=0.1, ge=0.0, le=100.0)
