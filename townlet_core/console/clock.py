"""The clock that paces a town for whoever looks on: how many ticks are due by now, at which speed."""

from collections.abc import Callable
from time import monotonic

from townlet_core.errors import InputError

SECONDS_PER_TICK = 0.25
"""Real time of one tick at normal speed."""
SPEEDS = (0, 1, 10, 100)
"""Speeds that a clock can have; 0 is a pause."""
MOST_SECONDS_OWED = 0.5
"""Real time that a town may fall behind; what is more is let go, or a slow machine would never show a picture."""


class TownClock:
    """Says how many ticks are due. It knows no town: whoever asks lives the ticks.

    The same times and speeds always give the same ticks. A change of speed keeps the part of a tick that has gone by.
    """

    def __init__(self, speed: int = 1, now: Callable[[], float] = monotonic) -> None:
        """Start with no tick due.

        Args:
            speed: One of ``SPEEDS``.
            now: Seconds that only rise.

        Raises:
            InputError: It is no speed.
        """
        self._speed, self._now = _checked(speed), now
        self._since, self._owed, self.skipped = now(), 0.0, 0

    @property
    def speed(self) -> int:
        """How many times faster than normal; 0 in a pause."""
        return self._speed

    @speed.setter
    def speed(self, speed: int) -> None:
        """Go on at another speed from now on. Raises InputError when it is none."""
        checked = _checked(speed)
        self._count()
        self._speed = checked

    def faster(self) -> None:
        """Take the next higher speed; the highest stays."""
        self.speed = SPEEDS[min(SPEEDS.index(self._speed) + 1, len(SPEEDS) - 1)]

    def slower(self) -> None:
        """Take the next lower speed; the lowest is a pause."""
        self.speed = SPEEDS[max(SPEEDS.index(self._speed) - 1, 0)]

    def ticks_due(self) -> int:
        """Give the whole ticks that are due and count them as lived.

        At most half a second's worth at a time: what a machine cannot keep up with is counted in ``skipped``.
        """
        self._count()
        due = int(self._owed)
        self._owed -= due
        most = max(1, int(self._speed * MOST_SECONDS_OWED / SECONDS_PER_TICK))
        self.skipped += max(0, due - most)
        return min(due, most)

    def _count(self) -> None:
        now = self._now()
        self._owed += max(0.0, now - self._since) * self._speed / SECONDS_PER_TICK
        self._since = now


def day_and_minute(tick: int, ticks_per_day: int) -> tuple[int, int]:
    """Say which day (from 1) and which minute of it a town's tick is; the tick counts from midnight of day 1."""
    return tick // ticks_per_day + 1, tick % ticks_per_day


def clock_time(tick: int, ticks_per_day: int) -> str:
    """Write the time of day of a tick as HH:MM, whatever the day's length."""
    hour, minute = divmod(tick % ticks_per_day * 1440 // ticks_per_day, 60)
    return f"{hour:02}:{minute:02}"


def _checked(speed: int) -> int:
    if speed not in SPEEDS:
        raise InputError(f"speed {speed}: expected one of {', '.join(map(str, SPEEDS))}")
    return speed
