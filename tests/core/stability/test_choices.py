"""The choices of a life are kept whole: each once, in whatever portions they come, and keeping them changes nothing."""

from collections import Counter
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from townlet_core.config import load_scenario
from townlet_core.datasets.store import Store
from townlet_core.policy.teacher import Teacher
from townlet_core.stability import choices
from townlet_core.stability.choices import EVALUATED_SCHEMA, choices_file
from townlet_core.stability.suite import Stay, live

SCENARIO = load_scenario("ordinary_day", Path(__file__).parents[3] / "configs")
STAYS = (Stay(9, 0, 3, 1), Stay(9, 3, 2, 1))


def kept(folder: Path) -> tuple[bytes, list]:
    """The bytes of a file of choices about two stays, and what was measured in each."""
    store = Store(folder)
    with store.create() as sink, choices_file(sink) as keep:
        runs = [live(Teacher, SCENARIO, stay, partial(keep, 2, "teacher")) for stay in STAYS]
    return store.read_bytes(sink.digest, ".parquet"), runs


def test_every_choice_is_kept_once_with_its_place_and_the_rewards_until_then(
    tmp_path: Path,
) -> None:
    content, runs = kept(tmp_path / "one")
    assert runs == [live(Teacher, SCENARIO, stay) for stay in STAYS]
    (tmp_path / "choices.parquet").write_bytes(content)
    table = pq.read_table(tmp_path / "choices.parquet")
    assert table.schema.equals(EVALUATED_SCHEMA)
    counted = {
        (stay.first + town, action): number
        for stay, run in zip(STAYS, runs, strict=True)
        for action, numbers in run.decisions.items()
        for town, number in enumerate(numbers)
        if number
    }
    rows = table.to_pylist()
    assert Counter((row["town"], row["action"]) for row in rows) == counted
    assert len({(row["town"], row["agent"], row["tick"]) for row in rows}) == len(rows)
    assert {(row["window"], row["policy"], row["scenario"]) for row in rows} == {(2, "teacher", "ordinary_day")}
    latest = {(row["town"], row["agent"]): row["reward_so_far"] for row in rows if row["town"] < 3}
    reached = [np.mean([sum_ for (town, _), sum_ in latest.items() if town == number]) for number in range(3)]
    np.testing.assert_allclose(reached, runs[0].kpis["return"], atol=0.3)


def test_choices_that_come_in_portions_are_the_same_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, _ = kept(tmp_path / "whole")
    monkeypatch.setattr(choices, "ROWS_AT_ONCE", 50)
    portions, _ = kept(tmp_path / "portions")
    tables = []
    for number, content in enumerate((whole, portions)):
        path = tmp_path / f"{number}.parquet"
        path.write_bytes(content)

        tables.append(pq.read_table(path).sort_by([(name, "ascending") for name in ("town", "agent", "tick")]))
    assert tables[0].equals(tables[1])
    assert pq.ParquetFile(tmp_path / "1.parquet").num_row_groups > 10
