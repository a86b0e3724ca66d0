"""Every day has its shift; who misses too many of them loses the job, unless somebody decides otherwise."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from townlet_core.config import TownConfig, load_config
from townlet_core.core import Simulation
from townlet_core.errors import InputError
from townlet_core.policy.teacher import Teacher
from townlet_core.world.dismissal import REASON_NAMES
from townlet_core.world.events import Event
from townlet_core.world.state import SHIFT_NAMES

TOWN = Path(__file__).parents[3] / "configs" / "towns" / "default.yaml"
IDLE, DAY, START, END = 0, 1440, 540, 1020
EXIT = "EMPLOYMENT_EXIT_"
CLERK = 4
"""A citizen with the shift from 9 to 17."""


def town(**employment: Any) -> TownConfig:
    """The default town, in which nobody leaves, with other rules of employment."""
    return load_config(TOWN, {"employment": employment, "lifecycle": {"enabled": False}})


def living(sim: Simulation, ticks: int, idle: Any) -> Iterator[list[tuple[int, int, float]]]:
    """Live well fed as the teacher would, but for citizen 4 while ``idle(tick)``; gives that citizen's events."""
    teacher = Teacher(sim)
    for _ in range(ticks):
        sim.agents["needs"] = 1.0
        actions = teacher.act()
        tick = int(sim.state.towns["tick"][0])
        if idle(tick):
            actions[0, CLERK] = IDLE
        rows = sim.step(actions).events.rows
        yield [(int(r["tick"]), int(r["kind"]), float(r["value"])) for r in rows if r["subject"] == CLERK]


def test_three_days_go_through_the_states_of_a_shift_each_on_its_own() -> None:
    """On time, then late, then absent: each day is judged by itself."""

    def idle(tick: int) -> bool:
        day, minute = divmod(tick, DAY)
        return (day == 1 and minute < START + 10) or day == 2

    sim = Simulation(town(absence_slack=20), towns=1, seed=2)
    states: list[dict[str, int]] = [{}, {}, {}]
    withheld: list[float] = [0.0] * 3
    told: list[Counter[int]] = [Counter(), Counter(), Counter()]
    for events in living(sim, 3 * DAY - 360, idle):
        day, minute = divmod(int(sim.state.towns["tick"][0]), DAY)
        if day > 2:
            break
        states[day].setdefault(SHIFT_NAMES[sim.agents["shift_state"][0, CLERK]], minute)
        withheld[day] = float(sim.agents["wages_withheld"][0, CLERK])
        told[day].update(kind for _, kind, _ in events)
    assert list(states[0]) == ["off", "pre", "await_start", "on_time", "post"]
    assert (states[0]["pre"], states[0]["await_start"], states[0]["post"]) == (START - 60, START - 20, END)
    assert list(states[1]) == ["off", "pre", "await_start", "late", "post"]
    assert states[1]["late"] == START + 6
    assert list(states[2]) == ["off", "pre", "await_start", "late", "absent", "post"]
    assert states[2]["absent"] == START + 30
    shifts = [{Event(kind).name for kind in day if Event(kind).name.startswith("SHIFT")} for day in told]
    assert shifts == [
        {"SHIFT_ON_TIME", "SHIFT_END"},
        {"SHIFT_LATE_START", "SHIFT_LATE", "SHIFT_END"},
        {"SHIFT_LATE_START", "SHIFT_ABSENT", "SHIFT_END"},
    ]
    wage = float(sim.rules.citizens["wage"][CLERK])
    assert withheld[0] < withheld[1] < withheld[2] == pytest.approx((END - START - 6) * wage)
    assert sim.agents["attendance"][0, CLERK, 2] == 0.0
    assert sim.agents["attendance"][0, CLERK, 0] > sim.agents["attendance"][0, CLERK, 1] > 0.8


def test_a_break_costs_wages_and_a_long_one_the_shift() -> None:
    """Away from work for one stretch: within the slack nothing is missed, beyond it the shift is."""
    missed = []
    for slack in (600, 20):
        sim = Simulation(town(absence_slack=slack), towns=1, seed=2)
        events = [e for day in living(sim, 700, lambda tick: tick > START + 120) for e in day]
        departed = [value for _, kind, value in events if kind == Event.SHIFT_DEPARTED_EARLY]
        missed.append(int(sim.agents["absences"][0, CLERK].sum()))
        assert len(departed) == 1
        assert sim.agents["present_ticks"][0, CLERK] > 100
        assert departed[0] > 200 if slack == 600 else departed[0] == 21
    assert missed == [0, 1]


