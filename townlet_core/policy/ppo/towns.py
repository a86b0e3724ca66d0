"""The towns of a training: one or several scenarios side by side, every citizen a row."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from townlet_core.config import OPTION_NAMES, TownConfig
from townlet_core.config.perturbations import LAST_DAY
from townlet_core.core import Observation
from townlet_core.errors import InputError
from townlet_core.observations.layout import ObservationLayout
from townlet_core.policy.layouts import require_same_layout
from townlet_core.policy.vector import TownletVectorEnv
from townlet_core.world.events import EVENT_NAMES, Event
from townlet_core.world.state import ENERGY, HUNGER


class Seen(NamedTuple):
    """Observations of some rows: maps uint8 [n, cells], features float32 [n, f], masks bool [n, actions]."""

    cells: NDArray[np.uint8]
    features: NDArray[np.float32]
    mask: NDArray[np.bool_]

    def take(self, rows: NDArray[Any]) -> "Seen":
        """Copies of some of the rows."""
        return Seen(self.cells[rows], self.features[rows], self.mask[rows])


class Tick(NamedTuple):
    """What a tick brought to R rows.

    Attributes:
        reward: float32 [R].
        terminated: bool [R], whose life ended.
        missed: bool [R], whose shift was counted as missed: too late for it, or away for too long.
        ended: row numbers of all citizens whose episode was over, int64 [k]; they are in a new one already.
        last_seen: what these saw at the end of the old one, k rows.
        figures: key figures of the episodes that ended, by name, [episodes].
        events: number of events by kind, int64 [kinds].
        event_value: sum of their values by kind, float64 [kinds].
        completed: number of finished uses by the option that they served, int64 [options].
    """

    reward: NDArray[np.float32]
    terminated: NDArray[np.bool_]
    missed: NDArray[np.bool_]
    ended: NDArray[np.int64]
    last_seen: Seen
    figures: dict[str, NDArray[np.float64]]
    events: NDArray[np.int64]
    event_value: NDArray[np.float64]
    completed: NDArray[np.int64]


class Rivals(NamedTuple):
    """What every row feels: its strongest rivalry, and how many others it keeps away from; float64 [R] each."""

    rivalry_max: NDArray[np.float64]
    rivalry_avoid_count: NDArray[np.float64]


class TrainingTowns:
    """Batches of towns, one per scenario, that live in step. Row k is the same citizen's place for good."""

    def __init__(self, configs: Mapping[str, TownConfig], towns: int, seeds: Mapping[str, int]) -> None:
        """Settle `towns` towns of each scenario.

        Args:
            configs: The scenarios' towns by name.
            towns: How many of each.
            seeds: The run seed of each scenario.

        Raises:
            InputError: There is no scenario.
            CheckpointError: The scenarios differ in what citizens observe or can do.
        """
        if not configs:
            raise InputError("training: names no scenario; name one of configs/scenarios")
        self.envs = [TownletVectorEnv(config, towns, seeds[name]) for name, config in configs.items()]
        self.layout: ObservationLayout = self.envs[0].sim.layout
        for name, env in zip(configs, self.envs, strict=True):
            require_same_layout(self.layout, env.sim.layout, f"scenario {name}")
        sizes = [int(np.prod(env.shape)) for env in self.envs]
        self._edges = np.concatenate(([0], np.cumsum(sizes)))

    @property
    def rows(self) -> int:
        """Citizens in all."""
        return int(self._edges[-1])

    @property
    def places(self) -> list[slice]:
        """The rows of each scenario's citizens."""
        return [slice(int(low), int(high)) for low, high in pairwise(self._edges)]

    @property
    def decides(self) -> NDArray[np.bool_]:
        """Who has more than one choice now, bool [R]."""
        return np.concatenate([env.decision.reshape(-1) for env in self.envs])

    @property
    def distressed(self) -> NDArray[np.bool_]:
        """Who lives and is hungrier than its town's `rewards.needs_floor` or has no energy left, bool [R]."""
        return np.concatenate([_distressed(env) for env in self.envs])

    def seen(self, rows: NDArray[np.int64]) -> Seen:
        """What these rows, given in rising order, see now; copies."""
        return _joined([_flat(env.sim.observation).take(part) for env, part in self._parts(rows)])

    def feature(self, index: int) -> NDArray[np.float32]:
        """One feature of every row, float32 [R]; a copy."""
        return np.concatenate([env.sim.observation.features[..., index].reshape(-1) for env in self.envs])

    def step(self, actions: NDArray[np.int8]) -> Tick:
        """Live one tick: int8 [R] choices, read where a row decides."""
        edges = self._edges
        ticks = [
            _lived(env, actions[low:high], int(low))
            for env, low, high in zip(self.envs, edges, edges[1:], strict=False)
        ]
        return ticks[0] if len(ticks) == 1 else _merged(ticks)

    def set_social_stage(self, stage: str) -> None:
        """From the next tick on, reward company as in this stage of social rewards, in all towns.

        Raises:
            InputError: A scenario keeps no ties, so that its towns know no company.
        """
        for env in self.envs:
            env.sim.set_social_stage(stage)

    def disturb(self, from_day: Mapping[str, int]) -> None:
        """From the next midnight on, let perturbations happen by chance in the towns of each scenario.

        Args:
            from_day: Before which day of theirs nothing happens all the same, by scenario.
        """
        for env, day in zip(self.envs, from_day.values(), strict=True):
            env.sim.set_first_perturbed_day(day)

    def rivalry(self) -> tuple[float, float]:
        """Mean and largest rivalry over everybody's ties now; zeros where nobody has any."""
        found = [env.sim.state.ties for env in self.envs]
        felt = np.concatenate([ties["rivalry"][ties["other"] >= 0] for ties in found]) if found else np.zeros(0)
        return (float(felt.mean()), float(felt.max())) if felt.size else (0.0, 0.0)

    def rivals(self) -> Rivals:
        """What every citizen feels about those whom it likes least."""
        parts = [_rivals(env) for env in self.envs]
        return Rivals(*(np.concatenate(column) for column in zip(*parts, strict=True)))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Everything in which these towns differ from freshly settled ones, by name; live arrays, no copies."""
        return {
            f"{number}.{name}": array for number, env in enumerate(self.envs) for name, array in env.arrays().items()
        }

    def restore(self, arrays: Mapping[str, NDArray[Any]], source: str) -> None:
        """Go on from what `arrays` of equally configured towns held. Raises DataError when they do not fit."""
        for number, env in enumerate(self.envs):
            prefix = f"{number}."
            own = {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}
            env.restore(own, source)

    def _parts(self, rows: NDArray[np.int64]) -> Sequence[tuple[TownletVectorEnv, NDArray[np.int64]]]:
        cuts = np.searchsorted(rows, self._edges)
        return [
            (env, rows[cuts[k] : cuts[k + 1]] - self._edges[k])
            for k, env in enumerate(self.envs)
            if cuts[k] < cuts[k + 1] or not rows.size
        ]


def undisturbed(configs: Mapping[str, TownConfig]) -> dict[str, TownConfig]:
    """The same towns, in which no perturbation happens by chance until somebody lets them."""
    return {
        name: config.model_copy(
            update={"perturbations": config.perturbations.model_copy(update={"not_before_day": LAST_DAY})}
        )
        for name, config in configs.items()
    }


def _distressed(env: TownletVectorEnv) -> NDArray[np.bool_]:
    agents = env.sim.agents
    hungry = agents["needs"][..., HUNGER] < env.sim.config.rewards.needs_floor
    exhausted = agents["needs"][..., ENERGY] <= 0.0
    return np.asarray((hungry | exhausted) & (agents["alive"] > 0)).reshape(-1)


def _flat(seen: Observation) -> Seen:
    rows = int(np.prod(seen.mask.shape[:2]))
    return Seen(seen.map.reshape(rows, -1), seen.features.reshape(rows, -1), seen.mask.reshape(rows, -1))


def _joined(parts: Sequence[Seen]) -> Seen:
    if len(parts) == 1:
        return parts[0]
    columns: Any = zip(*parts, strict=True)
    return Seen(*(np.concatenate(column) for column in columns))


def _lived(env: TownletVectorEnv, actions: NDArray[np.int8], low: int) -> Tick:
    before = env.sim.agents["absent_shifts"].copy()
    step = env.step(actions.reshape(env.shape))
    events = step.events.rows
    kinds = events["kind"]
    if step.infos:
        towns = np.flatnonzero(step.infos["_final_obs"])
        ended = (towns[:, None] * env.shape[1] + np.arange(env.shape[1])).reshape(-1) + low
        last_seen, figures = _flat(step.infos["final_obs"]), step.infos["final_info"]
    else:
        ended, last_seen, figures = np.zeros(0, np.int64), _flat(step.observation).take(np.zeros(0, np.int64)), {}
    return Tick(
        reward=step.reward.reshape(-1),
        terminated=step.terminated.reshape(-1),
        # Who is new in its place has missed none, so that the count only falls there.
        missed=(env.sim.agents["absent_shifts"] > before).reshape(-1),
        ended=ended,
        last_seen=last_seen,
        figures=figures,
        events=np.bincount(kinds, minlength=len(EVENT_NAMES)),
        event_value=np.bincount(kinds, weights=events["value"], minlength=len(EVENT_NAMES)).astype(np.float64),
        completed=_completed(env, events),
    )


def _completed(env: TownletVectorEnv, events: NDArray[Any]) -> NDArray[np.int64]:
    # The rows of a finished use name its affordance where others name another citizen.
    served = env.sim.rules.affordances["option"][events["other"][events["kind"] == Event.AFFORDANCE_FINISH]]
    return np.bincount(served, minlength=len(OPTION_NAMES))


def _rivals(env: TownletVectorEnv) -> Rivals:
    ties = env.sim.state.ties
    felt = np.where(ties["other"] >= 0, ties["rivalry"], 0.0).reshape(int(np.prod(env.shape)), -1)
    avoided = felt >= env.sim.config.relationships.avoid_threshold
    return Rivals(felt.max(axis=1, initial=0.0), avoided.sum(axis=1, dtype=np.float64))


def _merged(ticks: Sequence[Tick]) -> Tick:
    names = ticks[0].figures or next((tick.figures for tick in ticks if tick.figures), {})
    return Tick(
        reward=np.concatenate([tick.reward for tick in ticks]),
        terminated=np.concatenate([tick.terminated for tick in ticks]),
        missed=np.concatenate([tick.missed for tick in ticks]),
        ended=np.concatenate([tick.ended for tick in ticks]),
        last_seen=_joined([tick.last_seen for tick in ticks]),
        figures={name: np.concatenate([tick.figures[name] for tick in ticks if tick.figures]) for name in names},
        events=np.sum([tick.events for tick in ticks], axis=0),
        event_value=np.stack([tick.event_value for tick in ticks]).sum(axis=0),
        completed=np.sum([tick.completed for tick in ticks], axis=0),
    )
