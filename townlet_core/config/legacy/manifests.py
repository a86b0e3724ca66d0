"""Translates an affordance manifest of the earlier system: a list of objects and uses, some with hidden effects."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from townlet_core.config.condition_checks import Words
from townlet_core.config.condition_names import SHIFT_STATES
from townlet_core.config.documents import Document
from townlet_core.config.fields import NEED_NAMES
from townlet_core.config.legacy.conditions import translate_condition
from townlet_core.config.legacy.rules import Fate, Line, UndecidedError, line_at
from townlet_core.config.weather import WEATHER_NAMES

OPTIONS = {"eat": "eat_home", "cook": "cook", "shower": "wash", "wash": "wash", "sleep": "sleep", "work": "work"}
"""Options by a word in the name of a use."""
BY_NEED = {"hunger": "eat_home", "hygiene": "wash", "energy": "relax"}
"""Options by the need that a use gives most of, where its name tells nothing."""
FRIDGE = {"stock": 5, "capacity": 12}
"""What every fridge of the earlier system began with, and room to cook for."""
HIDDEN: dict[str, dict[str, Any]] = {
    "eat_home": {"takes_stock": 1},
    "cook": {"takes_ingredients": 1, "gives_meals": 1},
    "sleep": {"asleep": True},
}
"""What the built-in hooks did: here keys of the use."""
HOOKED = {
    "on_attempt_eat": ("before", "pay_first"),
    "on_finish_eat": ("after", "share_meal"),
    "on_cook_fail": ("fail", "waste"),
}
"""Built-in hooks whose deeds are hooks here, too."""
MOST_CONDITIONS = 8
BUILT_IN = (
    "on_attempt_shower", "on_finish_shower", "on_no_power", "on_attempt_eat", "on_finish_eat", "on_attempt_cook",
    "on_finish_cook", "on_cook_fail", "on_attempt_sleep", "on_finish_sleep",
)  # fmt: skip
DEFAULT_TICKS = 30


class Manifest(NamedTuple):
    """A manifest in the making: object types, uses, and the report."""

    objects: dict[str, dict[str, Any]]
    affordances: dict[str, dict[str, Any]]
    lines: list[Line]


def translate_manifest(document: Document, base: Mapping[str, Any]) -> tuple[dict[str, Any], list[Line]]:
    """Translate the list of an earlier manifest into object types and affordances, and tell what became of each key.

    The earlier system did the rest in code, so object types, and uses for options that the list does not serve, are
    taken from the manifest `base`.
    """
    made = Manifest({}, {}, [])
    types = [str(entry.get("object_type")) for entry in document.data]
    words = {"shift state": SHIFT_STATES, "object type": types, "weather": WEATHER_NAMES}
    for index, entry in enumerate(document.data):
        if entry.get("type", "affordance") == "object":
            _object(document, index, entry, made)
        else:
            _affordance(document, index, entry, words, made)
    _complete(document, base, made)
    return {"objects": made.objects, "affordances": made.affordances}, made.lines


def _complete(document: Document, base: Mapping[str, Any], made: Manifest) -> None:
    served = {use["option"] for use in made.affordances.values()}
    objects = {name: kind for name, kind in base["objects"].items() if name not in made.objects}
    uses = {
        name: use
        for name, use in base["affordances"].items()
        if name not in made.affordances and use["option"] not in served
    }
    made.objects.update(objects)
    made.affordances.update(uses)
    for kind, names in (("objects", objects), ("affordances", uses)):
        if names:
            text = f"{kind} that the list lacks are those of the default town: {', '.join(names)}"
            made.lines.append(line_at(document, (), Fate.TRANSLATED, text))


def _object(document: Document, index: int, entry: dict[str, Any], made: Manifest) -> None:
    name = str(entry.get("object_type"))
    kind = made.objects.setdefault(name, {})
    made.lines.append(line_at(document, (index, "object_type"), Fate.TRANSLATED, f"objects.{name}"))
    text = "an object stands where the map shows it; draw one there, or keep the map's"
    made.lines.append(line_at(document, (index, "id"), Fate.NONE, text))
    for key in ("position", "stock"):
        if key in entry:
            _detail(document, index, key, entry[key], kind, made)


def _detail(document: Document, index: int, key: str, value: Any, kind: dict[str, Any], made: Manifest) -> None:
    if key == "stock" and isinstance(value, dict) and len(value) == 1:
        kind["stock"] = next(iter(value.values()))
        made.lines.append(line_at(document, (index, key), Fate.TRANSLATED, f"stock: {kind['stock']}"))
        return
    text = "draw it on the map" if key == "position" else "an object holds one kind of stock; choose which"
    made.lines.append(line_at(document, (index, key), Fate.DECIDE, text))


def _affordance(document: Document, index: int, entry: dict[str, Any], words: Words, made: Manifest) -> None:
    name, effects = str(entry.get("id")), dict(entry.get("effects") or {})
    option = _option(name, effects)
    use: dict[str, Any] = {"option": option, "object": str(entry.get("object_type"))}
    use["duration"] = entry.get("duration", DEFAULT_TICKS)
    kind = made.objects.setdefault(use["object"], {})
    made.affordances[name] = use
    made.lines.append(line_at(document, (index, "id"), Fate.TRANSLATED, f"affordances.{name}, for the option {option}"))
    _effects(document, index, effects, name, use, made)
    if option in HIDDEN:
        use.update(HIDDEN[option])
    if option == "eat_home":
        kind.update({**FRIDGE, **kind})
    _conditions(document, index, words, made)
    for moment, hooks in (entry.get("hooks") or {}).items():
        made.lines.extend(_hook(document, (index, "hooks", moment), hook, use) for hook in hooks)


def _option(name: str, effects: dict[str, Any]) -> str:
    """Choose the intention that a use serves, by its name, else by the need that it gives most of."""
    named = next((option for word, option in OPTIONS.items() if word in name.lower()), None)
    most = max(NEED_NAMES, key=lambda need: effects.get(need, 0.0))
    return named or BY_NEED[most]


def _effects(
    document: Document, index: int, effects: dict[str, Any], name: str, use: dict[str, Any], made: Manifest
) -> None:
    cost = effects.pop("money", 0.0)
    if cost < 0:
        use["price"] = name
        text = f"affordances.{name}.price: {name}; add to the town economy.prices: {{{name}: {-cost:g}}}"
        made.lines.append(line_at(document, (index, "effects", "money"), Fate.DECIDE, text))
    elif cost > 0:
        text = "no use makes money; wages do (jobs.*.wage_rate)"
        made.lines.append(line_at(document, (index, "effects", "money"), Fate.NONE, text))
    known = {need: change for need, change in effects.items() if need in NEED_NAMES}
    use["effects"] = known
    for need in effects:
        fate = Fate.TRANSLATED if need in known else Fate.DECIDE
        text = f"affordances.{name}.effects.{need}" if need in known else f"needs are {', '.join(NEED_NAMES)}"
        made.lines.append(line_at(document, (index, "effects", need), fate, text))


def _conditions(document: Document, index: int, words: Words, made: Manifest) -> None:
    entry = document.data[index]
    written = entry.get("preconds") or ()
    for at, condition in enumerate([written] if isinstance(written, str) else written):
        path = (index, "preconds") if isinstance(written, str) else (index, "preconds", at)
        use = made.affordances[str(entry.get("id"))]
        fate, text = _condition(str(condition), words, use, made.objects[use["object"]])
        made.lines.append(line_at(document, path, fate, text))


def _condition(text: str, words: Words, use: dict[str, Any], kind: dict[str, Any]) -> tuple[Fate, str]:
    """Put one precondition where it belongs; give what became of it."""
    try:
        found = translate_condition(text, words)
    except UndecidedError as problem:
        return Fate.DECIDE, str(problem)
    if not found.sentence:
        return Fate.TRANSLATED, "only who holds the reservation may use an object"
    if found.utility and kind.setdefault("utility", found.utility) == found.utility:
        return Fate.TRANSLATED, f"the object's utility: {found.utility}"
    if found.takes_stock and use.get("takes_stock"):
        return Fate.TRANSLATED, f"takes_stock: {use['takes_stock']}"
    requires = use.setdefault("requires", [])
    if len(requires) == MOST_CONDITIONS:
        return Fate.DECIDE, f"an affordance has at most {MOST_CONDITIONS} conditions; join some with 'and'"
    requires.append(found.sentence)
    beside = f"; what ends a use is the outage of {kind['utility']}" if found.utility else ""
    return Fate.TRANSLATED, f"requires: {found.sentence}{beside}"


def _hook(document: Document, path: tuple[Any, ...], hook: str, use: dict[str, Any]) -> Line:
    if hook in HOOKED and (hook != "on_attempt_eat" or "price" in use):
        moment, deed = HOOKED[hook]
        use.setdefault("hooks", {}).setdefault(moment, []).append(deed)
        return line_at(document, path, Fate.TRANSLATED, f"hooks.{moment}: {deed}")
    if hook in BUILT_IN:
        return line_at(document, path, Fate.NONE, f"what {hook} did are keys of the affordance here")
    text = f"{hook} was code of yours: name it as module:function, and allow the module in the town's hooks.allow"
    return line_at(document, path, Fate.DECIDE, text)
