"""What moves a tie and by how much: the table, how personality bends it, and the formulas of talk and of queues."""

import numpy as np
import pytest

from tests.core.engine.test_company import tie_of, town
from townlet_core.agents.company import chat_chance, chat_quality
from townlet_core.agents.ties import bend, change_tie, effect_of, update_ties
from townlet_core.config import TownConfig
from townlet_core.core import Simulation
from townlet_core.world.events import Event
from townlet_core.world.state import WAITING, Town

QUALITY, CONFLICT = 0.5, 0.15
TABLE = [
    (Event.CHAT_SUCCESS, (0.025, 0.05, 0.0)),
    (Event.CHAT_FAILURE, (0.0, -0.05, 0.05)),
    (Event.HANDOVER, (0.05, 0.05, -0.05)),
    (Event.SHARED_MEAL, (0.10, 0.25, 0.0)),
    (Event.HELPED_WHEN_LATE, (0.20, 0.10, -0.10)),
    (Event.TOOK_SHIFT, (-0.10, 0.0, 0.30)),
    (Event.GHOST_STEP, (0.0, 0.0, CONFLICT)),
    (Event.QUEUE_LEAVE, (0.0, 0.0, CONFLICT)),
    (Event.QUEUE_JOIN, (0.0, 0.0, 0.0)),
    (Event.AFFORDANCE_FINISH, (0.0, 0.0, 0.0)),
]


@pytest.mark.parametrize(("kind", "effect"), TABLE)
def test_what_an_event_does_to_a_tie(kind: Event, effect: tuple[float, float, float]) -> None:
    assert effect_of(int(kind), QUALITY, CONFLICT) == pytest.approx(effect)


BENT = [
    ("forgiveness", Event.CHAT_FAILURE, (-0.2, -0.4, 0.1), (-0.1, -0.2, 0.1)),
    ("forgiveness", Event.HANDOVER, (0.2, 0.4, -0.1), (0.2, 0.4, -0.1)),
    ("extroversion", Event.CHAT_SUCCESS, (0.2, 0.4, 0.0), (0.2, 0.42, 0.0)),
    ("extroversion", Event.SHARED_MEAL, (0.2, 0.4, 0.0), (0.2, 0.4, 0.0)),
    ("ambition", Event.GHOST_STEP, (0.0, 0.0, 0.1), (0.0, 0.0, 0.13)),
    ("ambition", Event.QUEUE_LEAVE, (0.0, 0.0, 0.1), (0.0, 0.0, 0.13)),
    ("ambition", Event.TOOK_SHIFT, (0.0, 0.0, 0.1), (0.0, 0.0, 0.1)),
]
TRAITS = ("extroversion", "forgiveness", "ambition")


@pytest.mark.parametrize(("trait", "kind", "effect", "bent"), BENT)
def test_how_a_whole_trait_bends_an_effect(
    config: TownConfig, trait: str, kind: Event, effect: tuple[float, ...], bent: tuple[float, ...]
) -> None:
    agent = Simulation(config).agents[0, 0]
    agent["personality"] = 0.0
    assert bend(agent, int(kind), *effect) == pytest.approx(effect)
    agent["personality"][TRAITS.index(trait)] = 1.0
    assert bend(agent, int(kind), *effect) == pytest.approx(bent)


def alone(sim: Simulation) -> Town:
    """The first town, as kernels see it."""
    return Town(*(array[0] for array in sim.state))


def test_how_well_a_talk_goes() -> None:
    sim = Simulation(town(chats={"success": 0.5}), towns=1, seed=1)
    sim.agents["personality"][0, 0, 0] = 0.5
    sim.agents["clothes"][0] = 1.0
    assert chat_quality(alone(sim), 0, 1) == pytest.approx(0.65)
    assert chat_chance(alone(sim), sim.rules, 0, 1) == pytest.approx(0.5)
    sim.state.ties[0, 0, 0] = (0.5, 0.4, 0.2, 1)
    assert chat_quality(alone(sim), 0, 1) == pytest.approx(0.65 + 0.1 + 0.04 - 0.04)
    assert chat_chance(alone(sim), sim.rules, 0, 1) == pytest.approx(0.5 * 1.15 * 1.08)
    sim.agents["clothes"][0, 0] = 0.0
    worn = sim.config.economy.clothes.chat_factor
    assert chat_chance(alone(sim), sim.rules, 0, 1) == pytest.approx(0.5 * worn * 1.15 * 1.08)
    sim.state.ties[0, 0, 0] = (-1.0, -1.0, 1.0, 1)
    assert chat_quality(alone(sim), 0, 1) == pytest.approx(0.15)


