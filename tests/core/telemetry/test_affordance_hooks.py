"""Python hooks are told of uses if the town allows them, and whatever they do, the town lives as it would have."""

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from townlet_core.config import TownConfig, load_config
from townlet_core.core import Simulation
from townlet_core.policy.teacher import Teacher
from townlet_core.telemetry.hooks import ENVIRONMENT, AffordanceHooks, HookReport
from townlet_core.world.events import Event

DEFAULT = Path(__file__).parents[3] / "configs" / "towns" / "default.yaml"
MODULE = """
uses = []
def note(use):
    uses.append(use)
def stumble(use):
    raise ValueError("a bad day\\nfor hooks")
def leave(use):
    raise SystemExit(3)
number = 7
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The name of a module with hooks that nobody has imported yet."""
    (tmp_path / "hooks_of_a_test.py").write_text(MODULE)
    (tmp_path / "hooks_that_break.py").write_text("raise RuntimeError('not today')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield "hooks_of_a_test"
    for name in ("hooks_of_a_test", "hooks_that_break"):
        sys.modules.pop(name, None)


def town(hooks: dict[str, list[str]], **rules: object) -> TownConfig:
    """The default town with hooks on its showers."""
    config = load_config(DEFAULT, {"hooks": rules})
    shower = config.affordances.affordances["use_shower"]
    wanted = {
        moment: [*getattr(shower.hooks, moment), *hooks.get(moment, [])] for moment in ("before", "after", "fail")
    }
    shower = shower.model_copy(update={"hooks": shower.hooks.model_copy(update=wanted)})
    uses = {**config.affordances.affordances, "use_shower": shower}
    return config.model_copy(update={"affordances": config.affordances.model_copy(update={"affordances": uses})})


def live(config: TownConfig, hooks: AffordanceHooks | None, ticks: int = 400) -> tuple[np.ndarray, list[np.ndarray]]:
    sim, rows = Simulation(config, towns=2, seed=3), []
    teacher = Teacher(sim)
    for _ in range(ticks):
        sim.advance(teacher.act())
        rows.append(sim.events.rows.copy())
        if hooks is not None:
            hooks.after_tick(sim)
    return sim.agents.view(np.uint8).copy(), rows


def only(hooks: AffordanceHooks) -> HookReport:
    (report,) = hooks.reports
    return report


def test_a_hook_is_told_of_every_use_in_order(module: str) -> None:
    config = town({"before": [f"{module}:note"], "after": [f"{module}:note"]}, allow=[module])
    assert module not in sys.modules
    hooks = AffordanceHooks(config, {})
    _, rows = live(config, hooks)
    wash = list(config.affordances.affordances).index("use_shower")
    happened = np.concatenate(rows)
    happened = happened[np.isin(happened["kind"], [Event.AFFORDANCE_START, Event.AFFORDANCE_FINISH])]
    happened = happened[happened["other"] == wash]
    told = sys.modules[module].uses
    assert [(use.tick, use.town, use.moment) for use in told] == [
        (row["tick"], row["town"], "before" if row["kind"] == Event.AFFORDANCE_START else "after") for row in happened
    ]
    assert {use.affordance for use in told} == {"use_shower"}
    assert all(use.agent.startswith("agent_") and use.object.startswith("shower_") and use.ticks > 0 for use in told)
    assert sum(report.calls for report in hooks.reports) == len(told) > 5


@pytest.mark.parametrize("function", ["stumble", "leave"])
def test_a_raising_hook_is_called_no_more_and_the_town_does_not_notice(module: str, function: str) -> None:
    config = town({"after": [f"{module}:{function}"]}, allow=[f"{module}:{function}"], disable_after=2)
    hooks = AffordanceHooks(config, {})
    agents, rows = live(config, hooks)
    alone, rows_alone = live(config, None)
    assert (agents == alone).all()
    assert all((one == other).all() for one, other in zip(rows, rows_alone, strict=True))
    report = only(hooks)
    assert (report.calls, report.failures, report.enabled) == (2, 2, False)
    assert report.problem is not None
    assert report.problem.startswith("raised ")
    assert "\n" not in report.problem


@pytest.mark.parametrize(
    ("hook", "allow", "reason"),
    [
        ("hooks_of_a_test:note", [], "not in the allow-list; add 'hooks_of_a_test' to hooks.allow if you trust it"),
        ("hooks_of_a_test:note", ["hooks_of_a_test:other"], "not in the allow-list"),
        ("hooks_of_a_test:absent", ["hooks_of_a_test"], "hooks_of_a_test has no function 'absent'"),
        ("hooks_of_a_test:number", ["hooks_of_a_test"], "hooks_of_a_test has no function 'number'"),
        ("hooks_that_break:note", ["hooks_that_break"], "hooks_that_break cannot be imported: RuntimeError: not today"),
        ("no_such_module:note", ["no_such_module"], "no_such_module cannot be imported: ModuleNotFoundError"),
    ],
)
def test_a_hook_that_cannot_be_called_is_refused_with_the_reason(
    module: str, hook: str, allow: list[str], reason: str
) -> None:
    report = only(AffordanceHooks(town({"before": [hook]}, allow=allow), {}))
    assert not report.enabled
    assert report.problem is not None
    assert report.problem.startswith(reason)
    if not allow:
        assert module not in sys.modules


def test_the_environment_allows_more_unless_the_town_forbids_it(module: str) -> None:
    named = {"before": [f"{module}:note"]}
    environment = {ENVIRONMENT: f"another, {module}"}
    assert only(AffordanceHooks(town(named), environment)).enabled
    assert not only(AffordanceHooks(town(named, allow_env=False), environment)).enabled


def test_neither_loading_nor_living_imports_a_hook(module: str) -> None:
    live(town({"before": [f"{module}:note"]}, allow=[module]), None, ticks=3)
    assert module not in sys.modules


def test_a_town_without_hooks_is_not_even_looked_at() -> None:
    hooks = AffordanceHooks(load_config(DEFAULT), {})
    assert hooks.reports == ()
    hooks.after_tick(None)  # type: ignore[arg-type]
