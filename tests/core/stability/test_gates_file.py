"""The plan is read strictly: what is misspelt, missing or out of range is refused at its line."""

from pathlib import Path

import pytest

from tests.core.stability.conftest import GATES
from townlet_core.config.gates import load_gates
from townlet_core.errors import ConfigError

TEXT = GATES.read_text()


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("min_accuracy: 0.90", "min_acuracy: 0.90", ["cloning.min_acuracy", "min_accuracy"]),
        ("min_accuracy: 0.90", "min_accuracy: 1.2", ["cloning.min_accuracy", "1.2"]),
        ("towns: [24, 48, 96]", "towns: [24, 24, 96]", ["comparison.towns", "more than the one before"]),
        ("alpha: 0.05\n  fail", "alpha: high\n  fail", ["comparison.alpha", "high"]),
        ("against: {current: no_worse", "against: {current: not_worse", ["against.current", "no_worse"]),
        ("allowed: [queue_pressure,", "allowed: [queue_presure,", ["comparison.canaries.allowed", "queue_pressure"]),
        ("allowed: [queue_pressure,", "allowed: [slot_use,", ["comparison.canaries.allowed", "slot_reuse"]),
        ("refuse: {noise: 0.05", "refuse: {noise: 0.07", ["calibration", "among noise"]),
        ("margin: 0.25, scale: absolute", "margin: 0.25, scale: relativ", ["return.scale", "relative"]),
        ("first_release:\n  allow: true\n", "first_release:\n", ["first_release.allow"]),
        ("incompatible_release:\n  allow: true\n", "incompatible_release:\n", ["incompatible_release.allow"]),
        ("incompatible_release:\n  allow: true\n  must_match: teacher\n", "", ["incompatible_release"]),
        (
            "incompatible_release:\n  allow: true\n",
            "incompatible_release:\n  allow: perhaps\n",
            ["incompatible_release.allow", "perhaps"],
        ),
        ("margin: 0.03", "margin: -0.03", ["comparison.guard_rails.survival.margin"]),
        ("max: {kl: 0.02,", "max: {kll: 0.02,", ["training.max.kll", "kl"]),
        ("max: {kl: 0.02,", "max: {speed: 0.02,", ["training.max.speed", "unknown key"]),
        ("uncompared: allow", "uncompared: maybe", ["training.uncompared", "hold"]),
        ("return: {below: 1.25, scale", "return: {scale", ["training.bands.return", "without a side"]),
        ("{conflicts: {below: 0.6, above: 0.3}}", "{conflicts: {}}", ["bands.conflicts", "without a side"]),
        ("min_decisions: 5000", "min_decisions: .nan", ["data.min_decisions", "finite"]),
    ],
)
def test_a_plan_with_a_mistake_is_refused_with_file_line_and_key(
    tmp_path: Path, old: str, new: str, told: list[str]
) -> None:
    assert old in TEXT
    path = tmp_path / "gates.yaml"
    path.write_text(TEXT.replace(old, new))
    with pytest.raises(ConfigError) as refused:
        load_gates(path)
    text = str(refused.value)
    assert text.startswith(f"{path}:")
    assert "\n" not in text
    for part in told:
        assert part in text
    line = int(text.removeprefix(f"{path}:").split(":")[0])
    found = path.read_text().splitlines()[line - 1]
    key, section = told[0].split(".")[-1], told[0].split(".")[0]
    # What is missing is told at the section that lacks it.
    assert key in found or (key not in new and section in found) or not new


def test_a_missing_plan_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"gates\.yaml: no such file"):
        load_gates(tmp_path / "gates.yaml")


def test_the_shipped_plan_keeps_the_promises_of_the_readme() -> None:
    plan = load_gates(GATES)
    assert plan.cloning.min_accuracy >= 0.9
    assert plan.data.max_clipped_share <= 0.05
    assert plan.data.min_distinct_actions >= 5
    assert {"survival", "needs_ok_share", "attendance", "return"} <= set(plan.comparison.guard_rails)
