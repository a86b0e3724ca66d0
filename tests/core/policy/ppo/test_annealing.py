"""Annealing: who drives, what a cycle decides, and that a spoilt policy is stopped and taken back."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.core.policy.logbook.conftest import update as record_of
from tests.core.policy.ppo.small_training import small_profile, small_town
from townlet_core.config import AnnealRules, Ramp, TrainingProfile
from townlet_core.config.training_modes import KpiScale
from townlet_core.core.identity import read_identity
from townlet_core.core.statefile import read_statefile
from townlet_core.observations.layout import layout_of
from townlet_core.policy.checkpoint import read_checkpoint
from townlet_core.policy.network import NetworkSize, network_from, network_tensors, seeded_network
from townlet_core.policy.ppo.annealing import AnnealState, drifts, judge, ratio_at, told
from townlet_core.policy.ppo.choosing import Validator
from townlet_core.policy.ppo.collecting import Collector
from townlet_core.policy.ppo.drivers import Drivers
from townlet_core.policy.ppo.starting import Improved, Start
from townlet_core.policy.ppo.towns import TrainingTowns
from townlet_core.policy.ppo.training import improve
from townlet_core.policy.ppo.updating import Learner, Pace
from townlet_core.policy.training_figures import Annealing, CloneScore
from townlet_core.policy.training_log import UpdateRecord

RULES = AnnealRules(start=0.8, steps=3, kpis={"return": KpiScale(), "survival": KpiScale()})
TEACHER = {"return": -2.0, "survival": 1.0}


def test_the_share_falls_evenly_from_the_first_step_to_none() -> None:
    assert [ratio_at(AnnealRules(start=0.8, steps=5), step) for step in range(6)] == pytest.approx(
        [0.8, 0.6, 0.4, 0.2, 0.0, 0.0]
    )


@pytest.mark.parametrize(
    ("found", "held"),
    [
        ({"return": -2.0, "survival": 0.7}, True),
        ({"return": -2.0, "survival": 0.69}, False),
        ({"return": -2.6, "survival": 1.0}, True),
        ({"return": -2.61, "survival": 1.0}, False),
        ({"return": float("nan"), "survival": 1.0}, False),
    ],
)
def test_a_cycle_holds_unless_a_figure_drops_by_more_than_the_bound(found: dict[str, float], held: bool) -> None:
    judgement = judge(AnnealState(), 4, found, TEACHER, RULES)
    assert (judgement.decision, judgement.state.step) == (("advance", 1) if held else ("freeze", 0))
    assert judgement.kpis["return"].bound == pytest.approx(-2.6)
    assert judgement.kpis["survival"].bound == pytest.approx(0.7)


@pytest.mark.parametrize("teacher", [-2.0, 0.0, 0.1])
def test_a_return_may_drop_by_a_share_of_a_scale_of_its_own(teacher: float) -> None:
    rules = AnnealRules(kpis={"return": KpiScale(of=3.0)})
    found = judge(AnnealState(), 4, {"return": teacher - 0.8}, {"return": teacher}, rules)
    assert (found.decision, found.kpis["return"].bound) == ("advance", pytest.approx(teacher - 0.9))
    assert judge(AnnealState(), 4, {"return": teacher - 1.0}, {"return": teacher}, rules).decision == "freeze"


def test_a_frozen_share_falls_again_after_a_good_cycle_and_stays_at_none() -> None:
    good, bad = {"return": 0.0, "survival": 1.0}, {"return": 0.0, "survival": 0.0}
    state, decisions = AnnealState(), []
    for update, found in enumerate([good, bad, bad, good, good], 1):
        judgement = judge(state, update, found, TEACHER, RULES)
        state = judgement.state
        decisions.append((judgement.decision, state.step, state.good_update))
    assert decisions == [("advance", 1, 1), ("freeze", 1, 1), ("freeze", 1, 1), ("recover", 2, 4), ("stay", 2, 5)]


def test_the_first_cycle_can_be_the_baseline() -> None:
    rules = RULES.model_copy(update={"baseline": "first_cycle"})
    first = judge(AnnealState(), 2, {"return": -9.0, "survival": 0.5}, TEACHER, rules)
    assert (first.decision, first.state.baseline) == ("advance", {"return": -9.0, "survival": 0.5})
    assert judge(first.state, 4, {"return": -9.0, "survival": 0.34}, TEACHER, rules).decision == "freeze"


def drivers_of(towns: int, ratio: float, ticks: int = 0) -> tuple[TrainingTowns, Drivers]:
    batch = TrainingTowns({"evening": small_town()}, towns, {"evening": 5})
    drivers = Drivers(batch, ratio, noted=False)
    for _ in range(ticks):
        tick = batch.step(drivers.choices())
        if tick.ended.size:
            drivers.renew(tick.ended)
    return batch, drivers


def test_whom_the_teacher_drives_depends_on_the_town_and_its_episode_alone() -> None:
    alone, many = (drivers_of(towns, 0.5)[1].scripted.reshape(towns, -1) for towns in (1, 6))
    np.testing.assert_array_equal(alone[0], many[0])
    assert len({row.tobytes() for row in many}) > 1
    day = small_town().clock.ticks_per_day
    later, first = (drivers_of(2, 0.5, ticks)[1].scripted for ticks in (day, 0))
    np.testing.assert_array_equal(later, drivers_of(2, 0.5, day)[1].scripted)
    assert (later != first).any()


def test_so_many_are_driven_as_the_share_says_and_fewer_are_a_part_of_more() -> None:
    many, few = (drivers_of(60, ratio)[1].scripted for ratio in (0.8, 0.2))
    assert many.mean() == pytest.approx(0.8, abs=0.05)
    assert few.mean() == pytest.approx(0.2, abs=0.05)
    assert many[few].all()
    assert not drivers_of(3, 0.0)[1].scripted.any()


def test_only_decisions_that_the_policy_took_are_learnt_from() -> None:
    towns, drivers = drivers_of(2, 0.6)
    drivers.noted = True
    collector = Collector(towns, network_from(sensible().tensors), 0.99, np.random.default_rng(1), drivers)
    scripted = drivers.scripted.copy()
    rollout = collector.collect(400)
    assert rollout.experience.size > 0
    assert not scripted[rollout.experience.decided.row].any()
    assert rollout.scripted == rollout.shown.size > 0
    assert rollout.shown.mask[np.arange(rollout.shown.size), rollout.shown.action].all()


def sensible() -> Start:
    """A policy made by hand: it eats, washes and sleeps when in need, and works; its figures are worth keeping."""
    layout = layout_of(small_town())
    size = NetworkSize(layout.cells, len(layout.features), len(layout.actions), hidden=16, map_hidden=4)
    tensors = {name: np.zeros_like(tensor) for name, tensor in network_tensors(seeded_network(size, 1)).items()}
    tensors["feature_scale"][...], tensors["value_scale"][1] = 1.0, 1.0
    names, actions = [feature.name for feature in layout.features], list(layout.actions)
    wants = {"hunger": ("eat_home", "eat_out", "cook", "shop"), "energy": ("sleep",), "hygiene": ("wash",)}
    for unit, (need, answers) in enumerate(wants.items()):
        tensors["features.weight"][unit, next(k for k, name in enumerate(names) if need in name)] = -1.0
        tensors["features.bias"][unit] = 0.6
        tensors["trunk.weight"][unit, size.map_hidden + unit] = 1.0
        for rank, action in enumerate(answers):
            tensors["policy.weight"][actions.index(action), unit] = 10.0 - rank
    tensors["policy.bias"][actions.index("work")] = 1.0
    tensors["policy.bias"][actions.index("idle")] = 0.5
    return Start(tensors, layout, {"method": "by hand"})


def annealed(folder: Path, monkeypatch: pytest.MonkeyPatch, spoil_at: tuple[int, ...] = ()) -> Improved:
    """Three cycles of two updates that hardly learn; behind the updates named, the policy wants nothing but idling."""
    honest = Learner.update

    def spoilt(self: Learner, experience: Any, pace: Pace, tutor: Any = None) -> Any:
        figures = honest(self, experience, pace, tutor)
        if pace.update in spoil_at:
            self.network.policy.bias.data[0] += 100.0
        return figures

    monkeypatch.setattr(Learner, "update", spoilt)
    return improve(sensible(), {"evening": small_town()}, gentle(), folder)


def gentle() -> TrainingProfile:
    """Annealing over three cycles, with steps so small that nothing is learnt."""
    rules = {"updates": 8, "ticks": 300, "learning_rate": Ramp(start=1e-7, end=1e-7), "critic_warmup": 0, "keep": 9}
    anneal = AnnealRules(steps=3, baseline="first_cycle")
    return small_profile("anneal", **rules).model_copy(update={"anneal": anneal})


def decided(records: list[UpdateRecord]) -> list[tuple[int, str | None, float, int | None]]:
    standings = [(record.epoch, record.annealing) for record in records]
    return [
        (epoch, one.decision, round(one.ratio, 2), one.rolled_back_to)
        for epoch, one in standings
        if one and one.decision
    ]


def test_an_untroubled_annealing_ends_without_the_teacher(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = annealed(tmp_path, monkeypatch)
    assert decided(found.records) == [
        (2, "advance", 0.8, None),
        (4, "advance", 0.4, None),
        (6, "stay", 0.0, None),
        (8, "stay", 0.0, None),
    ]
    assert found.records[0].rows.scripted > found.records[0].rows.lived
    assert all(record.rows.imitated == 0 for record in found.records)


def test_a_spoilt_policy_freezes_the_share_and_is_taken_back_until_it_recovers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = annealed(tmp_path, monkeypatch, spoil_at=(4,))
    assert decided(found.records) == [
        (2, "advance", 0.8, None),
        (4, "freeze", 0.4, 2),
        (6, "recover", 0.4, None),
        (8, "stay", 0.0, None),
    ]
    frozen = found.records[3].annealing
    assert frozen is not None
    assert frozen.next_ratio == pytest.approx(0.4)
    broken = {kpi: verdict for kpi, verdict in frozen.kpis.items() if not verdict.held}
    assert "survival" in broken
    assert all(verdict.found is not None and verdict.found < verdict.bound for verdict in broken.values())
    good, back = (read_checkpoint(tmp_path / "checkpoints" / name).tensors for name in ("000002", "000004"))
    assert all((good[name] == back[name]).all() for name in good)


def test_what_a_frozen_cycle_took_back_never_ships(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The spoilt first cycle has the best return of all and breaks one key figure."""
    good = {"return": 1.0, "survival": 1.0, "attendance": 1.0, "needs_ok_share": 0.9}
    spoilt = {**good, "return": 9.0, "needs_ok_share": 0.1}
    lives = iter([good, good, spoilt, {**good, "return": 2.0}, good, good])  # teacher, clone, then cycle by cycle
    monkeypatch.setattr(Validator, "_live", lambda *_: {"evening": next(lives)})
    profile = gentle().model_copy(update={"anneal": AnnealRules(steps=3)})
    found = improve(sensible(), {"evening": small_town()}, profile, tmp_path)
    assert decided(found.records)[:2] == [(2, "freeze", 0.8, 0), (4, "recover", 0.8, None)]
    assert found.update == 4


