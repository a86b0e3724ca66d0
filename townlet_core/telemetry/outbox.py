"""What waits to be sent: a buffer with a bound in bytes that two threads share."""

from collections import deque
from threading import Condition


class Outbox:
    """A queue of messages of at most `max_bytes`. When it is full it drops the oldest, or makes the writer wait."""

    def __init__(self, max_bytes: int, *, wait: bool = False) -> None:
        """Begin empty and open; with `wait`, `put` waits for room instead of dropping."""
        self._max_bytes, self._wait = max_bytes, wait
        self._messages: deque[bytes] = deque()
        self._changed = Condition()
        self._bytes = self._dropped = 0
        self._closed = False

    @property
    def dropped(self) -> int:
        """Messages that were dropped since the beginning."""
        return self._dropped

    @property
    def size(self) -> tuple[int, int]:
        """Messages that wait, and their bytes."""
        with self._changed:
            return len(self._messages), self._bytes

    def put(self, message: bytes) -> None:
        """Add a message. One that is larger than the whole buffer, or comes after the end, is itself dropped."""
        with self._changed:
            while self._wait and not self._closed and self._messages and not self._fits(message):
                self._changed.wait()
            if self._closed or len(message) > self._max_bytes:
                self._dropped += 1
                return
            while not self._fits(message):
                self._bytes -= len(self._messages.popleft())
                self._dropped += 1
            self._messages.append(message)
            self._bytes += len(message)
            self._changed.notify_all()

    def take(self, most: int) -> list[bytes]:
        """Wait for messages and take up to `most` of them, oldest first; none means that the end has come."""
        with self._changed:
            while not self._messages and not self._closed:
                self._changed.wait()
            batch = [self._messages.popleft() for _ in range(min(most, len(self._messages)))]
            self._bytes -= sum(map(len, batch))
            self._changed.notify_all()
            return batch

    def close(self) -> None:
        """Take no more messages; those that wait can still be taken."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _fits(self, message: bytes) -> bool:
        return self._bytes + len(message) <= self._max_bytes
