"""Simulation: the one public class that owns a batch of towns."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from townlet_core.config import TownConfig
from townlet_core.config.perturbations import LAST_DAY
from townlet_core.core.identity import UNNAMED, Actor
from townlet_core.core.interventions import LastingEvent, cancel_event, lasting_events, trigger_event
from townlet_core.core.kpis import kpis_of
from townlet_core.core.operations import operate
from townlet_core.core.outcome import EventBatch, Observation, Step
from townlet_core.core.restoring import pour, require_fit, require_sound
from townlet_core.core.saving import revived, snapshot_of
from townlet_core.core.staffing import PendingExit, decide_exit, pending_exits, set_in_towns
from townlet_core.core.statefile import read_statefile, write_statefile
from townlet_core.core.tick import Outputs, reset_towns, step_towns
from townlet_core.errors import InputError
from townlet_core.kernels import seed_streams
from townlet_core.observations.layout import ObservationLayout, layout_of
from townlet_core.world.compiling import compile_rules, ties_kept
from townlet_core.world.opening import compile_opening
from townlet_core.world.rules import SOCIAL_STAGES, Rules
from townlet_core.world.state import NOBODY, REWARD_TERMS, Extent, TownState, allocate, squares_of


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
        self._opening = compile_opening(config)
        self.layout: ObservationLayout = layout_of(config)
        self.state: TownState = _allocate(self.rules, towns, config)
        self._out = _outputs(self.rules, self.layout, towns)
        self._threads = min(threads, towns)
        self._pool = ThreadPoolExecutor(self._threads - 1) if self._threads > 1 else None
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
        """Ticks since the reset, in the first town (towns that were settled one by one differ)."""
        return int(self.state.towns["tick"][0]) - self.config.clock.start_tick

    @property
    def minute(self) -> int:
        """Minute of the day in the first town, 0 to ticks_per_day - 1."""
        return int(self.state.towns["tick"][0]) % self.config.clock.ticks_per_day

    @property
    def observation(self) -> Observation:
        """What the agents perceive now."""
        window, channels = self.layout.window, len(self.layout.channels)
        crops = self._out.maps.view(np.uint8).reshape(*self.shape, window, window, channels)
        return Observation(crops, self._out.features, self._out.masks)

    def people(self, town: int = 0) -> tuple[str, ...]:
        """Name who lives in each place of a town, or lived there last: founders first, then newcomers as they came."""
        return tuple(f"agent_{person + 1}" for person in self.state.agents["person"][town].tolist())

    @property
    def decision(self) -> npt.NDArray[np.bool_]:
        """Who has more than one choice now, bool [B, N]."""
        choices: npt.NDArray[np.bool_] = self._out.masks.sum(axis=2) > 1
        return choices

    @property
    def reward_terms(self) -> npt.NDArray[np.float32]:
        """The latest reward by term (``REWARD_TERMS``), float32 [B, N, 9]."""
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

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Everything in which these towns differ from freshly built ones, by name; the live arrays, no copies."""
        state = {f"state.{name}": array for name, array in self.state._asdict().items()}
        return state | {f"outputs.{name}": array for name, array in self._out._asdict().items()}

    def restore(self, arrays: Mapping[str, npt.NDArray[Any]], source: str = "saved towns") -> None:
        """Go on from what ``arrays`` of a simulation with the same configuration and number of towns held.

        Args:
            arrays: Copies of what ``arrays`` gave; nothing changes unless all of them fit.
            source: Where they come from, for errors.

        Raises:
            DataError: An array is missing, of another form or shape, or holds what no town can be in.
        """
        own = self.arrays()
        require_fit(arrays, own, source)
        require_sound(TownState(*(arrays[f"state.{name}"] for name in TownState._fields)), self.rules, source)
        pour(arrays, own)

    def set_social_stage(self, stage: str) -> None:
        """Reward company as in another stage of social rewards from the next tick on; nothing else changes.

        Args:
            stage: OFF, C1, C2 or C3; the configuration, and with it a snapshot's identity, says so afterwards.

        Raises:
            InputError: The stage is none of these, or rewards company in towns that keep no ties.
        """
        if stage not in SOCIAL_STAGES:
            raise InputError(f"social stage {stage}: is none; the stages are {', '.join(SOCIAL_STAGES)}")
        if stage != "OFF" and self.config.stages.relationships == "OFF":
            raise InputError(
                f"social stage {stage}: town {self.config.config_id} keeps no ties; set its stages.relationships"
            )
        stages = self.config.stages.model_copy(update={"social_rewards": stage})
        self.config = self.config.model_copy(update={"stages": stages})
        self.rules.scalars["social_stage"] = SOCIAL_STAGES.index(stage)

    def set_first_perturbed_day(self, day: int) -> None:
        """Let perturbations happen by chance from another day on; what is drawn already, up to midnight, stays.

        Args:
            day: The first day (0 is the first of all), as `perturbations.not_before_day` says it; the configuration,
                and with it a snapshot's identity, says so afterwards.

        Raises:
            InputError: There is no such day.
        """
        if not 0 <= day <= LAST_DAY:
            raise InputError(f"first perturbed day {day}: is none; days are counted from 0 to {LAST_DAY}")
        perturbations = self.config.perturbations.model_copy(update={"not_before_day": day})
        self.config = self.config.model_copy(update={"perturbations": perturbations})
        self.rules.scalars["not_before_day"] = day

    def save(self, path: Path | str, actor: Actor = UNNAMED) -> None:
        """Write one file from which ``load`` goes on to the bit; these towns are not disturbed.

        Args:
            path: The file; it appears whole or not at all.
            actor: Who chose for the citizens, to be told to whoever loads it.

        Raises:
            DataError: The file cannot be written.
        """
        write_statefile(path, snapshot_of(self, actor))

    @classmethod
    def load(cls, path: Path | str, *, threads: int = 1) -> Self:
        """Build the towns that ``save`` wrote, at the tick at which they were saved.

        Files of other versions, paths that must stay below a folder, and another configuration than the saved one
        are the business of ``townlet_core.snapshots``.

        Raises:
            DataError: The file is missing, damaged, or of another schema version; names what differs first.
            ConfigError: The town in it would not be accepted from a file either.
        """
        return revived(cls, read_statefile(path), str(path), threads=threads)

    def reset(self, seed: int | None = None) -> Observation:
        """Settle every town anew for its first episode and return the first observation.

        Args:
            seed: Seed of a new run; without one the same run begins again.
        """
        if seed is not None:
            self.seed = seed
        towns = self.shape[0]
        return self.reset_towns(np.ones(towns, np.bool_), np.zeros(towns, np.int64))

    def reset_towns(self, asked: npt.NDArray[np.bool_], episodes: npt.NDArray[np.integer[Any]]) -> Observation:
        """Settle some towns anew; the others and what they perceive stay as they are.

        A town's episode depends on the run's seed, the town's number and the episode's number alone.

        Args:
            asked: Which towns to settle, bool [B].
            episodes: The number of the episode that each of them begins, [B]; 0 is what ``reset`` begins.

        Raises:
            InputError: If a shape is wrong.
        """
        if asked.shape != self.shape[:1] or episodes.shape != self.shape[:1]:
            raise InputError(f"asked {asked.shape} and episodes {episodes.shape} must have one entry per town")
        self._empty(asked)
        numbers, towns = self.first_town + np.flatnonzero(asked), self.state.towns
        towns["number"][asked] = numbers
        towns["streams"][asked] = seed_streams(self.seed, numbers.tolist(), episodes[asked].tolist())
        self._run(reset_towns, self.state, self.rules, self._opening, asked, self._out)
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

    def operate(self, town: int, agent: int, what: int, y: int = 0, x: int = 0) -> None:
        """Do to a citizen what ``townlet_core.core.operations`` has checked, and let its town look around again."""
        operate(self.state, self.rules, self._out, town, agent, what, y, x)

    def trigger(self, town: int, name: str, *, ticks: int | None = None, magnitude: float | None = None) -> int:
        """Let a configured perturbation begin with the next tick, whatever its bounds and its probability.

        Args:
            town: Which of the batch, from 0.
            name: Its key in ``perturbations.events``.
            ticks: How long it lasts; drawn from its range if left out.
            magnitude: How strong it is, where it has a magnitude; drawn from its range if left out.

        Returns:
            Its number in the town. The next tick's events tell whether it began (``perturbation_started``), or was
            called off because too few can come (``perturbation_cancelled``).

        Raises:
            InputError: The town or the name is unknown, a value is out of range, or too many last already.
        """
        return trigger_event(self, town, name, ticks, magnitude)

    def cancel(self, town: int, number: int) -> None:
        """Let a perturbation end with the next tick (``perturbation_cancelled``); one only asked for never begins.

        Raises:
            InputError: No such perturbation lasts in that town.
        """
        cancel_event(self, town, number)

    def perturbations(self, town: int) -> list[LastingEvent]:
        """List the perturbations that last in a town, in the order in which they began."""
        return lasting_events(self, town)

    def employment_exits(self) -> list[PendingExit]:
        """Tell who may lose the job and waits for a review, in the order of the queue, town by town."""
        return pending_exits(self)

    def approve_exit(self, town: int, agent: int) -> None:
        """Let a citizen lose the job with the next tick, without waiting for the review or the day's cap.

        Raises:
            InputError: No such citizen waits for a review.
        """
        decide_exit(self, town, agent, approve=True)

    def defer_exit(self, town: int, agent: int) -> None:
        """Let a citizen keep the job; another missed shift may bring it into the queue again.

        Raises:
            InputError: No such citizen waits for a review.
        """
        decide_exit(self, town, agent, approve=False)

    def set_exit_cap(self, daily_exit_cap: int) -> None:
        """Set how many may lose their job in a day in every town; 0 sets no limit. Raises InputError below 0."""
        set_in_towns(self, "job_exit_cap", daily_exit_cap, 0, 50)

    def set_mortality(self, enabled: bool) -> None:
        """Let needs kill, or not, in every town from now on; those who move away do so in either case."""
        set_in_towns(self, "mortality", int(enabled), 0, 1)

    def set_arrival_delay(self, least: int, most: int) -> None:
        """Set how many ticks after an exit a newcomer comes, drawn from this range. Raises InputError for none."""
        if least > most:
            raise InputError(f"arrival_delay: found {least} to {most}, expected the lower bound first")
        set_in_towns(self, "arrival_delay", (least, most), 1, 100_000)

    @property
    def events(self) -> EventBatch:
        """The events of the latest tick."""
        return EventBatch(self.state.log, self.state.towns["event_count"])

    def kpis(self) -> dict[str, npt.NDArray[np.float64]]:
        """Return the key figures of each town since the reset, each float64 [B]."""
        return kpis_of(self.state, self.names, self.config)

    def close(self) -> None:
        """Let the threads go; the towns cannot live on afterwards."""
        if self._pool is not None:
            self._pool.shutdown()

    def _empty(self, asked: npt.NDArray[np.bool_]) -> None:
        state, out = self.state, self._out
        for records in (state.towns, state.agents, state.fixtures, state.ties):
            records.view(np.uint8).reshape(len(asked), -1)[asked] = 0
        state.occupancy[asked] = NOBODY
        state.blocks[asked] = NOBODY
        state.cells[asked] = self.rules.cells
        state.visits[asked] = 0
        for array in (out.rewards, out.terms, out.terminated, out.truncated):
            array[asked] = 0

    def _advance(self, actions: npt.NDArray[np.integer[Any]], observe: bool) -> None:
        if actions.shape != self.shape:
            raise InputError(f"actions have shape {actions.shape}; expected {self.shape} (towns, agents)")
        if int(actions.min()) < 0 or int(actions.max()) >= len(self.layout.actions):
            raise InputError(f"actions must lie in 0..{len(self.layout.actions) - 1}")
        if actions.dtype != np.int8:
            actions = actions.astype(np.int8)
        self._run(step_towns, self.state, self.rules, actions, self._out, observe)

    def _run(self, kernel: Any, *arguments: Any) -> None:
        towns = self.shape[0]
        if self._pool is None:
            kernel(0, towns, *arguments)
            return
        edges = [towns * k // self._threads for k in range(self._threads + 1)]
        *others, own = pairwise(edges)
        jobs = [self._pool.submit(kernel, low, high, *arguments) for low, high in others]
        kernel(*own, *arguments)  # here: waking one thread less is quicker
        for job in jobs:
            job.result()


def _allocate(rules: Rules, towns: int, config: TownConfig) -> TownState:
    margin = int(rules.scalars["window"][0]) // 2
    height, width = rules.terrain.shape
    squares = squares_of(height, width) if config.rewards.curiosity.phase != "off" else 0
    extent = Extent(len(rules.citizens), len(rules.fixtures), ties_kept(config), squares)
    return allocate(towns, extent, (height, width), margin)


def _outputs(rules: Rules, layout: ObservationLayout, towns: int) -> Outputs:
    agents = len(rules.citizens)
    return Outputs(
        maps=np.zeros((towns, agents, layout.cells // 4), np.uint32),
        features=np.zeros((towns, agents, len(layout.features)), np.float32),
        masks=np.zeros((towns, agents, len(layout.actions)), np.bool_),
        rewards=np.zeros((towns, agents), np.float32),
        terms=np.zeros((towns, agents, len(REWARD_TERMS)), np.float32),
        terminated=np.zeros((towns, agents), np.bool_),
        truncated=np.zeros(towns, np.bool_),
    )
