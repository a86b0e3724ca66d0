"""Where frames can go: standard output, a file, a TCP connection under TLS."""

import json
import os
import socket
import ssl
import stat
import sys
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from townlet_core.config.telemetry import TCP, TlsRules, TransportRules, endpoint
from townlet_core.errors import InputError


class SinkGoneError(OSError):
    """Nobody will ever read again what is sent here, so trying again makes no sense."""


class Sink(Protocol):
    """A place that takes bytes. Every method raises OSError when the place cannot be reached."""

    def open(self) -> None:
        """Make ready to send; may be called again after `close`."""

    def send(self, data: bytes) -> None:
        """Send all bytes."""

    def close(self) -> None:
        """Let go; what was sent is as safe as the place can make it."""


def sink_for(rules: TransportRules) -> Sink:
    """Make the place that a target names; nothing is opened yet."""
    if rules.target == "stdout":
        return StdoutSink()
    if rules.target.startswith(TCP):
        return TcpSink(rules)
    return FileSink(Path(rules.target))


class StdoutSink:
    """Standard output; when its reader has gone, it is gone for good."""

    def open(self) -> None:
        """Nothing to do."""

    def send(self, data: bytes) -> None:
        """Write and flush. Raises SinkGoneError when nobody reads."""
        try:
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
        except BrokenPipeError as error:
            # what Python still holds back would be written at exit, and fail again
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise SinkGoneError(error.errno, "nobody reads the output any more") from error

    def close(self) -> None:
        """Nothing to do; the output belongs to the process."""


class FileSink:
    """A file that grows by whole lines. It comes to be in one step, is never shortened, and is synced on close."""

    def __init__(self, path: Path) -> None:
        """Name the file; a folder must exist already."""
        self._path = path
        self._file: int | None = None

    def open(self) -> None:
        """Create the file or go on at its end; half a line that a crash left behind is ended first."""
        if self._file is None:
            self._file = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
            size = os.fstat(self._file).st_size
            if size and os.pread(self._file, 1, size - 1) != b"\n":
                self.send(b"\n")

    def send(self, data: bytes) -> None:
        """Append all bytes."""
        if self._file is None:
            raise OSError("the file is not open")
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(self._file, rest) :]

    def close(self) -> None:
        """Sync the file and the folder that lists it."""
        if self._file is not None:
            file, self._file = self._file, None
            try:
                _sync(file)
            finally:
                os.close(file)
            _sync_folder(self._path.parent)


class TcpSink:
    """A TCP connection, under TLS unless the rules allow plain text."""

    def __init__(self, rules: TransportRules) -> None:
        """Name the other end.

        Raises:
            InputError: The other end asks for a token, and its variable is not set.
        """
        self._rules, self._greeting = rules, _greeting(rules)
        self._socket: socket.socket | None = None

    def open(self) -> None:
        """Connect; under TLS the other end must prove who it is."""
        address = endpoint(self._rules.target)
        if self._socket is None and address is not None:
            self._socket = self._connected(*address)

    def send(self, data: bytes) -> None:
        """Send all bytes within the time allowed."""
        if self._socket is None:
            raise OSError("not connected")
        self._socket.sendall(data)

    def close(self) -> None:
        """Hang up."""
        if self._socket is not None:
            connection, self._socket = self._socket, None
            with suppress(OSError), connection:
                _hear_out(connection)

    def _connected(self, host: str, port: int) -> socket.socket:
        context = None if self._rules.allow_plaintext else tls_context(self._rules.tls)
        connection = socket.create_connection((host, port), timeout=self._rules.connect_timeout)
        try:
            if context is not None:
                connection = context.wrap_socket(connection, server_hostname=host)
            connection.settimeout(self._rules.send_timeout)
            connection.sendall(self._greeting)
        except BaseException:
            connection.close()
            raise
        return connection


def _hear_out(connection: socket.socket) -> None:
    """Say that nothing more will come, and wait until the other end has taken it all.

    Hanging up on unread bytes, such as the session tickets of TLS, would throw away what is still under way.
    """
    connection.shutdown(socket.SHUT_WR)
    while connection.recv(4096):
        continue


def _greeting(rules: TransportRules) -> bytes:
    """Make the first line of a connection: the token, if the other end asks for one. It is kept in memory alone."""
    if rules.token_env is None:
        return b""
    token = os.environ.get(rules.token_env, "").strip()
    if not token:
        raise InputError(f"transport.token_env: the variable {rules.token_env} is not set; set it to the token")
    return json.dumps({"token": token}).encode() + b"\n"


def tls_context(rules: TlsRules) -> ssl.SSLContext:
    """Make what TLS needs: whom to trust, our own certificate, and whether names must match."""
    context = ssl.create_default_context(cafile=rules.ca_file)
    context.check_hostname = rules.verify_hostname
    if rules.cert_file is not None:
        context.load_cert_chain(rules.cert_file, rules.key_file)
    return context


def _sync(file: int) -> None:
    if stat.S_ISREG(os.fstat(file).st_mode):  # a pipe or a device cannot be synced, and need not be
        os.fsync(file)


def _sync_folder(folder: Path) -> None:
    listing = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(listing)
    finally:
        os.close(listing)
