"""One town as a PettingZoo environment: a thin adapter over the batched engine."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from gymnasium import spaces
from pettingzoo import ParallelEnv

from townlet_core.config import TownConfig
from townlet_core.core import Observation, Simulation, Step
from townlet_core.core.people import most_people, person_names
from townlet_core.errors import InputError
from townlet_core.policy.pictures import paint_town, write_town
from townlet_core.policy.spaces import action_space, feature_space, observation_space

AgentObservation = dict[str, npt.NDArray[Any]]
Infos = dict[str, dict[str, Any]]

RENDER_MODES = ("rgb_array", "ansi")
ONLY = np.ones(1, np.bool_)


class Turn(NamedTuple):
    """What a step brings, each by agent for those who lived when it began and those who arrived in it.

    A step is a tick. Where nobody is left in town and somebody will come, it goes on until the first newcomers are
    there or the episode's time is up.

    Attributes:
        observations: By name ``map``, ``features`` and ``action_mask``.
        rewards: What the tick was worth; 0 for newcomers.
        terminations: True in the tick that ends an agent's life in town.
        truncations: True for those who live when the episode's time is up.
        infos: The ``action_mask`` once more.
    """

    observations: dict[str, AgentObservation]
    rewards: dict[str, float]
    terminations: dict[str, bool]
    truncations: dict[str, bool]
    infos: Infos

    def joined(self, later: "Turn") -> "Turn":
        """This turn and a later one of others as one turn."""
        return Turn(
            self.observations | later.observations,
            self.rewards | later.rewards,
            self.terminations | later.terminations,
            self.truncations | later.truncations,
            self.infos | later.infos,
        )


class TownletParallelEnv(ParallelEnv[str, AgentObservation, int]):  # type: ignore[misc] # PettingZoo is untyped
    """A town whose citizens all act at once.

    An agent chooses an option; while it is committed to one, its mask leaves that single choice. A choice that the
    mask forbids is no error: a committed agent goes on with what it does, and one that decides loses the tick and
    decides again at the next. Whose life in town ends is terminated and leaves ``agents`` for good; its last
    observation is all zeros but for a mask that leaves idling. A newcomer has a name of its own: it joins ``agents``
    with a first observation, reward 0, in the tick of its arrival. A step in which the last agent leaves goes on until
    somebody arrives, so ``agents`` is empty only when the episode is over. Those who live when its time is up are
    truncated. ``possible_agents`` names the founders and as many newcomers as the rules allow in an episode.

    Every step hands out arrays of its own, which later steps leave alone; the agents' arrays are views into one
    batch. The masks in ``infos`` are those in the observations.
    """

    metadata: dict[str, Any] = {  # noqa: RUF012 - the interface wants a dict here
        "name": "townlet_v1",
        "render_modes": list(RENDER_MODES),
        "is_parallelizable": True,
        "render_fps": 30,
    }

    def __init__(self, config: TownConfig, seed: int = 0, *, town: int = 0, render_mode: str | None = None) -> None:
        """Build the town; ``reset`` lets it begin.

        Args:
            config: The validated configuration.
            seed: Seed of the run, until ``reset`` gives another.
            town: Number of the town in the run: the same one as in every batch of that seed.
            render_mode: ``rgb_array`` or ``ansi`` for a town that ``render`` shows.

        Raises:
            InputError: If there is no such render mode.
        """
        if render_mode is not None and render_mode not in RENDER_MODES:
            raise InputError(f"render_mode must be one of {', '.join(RENDER_MODES)} or None, not {render_mode!r}")
        self.render_mode = render_mode
        self.sim = Simulation(config, towns=1, seed=seed, first_town=town)
        self.possible_agents = [*person_names(most_people(config))]
        self.agents: list[str] = []
        self.observation_spaces = {name: observation_space(self.sim.layout) for name in self.possible_agents}
        self.action_spaces = {name: action_space(self.sim.layout) for name in self.possible_agents}
        self.state_space = feature_space(self.sim.layout, config.agents)
        self._places: list[tuple[int, str]] = []
        self._over = True
        self._awaited = False
        self._episode = -1
        self._choices = np.zeros(self.sim.shape, np.int64)

    def observation_space(self, agent: str) -> spaces.Dict:
        """Return the space of an agent's observation, the same object each time."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> spaces.Discrete:
        """Return the space of an agent's choice, the same object each time."""
        return self.action_spaces[agent]

    def reset(
        self, seed: int | None = None, options: Mapping[str, Any] | None = None
    ) -> tuple[dict[str, AgentObservation], Infos]:
        """Begin an episode: the first one of a new seed, else the next one of the present seed.

        Args:
            seed: Seed of a new run.
            options: ``episode``: the number of the episode to begin instead. Other keys are ignored.

        Raises:
            InputError: If the episode is no whole number from 0.
        """
        following = self._episode + 1 if seed is None else 0
        self._episode = _episode_asked(options, following)
        self.sim.seed = self.sim.seed if seed is None else seed
        seen = self.sim.reset_towns(ONLY, np.array([self._episode]))
        self._over, self._awaited = False, self._awaits()
        self._stay(self._newcomers([]))
        observations, masks = self._perceive(seen)
        return observations, {name: {"action_mask": masks[i]} for i, name in self._places}

    def step(self, actions: Mapping[str, int]) -> Turn:
        """Live one tick, or until somebody arrives in a town that the last agent leaves.

        Args:
            actions: The option that each living agent chooses; others in it are ignored.

        Returns:
            Observations, rewards, terminations, truncations and infos; all empty when the episode is over.

        Raises:
            InputError: If an agent's choice is missing or no option.
        """
        places, choices = self._places, self._choices[0]
        if not places:
            return Turn({}, {}, {}, {}, {})
        try:
            for i, name in places:
                choices[i] = actions[name]
        except KeyError as error:
            raise InputError(f"actions: no choice for {error}; every agent in `agents` needs one") from None
        return self._until_somebody_is_there(self._turn(self.sim.step(self._choices), places))

    def state(self) -> npt.NDArray[np.float32]:
        """Return the features of all places in town, one after another: float32 [N * F] in ``state_space``."""
        return self.sim.observation.features.flatten()

    def render(self) -> npt.NDArray[np.uint8] | str | None:
        """Return the town as pixels, uint8 [height, width, 3], or as text; None without a render mode."""
        if self.render_mode == "rgb_array":
            return paint_town(self.sim)
        return write_town(self.sim) if self.render_mode == "ansi" else None

    def close(self) -> None:
        """Let the town go."""
        self._stay([])
        self.sim.close()

    def _until_somebody_is_there(self, turn: Turn) -> Turn:
        """Live on while the town is empty but somebody will come, and let the first newcomers join a turn."""
        while self._awaited and not (self._places or self._over):
            later = self._turn(self.sim.step(np.zeros_like(self._choices)), [])
            turn = turn.joined(later)
        return turn

    def _turn(self, step: Step, places: list[tuple[int, str]]) -> Turn:
        rewards, ended = step.reward[0].tolist(), step.terminated[0].tolist()
        over = bool(step.truncated[0])
        newcomers = self._newcomers(places) if self._awaited else []
        self._stay([*places, *newcomers])
        observations, masks = self._perceive(step.observation)
        turn = Turn(
            observations,
            {name: rewards[i] for i, name in self._places},
            {name: ended[i] for i, name in self._places},
            {name: over and not ended[i] for i, name in self._places},
            {name: {"action_mask": masks[i]} for i, name in self._places},
        )
        self._go_on(over, ended)
        return turn

    def _go_on(self, over: bool, ended: list[bool]) -> None:
        self._over = over
        if over:
            self._stay([])
        elif True in ended:
            self._stay([(i, name) for i, name in self._places if not ended[i]])
        self._awaited = self._awaits()

    def _awaits(self) -> bool:
        """Say whether somebody is to take an empty place."""
        return int(self.sim.state.towns["empty_places"][0]) > 0

    def _newcomers(self, places: list[tuple[int, str]]) -> list[tuple[int, str]]:
        taken = {i for i, _ in places}
        alive, people = self.sim.agents["alive"][0], self.sim.people()
        return [(i, people[i]) for i in np.flatnonzero(alive).tolist() if i not in taken]

    def _perceive(self, seen: Observation) -> tuple[dict[str, AgentObservation], list[npt.NDArray[np.int8]]]:
        maps, features = list(seen.map[0].copy()), list(seen.features[0].copy())
        masks = list(seen.mask[0].astype(np.int8))
        observations: dict[str, AgentObservation] = {
            name: {"map": maps[i], "features": features[i], "action_mask": masks[i]} for i, name in self._places
        }
        return observations, masks

    def _stay(self, places: list[tuple[int, str]]) -> None:
        self._places = places
        self.agents = [name for _, name in places]


def _episode_asked(options: Mapping[str, Any] | None, following: int) -> int:
    episode = (options or {}).get("episode", following)
    if isinstance(episode, bool) or not isinstance(episode, int) or episode < 0:
        raise InputError(f"options: episode must be a whole number from 0, not {episode!r}")
    return episode
