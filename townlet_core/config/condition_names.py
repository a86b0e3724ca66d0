"""The names that a precondition may use: what each stands for, its kind, and the words it may be."""

from enum import IntEnum
from typing import Literal, NamedTuple, TypeAlias

from townlet_core.config.weather import WEATHER_NAMES

Kind: TypeAlias = Literal["number", "truth", "job", "shift state", "object type", "weather"]
"""What a name's value is; those from `job` on are words out of a list."""

SHIFT_STATES = ("off", "pre", "await_start", "on_time", "late", "absent", "post")
"""The states of a shift in array order."""


class Fact(IntEnum):
    """What a name refers to, as kernels know it; those from 32 on are about the object, those from 64 on the town."""

    HUNGER = 0
    HYGIENE = 1
    ENERGY = 2
    WALLET = 3
    INGREDIENTS = 4
    HOME_MEALS = 5
    LATENESS = 6
    ATTENDANCE = 7
    WAGES_WITHHELD = 8
    ON_SHIFT = 9
    SHIFT_STATE = 10
    JOB = 11
    AT_HOME = 12
    AGENT_X = 13
    AGENT_Y = 14
    EXTROVERSION = 15
    FORGIVENESS = 16
    AMBITION = 17
    PATIENCE = 18
    FRUGALITY = 19
    OBJECT_TYPE = 32
    STOCK = 33
    OCCUPIED = 34
    QUEUE_LENGTH = 35
    OBJECT_X = 36
    OBJECT_Y = 37
    TICK = 64
    DAY = 65
    MINUTE = 66
    HOUR = 67
    POWER_ON = 68
    WATER_ON = 69
    WEATHER = 70


FIRST_OF_OBJECT, FIRST_OF_TOWN = 32, 64


class Meaning(NamedTuple):
    """What a name stands for: the fact, its kind, and a sentence with unit and range."""

    fact: Fact
    kind: Kind
    about: str


NAMES: dict[str, Meaning] = {
    "agent.needs.hunger": Meaning(Fact.HUNGER, "number", "0 starving to 1 satisfied"),
    "agent.needs.hygiene": Meaning(Fact.HYGIENE, "number", "0 to 1, clean"),
    "agent.needs.energy": Meaning(Fact.ENERGY, "number", "0 to 1, rested"),
    "agent.wallet": Meaning(Fact.WALLET, "number", "coins in the pocket"),
    "agent.ingredients": Meaning(Fact.INGREDIENTS, "number", "portions to cook that one carries"),
    "agent.home_meals": Meaning(Fact.HOME_MEALS, "number", "meals in the household's fridge; 0 without one"),
    "agent.lateness": Meaning(Fact.LATENESS, "number", "ticks late in the current shift"),
    "agent.attendance": Meaning(Fact.ATTENDANCE, "number", "share attended of the latest shifts, 0 to 1"),
    "agent.wages_withheld": Meaning(Fact.WAGES_WITHHELD, "number", "coins of wages lost so far"),
    "agent.on_shift": Meaning(
        Fact.ON_SHIFT, "truth", "whether it is between start and end of one's shift; not for the dismissed"
    ),
    "agent.shift_state": Meaning(Fact.SHIFT_STATE, "shift state", "one of " + ", ".join(SHIFT_STATES)),
    "agent.job": Meaning(Fact.JOB, "job", "a job of the town; none for the dismissed"),
    "agent.at_home": Meaning(Fact.AT_HOME, "truth", "whether one is inside one's own home"),
    "agent.x": Meaning(Fact.AGENT_X, "number", "column, 0 in the west; also agent.position[0]"),
    "agent.y": Meaning(Fact.AGENT_Y, "number", "row, 0 in the north; also agent.position[1]"),
    "agent.personality.extroversion": Meaning(Fact.EXTROVERSION, "number", "0 to 1; 0 where relationships are off"),
    "agent.personality.forgiveness": Meaning(Fact.FORGIVENESS, "number", "0 to 1; 0 where relationships are off"),
    "agent.personality.ambition": Meaning(Fact.AMBITION, "number", "0 to 1; 0 where relationships are off"),
    "agent.personality.patience": Meaning(Fact.PATIENCE, "number", "0 to 1; 0 unless personality.patience is on"),
    "agent.personality.frugality": Meaning(Fact.FRUGALITY, "number", "0 to 1; 0 unless personality.frugality is on"),
    "object.type": Meaning(Fact.OBJECT_TYPE, "object type", "the object's type in the manifest"),
    "object.stock": Meaning(Fact.STOCK, "number", "pieces left in the object"),
    "object.occupied": Meaning(Fact.OCCUPIED, "truth", "whether somebody else has the object"),
    "object.queue_length": Meaning(Fact.QUEUE_LENGTH, "number", "how many wait for the object"),
    "object.x": Meaning(Fact.OBJECT_X, "number", "column of the object; also object.position[0]"),
    "object.y": Meaning(Fact.OBJECT_Y, "number", "row of the object; also object.position[1]"),
    "world.tick": Meaning(Fact.TICK, "number", "ticks since midnight of the first day"),
    "world.day": Meaning(Fact.DAY, "number", "whole days since midnight of the first day, 0 on the first"),
    "world.minute": Meaning(Fact.MINUTE, "number", "ticks since midnight"),
    "world.hour": Meaning(Fact.HOUR, "number", "whole hours since midnight, 0 to 23; a day has 24 of any length"),
    "world.power_on": Meaning(Fact.POWER_ON, "truth", "whether there is power"),
    "world.water_on": Meaning(Fact.WATER_ON, "truth", "whether there is water"),
    "world.weather": Meaning(Fact.WEATHER, "weather", "one of " + ", ".join(WEATHER_NAMES)),
}
"""Every name in full. A name may also be written without its first part where that leaves no doubt."""

_CLASHING = ("x", "y", "type")
POSITIONS = {
    f"{whose}.position[{axis}]": f"{whose}.{name}" for whose in ("agent", "object") for axis, name in enumerate("xy")
}
SHORT = {name.split(".", 1)[1]: name for name in NAMES if name.split(".", 1)[1] not in _CLASHING} | POSITIONS
"""Other ways to write a name."""


def full_name(written: str) -> str | None:
    """Return the full name that a written one means, or None if there is no such name."""
    return written if written in NAMES else SHORT.get(written)


def is_about_object(fact: Fact) -> bool:
    """Say whether a fact belongs to the object, so that two objects of a type may differ in it."""
    return FIRST_OF_OBJECT <= fact < FIRST_OF_TOWN
