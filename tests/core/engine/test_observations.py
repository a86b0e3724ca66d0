"""Observations say what their layout says, and the kernel agrees with the NumPy oracle."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from townlet_core.config import TownConfig, load_config
from townlet_core.core import Simulation, Step
from townlet_core.observations.layout import ObservationLayout, layout_of
from townlet_core.observations.meanings import action_specs, channel_specs
from townlet_core.observations.painting import reference_map
from townlet_core.observations.reference import reference_features, reference_mask

TOWN = Path(__file__).parents[3] / "configs" / "towns" / "default.yaml"
VARIANTS = ("full", "hybrid", "compact")
CROWD = {"social_snippet": {"top_friends": 5, "top_rivals": 3}, "include_targets": True}
ALONE = {"social_snippet": {"top_friends": 0, "top_rivals": 0, "include_aggregates": False}}


def seeing(variant: str, relationships: str = "B", **observations: Any) -> TownConfig:
    """The default town, observed by a variant."""
    changes = {
        "config_id": f"default-{variant}-1",
        "observations": {"variant": variant, **observations},
        "stages": {"relationships": relationships} | ({"social_rewards": "OFF"} if relationships == "OFF" else {}),
    }
    return load_config(TOWN, changes)


def assert_as_the_oracle_says(sim: Simulation, steps: Iterator[Step], every: int) -> None:
    for count, step in enumerate(steps):
        if count % every:
            continue
        seen = step.observation
        for town, agent in np.ndindex(sim.shape):
            of = (sim.state, sim.rules)
            expected = reference_features(*of, sim.layout, town, agent)
            np.testing.assert_allclose(seen.features[town, agent], expected, atol=2e-6)
            np.testing.assert_array_equal(seen.mask[town, agent], reference_mask(*of, town, agent))
            np.testing.assert_array_equal(seen.map[town, agent], reference_map(*of, town, agent))


@pytest.mark.parametrize("control", ["options", "primitives"])
def test_every_byte_of_a_map_and_every_action_is_explained(at_random: Callable, control: str) -> None:
    config = seeing("full").model_copy(update={"control": control})
    sim, channels = Simulation(config, towns=2, seed=21), channel_specs(config)
    seen: list[set[int]] = [set() for _ in channels]
    for count, step in enumerate(at_random(sim, 1200, 4)):
        for channel in range(len(channels)) if count % 10 == 0 else ():
            seen[channel] |= set(np.unique(step.observation.map[..., channel]).tolist())
    for spec, found in zip(channels, seen, strict=True):
        assert found <= set(spec.values), spec.name
    by_name = {spec.name: found for spec, found in zip(channels, seen, strict=True)}
    assert by_name["agent"] == by_name["reservation"] == by_name["own"] == {0, 128, 255}
    assert tuple(spec.name for spec in action_specs(config)) == sim.layout.actions
    assert all(spec.meaning for spec in action_specs(config))


@pytest.mark.parametrize("name", ["ordinary_day", "one_shower", "stove_outage", "low_money"])
def test_the_kernel_agrees_with_the_oracle(scenario_config: Callable, at_random: Callable, name: str) -> None:
    sim = Simulation(scenario_config(name), towns=2, seed=21)
    assert_as_the_oracle_says(sim, at_random(sim, 1900, 4), every=23)


@pytest.mark.parametrize(
    "config",
    [
        seeing("full"),
        seeing("full", "A", **CROWD),
        seeing("compact"),
        seeing("hybrid", **CROWD),
        seeing("compact", **ALONE),
    ],
    ids=["full", "full, no ties", "compact", "hybrid, a crowd", "compact, nobody"],
)
def test_every_variant_agrees_with_the_oracle(config: TownConfig, at_random: Callable) -> None:
    sim = Simulation(config, towns=1, seed=8)
    assert_as_the_oracle_says(sim, at_random(sim, 1200, 4), every=31)


@pytest.mark.parametrize(
    ("variant", "control"), [("full", "options"), ("hybrid", "options"), ("compact", "options"), ("full", "primitives")]
)
def test_every_value_is_finite_and_in_its_published_range(variant: str, control: str, at_random: Callable) -> None:
    config = seeing(variant, include_targets=True).model_copy(update={"control": control})
    sim = Simulation(config, towns=8, seed=2)
    low = np.array([spec.low for spec in sim.layout.features])
    high = np.array([spec.high for spec in sim.layout.features])
    for step in at_random(sim, 1440, 5):
        seen = step.observation.features
        assert np.isfinite(seen).all()
        assert (seen >= low).all()
        assert (seen <= high).all()


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("relationships", ["OFF", "B"])
def test_the_layout_is_the_published_one(variant: str, relationships: str) -> None:
    layout = layout_of(seeing(variant, relationships))
    golden = Path(__file__).with_name(f"{variant}{'_social' if relationships == 'B' else ''}_layout.json")
    assert json.loads(layout.to_json()) == json.loads(golden.read_text())
    assert ObservationLayout.from_json(layout.to_json()) == layout


def test_the_layout_of_primitives_is_the_published_one() -> None:
    layout = layout_of(seeing("compact").model_copy(update={"control": "primitives"}))
    golden = Path(__file__).with_name("primitives_layout.json")
    assert json.loads(layout.to_json()) == json.loads(golden.read_text())


def test_the_path_channels_lead_from_any_tile_in_sight_to_the_target(taught: Callable) -> None:
    sim = Simulation(seeing("full"), towns=1, seed=3)
    down, across = (sim.layout.channels.index(name) for name in ("path_dy", "path_dx"))
    followed = 0
    for _ in taught(sim, 90):
        for agent, crop in zip(sim.agents[0], sim.observation.map[0], strict=True):
            goal = sim.rules.fixtures[agent.target]
            row, column = int(goal.y) - int(agent.y) + 5, int(goal.x) - int(agent.x) + 5
            if agent.target < 0 or not (0 <= row < 11 and 0 <= column < 11):
                continue
            assert (crop[row, column, down], crop[row, column, across]) == (128, 128)
            followed += len(np.unique(crop[..., [down, across]].reshape(-1, 2), axis=0)) > 3
    assert followed > 20


def test_relationships_add_to_the_layout_from_stage_b_on() -> None:
    layouts = {stage: layout_of(seeing("hybrid", stage)) for stage in ("OFF", "A", "B")}
    assert layouts["OFF"] == layouts["A"]
    names = [spec.name for spec in layouts["B"].features]
    assert layouts["A"].features == layouts["B"].features[: len(layouts["A"].features)]
    assert {"extroversion", "friend_2_trust", "rival_2_dx", "rivalry_max"} <= set(names)
    assert not {"friend_3_known", "wash_dy"} & set(names)


def test_the_snippet_says_whose_ties_are_seen() -> None:
    names = {spec.name for spec in layout_of(seeing("hybrid", **CROWD)).features}
    assert {"friend_5_known", "rival_3_known", "wash_dy", "socialise_dx"} <= names
    bare = {spec.name for spec in layout_of(seeing("hybrid", **ALONE)).features}
    assert not [name for name in bare if name.startswith(("friend_", "rival_", "rivalry_", "trust_"))]


def test_another_layout_has_another_digest() -> None:
    layout = layout_of(seeing("hybrid"))
    renamed = layout._replace(features=(layout.features[0]._replace(name="appetite"), *layout.features[1:]))
    wider = layout_of(seeing("hybrid", local_window=13))
    assert len({layout.digest, wider.digest, renamed.digest}) == 3


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_documentation_says_how_large_an_observation_is(variant: str) -> None:
    layout = layout_of(seeing(variant))
    size = layout.cells + 4 * len(layout.features) + len(layout.actions)
    page = (TOWN.parents[2] / "docs" / "observations.md").read_text()
    row = next(line for line in page.splitlines() if line.startswith(f"| `{variant}` |"))
    assert row.split("|")[3:5] == [f" {len(layout.features)} ", f" {size} "], "correct the table of variants"
