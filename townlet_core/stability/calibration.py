"""How often the gate errs: policies of known quality live in real towns once, and trials are drawn from those towns."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from math import sqrt
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import BaseModel

from townlet_core.config import Scenario, canonical_json, digest
from townlet_core.config.gates import CalibrationRules, ComparisonRules, GatePolicy, Mode
from townlet_core.datasets.capture import capture_seed
from townlet_core.policy.teacher import Teacher
from townlet_core.stability.careless import careless
from townlet_core.stability.claims import CANDIDATE, CURRENT, Claim, Figures, claims_of
from townlet_core.stability.criteria import FROZEN, Verdict
from townlet_core.stability.looks import rule
from townlet_core.stability.suite import Stay, live

Floats = NDArray[np.float64]
Progress = Callable[[int, int], None]

MODES: tuple[Mode, ...] = ("no_worse", "better")
NORMAL_95 = 1.959964
_OTHER = {CANDIDATE: CURRENT, CURRENT: CANDIDATE}


class Player(NamedTuple):
    """A policy of the pool: the teacher with this share of slips; the draw tells equally careless ones apart."""

    noise: float
    draw: int = 1


class Case(NamedTuple):
    """A candidate and the release it would replace, of whom it is known who is better."""

    name: str
    candidate: Player
    rival: Player


Pool = Mapping[tuple[str, Player, str], Floats]
"""A figure in each town of the pool, by (scenario, player, figure); all players lived in the same towns."""


class Rates(BaseModel):
    """How the gate judged one case, where the primary figure had to be better, or no worse.

    `towns` is the mean number of towns of each scenario that a trial lived in.
    """

    model_config = FROZEN
    case: str
    mode: Mode
    candidate_noise: float
    rival_noise: float
    trials: int
    promoted: int
    held: int
    failed: int
    towns: float

    @property
    def promoted_share(self) -> tuple[float, float, float]:
        """The share of trials that promoted, with its 95 % interval."""
        return wilson(self.promoted, self.trials)


class Promise(NamedTuple):
    """One target of the plan: what was measured with its 95 % interval, what was promised, and whether it holds."""

    told: str
    share: tuple[float, float, float]
    target: str
    holds: bool


class Basis(BaseModel):
    """Digests of what a pool's towns depend on: the engine's sources, the teacher's, each scenario's configuration."""

    model_config = FROZEN
    engine: str
    teacher: str
    scenarios: dict[str, str]


class Calibration(BaseModel):
    """The gate's measured error rates, and exactly what they are about."""

    model_config = FROZEN
    plan: str
    basis: Basis
    towns: int
    days: int
    rates: tuple[Rates, ...]

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical form."""
        return digest(self)

    def to_json(self) -> bytes:
        """The canonical JSON."""
        return canonical_json(self)

    def of(self, case: str, mode: Mode) -> Rates:
        """The rates of one case in one mode."""
        return next(one for one in self.rates if (one.case, one.mode) == (case, mode))


def calibrated_plan(plan: GatePolicy) -> str:
    """Digest of what the error rates depend on: how a candidate is compared, and how the rates are measured."""
    return digest({"comparison": plan.comparison, "calibration": plan.calibration})


def wilson(count: int, trials: int) -> tuple[float, float, float]:
    """A share with its 95 % interval (Wilson, Journal of the American Statistical Association 22, 1927)."""
    share, squared = count / trials, NORMAL_95**2
    middle = (share + squared / (2 * trials)) / (1 + squared / trials)
    half = NORMAL_95 * sqrt(share * (1 - share) / trials + squared / (4 * trials**2)) / (1 + squared / trials)
    return share, max(middle - half, 0.0), min(middle + half, 1.0)


def cases_of(rules: CalibrationRules) -> tuple[Case, ...]:
    """Everything that is measured: nobody better, the candidate worse, and the candidate better."""
    sound, slips = Player(0.0), rules.replace.noise
    return (
        Case("identical", sound, sound),
        Case(f"equal, {slips:g} slips each", Player(slips, 2), Player(slips)),
        *(Case(f"worse by {noise:g} slips", Player(noise), sound) for noise in rules.noise),
        *(Case(f"better by {noise:g} slips", sound, Player(noise)) for noise in rules.noise),
    )


def promises(calibration: Calibration, rules: CalibrationRules) -> tuple[Promise, ...]:
    """Hold what was measured against the plan's targets."""
    worse = calibration.of(f"worse by {rules.refuse.noise:g} slips", "no_worse")
    refused = wilson(worse.trials - worse.promoted, worse.trials)
    better = calibration.of(f"better by {rules.replace.noise:g} slips", "better").promoted_share
    equals = [calibration.of(case.name, "better") for case in cases_of(rules)[:2]]
    return (
        Promise(
            f"a policy with {rules.refuse.noise:.0%} random actions is refused",
            refused,
            f"at least {rules.refuse.share:.0%}",
            refused[0] >= rules.refuse.share,
        ),
        *(
            Promise(
                f"an equal policy ({one.case}) is promoted as better",
                one.promoted_share,
                f"at most {rules.equal:.0%}",
                one.promoted_share[0] <= rules.equal,
            )
            for one in equals
        ),
        Promise(
            f"a sound policy is promoted as better over one with {rules.replace.noise:.0%} random actions",
            better,
            f"at least {rules.replace.share:.0%}",
            better[0] >= rules.replace.share,
        ),
    )


