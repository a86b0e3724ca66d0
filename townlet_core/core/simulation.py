"""Simulation: the one public class that owns a batch of towns."""

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from townlet_core.config import TownConfig
from townlet_core.core.kpis import kpis_of
from townlet_core.core.tick import Outputs, reset_towns, step_towns
from townlet_core.errors import InputError
from townlet_core.kernels import seed_streams
from townlet_core.observations.layout import ObservationLayout, hybrid_layout
from townlet_core.world.events import EVENT_DTYPE
from townlet_core.world.rules import Rules, compile_rules
from townlet_core.world.state import NOBODY, REWARD_TERMS, TownState, allocate


class Observation(NamedTuple):
    """What B x N agents perceive; views into buffers that the next step overwrites.

    Attributes:
        map: uint8 [B, N, w, w, 4].
        features: float32 [B, N, F].
        mask: bool [B, N, options]; a committed agent has one choice.
    """

    map: npt.NDArray[np.uint8]
    features: npt.NDArray[np.float32]
    mask: npt.NDArray[np.bool_]


class EventBatch(NamedTuple):
    """The events of one tick of a batch, gathered only when somebody reads them."""

    log: npt.NDArray[Any]
    counts: npt.NDArray[np.int32]

    @property
    def rows(self) -> npt.NDArray[Any]:
        """The rows of all towns in town order, records of ``EVENT_DTYPE``."""
        keep = np.arange(self.log.shape[1]) < self.counts[:, None]
        rows: npt.NDArray[Any] = self.log[keep].view(EVENT_DTYPE)
        return rows


class Step(NamedTuple):
    """What a tick brought.

    Attributes:
        observation: The new observation.
        reward: float32 [B, N].
        terminated: bool [B, N], true in the tick that ends an agent's life.
        truncated: bool [B], true when the episode's time is up.
        events: The events of the tick.
    """

    observation: Observation
    reward: npt.NDArray[np.float32]
    terminated: npt.NDArray[np.bool_]
    truncated: npt.NDArray[np.bool_]
    events: EventBatch


