"""Each way to learn: it uses the rows that its name says, is resumed to the bit, and takes no setting of another."""

import hashlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.core.policy.ppo.small_training import (
    TOWN,
    small_profile,
    small_start,
    small_stored,
    small_town,
    small_training,
)
from townlet_core.config import StageFrom, TownConfig, load_config, load_training
from townlet_core.core import Simulation
from townlet_core.errors import ConfigError, InputError
from townlet_core.policy.ppo.saving import FILES
from townlet_core.policy.ppo.training import improve
from townlet_core.policy.training_log import LOG_FILE, UpdateRecord, read_log
from townlet_core.world.state import REWARD_TERMS

ROOT = Path(__file__).parents[4]
PROGRAM = Path(__file__).with_name("small_training.py")


class Broken(Exception):
    """Whoever trains is called away."""


def files_of(folder: Path) -> dict[str, str]:
    checkpoint = folder / "checkpoints" / "000006"
    return {name: hashlib.sha256((checkpoint / name).read_bytes()).hexdigest() for name in FILES}


def broken_off(folder: Path, mode: str, after: int) -> None:
    def leave(record: UpdateRecord) -> None:
        if record.epoch == after:
            raise Broken

    scenarios = {} if mode == "replay" else {"evening": small_town()}
    with pytest.raises(Broken):
        improve(small_start(), scenarios, small_profile(mode), folder, stored=small_stored(), progress=leave)


@pytest.mark.parametrize("mode", ["mixed", "replay"])
def test_a_training_that_is_broken_off_goes_on_to_the_same_bytes(mode: str, tmp_path: Path) -> None:
    whole = small_training(tmp_path / "whole", mode=mode)
    broken_off(tmp_path / "broken", mode, after=5)
    again = small_training(tmp_path / "broken", mode=mode, resume=True)
    assert files_of(tmp_path / "broken") == files_of(tmp_path / "whole")
    assert [record.lasting() for record in again.records] == [record.lasting() for record in whole.records]


def test_a_killed_annealing_goes_on_to_the_same_bytes(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    wanted = json.dumps({"kill_after": 5, "mode": "anneal"})
    killed = subprocess.run(
        [sys.executable, str(PROGRAM), str(tmp_path / "killed"), wanted], cwd=ROOT, env=environment, check=False
    )
    assert killed.returncode == -signal.SIGKILL
    small_training(tmp_path / "killed", mode="anneal", resume=True)
    small_training(tmp_path / "whole", mode="anneal")
    assert files_of(tmp_path / "killed") == files_of(tmp_path / "whole")
    logs = [[record.lasting() for record in read_log(tmp_path / name / LOG_FILE)] for name in ("killed", "whole")]
    assert logs[0] == logs[1]


def test_the_log_tells_what_each_mode_learnt_from(tmp_path: Path) -> None:
    used = {}
    for mode in ("rollout", "mixed", "anneal"):
        records = small_training(tmp_path / mode, mode=mode, recurrent=0).records
        assert {record.data_mode for record in records} == {mode}
        assert all(record.rows.lived == record.transitions for record in records)
        used[mode] = [sum(getattr(record.rows, kind) for record in records) for kind in ("stored", "scripted")]
        # While the critic learns alone, nobody else teaches.
        assert records[0].loss_imitation is None
    assert used["rollout"] == [0, 0]
    assert used["mixed"][0] > 0 == used["mixed"][1]
    assert used["anneal"][1] > 0 == used["anneal"][0]


SECTIONS = {
    "ppo": "ppo: {updates: 50, validation_towns: 2}",
    "replay": "replay: {}",
    "mix": "mix: {share: 0.25}",
    "anneal": "anneal: {}",
}


@pytest.mark.parametrize(
    ("mode", "sections", "told"),
    [
        ("bc", ["ppo"], "needs no section `ppo`, which mode `bc` does not read; it belongs to mode `rollout` or"),
        ("rollout", [], "needs a section `ppo`, which mode `rollout` learns by"),
        ("rollout", ["ppo", "mix"], "needs no section `mix`, .*; it belongs to mode `mixed`"),
        ("replay", ["replay", "ppo"], "needs no section `ppo`, which mode `replay` does not read"),
        ("mixed", ["ppo"], "needs a section `mix`, which mode `mixed` learns by"),
        ("anneal", ["ppo"], "needs a section `anneal`"),
        ("dream", [], "unknown name 'dream'; expected one of anneal, bc, mixed, replay, rollout"),
    ],
)
def test_a_section_that_the_mode_does_not_read_or_misses_is_told_in_one_line(
    mode: str, sections: list[str], told: str, tmp_path: Path
) -> None:
    path = tmp_path / "odd.yaml"
    path.write_text("\n".join(["profile: odd", f"mode: {mode}", *(SECTIONS[name] for name in sections)]))
    with pytest.raises(ConfigError, match=told) as refused:
        load_training(path)
    assert str(refused.value).startswith(f"{path}:")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("ppo", "told"),
    [
        ("{updates: 49, cycle: 10, validation_towns: 2}", "`ppo.updates` of at least 50: 5 steps of 10 updates each"),
        ("{updates: 50}", "`ppo.validation_towns` of at least 1"),
        (
            "{updates: 50, validation_towns: 1, social_stages: [{cycle: 2, stage: C1}, {cycle: 1, stage: OFF}]}",
            "`social_stages` in rising order",
        ),
    ],
)
def test_an_annealing_that_could_not_end_is_refused(ppo: str, told: str, tmp_path: Path) -> None:
    path = tmp_path / "odd.yaml"
    path.write_text(f"profile: odd\nmode: anneal\nppo: {ppo}\nanneal: {{}}\n")
    with pytest.raises(ConfigError, match=told):
        load_training(path)