def live_in_pool(scenarios: Sequence[Scenario], plan: GatePolicy, progress: Progress | None = None) -> pa.Table:
    """Let every policy of known quality live in the same towns, several at a time: a row per scenario, player and town.

    Args:
        scenarios: Those of the plan.
        plan: Says how many towns, how long, and how careless the policies are.
        progress: Called with the stays done and the stays in all.
    """
    players = sorted({player for case in cases_of(plan.calibration) for player in (case.candidate, case.rival)})
    stays = [(scenario, player) for scenario in scenarios for player in players]
    tables = []
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # kernels run without the interpreter's lock
        running = [pool.submit(_stay, scenario, player, plan) for scenario, player in stays]
        for done, stay in enumerate(running, start=1):
            tables.append(stay.result())
            if progress is not None:
                progress(done, len(stays))
    return pa.concat_tables(tables)


def pool_of(table: pa.Table) -> Pool:
    """The pool as arrays, from the table that `live_in_pool` gave."""
    keys = ("scenario", "noise", "draw")
    columns = {name: table.column(name).to_numpy(zero_copy_only=False) for name in table.column_names}
    places = list(zip(*(columns[key].tolist() for key in keys), strict=True))
    pool: dict[tuple[str, Player, str], Floats] = {}
    for place in sorted(set(places)):
        here = np.array([other == place for other in places])
        for figure in columns.keys() - {*keys, "town"}:
            pool[place[0], Player(*place[1:]), figure] = columns[figure][here].astype(np.float64)
    return pool


def measure(pool: Pool, plan: GatePolicy, basis: Basis, progress: Progress | None = None) -> Calibration:
    """Put trials of every case through the gate and count its verdicts.

    Args:
        pool: Figures of all players in the same towns; each trial draws its towns from it, with replacement.
        plan: The gate.
        basis: What the pool lived by.
        progress: Called with the cases done and the cases in all.
    """
    every = [(case, mode) for case in cases_of(plan.calibration) for mode in MODES]
    rates = []
    for done, (case, mode) in enumerate(every, start=1):
        rates.append(_rates(pool, plan, case, mode))
        if progress is not None:
            progress(done, len(every))
    rules = plan.calibration
    return Calibration(
        plan=calibrated_plan(plan), basis=basis, towns=rules.towns, days=plan.comparison.days, rates=tuple(rates)
    )


def _stay(scenario: Scenario, player: Player, plan: GatePolicy) -> pa.Table:
    rules, comparison = plan.calibration, plan.comparison
    seed = capture_seed(scenario.name, str(rules.seed), "calibration")
    slips = capture_seed(scenario.name, f"{rules.seed}/{player.noise}/{player.draw}", "slips")
    canaries = comparison.canaries.rules if comparison.canaries is not None else None
    enter = careless(Teacher, player.noise, slips)
    run = live(enter, scenario, Stay(seed, 0, rules.towns, comparison.days, canaries))
    where = {"scenario": scenario.name, "noise": player.noise, "draw": player.draw}
    columns = {name: [value] * rules.towns for name, value in where.items()}
    return pa.table({**columns, "town": range(rules.towns), **run.kpis})


def _rates(pool: Pool, plan: GatePolicy, case: Case, mode: Mode) -> Rates:
    rules = plan.comparison
    identical = frozenset({CURRENT} if case.candidate == case.rival else ())
    claims = claims_of(rules, {CURRENT: mode}, identical)
    seed = capture_seed(case.name, str(plan.calibration.seed), "trials")
    generator = np.random.default_rng(seed)
    sources = _sources(pool, case, claims)
    equal = case.candidate.noise == case.rival.noise
    outcomes = [_trial(sources, claims, rules, generator, swapped=equal) for _ in range(plan.calibration.trials)]
    verdicts = [verdict for verdict, _ in outcomes]
    return Rates(
        case=case.name,
        mode=mode,
        candidate_noise=case.candidate.noise,
        rival_noise=case.rival.noise,
        trials=len(outcomes),
        promoted=verdicts.count(Verdict.PASS),
        held=verdicts.count(Verdict.HOLD),
        failed=verdicts.count(Verdict.FAIL),
        towns=float(np.mean([towns for _, towns in outcomes])),
    )


def _sources(pool: Pool, case: Case, claims: Sequence[Claim]) -> Figures:
    """The figures that the claims are about, with candidate and rival in the places of the gate's contenders."""
    roles = {CANDIDATE: case.candidate, CURRENT: case.rival}
    wanted = {(scenario, claim.figure) for claim in claims for scenario in claim.scenarios}
    return {
        (scenario, role, figure): pool[scenario, player, figure]
        for scenario, figure in sorted(wanted)
        for role, player in roles.items()
        if (scenario, player, figure) in pool
    }


def _trial(
    sources: Figures,
    claims: Sequence[Claim],
    rules: ComparisonRules,
    generator: np.random.Generator,
    *,
    swapped: bool,
) -> tuple[Verdict, int]:
    verdict, towns = Verdict.HOLD, 0
    for figures in _windows(sources, rules, generator, swapped=swapped):
        ruling = rule(claims, figures, rules)
        verdict, towns = ruling.verdict, towns + ruling.towns
        if verdict is not Verdict.PASS:
            break
    return verdict, towns


def _windows(
    sources: Figures, rules: ComparisonRules, generator: np.random.Generator, *, swapped: bool
) -> Iterator[Figures]:
    """Windows of towns drawn from the pool; of equals, who is who is drawn town by town.

    Without that, whoever had the luck in the finite pool would be better in truth, as far as trials can tell.
    """
    size = min((values.size for values in sources.values()), default=1)
    for _ in range(rules.windows):
        towns = {name: generator.integers(0, size, rules.towns[-1]) for name in rules.scenarios}
        swaps = {name: generator.random(rules.towns[-1]) < (0.5 if swapped else 0.0) for name in rules.scenarios}
        yield {
            (scenario, role, figure): np.where(
                swaps[scenario],
                sources[scenario, _OTHER[role], figure][towns[scenario]],
                values[towns[scenario]],
            )
            for (scenario, role, figure), values in sources.items()
        }
