"""An older file is brought up to date by the shortest registered way, and remembers every step."""

from pathlib import Path

import numpy as np
import pytest

from tests.core.snapshots.conftest import CONFIGS
from townlet_core.config import TownConfig, config_digest, load_config
from townlet_core.core import SCHEMA_VERSION, Simulation
from townlet_core.core.statefile import StateFile, read_statefile, write_statefile
from townlet_core.errors import DataError
from townlet_core.policy.teacher import Teacher
from townlet_core.snapshots import Migration, inspect, load, migrate, migrated, shortest_path
from townlet_core.world.state import SHIFT_NAMES


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
    return StateFile({**stored.header, "schema_version": SCHEMA_VERSION}, arrays)


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


WALLET = Migration("schema:0", f"schema:{SCHEMA_VERSION}", "wallet", purse_to_wallet)


def test_an_old_file_lives_on_after_its_migration(old: Path, lived: Simulation) -> None:
    new = old.with_name("new.safetensors")
    assert migrate(old, new, registry=[WALLET]) == (f"schema:0->schema:{SCHEMA_VERSION}:wallet",)
    restored = load(new)
    assert restored.migrations == (f"schema:0->schema:{SCHEMA_VERSION}:wallet",)
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
    one, two = SCHEMA_VERSION + 1, SCHEMA_VERSION + 2
    twice = migrated(stored, f"schema:{one}", [to_schema(one)], "file")
    twice = migrated(twice, f"schema:{two}", [to_schema(two)], "file")
    assert twice.header["migrations"] == [to_schema(version).identifier for version in (one, two)]
    assert stored.header["migrations"] == []


def test_without_a_way_nothing_is_written(old: Path) -> None:
    new = old.with_name("new.safetensors")
    with pytest.raises(
        DataError, match=f"no migration leads from schema:0 to schema:{SCHEMA_VERSION}; registered steps: none"
    ):
        migrate(old, new, registry=[])
    assert not new.exists()


def fails(stored: StateFile) -> StateFile:
    raise KeyError("wallet")


def goes_astray(stored: StateFile) -> StateFile:
    return stored._replace(header={**stored.header, "schema_version": 9})


def forgets_the_wallet(stored: StateFile) -> StateFile:
    return stored._replace(header={**stored.header, "schema_version": SCHEMA_VERSION})


@pytest.mark.parametrize(
    ("apply", "reason"),
    [
        (fails, f"migration schema:0->schema:{SCHEMA_VERSION}:wallet failed: KeyError"),
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


def money(sim: Simulation) -> float:
    towns = sim.state.towns
    return float(sim.agents["wallet"].sum() + towns["treasury"].sum() + towns["supplier"].sum() + towns["tills"].sum())


def test_towns_of_the_first_schema_go_on_as_they_were(tmp_path: Path) -> None:
    """A file written before citizens could leave: two clerks in the third hour of their second shift."""
    first = Path(__file__).parent / "golden" / "schema_1.safetensors"
    with pytest.raises(DataError, match="run townlet snapshot migrate"):
        load(first)
    assert migrate(first, tmp_path / "new") == ("schema:1->schema:3:lives",)
    old, restored = read_statefile(first).arrays["state.agents"], load(tmp_path / "new")
    sim, agents = restored.sim, restored.sim.agents
    for name in ("wallet", "needs", "y", "x", "option", "shift_present", "reward_sum", "shifts"):
        assert np.array_equal(agents[name], old[name]), name
    assert [SHIFT_NAMES[state] for state in agents["shift_state"][0]] == ["on_time", "on_time"]
    assert agents["attendance"][0, :, 0].tolist() == old["attendance"][0, :, 0].tolist()
    assert (agents["employed"] == 1).all()
    assert sim.people() == ("agent_1", "agent_2")
    whole = money(sim)
    for _ in range(1440):
        agents["needs"] = np.maximum(agents["needs"], 0.5)
        sim.step(np.zeros(sim.shape, np.int8))
    assert agents["shifts"].tolist() == (old["shifts"] + 1).tolist()
    assert (agents["attendance"][0, :, 1] > 0.2).all(), "the shift that ran when the file was written counts in full"
    assert money(sim) == pytest.approx(whole)
    assert agents["alive"].all()
    assert agents["employed"].all()


def test_towns_of_the_second_schema_go_on_to_the_bit(tmp_path: Path) -> None:
    """A file written before there were patience and frugality: two clerks at eleven on the second day."""
    second = Path(__file__).parent / "golden" / "schema_2.safetensors"
    assert migrate(second, tmp_path / "new") == ("schema:2->schema:3:widening",)
    old, sim = read_statefile(second).arrays, load(tmp_path / "new").sim
    for name in ("wallet", "needs", "y", "x", "option", "finished", "reward_sum"):
        assert np.array_equal(sim.agents[name], old["state.agents"][name]), name
    assert np.array_equal(sim.agents["personality"][..., :3], old["state.agents"]["personality"])
    assert np.array_equal(sim.state.towns["trait_shift"][:, :3], old["state.towns"]["trait_shift"])
    assert (sim.agents["personality"][..., 3:] == 0).all()
    assert np.array_equal(sim.agents["queue_waits"], old["state.agents"]["conflicts"])
    assert (sim.agents["conflicts"] == 0).all()
    assert np.array_equal(sim.state.towns["streams"], old["state.towns"]["streams"])
    assert not sim.config.personality.patience
    lived = Simulation(load_config(CONFIGS / "towns" / "hamlet.yaml"), 1, seed=5)
    teacher = Teacher(lived)
    for _ in range(1740):
        lived.step(teacher.act())
    assert np.array_equal(lived.agents["wallet"], sim.agents["wallet"])
    lived.agents["conflicts"] = 0  # a file of schema 2 tells nothing of them
    for one in (lived, sim):
        for _ in range(200):
            one.step(np.zeros(one.shape, np.int8))
    assert lived.agents.tobytes() == sim.agents.tobytes()
