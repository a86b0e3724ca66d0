"""An older file is brought up to date by the shortest registered way, and remembers every step."""

from pathlib import Path

import numpy as np
import pytest

from townlet_core.config import TownConfig, config_digest
from townlet_core.core import Simulation
from townlet_core.core.statefile import StateFile, read_statefile, write_statefile
from townlet_core.errors import DataError
from townlet_core.snapshots import MIGRATIONS, Migration, inspect, load, migrate, migrated, shortest_path


def to_schema(version: int) -> Migration:
    """A step that does nothing but raise the version by one."""

    def raised(stored: StateFile) -> StateFile:
        return stored._replace(header={**stored.header, "schema_version": version})

    return Migration(f"schema:{version - 1}", f"schema:{version}", "raised", raised)


def jump(source: int, target: int, name: str = "jump") -> Migration:
    """A step over several versions."""
    return to_schema(target)._replace(source=f"schema:{source}", name=name)


def purse_to_wallet(stored: StateFile) -> StateFile:
    """What a real step does: a field gets its new name, and the version rises."""
    agents = stored.arrays["state.agents"]
    names = ["wallet" if name == "purse" else name for name in agents.dtype.names or ()]
    arrays = {**stored.arrays, "state.agents": agents.view(described(agents, names))}
    return StateFile({**stored.header, "schema_version": 1}, arrays)


def described(records: np.ndarray, names: list[str]) -> np.dtype:
    """The dtype of records with other names for their fields."""
    parts = [records.dtype.fields[name] for name in records.dtype.names]
    return np.dtype(
        {"names": names, "formats": [part[0] for part in parts], "offsets": [part[1] for part in parts],
         "itemsize": records.dtype.itemsize}
    )  # fmt: skip


@pytest.fixture
def old(saved: Path) -> Path:
    """A file of a schema in which the wallet was called a purse."""
    stored = read_statefile(saved)
    agents = stored.arrays["state.agents"]
    names = ["purse" if name == "wallet" else name for name in agents.dtype.names]
    arrays = {**stored.arrays, "state.agents": agents.view(described(agents, names))}
    path = saved.with_name("old.safetensors")
    write_statefile(path, StateFile({**stored.header, "schema_version": 0}, arrays))
    return path


WALLET = Migration("schema:0", "schema:1", "wallet", purse_to_wallet)


def test_an_old_file_lives_on_after_its_migration(old: Path, lived: Simulation) -> None:
    new = old.with_name("new.safetensors")
    assert migrate(old, new, registry=[WALLET]) == ("schema:0->schema:1:wallet",)
    restored = load(new)
    assert restored.migrations == ("schema:0->schema:1:wallet",)
    for name, array in lived.arrays().items():
        assert array.tobytes() == restored.sim.arrays()[name].tobytes()
    assert inspect(old)["schema_version"] == 0


def test_the_shortest_way_is_taken_and_the_first_of_two_equal_ones() -> None:
    steps = [to_schema(2), to_schema(3), to_schema(4), jump(1, 3), jump(2, 4), jump(1, 3, "later")]
    path = shortest_path("schema:1", "schema:4", steps)
    assert path is not None
    assert [step.identifier for step in path] == ["schema:1->schema:2:raised", "schema:2->schema:4:jump"]
    assert shortest_path("schema:4", "schema:4", steps) == ()
    assert shortest_path("schema:4", "schema:1", steps) is None


def test_every_step_is_recorded_behind_the_earlier_ones(saved: Path) -> None:
    stored = read_statefile(saved)
    twice = migrated(migrated(stored, "schema:2", [to_schema(2)], "file"), "schema:3", [to_schema(3)], "file")
    assert twice.header["migrations"] == ["schema:1->schema:2:raised", "schema:2->schema:3:raised"]
    assert stored.header["migrations"] == []


def test_without_a_way_nothing_is_written(old: Path) -> None:
    new = old.with_name("new.safetensors")
    with pytest.raises(DataError, match="no migration leads from schema:0 to schema:1; registered steps: none"):
        migrate(old, new, registry=[])
    assert not new.exists()


def fails(stored: StateFile) -> StateFile:
    raise KeyError("wallet")


def goes_astray(stored: StateFile) -> StateFile:
    return stored._replace(header={**stored.header, "schema_version": 9})


def forgets_the_wallet(stored: StateFile) -> StateFile:
    return stored._replace(header={**stored.header, "schema_version": 1})


@pytest.mark.parametrize(
    ("apply", "reason"),
    [
        (fails, "migration schema:0->schema:1:wallet failed: KeyError"),
        (goes_astray, "ended at schema:9; mend the migration"),
        (forgets_the_wallet, "field 1 is purse"),
    ],
)
def test_a_step_that_does_not_do_its_work_writes_nothing(old: Path, apply: object, reason: str) -> None:
    new = old.with_name("new.safetensors")
    with pytest.raises(DataError, match=reason):
        migrate(old, new, registry=[WALLET._replace(apply=apply)])
    assert not new.exists()


def renamed(config: TownConfig, rent: float) -> TownConfig:
    """The town with another name and another rent."""
    return config.model_copy(
        update={"config_id": "cheap-hybrid-2", "economy": config.economy.model_copy(update={"rent_per_day": rent})}
    )


def test_towns_adopt_another_configuration_and_say_so(saved: Path, config: TownConfig) -> None:
    new, cheap = saved.with_name("new.safetensors"), renamed(config, 1.0)
    steps = migrate(saved, new, cheap)
    assert steps == (f"config:{config_digest(config)[:12]}->config:{config_digest(cheap)[:12]}:adopted",)
    assert load(new, cheap).sim.config == cheap


def test_a_registered_way_to_a_configuration_goes_before_adopting_it(saved: Path, config: TownConfig) -> None:
    cheap = renamed(config, 1.0)

    def compensate(stored: StateFile) -> StateFile:
        agents = stored.arrays["state.agents"].copy()
        agents["wallet"] += 100.0
        identity = {
            **stored.header["identity"],
            "config": cheap.model_dump(mode="json"),
            "config_id": cheap.config_id,
            "config_digest": config_digest(cheap),
        }
        return StateFile({**stored.header, "identity": identity}, {**stored.arrays, "state.agents": agents})

    step = Migration(f"config:{config.config_id}", "config:cheap-hybrid-2", "compensate", compensate)
    new = saved.with_name("new.safetensors")
    assert migrate(saved, new, cheap, registry=[step]) == (step.identifier,)
    before, after = load(saved).sim, load(new, cheap).sim
    assert np.array_equal(after.agents["wallet"], before.agents["wallet"] + 100.0)


def test_no_history_is_made_up() -> None:
    assert MIGRATIONS == ()