@pytest.mark.parametrize(("success", "feeling", "chance"), [(0.95, 1.0, 0.98), (0.06, -1.0, 0.05)])
def test_no_talk_is_sure_to_go_well_or_badly(success: float, feeling: float, chance: float) -> None:
    sim = Simulation(town(chats={"success": success}), towns=1, seed=1)
    sim.agents["clothes"][0] = 1.0
    sim.state.ties[0, 0, 0] = (feeling, feeling, 0.0, 1)
    assert chat_chance(alone(sim), sim.rules, 0, 1) == pytest.approx(chance)


def test_a_weak_tie_never_takes_the_place_of_a_stronger_one() -> None:
    sim = Simulation(town(max_ties=2, personality_matters=False), towns=1, seed=1)
    sim.state.ties[0, 0, :] = [(0.3, 0.3, 0.0, 1), (0.1, 0.0, 0.1, 2)]
    change_tie(alone(sim), sim.rules, 0, 3, int(Event.CHAT_SUCCESS), (0.1, 0.05, 0.0))
    assert sorted(sim.state.ties["other"][0, 0].tolist()) == [1, 2]
    change_tie(alone(sim), sim.rules, 0, 3, int(Event.CHAT_SUCCESS), (0.1, 0.15, 0.0))
    assert sorted(sim.state.ties["other"][0, 0].tolist()) == [1, 3]


def told(sim: Simulation, *rows: tuple[Event, int, int, int, float]) -> None:
    """Put events (kind, subject, object, other, value) into the log of the first town and let ties follow from them."""
    for number, row in enumerate(rows):
        event = sim.state.log[0, number]
        event["kind"], event["subject"], event["object"], event["other"], event["value"] = row
    sim.state.towns["event_count"][0] = len(rows)
    update_ties(alone(sim), sim.rules)


CALM = {"personality_matters": False, "fade_per_tick": {"rivalry": 0.0}}


@pytest.mark.parametrize(
    ("before", "trusts"),
    [(Event.AFFORDANCE_FINISH, True), (Event.AFFORDANCE_FAIL, False), (Event.AFFORDANCE_PRECONDITION_FAIL, False)],
)
def test_only_who_has_finished_makes_a_friend_by_handing_over(before: Event, trusts: bool) -> None:
    sim = Simulation(town(**CALM), towns=1, seed=1)
    told(sim, (before, 0, 5, 3, 1.0), (Event.HANDOVER, 0, 5, 1, 4.0))
    tie = tie_of(sim, 0, 0, 1)
    assert (tie is not None) == trusts
    assert tie is None or (float(tie["trust"]), float(tie["familiarity"])) == pytest.approx((0.05, 0.05))


@pytest.mark.parametrize(("waited", "rivalry"), [(90, 0.0), (91, 0.15)])
def test_leaving_a_queue_is_a_conflict_only_in_impatience(waited: int, rivalry: float) -> None:
    sim = Simulation(town(**CALM), towns=1, seed=1)
    told(sim, (Event.QUEUE_LEAVE, 0, 5, 1, float(waited)))
    tie = tie_of(sim, 0, 0, 1)
    assert (0.0 if tie is None else float(tie["rivalry"])) == pytest.approx(rivalry)


@pytest.mark.parametrize(
    ("kind", "rivalry"),
    [(Event.GHOST_STEP, 0.1 * 1.5), (Event.QUEUE_LEAVE, 0.1 * (1 + 0.25 * 3))],
)
def test_a_conflict_is_as_intense_as_configured(kind: Event, rivalry: float) -> None:
    conflict = {"increment": 0.1, "ghost_boost": 1.5, "queue_boost": 0.25}
    sim = Simulation(town(**CALM, conflict=conflict), towns=1, seed=1)
    sim.state.fixtures["waiting"][0, 5] = 3
    told(sim, (kind, 0, -1 if kind == Event.GHOST_STEP else 5, 1, 100.0))
    for one, other in ((0, 1), (1, 0)):
        tie = tie_of(sim, 0, one, other)
        assert tie is not None
        assert float(tie["rivalry"]) == pytest.approx(rivalry)


def test_who_waits_longer_than_its_patience_gives_up() -> None:
    sim = Simulation(town(), towns=1, seed=1)
    wash = sim.layout.actions.index("wash")
    showers = [k for k, name in enumerate(sim.names.fixtures) if name.startswith("shower")]
    sim.agents["needs"][0, :, 1] = 0.1
    waits: list[float] = []
    patience = sim.config.queues.patience_ticks
    for _ in range(400):
        sim.agents["duration"][0][np.isin(sim.agents["target"][0], showers) & (sim.agents["phase"][0] == 3)] = 1000
        rows = sim.step(np.full(sim.shape, wash, np.int8)).events.rows
        waits += rows["value"][rows["kind"] == Event.QUEUE_LEAVE].tolist()
        waiting = sim.agents["phase"][0] == WAITING
        assert (sim.tick - sim.agents["queued_at"][0][waiting] <= patience + 1).all()
    assert patience + 1 in waits
