"""What must hold before a use: decided as a person would who reads the sentence, and told when it does not hold."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from townlet_core.config import TownConfig, load_config
from townlet_core.config.affordances import AffordanceManifest
from townlet_core.config.condition_checks import REGISTERS, registers_needed, words_of
from townlet_core.config.condition_names import NAMES, Fact
from townlet_core.config.conditions import Both, Compare, Either, Literal, Name, Negative, Not, Tree, parse_condition
from townlet_core.core import Simulation
from townlet_core.observations.condition_oracle import facts_about
from townlet_core.observations.reference import reference_mask
from townlet_core.policy.teacher import Teacher
from townlet_core.telemetry import named_events
from townlet_core.world.condition_tables import Operation, Row, code_of, code_table, stack_needed
from townlet_core.world.conditions import first_failing
from townlet_core.world.events import Event
from townlet_core.world.state import Town

DEFAULT = Path(__file__).parents[3] / "configs" / "towns" / "default.yaml"

names = {kind: [name for name, meaning in NAMES.items() if meaning.kind == kind] for kind in ("number", "truth", "job")}
numbers = st.one_of(
    st.sampled_from(names["number"]),
    st.sampled_from(["0", "1", "0.5", "8", "-3", "+2", "1e3", "-agent.wallet"]),
)
links = st.tuples(numbers, st.sampled_from(["==", "!=", "<", "<=", ">", ">="]), numbers).map(" ".join)
chains = st.tuples(numbers, numbers, numbers).map(lambda three: f"{three[0]} <= {three[1]} < {three[2]}")
members = st.tuples(numbers, st.sampled_from(["in", "not in"]), st.lists(numbers, min_size=1, max_size=3)).map(
    lambda parts: f"{parts[0]} {parts[1]} [{', '.join(parts[2])}]"
)
jobs = st.sampled_from(
    ["job == 'clerk'", "'barista_late' != agent.job", "job == none", "job in ['clerk', none]", "weather == 'clear'"]
)
leaves = st.one_of(links, chains, members, jobs, st.sampled_from([*names["truth"], "true", "not False"]))
sentences = st.recursive(
    leaves,
    lambda inner: st.one_of(
        inner.map(lambda text: f"not ({text})"),
        st.tuples(inner, st.sampled_from(["and", "or", "==", "!="]), inner).map(lambda p: f"({p[0]}) {p[1]} ({p[2]})"),
    ),
    max_leaves=5,
)


def plainly(tree: Tree, facts: dict[Fact, float], words: dict[str, int]) -> Any:
    """Decide a tree the way a person reads it, with Python's own operators."""
    if isinstance(tree, Literal):
        return -1.0 if tree.value is None else words[tree.value] if isinstance(tree.value, str) else tree.value
    if isinstance(tree, Name):
        value = facts[tree.meaning.fact]
        return bool(value) if tree.meaning.kind == "truth" else value
    if isinstance(tree, Negative):
        return -plainly(tree.of, facts, words)
    if isinstance(tree, Not):
        return not plainly(tree.of, facts, words)
    left, right = plainly(tree.left, facts, words), plainly(tree.right, facts, words)
    if isinstance(tree, Both | Either):
        return (left and right) if isinstance(tree, Both) else (left or right)
    assert isinstance(tree, Compare)
    order = {"==": left == right, "!=": left != right, "<": left < right, "<=": left <= right}
    return {**order, ">": left > right, ">=": left >= right}[tree.operator]


@pytest.fixture(scope="module")
def lived() -> Simulation:
    """Two towns at half past ten, when some work, some sleep, and some are late."""
    sim = Simulation(load_config(DEFAULT), towns=2, seed=3)
    teacher = Teacher(sim)
    for _ in range(270):
        sim.step(teacher.act())
    return sim


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(text=sentences, town=st.integers(0, 1), agent=st.integers(0, 7), fixture=st.integers(0, 35))
def test_the_machine_decides_as_a_person_would(
    lived: Simulation, text: str, town: int, agent: int, fixture: int
) -> None:
    tree, config = parse_condition(text), lived.config
    words = words_of(config.affordances, list(config.jobs))
    code = code_of(tree, words)
    assert stack_needed(code) == registers_needed(tree)
    if registers_needed(tree) > REGISTERS:
        return
    rules = lived.rules._replace(code=code_table([*code, Row(Operation.END, fact=4)]))
    facts = facts_about(lived.state, lived.rules, town, agent, fixture)
    numbered = {word: index for kind in ("job", "weather") for index, word in enumerate(words[kind])}
    here = Town(*(array[town] for array in lived.state))
    holds = plainly(tree, facts, numbered)
    assert first_failing(here, rules, agent, fixture, 0, len(code) + 1) == (-1 if holds else 4)


