"""The telemetry file is read strictly; what is wrong is named with file, line, key and remedy."""

from pathlib import Path

import pytest

from townlet_core.config.telemetry import TelemetryConfig, aimed_at, endpoint, load_telemetry
from townlet_core.errors import ConfigError

SHIPPED = Path(__file__).parents[3] / "configs" / "telemetry.yaml"


def test_the_shipped_file_says_the_defaults() -> None:
    """But for the cooldowns of categories, which have no other default than the global one."""
    shipped, default = load_telemetry(SHIPPED), TelemetryConfig.model_validate_json('{"transport": {}}')
    quiet = {"category_cooldown_ticks": {}}
    assert shipped.model_copy(update={"narration": shipped.narration.model_copy(update=quiet)}) == default


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("transport: {}\nbufer: {}", "2: bufer: unknown key 'bufer'; did you mean 'buffer'?"),
        ("buffer: {}", "1: transport: missing key; expected a section with keys of its own"),
        ("transport:\n  target: tcp://host", "2: transport.target: found text 'tcp://host', expected tcp://HOST:PORT"),
        ("transport:\n  target: ' '", "2: transport.target: found text ' ', expected stdout, the path of a file"),
        ("transport:\n  tls: {cert_file: a.pem}", "2: transport.tls: needs cert_file and key_file together"),
        ("transport:\n  tls: {ca_file: a.pem}", "2: transport.tls.ca_file: "),
        (
            "transport:\n  allow_plaintext: true\n  tls: {verify_hostname: false}",
            "1: transport: needs either allow_plaintext or settings for tls",
        ),
        ("transport: {}\nretry: {max_attempts: 0}", "2: retry.max_attempts: found 0, expected a whole number from 1"),
        (
            "transport: {}\nbuffer: {when_full: drop}",
            "2: buffer.when_full: unknown name 'drop'; expected one of drop_oldest, wait",
        ),
        (
            "transport: {}\nnarration: {priority_categories: [deth]}",
            "2: narration.priority_categories[0]: unknown name 'deth'; did you mean 'death'?",
        ),
        (
            "transport: {}\nnarration:\n  category_cooldown_ticks: {queu: 3}",
            "3: narration.category_cooldown_ticks.queu: unknown key 'queu'; did you mean 'queue'?",
        ),
        ("transport: {}\nprivacy: {key: abc}", "2: privacy.key: unknown key 'key'; did you mean 'key_env'?"),
    ],
)
def test_a_mistake_is_named_in_one_line(tmp_path: Path, text: str, problem: str) -> None:
    path = tmp_path / "telemetry.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError) as refused:
        load_telemetry(path)
    assert str(refused.value).startswith(f"{path}:{problem}")
    assert "\n" not in str(refused.value)


def test_files_of_tls_lie_beside_the_settings(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("a certificate")
    (tmp_path / "telemetry.yaml").write_text("transport: {tls: {ca_file: ca.pem}}")
    assert load_telemetry(tmp_path / "telemetry.yaml").transport.tls.ca_file == str(tmp_path / "ca.pem")


def test_another_target_keeps_the_rest() -> None:
    shipped = load_telemetry(SHIPPED)
    aimed = aimed_at(shipped, "tcp://[::1]:9000")
    assert endpoint(aimed.transport.target) == ("::1", 9000)
    assert aimed.model_copy(update={"transport": shipped.transport}) == shipped


@pytest.mark.parametrize(
    "target", ["tcp://", "tcp://host", "tcp://host:0", "tcp://host:99999", "tcp://:80", "ftp://x", ""]
)
def test_what_is_no_target_is_refused(target: str) -> None:
    with pytest.raises(ConfigError, match=r"^--telemetry: found text .*, expected "):
        aimed_at(load_telemetry(SHIPPED), target)
