"""Frames reach their target whole, or are counted as dropped; over TCP only somebody who proves who it is gets them."""

import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.core.telemetry.streams import QUICK, MemorySink, default_town, settings
from townlet_core.core import Simulation
from townlet_core.errors import InputError
from townlet_core.policy.teacher import Teacher
from townlet_core.telemetry.mirror import Mirror, read_frames
from townlet_core.telemetry.outbox import Outbox
from townlet_core.telemetry.sender import Sender, SenderStatus
from townlet_core.telemetry.sinks import FileSink, SinkGoneError
from townlet_core.telemetry.stream import TelemetryStream


class Listener:
    """A loopback server that keeps what it receives."""

    def __init__(self, context: ssl.SSLContext | None = None, hang_up: bool = False) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self._context = context
        self.port = self._server.getsockname()[1]
        self._hang_up = hang_up
        self.streams: list[bytes] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._server.accept()
                with self._context.wrap_socket(connection, server_side=True) if self._context else connection as line:
                    self.streams.append(b"")
                    while block := line.recv(65536):
                        self.streams[-1] += block
                        if self._hang_up and len(self.streams) == 1:
                            break
            except (ssl.SSLError, ConnectionError):
                continue
            except OSError:
                return

    @property
    def data(self) -> bytes:
        return b"".join(self.streams)

    def close(self) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self._thread.join(5)


class Certificate(NamedTuple):
    """A self-signed certificate and its key."""

    cert: Path
    key: Path


@pytest.fixture(scope="session")
def certify(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Certificate]:
    """Make a certificate for a name, such as `DNS:localhost` or `IP:127.0.0.1`."""
    if shutil.which("openssl") is None:
        pytest.skip("there is no openssl command to make a certificate with")

    def make(name: str) -> Certificate:
        folder = tmp_path_factory.mktemp("tls")
        made = Certificate(folder / "cert.pem", folder / "key.pem")
        words = (
            f"openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=townlet -keyout {made.key} -out {made.cert}"
        )
        command = [*words.split(), "-addext", f"subjectAltName={name}"]
        subprocess.run(command, check=True, capture_output=True)
        return made

    return make


@pytest.fixture
def listen() -> Iterator[Callable[..., Listener]]:
    """Start listeners that are closed at the end."""
    started: list[Listener] = []

    def start(
        certificate: Certificate | None = None, clients: Certificate | None = None, hang_up: bool = False
    ) -> Listener:
        context = None
        if certificate is not None:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=clients and str(clients.cert))
            context.verify_mode = ssl.CERT_REQUIRED if clients else ssl.CERT_NONE
            context.load_cert_chain(certificate.cert, certificate.key)
        started.append(Listener(context, hang_up))
        return started[-1]

    yield start
    for listener in started:
        listener.close()


def to(port: int, **transport: Any) -> Any:
    return settings(transport={"target": f"tcp://127.0.0.1:{port}", **transport})


def sent(config: Any, messages: int = 50) -> SenderStatus:
    sender = Sender(config)
    for number in range(messages):
        sender.send(b"%d\n" % number)
    return sender.close()


