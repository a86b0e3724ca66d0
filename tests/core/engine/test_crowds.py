"""In a crowd, too, everybody chooses whom and what they would have chosen by asking everybody and looking at all."""

import numpy as np
import pytest

from tests.benchmarks.crowd_towns import crowd_town
from townlet_core.config.options import OPTION_NAMES
from townlet_core.core import Simulation
from townlet_core.observations.reference import reference_features, reference_mask
from townlet_core.policy.teacher import Teacher
from townlet_core.world.events import Event
from townlet_core.world.grid import PUBLIC
from townlet_core.world.state import NOBODY, USING, WAITING

CITIZENS = 64


@pytest.fixture(scope="module")
def crowd() -> Simulation:
    """A town of 64 at noon."""
    sim = Simulation(crowd_town(CITIZENS), towns=1, seed=4)
    teacher = Teacher(sim)
    for _ in range(360):
        sim.step(teacher.act())
    return sim


def chain(sim: Simulation, first: int, link: str) -> list[int]:
    found = []
    while first != NOBODY:
        found.append(first)
        first = int(sim.agents[link][0, first])
    return found


def test_a_crowd_sees_and_may_do_what_the_oracle_says(crowd: Simulation) -> None:
    choices = [k for k, spec in enumerate(crowd.layout.features) if spec.name.endswith(("_possible", "_cost"))]
    looked = 0
    teacher = Teacher(crowd)
    for _ in range(6):
        for _ in range(37):
            crowd.step(teacher.act())
        for agent in range(0, CITIZENS, 5):
            expected = reference_features(crowd.state, crowd.rules, crowd.layout, 0, agent)
            np.testing.assert_allclose(crowd.observation.features[0, agent], expected, atol=1e-5)
            assert (crowd.observation.mask[0, agent] == reference_mask(crowd.state, crowd.rules, 0, agent)).all()
            looked += int(expected[choices].sum() > 0)
    assert looked > 30
    assert (crowd.rules.affordances["near"] > 0).any()


def test_everybody_stands_in_the_chain_of_their_own_block(crowd: Simulation) -> None:
    blocks = crowd.state.blocks[0]
    found = {(y, x): chain(crowd, int(blocks[y, x]), "next_near") for y, x in np.argwhere(blocks != NOBODY)}
    assert sorted(i for members in found.values() for i in members) == list(range(CITIZENS))
    for block, members in found.items():
        for i in members:
            assert (crowd.agents["y"][0, i] // 8, crowd.agents["x"][0, i] // 8) == block


def test_whoever_waits_stands_in_the_chain_of_the_object() -> None:
    sim = Simulation(crowd_town(32), towns=1, seed=1)
    out = OPTION_NAMES.index("wash")
    most = 0
    for _ in range(120):
        sim.step(np.full(sim.shape, out, np.int8))
        for f, fixture in enumerate(sim.state.fixtures[0]):
            line = chain(sim, int(fixture["first_waiting"]), "next_waiting")
            waiting = np.flatnonzero((sim.agents["phase"][0] == WAITING) & (sim.agents["target"][0] == f))
            assert sorted(line) == waiting.tolist()
            most = max(most, len(line))
    assert most > 0


def test_a_meal_is_shared_with_everybody_who_eats_near() -> None:
    sim = Simulation(crowd_town(64), towns=1, seed=6)
    teacher, hunger = Teacher(sim), sim.rules.affordances["effects"][:, 0]
    shared = 0
    for _ in range(720):
        rows = sim.step(teacher.act()).events.rows
        eating = (sim.agents["phase"][0] == USING) & (hunger[sim.agents["affordance"][0]] > 0)
        for start in rows[rows["kind"] == Event.AFFORDANCE_START]:
            i = int(start["subject"])
            if not eating[i]:
                continue
            me = sim.agents[0, i]
            apart = np.maximum(abs(sim.agents["y"][0] - me.y), abs(sim.agents["x"][0] - me.x))
            near = set(np.flatnonzero(eating & (apart <= 3)).tolist()) - {i}
            told = rows[(rows["kind"] == Event.SHARED_MEAL) & (rows["subject"] == i)]["other"].tolist()
            assert set(told) == near
            shared += len(near)
    assert shared > 5


def test_public_objects_are_listed_from_near_to_far(crowd: Simulation) -> None:
    rules = crowd.rules
    width = rules.terrain.shape[1]
    for use in rules.affordances[rules.affordances["near"] > 0]:
        public = np.flatnonzero((rules.fixtures["type"] == use.type) & (rules.fixtures["home"] == PUBLIC))
        assert rules.lists[use.public : use.public + use.publics].tolist() == public.tolist()
        for y, x in ((5, 5), (30, 40), (14, 20)):
            nearest = sorted(public, key=lambda f: (int(rules.distance[f, y, x]), f))[: use.near]
            first = use.nearest + (y * width + x) * use.near
            assert rules.lists[first : first + use.near].tolist() == nearest
