"""Hooks: what happens besides when a use begins, ends or fails; and which Python functions may be told of it."""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Literal, NamedTuple, TypeAlias

from pydantic import BaseModel, Field

from townlet_core.config.explain import unknown_name
from townlet_core.config.fields import STRICT

Moment: TypeAlias = Literal["before", "after", "fail"]
MOMENTS: tuple[Moment, ...] = ("before", "after", "fail")

BUILT_IN: Mapping[str, tuple[Moment, ...]] = {
    "share_meal": ("before", "after"),
    "pay_first": ("before",),
    "refund": ("fail",),
    "waste": ("fail",),
}
"""What a hook without a module does, and at which moments it makes sense: whoever uses such an object within three
tiles shares the meal; the price is paid when the use begins and not when it ends; it is paid back; and what the use
would have taken is lost.
"""

_FUNCTION = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")
_MODULE = r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*(:[A-Za-z_]\w*)?$"

HookName: TypeAlias = Annotated[str, Field(min_length=1, max_length=200)]


class AffordanceHooks(BaseModel):
    """What happens besides `before` a use begins, `after` it is complete, and when it `fail`s.

    A plain word is built in: share_meal, pay_first, refund, waste. `module:function` is a Python function, told of it
    after the tick if the town's `hooks` allow it. docs/affordances.md has both.
    """

    model_config = STRICT
    before: list[HookName] = Field(default_factory=list, max_length=8)
    after: list[HookName] = Field(default_factory=list, max_length=8)
    fail: list[HookName] = Field(default_factory=list, max_length=8)


class HookRules(BaseModel):
    """Which Python hooks may run: `allow` lists modules, or single functions as `module:function`.

    With `allow_env` the modules in TOWNLET_AFFORDANCE_HOOK_MODULES are allowed too. A hook that raises so many times
    as `disable_after` says is called no more.
    """

    model_config = STRICT
    allow: list[Annotated[str, Field(pattern=_MODULE, max_length=200)]] = Field(default_factory=list, max_length=100)
    allow_env: bool = True
    disable_after: int = Field(default=3, ge=1, le=1000)


class NamedHook(NamedTuple):
    """A Python function that an affordance names, and the moment at which it is told."""

    affordance: str
    moment: Moment
    function: str


def is_python(hook: str) -> bool:
    """Say whether a hook names a Python function."""
    return ":" in hook


def hook_problems(hooks: AffordanceHooks) -> Iterator[tuple[Moment, int, str]]:
    """Find the hooks that mean nothing, as (moment, place in its list, sentence)."""
    for moment in MOMENTS:
        for index, hook in enumerate(getattr(hooks, moment)):
            reason = _python_problem(hook) if is_python(hook) else _built_in_problem(hook, moment)
            if reason:
                yield moment, index, reason
    if "refund" in hooks.fail and "pay_first" not in hooks.before:
        yield "fail", hooks.fail.index("refund"), "nothing has been paid yet; add 'pay_first' to before"


def _python_problem(hook: str) -> str:
    return "" if _FUNCTION.fullmatch(hook) else f"found text '{hook}', expected a function such as my_town.meals:count"


def _built_in_problem(hook: str, moment: Moment) -> str:
    if hook not in BUILT_IN:
        return unknown_name("hook", hook, BUILT_IN)
    return "" if moment in BUILT_IN[hook] else f"'{hook}' has no place here; put it into {' or '.join(BUILT_IN[hook])}"
