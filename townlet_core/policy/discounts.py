"""Whether a learner looks as far ahead as the potential that shapes what it is rewarded with."""

from collections.abc import Mapping

from townlet_core.config import TownConfig, TrainingProfile
from townlet_core.errors import InputError


def require_same_discount(profile: TrainingProfile, scenarios: Mapping[str, TownConfig]) -> None:
    """Refuse towns whose shaping would change which policy is best: it leaves that alone at the learner's own discount.

    Raises:
        InputError: A town shapes rewards with another gamma than the profile's discount; names both keys.
    """
    for name, config in scenarios.items():
        shaping = config.rewards.shaping
        if shaping.use_potential and shaping.gamma != profile.discount:
            raise InputError(
                f"training profile {profile.profile}: discount is {profile.discount:g}, but scenario {name} shapes "
                f"rewards with gamma {shaping.gamma:g}; set rewards.shaping.gamma to {profile.discount:g} there"
            )
