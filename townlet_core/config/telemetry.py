"""How telemetry is sent, told and watched: a file of its own, because nothing in it decides what happens in a town."""

from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, BaseModel, Field, model_validator
from pydantic_core import PydanticCustomError

from townlet_core.config.documents import Document, KeyPath, Place, read_document
from townlet_core.config.fields import STRICT, Duration, Share, Tick, VariableName
from townlet_core.config.reading import read_model

TCP = "tcp://"
TLS_FILES = ("ca_file", "cert_file", "key_file")
_COMMAND_LINE = Place("--telemetry", None, ())
Category: TypeAlias = Literal[
    "absence",
    "chat",
    "chore",
    "day",
    "death",
    "exit",
    "failure",
    "friendship",
    "late",
    "meal",
    "perturbation",
    "quarrel",
    "queue",
    "rent",
    "rest",
    "utility_outage",
    "wash",
    "weather",
    "work",
]
"""What a sentence can be about."""

Seconds: TypeAlias = Annotated[float, Field(gt=0.0, le=60.0)]


def _target(text: str) -> str:
    if not text.strip():
        raise PydanticCustomError("townlet", "stdout, the path of a file, or tcp://HOST:PORT")
    if "://" in text and endpoint(text) is None:
        raise PydanticCustomError("townlet", "tcp://HOST:PORT with a port from 1 to 65535")
    return text


def endpoint(target: str) -> tuple[str, int] | None:
    """Give host and port of a `tcp://HOST:PORT` target (an IPv6 host in brackets), or None if it is none."""
    host, _, port = target.removeprefix(TCP).rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not target.startswith(TCP) or not host or not port.isdecimal() or not 1 <= int(port) <= 65535:
        return None
    return host, int(port)


class TlsRules(BaseModel):
    """Whom to trust and who we are: `ca_file` instead of the system's authorities, our certificate and its key.

    Paths are relative to the file that names them.
    """

    model_config = STRICT
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None
    verify_hostname: bool = True

    @model_validator(mode="after")
    def _pair(self) -> "TlsRules":
        if (self.cert_file is None) != (self.key_file is None):
            raise PydanticCustomError("townlet", "cert_file and key_file together")
        return self


class TransportRules(BaseModel):
    """Where frames go: `stdout`, a file to append to, or `tcp://HOST:PORT`.

    TCP is wrapped in TLS, unless `allow_plaintext` says that everybody on the way may read and change the frames.
    `token_env` names the environment variable with a token that the other end asks for: it is the first line of
    every connection, and goes under TLS only.
    """

    model_config = STRICT
    target: Annotated[str, AfterValidator(_target)] = "stdout"
    allow_plaintext: bool = False
    connect_timeout: Seconds = 5.0
    send_timeout: Seconds = 1.0
    tls: TlsRules = TlsRules()
    token_env: VariableName | None = None

    @model_validator(mode="after")
    def _plain_or_not(self) -> "TransportRules":
        if self.allow_plaintext and self.tls != TlsRules():
            raise PydanticCustomError("townlet", "either allow_plaintext or settings for tls, not both")
        if self.token_env is not None and (self.allow_plaintext or not self.target.startswith(TCP)):
            raise PydanticCustomError("townlet", "a tcp target under TLS for token_env: nobody else may read it")
        return self


class BufferRules(BaseModel):
    """What waits to be sent: at most `max_bytes`; what is full drops its oldest frames, or makes the towns wait."""

    model_config = STRICT
    max_bytes: int = Field(default=1_048_576, ge=1024, le=16_777_216)
    max_batch: int = Field(default=32, ge=1, le=500)
    when_full: Literal["drop_oldest", "wait"] = "drop_oldest"


class RetryRules(BaseModel):
    """How often a batch is tried before it counts as dropped; the pause doubles from `backoff_seconds` on."""

    model_config = STRICT
    max_attempts: int = Field(default=3, ge=1, le=10)
    backoff_seconds: float = Field(default=0.5, ge=0.0, le=30.0)
    max_backoff_seconds: float = Field(default=8.0, ge=0.0, le=300.0)


class FrameRules(BaseModel):
    """A frame every `every_ticks`, a whole snapshot every `snapshot_every` frames and whenever frames were lost."""

    model_config = STRICT
    every_ticks: Duration = 1
    snapshot_every: Duration = 1440


class NarrationRules(BaseModel):
    """What the narrator may say, in ticks between sentences; priority categories only obey the window's limit.

    A category without a cooldown of its own has the global one. The same sentence does not return within
    `dedupe_window_ticks`.
    """

    model_config = STRICT
    enabled: bool = True
    global_cooldown_ticks: Tick = 30
    category_cooldown_ticks: dict[Category, Tick] = {}
    dedupe_window_ticks: Tick = 20
    global_window_ticks: Duration = 600
    global_window_limit: int = Field(default=10, ge=1, le=1000)
    priority_categories: tuple[Category, ...] = ("death", "utility_outage")


