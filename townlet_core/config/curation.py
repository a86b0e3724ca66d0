"""Which captured episodes may teach, and how many judge what was learnt."""

from pydantic import BaseModel, Field

from townlet_core.config.fields import STRICT, Duration, Share


class CurationRules(BaseModel):
    """The rules an episode (one town's stretch of days) must pass, the share of episodes held out to report on, and
    the share that validates: that says when training stops.

    `window_days` is how many of the newest capture dates a dataset draws from.
    """

    model_config = STRICT
    min_ticks: Duration = 1440
    min_distinct_actions: int = Field(default=5, ge=1, le=100)
    max_majority_share: Share = 0.9
    max_clipped_share: Share = 0.05
    allow_deaths: bool = False
    reject_duplicates: bool = True
    holdout_share: float = Field(default=0.25, gt=0.0, lt=1.0)
    validation_share: float = Field(default=0.1, gt=0.0, lt=1.0)
    window_days: int = Field(default=14, ge=1, le=3650)
