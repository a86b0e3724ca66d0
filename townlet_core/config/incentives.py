"""What learning is nudged by, beside what a life is worth: shaping by a potential, and curiosity."""

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, Field

from townlet_core.config.fields import STRICT


def _off(value: object) -> object:
    """Read YAML's unquoted off, which is the boolean false, as the phase that it means."""
    return "off" if value is False else value


class Shaping(BaseModel):
    """Potential-based shaping: `gamma` times the potential after a tick, less the potential before it.

    The potential is `needs` times the weighted mean of the needs plus `savings` times the wallet (full at 20 coins).
    With the `gamma` of the learner it tells the same policies apart as without shaping.
    """

    model_config = STRICT
    use_potential: bool = False
    gamma: float = Field(default=0.99, gt=0.0, le=1.0)
    needs: float = Field(default=0.5, ge=0.0, le=5.0)
    savings: float = Field(default=0.1, ge=0.0, le=5.0)


class Curiosity(BaseModel):
    """A bonus for steps in parts of town where one has seldom been: `weight` over the root of the visits there.

    `phase` off gives none. `decay_by_milestone: M2` halves it from the first purchase (M1) on and ends it with the
    first finished stretch of work (M2); never keeps it.
    """

    model_config = STRICT
    phase: Annotated[Literal["off", "phase_A"], BeforeValidator(_off)] = "off"
    weight: float = Field(default=0.02, ge=0.0, le=0.1)
    decay_by_milestone: Literal["M2", "never"] = "M2"
