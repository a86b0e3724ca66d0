"""A map on which nobody could live is refused, and the row named."""
# ruff: noqa: E501 - an expected message is one line here because it must be one line there

import pytest

from tests.core.config.conftest import Files, refused
from townlet_core.config import check_map, homes, load_map, placed_objects
from townlet_core.config.map_checks import map_problems
from townlet_core.config.maps import LegendEntry, MapConfig

MAP = "maps/small.yaml"


def refusal(configs: Files) -> str:
    return refused(check_map, configs.root / MAP)


MISTAKES = [
    ("#hhh+.t....#", "#hhh#.t....#", 1, "rows[1]: the home at column 2 cannot be reached; every tile of it needs a way to the street"),
    ("#hhh+.t....#", "#hhh+.t...#", 0, "rows[2]: this row has 11 tiles; every row has 12 like the first"),
    ("#hhh+.t....#", "#hhh+.t...x#", 0, "rows[2]: column 10 is 'x', which the legend lacks; it has # + . b f g h t w"),
    ("#hhh+.t....#", "#hhh+.t.....", 0, "rows[2]: column 11 is on the border; the border must be wall all around"),
    ("terrain: door", "terrain: dor", 0, "legend.+.terrain: unknown name 'dor'; did you mean 'door'?"),
    ("h: {", "hh: {", 0, "legend.hh: not a key that fits here; expected one character"),
]  # fmt: skip


@pytest.mark.parametrize(("right", "wrong", "above", "said"), MISTAKES)
def test_a_map_with_a_mistake_is_refused(configs: Files, right: str, wrong: str, above: int, said: str) -> None:
    line = configs.spoil(MAP, right, wrong)
    assert refusal(configs) == f"configs/maps/small.yaml:{line - above}: {said}"


def plan(*rows: str) -> MapConfig:
    """A map of walls (#), street (.), home (h), beds (b) and benches (p)."""
    legend = {
        "#": LegendEntry(terrain="wall"),
        ".": LegendEntry(terrain="road"),
        "h": LegendEntry(terrain="home"),
        "b": LegendEntry(terrain="home", object="bed"),
        "p": LegendEntry(terrain="grass", object="bench"),
    }
    return MapConfig(map_id="drawn", legend=legend, rows=list(rows))


def problems(*rows: str) -> list[str]:
    return [problem.text for problem in map_problems(plan(*rows))]


def test_a_home_open_to_the_street_is_fine() -> None:
    assert problems("#######", "#bh...#", "#######") == []


def test_an_object_in_the_doorway_shuts_a_home() -> None:
    assert "the home at column 2 cannot be reached" in problems("########", "#bhp...#", "########")[0]


def test_a_home_of_beds_alone_cannot_be_entered() -> None:
    assert "the home at column 1 cannot be reached" in problems("######", "#b...#", "######")[0]


def test_a_bench_behind_walls_cannot_be_reached() -> None:
    assert problems("#######", "#...#p#", "#######") == [
        "the bench at column 5 cannot be reached; leave a free way to a tile beside it"
    ]


def test_diagonal_steps_do_not_count() -> None:
    assert len(problems("#####", "#.#p#", "#..##", "#####")) == 1


def test_more_objects_than_the_kernels_number_are_refused() -> None:
    rows = ["#" * 250, *("#" + "p." * 124 + "#" for _ in range(49)), "#" * 250]
    assert problems(*rows)[0] == "the map holds 6076 objects; at most 6000 fit"


def test_a_map_that_is_too_wide_is_refused() -> None:
    rows = ["#" * 251, "#" + "." * 249 + "#", "#" * 251]
    assert problems(*rows) == ["the map is 251 tiles wide; at most 250 fit"]


def test_homes_are_patches_of_home_with_what_stands_in_them() -> None:
    drawn = plan("########", "#bh.hbp#", "#hh....#", "########")
    assert homes(drawn) == [{(1, 1), (1, 2), (2, 1), (2, 2)}, {(1, 4), (1, 5)}]


def test_objects_are_listed_in_reading_order(configs: Files) -> None:
    things = placed_objects(load_map(configs.root / MAP))
    assert [thing.type for thing in things] == ["bed", "shower", "shelf", "till", "fridge", "bed", "till"]
    assert [thing.home for thing in things] == [True, True, False, False, True, True, False]
    assert things[0].tile == (1, 1)
