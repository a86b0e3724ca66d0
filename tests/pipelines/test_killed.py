"""Killed in the middle of any step of a promotion: rerun from failure it ends as if nothing had happened."""

import os
import shutil
import signal
from pathlib import Path
from typing import NamedTuple

import dagster as dg
import pytest

from tests.pipelines.conftest import Prepared
from tests.pipelines.dying import Folders, Place, in_a_process, run_command, run_promotion
from tests.pipelines.test_fail_closed import another_candidate
from townlet_core.datasets import Store
from townlet_core.release import verify_bundle
from townlet_core.stability import Release, current_release, history
from townlet_core.stability.pointer import CURRENT_RELEASE, HISTORY

pytestmark = pytest.mark.slow

STEPS = {
    "evaluation",
    "gate_calibration",
    "promotion_decision",
    "promotion_decision_verdict",
    "golden_rollouts",
    "promotion_drill",
    "release_bundle",
    "release_bundle_verifies",
    "release_pointer",
}
DEATHS = {
    "evaluation": Place("line/evaluation.json"),
    "gate_calibration": Place("line/calibration.json"),
    "golden_rollouts": Place("line/golden.json"),
    "promotion_decision": Place("promotion/decision.json"),
    "promotion_drill": Place("line/drill.json"),
    "release_bundle, before it is in its place": Place("releases/townlet-"),
    "release_bundle, before it is known": Place("line/bundle.json"),
    "release_pointer, before the history": Place(HISTORY),
    "release_pointer, between history and pointer": Place(CURRENT_RELEASE),
    "release_pointer, after the pointer": Place(CURRENT_RELEASE, after=True),
}
"""Where a run dies, one death after another; each run goes on from the failure of the one before."""


class Life(NamedTuple):
    """What one run did before it ended: its exit code, the steps that began and that succeeded, and what is current."""

    code: int
    began: set[str]
    succeeded: set[str]
    current: Release | None
    told: int


@pytest.fixture(scope="module")
def waiting(original: Prepared, tmp_path_factory: pytest.TempPathFactory) -> Folders:
    """A house with a release and another candidate that waits to be promoted."""
    root = tmp_path_factory.mktemp("waiting")
    shutil.copytree(original.data, root / "data", ignore=shutil.ignore_patterns("dagster"), copy_function=os.link)
    shutil.copytree(original.configs, root / "configs")
    house = Folders(str(root / "data"), str(root / "configs"), str(root / "home"))
    prepared = original._replace(line=house.line)
    another_candidate(prepared)
    assert prepared.materialise("telemetry_summary").success
    return house


def copied(house: Folders, root: Path) -> Folders:
    shutil.copytree(house.data, root / "data", copy_function=os.link)
    shutil.copytree(house.configs, root / "configs")
    return Folders(str(root / "data"), str(root / "configs"), str(root / "home"))


@pytest.fixture(scope="module")
def undisturbed(waiting: Folders, tmp_path_factory: pytest.TempPathFactory) -> Folders:
    """The house after a promotion in which nothing happened."""
    house = copied(waiting, tmp_path_factory.mktemp("undisturbed"))
    assert in_a_process(run_promotion, house, None, None) == 0
    return house


@pytest.fixture(scope="module")
def disturbed(waiting: Folders, tmp_path_factory: pytest.TempPathFactory) -> tuple[Folders, dict[str, Life]]:
    """The house after a promotion that was killed in every step, and what each of its runs did."""
    house = copied(waiting, tmp_path_factory.mktemp("disturbed"))
    lives, parent = {}, None
    for name, place in [*DEATHS.items(), ("nothing more", None)]:
        code = in_a_process(run_promotion, house, place, parent)
        parent, lives[name] = ended(house, code)
    return house, lives


def ended(house: Folders, code: int) -> tuple[str, Life]:
    """What the newest run did; one that was killed is marked as failed, as Dagster's daemon does."""
    store = Store(house.data)
    with house.instance() as instance:
        run = instance.get_runs(limit=1)[0]
        if not run.is_finished:
            instance.report_run_failed(run)
        began, succeeded = (
            {log.dagster_event.step_key for log in instance.all_logs(run.run_id, of_type=kind) if log.dagster_event}
            for kind in (dg.DagsterEventType.STEP_START, dg.DagsterEventType.STEP_SUCCESS)
        )
    known = ({key or "" for key in keys} for keys in (began, succeeded))
    life = Life(code, *known, current_release(store), len(history(store)))
    return run.run_id, life