def test_absences_are_forgotten_after_a_week() -> None:
    sim = Simulation(town(max_absent_shifts=0), towns=1, seed=1)
    counts = []
    for _ in living(sim, 9 * DAY, lambda tick: tick // DAY in (0, 2)):
        if sim.minute == DAY - 1:
            counts.append(int(sim.agents["absences"][0, CLERK].sum()))
    assert counts == [1, 1, 2, 2, 2, 2, 2, 1, 1]


def test_who_is_fined_pays_into_the_treasury_and_never_below_nothing() -> None:
    sim = Simulation(town(absence_penalty=5.0, late_tick_penalty=1.0), towns=1, seed=1)
    before = sim.agents["wallet"].sum() + sim.state.towns["treasury"].sum()
    for _ in range(600):
        sim.step(np.zeros(sim.shape, np.int8))
    assert (sim.agents["wallet"] >= 0).all()
    assert sim.agents["wallet"].sum() < 20
    assert sim.agents["wallet"].sum() + sim.state.towns["treasury"].sum() == pytest.approx(before, rel=1e-12)


def idling(sim: Simulation, ticks: int) -> list[tuple[int, str, int, float]]:
    """Let everybody idle, well fed, and give the events about dismissals: tick, name, citizen, value."""
    found = []
    for _ in range(ticks):
        sim.agents["needs"] = 1.0
        sim.step(np.zeros(sim.shape, np.int8))
        found += [
            (int(r["tick"]), Event(r["kind"]).name.removeprefix(EXIT), int(r["subject"]), float(r["value"]))
            for r in sim.events.rows
            if Event(r["kind"]).name.startswith(EXIT)
        ]
    return found


def test_the_queue_for_dismissals_is_first_in_first_out_and_bounded_by_the_day() -> None:
    rules = {"max_absent_shifts": 2, "exit_queue_limit": 3, "exit_review_window": 1000, "daily_exit_cap": 1}
    sim = Simulation(town(**rules), towns=1, seed=1)
    events = idling(sim, 4 * DAY - 360)
    pending = [(tick, who) for tick, name, who, _ in events if name == "PENDING"]
    assert len({who for _, name, who, _ in events if name == "QUEUE_OVERFLOW"}) >= 5
    first = pending[:3]
    done = [(tick, who, REASON_NAMES[int(value)]) for tick, name, who, value in events if name == "PROCESSED"]
    assert [who for _, who, _ in done][:2] == [who for _, who in first][:2]
    assert done[0] == (first[0][0] + 1000, first[0][1], "auto_review")
    assert done[1][2] == "daily_cap"
    assert done[1][0] // DAY == done[0][0] // DAY + 1
    assert not sim.agents["employed"][0, done[0][1]]


def test_dismissals_can_be_approved_and_deferred_by_hand() -> None:
    rules = {"max_absent_shifts": 1, "daily_exit_cap": 2}
    sim = Simulation(town(**rules), towns=1, seed=1)
    idling(sim, 600)
    waiting = sim.employment_exits()
    assert len(waiting) >= 3
    assert [each.since for each in waiting] == sorted(each.since for each in waiting)
    gone, kept = waiting[0].agent, waiting[1].agent
    sim.set_exit_cap(0)
    sim.approve_exit(0, gone)
    sim.defer_exit(0, kept)
    events = [(name, who) for _, name, who, _ in idling(sim, 1)]
    assert events[:2] != []
    assert set(events) == {("MANUAL_REQUEST", gone), ("PROCESSED", gone), ("DEFERRED", kept)}
    assert sim.agents["employed"][0, [gone, kept]].tolist() == [0, 1]
    assert {each.agent for each in sim.employment_exits()} == {each.agent for each in waiting} - {gone, kept}
    with pytest.raises(InputError, match=f"agent_{kept + 1} waits for no review in town 0; those who do"):
        sim.approve_exit(0, kept)


def test_who_has_no_job_has_no_work_to_choose() -> None:
    sim = Simulation(town(max_absent_shifts=1, exit_review_window=1), towns=1, seed=1)
    idling(sim, 600)
    work = sim.layout.actions.index("work")
    jobless = sim.agents["employed"][0] == 0
    assert jobless.sum() == 2
    assert not sim.observation.mask[0, jobless, work].any()
    assert (sim.agents["shift_state"][0, jobless] == SHIFT_NAMES.index("off")).all()
