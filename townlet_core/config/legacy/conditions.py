"""Translates preconditions of the earlier system, which had other names for things, into sentences of today."""

import ast
from collections.abc import Mapping
from typing import NamedTuple

from townlet_core.config.condition_checks import REGISTERS, Words, registers_needed, require_truth
from townlet_core.config.condition_names import full_name
from townlet_core.config.conditions import Unreadable, parse_condition
from townlet_core.config.legacy.rules import UndecidedError

UTILITIES = {"power_on": "power", "water_on": "water"}
ALWAYS_TRUE = {("occupied", False), ("reservation_active", True)}
"""Facts about whoever begins a use: the object is theirs."""
MEALS = ("meal_available", True)
RENAMED = {
    "agent.job_id": "agent.job",
    "agent.attendance_ratio": "agent.attendance",
    "object.object_type": "object.type",
    "meal_available": "stock > 0",
}
WITHOUT = {
    "agent.agent_id": "a rule is the same for every citizen",
    "agent.inventory": "ask for agent.ingredients or agent.home_meals",
    "inventory": "ask for agent.ingredients or agent.home_meals",
    "agent.lateness_counter": "it counted late shifts; agent.lateness counts the late ticks of one",
    "affordance_id": "a condition stands with its affordance",
    "object.object_id": "a rule is about a type of object, not about one of them",
    "object.occupied_by": "ask whether the object is 'occupied'",
    "queue": "ask for queue_length",
    "reservation_active": "whoever uses an object holds it",
    "reservation_holder": "whoever uses an object holds it",
}
"""Names without a counterpart, with all that is in them, and why."""
SHIFT_STATES = {"idle": "off", "pre_shift": "pre", "post_shift": "post"}
CONSTANTS = {None: "none", True: "true", False: "false"}
LONGEST = 160


class Requirement(NamedTuple):
    """What a precondition has become: a utility of the object, a use of stock, or a sentence; else it always holds.

    Attributes:
        utility: The utility that the object runs on.
        takes_stock: Whether it asks for a meal in stock.
        sentence: The same in the language of today, where it says anything about what may be.
    """

    utility: str = ""
    takes_stock: bool = False
    sentence: str = ""


def translate_condition(text: str, words: Words) -> Requirement:
    """Translate one precondition.

    Args:
        text: As it was written.
        words: The words that names of today can be compared with.

    Raises:
        UndecidedError: Nothing here means the same; the text says why.
    """
    try:
        tree = ast.parse(text.strip(), mode="eval").body
        fact = _plain_fact(tree)
        if fact in ALWAYS_TRUE:
            return Requirement()
        sentence = _checked(_rewritten(tree if fact is None else _written(*fact), {}), words)
    except (SyntaxError, ValueError, RecursionError, Unreadable) as problem:
        reason = str(problem) if isinstance(problem, Unreadable | UndecidedError) else "it cannot be read"
        raise UndecidedError(f"{text!r} has no equivalent: {reason}") from problem
    if fact is not None and fact[1] and fact[0] in UTILITIES:
        return Requirement(utility=UTILITIES[fact[0]], sentence=sentence)
    return Requirement(takes_stock=fact == MEALS, sentence=sentence)


def _plain_fact(node: ast.expr) -> tuple[str, bool] | None:
    """Read `name`, `not name`, `name == true` and the like as a name and whether it must hold."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        inner = _plain_fact(node.operand)
        return None if inner is None else (inner[0], not inner[1])
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and isinstance(node.ops[0], ast.Eq | ast.NotEq):
        wanted = _truth(node.comparators[0])
        inner = _plain_fact(node.left)
        if inner is None or wanted is None:
            return None
        return inner[0], inner[1] == (wanted == isinstance(node.ops[0], ast.Eq))
    return (node.id, True) if isinstance(node, ast.Name) and _truth(node) is None else None


def _written(name: str, holds: bool) -> ast.expr:
    return ast.Name(name) if holds else ast.UnaryOp(ast.Not(), ast.Name(name))


def _truth(node: ast.expr) -> bool | None:
    word = node.id.lower() if isinstance(node, ast.Name) else str(getattr(node, "value", "")).lower()
    return {"true": True, "false": False}.get(word) if isinstance(node, ast.Name | ast.Constant) else None


def _checked(tree: ast.expr, words: Words) -> str:
    sentence = ast.unparse(tree)
    if len(sentence) > LONGEST:
        raise Unreadable(f"a sentence has at most {LONGEST} characters; write two")
    read = parse_condition(sentence)
    require_truth(read, words)
    if registers_needed(read) > REGISTERS:
        raise Unreadable("it is nested too deeply; write two")
    return sentence


def _rewritten(node: ast.expr, values: Mapping[str, str]) -> ast.expr:
    """Write an expression with the names of today; `values` are words that are called otherwise now."""
    match node:
        case ast.Name() | ast.Attribute() | ast.Subscript():
            return _name(_dotted(node))
        case ast.Constant(value=bool() | None as value):
            return ast.Name(CONSTANTS[value])
        case ast.Constant(value=str() as word):
            return ast.Constant(values.get(word, word))
        case ast.BoolOp():
            return ast.BoolOp(node.op, [_rewritten(value, values) for value in node.values])
        case ast.UnaryOp():
            return ast.UnaryOp(node.op, _rewritten(node.operand, values))
        case ast.List() | ast.Tuple():
            return ast.List([_rewritten(value, values) for value in node.elts])
        case ast.Compare():
            return _comparison(node)
    return node


def _comparison(node: ast.Compare) -> ast.expr:
    sides = [node.left, *node.comparators]
    named = {_dotted(side) for side in sides if isinstance(side, ast.Name | ast.Attribute | ast.Subscript)}
    if "object.occupied_by" in named and len(sides) == 2 and any(map(_is_nothing, sides)):
        free = isinstance(node.ops[0], ast.Eq)
        return ast.UnaryOp(ast.Not(), ast.Name("occupied")) if free else ast.Name("occupied")
    values = SHIFT_STATES if "agent.shift_state" in named else {}
    left, *others = [_rewritten(side, values) for side in sides]
    return ast.Compare(left, node.ops, others)


def _is_nothing(node: ast.expr) -> bool:
    if isinstance(node, ast.Name):
        return _dotted(node) in ("null", "none")
    return isinstance(node, ast.Constant) and node.value is None


def _dotted(node: ast.expr) -> str:
    """Write a name with its parts and indices: `needs['hunger']` is `needs.hunger`."""
    match node:
        case ast.Name():
            return node.id if node.id.lower() not in ("true", "false", "null", "none") else node.id.lower()
        case ast.Attribute():
            return f"{_dotted(node.value)}.{node.attr}"
        case ast.Subscript(slice=ast.Constant(value=str() as key)):
            return f"{_dotted(node.value)}.{key}"
        case ast.Subscript(slice=ast.Constant(value=int() as index)):
            return f"{_dotted(node.value)}[{index}]"
    raise Unreadable("names have no such parts")


def _name(written: str) -> ast.expr:
    if written in CONSTANTS.values() or written == "null":
        return ast.Name("none" if written == "null" else written)
    for start, why in WITHOUT.items():
        if written == start or written.startswith((f"{start}.", f"{start}[")):
            raise Unreadable(f"there is no '{written}'; {why}")
    whole = written.removeprefix("object.")
    now = "object.stock" if whole.startswith("stock.") else RENAMED.get(written, written)
    if " " not in now and full_name(now) is None:
        raise Unreadable(f"there is no '{written}'")
    return ast.parse(now, mode="eval").body