def with_conditions(**requires: list[str]) -> TownConfig:
    """The default town whose affordances have these conditions and no others."""
    config = load_config(DEFAULT)
    uses = {
        name: use.model_copy(update={"requires": requires.get(name, [])})
        for name, use in config.affordances.affordances.items()
    }
    manifest: AffordanceManifest = config.affordances.model_copy(update={"affordances": uses})
    return config.model_copy(update={"affordances": manifest})


def test_an_option_whose_condition_fails_cannot_be_chosen(taught: Callable) -> None:
    config = with_conditions(rest_sleep=["needs.energy < 0.4"], cafe_meal=["hour in [12, 13]", "not occupied"])
    sim = Simulation(config, towns=4, seed=1)
    sleep, out = sim.layout.actions.index("sleep"), sim.layout.actions.index("eat_out")
    offered = 0
    for step in taught(sim, 900):
        mask, free = step.observation.mask, ~sim.agents["committed"].astype(bool)
        resting = (sim.agents["option"] == sleep) & (sim.agents["phase"] > 0)
        assert not mask[..., sleep][free & ~resting & (sim.agents["needs"][..., 2] >= 0.4)].any()
        dining = (sim.agents["option"] == out) & (sim.agents["phase"] > 0)
        if sim.minute // 60 not in (12, 13):
            assert not mask[..., out][free & ~dining].any()
        offered += int(mask[..., out].sum())
        for town in range(4):
            assert (mask[town, 3] == reference_mask(sim.state, sim.rules, town, 3)).all()
    assert offered > 0


def test_a_condition_that_fails_on_arrival_is_told_by_its_text_and_frees_the_object() -> None:
    sim = Simulation(with_conditions(use_shower=["wallet >= 0", "minute < 364"]), towns=1, seed=2)
    wash = sim.layout.actions.index("wash")
    told = []
    for _ in range(40):
        events = list(named_events(sim.step(np.full(sim.shape, wash, np.int8)).events.rows, sim.names))
        told += [event for event in events if event.event == "affordance_precondition_fail"]
    begun = sim.agents["phase"] == 3
    assert told
    assert {(event.other, event.value, event.reason) for event in told} == {("use_shower", 1.0, "minute < 364")}
    assert all(event.object.startswith("shower") and event.agent.startswith("agent") for event in told)
    assert (sim.agents["holds"] == begun).all()
    assert sim.kpis()["failed_uses"][0] > 0


def test_conditions_that_always_hold_change_nothing(taught: Callable) -> None:
    plain = Simulation(with_conditions(), towns=2, seed=5)
    always = {
        name: ["true", "tick >= 0 or stock < 0"]
        for name in plain.config.affordances.affordances
        if name != "work_stint"
    }
    bound = Simulation(with_conditions(**always), towns=2, seed=5)
    for one, other in zip(taught(plain, 300), taught(bound, 300), strict=True):
        assert (one.reward == other.reward).all()
        assert (one.observation.mask == other.observation.mask).all()


def test_a_use_goes_on_when_its_condition_ceases_to_hold(taught: Callable) -> None:
    sim = Simulation(with_conditions(rest_sleep=["minute < 370 or minute > 1200"]), towns=4, seed=2)
    sleep = sim.layout.actions.index("sleep")
    actions = np.full(sim.shape, sleep, np.int8)
    kinds: list[int] = []
    for _ in range(70):
        kinds += sim.step(actions).events.rows["kind"].tolist()
    assert kinds.count(Event.AFFORDANCE_FINISH) == kinds.count(Event.AFFORDANCE_START) > 0
    assert kinds.count(Event.AFFORDANCE_FAIL) == 0


def holds(sim: Simulation, text: str, agent: int) -> bool:
    """Whether a sentence is true of an agent, as the machine decides."""
    code = code_of(parse_condition(text), words_of(sim.config.affordances, list(sim.config.jobs)))
    rules = sim.rules._replace(code=code_table([*code, Row(Operation.END, fact=0)]))
    return bool(first_failing(Town(*(array[0] for array in sim.state)), rules, agent, 0, 0, len(code) + 1) < 0)


def test_the_dismissed_have_no_job_and_no_shift() -> None:
    sim, clerk = Simulation(load_config(DEFAULT, {"clock": {"start_tick": 600}}), towns=1, seed=1), 1
    while sim.names.jobs[sim.rules.citizens["job"][clerk]] != "clerk":
        clerk += 1
    said = ("on_shift", "job == 'clerk'", "job != none")
    assert all(holds(sim, text, clerk) for text in said)
    sim.agents["employed"][0, clerk] = 0
    assert not any(holds(sim, text, clerk) for text in said)
    facts = facts_about(sim.state, sim.rules, 0, clerk, 0)
    assert (facts[Fact.ON_SHIFT], facts[Fact.JOB]) == (0.0, -1.0)
