"""What goes wrong becomes one line on stderr and the documented exit code."""

from typing import Annotated

import pytest
import typer

from townlet_core.cli import EXIT_CODES, run
from townlet_core.errors import ConfigError, RefusedError, TownletError


def _app(error: BaseException) -> typer.Typer:
    app = typer.Typer(pretty_exceptions_enable=False)

    @app.command()
    def fail() -> None:
        raise error

    return app


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigError("town.yaml:3: agents: found 'x', expected a whole number"), 2),
        (RefusedError("the gate holds"), 1),
        (TownletError("the canary fired"), 1),
    ],
)
def test_an_error_on_purpose_is_one_line_and_its_own_exit_code(
    error: TownletError, code: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["townlet"])
    with pytest.raises(SystemExit) as stopped:
        run(_app(error))
    assert stopped.value.code == code
    assert capsys.readouterr() == ("", f"{error}\n")


def test_a_full_disk_is_one_line_that_names_the_file(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["townlet"])
    with pytest.raises(SystemExit) as stopped:
        run(_app(OSError(28, "No space left on device", "data/datasets/objects")))
    assert stopped.value.code == 1
    assert capsys.readouterr().err == "data/datasets/objects: No space left on device\n"


def test_a_defect_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["townlet"])
    with pytest.raises(ZeroDivisionError):
        run(_app(ZeroDivisionError()))


def _cafe() -> typer.Typer:
    app = typer.Typer(pretty_exceptions_enable=False, no_args_is_help=True)

    @app.command("serve")
    def serve(cups: Annotated[int, typer.Option(min=1)]) -> None:
        """Serve."""

    app.command("close")(lambda: None)
    return app


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("serve --cups x", "townlet serve: '--cups': expected a whole number; see townlet serve --help"),
        ("serve --cups 0", "townlet serve: '--cups': expected at least 1; see townlet serve --help"),
        ("serve", "townlet serve: missing option '--cups'; see townlet serve --help"),
        ("serve --cup 1", "townlet serve: no such option: --cup (Possible options: --cups); see townlet serve --help"),
        ("serve --cups 1 tea", "townlet serve: no further words are expected: (tea); see townlet serve --help"),
        ("sreve", "townlet: no such command 'sreve'. Did you mean 'serve'?; see townlet --help"),
    ],
)
def test_a_word_that_the_command_line_does_not_know_is_one_line_that_names_it(
    words: str, line: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["townlet", *words.split()])
    with pytest.raises(SystemExit) as stopped:
        run(_cafe())
    assert stopped.value.code == 2
    assert capsys.readouterr() == ("", f"{line}\n")


def test_no_word_at_all_shows_the_help(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["townlet"])
    with pytest.raises(SystemExit) as stopped:
        run(_cafe())
    printed = capsys.readouterr()
    assert stopped.value.code == 2
    assert "serve" in printed.out + printed.err
    assert "see townlet --help" not in printed.err


def test_the_exit_codes_are_documented() -> None:
    assert [code for code in ("0", "1", "2", "130") if f"{code} " in EXIT_CODES] == ["0", "1", "2", "130"]
