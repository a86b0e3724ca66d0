"""The clock owes a tick every quarter of a second at normal speed, whoever asks and however often."""

import pytest

from townlet_core.console import SPEEDS, TownClock
from townlet_core.console.clock import clock_time, day_and_minute
from townlet_core.errors import InputError


class Hands:
    """Time that goes on when it is told to."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


@pytest.mark.parametrize("speed", SPEEDS)
@pytest.mark.parametrize("step", [0.0101, 0.2, 0.31])
def test_as_many_ticks_are_due_as_time_has_passed(speed: int, step: float) -> None:
    hands = Hands()
    clock, lived = TownClock(speed, hands), 0
    for _ in range(1000):
        hands.seconds += step
        lived += clock.ticks_due()
    assert lived + clock.skipped == pytest.approx(1000 * step * 4 * speed, abs=1)
    assert clock.skipped == 0


def test_a_pause_owes_nothing_and_a_change_of_speed_loses_nothing() -> None:
    hands = Hands()
    clock = TownClock(1, hands)
    hands.seconds += 0.2
    clock.speed = 0
    hands.seconds += 60.0
    assert clock.ticks_due() == 0
    clock.speed = 1
    hands.seconds += 0.1
    assert clock.ticks_due() == 1


def test_what_a_machine_cannot_keep_up_with_is_let_go_and_counted() -> None:
    hands = Hands()
    clock = TownClock(10, hands)
    hands.seconds += 10.0
    assert (clock.ticks_due(), clock.skipped) == (20, 380)
    assert clock.ticks_due() == 0


def test_faster_and_slower_go_through_the_speeds_and_stop_at_the_ends() -> None:
    clock = TownClock(0, Hands())
    up = [clock.faster() or clock.speed for _ in range(4)]
    down = [clock.slower() or clock.speed for _ in range(4)]
    assert (up, down) == ([1, 10, 100, 100], [10, 1, 0, 0])
    with pytest.raises(InputError, match="speed 7: expected one of 0, 1, 10, 100"):
        clock.speed = 7


def test_time_that_goes_back_owes_nothing() -> None:
    hands = Hands()
    clock = TownClock(1, hands)
    hands.seconds -= 50
    assert clock.ticks_due() == 0
    hands.seconds += 0.25
    assert clock.ticks_due() == 1


def test_the_day_is_told_whatever_its_length() -> None:
    assert day_and_minute(1440 * 2 + 61, 1440) == (3, 61)
    assert (clock_time(61, 1440), clock_time(500, 1000)) == ("01:01", "12:00")
