"""Weather: how it turns, and how it slows people down who are outdoors."""

from townlet_core.kernels import EVENTS, kernel, uniform
from townlet_core.world.events import Event, emit
from townlet_core.world.grid import GRASS, ROAD
from townlet_core.world.prices import set_prices

WEATHER_CHANGE = int(Event.WEATHER_CHANGE)


@kernel
def set_weather(common, rules, weather):  # type: ignore[no-untyped-def]
    """Let a kind of weather begin: what it does to ways and to prices."""
    scalars = rules.scalars[0]
    common.weather = weather
    common.pause_every = scalars.weather_pause[weather] if scalars.weather_interval > 0 else 0
    set_prices(common, rules)


@kernel
def _next_weather(common, scalars):  # type: ignore[no-untyped-def]
    luck, now = uniform(common.streams, EVENTS), common.weather
    for kind in range(scalars.weather_turns.shape[1]):
        luck -= scalars.weather_turns[now, kind]
        if luck < 0.0:
            return kind
    return int(now)


@kernel
def turn_weather(town, rules):  # type: ignore[no-untyped-def]
    """At the set intervals, draw the weather that follows and tell of a change."""
    common, scalars = town.common, rules.scalars[0]
    if scalars.weather_interval == 0 or common.tick % scalars.weather_interval != 0:
        return
    following = _next_weather(common, scalars)
    if following != common.weather:
        set_weather(common, rules, following)
        emit(common, town.log, WEATHER_CHANGE, -1, -1, following, common.pause_every)


@kernel
def is_outdoors(rules, y, x):  # type: ignore[no-untyped-def]
    """Say whether a tile lies under the open sky: road or grass."""
    terrain = rules.terrain[y, x]
    return terrain in (ROAD, GRASS)


@kernel
def held_up(town, rules, i):  # type: ignore[no-untyped-def]
    """Say whether the weather keeps agent ``i`` from taking a step in this tick."""
    pause = town.common.pause_every
    if pause == 0 or (town.common.tick + i) % pause != 0:
        return False
    return is_outdoors(rules, town.agents[i].y, town.agents[i].x)


@kernel
def ticks_to_walk(steps, pause_every):  # type: ignore[no-untyped-def]
    """Return the ticks that a way of so many steps takes now, taken to lie outdoors: one in every few is lost."""
    return steps + steps // (pause_every - 1) if pause_every > 0 else steps
