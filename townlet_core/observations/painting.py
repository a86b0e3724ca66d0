"""The oracle's map: the crop around an agent, painted channel by channel from the state and the distance fields."""

import numpy as np
import numpy.typing as npt

from townlet_core.config.options import OPTION_NAMES
from townlet_core.observations.scene import STEPS, Scene
from townlet_core.world.rules import Rules
from townlet_core.world.state import PHASE_NAMES, TownState

UNREACHABLE = 65535


def reference_map(state: TownState, rules: Rules, town: int, agent: int) -> npt.NDArray[np.uint8]:
    """Return the map crop [w, w, channels] of one agent, painted from the state and not from the packed tiles.

    Without a map the crop is [0, 0, 0].
    """
    scene, planes = Scene(state, rules, town, agent), int(rules.scalars["planes"][0])
    if planes == 0:
        return np.zeros((0, 0, 0), np.uint8)
    picture = _near(state, rules, town)
    if planes == 2:
        picture = np.concatenate([picture, _far(state, rules, town, scene)], axis=2)
    half = int(scene.scalars.window) // 2
    padded = np.pad(picture, ((half, half), (half, half), (0, 0)))
    me = scene.agent
    crop = padded[me.y : me.y + 2 * half + 1, me.x : me.x + 2 * half + 1]
    return crop if me.alive else np.zeros_like(crop)


def _near(state: TownState, rules: Rules, town: int) -> npt.NDArray[np.uint8]:
    types = len(rules.ranges) - 1
    picture = np.zeros((*rules.terrain.shape, 4), np.uint8)
    picture[..., 0] = rules.terrain.astype(int) * 255 // 5
    for rule, fixture in zip(rules.fixtures, state.fixtures[town], strict=True):
        used = fixture.user >= 0 and PHASE_NAMES[state.agents[town, fixture.user].phase] == "using"
        picture[rule.y, rule.x, 1] = (int(rule.type) + 1) * 255 // types
        picture[rule.y, rule.x, 3] = 255 if used else 128 if fixture.user >= 0 else 0
    for me in state.agents[town]:
        if me.alive:
            picture[me.y, me.x, 2] = 255 if PHASE_NAMES[me.phase] == "using" else 128
    return picture


def _far(state: TownState, rules: Rules, town: int, scene: Scene) -> npt.NDArray[np.uint8]:
    picture = np.zeros((*rules.terrain.shape, 4), np.uint8)
    if scene.agent.target >= 0:
        for place in np.argwhere(rules.distance[scene.agent.target] != UNREACHABLE):
            picture[*place, :2] = _way(rules, int(scene.agent.target), int(place[0]), int(place[1]))
    picture[rules.home_at == scene.citizen.home, 2] = 128
    for own in (scene.citizen.bed, scene.citizen.fridge, scene.citizen.workplace):
        if own >= 0:
            picture[rules.fixtures[own].y, rules.fixtures[own].x, 2] = 255
    for me in state.agents[town]:
        if me.alive:
            picture[me.y, me.x, 3] = (int(me.option) + 1) * 255 // len(OPTION_NAMES)
    return picture


def _way(rules: Rules, target: int, y: int, x: int) -> tuple[int, int]:
    """Return the bytes for the step that leads to an object: dy, dx; the first of two opposite ways."""
    height, width = rules.terrain.shape
    ways = []
    for name, (dy, dx) in STEPS.items():
        there = (y + dy, x + dx)
        inside = 0 <= there[0] < height and 0 <= there[1] < width
        if inside and rules.fixture_at[there] in (-1, target):
            closer = rules.distance[target][there] < rules.distance[target, y, x]
            ways += [name] if closer else []
    down = 1 if "north" in ways else 255 if "south" in ways else 128
    return down, 1 if "west" in ways else 255 if "east" in ways else 128
