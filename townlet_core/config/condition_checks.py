"""Checks that a precondition compares like with like, before anything runs."""

from collections.abc import Iterator, Mapping, Sequence

from townlet_core.config.affordances import AffordanceManifest
from townlet_core.config.condition_names import SHIFT_STATES, Fact, is_about_object
from townlet_core.config.conditions import (
    Both,
    Compare,
    Either,
    Literal,
    Name,
    Negative,
    Not,
    Tree,
    Unreadable,
    parse_condition,
    parts_of,
)
from townlet_core.config.explain import unknown_name
from townlet_core.config.map_checks import Problem
from townlet_core.config.weather import WEATHER_NAMES

Words = Mapping[str, Sequence[str]]
"""The words of each kind that is written in words; a kind that is missing is not known yet."""

REGISTERS = 6
"""Most values that the machine which decides conditions can keep in mind at once."""

_SAYS = {"truth": "true or false", "number": "a number", "word": "a word", "nothing": "none"}
_WRITTEN = {"None": "none", "True": "true", "False": "false"}


def words_of(manifest: AffordanceManifest, jobs: Sequence[str] | None = None) -> Words:
    """Return the words of each kind, in the order of the kernels' numbers; jobs are unknown outside a town."""
    known = {"shift state": SHIFT_STATES, "object type": tuple(manifest.objects), "weather": WEATHER_NAMES}
    return known if jobs is None else {**known, "job": tuple(jobs)}


def condition_problems(manifest: AffordanceManifest, words: Words) -> Iterator[Problem]:
    """Find the preconditions that cannot be read, or that compare what cannot be compared."""
    for name, affordance in manifest.affordances.items():
        for index, text in enumerate(affordance.requires):
            try:
                tree = parse_condition(text)
                require_truth(tree, words)
                if registers_needed(tree) > REGISTERS:
                    raise Unreadable("is nested too deeply; write two conditions")
                if affordance.object == "workplace":
                    _require_no_object(tree)
            except Unreadable as error:
                yield Problem(("affordances", name, "requires", index), f"{text!r}: {error}")


def is_object_bound(tree: Tree) -> bool:
    """Say whether two objects of a type may differ in what the condition says of them."""
    return any(isinstance(part, Name) and is_about_object(part.meaning.fact) for part in parts_of(tree))


def require_truth(tree: Tree, words: Words) -> None:
    """Check that a tree says something true or false of things that can be compared.

    Raises:
        Unreadable: It does not; the text says what would be right.
    """
    kind = _kind(tree, words)
    if kind != "truth":
        raise Unreadable(f"is {_SAYS.get(kind, kind)} and not true or false; compare it with something")


def registers_needed(tree: Tree) -> int:
    """Return how many values are in mind at once when the right side follows the left."""
    if isinstance(tree, Literal | Name):
        return 1
    if isinstance(tree, Negative | Not):
        return registers_needed(tree.of)
    sides = [registers_needed(tree.left), registers_needed(tree.right)]
    if isinstance(tree, Compare) and tree.operator.startswith(">"):
        sides.reverse()  # `a > b` is decided as `b < a`
    return max(sides[0], sides[1] + 1)


def _require_no_object(tree: Tree) -> None:
    for part in parts_of(tree):
        if isinstance(part, Name) and part.meaning.fact in (Fact.STOCK, Fact.OBJECT_TYPE):
            raise Unreadable(f"{part.name} says nothing of a workplace; ask for the agent's job instead")


def _kind(tree: Tree, words: Words) -> str:
    if isinstance(tree, Name):
        return tree.meaning.kind
    if isinstance(tree, Literal):
        return _kind_of_literal(tree)
    if isinstance(tree, Negative):
        return _numeric(tree, words)
    if isinstance(tree, Not):
        _truth(tree.of, words, "not")
    elif isinstance(tree, Both | Either):
        _truth(tree.left, words, "and" if isinstance(tree, Both) else "or")
        _truth(tree.right, words, "and" if isinstance(tree, Both) else "or")
    else:
        _require_alike(tree, words)
    return "truth"


def _kind_of_literal(tree: Literal) -> str:
    if tree.value is None:
        return "nothing"
    return "truth" if isinstance(tree.value, bool) else "word" if isinstance(tree.value, str) else "number"


def _numeric(tree: Negative, words: Words) -> str:
    if _kind(tree.of, words) != "number":
        raise Unreadable(f"'-' needs a number and found {shown(tree.of)}")
    return "number"


def _truth(tree: Tree, words: Words, operator: str) -> None:
    kind = _kind(tree, words)
    if kind != "truth":
        what = _SAYS.get(kind, f"a {kind}")
        raise Unreadable(f"{shown(tree)} is {what}; '{operator}' needs something true or false, so compare it")


def _require_alike(tree: Compare, words: Words) -> None:
    left, right = _kind(tree.left, words), _kind(tree.right, words)
    if tree.operator not in ("==", "!="):
        for side, kind in ((tree.left, left), (tree.right, right)):
            if kind != "number":
                raise Unreadable(f"'{tree.operator}' needs numbers and found {shown(side)}; use == or !=")
        return
    worded = next((kind for kind in (left, right) if kind not in _SAYS), None)
    for side, kind in ((tree.left, left), (tree.right, right)):
        if worded and kind == "word":
            _require_word(side, worded, words)
        elif kind == "word":
            raise Unreadable(f"{shown(side)} is compared with no name that is written in words")
        elif kind == "nothing" and worded != "job":
            raise Unreadable("only a job can be none")
    if (worded is None and left != right) or (worded and {left, right} - {worded, "word", "nothing"}):
        raise Unreadable(f"{shown(tree.left)} and {shown(tree.right)} are of different kinds; compare like with like")


def _require_word(side: Tree, kind: str, words: Words) -> None:
    word = str(side.value) if isinstance(side, Literal) else ""
    if kind in words and word not in words[kind]:
        raise Unreadable(unknown_name(kind, word, words[kind]))


def shown(tree: Tree) -> str:
    """Write a part of a condition as an error quotes it."""
    if isinstance(tree, Name):
        return tree.name
    if isinstance(tree, Literal):
        return _WRITTEN.get(str(tree.value), f"{tree.value:g}" if isinstance(tree.value, float) else repr(tree.value))
    return "a comparison" if isinstance(tree, Compare) else "an expression"
