"""A batch of towns to train on: arrays in, arrays out, and a new episode wherever one has ended."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from gymnasium.vector import AutoresetMode

from townlet_core.config import TownConfig
from townlet_core.core import Observation, Simulation
from townlet_core.core.outcome import EventBatch
from townlet_core.core.restoring import pour, require_fit
from townlet_core.policy.spaces import action_space, observation_space


class VectorStep(NamedTuple):
    """What a tick brought to B towns of N agents.

    Attributes:
        observation: What the agents perceive now, in a new episode where one has ended. Views into buffers that the
            next step overwrites: copy what is to stay.
        reward: float32 [B, N], of the tick that was lived.
        terminated: bool [B, N], true in the tick that ends an agent's life in town.
        truncated: bool [B, N], true for those who live when their episode's time is up.
        events: The events of the tick that was lived, also of towns that have begun anew; copied, so they stay.
        infos: Empty unless episodes ended; see ``TownletVectorEnv``.
    """

    observation: Observation
    reward: npt.NDArray[np.float32]
    terminated: npt.NDArray[np.bool_]
    truncated: npt.NDArray[np.bool_]
    events: EventBatch
    infos: dict[str, Any]


class TownletVectorEnv:
    """B towns side by side, stepped and reset by the engine without a Python loop over agents or living towns.

    An episode ends when its time is up, or nobody is left and nobody will come. The town then begins its next episode
    **in the same step** (Gymnasium's ``AutoresetMode.SAME_STEP``): the observation is the first of the new episode,
    while reward, terminated and truncated belong to the tick that ended the old one. ``infos`` then holds

    - ``final_obs``: the last ``Observation`` of the K towns whose episode ended, [K, N, ...], in order of the towns,
    - ``final_info``: their key figures, each [K]: those of ``Simulation.kpis``, ``episode`` and ``length`` in ticks,
    - ``_final_obs`` and ``_final_info``: which towns these are, bool [B].

    A row is a place in town. Who leaves is terminated; the row then stays empty, with reward 0 and a mask that leaves
    idling alone, until a newcomer takes it or the episode ends. ``alive`` tells empty rows apart, ``people`` says who
    lives in a row, and a newcomer's first observation has ``ctx_reset_flag`` set. A learner keeps the ticks of rows
    that were alive before the step; ``terminated`` cuts lives apart, so no value flows from one to the next. Choices
    that the mask forbids cost the tick and nothing else.

    An episode of a town depends on the seed, the town's number, the episode's number and the actions alone: neither
    the batch, nor the threads, nor when other towns begin anew make a difference.
    """

    metadata: dict[str, Any] = {"name": "townlet_v1", "autoreset_mode": AutoresetMode.SAME_STEP}  # noqa: RUF012

    def __init__(
        self, config: TownConfig, towns: int = 256, seed: int = 0, threads: int = 1, *, first_town: int = 0
    ) -> None:
        """Build the towns and settle them.

        Args:
            config: The validated configuration.
            towns: How many towns live side by side.
            seed: Seed of the run, until ``reset`` gives another.
            threads: Towns are split over this many threads.
            first_town: Number of the first town; a town is the same in every batch that holds it.

        Raises:
            InputError: If there is no town or no thread.
        """
        self.sim = Simulation(config, towns, seed, threads=threads, first_town=first_town)
        self.num_envs = towns
        self.single_observation_space = observation_space(self.sim.layout)
        self.single_action_space = action_space(self.sim.layout)
        self._begin()

    @property
    def shape(self) -> tuple[int, int]:
        """Towns and agents per town."""
        return self.sim.shape

    @property
    def mask(self) -> npt.NDArray[np.bool_]:
        """What each agent may choose now, bool [B, N, options]; a view like the observation."""
        return self.sim.observation.mask

    @property
    def decision(self) -> npt.NDArray[np.bool_]:
        """Who has more than one choice now, bool [B, N]; learners count no other ticks."""
        return self.sim.decision

    @property
    def alive(self) -> npt.NDArray[np.bool_]:
        """Who lives now, bool [B, N]."""
        return self.sim.agents["alive"].astype(np.bool_)

    @property
    def people(self) -> npt.NDArray[np.int32]:
        """Who lives in each row or lived there last, int32 [B, N]: founders from 0, newcomers after them."""
        return self.sim.agents["person"].copy()

    @property
    def episodes(self) -> npt.NDArray[np.int64]:
        """The number of the episode that each town lives, int64 [B]."""
        return self._episodes.copy()

    def reset(self, seed: int | None = None) -> tuple[Observation, dict[str, Any]]:
        """Begin the first episode of every town anew, and return the first observation and empty infos.

        Args:
            seed: Seed of a new run; without one the same run begins again.
        """
        observation = self.sim.reset(seed)
        self._begin()
        return observation, {}

    def step(self, actions: npt.NDArray[np.integer[Any]]) -> VectorStep:
        """Live one tick and begin a new episode wherever one ends.

        Args:
            actions: The chosen option of each agent, [B, N]; int8 spares a conversion.

        Raises:
            InputError: If the shape is wrong or an action is no option.
        """
        step = self.sim.step(actions)
        reward, terminated = step.reward.copy(), step.terminated.copy()
        events = _kept(step.events)
        alive = self.alive
        truncated = alive & step.truncated[:, None]
        deserted = ~alive.any(axis=1) & (self.sim.state.towns["empty_places"] == 0)
        ended = step.truncated | deserted
        infos = self._begin_anew(ended) if ended.any() else {}
        return VectorStep(step.observation, reward, terminated, truncated, events, infos)

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Everything in which these towns differ from freshly settled ones, by name; live arrays, no copies."""
        return {**self.sim.arrays(), "env.episodes": self._episodes}

    def restore(self, arrays: Mapping[str, npt.NDArray[Any]], source: str = "saved towns") -> None:
        """Go on from what ``arrays`` of an equally configured environment held.

        Raises:
            DataError: An array is missing, of another form or shape, or holds what no town can be in.
        """
        own = {"env.episodes": self._episodes}
        require_fit({name: arrays[name] for name in own if name in arrays}, own, source)
        self.sim.restore({name: array for name, array in arrays.items() if name not in own}, source)
        pour(arrays, own)

    def close(self) -> None:
        """Let the threads go."""
        self.sim.close()

    def _begin(self) -> None:
        self._episodes = np.zeros(self.shape[0], np.int64)

    def _begin_anew(self, ended: npt.NDArray[np.bool_]) -> dict[str, Any]:
        seen = self.sim.observation
        infos = {
            "final_obs": Observation(seen.map[ended], seen.features[ended], seen.mask[ended]),
            "final_info": self._figures(ended),
            "_final_obs": ended,
            "_final_info": ended.copy(),
        }
        self._episodes[ended] += 1
        self.sim.reset_towns(ended, self._episodes)
        return infos

    def _figures(self, ended: npt.NDArray[np.bool_]) -> dict[str, npt.NDArray[Any]]:
        lived = self.sim.state.towns["tick"] - self.sim.config.clock.start_tick
        figures = {**self.sim.kpis(), "episode": self._episodes, "length": lived.astype(np.int64)}
        return {name: values[ended] for name, values in figures.items()}


def _kept(events: EventBatch) -> EventBatch:
    """Copy what was written of a log: as many columns as the busiest town has events."""
    return EventBatch(events.log[:, : events.counts.max()].copy(), events.counts.copy())
