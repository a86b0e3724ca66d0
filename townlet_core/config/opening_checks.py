"""What must hold for an opening: citizens and objects that exist, free tiles to stand on, ties that can be kept."""

from collections import Counter
from collections.abc import Iterator

from townlet_core.config.documents import KeyPath
from townlet_core.config.explain import unknown_name
from townlet_core.config.map_checks import Problem, Tile, placed_objects
from townlet_core.config.maps import MapConfig
from townlet_core.config.opening import OpeningCitizen, agent_number, opening_feelings
from townlet_core.config.town import TownConfig

CITIZENS: KeyPath = ("opening", "citizens")


def fixture_tiles(plan: MapConfig) -> dict[str, Tile]:
    """Give the tile of every object of a map by its name: the type and its number in reading order, from 1."""
    seen: Counter[str] = Counter()
    tiles = {}
    for thing in placed_objects(plan):
        seen[thing.type] += 1
        tiles[f"{thing.type}_{seen[thing.type]}"] = thing.tile
    return tiles


def standing_tiles(town: TownConfig) -> dict[int, Tile]:
    """Give where citizens stand whose opening says so, by number of the agent; who finds no tile is left out."""
    places, fixtures = town.opening.citizens, fixture_tiles(town.map)
    tiles = {agent_number(name): place.tile for name, place in places.items() if place.tile is not None}
    for name, place in sorted(places.items(), key=lambda item: agent_number(item[0])):
        if place.beside in fixtures and place.tile is None:
            row, column = fixtures[place.beside]
            around = ((row - 1, column), (row, column + 1), (row + 1, column), (row, column - 1))
            free = [tile for tile in around if is_free(town.map, tile) and tile not in tiles.values()]
            if free:
                tiles[agent_number(name)] = free[0]
    return tiles


def is_free(plan: MapConfig, tile: Tile) -> bool:
    """Say whether somebody can stand on a tile: on the map, no wall, no object."""
    row, column = tile
    if not (0 <= row < len(plan.rows) and 0 <= column < len(plan.rows[0])):
        return False
    entry = plan.legend[plan.rows[row][column]]
    return entry.terrain != "wall" and entry.object is None


def opening_problems(town: TownConfig) -> Iterator[Problem]:
    """Find what is wrong with a town's opening; the map must be sound."""
    names = [f"agent_{number + 1}" for number in range(town.agents)]
    for name, citizen in town.opening.citizens.items():
        if name not in names:
            yield Problem((*CITIZENS, name), _unknown_citizen(name, names))
        for other in citizen.ties:
            if other not in names or other == name:
                reason = "nobody has a tie to themselves" if other == name else _unknown_citizen(other, names)
                yield Problem((*CITIZENS, name, "ties", other), reason)
    yield from _newcomer_problems(town)
    yield from _stock_problems(town)
    yield from _tile_problems(town)
    yield from _social_problems(town)


def _newcomer_problems(town: TownConfig) -> Iterator[Problem]:
    expected, life = len(town.opening.newcomers), town.lifecycle
    if expected >= town.agents:
        reason = f"{expected} of {town.agents} places are empty at first; leave at least one citizen there"
        yield Problem(("opening", "newcomers"), reason)
    if expected and not (life.enabled and life.arrivals.enabled):
        yield Problem(("opening", "newcomers"), "nobody comes where lifecycle or lifecycle.arrivals is off; turn it on")
    for name in town.opening.citizens:
        if town.agents - expected <= agent_number(name) < town.agents:
            yield Problem((*CITIZENS, name), "comes later, with what lifecycle.arrivals says; leave it out")


def _unknown_citizen(name: str, names: list[str]) -> str:
    if len(names) > 8:
        return f"unknown citizen '{name}'; the town has agent_1 to {names[-1]}"
    return unknown_name("citizen", name, names)


