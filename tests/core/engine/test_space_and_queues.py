"""Space is real, reservations are kept, and nobody is thrown out while using something."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from townlet_core.config import TownConfig, load_config
from townlet_core.config.personality import Personality
from townlet_core.core import Simulation
from townlet_core.world.events import Event
from townlet_core.world.grid import WALL
from townlet_core.world.queues import goes_before
from townlet_core.world.state import FORGIVENESS, PATIENCE, USING, WAITING

HAMLET = Path(__file__).parents[3] / "configs" / "towns" / "hamlet.yaml"


@pytest.fixture(params=["ordinary_day", "one_shower", "stove_outage", "low_money"])
def crowd(request: pytest.FixtureRequest, scenario_config: Callable) -> Simulation:
    """Six towns of each scenario."""
    return Simulation(scenario_config(request.param), towns=6, seed=11)


def places(sim: Simulation) -> np.ndarray:
    return np.stack([sim.agents["y"], sim.agents["x"]], axis=-1).astype(int)


def test_agents_walk_one_tile_a_tick_and_never_share_one(crowd: Simulation, at_random: Callable) -> None:
    before, terrain, known = places(crowd), crowd.rules.terrain, crowd.agents["person"].copy()
    for _ in at_random(crowd, 1500, 5):
        now, alive = places(crowd), crowd.agents["alive"].astype(bool)
        stayed = alive & (crowd.agents["person"] == known)
        assert (np.abs(now - before).sum(axis=-1) <= 1)[stayed].all()
        assert (terrain[now[..., 0], now[..., 1]] != WALL).all()
        for town in range(6):
            tiles = {tuple(tile) for tile in now[town][alive[town]]}
            assert len(tiles) == alive[town].sum()
        before, known = now, crowd.agents["person"].copy()


def test_an_object_is_used_only_on_its_tile_and_by_its_holder(crowd: Simulation, at_random: Callable) -> None:
    tiles = np.stack([crowd.rules.fixtures["y"], crowd.rules.fixtures["x"]], axis=-1)
    used = 0
    for _ in at_random(crowd, 1500, 6):
        for town, agent in np.argwhere(crowd.agents["phase"] == USING):
            me = crowd.agents[town, agent]
            assert (me.y, me.x) == tuple(tiles[me.target])
            assert crowd.state.fixtures[town, me.target].user == agent
            used += 1
    assert used > 1000


def test_reservations_and_queues_agree_with_those_who_hold_and_wait(crowd: Simulation, at_random: Callable) -> None:
    waited = 0
    for _ in at_random(crowd, 1500, 7):
        agents, fixtures = crowd.agents, crowd.state.fixtures
        for town in range(6):
            holders = {int(a["target"]): i for i, a in enumerate(agents[town]) if a["holds"]}
            users = {f: int(user) for f, user in enumerate(fixtures["user"][town]) if user >= 0}
            assert holders == users
            queue = [int(a["target"]) for a in agents[town] if a["phase"] == WAITING]
            assert (np.bincount(queue, minlength=fixtures.shape[1]) == fixtures["waiting"][town]).all()
            waited += len(queue)
    assert waited > 0


def test_a_use_once_begun_ends_by_itself(scenario_config: Callable, at_random: Callable) -> None:
    sim = Simulation(scenario_config("one_shower"), towns=6, seed=2)
    running: dict[tuple[int, int], int] = {}
    joined = 0
    for step in at_random(sim, 2800, 8):
        for row in step.events.rows:
            key = (int(row["town"]), int(row["subject"]))
            if row["kind"] == Event.AFFORDANCE_START:
                assert key not in running
                running[key] = int(row["object"])
            elif row["kind"] in (Event.AFFORDANCE_FINISH, Event.AFFORDANCE_FAIL):
                assert running.pop(key) == row["object"]
            joined += row["kind"] == Event.QUEUE_JOIN
        for town, agent in np.argwhere(step.terminated):
            running.pop((int(town), int(agent)), None)
        in_use = {(int(t), int(a)) for t, a in np.argwhere(sim.agents["phase"] == USING)}
        assert set(running) == in_use
    assert joined > 50


def test_the_shower_goes_round(scenario_config: Callable, taught: Callable) -> None:
    sim = Simulation(scenario_config("one_shower"), towns=6, seed=2)
    for _ in taught(sim, 2 * 1440):
        pass
    washed = sim.agents["finished"][:, :, sim.names.affordances.index("use_shower")]
    assert (washed > 0).mean() > 0.95


def with_age_priority(config: TownConfig, weight: float) -> TownConfig:
    """The town where so much counts what one has waited in vain, and where nobody waits longer than a quarter hour."""
    rules = {"age_priority_weight": weight, "patience_ticks": 15}
    return config.model_copy(update={"queues": config.queues.model_copy(update=rules)})


@pytest.mark.parametrize("weight", [0.0, 1.0])
def test_the_strongest_claim_is_served_first(scenario_config: Callable, taught: Callable, weight: float) -> None:
    """A claim is the time waited here and, by the weight, the time waited in vain; without it, first come is served."""
    sim = Simulation(with_age_priority(scenario_config("one_shower"), weight), towns=6, seed=5)
    joined: dict[tuple[int, int], dict[int, int]] = {}
    vain: dict[tuple[int, int], float] = {}
    served = overtaken = 0
    for step in taught(sim, 2000):
        for row in step.events.rows:
            town, tick, who = int(row["town"]), int(row["tick"]), int(row["subject"])
            line = joined.setdefault((town, int(row["object"])), {})
            if row["kind"] == Event.QUEUE_JOIN:
                line[who] = tick
            elif row["kind"] == Event.QUEUE_LEAVE:
                line.pop(who)
                vain[town, who] = vain.get((town, who), 0.0) + float(row["value"])
            elif row["kind"] == Event.HANDOVER:
                heir = int(row["other"])
                claims = {i: tick - at + weight * vain.get((town, i), 0.0) for i, at in line.items()}
                assert claims[heir] == max(claims.values())
                overtaken += line[heir] > min(line.values())
                served, vain[town, heir] = served + 1, 0.0
                line.pop(heir)
    assert served > 10
    assert (overtaken > 0) == (weight > 0)


def test_of_two_with_the_same_claim_the_less_patient_is_served_first(config: TownConfig) -> None:
    agents = Simulation(config).agents[0]
    agents["queued_at"] = 100
    agents["personality"][:3, FORGIVENESS] = (0.9, 0.1, 0.1)
    assert goes_before(agents, 1, 0, 120, 0.1, FORGIVENESS)
    assert not goes_before(agents, 0, 1, 120, 0.1, FORGIVENESS)
    assert goes_before(agents, 1, 2, 120, 0.1, FORGIVENESS)
    agents["waited_in_vain"][0] = 5
    assert goes_before(agents, 0, 1, 120, 0.1, FORGIVENESS)
    assert not goes_before(agents, 0, 1, 120, 0.0, FORGIVENESS)


def test_distances_count_steps_around_walls_and_objects(config: TownConfig) -> None:
    rules = Simulation(config).rules
    for index, fixture in enumerate(rules.fixtures):
        field = rules.distance[index].astype(int)
        assert field[fixture.y, fixture.x] == 0
        assert (field[rules.terrain == WALL] == 65535).all()
        free = (rules.terrain != WALL) & (rules.fixture_at < 0)
        y, x = np.argwhere(free)[::17].T
        ways = np.stack([field[y + dy, x + dx] for dy, dx in ((1, 0), (-1, 0), (0, 1), (0, -1))])
        through = np.stack(
            [
                (rules.fixture_at[y + dy, x + dx] < 0) | (rules.fixture_at[y + dy, x + dx] == index)
                for dy, dx in ((1, 0), (-1, 0), (0, 1), (0, -1))
            ]
        )
        assert (field[y, x] == np.where(through, ways, 65535).min(axis=0) + 1).all()


def doorway(ghost_step_after: int) -> Simulation:
    """Two in a doorway one tile wide, each in the other's way: the first wants to leave home, the second to go in."""
    rules = {"queues": {"ghost_step_after": ghost_step_after}, "clock": {"start_tick": 1200}}
    citizens = {"agent_1": {"tile": [4, 3]}, "agent_2": {"tile": [5, 3], "needs": {"energy": 0.3}}}
    return Simulation(load_config(HAMLET, {**rules, "opening": {"citizens": citizens}}), seed=1)