def soon(condition: Callable[[], object], seconds: float = 5.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "did not happen in time"
        time.sleep(0.005)


WHOLE = b"".join(b"%d\n" % number for number in range(50))


def test_tls_carries_frames_to_whom_we_trust(certify: Any, listen: Any) -> None:
    certificate = certify("IP:127.0.0.1")
    listener = listen(certificate)
    status = sent(to(listener.port, tls={"ca_file": str(certificate.cert)}))
    soon(lambda: listener.data == WHOLE)
    assert (status.sent, status.dropped, status.last_error) == (50, 0, None)


def test_whom_we_do_not_trust_gets_nothing(certify: Any, listen: Any) -> None:
    listener = listen(certify("IP:127.0.0.1"))
    with pytest.raises(InputError, match=r"cannot be opened: .*certificate verify failed"):
        Sender(to(listener.port))
    assert listener.data == b""


def test_a_certificate_for_another_name_is_refused_unless_names_do_not_matter(certify: Any, listen: Any) -> None:
    certificate = certify("DNS:elsewhere.example")
    listener = listen(certificate)
    with pytest.raises(InputError, match=r"cannot be opened: .*not valid for '127\.0\.0\.1'"):
        Sender(to(listener.port, tls={"ca_file": str(certificate.cert)}))
    status = sent(to(listener.port, tls={"ca_file": str(certificate.cert), "verify_hostname": False}))
    soon(lambda: listener.data == WHOLE)
    assert status.dropped == 0


def test_we_can_prove_who_we_are(certify: Any, listen: Any) -> None:
    server, client = certify("IP:127.0.0.1"), certify("DNS:townlet.example")
    listener = listen(server, client)
    ours = {"cert_file": str(client.cert), "key_file": str(client.key)}
    sent(to(listener.port, tls={"ca_file": str(server.cert), **ours}))
    soon(lambda: listener.data == WHOLE)


def test_who_asks_for_a_token_is_shown_it_first_and_nobody_else_ever(
    certify: Any, listen: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = certify("IP:127.0.0.1")
    listener = listen(certificate)
    asked = to(listener.port, tls={"ca_file": str(certificate.cert)}, token_env="TOWNLET_TEST_TOKEN")
    monkeypatch.delenv("TOWNLET_TEST_TOKEN", raising=False)
    with pytest.raises(InputError, match="the variable TOWNLET_TEST_TOKEN is not set"):
        Sender(asked)
    monkeypatch.setenv("TOWNLET_TEST_TOKEN", "tok-5150")
    status = sent(asked)
    soon(lambda: listener.data.count(b"\n") == 51)
    assert listener.data == b'{"token": "tok-5150"}\n' + WHOLE
    assert status.sent == 50
    assert "tok-5150" not in repr(status) + repr(asked)
    stranger = listen(certify("IP:127.0.0.1"))
    with pytest.raises(InputError, match="certificate verify failed") as refused:
        Sender(to(stranger.port, tls={"ca_file": str(certificate.cert)}, token_env="TOWNLET_TEST_TOKEN"))
    assert stranger.data == b""
    assert "tok-5150" not in str(refused.value)


@pytest.mark.parametrize("transport", [{"target": "stdout"}, {"target": "tcp://h:1", "allow_plaintext": True}])
def test_a_token_is_never_sent_where_others_could_read_it(transport: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="a tcp target under TLS for token_env"):
        settings(transport={**transport, "token_env": "T"})


def test_plain_text_goes_only_where_it_is_allowed(listen: Any) -> None:
    listener = listen()
    with pytest.raises(InputError, match="cannot be opened"):
        Sender(to(listener.port, connect_timeout=0.3))
    listener = listen()
    assert sent(to(listener.port, allow_plaintext=True)).sent == 50
    soon(lambda: listener.data == WHOLE)


def test_nobody_there_is_said_before_the_towns_live() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(InputError, match=rf"^telemetry: tcp://127\.0\.0\.1:{port}: cannot be opened: .*refused"):
        Sender(to(port, allow_plaintext=True))


def test_a_broken_line_is_made_anew() -> None:
    sink = MemorySink(fail=1)
    sender = Sender(settings(), sink)
    sender.send(b"a\n")
    soon(lambda: sink.data == b"a\n")
    status = sender.close()
    assert (status.sent, status.dropped, status.connections) == (1, 0, 2)
    assert status.last_error == "the line is dead"


def test_who_hangs_up_and_comes_back_can_follow_again(listen: Any) -> None:
    """The first connection is cut in the middle; on the second a snapshot comes by itself."""
    listener = listen(hang_up=True)
    config = to(listener.port, allow_plaintext=True)
    sim, sender = Simulation(default_town()), Sender(config)
    stream, teacher = TelemetryStream(sim, config, sender), Teacher(sim)
    while sender.status.connections < 2:
        sim.advance(teacher.act())
        stream.observe()
        time.sleep(0.001)
    for _ in range(20):
        sim.advance(teacher.act())
        stream.observe()
    stream.close()
    soon(lambda: listener.streams[-1].endswith(b"\n") and f'"tick":{360 + sim.tick}}}'.encode() in listener.data)
    mirror = Mirror()
    for frame in read_frames(listener.streams[1].splitlines(), "second"):
        mirror.apply(frame)
    assert mirror.state is not None
    assert mirror.state["clock"]["tick"] == 360 + sim.tick


def test_a_batch_that_never_gets_through_is_counted_and_the_next_is_tried() -> None:
    sink = MemorySink(fail=QUICK["max_attempts"])
    sender = Sender(settings(buffer={"max_batch": 1}), sink)
    sender.send(b"lost\n")
    sender.send(b"kept\n")
    status = sender.close()
    assert (sink.data, status.sent, status.dropped) == (b"kept\n", 1, 1)


def test_a_slow_reader_never_holds_up_the_writer() -> None:
    """The target hangs; the writer goes on, the oldest messages are dropped and counted, the newest get through."""
    sink, go = MemorySink(), threading.Event()
    real = sink.send
    sink.send = lambda data: go.wait(5) and real(data)  # type: ignore[func-returns-value,method-assign,assignment]
    sender = Sender(settings(buffer={"max_bytes": 1024, "max_batch": 1}), sink)
    began = time.monotonic()
    for number in range(1000):
        sender.send(b"%099d\n" % number)
    assert time.monotonic() - began < 2.0
    assert sender.status.waiting_bytes <= 1024
    go.set()
    status = sender.close()
    kept = [int(line) for line in sink.data.split()]
    assert kept[-10:] == list(range(990, 1000))
    assert status.sent == len(kept)
    assert status.sent + status.dropped == 1000


def test_the_end_does_not_wait_for_ever() -> None:
    sink = MemorySink(fail=10**9)
    config = settings(retry={"max_attempts": 10, "backoff_seconds": 30.0, "max_backoff_seconds": 300.0})
    sender = Sender(config, sink)
    sender.send(b"never\n")
    began = time.monotonic()
    status = sender.close(0.05)
    assert time.monotonic() - began < 2.0
    assert (status.sent, status.dropped, status.connected) == (0, 1, False)


def test_who_has_gone_for_good_is_not_tried_again() -> None:
    sink = MemorySink()

    def gone(data: bytes) -> None:
        raise SinkGoneError(32, "nobody reads")

    sink.send = gone  # type: ignore[method-assign]
    sender = Sender(settings(), sink)
    for _ in range(5):
        sender.send(b"x\n")
    status = sender.close()
    assert (status.dropped, status.connections, status.last_error) == (5, 1, "nobody reads")


def test_the_outbox_drops_the_oldest_and_says_how_many() -> None:
    box = Outbox(10)
    for message in (b"aaaa", b"bbbb", b"cccc", b"x" * 11):
        box.put(message)
    assert (box.take(9), box.dropped, box.size) == ([b"bbbb", b"cccc"], 2, (0, 0))


def test_a_waiting_outbox_drops_nothing() -> None:
    box, got = Outbox(10, wait=True), list[bytes]()
    writer = threading.Thread(target=lambda: [box.put(b"%04d" % n) for n in range(100)] and box.close())
    writer.start()
    while batch := box.take(3):
        got += batch
    writer.join()
    assert got == [b"%04d" % n for n in range(100)]
    assert box.dropped == 0


def test_a_file_grows_by_whole_lines(tmp_path: Path) -> None:
    path = tmp_path / "town.ndjson"
    config = settings(transport={"target": str(path)})
    assert (sent(config).sent, sent(config).sent) == (50, 50)
    assert path.read_bytes() == WHOLE * 2


def test_half_a_line_of_a_crash_stays_a_line_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "town.ndjson"
    path.write_bytes(b'{"half')
    sent(settings(transport={"target": str(path)}))
    assert path.read_bytes() == b'{"half\n' + WHOLE


def test_a_file_is_synced_when_it_is_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    monkeypatch.setattr("os.fsync", synced.append)
    sink = FileSink(tmp_path / "town.ndjson")
    sink.open()
    sink.send(b"a\n")
    assert not synced
    sink.close()
    assert len(synced) == 2  # the file, and the folder that lists it


@pytest.mark.parametrize("name", ["no/such/folder/town.ndjson", "."])
def test_a_file_that_cannot_be_is_refused_at_once(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match=r"^telemetry: .*: cannot be opened: ") as refused:
        Sender(settings(transport={"target": str(tmp_path / name)}))
    assert "\n" not in str(refused.value)
    assert list(tmp_path.iterdir()) == []