class Simulation:
    """A batch of towns that live by the same configuration, each with its own luck.

    A town's history depends on the seed, its number and the actions alone: not on the size of the batch, the number
    of threads or the towns beside it.
    """

    def __init__(
        self, config: TownConfig, towns: int = 1, seed: int = 0, *, threads: int = 1, first_town: int = 0
    ) -> None:
        """Build the towns; ``reset`` settles them.

        Args:
            config: The validated configuration.
            towns: How many towns live side by side.
            seed: Seed of the run.
            threads: Towns are split over this many threads.
            first_town: Number of the first town; town ``first_town + k`` is the same in every batch that holds it.

        Raises:
            InputError: If there is no town or no thread.
        """
        if towns < 1 or threads < 1:
            raise InputError(f"towns and threads must be at least 1, not {towns} and {threads}")
        self.config, self.seed, self.first_town = config, seed, first_town
        self.rules, self.names = compile_rules(config)
        self.layout: ObservationLayout = hybrid_layout(config.observations.local_window)
        self.state: TownState = _allocate(self.rules, towns)
        self._out = _outputs(self.rules, self.layout, towns)
        self._threads = min(threads, towns)
        self._pool = ThreadPoolExecutor(self._threads) if self._threads > 1 else None
        self.reset()

    @property
    def shape(self) -> tuple[int, int]:
        """Towns and agents per town."""
        towns, agents = self.state.agents.shape
        return towns, agents

    @property
    def agents(self) -> npt.NDArray[Any]:
        """The agents' records [B, N]."""
        return self.state.agents

    @property
    def tick(self) -> int:
        """Ticks since the reset."""
        return int(self.state.towns["tick"][0]) - self.config.clock.start_tick

    @property
    def minute(self) -> int:
        """Minute of the day, 0 to ticks_per_day - 1."""
        return int(self.state.towns["tick"][0]) % self.config.clock.ticks_per_day

    @property
    def observation(self) -> Observation:
        """What the agents perceive now."""
        packed = self._out.maps
        return Observation(packed.view(np.uint8).reshape(*packed.shape, 4), self._out.features, self._out.masks)

    @property
    def decision(self) -> npt.NDArray[np.bool_]:
        """Who has more than one choice now, bool [B, N]."""
        choices: npt.NDArray[np.bool_] = self._out.masks.sum(axis=2) > 1
        return choices

    @property
    def reward_terms(self) -> npt.NDArray[np.float32]:
        """The latest reward by term (``REWARD_TERMS``), float32 [B, N, 6]."""
        return self._out.terms

    @property
    def clipped(self) -> npt.NDArray[np.bool_]:
        """Whose everyday reward the latest tick clipped, bool [B, N]."""
        cut: npt.NDArray[np.bool_] = self._out.terms[..., REWARD_TERMS.index("clip")] != 0
        return cut

    @property
    def events_dropped(self) -> int:
        """Events lost since the reset because a town's log was full."""
        return int(self.state.towns["events_dropped"].sum())

    def reset(self) -> Observation:
        """Settle every town anew and return the first observation."""
        for array in (self.state.towns, self.state.agents, self.state.fixtures):
            array.view(np.uint8).fill(0)
        self.state.occupancy.fill(NOBODY)
        self.state.cells[:] = self.rules.cells
        for index, town in enumerate(self.state.towns):
            town["number"] = self.first_town + index
            town["streams"] = seed_streams(self.seed, self.first_town + index)
        self._run(reset_towns, self.state, self.rules, self._out)
        for array in (self._out.rewards, self._out.terms, self._out.terminated, self._out.truncated):
            array.fill(0)
        return self.observation

    def step(self, actions: npt.NDArray[np.integer[Any]]) -> Step:
        """Live one tick.

        Args:
            actions: The chosen option of each agent, [B, N]; read only where an agent decides.

        Raises:
            InputError: If the shape is wrong or an action is no option.
        """
        self._advance(actions, observe=True)
        out = self._out
        return Step(self.observation, out.rewards, out.terminated, out.truncated, self.events)

    def advance(self, actions: npt.NDArray[np.integer[Any]]) -> None:
        """Live one tick without writing observations, for those who only look at the state."""
        self._advance(actions, observe=False)

    @property
    def events(self) -> EventBatch:
        """The events of the latest tick."""
        return EventBatch(self.state.log, self.state.towns["event_count"])

    def kpis(self) -> dict[str, npt.NDArray[np.float64]]:
        """Return the key figures of each town since the reset, each float64 [B]."""
        return kpis_of(self.state, self.names, self.config)

    def _advance(self, actions: npt.NDArray[np.integer[Any]], observe: bool) -> None:
        if actions.shape != self.shape:
            raise InputError(f"actions have shape {actions.shape}; expected {self.shape} (towns, agents)")
        if actions.dtype != np.int8:
            actions = actions.astype(np.int8)
        if int(actions.min()) < 0 or int(actions.max()) >= len(self.layout.actions):
            raise InputError(f"actions must lie in 0..{len(self.layout.actions) - 1}")
        self._run(step_towns, self.state, self.rules, actions, self._out, observe)

    def _run(self, kernel: Any, *arguments: Any) -> None:
        towns = self.shape[0]
        if self._pool is None:
            kernel(0, towns, *arguments)
            return
        edges = [towns * k // self._threads for k in range(self._threads + 1)]
        jobs = [self._pool.submit(kernel, low, high, *arguments) for low, high in pairwise(edges)]
        for job in jobs:
            job.result()


def _allocate(rules: Rules, towns: int) -> TownState:
    margin = int(rules.scalars["window"][0]) // 2
    height, width = rules.terrain.shape
    return allocate(towns, len(rules.citizens), len(rules.fixtures), (height, width), margin)


def _outputs(rules: Rules, layout: ObservationLayout, towns: int) -> Outputs:
    agents, window = len(rules.citizens), layout.window
    return Outputs(
        maps=np.zeros((towns, agents, window, window), np.uint32),
        features=np.zeros((towns, agents, len(layout.features)), np.float32),
        masks=np.zeros((towns, agents, len(layout.actions)), np.bool_),
        rewards=np.zeros((towns, agents), np.float32),
        terms=np.zeros((towns, agents, len(REWARD_TERMS)), np.float32),
        terminated=np.zeros((towns, agents), np.bool_),
        truncated=np.zeros(towns, np.bool_),
    )
