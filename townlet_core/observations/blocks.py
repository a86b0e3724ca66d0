"""The blocks that a feature vector is made of, in order: what each holds, and which towns have it.

A block stands in three places, always in this order: here with its names, ranges and units; in ``encoder`` as a
kernel that writes it; in ``reference`` as plain Python that says the same again. A town that lacks a block has no
numbers for it.
"""

from collections.abc import Callable
from typing import NamedTuple

from townlet_core.config import TownConfig
from townlet_core.config.options import OPTION_NAMES
from townlet_core.config.primitives import PRIMITIVE_NAMES, REQUESTABLE
from townlet_core.config.weather import WEATHER_NAMES
from townlet_core.observations.specs import FeatureSpec, flags, shares, signed
from townlet_core.world.scalars import prices_vary
from townlet_core.world.state import NEED_NAMES, PHASE_NAMES, SHIFT_NAMES, UTILITY_NAMES

DIRECTIONS = ("north", "east", "south", "west")
TILES_OF_THE_MAP = "of the map's longer side"
WALK = "of 128 ticks of walking and waiting"


class Block(NamedTuple):
    """One block: its name, what it is for, and its features in a configured town, none where the town lacks it."""

    name: str
    about: str
    features: Callable[[TownConfig], list[FeatureSpec]]


def _body(_: TownConfig) -> list[FeatureSpec]:
    return [
        *shares("1 = satisfied", *(f"need_{name}" for name in NEED_NAMES)),
        *shares("of 50 coins", "wallet"),
        *shares("of 5 coins", "wallet_small"),
        *shares("of 16 portions", "ingredients"),
        *shares("of the fridge's capacity", "home_meals"),
        *flags(*(f"{name}_on" for name in UTILITY_NAMES)),
    ]


def _time(_: TownConfig) -> list[FeatureSpec]:
    return [
        *signed("sine of the day's angle", "time_sin"),
        *signed("cosine of the day's angle", "time_cos"),
        *shares("of 120 minutes", "minutes_to_shift"),
        *shares("of the shift", "shift_progress"),
        *shares("of the episode", "episode_progress"),
    ]


def _work(_: TownConfig) -> list[FeatureSpec]:
    return [
        *shares("of 60 minutes", "lateness"),
        *shares("share of scheduled ticks", "attendance_ratio"),
        *shares("of 10 coins", "wages_withheld"),
        *flags(*(f"shift_{name}" for name in SHIFT_NAMES)),
    ]


def _security(_: TownConfig) -> list[FeatureSpec]:
    return [
        *flags("employed", "exit_pending"),
        *shares("of 7 shifts", "absences"),
        *shares("of 7 days of rent in a row", "unpaid_days"),
        *shares("of the slots", "embedding_slot_norm"),
    ]


def _job_direction(_: TownConfig) -> list[FeatureSpec]:
    return [
        *signed("unit vector to the workplace", "job_dy", "job_dx"),
        *shares("of 128 steps", "job_distance"),
        *shares("1 = leads to the workplace", *(f"job_path_{name}" for name in DIRECTIONS)),
    ]


def _deeds(_: TownConfig) -> list[FeatureSpec]:
    return [
        *flags(*(f"option_{name}" for name in OPTION_NAMES)),
        *flags(*(f"phase_{name}" for name in PHASE_NAMES)),
        *shares("of 180 minutes", "option_elapsed"),
        *shares("of the use", "use_progress"),
        *flags("last_success"),
        *shares("of 180 minutes", "last_duration"),
        *flags("ctx_reset_flag", "on_object", "at_home"),
    ]


def _hints(_: TownConfig) -> list[FeatureSpec]:
    return shares("1 = leads to the target", *(f"path_hint_{name}" for name in DIRECTIONS))


def _choices(_: TownConfig) -> list[FeatureSpec]:
    parts = []
    for name in OPTION_NAMES[1:]:
        parts += flags(f"{name}_possible")
        parts += shares(WALK, f"{name}_cost")
    return parts


