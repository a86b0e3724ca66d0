"""Expectations are read strictly, bound to the names of a town, and judged town by town."""

import numpy as np
import pytest

from tests.core.scenarios.conftest import CONFIGS, Altered
from townlet_core.config import Scenario, load_scenario
from townlet_core.core import Simulation
from townlet_core.errors import ConfigError, InputError
from townlet_core.policy.teacher import Teacher
from townlet_core.scenarios import bind, check
from townlet_core.scenarios.probes import ObservationProbe
from townlet_core.scenarios.rotation import RotationProbe
from townlet_core.world.events import EVENT_DTYPE, Event

LAST = "  - {shows: lateness is fined, state: wallet, of: agent_2, over: lowest, at_most: 9.9}"
WHERE = f"late_clerk.yaml:{len((CONFIGS / 'scenarios' / 'late_clerk.yaml').read_text().splitlines())}: expectations[7]"


def late(altered: Altered, expectation: str) -> Scenario:
    """The late clerk with its last expectation replaced."""
    return altered("late_clerk", (LAST, f"  - {expectation}"))


@pytest.mark.parametrize(
    ("expectation", "fault"),
    [
        ("{evnet: shift_late, exactly: 1}", "evnet: unknown key 'evnet'; did you mean 'event'?"),
        ("{event: shift_late, at_leest: 1}", "at_leest: unknown key 'at_leest'; did you mean 'at_least'?"),
        ("{event: shift_late, over: end, exactly: 1}", "over: unknown key 'over'"),
        ("{event: shift_late, kpi: survival, exactly: 1}", "kpi: this measures 'event' already"),
        ("{shows: nothing, exactly: 1}", "says nothing to measure"),
        ("{event: shift_late}", "demands nothing; give it a bound"),
        ("{event: shift_late, exactly: many}", "exactly: found text 'many', expected a number"),
        ("{event: shift_late, at_least: 3, at_most: 1}", "needs an at_least that is not above at_most"),
        ("{event: shift_late, take: smallest, exactly: 1}", "take: unknown name 'smallest'; expected one of"),
        ("{order: [{event: shift_late}], exactly: 1}", "expected a list of 2 or more"),
        ("{order: [{event: shift_end}, {event: faint}], exactly: 1}", "an order is met or not; remove the bounds"),
    ],
)
def test_a_malformed_expectation_is_refused_at_its_line(altered: Altered, expectation: str, fault: str) -> None:
    with pytest.raises(ConfigError) as refused:
        late(altered, expectation)
    assert WHERE in str(refused.value)
    assert fault in str(refused.value)


@pytest.mark.parametrize(
    ("expectation", "fault"),
    [
        ("{event: shift_lat, exactly: 1}", "event: unknown event 'shift_lat'; did you mean 'shift_late'?"),
        ("{event: shift_late, subject: agent_9, exactly: 1}", "subject: unknown citizen 'agent_9'"),
        ("{event: faint, object: showr, exactly: 1}", "object: unknown object 'showr'; did you mean 'shower"),
        ("{event: faint, affordance: cook_meal, exactly: 1}", "affordance: events of kind faint have none"),
        ("{order: [{event: faint}, {event: fant}]}", "order[1].event: unknown event 'fant'; did you mean 'faint'?"),
        ("{kpi: survivel, exactly: 1}", "kpi: unknown key figure 'survivel'; did you mean 'survival'?"),
        ("{state: walet, exactly: 1}", "state: unknown part of the state 'walet'; did you mean 'wallet'?"),
        ("{state: rivalry, of: agent_1, exactly: 1}", "state: rivalry is part of a tie"),
        ("{state: wallet, towards: agent_1, exactly: 1}", "towards: wallet is no part of a tie"),
        ("{state: treasury, of: agent_1, exactly: 1}", "of: treasury belongs to the town"),
        ("{option: idel, exactly: 1}", "option: unknown option 'idel'; did you mean 'idle'?"),
        ("{rotation: bathtub, exactly: 1}", "rotation: unknown object 'bathtub'"),
        ("{observation: need_huger, exactly: 1}", "observation: unknown feature 'need_huger'; did you mean"),
    ],
)
def test_a_name_that_the_town_lacks_is_refused_at_its_line(altered: Altered, expectation: str, fault: str) -> None:
    scenario = late(altered, expectation)
    with pytest.raises(ConfigError) as refused:
        bind(scenario.expectations[-1], Simulation(scenario.config))
    assert WHERE in str(refused.value)
    assert fault in str(refused.value)


