"""The observation kernel: writes one town's maps, features and action masks.

The order of what is written here is the order of ``blocks.BLOCKS``; a NumPy encoder checks it in the tests.
"""

import math

from townlet_core.kernels import kernel
from townlet_core.observations.crops import write_map
from townlet_core.observations.masks import write_mask
from townlet_core.observations.paths import write_choices, write_hints, write_job_direction
from townlet_core.observations.person import write_body, write_deeds, write_security, write_time, write_work
from townlet_core.observations.social import write_social
from townlet_core.observations.surroundings import write_surroundings
from townlet_core.world.employment import minute_of_day


@kernel
def _write_absence(features, mask, map_out):  # type: ignore[no-untyped-def]
    features[:] = 0.0
    map_out[:] = 0
    mask[:] = False
    mask[0] = True


@kernel
def _write_presence(town, rules, i, sine, cosine, out, mask):  # type: ignore[no-untyped-def]
    agent = town.agents[i]
    k = write_body(town, rules, i, out, 0)
    k = write_time(town, rules, i, sine, cosine, out, k)
    k = write_work(rules, agent, out, k)
    k = write_security(rules, agent, out, k)
    k = write_job_direction(rules, i, agent, out, k)
    k = write_deeds(rules, agent, i, out, k)
    k = write_hints(rules, agent, out, k)
    choices = k
    k = write_choices(town, rules, i, out, k)
    k = write_surroundings(town, rules, agent, out, k)
    k = write_social(town, rules, i, out, k)
    write_mask(town, rules, i, out, choices, mask)


@kernel
def observe_town(town, rules, maps, features, masks):  # type: ignore[no-untyped-def]
    """Write the observations of one town.

    Args:
        town: The town.
        rules: Its rules.
        maps: uint32 [N, w * w * planes], four uint8 channels packed.
        features: float32 [N, F].
        masks: bool [N, actions].
    """
    angle = 2.0 * math.pi * minute_of_day(town, rules) / rules.scalars[0].day
    sine, cosine = math.sin(angle), math.cos(angle)
    for i in range(town.agents.shape[0]):
        if not town.agents[i].alive:
            _write_absence(features[i], masks[i], maps[i])
            continue
        write_map(town, rules, i, maps[i])
        _write_presence(town, rules, i, sine, cosine, features[i], masks[i])
