"""Letting a network live in the towns and writing down its decisions, each with what came of it.

A decision stays open until the same citizen decides again, dies, or its episode is over. Forced ticks only add to the
open decision. What is open when a rollout ends goes on in the next one, so no decision is ever cut short by the
length of a rollout.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from townlet_core.config import OPTION_NAMES, ImprovementRules
from townlet_core.errors import InputError
from townlet_core.policy.acting import context_cut
from townlet_core.policy.network import PolicyNetwork
from townlet_core.policy.ppo.advantages import Spans
from townlet_core.policy.ppo.drivers import Drivers
from townlet_core.policy.ppo.experience import Decided, Experience, Shown
from townlet_core.policy.ppo.losses import entropies
from townlet_core.policy.ppo.towns import Rivals, Seen, Tick, TrainingTowns
from townlet_core.world.events import EVENT_NAMES

LOOK_EVERY = 10
"""Ticks between two looks at rivalry, which moves slowly."""
JUST_BELOW = 1.0 - 1e-9
"""Keeps a draw below the whole probability, so that rounding can never pick an action behind the last legal one."""


class Costs(NamedTuple):
    """What learning charges beyond the town's rewards: for a life's end, a tick of distress, a missed shift."""

    life: float = 0.0
    distress: float = 0.0
    absence: float = 0.0

    @classmethod
    def of(cls, rules: ImprovementRules) -> "Costs":
        """Those of a profile."""
        return cls(rules.life_cost, rules.distress_cost, rules.absence_cost)


FREE = Costs()


class Rollout(NamedTuple):
    """What a stretch of life gave: experience to learn from, and what happened meanwhile.

    Attributes:
        experience: finished decisions.
        agent_ticks: citizens times ticks that were lived.
        reward: sum of all rewards.
        deaths: lives that ended.
        figures: key figures of the episodes that ended, by name, one value per town.
        events: how often what happened, by name of the event.
        event_values: sum of the events' values, by name.
        completed: how many uses were finished, by name of the option that they served.
        rivals: what every citizen felt, seen every `LOOK_EVERY` ticks, [looks, rows] each.
        scripted: decisions that the teacher took where it drove.
        shown: these decisions, if they were to be noted.
    """

    experience: Experience
    agent_ticks: int
    reward: float
    deaths: int
    figures: dict[str, NDArray[np.float64]]
    events: dict[str, int]
    event_values: dict[str, float]
    completed: dict[str, int]
    rivals: Rivals
    scripted: int
    shown: Shown


class Collector:
    """Runs the towns by a network's drawn choices; holds every citizen's memory and open decision."""

    def __init__(
        self,
        towns: TrainingTowns,
        network: PolicyNetwork,
        discount: float,
        draws: np.random.Generator,
        drivers: Drivers | None = None,
        costs: Costs = FREE,
    ) -> None:
        """Begin with settled towns.

        Args:
            towns: Where to live.
            network: Who chooses; it may learn between rollouts.
            discount: Factor per tick.
            draws: The stream that choices are drawn from.
            drivers: Whom the teacher drives; without them the network decides for everybody.
            costs: What learning charges beyond what the town says.
        """
        self._drivers, self._costs = drivers, costs
        self._towns, self._network, self._discount, self._draws = towns, network, discount, draws
        self._open = _blank(towns, network)
        self._is_open = np.zeros(towns.rows, np.bool_)
        self._reward = np.zeros(towns.rows, np.float64)
        self._ticks = np.zeros(towns.rows, np.int64)
        self._memory = np.zeros((towns.rows, network.size.recurrent), np.float32)
        self._cut = context_cut(towns.layout) if network.size.recurrent else None

    def collect(self, ticks: int) -> Rollout:
        """Live `ticks` ticks and give the decisions that were finished in them."""
        finished, scripted = _Finished(self._towns.rows), 0
        shown, told, felt = [self._show(np.zeros(0, np.int64), np.zeros(0, np.int8))], list[Tick](), list[Rivals]()
        for number in range(ticks):
            if number % LOOK_EVERY == 0:
                felt.append(self._towns.rivals())
            self._forget()
            decides = self._towns.decides
            actions = np.zeros(self._towns.rows, np.int8)
            if self._drivers is not None:
                driven = np.flatnonzero(decides & self._drivers.scripted)
                shown += self._drive(self._drivers, driven, actions)
                scripted += driven.size
                decides[driven] = False
            self._decide(finished, decides, actions)
            tick = self._towns.step(actions)
            self._account(tick)
            self._end(tick, finished)
            if self._drivers is not None and tick.ended.size:
                self._drivers.renew(tick.ended)
            told.append(tick)
        seen = Shown(*(np.concatenate(column) for column in zip(*shown, strict=True)))
        experience = finished.experience(self._is_open, self._open.value)
        return _summed(experience, told, felt, self._towns.rows, _Scripted(scripted, seen))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Everything that outlives a rollout, by name; live arrays, no copies."""
        kept = {"is_open": self._is_open, "reward": self._reward, "ticks": self._ticks, "memory": self._memory}
        return kept | {f"open.{name}": array for name, array in self._open._asdict().items()}

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Go on from what `arrays` gave."""
        for name, own in self.arrays().items():
            own[...] = arrays[name]

    def _forget(self) -> None:
        if self._cut is not None:
            self._memory[self._towns.feature(self._cut) > 0] = 0.0

    def _drive(self, drivers: Drivers, rows: NDArray[np.int64], actions: NDArray[np.int8]) -> list[Shown]:
        """Write the teacher's choices for these rows, and note them if somebody wants to learn from them."""
        if not rows.size:
            return []
        actions[rows] = drivers.choices()[rows]
        return [self._show(rows, actions[rows])] if drivers.noted else []

    def _show(self, rows: NDArray[np.int64], action: NDArray[np.int8]) -> Shown:
        seen, before = self._towns.seen(rows), self._memory[rows]
        if rows.size and self._network.size.recurrent:
            # Whoever learns from the teacher later must remember what led there.
            self._memory[rows] = self._answer(seen, before)[2].numpy()
        return Shown(seen.cells, seen.features, seen.mask, before, action.astype(np.int64))

    def _decide(self, finished: "_Finished", decides: NDArray[np.bool_], actions: NDArray[np.int8]) -> None:
        rows = np.flatnonzero(decides)
        if rows.size:
            going = rows[self._is_open[rows]]
            finished.add(self._open.take(going), self._reward[going], self._ticks[going], None)
            decided = self._choose(rows)
            columns: tuple[Any, ...] = self._open
            for column, values in zip(columns, decided, strict=True):
                column[rows] = values
            self._is_open[rows] = True
            self._reward[rows] = 0.0
            self._ticks[rows] = 0
            actions[rows] = decided.action

    def _choose(self, rows: NDArray[np.int64]) -> Decided:
        seen, before = self._towns.seen(rows), self._memory[rows]
        logits, values, memory = self._answer(seen, before)
        log_probs = torch.log_softmax(logits, dim=1).numpy()
        action = _drawn(np.exp(log_probs.astype(np.float64)), self._draws.random(rows.size))
        self._memory[rows] = memory.numpy()
        return Decided(
            row=rows,
            cells=seen.cells,
            features=seen.features,
            mask=seen.mask,
            memory=before,
            action=action,
            log_prob=log_probs[np.arange(rows.size), action],
            value=self._in_reward(values),
            entropy=entropies(logits).numpy(),
        )

    def _account(self, tick: Tick) -> None:
        # A reward t ticks after the decision counts discount ** t; closed rows add to nothing that is ever read.
        charged = tick.reward - self._costs.life * tick.terminated - self._costs.absence * tick.missed
        if self._costs.distress:
            charged -= self._costs.distress * self._towns.distressed
        self._reward += self._discount**self._ticks * charged
        self._ticks += 1

    def _end(self, tick: Tick, finished: "_Finished") -> None:
        dead = np.flatnonzero(tick.terminated & self._is_open)
        finished.add(self._open.take(dead), self._reward[dead], self._ticks[dead], np.zeros(dead.size))
        self._is_open[dead] = False
        self._memory[tick.terminated] = 0.0
        if tick.ended.size:
            alive = self._is_open[tick.ended]
            rows = tick.ended[alive]
            _, values, _ = self._answer(tick.last_seen.take(alive), self._memory[rows])
            finished.add(self._open.take(rows), self._reward[rows], self._ticks[rows], self._in_reward(values))
            self._is_open[rows] = False
            self._memory[tick.ended] = 0.0

    def _answer(self, seen: Seen, memory: NDArray[np.float32]) -> tuple[Tensor, Tensor, Tensor]:
        with torch.inference_mode():
            return self._network.step(*(torch.from_numpy(column) for column in (*seen, memory)))

    def _in_reward(self, values: Tensor) -> NDArray[np.float64]:
        mean, scale = self._network.value_scale.tolist()
        expected: NDArray[np.float64] = values.numpy().astype(np.float64) * scale + mean
        return expected


