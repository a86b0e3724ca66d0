"""What is not exactly a sound snapshot of towns like these is refused in one line that says why."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from townlet_core.config import Guardrails, SnapshotRules, TownConfig, config_digest
from townlet_core.core import SCHEMA_VERSION, Actor, Simulation
from townlet_core.core.statefile import StateFile, read_statefile, write_statefile
from townlet_core.errors import DataError, InputError
from townlet_core.snapshots import allowed_folders, inspect, load, require_inside, save

REUSE = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
LENIENT = Guardrails(require_exact_config=False)


def rewritten(path: Path, change: Callable[[dict[str, Any], dict[str, Any]], None]) -> Path:
    """A file like another with its header or arrays changed, sealed anew as a forger would."""
    stored = read_statefile(path)
    header, arrays = json.loads(json.dumps(stored.header)), dict(stored.arrays)
    change(header, arrays)
    target = path.with_name("changed.safetensors")
    write_statefile(target, StateFile(header, arrays))
    return target


def refusal(path: Path, **options: Any) -> str:
    """The one line with which a file is refused."""
    with pytest.raises(InputError) as refused:
        load(path, **options)
    line = str(refused.value)
    assert line.startswith(str(path))
    assert len(line.splitlines()) == 1
    return line


def content_of(sim: Simulation) -> dict[str, bytes]:
    """Everything a simulation holds."""
    return {name: array.tobytes() for name, array in sim.arrays().items()}


@REUSE
@given(length=st.floats(0, 1, exclude_max=True))
def test_a_truncated_file_is_refused(saved: Path, length: float) -> None:
    short = saved.with_name("short.safetensors")
    short.write_bytes(saved.read_bytes()[: int(length * saved.stat().st_size)])
    refusal(short)


@REUSE
@given(place=st.floats(0, 1, exclude_max=True), head=st.booleans(), flip=st.integers(1, 255))
def test_a_spoilt_byte_is_refused_or_harmless(saved: Path, place: float, head: bool, flip: int) -> None:
    """Only the blanks that pad the table of arrays may change without changing what is loaded."""
    content = bytearray(saved.read_bytes())
    size = 8 + int.from_bytes(content[:8], "little") if head else len(content)
    content[int(place * size)] ^= flip
    spoilt = saved.with_name("spoilt.safetensors")
    spoilt.write_bytes(bytes(content))
    try:
        found = content_of(load(spoilt).sim)
    except InputError as error:
        found = str(error).splitlines()
    assert len(found) == 1 or found == content_of(load(saved).sim)


@pytest.mark.parametrize("content", [b"", b"\x00" * 8, b"PK\x03\x04 not ours", b"\x02" + b"\x00" * 7 + b"{}"])
def test_another_kind_of_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "stray"
    path.write_bytes(content)
    assert "snapshot" in refusal(path) or "damaged" in refusal(path)


def test_a_pickle_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "evil.npy"
    np.save(path, np.array([print], dtype=object), allow_pickle=True)
    assert "damaged" in refusal(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path / "none").endswith("there is no such file; name a snapshot")


def test_a_newer_schema_is_refused_unless_it_may_be_tried(saved: Path) -> None:
    newer = rewritten(saved, lambda header, _: header.update(schema_version=SCHEMA_VERSION + 1))
    assert f"schema_version is {SCHEMA_VERSION + 1}, newer than {SCHEMA_VERSION}" in refusal(newer)
    assert load(newer, guardrails=Guardrails(allow_downgrade=True)).identity.tick == 130
    assert inspect(newer)["schema_version"] == SCHEMA_VERSION + 1


def test_an_older_schema_is_sent_to_its_migration(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    later = SCHEMA_VERSION + 1
    monkeypatch.setattr("townlet_core.core.identity.SCHEMA_VERSION", later)
    said = f"schema_version is {SCHEMA_VERSION}, this version reads {later}; run townlet snapshot migrate"
    assert said in refusal(saved)


def test_another_configuration_is_refused_with_the_first_difference(saved: Path, config: TownConfig) -> None:
    cheaper = config.model_copy(update={"economy": config.economy.model_copy(update={"rent_per_day": 1.0})})
    line = refusal(saved, config=cheaper)
    assert config_digest(config)[:12] in line
    assert config_digest(cheaper)[:12] in line
    assert "first difference: economy" in line


def test_the_same_configuration_is_welcome(saved: Path, config: TownConfig) -> None:
    assert load(saved, config).migrations == ()


def test_towns_may_go_on_by_other_prices_where_that_is_allowed(saved: Path, config: TownConfig) -> None:
    cheaper = config.model_copy(update={"economy": config.economy.model_copy(update={"rent_per_day": 1.0})})
    restored = load(saved, cheaper, LENIENT)
    assert restored.sim.config == cheaper
    assert restored.identity.config_digest == config_digest(cheaper)
    assert content_of(restored.sim) == content_of(load(saved).sim)
    assert [step.split(":")[-1] for step in restored.migrations] == ["adopted"]


def test_towns_never_go_on_by_another_map(
    saved: Path, scenario_config: Callable[[str], TownConfig], config: TownConfig
) -> None:
    assert ": map: differs" in refusal(saved, config=scenario_config("one_shower"), guardrails=LENIENT)
    later = config.model_copy(update={"clock": config.clock.model_copy(update={"start_tick": 7})})
    assert ": clock: differs" in refusal(saved, config=later, guardrails=LENIENT)


def test_another_record_is_refused_by_its_first_differing_field(saved: Path) -> None:
    def rename(_: dict[str, Any], arrays: dict[str, Any]) -> None:
        agents = arrays["state.agents"]
        form = {name: agents.dtype.fields[name] for name in agents.dtype.names}
        names = ["purse" if name == "wallet" else name for name in agents.dtype.names]
        arrays["state.agents"] = agents.view(
            {"names": names, "formats": [form[name][0] for name in agents.dtype.names],
             "offsets": [form[name][1] for name in agents.dtype.names], "itemsize": agents.dtype.itemsize}
        )  # fmt: skip

    assert "array state.agents: field 1 is purse <f8 at 16 in the file and wallet <f8 at 16" in refusal(
        rewritten(saved, rename)
    )


def lost(_: dict[str, Any], arrays: dict[str, Any]) -> None:
    del arrays["outputs.masks"]


def added(_: dict[str, Any], arrays: dict[str, Any]) -> None:
    arrays["state.ghosts"] = np.zeros(3)


def halved(_: dict[str, Any], arrays: dict[str, Any]) -> None:
    arrays["outputs.features"] = arrays["outputs.features"][:1]


def fewer_people(_: dict[str, Any], arrays: dict[str, Any]) -> None:
    arrays["state.agents"] = arrays["state.agents"][:, :3]


def more_towns(header: dict[str, Any], _: dict[str, Any]) -> None:
    header["identity"]["towns"] = 2**31 - 1


def other_streams(header: dict[str, Any], _: dict[str, Any]) -> None:
    header["identity"]["streams"] = ["world"]


def other_tick(header: dict[str, Any], _: dict[str, Any]) -> None:
    header["identity"]["tick"] = 7


def other_layout(header: dict[str, Any], _: dict[str, Any]) -> None:
    header["identity"]["layout_digest"] = "0" * 64


def other_config(header: dict[str, Any], _: dict[str, Any]) -> None:
    header["identity"]["config"]["economy"]["rent_per_day"] = 1.5


def bad_config(header: dict[str, Any], _: dict[str, Any]) -> None:
    header["identity"]["config"]["agnets"] = 8


def unknown_key(header: dict[str, Any], _: dict[str, Any]) -> None:
    header["identity"]["mood"] = "good"


def bad_steps(header: dict[str, Any], _: dict[str, Any]) -> None:
    header["migrations"] = 3


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lost, "array outputs.masks is missing"),
        (added, "array state.ghosts is unknown"),
        (halved, "array outputs.features has the shape"),
        (fewer_people, "array state.agents has the shape"),
        (more_towns, "array state.agents has the shape"),
        (other_streams, "identity.streams"),
        (other_tick, "identity.tick is 7"),
        (other_layout, "layout_digest"),
        (other_config, "config_digest"),
        (bad_config, "agnets"),
        (unknown_key, "identity.mood"),
        (bad_steps, "migrations: expected a list of words"),
    ],
)
def test_a_header_that_does_not_fit_its_arrays_is_refused(saved: Path, change: Any, reason: str) -> None:
    assert reason in refusal(rewritten(saved, change))


@pytest.mark.parametrize(
    ("array", "field", "value"),
    [
        ("agents", "y", -1), ("agents", "x", 30_000), ("agents", "target", 30_000), ("agents", "affordance", -2),
        ("agents", "option", 255), ("agents", "phase", 9), ("agents", "shift_state", 77), ("agents", "shifts", -5),
        ("fixtures", "user", 8), ("towns", "event_count", 10_000), ("towns", "tick", -3), ("agents", "wallet", np.nan),
    ],
)  # fmt: skip
def test_a_forged_number_never_reaches_a_kernel(saved: Path, array: str, field: str, value: float) -> None:
    def forge(_: dict[str, Any], arrays: dict[str, Any]) -> None:
        spoilt = arrays[f"state.{array}"].copy()
        spoilt[field].flat[0] = value
        arrays[f"state.{array}"] = spoilt

    assert f"{array}.{field}" in refusal(rewritten(saved, forge))


def test_a_form_that_could_hold_objects_is_refused(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from townlet_core.core import statefile
    from townlet_core.core.forms import Field, Form

    forged = Form(itemsize=8, fields=(Field("wallet", "|O8", (), 0),))
    monkeypatch.setattr(statefile, "form_of", lambda dtype: forged)
    path = rewritten(saved, lambda header, arrays: None)
    monkeypatch.undo()
    assert "'wallet' is not stored as a plain number" in refusal(path)


def test_snapshots_stay_below_their_root_and_what_is_allowed_beside_it(tmp_path: Path) -> None:
    (tmp_path / "data" / "snapshots").mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "data" / "snapshots" / "link").symlink_to(tmp_path / "elsewhere")
    closed = allowed_folders(SnapshotRules(), tmp_path / "data")
    require_inside(tmp_path / "data" / "snapshots" / "deep" / "one", closed)
    for outside in ("elsewhere/one", "data/snapshots/../one", "data/snapshots/link/one", "data/snapshots-2/one"):
        with pytest.raises(DataError, match=r"lies outside .*snapshots; put it there, or add its folder to"):
            require_inside(tmp_path / outside, closed)
    opened = SnapshotRules(guardrails=Guardrails(allowed_paths=(str(tmp_path / "elsewhere"),)))
    require_inside(tmp_path / "elsewhere" / "one", allowed_folders(opened, tmp_path / "data"))


def test_a_full_disk_leaves_the_older_file(lived: Simulation, saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = saved.read_bytes()

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    lived.step(np.zeros(lived.shape, np.int8))
    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(DataError, match="No space left on device"):
        lived.save(saved)
    assert saved.read_bytes() == before
    assert [path.name for path in saved.parent.iterdir()] == [saved.name]


def test_a_file_says_who_chose_and_what_it_went_through(lived: Simulation, tmp_path: Path) -> None:
    actor = Actor("candidate", "ab" * 32, 0.25)
    save(lived, tmp_path / "one", actor, ["schema:0->schema:1:made-up"])
    restored = load(tmp_path / "one")
    identity = restored.identity
    assert Actor(identity.policy_name, identity.policy_digest, identity.anneal_ratio) == actor
    assert restored.migrations == ("schema:0->schema:1:made-up",)
    shutil.copy(tmp_path / "one", tmp_path / "two")
    assert inspect(tmp_path / "two")["identity"]["policy_digest"] == "ab" * 32
