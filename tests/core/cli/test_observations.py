"""`townlet observations` prints the layout that policies are trained on."""

import json
from pathlib import Path

from tests.core.cli.conftest import ROOT, Townlet
from townlet_core.config import load_config
from townlet_core.observations.layout import layout_of

TOWN = ROOT / "configs" / "towns" / "default.yaml"


def test_a_script_reads_the_layout_of_the_engine(townlet: Townlet) -> None:
    outcome = townlet("observations", "describe", "--json")
    document, layout = json.loads(outcome.out), layout_of(load_config(TOWN))
    assert outcome.code == 0
    assert [tuple(feature.values()) for feature in document["features"]] == [
        (index, *spec) for index, spec in enumerate(layout.features)
    ]
    assert (document["window"], document["digest"]) == (layout.window, layout.digest)
    assert document["channels"] == list(layout.channels)
    assert document["actions"] == list(layout.actions)
    meanings = document["meanings"]
    assert [each["name"] for each in meanings["channels"]] == list(layout.channels)
    assert [each["name"] for each in meanings["actions"]] == list(layout.actions)
    assert meanings["channels"][3]["values"] == {"0": "free or nothing to use", "128": "reserved", "255": "in use"}


def test_a_person_reads_every_feature_with_its_range(townlet: Townlet) -> None:
    outcome = townlet("observations", "describe", "--scenario", "one_shower")
    layout = layout_of(load_config(TOWN))
    assert outcome.code == 0
    assert all(spec.name in outcome.out for spec in layout.features)
    assert "4 channels of 11 x 11 tiles" in outcome.out
    assert "9 socialise" in outcome.out
    assert "128 reserved, 255 in use" in outcome.out
    assert "-1 … 1" in outcome.out


def test_the_layout_follows_the_town(townlet: Townlet, tmp_path: Path) -> None:
    lonely = tmp_path / "lonely.yaml"
    text = TOWN.read_text().replace(
        "relationships: B, social_rewards: C1", "relationships: 'OFF', social_rewards: 'OFF'"
    )
    lonely.write_text(text.replace("../", f"{ROOT}/configs/").replace("local_window: 11", "local_window: 7"))
    document = json.loads(townlet("observations", "describe", "--config", lonely, "--json").out)
    names = {feature["name"] for feature in document["features"]}
    assert document["window"] == 7
    assert "need_hunger" in names
    assert "friend_1_trust" not in names


def test_a_scenario_that_is_not_there_is_refused(townlet: Townlet) -> None:
    outcome = townlet("observations", "describe", "--scenario", "one_showr")
    assert (outcome.code, outcome.out) == (2, "")
    assert "did you mean 'one_shower'?" in outcome.err
