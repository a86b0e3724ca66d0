"""The precondition language: a sentence such as `wallet >= 0.5 and not occupied`, read into a tree.

Nothing is ever evaluated as Python: the text is parsed, and whatever is not listed here is refused.
"""

import ast
from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

from townlet_core.config.condition_names import NAMES, Meaning, full_name
from townlet_core.config.explain import unknown_name


class Literal(NamedTuple):
    """A number, true or false, a word, or None for `none`."""

    value: float | bool | str | None


class Name(NamedTuple):
    """A name in full."""

    name: str

    @property
    def meaning(self) -> Meaning:
        """What it stands for."""
        return NAMES[self.name]


class Negative(NamedTuple):
    """Minus something."""

    of: "Tree"


class Not(NamedTuple):
    """The opposite of something true or false."""

    of: "Tree"


class Both(NamedTuple):
    """Whether both sides hold."""

    left: "Tree"
    right: "Tree"


class Either(NamedTuple):
    """Whether at least one side holds."""

    left: "Tree"
    right: "Tree"


class Compare(NamedTuple):
    """A comparison by one of `== != < <= > >=`."""

    operator: str
    left: "Tree"
    right: "Tree"


Tree: TypeAlias = Literal | Name | Negative | Not | Both | Either | Compare

_OPERATORS = {ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">="}
_WORDS = {"true": True, "false": False, "none": None, "null": None}


class Unreadable(Exception):
    """A precondition that is no sentence of the language; its text says what would be right."""


def parse_condition(text: str) -> Tree:
    """Read a precondition into a tree; `in` becomes equalities, a chain of comparisons becomes a conjunction.

    Raises:
        Unreadable: It is no expression, or uses what the language does not have, or a name that there is not.
    """
    try:
        return _tree(ast.parse(text.strip(), mode="eval").body)
    except SyntaxError as error:
        raise Unreadable(f"cannot be read: {error.msg}; write something like 'wallet >= 0.5'") from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise Unreadable("cannot be read; write something like 'wallet >= 0.5'") from error


def parts_of(tree: Tree) -> Iterator[Tree]:
    """List a tree and everything in it."""
    yield tree
    for part in tree:
        if isinstance(part, Literal | Name | Negative | Not | Both | Either | Compare):
            yield from parts_of(part)


def _tree(node: ast.expr) -> Tree:
    if isinstance(node, ast.BoolOp):
        return _joined(node)
    if isinstance(node, ast.UnaryOp):
        return _unary(node)
    if isinstance(node, ast.Compare):
        return _comparison(node)
    if isinstance(node, ast.Constant):
        return _literal(node)
    if isinstance(node, ast.Name | ast.Attribute | ast.Subscript):
        return _name(node)
    raise Unreadable(_refused(node))


def _joined(node: ast.BoolOp) -> Tree:
    kind = Both if isinstance(node.op, ast.And) else Either
    tree = _tree(node.values[0])
    for value in node.values[1:]:
        tree = kind(tree, _tree(value))
    return tree


def _unary(node: ast.UnaryOp) -> Tree:
    inner = _tree(node.operand)
    if isinstance(node.op, ast.Not):
        return Not(inner)
    if isinstance(node.op, ast.UAdd):
        return inner
    if isinstance(node.op, ast.USub):
        return Negative(inner)
    raise Unreadable("has no '~'; write 'not'")


def _comparison(node: ast.Compare) -> Tree:
    sides, tree = [node.left, *node.comparators], None
    for left, operator, right in zip(sides, node.ops, sides[1:], strict=False):
        link = _link(left, operator, right)
        tree = link if tree is None else Both(tree, link)
    assert tree is not None
    return tree


def _link(left: ast.expr, operator: ast.cmpop, right: ast.expr) -> Tree:
    if isinstance(operator, ast.In | ast.NotIn):
        found = _member(left, right)
        return Not(found) if isinstance(operator, ast.NotIn) else found
    if type(operator) not in _OPERATORS:
        raise Unreadable("has no 'is'; write '=='")
    return Compare(_OPERATORS[type(operator)], _tree(left), _tree(right))


def _member(left: ast.expr, right: ast.expr) -> Tree:
    if not isinstance(right, ast.List | ast.Tuple) or not right.elts:
        raise Unreadable("'in' needs a list of one or more, such as 'hour in [8, 9, 10]'")
    item = _tree(left)
    tree: Tree = Compare("==", item, _tree(right.elts[0]))
    for choice in right.elts[1:]:
        tree = Either(tree, Compare("==", item, _tree(choice)))
    return tree


def _literal(node: ast.Constant) -> Tree:
    value = node.value
    if value is None or isinstance(value, bool | str):
        return Literal(value)
    if isinstance(value, int | float) and abs(value) <= 1e12:
        return Literal(float(value))
    raise Unreadable(f"cannot use {ast.unparse(node)}; numbers up to 1e12, words in quotes, true, false and none")


def _name(node: ast.Name | ast.Attribute | ast.Subscript) -> Tree:
    written = _written(node)
    if written.lower() in _WORDS:
        return Literal(_WORDS[written.lower()])
    name = full_name(written)
    if name is None:
        raise Unreadable(unknown_name("name", written, _offered(written)))
    return Name(name)


def _offered(written: str) -> list[str]:
    """List the names to suggest from: in full, or short where the mistaken one is short."""
    parts = written.count(".")
    return [*NAMES, *(name.split(".", 1)[1] for name in NAMES if parts < name.count("."))]


def _written(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{_written(node.value)}.{node.attr}"
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        key = node.slice.value
        return f"{_written(node.value)}.{key}" if isinstance(key, str) else f"{_written(node.value)}[{key!r}]"
    raise Unreadable(_refused(node))


_REFUSED = {
    ast.Call: "has no calls",
    ast.BinOp: "has no arithmetic; compare with a number instead",
    ast.IfExp: "has no 'if'; write 'and' and 'or'",
    ast.List: "has lists only after 'in'",
    ast.Tuple: "has lists only after 'in'",
    ast.Subscript: "has only plain indices, such as agent.needs['hunger'] or agent.position[0]",
}


def _refused(node: ast.expr) -> str:
    reason = _REFUSED.get(type(node), "consists of names, numbers, words, comparisons, and, or, not")
    return f"cannot use '{ast.unparse(node)[:60]}': the language {reason}"