def _stock_problems(town: TownConfig) -> Iterator[Problem]:
    fixtures = fixture_tiles(town.map)
    for name, pieces in town.opening.stock.items():
        path: KeyPath = ("opening", "stock", name)
        if name not in fixtures:
            yield Problem(path, unknown_name("object", name, fixtures))
            continue
        kind = town.affordances.objects[name.rsplit("_", 1)[0]]
        most = kind.capacity if kind.capacity is not None else kind.stock
        if most is None:
            yield Problem(path, "holds no stock; leave it out, or give its object type a 'stock'")
        elif pieces > most:
            yield Problem(path, f"found {pieces}, expected at most the {most} that it can hold")


def _tile_problems(town: TownConfig) -> Iterator[Problem]:
    fixtures, stand = fixture_tiles(town.map), standing_tiles(town)
    taken: dict[Tile, str] = {}
    for name, citizen in town.opening.citizens.items():
        path = (*CITIZENS, name)
        if citizen.tile is not None and citizen.beside is not None:
            yield Problem((*path, "beside"), "stands here and at 'tile'; keep one of them")
        elif citizen.beside is not None and citizen.beside not in fixtures:
            yield Problem((*path, "beside"), unknown_name("object", citizen.beside, fixtures))
        elif citizen.beside is not None and agent_number(name) not in stand:
            yield Problem((*path, "beside"), f"no free tile is left beside {citizen.beside}; name a 'tile'")
        elif citizen.tile is not None:
            yield from _ground_problems(town.map, citizen.tile, (*path, "tile"), taken)
            taken[citizen.tile] = name


def _ground_problems(plan: MapConfig, tile: Tile, path: KeyPath, taken: dict[Tile, str]) -> Iterator[Problem]:
    row, column = tile
    if row >= len(plan.rows) or column >= len(plan.rows[0]):
        size = f"rows 0 to {len(plan.rows) - 1}, columns 0 to {len(plan.rows[0]) - 1}"
        yield Problem(path, f"row {row}, column {column} is off the map; it has {size}")
    elif not is_free(plan, tile):
        entry = plan.legend[plan.rows[row][column]]
        there = f"a {entry.object} stands on it" if entry.object else f"it is {entry.terrain}"
        yield Problem(path, f"nobody can stand on row {row}, column {column}: {there}; take a free tile beside it")
    elif tile in taken:
        yield Problem(path, f"{taken[tile]} already stands on row {row}, column {column}; one tile holds one citizen")


def _social_problems(town: TownConfig) -> Iterator[Problem]:
    off = town.stages.relationships == "OFF"
    for name, citizen in town.opening.citizens.items():
        for key in ("personality", "ties"):
            if off and getattr(citizen, key):
                reason = "has no meaning while stages.relationships is OFF; switch them on or remove this"
                yield Problem((*CITIZENS, name, key), reason)
        for trait in citizen.personality if not off else ():
            if trait not in town.traits:
                reason = f"nobody has it while personality.{trait} is off; switch it on or remove this"
                yield Problem((*CITIZENS, name, "personality", trait), reason)
        yield from _contradictions(town, name, citizen)
    kept = Counter(feeling.who for feeling in opening_feelings(town.opening))
    for who, count in kept.items():
        if count > town.relationships.max_ties:
            reason = (
                f"agent_{who + 1} begins with {count} ties; relationships.max_ties is {town.relationships.max_ties}"
            )
            yield Problem(CITIZENS, reason)


def _contradictions(town: TownConfig, name: str, citizen: OpeningCitizen) -> Iterator[Problem]:
    """Find ties that are said to be mutual and stated by the other side as well."""
    for other, tie in citizen.ties.items():
        theirs = town.opening.citizens.get(other)
        if tie.mutual and theirs is not None and name in theirs.ties:
            path = (*CITIZENS, name, "ties", other, "mutual")
            reason = f"{other} states a tie to {name} as well; say 'mutual: false' in both, or keep one of them"
            yield Problem(path, reason)