class _Scripted(NamedTuple):
    """What the teacher did in a rollout: how many decisions it took, and those that were noted."""

    decisions: int
    shown: Shown


class _Finished:
    """Decisions in the order in which they were finished, and which of them follow each other in one life."""

    def __init__(self, rows: int) -> None:
        self._latest = np.full(rows, -1, np.int64)
        self._parts: list[tuple[Decided, NDArray[np.float64], NDArray[np.int64], NDArray[np.float64]]] = []
        self._links: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = []
        self._count = 0

    def add(
        self,
        decided: Decided,
        reward: NDArray[np.float64],
        ticks: NDArray[np.int64],
        tail: NDArray[np.float64] | None,
    ) -> None:
        """Note finished decisions; `tail` is the value of where they led to when that ends the life or the episode."""
        if not len(decided.row):
            return
        index = np.arange(self._count, self._count + len(decided.row))
        before = self._latest[decided.row]
        self._links.append((before[before >= 0], index[before >= 0]))
        self._latest[decided.row] = index if tail is None else -1
        self._parts.append((decided, reward, ticks, np.zeros(index.size) if tail is None else tail))
        self._count += index.size

    def experience(self, is_open: NDArray[np.bool_], open_value: NDArray[np.float64]) -> Experience:
        """All of it; where the next decision is still open, what the critic said of it closes the span.

        Raises:
            InputError: Nothing was finished.
        """
        if not self._parts:
            raise InputError("training: no decision was finished in a rollout; raise ppo.ticks or ppo.towns")
        columns = [np.concatenate(column) for column in zip(*(part[0] for part in self._parts), strict=True)]
        decided = Decided(*columns)
        reward, ticks, tail = (np.concatenate([part[k] for part in self._parts]) for k in (1, 2, 3))
        following = np.full(self._count, -1, np.int64)
        for before, after in self._links:
            following[before] = after
        waiting = np.flatnonzero(is_open & (self._latest >= 0))
        tail[self._latest[waiting]] = open_value[waiting]
        return Experience(decided, Spans(reward, ticks, decided.value, following, tail))


