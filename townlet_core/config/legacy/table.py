"""The table of all earlier keys, as the documentation shows it: made of the rules that translate them."""

from collections.abc import Iterator

from townlet_core.config.legacy.rules import Fate, Rule
from townlet_core.config.legacy.towns import RULES

HEADER = ("| earlier key | here |", "|---|---|")


def table_markdown() -> str:
    """Write one line per earlier key: the key here and what changed, or why it has none."""
    return "\n".join((*HEADER, *_rows())) + "\n"


def _rows() -> Iterator[str]:
    for rule in sorted(RULES, key=lambda rule: rule.old.split(".")[0]):
        yield f"| `{rule.old}` | {_answer(rule)} |"


def _answer(rule: Rule) -> str:
    if rule.fate is Fate.TRANSLATED:
        return f"`{rule.new}`" + (f": {rule.why}" if rule.why else "")
    if rule.fate is Fate.ELSEWHERE:
        return f"`{rule.new}` in `{rule.file}`" + (f": {rule.why}" if rule.why else "")
    return rule.why if rule.fate is Fate.NONE else f"*to decide:* {rule.why}"
