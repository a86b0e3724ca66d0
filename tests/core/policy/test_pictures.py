"""A picture of a town shows what is where."""

from pathlib import Path

import numpy as np

from tests.benchmarks.crowd_towns import crowd_town
from townlet_core.config import TownConfig, load_config
from townlet_core.core import Simulation
from townlet_core.policy.env import TownletParallelEnv
from townlet_core.policy.pictures import MARKS, TILE, agent_colour, clock_text, write_town
from townlet_core.policy.teacher import Teacher

TOWN = Path(__file__).parents[3] / "configs" / "towns" / "default.yaml"


def walked(config: TownConfig, mode: str, ticks: int = 100) -> TownletParallelEnv:
    """An environment in which everybody has been up and about for a while, and the first agent has left."""
    env = TownletParallelEnv(config, seed=3, render_mode=mode)
    env.reset(seed=3)
    for _ in range(ticks):
        env.step(dict(zip(env.agents, Teacher(env.sim).act()[0].tolist(), strict=True)))
    env.sim.agents[0, 0].alive = 0
    return env


def centre(tile: int) -> int:
    return tile * TILE + TILE // 2


def test_a_picture_has_a_block_of_pixels_for_each_tile(config: TownConfig) -> None:
    picture = walked(config, "rgb_array").render()
    assert picture.dtype == np.uint8
    assert picture.shape == (48 * TILE, 48 * TILE, 3)


def test_an_agents_pixels_are_where_the_agent_is_and_nowhere_else(config: TownConfig) -> None:
    env = walked(config, "rgb_array")
    picture = env.render()
    for index, agent in enumerate(env.sim.agents[0]):
        shown = np.argwhere((picture == agent_colour(index, 8)).all(axis=2)) // TILE
        expected = [[agent.y, agent.x]] if agent.alive else []
        assert np.unique(shown, axis=0).tolist() == expected
        if agent.alive:
            assert tuple(picture[centre(agent.y), centre(agent.x)]) == agent_colour(index, 8)


def test_tiles_of_one_kind_look_alike_and_of_different_kinds_do_not(config: TownConfig) -> None:
    env = walked(config, "rgb_array")
    picture, taken = env.render(), {(agent.y, agent.x) for agent in env.sim.agents[0]}
    colours: dict[str, set[tuple[int, ...]]] = {}
    for y, row in enumerate(config.map.rows):
        for x, char in enumerate(row):
            if (y, x) not in taken:
                entry = config.map.legend[char]
                kind = entry.object or entry.terrain
                colours.setdefault(kind, set()).add(tuple(int(part) for part in picture[centre(y), centre(x)]))
    assert {kind: len(found) for kind, found in colours.items() if len(found) != 1} == {}
    assert len(set.union(*colours.values())) == len(colours)


def test_a_text_shows_the_map_with_everybody_on_it(config: TownConfig) -> None:
    env = walked(config, "ansi")
    lines = env.render().splitlines()
    for y, row in enumerate(config.map.rows):
        for x, char in enumerate(row):
            here = [
                MARKS[i] for i, agent in enumerate(env.sim.agents[0]) if agent.alive and (agent.y, agent.x) == (y, x)
            ]
            assert lines[y][x] == (here[0] if here else char)


def test_a_text_says_how_everybody_fares(config: TownConfig) -> None:
    env = walked(config, "ansi")
    legend, clock, *lives = env.render().splitlines()[48:]
    assert legend.startswith("b bed  c cafe_table  d desk  f fridge  ")
    assert clock == "day 1, 07:40"
    assert lives[0] == "1 has left the town"
    for mark, line, agent in list(zip(MARKS, lives, env.sim.agents[0], strict=False))[1:]:
        assert line.startswith(f"{mark} hunger {agent.needs[0]:.2f} hygiene {agent.needs[1]:.2f}")
        assert f"wallet {agent.wallet:.2f}: {env.sim.layout.actions[agent.option]}" in line


def test_a_crowd_is_shown_to_the_last_citizen() -> None:
    sim = Simulation(crowd_town(64), seed=3)
    lines = write_town(sim).splitlines()
    shown = "".join(lines[agent.y][agent.x] for agent in sim.agents[0])
    assert shown == MARKS + "123"
    assert [line.split(" hunger")[0] for line in lines[-4:]] == ["Z", "1 (62)", "2 (63)", "3 (64)"]


def test_the_clock_of_a_day_of_any_length_has_24_hours() -> None:
    sim = Simulation(load_config(TOWN, {"clock": {"ticks_per_day": 2880, "start_tick": 720}}), seed=3)
    assert clock_text(sim) == "day 1, 06:00"
    sim.state.towns["tick"] = 2880 + 360
    assert clock_text(sim) == "day 2, 03:00"


def test_without_a_render_mode_there_is_no_picture(config: TownConfig) -> None:
    env = TownletParallelEnv(config)
    env.reset()
    assert env.render() is None
