"""Capturing: a policy lives a scenario's towns for a date, and everything goes into two shards."""

import json
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import fields, replace
from datetime import date as Date
from hashlib import sha256
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from townlet_core.config import CaptureRules, Scenario, TownConfig, config_digest
from townlet_core.core import ENGINE, Simulation
from townlet_core.datasets.derivations import derive
from townlet_core.datasets.records import CaptureRecord, as_record, capture_from, capture_path
from townlet_core.datasets.rollout import Choice, Chooser, record
from townlet_core.datasets.schema import ShardFacts, events_columns, shape_of, steps_columns
from townlet_core.datasets.store import PARQUET, Record, Store
from townlet_core.datasets.trajectory import Recording, events_table, steps_table
from townlet_core.datasets.writing import ShardWriter, shard_writer
from townlet_core.errors import InputError
from townlet_core.files import Sink
from townlet_core.kernels import source_digest
from townlet_core.observations.layout import ObservationLayout
from townlet_core.world.events import EVENT_NAMES

TOWNS_AT_ONCE = 4
"""Towns recorded at once: about 9 MB each for eight citizens and a day."""

Progress = Callable[[int, int], None]
"""Called with the town-ticks done and those in all."""


class Actor(Protocol):
    """Something that chooses for every citizen of the simulation it was made for."""

    def act(self) -> NDArray[np.int8]:
        """Everybody's option, int8 [towns, agents]."""


class Exploration(NamedTuple):
    """Random numbers in [0, 1) for a chunk of towns, float64 [ticks, towns, agents], and the share that explores."""

    coin: NDArray[np.float64]
    pick: NDArray[np.float64]
    share: float


def capture_seed(scenario: str, date: str, purpose: str = "capture") -> int:
    """The run seed of a capture: the first 8 bytes of the SHA-256 of `purpose:scenario:date`, as a number."""
    return int.from_bytes(sha256(f"{purpose}:{scenario}:{date}".encode()).digest()[:8], "big")


def capture(
    scenario: Scenario,
    date: str,
    store: Store,
    *,
    policy_factory: Callable[[Simulation], Actor],
    policy: str = "teacher",
    threads: int = 1,
    towns_at_once: int = TOWNS_AT_ONCE,
    progress: Progress | None = None,
) -> CaptureRecord:
    """Run a scenario's towns with a policy and record every step and event in `captures/<scenario>/<date>.json`.

    A share of the decisions (`scenario.capture.exploration`) takes a random legal option; the label `expert` is the
    policy's all the same. Capturing again with the same inputs and code finds the first capture, verifies its bytes and
    returns it. The bytes do not depend on `threads` or `towns_at_once`.

    Args:
        scenario: what to run, and for how many towns and days.
        date: capture date, `YYYY-MM-DD`; with the scenario's name it decides the seed.
        store: where shards and records go.
        policy_factory: makes the policy for a simulation.
        policy: a name that tells this policy, its weights included, from every other.
        threads: threads of the engine.
        towns_at_once: towns that live at a time; as many are in memory to be written.
        progress: called with town-ticks done and in all.

    Raises:
        InputError: the date is not a date, or the scenario has no `capture` section.
        DataError: the store cannot be written.
    """
    date = _checked(date)
    rules = _required(scenario)
    plan = _Plan(scenario.name, date, _lasting(scenario.config, rules), rules.towns, rules.exploration, policy)
    code = source_digest(*ENGINE, "datasets", "policy")
    stage = f"capture/{scenario.name}"
    run = _Run(policy_factory, threads, towns_at_once, progress)
    derived = derive(store, stage, plan.inputs(), lambda: _captured(plan, run, store), code=code)
    store.write_record(capture_path(scenario.name, date), derived.record)
    return capture_from(derived.record, stage, reused=derived.reused)


def explore(teacher: NDArray[np.int8], sim: Simulation, exploration: Exploration, tick: int) -> NDArray[np.int8]:
    """The policy's options, int8 [towns, agents], with some decisions replaced by a random legal option."""
    mask = sim.observation.mask
    rank = (exploration.pick[tick] * mask.sum(axis=2)).astype(np.int64)
    legal = np.argmax(mask.cumsum(axis=2) > rank[..., None], axis=2).astype(np.int8)
    return np.where(sim.decision & (exploration.coin[tick] < exploration.share), legal, teacher)


class _Plan(NamedTuple):
    scenario: str
    date: str
    config: TownConfig
    towns: int
    exploration: float
    policy: str

    @property
    def ticks(self) -> int:
        return self.config.clock.episode_days * self.config.clock.ticks_per_day

    @property
    def seed(self) -> int:
        return capture_seed(self.scenario, self.date)

    def inputs(self) -> Record:
        return {**self._asdict(), "config": config_digest(self.config), "seed": self.seed}


class _Run(NamedTuple):
    policy_factory: Callable[[Simulation], Actor]
    threads: int
    towns_at_once: int
    progress: Progress | None


class _Shards(NamedTuple):
    steps: ShardWriter
    events: ShardWriter


class _Tally(NamedTuple):
    decisions: int
    events_dropped: int
    kpis: dict[str, list[float]]