def test_while_frozen_nothing_ships_before_a_cycle_is_good_again() -> None:
    standing = Annealing(step=1, ratio=0.4, frozen=True)
    assert not standing.trusted
    assert standing.model_copy(update={"decision": "recover"}).trusted
    assert not Annealing(step=1, ratio=0.4, frozen=False, decision="freeze").trusted
    assert Annealing(step=1, ratio=0.4, frozen=False).trusted


def test_a_cycle_is_logged_beside_the_first_one_with_flags(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    records = annealed(tmp_path, monkeypatch).records
    first, later = ([record for record in records if record.cycle == cycle] for cycle in (0, 2))
    closing = later[-1].annealing
    assert closing is not None
    assert first[-1].annealing is not None
    assert first[-1].annealing.drift == {}
    assert set(closing.drift) == {"loss", "queue_events", "queue_intensity"}
    loss, jams = closing.drift["loss"], closing.drift["queue_events"]
    assert loss.baseline == pytest.approx(sum(record.loss_total for record in first) / 2)
    assert loss.found == pytest.approx(sum(record.loss_total for record in later) / 2)
    assert loss.flag is (abs(loss.found - loss.baseline) > 0.1 * abs(loss.baseline))
    assert jams.flag is (jams.found < 0.85 * jams.baseline)


def test_the_first_cycle_is_the_baseline_without_updates_that_taught_the_critic_alone() -> None:
    records = [
        record_of(1, cycle=0, critic_only=True, loss_total=9.0),
        record_of(2, cycle=0, loss_total=1.0, queue_conflict_events=100),
        record_of(3, cycle=1, loss_total=1.09, queue_conflict_events=84),
    ]
    found = drifts(records)
    assert (found["loss"].baseline, found["loss"].flag) == (1.0, False)
    assert (found["queue_events"].baseline, found["queue_events"].flag) == (100.0, True)
    assert drifts(records[:2]) == {}


def test_the_log_says_how_good_the_clone_was_that_annealing_began_with() -> None:
    for accuracy, passed in ((0.9, True), (0.89, False)):
        found = told(AnnealRules(), AnnealState(), None, CloneScore("d" * 64, accuracy))
        assert (found.clone_accuracy, found.clone_threshold, found.clone_passed) == (accuracy, 0.9, passed)
    unknown = told(AnnealRules(), AnnealState(), None)
    assert (unknown.dataset, unknown.clone_accuracy, unknown.clone_passed) == (None, None, None)


def test_a_town_saved_while_annealing_says_who_drove_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    annealed(tmp_path, monkeypatch)
    for update, ratio in (("000002", 0.8), ("000004", 0.4), ("000008", 0.0)):
        folder = tmp_path / "checkpoints" / update
        identity = read_identity(read_statefile(folder / "town-evening.safetensors").header, "town")
        assert identity.anneal_ratio == pytest.approx(ratio)
        assert identity.policy_digest == read_checkpoint(folder).digest
        assert identity.config["stages"]["social_rewards"] == ("C1" if update == "000002" else "C3")
