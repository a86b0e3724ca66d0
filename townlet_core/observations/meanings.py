"""What the bytes of the map channels and the actions mean; a layout names both, and its digest rests on names alone."""

from collections.abc import Callable
from typing import NamedTuple

from townlet_core.config import TownConfig
from townlet_core.config.options import OPTION_NAMES
from townlet_core.config.primitives import REQUESTABLE
from townlet_core.observations.layout import layout_of
from townlet_core.world.grid import TERRAINS
from townlet_core.world.movement import BUSY, IN_USE, RESERVED, STANDING
from townlet_core.world.ways import AWAY, NO_WAY, STAY, TOWARDS

Values = dict[int, str]


class ChannelSpec(NamedTuple):
    """One map channel: its name, what it shows of a tile, and what each byte means that it can hold."""

    name: str
    about: str
    values: Values


class ActionSpec(NamedTuple):
    """One action: its name and what an agent does that chooses it."""

    name: str
    meaning: str


def channel_specs(config: TownConfig) -> tuple[ChannelSpec, ...]:
    """Return what the map channels of a configured town mean, in their order."""
    return tuple(_channel(name, config) for name in layout_of(config).channels)


def action_specs(config: TownConfig) -> tuple[ActionSpec, ...]:
    """Return what the actions of a configured town mean, in mask order."""
    return tuple(ActionSpec(name, _ACTIONS[name]) for name in layout_of(config).actions)


def _channel(name: str, config: TownConfig) -> ChannelSpec:
    about, values = _CHANNELS[name]
    return ChannelSpec(name, about, values(config))


def _spread(names: tuple[str, ...], nothing: str) -> Values:
    """Names over the bytes in equal steps: 0 for nothing, 255 for the last one."""
    return {0: nothing, **{(number + 1) * 255 // len(names): name for number, name in enumerate(names)}}


def _terrain(_: TownConfig) -> Values:
    highest = len(TERRAINS) - 1
    values = {number * 255 // highest: name for number, name in enumerate(TERRAINS)}
    return values | {0: f"{TERRAINS[0]} or outside the map"}


def _objects(config: TownConfig) -> Values:
    return _spread(tuple(config.affordances.objects), "nothing")


def _people(_: TownConfig) -> Values:
    return {0: "nobody", int(STANDING): "somebody", int(BUSY): "somebody who uses what is there"}


def _reservations(_: TownConfig) -> Values:
    return {0: "free or nothing to use", int(RESERVED): "reserved", int(IN_USE): "in use"}


def _own(_: TownConfig) -> Values:
    return {0: "neither", 128: "one's own home", 255: "one's own bed, fridge or place of work"}


def _activities(_: TownConfig) -> Values:
    return _spread(OPTION_NAMES, "nobody")


def _way(towards: str, away: str) -> Callable[[TownConfig], Values]:
    values = {NO_WAY: "no way or no target", TOWARDS: towards, STAY: "neither", AWAY: away}
    return lambda _: values


_CHANNELS: dict[str, tuple[str, Callable[[TownConfig], Values]]] = {
    "terrain": ("the ground", _terrain),
    "object": ("what stands there", _objects),
    "agent": ("who is there", _people),
    "reservation": ("whether what stands there is taken", _reservations),
    "path_dy": ("the step from this tile to the agent's target, down the map", _way("north", "south")),
    "path_dx": ("the step from this tile to the agent's target, across the map", _way("west", "east")),
    "own": ("what belongs to the agent", _own),
    "activity": ("the option of whoever stands there", _activities),
}

_OPTIONS = {
    "idle": "do nothing in particular for a while",
    "eat_home": "eat a meal out of the household's fridge",
    "cook": "turn ingredients into meals for the household's fridge",
    "eat_out": "buy a meal and eat it",
    "wash": "get clean",
    "sleep": "sleep in bed",
    "work": "work at one's own place of work, in the hours of the shift",
    "shop": "buy ingredients, or clothes when one's own are worn",
    "relax": "rest and enjoy oneself",
    "socialise": "walk up to somebody and talk",
}

_ACTIONS = {
    **_OPTIONS,
    "wait": "do nothing; a use goes on by itself",
    **{f"move_{way}": f"take one step {way}" for way in ("north", "east", "south", "west")},
    **{
        f"request_{name}": f"reserve what serves {name} best within two steps, or join its queue"
        for name in REQUESTABLE
    },
    "start": "begin the use of what one holds and stands on",
    "release": "give a reservation or a place in a queue back",
    "chat": "talk once to whoever stands next to one",
}
