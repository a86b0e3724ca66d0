"""Which update ships: the best return in validation towns, above the clone's, that costs neither lives nor attendance.

Reward is what a policy learns by; that people live and come to work is what a town asks of it besides. The policy acts
greedily, as it will when it is released, in towns that neither training nor evaluation sees; the teacher and the clone
that the training began with live in the same ones.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from townlet_core.config import TownConfig
from townlet_core.core import Simulation
from townlet_core.observations.layout import ObservationLayout
from townlet_core.policy.acting import LearnedPolicy, Policy
from townlet_core.policy.checkpoint import Tensors
from townlet_core.policy.forward import fold
from townlet_core.policy.teacher import Teacher
from townlet_core.policy.training_log import Validation

GUARDS = ("survival", "attendance")
FIGURES = ("return", *GUARDS, "needs_ok_share")

Figures = Mapping[str, Mapping[str, float]]
"""Means over towns by scenario and figure."""


class Chosen(NamedTuple):
    """The update that ships if the training ends now (0 is the clone), its return in validation towns, its weights."""

    update: int
    validated_return: float
    tensors: Tensors


class Validator:
    """The validation towns of each scenario, and how the teacher and the clone fared in them."""

    def __init__(
        self,
        scenarios: Mapping[str, TownConfig],
        towns: int,
        seeds: Mapping[str, int],
        layout: ObservationLayout,
        clone: Tensors,
        slack: float = 0.0,
    ) -> None:
        """Let teacher and clone live for one episode in `towns` towns of each scenario, under the given seeds.

        Args:
            scenarios: Where to live.
            towns: How many towns of each.
            seeds: Of each scenario's towns.
            layout: What the policy observes.
            clone: The weights that the training begins with.
            slack: How much survival and attendance, shares both, an update may lie below the teacher.
        """
        self._scenarios, self._towns, self._seeds, self._layout = scenarios, towns, seeds, layout
        self._slack = slack
        self.teacher = self._live(Teacher)
        self.clone = self.measure(clone)

    def measure(self, tensors: Tensors) -> Figures:
        """Let a network's weights live in the same towns."""
        return self._live(LearnedPolicy("validated", "", self._layout, fold(tensors)).enter)

    def judge(self, found: Figures) -> Validation:
        """What the figures of `measure` say beside the teacher's.

        `held` says whether survival and attendance, as means over the scenarios, were the teacher's but for the slack.
        """
        means, theirs, clone = (over_scenarios(figures) for figures in (found, self.teacher, self.clone))
        held = all(means[guard] >= theirs[guard] - self._slack for guard in GUARDS)
        return Validation(
            towns=self._towns * len(found),
            return_mean=means["return"],
            survival=means["survival"],
            attendance=means["attendance"],
            teacher_return_mean=theirs["return"],
            clone_return_mean=clone["return"],
            held=held,
        )

    def first(self, clone: Tensors) -> Chosen | None:
        """The clone as what ships until an update is better; None where it may not ship itself."""
        found = self.judge(self.clone)
        return Chosen(0, found.return_mean, clone) if found.held else None

    def _live(self, enter: Callable[[Simulation], Policy]) -> Figures:
        found = {}
        for name, config in self._scenarios.items():
            sim = Simulation(config, self._towns, self._seeds[name])
            policy = enter(sim)
            for _ in range(config.clock.episode_days * config.clock.ticks_per_day):
                sim.step(policy.act(sim))
            kpis = sim.kpis()
            found[name] = {figure: float(kpis[figure].mean()) for figure in FIGURES}
        return found


def over_scenarios(figures: Figures) -> dict[str, float]:
    """Each figure's mean over the scenarios, all of which count alike."""
    return {name: float(np.mean([one[name] for one in figures.values()])) for name in FIGURES}


def better(validation: Validation, chosen: Chosen | None) -> bool:
    """Whether an update should ship instead of the one chosen so far."""
    return validation.held and (chosen is None or validation.return_mean > chosen.validated_return)
