"""Every verb explains itself with an example, and wrong words are refused."""

import pytest

from tests.core.cli.conftest import Townlet

VERBS = ("simulate", "capture", "replay", "curate", "train", "evaluate")
CHECKS = ("config", "affordances", "map")
TOLD = ("schema", "check", "narrate", "watch", "summary")
EXPLAINED = [("config", "explain"), ("config", "diff"), ("observations", "describe")]
CHECKED, SPOKEN = [("validate", check) for check in CHECKS], [("telemetry", t) for t in TOLD]
COMMANDS = [*[(verb,) for verb in VERBS], *CHECKED, *SPOKEN, *EXPLAINED]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_the_help_of_every_verb_shows_an_example(townlet: Townlet, command: tuple[str, ...]) -> None:
    outcome = townlet(*command, "--help")
    assert outcome.code == 0
    assert f"Example: townlet {' '.join(command)}" in outcome.out


def test_the_help_lists_every_verb_and_the_exit_codes(townlet: Townlet) -> None:
    outcome = townlet("--help")
    assert outcome.code == 0
    assert not [verb for verb in (*VERBS, "validate", "config", "observations") if f" {verb} " not in outcome.out]
    assert "Exit codes: 0 done; 1 refused" in outcome.out


@pytest.mark.parametrize(
    "words", [("simulate", "--dais", "3"), ("simulate", "--days", "0"), ("simulate", "--towns", "many"), ("simulte",)]
)
def test_a_wrong_word_is_refused_with_exit_code_2(townlet: Townlet, words: tuple[str, ...]) -> None:
    outcome = townlet(*words)
    assert outcome.code == 2
    assert outcome.out == ""
    assert words[1 if len(words) > 1 else 0] in outcome.err
