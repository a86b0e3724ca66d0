"""The watch calls where a bound is broken, and only there."""

from pathlib import Path
from typing import Any, get_args

import pytest

from tests.core.policy.logbook.conftest import Write, end, epoch, line, update
from townlet_core.config.watch import Watched, WatchRules, load_watch
from townlet_core.policy.logbook.entries import read_entries
from townlet_core.policy.logbook.figures import FIGURES
from townlet_core.policy.logbook.watch import Alarm, watched
from townlet_core.policy.training_figures import Annealing, Drift, KpiVerdict
from townlet_core.policy.training_log import flat

SHIPPED = Path(__file__).parents[4] / "configs/watch.yaml"


def alarms(log: Path, **rules: Any) -> list[Alarm]:
    return watched(read_entries(log), WatchRules(**({"grace": 0} | rules)))


def test_every_figure_has_a_column_in_one_kind_of_record() -> None:
    assert set(FIGURES) == set(get_args(Watched))
    columns = {"update": flat(update(1).model_dump()), "epoch": flat(epoch(1).model_dump())}
    columns["update"] |= dict.fromkeys(("validation.return_mean", "stored.agreement", "annealing.ratio"))
    for shown in FIGURES.values():
        assert shown.update is None or shown.update in columns["update"], shown
        assert shown.epoch is None or shown.epoch in columns["epoch"], shown
        assert shown.update or shown.epoch


def test_bounds_are_kept_to_their_last_digit_and_told_when_broken(write: Write) -> None:
    log = write(update(1), update(2, kl_divergence=0.2), update(3, kl_divergence=0.21, batch_entropy_mean=0.01))
    found = alarms(log, max={"kl": 0.2}, min={"entropy": 0.15})
    assert [(alarm.epoch, alarm.rule, alarm.figure, alarm.value, alarm.bound) for alarm in found] == [
        (3, "max", "kl", 0.21, 0.2),
        (3, "min", "entropy", 0.01, 0.15),
    ]
    assert found[0].told == "update 3: kl (kl_divergence) is 0.21, above 0.2"


def test_a_training_may_settle_before_it_is_held_to_lower_bounds(write: Write) -> None:
    log = write(*(update(number, return_mean=-1.0, kl_divergence=1.0) for number in (1, 2, 3)))
    found = alarms(log, grace=2, min={"return": 0.0}, max={"kl": 0.5})
    assert [(alarm.epoch, alarm.figure) for alarm in found] == [(1, "kl"), (2, "kl"), (3, "kl"), (3, "return")]


def falls(write: Write, returns: list[float | None], share: float = 0.5, window: int = 4) -> list[Alarm]:
    log = write(*(update(number, return_mean=value) for number, value in enumerate(returns, 1)))
    return alarms(log, drop={"return": share}, window=window)


def test_a_fall_is_measured_against_the_latest_values(write: Write) -> None:
    (found,) = falls(write, [9.0, 2.0, 2.0, 2.0, 2.0, None, 0.9, 2.0])
    assert (found.epoch, found.value, found.bound) == (7, 0.9, 1.0)
    assert found.told == "update 7: return (episodes.return_mean) is 0.9, more than 50% below the 2 of the last 4"


def test_a_figure_that_moves_about_zero_does_not_fall_and_one_below_zero_can(write: Write) -> None:
    assert falls(write, [-0.087, 0.058, -0.028, -0.034, 0.019, -0.04]) == []
    assert [alarm.epoch for alarm in falls(write, [-1.0, -1.01, -0.99, -1.4, -2.0])] == [5]


def test_two_values_are_too_few_to_fall_from(write: Write) -> None:
    assert falls(write, [2.0, 2.0, 0.1]) == []
    assert [alarm.epoch for alarm in falls(write, [2.0, 2.0, 2.0, 0.1])] == [4]


def test_what_an_update_did_not_measure_is_no_alarm(write: Write) -> None:
    log = write(update(1, return_mean=None, chat_quality_mean=None), epoch(2))
    assert alarms(log, min={"return": 1.0, "chat_quality": 1.0}, drop={"return": 0.1}, max={"kl": 0.2}) == []


def test_a_figure_that_is_no_number_is_an_alarm_whatever_the_rules(write: Write) -> None:
    (found,) = alarms(write(line(update(4), loss_total=float("nan"))))
    assert (found.rule, found.figure, found.value) == ("not_finite", "loss_total", None)
    assert found.told == "update 4: loss_total is nan, not a finite number"


def test_an_epoch_is_held_to_its_own_figures(write: Write) -> None:
    found = alarms(write(epoch(1), epoch(2, accuracy=0.4, loss=9.0)), min={"accuracy": 0.8}, max={"loss": 5.0})
    assert [(alarm.figure, alarm.told) for alarm in found] == [
        ("loss", "epoch 2: loss is 9, above 5"),
        ("accuracy", "epoch 2: accuracy is 0.4, below 0.8"),
    ]


