"""The log of a training as the gate gets it: from the candidate's record, and from the current release's bundle."""

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.core.policy.logbook.conftest import update
from tests.small_layouts import small_layout
from townlet_core.errors import DataError
from townlet_core.policy.checkpoint import save_checkpoint
from townlet_core.policy.network import NetworkSize, network_tensors, seeded_network
from townlet_core.policy.training_figures import Annealing
from townlet_core.policy.training_log import UpdateRecord, write_table
from townlet_core.release.candidate import Candidate
from townlet_core.release.manifest import manifest_bytes, scan
from townlet_core.release.training_evidence import LOG_IN_BUNDLE, candidate_training, release_training
from townlet_core.release.workshop import Workshop

LAYOUT = small_layout(5)
PROFILE = {"profile": "quick", "seed": 7, "ppo": {"updates": 4}}
IMPROVED = {"clone": "c" * 64, "profile": PROFILE, "updates": 2}
RECORDS = [update(number, updates=4, kl_divergence=number / 100, return_mean=None) for number in range(1, 4)]
RECORDS += [update(4, updates=4, kl_divergence=0.04, return_mean=3.0)]


def saved(folder: Path, trained: dict[str, Any]) -> str:
    size = NetworkSize(LAYOUT.cells, len(LAYOUT.features), len(LAYOUT.actions), hidden=8, map_hidden=4)
    return save_checkpoint(folder, network_tensors(seeded_network(size, 1)), LAYOUT, trained)


def log_bytes(folder: Path, records: list[UpdateRecord]) -> bytes:
    write_table(records, folder / "log.parquet", lasting=True)
    return (folder / "log.parquet").read_bytes()


def candidate(workshop: Workshop, trained: dict[str, Any] = IMPROVED, content: bytes | None = None) -> Candidate:
    """A candidate that ships what its training gave, and its log."""
    folder = workshop.data / "candidates/one"
    policy = saved(folder, trained)
    log = workshop.artifacts.put_bytes(content or log_bytes(workshop.data, RECORDS), ".parquet") + ".parquet"
    return Candidate({"digest": policy, "improvement": {"digest": policy, "log": log}}, folder, reused=True)


def bundle(root: Path, trained: dict[str, Any] = IMPROVED, records: list[UpdateRecord] | None = RECORDS) -> Path:
    """A bundle as far as it matters here: its policy, its log and its manifest."""
    saved(root / "bundle/content/policy", trained)
    if records is not None:
        write_table(records, root / "bundle/content" / LOG_IN_BUNDLE, lasting=True)
    (root / "bundle/manifest.json").write_bytes(manifest_bytes(scan(root / "bundle")))
    return root / "bundle"


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    return Workshop(tmp_path)


def test_figures_are_means_over_the_last_updates(workshop: Workshop) -> None:
    one = candidate(workshop)
    found = candidate_training(one, workshop, 2)
    assert found is not None
    assert (found.policy_digest, found.logged, found.planned, found.form) == (one.digest, 4, 4, "4.0")
    assert found.figures["kl"] == pytest.approx(0.035)
    assert found.figures["return"] == 3.0
    assert found.figures["validated_return"] is None
    assert "speed" not in found.figures


def test_candidate_and_release_of_one_training_say_the_same(workshop: Workshop, tmp_path: Path) -> None:
    assert candidate_training(candidate(workshop), workshop, 3) == release_training(bundle(tmp_path), 3)


def test_the_recipe_is_the_profile_without_its_name_and_seed(tmp_path: Path) -> None:
    def recipe(name: str, **profile: Any) -> str | None:
        found = release_training(bundle(tmp_path / name, {**IMPROVED, "profile": PROFILE | profile}), 2)
        assert found is not None
        return found.recipe

    assert recipe("one") == recipe("two", seed=8, profile="mine")
    assert recipe("one") != recipe("three", ppo={"updates": 5})


def test_a_clone_has_no_log_even_where_one_lies_beside_it(workshop: Workshop, tmp_path: Path) -> None:
    cloned = {"dataset": "d" * 64, "profile": PROFILE}
    ours = candidate_training(candidate(workshop, cloned), workshop, 2)
    for found in (ours, release_training(bundle(tmp_path, cloned), 2)):
        assert found is not None
        assert (found.recipe, found.figures, found.logged) == (None, {}, 0)


def test_an_improvement_without_a_log_is_missing_evidence(workshop: Workshop, tmp_path: Path) -> None:
    found = candidate(workshop)
    lost = Candidate({"digest": found.digest, "improvement": None}, found.folder, reused=True)
    assert candidate_training(lost, workshop, 2) is None
    assert release_training(bundle(tmp_path, records=None), 2) is None


def test_a_figure_that_is_no_number_in_the_log_is_no_figure(workshop: Workshop) -> None:
    sour = [update(1), update(2).model_copy(update={"grad_norm": float("nan")})]
    content = log_bytes(workshop.data, sour)
    found = candidate_training(candidate(workshop, content=content), workshop, 2)
    assert found is not None
    assert (found.figures["grad"], found.figures["kl"]) == (None, 0.005)


@pytest.mark.parametrize("ended", [True, False])
def test_how_annealing_ended_is_told(workshop: Workshop, ended: bool) -> None:
    steps = [Annealing(step=0, ratio=0.8, frozen=not ended), Annealing(step=1, ratio=0.4, frozen=ended)]
    records = [update(n, data_mode="anneal", annealing=step) for n, step in enumerate(steps, 1)]
    found = candidate_training(candidate(workshop, content=log_bytes(workshop.data, records)), workshop, 2)
    assert found is not None
    assert (found.mode, found.frozen) == ("anneal", ended)


def test_a_log_of_another_form_is_told_and_not_read(tmp_path: Path) -> None:
    old = [record.model_copy(update={"schema_version": "2.0"}) for record in RECORDS]
    found = release_training(bundle(tmp_path, records=old), 2)
    assert found is not None
    assert (found.form, found.logged, found.figures) == ("2.0", 0, {})


def test_a_log_with_a_missing_field_is_refused_by_name(workshop: Workshop) -> None:
    log_bytes(workshop.data, RECORDS)
    path = workshop.data / "log.parquet"
    pq.write_table(pq.read_table(path).drop_columns(["episodes.survival"]), path)
    with pytest.raises(DataError, match=r"[0-9a-f]{64}\.parquet: row 1: episodes\.survival: Field required"):
        candidate_training(candidate(workshop, content=path.read_bytes()), workshop, 2)


def test_a_log_that_the_manifest_does_not_name_is_refused(tmp_path: Path) -> None:
    folder = bundle(tmp_path)
    write_table(RECORDS[:2], folder / "content" / LOG_IN_BUNDLE, lasting=True)
    with pytest.raises(DataError, match=r"updates\.parquet: is not the log that the bundle's manifest names"):
        release_training(folder, 2)
