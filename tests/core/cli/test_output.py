"""What verbs print can be read: by a person, and by a script."""

import json

import pytest

from townlet_core.cli.output import counted, interval_text, print_facts, print_json, print_table, progress_bar
from townlet_core.telemetry import mean_interval


def test_json_is_one_strict_document_even_with_numbers_that_json_lacks(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"mean": float("nan"), "high": float("inf"), "parts": (1.5, [float("-inf")])})
    assert json.loads(capsys.readouterr().out) == {"mean": None, "high": None, "parts": [1.5, [None]]}


def test_a_table_that_is_piped_keeps_every_cell_whole(capsys: pytest.CaptureFixture[str]) -> None:
    print_table("figures", ("name", "value"), [("a_rather_long_name_of_a_figure", "12.345 [12.340, 12.350]")])
    printed = capsys.readouterr().out
    assert "a_rather_long_name_of_a_figure" in printed
    assert "12.345 [12.340, 12.350]" in printed
    assert "\x1b" not in printed


def test_a_figure_of_one_town_has_no_bounds() -> None:
    assert interval_text(mean_interval([0.5])) == "–"
    assert interval_text(mean_interval([0.5, 0.5])) == "0.500 … 0.500"
    assert (counted(1, "town"), counted(20, "town")) == ("1 town", "20 towns")


def test_facts_stand_in_a_column(capsys: pytest.CaptureFixture[str]) -> None:
    print_facts("town", {"id": "a", "agents": 8})
    assert capsys.readouterr().out == "town\n  id      a\n  agents  8\n"


def test_progress_is_silent_where_nobody_looks(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bar("long work", quiet=False) as advance:
        advance(1, 2)
    assert capsys.readouterr() == ("", "")