def test_a_training_that_was_stopped_is_an_alarm_and_a_finished_one_is_none(write: Write) -> None:
    assert alarms(write(update(1), end(1))) == []
    (found,) = alarms(write(update(1), end(1, "the loss is not finite")))
    assert (found.rule, found.told) == ("stopped", "the training was stopped: the loss is not finite")


@pytest.mark.parametrize("figure", sorted({*load_watch(SHIPPED).max, *load_watch(SHIPPED).min}))
def test_each_shipped_bound_calls_and_a_healthy_training_keeps_them_all(write: Write, figure: Watched) -> None:
    rules = load_watch(SHIPPED)
    assert alarms(write(*(update(number) for number in range(1, 21)), end(20)), **rules.model_dump()) == []
    bound = rules.max.get(figure, rules.min.get(figure, 0.0))
    beyond = bound + (0.01 if figure in rules.max else -0.01)
    shown = FIGURES[figure]
    record = update(20) if shown.update else epoch(20)
    key = (shown.update or shown.epoch or "").replace(".", "__")
    found = alarms(write(line(record, **{key: beyond})), **rules.model_dump())
    assert [alarm.figure for alarm in found] == [figure]


def annealing(**changes: Any) -> Annealing:
    kpis = {
        "return": KpiVerdict(found=2.0, baseline=2.0, bound=1.4, held=True),
        "survival": KpiVerdict(found=0.5, baseline=1.0, bound=0.7, held=False),
        "attendance": KpiVerdict(found=None, baseline=0.9, bound=0.63, held=False),
    }
    found = {"step": 1, "ratio": 0.6, "frozen": True, "decision": "freeze", "rolled_back_to": 6, "kpis": kpis}
    return Annealing(**(found | changes))


def drifted(record: int, **found: float) -> Any:
    """An update with which a cycle of annealing ends, beside a first cycle of loss 0.1, 100 jams and 40 ticks."""
    first = {"loss": 0.1, "queue_events": 100.0, "queue_intensity": 40.0}
    drift = {name: Drift(found=found.get(name, base), baseline=base, flag=False) for name, base in first.items()}
    closing = {"decision": "advance", "frozen": False, "rolled_back_to": None, "kpis": {}}
    return update(record, cycle=1, annealing=annealing(**closing, drift=drift))


def test_a_cycle_that_is_too_far_from_the_first_one_is_an_alarm_for_each_figure(write: Write) -> None:
    rules = {"anneal": {"loss": 0.1, "queue_events": 0.85, "queue_intensity": 0.85}}
    kept = drifted(2, loss=0.109, queue_events=85.0, queue_intensity=400.0)
    assert alarms(write(kept), **rules) == []
    found = alarms(write(drifted(2, loss=0.111, queue_events=84.0), drifted(4, loss=0.089)), **rules)
    assert [(alarm.epoch, alarm.rule, alarm.figure, alarm.bound) for alarm in found] == [
        (2, "drift", "loss", pytest.approx(0.11)),
        (2, "drift", "queue_events", 85.0),
        (4, "drift", "loss", pytest.approx(0.09)),
    ]
    assert found[1].told == "update 2: queue_events of the cycle is 84, below 85, with 100 in the first cycle"
    assert alarms(write(drifted(2, loss=9.0, queue_events=0.0))) == [], "no bound, no alarm"


def test_a_clone_too_poor_to_anneal_from_is_told_once(write: Write) -> None:
    closing = {"decision": "advance", "frozen": False, "rolled_back_to": None, "kpis": {}, "clone_accuracy": 0.88}
    log = write(*(update(2 * n, cycle=n - 1, annealing=annealing(**closing)) for n in (1, 2)))
    (found,) = alarms(log, anneal={"clone_accuracy": 0.9})
    assert found.told == "update 2: the clone agreed in 0.88 of held-out decisions, below 0.9"
    assert alarms(log, anneal={"clone_accuracy": 0.88}) == []


def test_the_shipped_bounds_hold_annealing_to_its_first_cycle() -> None:
    assert None not in load_watch(SHIPPED).anneal.model_dump().values()


def test_annealing_that_freezes_is_an_alarm_for_each_figure_that_fell(write: Write) -> None:
    still = annealing(decision="advance", frozen=False, rolled_back_to=None, kpis={})
    found = alarms(write(update(11, annealing=still), update(12, annealing=annealing())))
    assert [(alarm.rule, alarm.figure, alarm.value, alarm.bound, alarm.told) for alarm in found] == [
        (
            "frozen",
            "survival",
            0.5,
            0.7,
            "update 12: annealing froze and went back to update 6: survival is 0.5, below 0.7",
        ),
        (
            "frozen",
            "attendance",
            None,
            0.63,
            "update 12: annealing froze and went back to update 6: attendance was not measured",
        ),
    ]
