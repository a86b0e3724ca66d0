"""Forgetting: what a reference could do in the golden towns, the candidate must still do, within the bands."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from pydantic import BaseModel

from townlet_core.config import Scenario, digest
from townlet_core.config.rehearsal import Band, GoldenRules
from townlet_core.scenarios.wording import title_of
from townlet_core.stability.claims import CANDIDATE
from townlet_core.stability.criteria import FROZEN, Criterion, Verdict, missing, number, worst
from townlet_core.stability.golden import Lived, promise

BY_RELEASES = "releases"
BY_TEACHER = "teacher"
BY_NOBODY = "nobody"


class GoldenReport(BaseModel):
    """What a candidate still can do, and exactly what that was found from.

    `reference` says who sets the bar: earlier releases, the teacher because there is none, or nobody because the plan
    does not allow that. `policies` is the digest of everybody who lived in the golden towns, by name; `left_out` says
    of earlier releases that do not count why.
    """

    model_config = FROZEN
    plan: str
    """Digest of the rules."""
    engine: str
    """Digest of the sources that decide what happens in a town."""
    reference: str
    policies: dict[str, str]
    left_out: dict[str, str]
    criteria: tuple[Criterion, ...]

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical form."""
        return digest(self)

    @property
    def holds(self) -> bool:
        """Whether nothing was forgotten: every criterion passed, and there was one."""
        return worst(self.criteria) is Verdict.PASS

    @property
    def broken(self) -> tuple[Criterion, ...]:
        """The criteria that did not pass, the worst first."""
        found = [one for one in self.criteria if one.verdict is not Verdict.PASS]
        return tuple(sorted(found, key=lambda one: -one.verdict.severity))

    @property
    def bar(self) -> str:
        """Who sets the bar, in words."""
        if self.reference == BY_RELEASES:
            names = [name for name in self.policies if name not in (CANDIDATE, BY_TEACHER)]
            return f"the best of {', '.join(names)}" if len(names) > 1 else names[0]
        if self.reference == BY_TEACHER:
            return "the teacher, since no earlier release can live in these towns"
        return "nobody: no earlier release can live in these towns, and the plan lets no other stand in"


class _Bar(NamedTuple):
    """What the best reference reached on one figure, and who that was."""

    reached: float
    who: str


def judge_forgetting(
    rules: GoldenRules, scenarios: Sequence[Scenario], candidate: Lived, references: Mapping[str, Lived]
) -> tuple[Criterion, ...]:
    """Hold the candidate against the best of the references, figure by figure, in every scenario.

    Args:
        rules: The bands.
        scenarios: Those of the rules.
        candidate: What the candidate did in the golden towns.
        references: What those did who set the bar, by name.

    Returns:
        A criterion per scenario and figure; one that holds where there is no reference at all.
    """
    if not references:
        return (missing("golden.reference", "there is nobody whose golden rollouts could set the bar"),)
    return tuple(
        criterion
        for scenario in scenarios
        for criterion in (
            *_figures(rules, scenario.name, candidate, references),
            *_promises(rules, scenario, candidate, references),
        )
    )


def _figures(
    rules: GoldenRules, scenario: str, candidate: Lived, references: Mapping[str, Lived]
) -> Iterator[Criterion]:
    for figure, band in rules.bands.items():
        name, told = f"golden.{scenario}.{figure}", f"{figure} in {scenario}"
        value, bar = _mean(candidate, scenario, figure), _best(references, scenario, figure, band)
        if value is None or bar is None:
            yield missing(name, f"{told} was not measured")
            continue
        bound = bar.reached - band.margin if band.better == "more" else bar.reached + band.margin
        yield _line(name, told, value, bound, bar, more=band.better == "more")


def _promises(
    rules: GoldenRules, scenario: Scenario, candidate: Lived, references: Mapping[str, Lived]
) -> Iterator[Criterion]:
    """A promise is owed as often as the scenario demands, or as the best reference kept it if that is less."""
    band = Band(margin=rules.expectations)
    for count, expectation in enumerate(scenario.expectations, start=1):
        figure = promise(count)
        name = f"golden.{scenario.name}.{figure}"
        title = title_of(expectation.measure, expectation.demand.shows)
        told = f"the share of towns in {scenario.name} that keep “{title}”"
        value, bar = _mean(candidate, scenario.name, figure), _best(references, scenario.name, figure, band)
        if value is None or bar is None:
            yield missing(name, f"{told} was not measured")
            continue
        bound = min(bar.reached, expectation.demand.share_of_towns) - rules.expectations
        yield _line(name, told, value, bound, bar, more=True)


def _best(references: Mapping[str, Lived], scenario: str, figure: str, band: Band) -> _Bar | None:
    """The best that any reference reached; None where one was not measured, so that nothing passes on a gap."""
    means = {who: _mean(lived, scenario, figure) for who, lived in references.items()}
    known = {who: mean for who, mean in means.items() if mean is not None}
    if len(known) < len(means):
        return None
    pick = max if band.better == "more" else min
    who = pick(known, key=lambda name: known[name])
    return _Bar(known[who], who)


def _mean(lived: Lived, scenario: str, figure: str) -> float | None:
    values = lived.get((scenario, figure))
    mean = float(values.mean()) if values is not None and values.size else float("nan")
    return mean if mean == mean else None


def _line(name: str, told: str, value: float, bound: float, bar: _Bar, *, more: bool) -> Criterion:
    passed = value >= bound if more else value <= bound
    side, beyond = ("at least", "below") if more else ("at most", "above")
    return Criterion(
        name=name,
        value=value,
        bound=bound,
        verdict=Verdict.PASS if passed else Verdict.FAIL,
        reason=f"{told} is {number(value)}, {side} {number(bound)} is asked for; {bar.who}: {number(bar.reached)}",
        what_would_change=f"{told} {beyond if passed else 'of ' + side} {number(bound)}",
    )
