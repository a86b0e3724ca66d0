"""Every verb explains itself with an example, and wrong words are refused."""

from collections.abc import Iterator

import pytest
import typer

from tests.core.cli.conftest import Townlet
from townlet_core.cli import app

Command = tuple[str, ...]


def commands(of: typer.Typer, group: Command = ()) -> Iterator[Command]:
    for command in of.registered_commands:
        assert command.name is not None
        yield (*group, command.name)
    for each in of.registered_groups:
        assert each.typer_instance is not None
        yield from commands(each.typer_instance, (*group, str(each.name)))


COMMANDS = list(commands(app))


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_the_help_of_every_verb_shows_an_example(townlet: Townlet, command: Command) -> None:
    outcome = townlet(*command, "--help")
    assert outcome.code == 0
    assert f"townlet {' '.join(command)}" in outcome.out.partition("Example: ")[2]


def test_the_help_lists_every_verb_and_the_exit_codes(townlet: Townlet) -> None:
    outcome = townlet("--help")
    assert outcome.code == 0
    assert not [verb for verb, *_ in COMMANDS if f" {verb} " not in outcome.out]
    assert "Exit codes: 0 done; 1 refused" in outcome.out


@pytest.mark.parametrize(
    "words", [("simulate", "--dais", "3"), ("simulate", "--days", "0"), ("simulate", "--towns", "many"), ("simulte",)]
)
def test_a_wrong_word_is_refused_with_exit_code_2(townlet: Townlet, words: tuple[str, ...]) -> None:
    outcome = townlet(*words)
    assert outcome.code == 2
    assert outcome.out == ""
    assert words[1 if len(words) > 1 else 0] in outcome.err