def test_a_scenario_that_expects_nothing_cannot_be_checked() -> None:
    scenario = load_scenario("ordinary_day", CONFIGS)._replace(expectations=())
    with pytest.raises(InputError, match="no 'expectations' to check"):
        check(scenario, Teacher)


def test_a_share_of_the_towns_may_be_enough(altered: Altered) -> None:
    """Ambition is drawn: some towns have an ambitious first citizen, others do not."""
    text = "{{state: ambition, of: agent_1, at_least: 0.5, share_of_towns: {}}}"
    few, all_ = (late(altered, text.format(share)) for share in (0.1, 1.0))
    verdicts = [check(scenario, Teacher).verdicts[-1] for scenario in (few, all_)]
    assert 0.1 <= verdicts[0].share_of_towns < 1.0
    assert [verdict.met for verdict in verdicts] == [True, False]
    assert verdicts[0].demanded == "≥ 0.5 in 10% of the towns"
    assert "of 16 towns meet it, town" in verdicts[1].observed


def test_what_never_happened_meets_no_demand(altered: Altered) -> None:
    for take in ("largest", "first_tick"):
        scenario = late(altered, f"{{event: faint, take: {take}, at_most: 1000}}")
        verdict = check(scenario, Teacher).verdicts[-1]
        assert not verdict.met
        assert verdict.observed.startswith("nothing")


def test_the_first_tick_counts_from_the_start(altered: Altered) -> None:
    scenario = late(altered, "{event: shift_late, take: first_tick, at_least: 0}")
    assert check(scenario, Teacher).verdicts[-1].highest == 540 + 10 - 512


def test_a_value_outside_its_range_and_a_jump_are_seen() -> None:
    sim = Simulation(load_scenario("observation_baseline", CONFIGS).config, 2)
    outside, jumps = (ObservationProbe([0, 1], take, sim) for take in ("out_of_range", "largest_change"))
    before = float(sim.observation.features[1, 0, 1])
    sim.observation.features[0, 0, 0] = np.nan
    sim.observation.features[1, 0, 1] = 3.0
    for probe in (outside, jumps):
        probe.note(sim, np.zeros(0, EVENT_DTYPE))
    assert outside.values(sim).ravel().tolist() == [1, 1]
    assert jumps.values(sim)[1, 0] == pytest.approx(3.0 - before)


def test_who_begins_again_while_others_wait_is_seen() -> None:
    sim = Simulation(load_scenario("queue_rotation", CONFIGS).config)
    shower = sim.names.fixtures.index("shower_1")
    probe = RotationProbe((shower,), "in_a_row", sim)
    for waiting, user in ((1, 0), (1, 0), (0, 0), (1, 1), (1, 1)):
        sim.state.fixtures["waiting"][0, shower] = waiting
        probe.note(sim, np.array([(0, 0, Event.AFFORDANCE_START, user, shower, 0, 20.0)], EVENT_DTYPE))
    assert probe.values(sim).ravel().tolist() == [2]


def test_a_newcomer_is_a_person_of_its_own_wherever_it_lives(altered: Altered) -> None:
    """Somebody starves at once and another takes the place: what happens to the two is told apart."""
    told = [
        ("{event: faint, subject: agent_1, exactly: 1}", True),
        ("{event: arrival, subject: agent_3, exactly: 1}", True),
        ("{event: arrival, subject: agent_1, at_least: 1}", False),
        ("{state: alive, of: agent_3, exactly: 1}", True),
        ("{state: alive, of: agent_1, at_least: 0}", False),
        ("{option: idle, of: agent_3, at_least: 0}", True),
    ]
    starving = ("agent_1: {beside: desk_1, needs: {hunger: 0.9", "agent_1: {beside: desk_1, needs: {hunger: 0.03")
    lines = "\n".join(f"  - {expectation}" for expectation, _ in told)
    report = check(altered("late_clerk", starving, (LAST, lines)), Teacher)
    assert [verdict.met for verdict in report.verdicts[-len(told) :]] == [met for _, met in told]
