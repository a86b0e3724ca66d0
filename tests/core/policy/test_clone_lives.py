"""From captured decisions to a citizen: a clone of few towns already lives in towns it has never seen."""

import json
from pathlib import Path

import pytest

from townlet_core.config import CaptureRules, load_curation, load_scenario, load_training
from townlet_core.datasets import DecisionReader, Store, build_version, capture, curate
from townlet_core.datasets.splitting import SIDES
from townlet_core.observations.layout import ObservationLayout
from townlet_core.policy import LearnedPolicy, Teacher, load_checkpoint, save_checkpoint
from townlet_core.policy.bc import BCResult, train_bc
from townlet_core.policy.network import network_tensors
from townlet_core.stability import Contender, difference, estimate, evaluate

CONFIGS = Path(__file__).parents[3] / "configs"


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[BCResult, LearnedPolicy]:
    """A clone of thirty-two towns' day, through the dataset version and the checkpoint that a release would use."""
    store = Store(tmp_path_factory.mktemp("line"))
    scenario = load_scenario("ordinary_day", CONFIGS)._replace(capture=CaptureRules(towns=32, days=1, exploration=0.05))
    rules = load_curation(CONFIGS / "curation.yaml")
    recorded = capture(scenario, "2026-11-01", store, policy_factory=Teacher)
    manifest = build_version([curate(recorded, rules, store)], rules, store)
    readers = [DecisionReader(manifest, store, side) for side in SIDES]
    result = train_bc(*readers, load_training(CONFIGS / "training/quick.yaml"))
    layout = ObservationLayout.from_json(json.dumps(readers[0].layout))
    folder = Path(str(store.root)) / "candidate"
    save_checkpoint(folder, network_tensors(result.network), layout, {"dataset": manifest["id"]})
    return result, load_checkpoint(folder)


def test_a_clone_of_few_towns_agrees_with_the_teacher_far_above_chance(
    trained: tuple[BCResult, LearnedPolicy],
) -> None:
    report = trained[0].report
    assert report.accuracy > 0.75 > 2 * report.majority_share


def test_the_clone_keeps_itself_alive_and_goes_to_work(trained: tuple[BCResult, LearnedPolicy]) -> None:
    policy = trained[1]
    contenders = {"candidate": Contender(policy.digest, policy.enter), "teacher": Contender("7" * 64, Teacher)}
    outcome = evaluate(contenders, [load_scenario("ordinary_day", CONFIGS)], towns=16, days=2, seed=1)
    survival = estimate(outcome, "ordinary_day", "candidate", "survival", 0.95)
    attendance = difference(outcome, "ordinary_day", "candidate", "teacher", "attendance", 0.95)
    assert survival is not None
    assert survival.mean > 0.95
    assert attendance is not None
    assert attendance.mean > -0.1
