"""The shipped scenarios, and copies of them that a test may break."""

from collections.abc import Callable
from pathlib import Path

import pytest

from townlet_core.config import Scenario, load_scenario
from townlet_core.policy.teacher import Teacher
from townlet_core.scenarios import Report, check

CONFIGS = Path(__file__).parents[3] / "configs"
Altered = Callable[..., Scenario]


@pytest.fixture
def altered(tmp_path: Path) -> Altered:
    """Load a shipped scenario with some of its text replaced, pair by pair of (old, new)."""

    def load(name: str, *changes: tuple[str, str]) -> Scenario:
        text = (CONFIGS / "scenarios" / f"{name}.yaml").read_text().replace("../", f"{CONFIGS}/")
        for old, new in changes:
            assert old in text, f"{name} has no {old!r}"
            text = text.replace(old, new)
        (tmp_path / f"{name}.yaml").write_text(text)
        return load_scenario(tmp_path / f"{name}.yaml")

    return load


def broken(scenario: Scenario) -> set[str]:
    """What a scenario promises and does not keep, in the words of `shows`."""
    report: Report = check(scenario, Teacher)
    assert report.met == (not any(not verdict.met for verdict in report.verdicts))
    return {verdict.expectation.split(":")[0] for verdict in report.verdicts if not verdict.met}