def press_on(sim: Simulation) -> list[int]:
    """Let a tick pass in which both go on as they want to; tells who pushed past the other."""
    relax, sleep = (sim.layout.actions.index(name) for name in ("relax", "sleep"))
    rows = sim.step(np.array([[relax, sleep]], np.int8)).events.rows
    return [int(row["subject"]) for row in rows if row["kind"] == Event.GHOST_STEP]


@pytest.mark.parametrize("after", [1, 3, 8])
def test_whoever_is_blocked_for_so_many_ticks_pushes_past_and_not_before(after: int) -> None:
    sim = doorway(after)
    stood = places(sim)
    for _ in range(after):
        assert press_on(sim) == []
        assert (places(sim) == stood).all()
    assert len(press_on(sim)) == 1
    assert (places(sim) == stood[:, ::-1]).all()
    assert sim.agents["conflicts"][0].tolist() == [1, 1], "a conflict has two sides"


def test_where_nobody_pushes_past_a_blocked_doorway_stays_blocked() -> None:
    sim = doorway(0)
    stood = places(sim)
    assert not any(press_on(sim) for _ in range(60))
    assert (places(sim) == stood).all()


def test_nobody_who_uses_something_is_pushed_aside() -> None:
    sim = doorway(3)
    press_on(sim)
    sleeper, bed = sim.agents[0, 1], int(sim.agents["target"][0, 1])
    sim.state.fixtures["user"][0, bed] = 1
    sleeper["phase"], sleeper["holds"], sleeper["duration"] = USING, 1, 400
    stood, progress = places(sim), int(sleeper["progress"])
    assert not any(press_on(sim) for _ in range(60))
    assert (places(sim) == stood).all()
    assert sleeper["phase"] == USING
    assert sleeper["progress"] == progress + 60