def _targets(config: TownConfig) -> list[FeatureSpec]:
    if not config.shows_targets:
        return []
    return signed(TILES_OF_THE_MAP, *(f"{name}_{axis}" for name in OPTION_NAMES[1:] for axis in ("dy", "dx")))


def _steps(config: TownConfig) -> list[FeatureSpec]:
    if config.control != "primitives":
        return []
    parts = flags(*(f"last_{name}" for name in PRIMITIVE_NAMES))
    for name in REQUESTABLE:
        parts += flags(f"{name}_in_reach")
        parts += shares("1 = leads to where the option would lead", *(f"{name}_path_{way}" for way in DIRECTIONS))
    return parts


def _weather(config: TownConfig) -> list[FeatureSpec]:
    return flags(*(f"weather_{name}" for name in WEATHER_NAMES)) if config.weather.enabled else []


def _prices(config: TownConfig) -> list[FeatureSpec]:
    unit = "of three times the usual price"
    return shares(unit, "price_index", "eat_out_price", "shop_price") if prices_vary(config) else []


def _events(config: TownConfig) -> list[FeatureSpec]:
    return flags("in_city_event", "called_together") if config.perturbations.events else []


def _clothes(config: TownConfig) -> list[FeatureSpec]:
    return shares("1 = new", "clothes") if config.economy.clothes.enabled else []


def _character(config: TownConfig) -> list[FeatureSpec]:
    if config.stages.relationships != "B":
        return []
    return [*shares("0..1", *config.traits), *flags("may_chat")]


def _circle(config: TownConfig) -> list[FeatureSpec]:
    if config.stages.relationships != "B":
        return []
    snippet = config.observations.social_snippet
    names = [f"friend_{rank}" for rank in range(1, snippet.top_friends + 1)]
    names += [f"rival_{rank}" for rank in range(1, snippet.top_rivals + 1)]
    return [spec for name in names for spec in _tie(name)]


def _tie(name: str) -> list[FeatureSpec]:
    return [
        *flags(f"{name}_known"),
        *shares("of the slots", f"{name}_slot"),
        *signed("of a tie", f"{name}_trust", f"{name}_familiarity"),
        *shares("of a tie", f"{name}_rivalry"),
        *flags(f"{name}_near"),
        *signed("of half the window", f"{name}_dy", f"{name}_dx"),
    ]


def _standing(config: TownConfig) -> list[FeatureSpec]:
    if config.stages.relationships != "B" or not config.observations.social_snippet.include_aggregates:
        return []
    return [*signed("over ties", "trust_mean", "trust_max"), *shares("over ties", "rivalry_mean", "rivalry_max")]


BLOCKS = (
    Block("body", "needs, money, food and the utilities", _body),
    Block("time", "the time of day, the shift and the episode", _time),
    Block("work", "lateness, attendance and the state of the shift", _work),
    Block("security", "how safe job and home are, and the number by which networks know the agent", _security),
    Block("job direction", "where the workplace lies, and which steps lead there", _job_direction),
    Block("deeds", "what the agent is doing, how far it is, and how the last deed ended", _deeds),
    Block("hints", "which steps lead to the present target", _hints),
    Block("choices", "whether each option is possible now, and what it would cost", _choices),
    Block("targets", "where each option would lead", _targets),
    Block("steps", "the last primitive, what is in reach, and which steps lead to each option", _steps),
    Block("weather", "what the sky does", _weather),
    Block("prices", "how dear things are, against what they usually cost", _prices),
    Block("events", "whether anything out of the ordinary is going on", _events),
    Block("clothes", "the condition of one's clothes", _clothes),
    Block("character", "the agent's own personality", _character),
    Block("circle", "the closest friends and the keenest rivals", _circle),
    Block("standing", "means and peaks over all ties", _standing),
)
"""Every block in the order of the feature vector."""