def test_every_death_was_one_and_the_last_run_lived(disturbed: tuple[Folders, dict[str, Life]]) -> None:
    *deaths, last = disturbed[1].values()
    assert {life.code for life in deaths} == {-signal.SIGKILL}
    assert last.code == 0


@pytest.mark.parametrize("name", DEATHS)
def test_a_killed_step_is_the_one_that_was_meant(disturbed: tuple[Folders, dict[str, Life]], name: str) -> None:
    life = disturbed[1][name]
    assert life.began - life.succeeded == {name.split(",")[0]}


def test_no_step_that_succeeded_runs_again_and_nothing_is_trained(
    disturbed: tuple[Folders, dict[str, Life]], waiting: Folders
) -> None:
    done: set[str] = set()
    for life in disturbed[1].values():
        assert not life.began & done
        done |= life.succeeded
    assert done == STEPS
    trained = [
        sorted(path.name for path in (Path(house.data) / "artifacts/derivations/candidate").iterdir())
        for house in (waiting, disturbed[0])
    ]
    assert trained[0] == trained[1]


def test_the_old_release_or_the_new_one_is_current_after_every_death(
    disturbed: tuple[Folders, dict[str, Life]], waiting: Folders, undisturbed: Folders
) -> None:
    old, new = current_release(Store(waiting.data)), current_release(Store(undisturbed.data))
    assert old is not None
    assert new is not None
    assert old.policy_digest != new.policy_digest
    found = {name: life.current for name, life in disturbed[1].items()}
    moved = ("release_pointer, after the pointer", "nothing more")
    assert found == {name: new if name in moved else old for name in found}
    told = [life.told for life in disturbed[1].values()]
    assert told == [1] * 8 + [2] * 3


def test_it_ends_as_the_promotion_in_which_nothing_happened(
    disturbed: tuple[Folders, dict[str, Life]], undisturbed: Folders
) -> None:
    stores = [Store(house.data) for house in (disturbed[0], undisturbed)]
    ours, theirs = (current_release(store) for store in stores)
    assert ours == theirs
    assert ours is not None
    bundle = Path(disturbed[0].data) / ours.bundle
    report = verify_bundle(bundle)
    assert report.ok
    assert report.content_digest == ours.content_digest
    lines = [[(one.event, one.release, one.previous) for one in history(store)] for store in stores]
    assert lines[0] == lines[1]
    assert not list((Path(disturbed[0].data) / "releases").glob(".staging-*"))


@pytest.fixture
def ready(undisturbed: Folders, waiting: Folders, tmp_path: Path) -> Folders:
    """A house whose promotion stands and was not applied yet."""
    house = copied(undisturbed, tmp_path)
    for name in (CURRENT_RELEASE, HISTORY):
        path = Path(house.data) / name
        path.unlink()
        path.write_bytes((Path(waiting.data) / name).read_bytes())
    return house


MOVES = [Place(HISTORY), Place(CURRENT_RELEASE), Place(CURRENT_RELEASE, after=True)]


@pytest.mark.parametrize("place", MOVES, ids=["before the history", "before the pointer", "after the pointer"])
def test_applying_and_rolling_back_may_be_killed_and_repeated(
    ready: Folders, undisturbed: Folders, place: Place
) -> None:
    store = Store(ready.data)
    old, new = current_release(store), current_release(Store(undisturbed.data))
    assert old is not None
    assert new is not None
    for words, before, after in ((["apply"], old, new), (["rollback"], new, old)):
        assert in_a_process(run_command, ready, place, "promote", *words) == -signal.SIGKILL
        assert current_release(store) == (after if place.after else before)
        assert history(store)
        assert in_a_process(run_command, ready, None, "promote", *words) == 0
        assert current_release(store) == after
    events = [(entry.event, entry.release.release_id, entry.previous) for entry in history(store)]
    assert events[1:] == [("promoted", new.release_id, old.release_id), ("rolled_back", old.release_id, new.release_id)]