def _blank(towns: TrainingTowns, network: PolicyNetwork) -> Decided:
    rows, size = towns.rows, network.size
    return Decided(
        row=np.arange(rows),
        cells=np.zeros((rows, size.cells), np.uint8),
        features=np.zeros((rows, size.features), np.float32),
        mask=np.zeros((rows, size.actions), np.bool_),
        memory=np.zeros((rows, size.recurrent), np.float32),
        action=np.zeros(rows, np.int64),
        log_prob=np.zeros(rows, np.float32),
        value=np.zeros(rows, np.float64),
        entropy=np.zeros(rows, np.float32),
    )


def _drawn(probs: NDArray[np.float64], draws: NDArray[np.float64]) -> NDArray[np.int64]:
    reach = probs.cumsum(axis=1)
    chosen: NDArray[np.int64] = (reach <= (draws * JUST_BELOW * reach[:, -1])[:, None]).sum(axis=1)
    return chosen


def _summed(experience: Experience, told: list[Tick], felt: list[Rivals], rows: int, others: "_Scripted") -> Rollout:
    names = next((tick.figures for tick in told if tick.figures), {})
    counts = np.sum([tick.events for tick in told], axis=0)
    values = np.sum([tick.event_value for tick in told], axis=0)
    return Rollout(
        experience=experience,
        agent_ticks=rows * len(told),
        reward=float(np.sum([tick.reward.sum(dtype=np.float64) for tick in told])),
        deaths=int(np.sum([tick.terminated.sum() for tick in told])),
        figures={name: np.concatenate([tick.figures[name] for tick in told if tick.figures]) for name in names},
        events=dict(zip(EVENT_NAMES, counts.tolist(), strict=True)),
        event_values=dict(zip(EVENT_NAMES, values.tolist(), strict=True)),
        completed=dict(zip(OPTION_NAMES, np.sum([tick.completed for tick in told], axis=0).tolist(), strict=True)),
        rivals=Rivals(*(np.stack(column) for column in zip(*felt, strict=True))),
        scripted=others.decisions,
        shown=others.shown,
    )