def _checked(date: str) -> str:
    try:
        return Date.fromisoformat(date).isoformat()
    except ValueError:
        raise InputError(f"date {date!r}: not a date; write it as YYYY-MM-DD") from None


def _required(scenario: Scenario) -> CaptureRules:
    if scenario.capture is None:
        raise InputError(
            f"scenario {scenario.name}: has no 'capture' section, so nothing is recorded; add one to its file"
        )
    return scenario.capture


def _lasting(config: TownConfig, rules: CaptureRules) -> TownConfig:
    clock = config.clock.model_copy(update={"episode_days": rules.days})
    return config.model_copy(update={"clock": clock})


def _captured(plan: _Plan, run: _Run, store: Store) -> Record:
    layout = Simulation(plan.config).layout
    with ExitStack() as stack:
        sinks = [stack.enter_context(store.create()) for _ in range(2)]
        columns = (steps_columns(shape_of(json.loads(layout.to_json()))), events_columns())
        shards = _Shards(*(stack.enter_context(shard_writer(s, c)) for s, c in zip(sinks, columns, strict=True)))
        tally = _write_towns(plan, run, shards)
        facts = _facts(plan, layout)
        shards.events.finish(replace(facts, kind="events"))
        shards.steps.finish(replace(facts, events=sinks[1].digest))
    return as_record(_outcome(facts, shards, sinks, tally))


def _write_towns(plan: _Plan, run: _Run, shards: _Shards) -> _Tally:
    """Live chunk by chunk; a thread writes the one before meanwhile, so that two are in memory and none waits."""
    tally, writing = _Tally(0, 0, {}), Future[None]()
    writing.set_result(None)
    with ThreadPoolExecutor(1) as writer:  # compression runs without the interpreter's lock
        for first_town in range(0, plan.towns, run.towns_at_once):
            sim = _simulation(plan, run, first_town)
            recording = record(sim, _chooser(plan, run, sim), plan.ticks, _reporter(plan, run, first_town))
            writing.result()
            writing = writer.submit(_write, recording, first_town, shards)
            tally = _added(tally, recording, sim)
        writing.result()
    return tally


def _simulation(plan: _Plan, run: _Run, first_town: int) -> Simulation:
    towns = min(run.towns_at_once, plan.towns - first_town)
    return Simulation(plan.config, towns, plan.seed, threads=run.threads, first_town=first_town)


def _chooser(plan: _Plan, run: _Run, sim: Simulation) -> Chooser:
    actor = run.policy_factory(sim)
    exploration = _exploration(plan, sim)

    def choose(sim: Simulation, tick: int) -> Choice:
        expert = actor.act()
        return Choice(explore(expert, sim, exploration, tick), expert)

    return choose


def _exploration(plan: _Plan, sim: Simulation) -> Exploration:
    towns, agents = sim.shape
    draws = np.empty((2, plan.ticks, towns, agents))
    for town in range(towns):
        key = sha256(f"exploration:{plan.seed}:{sim.first_town + town}".encode()).digest()
        draws[:, :, town] = np.random.default_rng(list(key)).random((2, plan.ticks, agents))
    return Exploration(draws[0], draws[1], plan.exploration)


def _reporter(plan: _Plan, run: _Run, first_town: int) -> Callable[[int], None] | None:
    if run.progress is None:
        return None
    report, total = run.progress, plan.towns * plan.ticks
    return lambda done: report(first_town * plan.ticks + done, total)


def _write(recording: Recording, first_town: int, shards: _Shards) -> None:
    for town, events in enumerate(recording.events):
        shards.steps.add(steps_table(recording.steps, town, first_town + town))
        shards.events.add(events_table(events, first_town + town))


def _added(tally: _Tally, recording: Recording, sim: Simulation) -> _Tally:
    kpis = {name: tally.kpis.get(name, []) + values.tolist() for name, values in sim.kpis().items()}
    decisions = tally.decisions + int(recording.steps.decision.sum())
    return _Tally(decisions, tally.events_dropped + sim.events_dropped, kpis)


def _facts(plan: _Plan, layout: ObservationLayout) -> ShardFacts:
    return ShardFacts(
        kind="steps",
        scenario=plan.scenario,
        date=plan.date,
        seed=plan.seed,
        towns=plan.towns,
        agents=plan.config.agents,
        ticks=plan.ticks,
        exploration=plan.exploration,
        policy=plan.policy,
        layout=json.loads(layout.to_json()),
        layout_digest=layout.digest,
        config=plan.config.model_dump(mode="json"),
        config_digest=config_digest(plan.config),
        code=source_digest(*ENGINE),
        event_names=EVENT_NAMES,
    )


def _outcome(facts: ShardFacts, shards: _Shards, sinks: Sequence[Sink], tally: _Tally) -> CaptureRecord:
    steps, events = (f"{sink.digest}{PARQUET}" for sink in sinks)
    shared = {field.name: getattr(facts, field.name) for field in fields(CaptureRecord) if hasattr(facts, field.name)}
    measured = {"rows": shards.steps.rows, "event_rows": shards.events.rows, "bytes": sum(sink.size for sink in sinks)}
    return CaptureRecord(**shared | measured | {"steps": steps, "events": events} | tally._asdict())
