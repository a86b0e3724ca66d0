"""An intention binds, but not against a need that turns hard; a use binds always."""

from collections.abc import Callable

import numpy as np

from townlet_core.config import TownConfig
from townlet_core.core import Simulation
from townlet_core.world.state import ENERGY, PHASE_NAMES

USING, WALKING = PHASE_NAMES.index("using"), PHASE_NAMES.index("walking")


def test_a_need_that_turns_hard_breaks_a_commitment_off_but_no_use(config: TownConfig, taught: Callable) -> None:
    sim, freed, bound = Simulation(config, towns=8, seed=4), 0, 0
    for _ in taught(sim, 400):
        agents = sim.agents
        on_the_way = (agents["phase"] == WALKING) & (agents["committed"] == 1) & (agents["meeting"] == 0)
        at_it = (agents["phase"] == USING) & (agents["progress"] < agents["duration"] - 2)
        assert not sim.decision[on_the_way | at_it].any()
        if on_the_way.sum() < 3 or at_it.sum() < 3:
            continue
        agents["needs"][..., ENERGY] = config.options.hard_need + 1e-6
        before = agents["phase"].copy()
        sim.step(np.zeros(sim.shape, np.int8))
        still = on_the_way & (agents["phase"] == before) & (agents["alive"] == 1)
        hard = agents["needs"][..., ENERGY] < config.options.hard_need
        freed += int(sim.decision[still & hard].sum())
        assert sim.decision[still & hard].all()
        assert not sim.decision[at_it & hard & (agents["phase"] == USING)].any()
        bound += int((at_it & hard).sum())
        break
    assert freed > 0
    assert bound > 0
