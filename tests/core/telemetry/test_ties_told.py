"""Telemetry carries what everybody is like and whom everybody knows, and nothing where relationships are off."""

import pytest

from tests.core.telemetry.streams import MemorySink, default_town, settings, told
from townlet_core.config.personality import Personality
from townlet_core.config.relationships import Stages
from townlet_core.core import Simulation
from townlet_core.policy.teacher import Teacher
from townlet_core.telemetry.frames import town_state
from townlet_core.telemetry.mirror import Mirror, read_frames
from townlet_core.telemetry.privacy import Identities
from townlet_core.telemetry.sender import Sender
from townlet_core.telemetry.stream import TelemetryStream
from townlet_core.world.state import PATIENCE

BASIC = ("extroversion", "forgiveness", "ambition")
"""The traits that everybody has where relationships are on."""


def test_a_reader_knows_everybodys_ties_and_personality() -> None:
    day = told(1200, towns=2, town=1)
    mirror = Mirror()
    for frame in day.frames:
        mirror.apply(frame)
    assert mirror.state is not None
    agents = list(mirror.state["agents"].values())
    for index, agent in enumerate(agents):
        slots = [tie for tie in day.sim.state.ties[1, index] if tie["other"] >= 0]
        traits = dict(zip(BASIC, day.sim.agents["personality"][1, index].tolist(), strict=False))
        assert agent["personality"] == pytest.approx(traits, abs=1e-4)
        assert set(agent["ties"]) == {day.sim.names.agents[tie["other"]] for tie in slots}
        for tie in slots:
            told_of = agent["ties"][day.sim.names.agents[tie["other"]]]
            assert told_of == {side: round(float(tie[side]), 4) for side in ("trust", "familiarity", "rivalry")}
    assert sum(len(agent["ties"]) for agent in agents) > 8


def test_a_tie_that_is_lost_is_gone_from_the_readers_copy() -> None:
    """A tie is put into a town and taken out again; the reader sees both, though nothing else of it changed."""
    sim, config, sink = Simulation(default_town(), 1, 3), settings(), MemorySink()
    stream, teacher = TelemetryStream(sim, config, Sender(config, sink)), Teacher(sim)
    for other in (4, -1):
        sim.advance(teacher.act())
        sim.state.ties[0, 0, 0] = (0.5, 0.5, 0.5, other)
        stream.observe()
    stream.close()
    mirror = Mirror()
    states = [mirror.apply(frame) or {} for frame in read_frames(sink.data.splitlines(), "memory")]
    known = [state["agents"]["agent_1"]["ties"] for state in states]
    assert known == [{}, {"agent_5": {"trust": 0.5, "familiarity": 0.5, "rivalry": 0.5}}, {}]


def test_traits_that_are_switched_on_are_told() -> None:
    patient = default_town().model_copy(update={"personality": Personality(patience=True)})
    sim = Simulation(patient, 1, 3)
    told_of = town_state(sim, 0, Identities(None), {}, {})["agents"]["agent_2"]["personality"]
    assert tuple(told_of) == (*BASIC, "patience")
    assert told_of["patience"] == pytest.approx(float(sim.agents["personality"][0, 1, PATIENCE]), abs=1e-4)


def test_where_relationships_are_off_nobody_has_ties_or_a_personality() -> None:
    off = Stages(relationships="OFF", social_rewards="OFF")
    sim = Simulation(default_town().model_copy(update={"stages": off}), 1, 3)
    agents = town_state(sim, 0, Identities(None), {}, {})["agents"].values()
    assert all(agent["ties"] == {} and agent["personality"] == {} for agent in agents)


def test_what_is_next_to_nothing_is_plain_zero() -> None:
    sim = Simulation(default_town(), 1, 3)
    sim.state.ties[0, 0, 0] = (-1e-6, 0.123456, 0.0, 1)
    tie = town_state(sim, 0, Identities(None), {}, {})["agents"]["agent_1"]["ties"]["agent_2"]
    assert str(tie) == "{'trust': 0.0, 'familiarity': 0.1235, 'rivalry': 0.0}"
