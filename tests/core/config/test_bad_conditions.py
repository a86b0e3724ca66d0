"""A precondition that cannot be decided is refused at its line, before anything runs."""

from pathlib import Path

import pytest

from tests.core.config.conftest import Files, refused
from townlet_core.config import check_affordances, check_config
from townlet_core.config.condition_names import NAMES, SHIFT_STATES
from townlet_core.config.conditions import Name, parse_condition
from townlet_core.errors import ConfigError
from townlet_core.world.state import SHIFT_NAMES

MANIFEST = "affordances/small.yaml"

MISTAKES = [
    ("walet >= 1", "unknown name 'walet'; did you mean 'wallet'?"),
    ("agent.walet >= 1", "unknown name 'agent.walet'; did you mean 'agent.wallet'?"),
    ("needs.hungry < 0.5", "unknown name 'needs.hungry'; did you mean 'needs.hunger'?"),
    ("wallet >=", "cannot be read: invalid syntax; write something like 'wallet >= 0.5'"),
    ("wallet", "is a number and not true or false; compare it with something"),
    ("not wallet", "agent.wallet is a number; 'not' needs something true or false, so compare it"),
    ("wallet and power_on", "agent.wallet is a number; 'and' needs something true or false, so compare it"),
    ("job < 'sell'", "'<' needs numbers and found agent.job; use == or !="),
    ("power_on == 1", "world.power_on and 1 are of different kinds; compare like with like"),
    ("wallet == none", "only a job can be none"),
    ("shift_state == 'on-time'", "unknown shift state 'on-time'; did you mean 'on_time'?"),
    ("object.type == 'frige'", "unknown object type 'frige'; did you mean 'fridge'?"),
    ("hour in 8", "'in' needs a list of one or more, such as 'hour in [8, 9, 10]'"),
    ("len(needs) > 2", "cannot use 'len(needs)': the language has no calls"),
    ("__import__('os').system('true') == 0", "cannot use '__import__('os').system('true')': the language has no calls"),
    ("wallet - 1 > 0", "cannot use 'wallet - 1': the language has no arithmetic; compare with a number instead"),
    ("wallet is none", "has no 'is'; write '=='"),
    ("(lambda: true)() == true", "cannot use '(lambda: true)()': the language has no calls"),
    ("agent.needs[0:1] == 1", "has only plain indices, such as agent.needs['hunger'] or agent.position[0]"),
    ("wallet == 1e400", "cannot use 1e309; numbers up to 1e12, words in quotes, true, false and none"),
    ("1 < (2 < 3)", "'<' needs numbers and found a comparison; use == or !="),
]


def with_condition(configs: Files, text: str) -> int:
    quoted = text.replace("'", "''")
    place = "    effects: {hygiene: 0.6}"
    return configs.spoil(MANIFEST, place, f"    requires: ['{quoted}']\n{place}")


@pytest.mark.parametrize(("condition", "said"), MISTAKES)
def test_a_mistaken_condition_is_refused_at_its_line(configs: Files, condition: str, said: str) -> None:
    line = with_condition(configs, condition)
    text = refused(check_affordances, configs.root / MANIFEST)
    assert text.startswith(f"configs/affordances/small.yaml:{line}: affordances.wash.requires[0]: ")
    assert text.endswith(said)


def test_a_condition_that_is_nested_too_deeply_is_refused(configs: Files) -> None:
    deep = "stock > 1"
    for _ in range(6):
        deep = f"stock > 1 or ({deep})"
    with_condition(configs, deep)
    with pytest.raises(ConfigError, match="nested too deeply; write two conditions"):
        check_affordances(configs.root / MANIFEST)


def test_a_job_is_looked_up_in_the_town(configs: Files) -> None:
    line = with_condition(configs, "job == 'nobody'")
    check_affordances(configs.root / MANIFEST)
    text = refused(check_config, configs.root / "towns/small.yaml")
    assert text.startswith(f"configs/affordances/small.yaml:{line}: affordances.wash.requires[0]: ")
    assert "unknown job 'nobody'; expected one of" in text


def test_a_workplace_has_no_stock(configs: Files) -> None:
    configs.spoil(MANIFEST, "    object: workplace\n", "    object: workplace\n    requires: [stock > 1]\n")
    with pytest.raises(ConfigError, match="says nothing of a workplace"):
        check_affordances(configs.root / MANIFEST)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("wallet", "agent.wallet"),
        ("needs.hunger", "agent.needs.hunger"),
        ("agent.needs['hunger']", "agent.needs.hunger"),
        ("agent.position[1]", "agent.y"),
        ("stock", "object.stock"),
        ("power_on", "world.power_on"),
    ],
)
def test_a_name_may_be_written_in_several_ways(written: str, meant: str) -> None:
    assert parse_condition(written) == Name(meant)


def test_no_two_names_mean_the_same_fact_and_words_are_those_of_the_kernels() -> None:
    assert len({meaning.fact for meaning in NAMES.values()}) == len(NAMES)
    assert SHIFT_STATES == SHIFT_NAMES


def test_every_name_stands_in_the_published_table() -> None:
    page = (Path(__file__).parents[3] / "docs" / "affordances.md").read_text()
    for name, meaning in NAMES.items():
        assert f"| `{name}` | {meaning.kind} | {meaning.about} |\n" in page