@pytest.mark.parametrize("name", ["clone", "quick", "full", "replay", "mixed", "anneal"])
def test_the_shipped_profiles_name_a_mode_and_themselves(name: str) -> None:
    profile = load_training(ROOT / "configs/training" / f"{name}.yaml")
    modes = {"clone": "bc", "quick": "rollout", "full": "rollout"}
    assert (profile.profile, profile.mode) == (name, modes.get(name, name))


def test_the_stage_of_social_rewards_follows_its_schedule(tmp_path: Path) -> None:
    stages = (StageFrom(cycle=0, stage="OFF"), StageFrom(cycle=2, stage="C3"))
    profile = small_profile(cycle=2, social_stages=stages)
    records = improve(small_start(0), {"evening": small_town()}, profile, tmp_path).records
    assert [(record.cycle, record.social_stage) for record in records] == [
        (0, "OFF"), (0, "OFF"), (1, "OFF"), (1, "OFF"), (2, "C3"), (2, "C3")
    ]  # fmt: skip


def upset_town() -> TownConfig:
    """A town in which the power goes every day."""
    daily = {"kind": "blackout", "prob_per_day": 1.0, "duration": [20, 60], "cooldown_ticks": 0}
    return load_config(TOWN, {"observations": {"local_window": 5}, "perturbations": {"events": {"blackout": daily}}})


def begun(records: list[UpdateRecord]) -> list[int]:
    return [record.events["perturbation_started"] for record in records]


def test_perturbations_begin_with_the_cycle_that_the_schedule_names(tmp_path: Path) -> None:
    town = upset_town()
    rules = {"cycle": 2, "ticks": 1440, "epochs": 1}
    profile = small_profile(**rules, perturbations_from_cycle=1)
    records = improve(small_start(0), {"evening": town}, profile, tmp_path / "late").records
    assert [record.perturbations for record in records] == [False, False, True, True, True, True]
    late = begun(records)
    assert late[:2] == [0, 0]
    assert all(late[3:]), "they are drawn at midnight, so that the first day of the cycle may be quiet"
    always = improve(small_start(0), {"evening": town}, small_profile(**rules, updates=1), tmp_path / "always").records
    assert begun(always)[0] > 0
    assert always[0].perturbations is None


