"""Compiles preconditions into rows of a small stack machine without jumps."""

from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from townlet_core.config import TownConfig
from townlet_core.config.condition_checks import REGISTERS, Words, is_object_bound, words_of
from townlet_core.config.conditions import Both, Compare, Either, Literal, Name, Negative, Not, Tree, parse_condition
from townlet_core.world.rules import CODE_DTYPE


class Operation(IntEnum):
    """What a row of the machine does; those from `AND` to `AT_MOST` take two values and leave one."""

    PUSH = 0
    FACT = 1
    NOT = 2
    NEGATE = 3
    AND = 4
    OR = 5
    EQUAL = 6
    UNEQUAL = 7
    LESS = 8
    AT_MOST = 9
    END = 10


class ConditionTables(NamedTuple):
    """All conditions of a manifest, affordance after affordance.

    Attributes:
        code: Records of ``CODE_DTYPE``.
        ranges: For each affordance its first row, its first row that depends on the object, and the row after its
            last, int32 [A, 3].
    """

    code: npt.NDArray[Any]
    ranges: npt.NDArray[np.int32]


class Row(NamedTuple):
    """One row of the code before it is a record."""

    operation: Operation
    value: float = 0.0
    fact: int = -1


def compile_conditions(config: TownConfig) -> ConditionTables:
    """Compile the preconditions of a validated town."""
    words = words_of(config.affordances, list(config.jobs))
    rows: list[Row] = []
    ranges = []
    for affordance in config.affordances.affordances.values():
        trees = [parse_condition(text) for text in affordance.requires]
        first = len(rows)
        rows += _rows_of(trees, False, words)
        bound = len(rows)
        rows += _rows_of(trees, True, words)
        ranges.append((first, bound, len(rows)))
    return ConditionTables(code_table(rows), np.array(ranges, np.int32))


def _rows_of(trees: Sequence[Tree], object_bound: bool, words: Words) -> list[Row]:
    """Compile those conditions that depend on the object, or those that do not; each ends with its number."""
    rows: list[Row] = []
    for number, tree in enumerate(trees):
        if is_object_bound(tree) == object_bound:
            code = code_of(tree, words)
            assert stack_needed(code) <= REGISTERS
            rows += [*code, Row(Operation.END, fact=number)]
    return rows


def code_of(tree: Tree, words: Words) -> list[Row]:
    """Return the rows that leave a tree's value on the stack; true is 1 and false is 0, a word its number."""
    if isinstance(tree, Literal):
        return [Row(Operation.PUSH, _number(tree, ()))]
    if isinstance(tree, Name):
        return [Row(Operation.FACT, fact=tree.meaning.fact)]
    if isinstance(tree, Negative):
        return [*code_of(tree.of, words), Row(Operation.NEGATE)]
    if isinstance(tree, Not):
        return [*code_of(tree.of, words), Row(Operation.NOT)]
    if isinstance(tree, Both | Either):
        joined = Operation.AND if isinstance(tree, Both) else Operation.OR
        return [*code_of(tree.left, words), *code_of(tree.right, words), Row(joined)]
    return _comparison(tree, words)


_COMPARISONS: Mapping[str, tuple[Operation, bool]] = {
    "==": (Operation.EQUAL, False),
    "!=": (Operation.UNEQUAL, False),
    "<": (Operation.LESS, False),
    "<=": (Operation.AT_MOST, False),
    ">": (Operation.LESS, True),
    ">=": (Operation.AT_MOST, True),
}
"""The operation of each comparison, and whether its sides change places."""


def _comparison(tree: Compare, words: Words) -> list[Row]:
    operation, turned = _COMPARISONS[tree.operator]
    kind = next((side.meaning.kind for side in (tree.left, tree.right) if isinstance(side, Name)), "number")
    sides = [tree.right, tree.left] if turned else [tree.left, tree.right]
    rows: list[Row] = []
    for side in sides:
        known = words.get(kind, ())
        rows += [Row(Operation.PUSH, _number(side, known))] if isinstance(side, Literal) else code_of(side, words)
    return [*rows, Row(operation)]


def _number(literal: Literal, words: Sequence[str]) -> float:
    if literal.value is None:
        return -1.0
    return float(words.index(literal.value)) if isinstance(literal.value, str) else float(literal.value)


def stack_needed(code: Sequence[Row]) -> int:
    """Return the most values that a code has on the stack at once; it leaves exactly one."""
    depth = deepest = 0
    for row in code:
        if row.operation in (Operation.PUSH, Operation.FACT):
            depth += 1
        elif row.operation >= Operation.AND:
            depth -= 1
        deepest = max(deepest, depth)
    assert depth == 1
    return deepest


def code_table(rows: Sequence[Row]) -> npt.NDArray[Any]:
    """Return rows as records of ``CODE_DTYPE``."""
    table = np.zeros(len(rows), CODE_DTYPE)
    for record, row in zip(table, rows, strict=True):
        record["operation"], record["value"], record["fact"] = row.operation, row.value, row.fact
    return table
