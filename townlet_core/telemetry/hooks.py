"""Python functions that are told of uses: only those that the town allows, and never so that a town could suffer.

They are told after the tick, in the order of the events and then of the manifest. They see names and numbers, copies of
what is in the event table, and nothing that they do reaches the town.
"""

import importlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from townlet_core.config import TownConfig
from townlet_core.config.hooks import MOMENTS, HookRules, Moment, NamedHook, is_python
from townlet_core.core import Simulation
from townlet_core.telemetry.events import named_events
from townlet_core.world.events import Event

ENVIRONMENT = "TOWNLET_AFFORDANCE_HOOK_MODULES"
"""Modules, separated by commas, that are allowed besides those of the configuration."""

_MOMENT: Mapping[str, Moment] = {
    "affordance_start": "before",
    "affordance_finish": "after",
    "affordance_fail": "fail",
    "affordance_precondition_fail": "fail",
}
_KINDS = [int(Event[name.upper()]) for name in _MOMENT]


class Use(NamedTuple):
    """What a hook is told of a use.

    Attributes:
        moment: Whether it began, was completed, or failed.
        affordance: What was done.
        agent: Who did it.
        object: With what.
        town: Number of the town in its batch.
        tick: Ticks since midnight of the first day.
        ticks: Ticks to go where it begins, else ticks used.
        reason: The precondition that kept it from beginning, or None.
    """

    moment: Moment
    affordance: str
    agent: str
    object: str
    town: int
    tick: int
    ticks: int
    reason: str | None


Hook = Callable[[Use], object]


class HookReport(NamedTuple):
    """How a hook fared: what was refused at first or went wrong at last, None if nothing did."""

    affordance: str
    moment: Moment
    function: str
    calls: int
    failures: int
    enabled: bool
    problem: str | None


@dataclass
class _Running:
    """A hook with its function, None where it was refused, and what became of its calls."""

    named: NamedHook
    function: Hook | None
    problem: str | None
    calls: int = 0
    failures: int = 0

    def report(self) -> HookReport:
        return HookReport(*self.named, self.calls, self.failures, self.function is not None, self.problem)


def python_hooks(config: TownConfig) -> list[NamedHook]:
    """List the Python functions that a town's manifest names, in its order; nothing is imported."""
    return [
        NamedHook(name, moment, hook)
        for name, affordance in config.affordances.affordances.items()
        for moment in MOMENTS
        for hook in getattr(affordance.hooks, moment)
        if is_python(hook)
    ]


class AffordanceHooks:
    """The Python hooks of one simulation."""

    def __init__(self, config: TownConfig, environment: Mapping[str, str] = os.environ) -> None:
        """Import the functions that the town names and allows; the others are refused, with the reason in `reports`.

        Args:
            config: The town, whose `hooks` say what may be imported.
            environment: Where the variable with more modules is looked up, if the town allows that.
        """
        self._limit = config.hooks.disable_after
        allowed = allowed_modules(config.hooks, environment)
        self._running = [_Running(named, *_function(named.function, allowed)) for named in python_hooks(config)]
        known = list(config.affordances.affordances)
        self._listened = np.array([any(run.named.affordance == name for run in self._running) for name in known])

    @property
    def reports(self) -> tuple[HookReport, ...]:
        """How each hook has fared so far, in manifest order."""
        return tuple(running.report() for running in self._running)

    def after_tick(self, sim: Simulation) -> None:
        """Tell the hooks of the uses that began, were completed or failed in the latest tick."""
        if not self._running:
            return
        rows = sim.events.rows
        rows = rows[np.isin(rows["kind"], _KINDS)]
        rows = rows[self._listened[rows["other"]]]
        for event in named_events(rows, sim.names):
            use = Use(
                _MOMENT[event.event], event.other or "", event.agent or "", event.object or "", event.town, event.tick,
                0 if event.reason else int(event.value or 0), event.reason,
            )  # fmt: skip
            self._tell(use)

    def _tell(self, use: Use) -> None:
        for running in self._running:
            if running.function is not None and running.named[:2] == (use.affordance, use.moment):
                _call(running, running.function, use, self._limit)


def allowed_modules(rules: HookRules, environment: Mapping[str, str]) -> tuple[str, ...]:
    """List what may be imported: modules, or single functions as `module:function`."""
    return (*rules.allow, *(_named_by(environment) if rules.allow_env else ()))


def refused_modules(rules: HookRules, environment: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """List the modules that the environment names and the town does not let it allow."""
    return () if rules.allow_env else tuple(name for name in _named_by(environment) if name not in rules.allow)


def _named_by(environment: Mapping[str, str]) -> tuple[str, ...]:
    names = environment.get(ENVIRONMENT, "").split(",")
    return tuple(name.strip() for name in names if name.strip())


def _function(hook: str, allowed: Sequence[str]) -> tuple[Hook | None, str | None]:
    module, name = hook.split(":")
    if hook not in allowed and module not in allowed:
        return None, f"not in the allow-list; add '{module}' to hooks.allow if you trust it"
    try:
        found = getattr(importlib.import_module(module), name, None)
    except (Exception, SystemExit) as error:
        return None, f"{module} cannot be imported: {_shown(error)}"
    if not callable(found):
        return None, f"{module} has no function '{name}'"
    return found, None


def _call(running: _Running, function: Hook, use: Use, limit: int) -> None:
    running.calls += 1
    try:
        function(use)
    except (Exception, SystemExit) as error:
        running.failures += 1
        running.problem = f"raised {_shown(error)} at tick {use.tick}"
        if running.failures >= limit:
            running.function = None


def _shown(error: BaseException) -> str:
    text = " ".join(str(error).split())[:120]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def report_rows(reports: Sequence[HookReport]) -> Iterator[tuple[str, ...]]:
    """Put the reports into rows of text: hook, where, calls, failures, what there is to say."""
    for report in reports:
        state: Any = report.problem or "in order"
        switched = state if report.enabled or not report.failures else f"{state}; called no more"
        place = f"{report.affordance}.hooks.{report.moment}"
        yield report.function, place, str(report.calls), str(report.failures), switched