def test_a_training_that_is_taken_up_again_knows_whether_its_towns_are_upset(tmp_path: Path) -> None:
    town, profile = upset_town(), small_profile(cycle=2, perturbations_from_cycle=1)

    def leave(record: UpdateRecord) -> None:
        if record.epoch == 5:
            raise Broken

    whole = improve(small_start(0), {"evening": town}, profile, tmp_path / "whole")
    with pytest.raises(Broken):
        improve(small_start(0), {"evening": town}, profile, tmp_path / "broken", progress=leave)
    again = improve(small_start(0), {"evening": town}, profile, tmp_path / "broken", resume=True)
    assert [record.lasting() for record in again.records] == [record.lasting() for record in whole.records]
    assert files_of(tmp_path / "broken") == files_of(tmp_path / "whole")


def test_a_day_that_is_none_is_refused() -> None:
    sim = Simulation(small_town())
    sim.set_first_perturbed_day(3)
    assert sim.config.perturbations.not_before_day == 3
    with pytest.raises(InputError, match="first perturbed day -1: is none; days are counted from 0 to 100000"):
        sim.set_first_perturbed_day(-1)


def shaped(gamma: float, *, used: bool = True) -> TownConfig:
    return load_config(
        TOWN,
        {"observations": {"local_window": 5}, "rewards": {"shaping": {"use_potential": used, "gamma": gamma}}},
    )


def test_shaping_by_another_discount_than_the_learners_is_refused_in_one_line(tmp_path: Path) -> None:
    told = (
        "training profile small: discount is 0.99, but scenario evening shapes rewards with gamma 0.95; "
        "set rewards.shaping.gamma to 0.99 there"
    )
    with pytest.raises(InputError) as refused:
        improve(small_start(0), {"evening": shaped(0.95)}, small_profile(), tmp_path)
    assert str(refused.value) == told
    for town in (shaped(0.99), shaped(0.95, used=False)):
        brief = small_profile(updates=1, ticks=120)
        assert improve(small_start(0), {"evening": town}, brief, tmp_path).update == 1


def test_where_nobody_lives_nothing_is_counted_and_rewards_are_those_of_the_recording(tmp_path: Path) -> None:
    first, *_, last = small_training(tmp_path, mode="replay", recurrent=0).records
    counts = [name for name in UpdateRecord.model_fields if name.endswith("_events")]
    assert {getattr(last, name) for name in (*counts, "deaths", "conflict", "queue_conflict_intensity_sum")} == {None}
    assert (last.events, last.completed, last.clip_fraction) == ({}, {}, None)
    assert last.capped_share is not None
    assert 0.0 <= last.capped_share <= 1.0
    assert -0.5 < last.reward_mean < 0.5, "as many decisions are followed by one as by minus one"
    assert (first.span_ticks_mean, first.baseline_sample_count) == (1.0, first.transitions)
    assert first.baseline_reward_mean == first.reward_mean
    assert first.baseline_log_prob_mean < 0
    baseline = [name for name in UpdateRecord.model_fields if name.startswith("baseline_")]
    assert [getattr(last, name) for name in baseline] == [getattr(first, name) for name in baseline]


def social_reward(config: TownConfig, stage: str | None) -> float:
    """What company was worth to everybody in a day, where the teacher decides."""
    from townlet_core.policy import Teacher

    sim = Simulation(config, 2, 4)
    if stage is not None:
        sim.set_social_stage(stage)
    teacher, total = Teacher(sim), 0.0
    for _ in range(config.clock.ticks_per_day):
        sim.step(teacher.act())
        total += float(np.abs(sim.reward_terms[..., REWARD_TERMS.index("social")]).sum())
    return total


def test_a_stage_that_is_set_rewards_as_one_that_is_configured() -> None:
    plain, off = small_town(), small_town()
    off = off.model_copy(update={"stages": off.stages.model_copy(update={"social_rewards": "OFF"})})
    assert social_reward(plain, "OFF") == 0.0 < social_reward(plain, None)
    assert social_reward(off, "C1") == social_reward(plain, None)


def test_a_stage_that_a_town_cannot_be_in_is_refused() -> None:
    town = small_town()
    lonely = town.model_copy(
        update={"stages": town.stages.model_copy(update={"relationships": "OFF", "social_rewards": "OFF"})}
    )
    with pytest.raises(InputError, match=r"keeps no ties; set its stages\.relationships"):
        Simulation(lonely).set_social_stage("C1")
    with pytest.raises(InputError, match="the stages are OFF, C1, C2, C3"):
        Simulation(lonely).set_social_stage("C4")