@pytest.mark.parametrize("traits", [False, True], ids=["alike", "patient or not"])
def test_conflicts_are_what_makes_rivals_and_joining_a_queue_is_none(
    scenario_config: Callable, at_random: Callable, traits: bool
) -> None:
    """Pushing past somebody, and leaving a queue out of impatience, count for both; waiting is counted apart."""
    config = with_age_priority(scenario_config("one_shower"), 0.1)
    sim = Simulation(config.model_copy(update={"personality": Personality(patience=traits)}), towns=6, seed=2)
    conflicts, waits = np.zeros(sim.shape, int), np.zeros(sim.shape, int)
    kinds, personality = dict.fromkeys((Event.GHOST_STEP, Event.QUEUE_LEAVE), 0), sim.agents["personality"].copy()
    for step in at_random(sim, 1440, 8):
        for row in step.events.rows:
            town, both = row["town"], [row["subject"], row["other"]]
            patience = 15 * (0.5 + personality[town, both[0], PATIENCE] if traits else 1.0)
            if row["kind"] == Event.GHOST_STEP or (row["kind"] == Event.QUEUE_LEAVE and row["value"] > patience):
                conflicts[town, both] += 1
                kinds[Event(row["kind"])] += 1
            waits[town, row["subject"]] += row["kind"] == Event.QUEUE_JOIN
        personality = sim.agents["personality"].copy()
    assert all(kinds.values())
    np.testing.assert_array_equal(sim.agents["conflicts"], conflicts)
    np.testing.assert_array_equal(sim.agents["queue_waits"], waits)
    days = sim.agents["ticks"].sum(axis=1) / 1440
    assert sim.kpis()["conflicts"] == pytest.approx(conflicts.sum(axis=1) / days)
    assert sim.kpis()["queue_waits"] == pytest.approx(waits.sum(axis=1) / days)
