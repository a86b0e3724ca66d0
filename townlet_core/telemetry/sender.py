"""Sends messages in the background, so that a slow or broken reader never holds up a town."""

from threading import Event, Thread
from typing import NamedTuple

from townlet_core.config.telemetry import RetryRules, TelemetryConfig
from townlet_core.errors import InputError
from townlet_core.telemetry.outbox import Outbox
from townlet_core.telemetry.sinks import Sink, SinkGoneError, sink_for

DRAIN_SECONDS = 5.0
"""How long the end of a run waits for what has not been sent yet."""


class SenderStatus(NamedTuple):
    """How sending goes.

    Attributes:
        target: Where messages go.
        connected: Whether the latest attempt worked.
        connections: How often the target was opened anew.
        sent: Messages handed over.
        dropped: Messages lost, because the buffer was full or every attempt failed.
        waiting: Messages in the buffer.
        waiting_bytes: Their bytes.
        last_error: What went wrong the last time; None if nothing ever did.
    """

    target: str
    connected: bool
    connections: int
    sent: int
    dropped: int
    waiting: int
    waiting_bytes: int
    last_error: str | None


class Sender:
    """A thread that hands messages to a target in batches, tries again when that fails, and counts what is lost."""

    def __init__(self, config: TelemetryConfig, sink: Sink | None = None) -> None:
        """Open the target and start sending.

        Args:
            config: Transport, buffer and retry rules.
            sink: The target itself, instead of the one that the config names.

        Raises:
            InputError: The target cannot be opened.
        """
        self._target, self._retry, self._batch = config.transport.target, config.retry, config.buffer.max_batch
        self._sink = sink or sink_for(config.transport)
        self._outbox = Outbox(config.buffer.max_bytes, wait=config.buffer.when_full == "wait")
        self._sent = self._lost = self._connections = 0
        self._connected, self._gone = False, False
        self._last_error: str | None = None
        self._stop = Event()
        self._open_first()
        self._thread = Thread(target=self._work, name="telemetry", daemon=True)
        self._thread.start()

    @property
    def status(self) -> SenderStatus:
        """How sending goes right now."""
        waiting, size = self._outbox.size
        dropped = self._lost + self._outbox.dropped
        return SenderStatus(
            self._target, self._connected, self._connections, self._sent, dropped, waiting, size, self._last_error
        )

    def send(self, message: bytes) -> None:
        """Hand over a message; it is sent in the background."""
        self._outbox.put(message)

    def close(self, seconds: float = DRAIN_SECONDS) -> SenderStatus:
        """Send what waits, for at most so many seconds, let go of the target and return the final status."""
        self._outbox.close()
        self._thread.join(seconds)
        self._stop.set()
        self._thread.join()
        return self.status

    def _open_first(self) -> None:
        try:
            self._open()
        except (OSError, ValueError) as error:
            raise InputError(f"telemetry: {self._target}: cannot be opened: {_reason(error)}") from error

    def _open(self) -> None:
        if not self._connected:
            self._sink.open()
            self._connected = True
            self._connections += 1

    def _work(self) -> None:
        while batch := self._outbox.take(self._batch):
            if self._stop.is_set() or self._gone or not self._delivered(b"".join(batch)):
                self._lost += len(batch)
            else:
                self._sent += len(batch)
        self._let_go()

    def _delivered(self, data: bytes) -> bool:
        for attempt in range(self._retry.max_attempts):
            if attempt and self._stop.wait(_pause(self._retry, attempt)):
                return False
            try:
                self._open()
                self._sink.send(data)
                return True
            except OSError as error:
                self._gone = isinstance(error, SinkGoneError)
                self._fail(error)
                if self._gone:
                    return False
        return False

    def _fail(self, error: OSError) -> None:
        self._last_error = _reason(error)
        self._let_go()

    def _let_go(self) -> None:
        self._connected = False
        try:
            self._sink.close()
        except OSError as error:
            self._last_error = _reason(error)


def _pause(rules: RetryRules, attempt: int) -> float:
    """Seconds before an attempt, the first of which is number 0: doubled each time, up to a limit."""
    return float(min(rules.backoff_seconds * 2 ** (attempt - 1), rules.max_backoff_seconds))


def _reason(error: Exception) -> str:
    return " ".join(str(getattr(error, "strerror", None) or error).split())