class PrivacyRules(BaseModel):
    """Whether citizens go by a keyed hash of their name; the key is the value of the environment variable `key_env`."""

    model_config = STRICT
    enabled: bool = False
    key_env: VariableName = "TOWNLET_PRIVACY_KEY"


class StarvationRules(BaseModel):
    """A citizen at or below `hunger` for `min_ticks` at a stretch, or dead, is an incident; so many may be."""

    model_config = STRICT
    window_ticks: Duration = 1000
    hunger: Share = 0.1
    min_ticks: Duration = 30
    max_incidents: int = Field(default=0, ge=0, le=100_000)


class RateRules(BaseModel):
    """A rate over a window and its bound; each canary names its own unit. Before `min_samples` nothing is said."""

    model_config = STRICT
    window_ticks: int = Field(ge=2, le=100_000)
    max: float = Field(ge=0.0, le=1e6)
    min_samples: int = Field(default=120, ge=1, le=100_000)

    @model_validator(mode="after")
    def _can_be_reached(self) -> "RateRules":
        if self.min_samples > self.window_ticks / 2:
            raise PydanticCustomError("townlet", "min_samples of at most half of window_ticks, or it stays silent")
        return self


class CanaryRules(BaseModel):
    """When each canary calls.

    `reward_variance`: of rewards per tick. `option_thrash`: changes of option per citizen and tick. `queue_pressure`:
    times that somebody had to queue or squeeze past, per citizen and window. `affordance_failures`: broken-off uses per
    citizen and window. `lateness_spike`: minutes late per shift begun or missed. `clipped_rewards`: share of ticks.
    `rivalry_spike`: rivals that a citizen avoids. `dismissals`: proposed ones per citizen and window, or turned away.
    The samples of `lateness_spike` are shifts, those of the others ticks. The town's file bounds `slot_reuse`.
    """

    model_config = STRICT
    starvation: StarvationRules = StarvationRules()
    reward_variance: RateRules = RateRules(window_ticks=1000, max=1e-4, min_samples=240)
    option_thrash: RateRules = RateRules(window_ticks=600, max=0.027, min_samples=240)
    queue_pressure: RateRules = RateRules(window_ticks=600, max=3.0)
    affordance_failures: RateRules = RateRules(window_ticks=1440, max=0.3)
    lateness_spike: RateRules = RateRules(window_ticks=1440, max=20.0, min_samples=4)
    clipped_rewards: RateRules = RateRules(window_ticks=1440, max=0.05)
    rivalry_spike: RateRules = RateRules(window_ticks=600, max=0.25, min_samples=240)
    dismissals: RateRules = RateRules(window_ticks=1440, max=0.2)


SLOT_REUSE = "slot_reuse"
CANARIES: tuple[str, ...] = (*CanaryRules.model_fields, SLOT_REUSE)
"""Every canary by name. The bound of the last one stands in the town's file, those of the others in their rules."""


class TelemetryConfig(BaseModel):
    """Everything about telemetry; a key that is left out has its default."""

    model_config = STRICT
    transport: TransportRules
    buffer: BufferRules = BufferRules()
    retry: RetryRules = RetryRules()
    frames: FrameRules = FrameRules()
    narration: NarrationRules = NarrationRules()
    privacy: PrivacyRules = PrivacyRules()
    canaries: CanaryRules = CanaryRules()


def load_telemetry(path: str | Path) -> TelemetryConfig:
    """Load the telemetry settings; the files that TLS needs must be there.

    Raises:
        ConfigError: The file, something in it, or a file that it names is missing or wrong.
    """
    document = read_document(path)
    config = read_model(document, TelemetryConfig)
    found = {key: _beside(document, key, getattr(config.transport.tls, key)) for key in TLS_FILES}
    tls = config.transport.tls.model_copy(update=found)
    return config.model_copy(update={"transport": config.transport.model_copy(update={"tls": tls})})


def aimed_at(config: TelemetryConfig, target: str) -> TelemetryConfig:
    """Return the settings with another target, checked as in the file.

    Raises:
        ConfigError: It is no target.
    """
    changed = {**config.model_dump(mode="json"), "transport": {**config.transport.model_dump(), "target": target}}
    places: dict[KeyPath, Place] = {(): _COMMAND_LINE, ("transport", "target"): _COMMAND_LINE}
    return read_model(Document(changed, places), TelemetryConfig)


def _beside(document: Document, key: str, name: str | None) -> str | None:
    if name is None:
        return None
    place = ("transport", "tls", key)
    path = Path(document.place(place)[0].file).parent / name
    if not path.is_file():
        raise document.error(place, f"{path} does not exist; write a path relative to this file")
    return str(path)
