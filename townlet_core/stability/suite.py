"""The evaluation suite: every contender lives in the same towns, by a plan or for a length of its own."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from townlet_core.config import Scenario, config_digest
from townlet_core.config.gates import ComparisonRules, Mode
from townlet_core.config.telemetry import CanaryRules
from townlet_core.core import ENGINE, Simulation
from townlet_core.errors import InputError
from townlet_core.kernels import source_digest
from townlet_core.policy.acting import Policy
from townlet_core.policy.teacher import Teacher
from townlet_core.stability.canaries import Canaries
from townlet_core.stability.choices import Diary, Keep, KeepAll
from townlet_core.stability.claims import CANARY, CANDIDATE, claims_of
from townlet_core.stability.criteria import Verdict
from townlet_core.stability.evaluation import NO_PLAN, Evaluation, PolicyRun, ScenarioRun, Window, window_seed
from townlet_core.stability.looks import rule

Progress = Callable[[int, int], None]
"""Called with the town-days lived and the most that there can be."""


class Contender(NamedTuple):
    """A policy that enters an evaluation: the digest that identifies it, and how it enters a simulation."""

    digest: str
    enter: Callable[[Simulation], Policy]


def scripted_teacher() -> Contender:
    """The scripted teacher: what it does follows from the sources of engine and policies, whose digest names it."""
    return Contender(source_digest(*ENGINE, "policy"), Teacher)


class Planned(NamedTuple):
    """The plan of an evaluation: its rules, their digest, what must be shown against whom, and whom one would replace.

    `follows` is the policy digest of that release, or `FIRST`; it is part of the seeds of the towns.
    """

    rules: ComparisonRules
    digest: str
    modes: Mapping[str, Mode]
    follows: str


class Stay(NamedTuple):
    """Which towns are lived in: from the town `first` of a seed on, for so many days, watched by canaries or not."""

    seed: int
    first: int
    towns: int
    days: int
    canaries: CanaryRules | None = None


def evaluate_by_plan(
    contenders: Mapping[str, Contender],
    scenarios: Sequence[Scenario],
    plan: Planned,
    *,
    threads: int = 1,
    progress: Progress | None = None,
    keep: KeepAll | None = None,
) -> Evaluation:
    """Let every contender live in the towns of the plan, look by look, and stop where the plan says it is decided.

    Args:
        contenders: Who takes part, by name; `candidate` is the one that is judged.
        scenarios: Where they live: those that the plan lists.
        plan: Fixed and digested before the first town is lived in; the evaluation records its digest.
        threads: How many stays are lived at a time; the result does not depend on it.
        progress: Called after each contender's stay.
        keep: Handed every choice of everybody as they are made, portion by portion.

    Raises:
        InputError: Nobody takes part.
        CheckpointError: A contender cannot live in one of the towns.
    """
    rules = plan.rules
    total = rules.windows * rules.towns[-1] * rules.days * len(scenarios) * len(contenders)
    means = _Means(threads, _Told(progress, total), keep)
    windows: list[Window] = []
    while len(windows) < rules.windows:
        window, verdict = _window(contenders, scenarios, plan, len(windows) + 1, means)
        windows.append(window)
        if verdict is not Verdict.PASS:
            break
    return _evaluation(contenders, (rules.seed, plan.follows), rules.days, plan.digest, windows)


def evaluate(
    contenders: Mapping[str, Contender],
    scenarios: Sequence[Scenario],
    *,
    towns: int,
    days: int,
    seed: int,
    threads: int = 1,
    progress: Progress | None = None,
) -> Evaluation:
    """Let every contender live in one window of held-out towns of every scenario, following no plan.

    Raises:
        InputError: Nobody takes part, nowhere, or for no time.
        CheckpointError: A contender cannot live in one of the towns.
    """
    if not contenders or not scenarios or towns < 2 or days < 1:
        raise InputError("evaluation: needs a policy, a scenario, at least 2 towns and at least 1 day")
    means = _Means(threads, _Told(progress, towns * days * len(scenarios) * len(contenders)), None)
    places = [(one, Stay(window_seed(one.name, seed, NO_PLAN, 1), 0, towns, days)) for one in scenarios]
    runs = _lived(contenders, places, 1, means)
    return _evaluation(contenders, (seed, NO_PLAN), days, None, [Window(number=1, scenarios=runs)])


def live(policy: Callable[[Simulation], Policy], scenario: Scenario, stay: Stay, keep: Keep | None = None) -> PolicyRun:
    """Let one policy live in some towns of a scenario, and measure every figure in each of them.

    Args:
        policy: How it enters a simulation.
        scenario: Where it lives.
        stay: In which towns, and for how long.
        keep: Handed every choice as they are made, portion by portion.
    """
    clock = scenario.config.clock.model_copy(update={"episode_days": stay.days})
    config = scenario.config.model_copy(update={"clock": clock})
    sim = Simulation(config, stay.towns, stay.seed, first_town=stay.first)
    entered = policy(sim)
    sim.reset()
    watch, diary = _Watch(sim, stay.canaries), Diary(scenario.name, sim, keep) if keep is not None else None
    for tick in range(stay.days * config.clock.ticks_per_day):
        actions = entered.act(sim)
        watch.before(actions)
        if diary is not None:
            diary.note(actions, tick)
        sim.step(actions)
        watch.after()
    if diary is not None:
        diary.close()
    return watch.found()


class _Told:
    """Tells how far an evaluation has come."""

    def __init__(self, progress: Progress | None, total: int) -> None:
        self._progress, self._total, self._done = progress, total, 0

    def add(self, town_days: int) -> None:
        self._done += town_days
        if self._progress is not None:
            self._progress(self._done, self._total)


class _Means(NamedTuple):
    """How an evaluation is carried out, which changes nothing in it: threads, who is told, and who keeps choices."""

    threads: int
    told: _Told
    keep: KeepAll | None

    def tell(self, window: int, contender: str, choices: pa.Table) -> None:
        """Hand on choices, if somebody keeps them."""
        if self.keep is not None:
            self.keep(window, contender, choices)


class _Watch:
    """Counts decisions, and notes in which towns a canary ever called."""

    def __init__(self, sim: Simulation, rules: CanaryRules | None) -> None:
        self._sim = sim
        self._canaries = Canaries(sim, rules) if rules is not None else None
        self._decisions = np.zeros((sim.shape[0], len(sim.layout.actions)), np.int64)
        self._offset = np.arange(sim.shape[0])[:, None] * len(sim.layout.actions)

    def before(self, actions: np.ndarray[tuple[int, ...], np.dtype[np.int8]]) -> None:
        decided = (self._offset + actions)[self._sim.decision]
        self._decisions += np.bincount(decided, minlength=self._decisions.size).reshape(self._decisions.shape)

    def after(self) -> None:
        if self._canaries is not None:
            self._canaries.observe()

    def found(self) -> PolicyRun:
        figures: dict[str, tuple[float | None, ...]] = {
            name: tuple(map(float, values)) for name, values in self._sim.kpis().items()
        }
        if self._canaries is not None:
            for name, called in self._canaries.ever_called().items():
                figures[f"{CANARY}{name}"] = tuple(map(float, called))
        actions = enumerate(self._sim.layout.actions)
        decisions = {name: tuple(map(int, self._decisions[:, index])) for index, name in actions}
        return PolicyRun(kpis=figures, decisions=decisions)


def _window(
    contenders: Mapping[str, Contender],
    scenarios: Sequence[Scenario],
    plan: Planned,
    number: int,
    means: _Means,
) -> tuple[Window, Verdict]:
    rules, lived = plan.rules, 0
    identical = {name for name, one in contenders.items() if one.digest == contenders[CANDIDATE].digest}
    claims = claims_of(rules, plan.modes, frozenset(identical))
    canaries = rules.canaries.rules if rules.canaries is not None else None
    runs: dict[str, ScenarioRun] = {}
    for towns in rules.towns:
        seeds = [window_seed(one.name, rules.seed, plan.follows, number) for one in scenarios]
        stays = [Stay(seed, lived, towns - lived, rules.days, canaries) for seed in seeds]
        more = _lived(contenders, list(zip(scenarios, stays, strict=True)), number, means)
        runs = {name: runs[name].followed_by(run) if name in runs else run for name, run in more.items()}
        lived = towns
        window = Window(number=number, scenarios=runs)
        ruling = rule(claims, window.figures(), rules)
        if ruling.over:
            break
    return window, ruling.verdict


def _lived(
    contenders: Mapping[str, Contender], places: Sequence[tuple[Scenario, Stay]], window: int, means: _Means
) -> dict[str, ScenarioRun]:
    """Every contender in every place, several stays at a time; what is told and kept comes in the order of the places.

    A stay is mostly small batches of towns, which one thread lives as quickly as two: so each has a thread of its own.
    """
    with ThreadPoolExecutor(means.threads) as pool:  # kernels run without the interpreter's lock
        running = [
            {name: pool.submit(_stay, one, scenario, stay, means) for name, one in contenders.items()}
            for scenario, stay in places
        ]
        runs = {}
        for (scenario, stay), stays in zip(places, running, strict=True):
            policies = {}
            for name, waiting in stays.items():
                policies[name], kept = waiting.result()
                for table in kept:
                    means.tell(window, name, table)
                means.told.add(stay.towns * stay.days)
            runs[scenario.name] = ScenarioRun(
                config_digest=config_digest(scenario.config), seed=stay.seed, towns=stay.towns, policies=policies
            )
    return runs


def _stay(contender: Contender, scenario: Scenario, stay: Stay, means: _Means) -> tuple[PolicyRun, list[pa.Table]]:
    kept: list[pa.Table] = []
    return live(contender.enter, scenario, stay, kept.append if means.keep is not None else None), kept


def _evaluation(
    contenders: Mapping[str, Contender], seed: tuple[int, str], days: int, plan: str | None, windows: Sequence[Window]
) -> Evaluation:
    return Evaluation(
        seed=seed[0],
        follows=seed[1],
        days=days,
        engine=source_digest(*ENGINE),
        plan=plan,
        policies={name: contender.digest for name, contender in contenders.items()},
        windows=tuple(windows),
    )
