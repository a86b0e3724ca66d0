"""Kernels that call each other mean what they mean in plain Python, and are compiled once."""

from typing import Any, NamedTuple

import numba
import numpy as np
import pytest

from townlet_core.kernels import kernel, refer, uniform
from townlet_core.world.weather import ticks_to_walk

compiled = pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="nothing is compiled")

ROW = np.dtype((np.record, np.dtype([("weight", "f8"), ("at", "i2")], align=True)))


class Shelf(NamedTuple):
    """Arrays of several kinds, as a town has them."""

    first: Any
    rows: Any
    grid: Any
    cube: Any


class Outer(NamedTuple):
    """The arrays of several shelves."""

    rows: Any
    grid: Any
    cube: Any


@kernel
def weigh(shelf, k, factor):  # type: ignore[no-untyped-def]
    """Read a bit of everything, and write to one array."""
    row = shelf.rows[k]
    shelf.grid[k, 1] += 1
    return factor * (row.weight + shelf.cube[k, 1, row.at] + shelf.grid[k, 1] + shelf.first.weight)


@kernel
def weigh_thrice(shelf, k):  # type: ignore[no-untyped-def]
    """Call a kernel with integers of three kinds: constant, narrow and wide."""
    return weigh(shelf, 0, 1) + weigh(shelf, shelf.rows[k].at, 2) + weigh(shelf, k, k)


@kernel(entry=True)
def weigh_all(outer: Any, out: Any) -> None:
    """Weigh every shelf."""
    for b in range(out.shape[0]):
        shelf = refer(Shelf(outer.rows[b, 0], outer.rows[b], outer.grid[b], outer.cube[b]))
        out[b] = weigh_thrice(shelf, 2)


def shelves() -> Outer:
    """Two shelves that differ in everything."""
    draw = np.random.default_rng(1)
    rows = np.zeros((2, 3), ROW)
    rows["weight"], rows["at"] = draw.random((2, 3)), draw.integers(0, 3, (2, 3))
    return Outer(rows, draw.integers(0, 9, (2, 3, 2)).astype(np.int32), draw.random((2, 3, 2, 3)))


def plain_weight(outer: Outer, b: int, k: int, factor: int) -> float:
    """What one look weighs, without a kernel."""
    row = outer.rows[b, k]
    outer.grid[b, k, 1] += 1
    first = float(outer.rows[b, 0]["weight"])
    return factor * (float(row["weight"]) + float(outer.cube[b, k, 1, row["at"]]) + int(outer.grid[b, k, 1]) + first)


def test_what_a_kernel_sees_through_a_reference_is_the_town_of_this_turn() -> None:
    outer, same, out = shelves(), shelves(), np.zeros(2)
    weigh_all(outer, out)
    expected = [
        plain_weight(same, b, 0, 1) + plain_weight(same, b, int(same.rows[b, 2]["at"]), 2) + plain_weight(same, b, 2, 2)
        for b in range(2)
    ]
    assert out.tolist() == pytest.approx(expected, rel=1e-12)
    assert np.array_equal(outer.grid, same.grid)


@compiled
def test_constant_narrow_and_wide_integers_share_one_compiled_kernel() -> None:
    outer, same = shelves(), shelves()
    before = len(weigh.overloads)
    weighed = weigh_thrice(Shelf(outer.rows[0, 0], outer.rows[0], outer.grid[0], outer.cube[0]), 2)
    looks = ((0, 1), (int(same.rows[0, 2]["at"]), 2), (2, 2))
    assert weighed == pytest.approx(sum(plain_weight(same, 0, k, factor) for k, factor in looks), rel=1e-12)
    assert len(weigh.overloads) == before + 1


@compiled
def test_python_may_call_a_kernel_that_is_only_a_part_of_others() -> None:
    streams, plain = np.array([1, 2, 3], np.uint64), np.array([1, 2, 3], np.uint64)
    with np.errstate(over="ignore"):
        expected = [uniform.py_func(plain, 1) for _ in range(3)]
    assert [uniform(streams, 1) for _ in range(3)] == expected
    assert ticks_to_walk(120, 3) == ticks_to_walk.py_func(120, 3)
