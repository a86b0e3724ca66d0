"""People meet, talk, quarrel and remember, as far as the stage of social life allows."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from townlet_core.config import TownConfig, load_config
from townlet_core.core import Simulation
from townlet_core.observations.reference import reference_features, reference_mask
from townlet_core.world.events import Event
from townlet_core.world.state import REWARD_TERMS

DEFAULT = Path(__file__).parents[3] / "configs" / "towns" / "default.yaml"
SOCIAL = REWARD_TERMS.index("social")


def town(relationships: str = "B", social_rewards: str = "C3", **ties: object) -> TownConfig:
    """The default town at a stage of social life."""
    stages = {"relationships": relationships, "social_rewards": social_rewards}
    return load_config(DEFAULT, {"stages": stages, "relationships": ties})


QUARRELSOME = {"fade_per_tick": {"rivalry": 0.0001}, "avoid_threshold": 0.2, "chats": {"success": 0.3}}


def tie_of(sim: Simulation, b: int, i: int, j: int) -> np.ndarray | None:
    found = sim.state.ties[b, i][sim.state.ties["other"][b, i] == j]
    return found[0] if len(found) else None


def test_where_relationships_are_off_nothing_social_happens(taught: Callable) -> None:
    sim = Simulation(town("OFF", "OFF"), towns=4, seed=1)
    kinds: set[int] = set()
    for step in taught(sim, 1440):
        kinds |= set(step.events.rows["kind"].tolist())
        assert not step.observation.mask[..., sim.layout.actions.index("socialise")].any()
    assert not kinds & {Event.CHAT_SUCCESS, Event.CHAT_FAILURE, Event.TIE_FORMED, Event.SHARED_MEAL}
    assert sim.state.ties.nbytes == 0
    assert not any(sim.kpis()[name].any() for name in ("chats", "ties", "rivalry"))
    assert (sim.agents["personality"] == 0).all()


def test_friends_are_made_by_talking_and_eating_together(taught: Callable) -> None:
    sim = Simulation(town(), towns=6, seed=1)
    counts = np.zeros(len(Event), int)
    for step in taught(sim, 3 * 1440):
        counts += np.bincount(step.events.rows["kind"], minlength=len(Event))
    assert min(counts[[Event.CHAT_SUCCESS, Event.CHAT_FAILURE, Event.SHARED_MEAL, Event.HANDOVER]]) > 0
    assert counts[Event.HELPED_WHEN_LATE] > 0
    known = sim.state.ties["other"] >= 0
    assert known.sum(axis=2).mean() > 2
    assert sim.state.ties["trust"][known].mean() > 0.1


def test_the_key_figures_count_good_chats_ties_and_their_rivalry(taught: Callable) -> None:
    sim = Simulation(town(), towns=3, seed=2)
    chats = np.zeros(3)
    for step in taught(sim, 1440):
        rows = step.events.rows
        chats += np.bincount(rows["town"][rows["kind"] == Event.CHAT_SUCCESS], minlength=3)
    figures, known = sim.kpis(), sim.state.ties["other"] >= 0
    assert figures["chats"] == pytest.approx(2 * chats / sim.shape[1])
    assert figures["ties"] == pytest.approx(known.sum(axis=(1, 2)) / sim.shape[1])
    for b in range(3):
        assert figures["rivalry"][b] == pytest.approx(sim.state.ties["rivalry"][b][known[b]].mean())


def pairs_of(rows: np.ndarray) -> list[tuple[int, int, int]]:
    between = rows[(rows["other"] >= 0) & (rows["subject"] >= 0)]
    return [(int(r["town"]), *sorted((int(r["subject"]), int(r["other"])))) for r in between]


def test_a_chat_moves_both_sides_by_the_table(at_random: Callable) -> None:
    calm = {"personality_matters": False, "fade_per_tick": {"rivalry": 0.0}}
    sim = Simulation(town(**calm), towns=16, seed=5)
    seen, before = 0, sim.state.ties.copy()
    for step in at_random(sim, 1440, 1):
        rows, pairs = step.events.rows, pairs_of(step.events.rows)
        for row in rows[rows["kind"] == Event.CHAT_SUCCESS]:
            b, i, j = int(row["town"]), int(row["subject"]), int(row["other"])
            for me, you in ((i, j), (j, i)):
                old, new = before[b, me][before["other"][b, me] == you], tie_of(sim, b, me, you)
                lonely = pairs.count((b, *sorted((i, j)))) == 1
                if lonely and len(old) and new is not None and old["familiarity"][0] < 0.8 and old["trust"][0] < 0.8:
                    moved = [new[side] - old[side][0] for side in ("trust", "familiarity")]
                    np.testing.assert_allclose(moved, [0.05 * row["value"], 0.1 * row["value"]], atol=1e-6)
                    seen += 1
        before = sim.state.ties.copy()
    assert seen > 10


def test_rivalry_fades_and_is_forgotten() -> None:
    sim = Simulation(town(fade_per_tick={"rivalry": 0.01}), towns=1, seed=1)
    sim.state.ties[0, 0, 0] = (0.0, 0.0, 0.5, 3)
    rivalry = []
    for _ in range(60):
        sim.step(np.zeros(sim.shape, np.int8))
        tie = tie_of(sim, 0, 0, 3)
        rivalry.append(0.0 if tie is None else float(tie["rivalry"]))
    assert all(later <= earlier for earlier, later in pairwise(rivalry))
    assert rivalry[-1] == 0.0


def test_a_full_circle_gives_up_its_weakest_tie_for_a_stronger_one(at_random: Callable) -> None:
    sim = Simulation(town(max_ties=2), towns=4, seed=2)
    formed = lost = 0
    for step in at_random(sim, 2880, 3):
        kinds = step.events.rows["kind"]
        formed, lost = formed + (kinds == Event.TIE_FORMED).sum(), lost + (kinds == Event.TIE_LOST).sum()
    assert formed > 8 * 4
    assert formed - lost == (sim.state.ties["other"] >= 0).sum()


def test_feelings_stay_within_their_bounds_and_nobody_is_tied_to_themselves(at_random: Callable) -> None:
    sim = Simulation(town(**QUARRELSOME), towns=4, seed=3)
    numbers = np.arange(8)[None, :, None]
    for _ in at_random(sim, 2880, 4):
        ties = sim.state.ties
        assert np.abs(ties["trust"]).max() <= 1
        assert np.abs(ties["familiarity"]).max() <= 1
        assert ((ties["rivalry"] >= 0) & (ties["rivalry"] <= 1)).all()
        assert (ties["other"] != numbers).all()


def test_rivals_are_not_talked_to(at_random: Callable) -> None:
    """Unless both are called to the same meeting, so nobody is called to one here."""
    config = town(**QUARRELSOME)
    calm = config.perturbations.model_copy(update={"events": {}})
    sim = Simulation(config.model_copy(update={"perturbations": calm}), towns=6, seed=3)
    threshold, before, talks = sim.config.relationships.avoid_threshold, sim.state.ties.copy(), 0
    for step in at_random(sim, 2880, 5):
        rows = step.events.rows
        for row in rows[np.isin(rows["kind"], (Event.CHAT_SUCCESS, Event.CHAT_FAILURE))]:
            b, i, j = int(row["town"]), int(row["subject"]), int(row["other"])
            felt = before["rivalry"][b, i][before["other"][b, i] == j]
            assert (felt < threshold).all()
            talks += 1
        before = sim.state.ties.copy()
    assert talks > 50
    assert (before["rivalry"] >= threshold).any()


def test_a_rival_at_the_object_is_a_reason_to_turn_to_another(at_random: Callable) -> None:
    sim = Simulation(town(fade_per_tick={"rivalry": 0.0}), towns=16, seed=3)
    for i in range(8):
        others = [j for j in range(8) if j != i][:6]
        sim.state.ties["other"][:, i] = others
        sim.state.ties["rivalry"][:, i] = 0.9
    turned, rewards = 0, []
    for step in at_random(sim, 2880, 6):
        rows = step.events.rows
        for row in rows[rows["kind"] == Event.AVOIDANCE]:
            turned += 1
            rewards.append(float(sim.reward_terms[row["town"], row["subject"], SOCIAL]))
    assert turned > 0
    assert max(rewards) > 0


@pytest.mark.parametrize(("stage", "paid"), [("OFF", False), ("C1", True)])
def test_chats_are_rewarded_from_stage_c1_on(taught: Callable, stage: str, paid: bool) -> None:
    sim = Simulation(town(social_rewards=stage), towns=4, seed=1)
    earned = 0.0
    for step in taught(sim, 1440):
        np.testing.assert_allclose(sim.reward_terms.sum(axis=-1), step.reward, atol=1e-6)
        earned += float(np.abs(sim.reward_terms[..., SOCIAL]).sum())
    assert (earned > 0) == paid


def test_the_oracle_sees_the_same_company(at_random: Callable) -> None:
    sim = Simulation(town(**QUARRELSOME), towns=2, seed=3)
    for count, step in enumerate(at_random(sim, 1440, 2)):
        if count % 29:
            continue
        for b, i in np.ndindex(sim.shape):
            expected = reference_features(sim.state, sim.rules, sim.layout, b, i)
            np.testing.assert_allclose(step.observation.features[b, i], expected, atol=3e-6)
            np.testing.assert_array_equal(step.observation.mask[b, i], reference_mask(sim.state, sim.rules, b, i))
    assert (sim.state.ties["other"] >= 0).any()


def test_who_is_gone_is_forgotten(at_random: Callable) -> None:
    sim = Simulation(load_config(DEFAULT, {"lifecycle": {"arrivals": {"enabled": False}}}), towns=4, seed=1)
    sim.agents["needs"][:, 0, 0] = 0.08
    for _ in at_random(sim, 600, 1):
        gone = np.argwhere(sim.agents["alive"] == 0)
        for b, i in gone:
            assert (sim.state.ties["other"][b] != i).all()
            assert (sim.state.ties["other"][b, i] == -1).all()
    assert len(gone) > 0


def test_social_life_is_the_same_alone_and_in_a_batch(taught: Callable) -> None:
    many, alone = Simulation(town(), towns=16, seed=3, threads=2), Simulation(town(), towns=1, seed=3, first_town=9)
    for left, right in zip(taught(many, 1440), taught(alone, 1440), strict=True):
        np.testing.assert_array_equal(left.reward[9], right.reward[0])
    assert many.state.ties[9].tobytes() == alone.state.ties[0].tobytes()
