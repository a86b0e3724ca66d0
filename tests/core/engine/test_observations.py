"""Observations say what their layout says, and the kernel agrees with the NumPy oracle."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from townlet_core.config import TownConfig
from townlet_core.core import Simulation
from townlet_core.observations.layout import ObservationLayout, hybrid_layout, layout_of
from townlet_core.observations.reference import reference_features, reference_map, reference_mask


@pytest.mark.parametrize("name", ["ordinary_day", "one_shower", "stove_outage", "low_money"])
def test_the_kernel_agrees_with_the_oracle(scenario_config: Callable, at_random: Callable, name: str) -> None:
    sim = Simulation(scenario_config(name), towns=2, seed=21)
    for count, step in enumerate(at_random(sim, 1900, 4)):
        if count % 23:
            continue
        for town, agent in np.ndindex(sim.shape):
            of = (sim.state, sim.rules)
            expected = reference_features(*of, sim.layout, town, agent)
            np.testing.assert_allclose(step.observation.features[town, agent], expected, atol=2e-6)
            np.testing.assert_array_equal(step.observation.mask[town, agent], reference_mask(*of, town, agent))
            np.testing.assert_array_equal(step.observation.map[town, agent], reference_map(*of, town, agent))


def test_every_value_is_finite_and_in_its_published_range(config: TownConfig, at_random: Callable) -> None:
    sim = Simulation(config, towns=8, seed=2)
    low = np.array([spec.low for spec in sim.layout.features])
    high = np.array([spec.high for spec in sim.layout.features])
    for step in at_random(sim, 1440, 5):
        seen = step.observation.features
        assert np.isfinite(seen).all()
        assert (seen >= low).all()
        assert (seen <= high).all()


@pytest.mark.parametrize(("social", "golden"), [(False, "hybrid_layout.json"), (True, "hybrid_social_layout.json")])
def test_the_layout_is_the_published_one(social: bool, golden: str) -> None:
    layout = hybrid_layout(11, social=social)
    assert json.loads(layout.to_json()) == json.loads(Path(__file__).with_name(golden).read_text())
    assert ObservationLayout.from_json(layout.to_json()) == layout


def test_relationships_add_to_the_layout_from_stage_b_on(config: TownConfig) -> None:
    seen = {stage: config.stages.model_copy(update={"relationships": stage}) for stage in ("OFF", "A", "B")}
    layouts = {stage: layout_of(config.model_copy(update={"stages": value})) for stage, value in seen.items()}
    assert layouts["OFF"] == layouts["A"] == hybrid_layout(11)
    assert layouts["B"] == hybrid_layout(11, social=True)


def test_another_layout_has_another_digest() -> None:
    layout = hybrid_layout(11)
    renamed = layout._replace(features=(layout.features[0]._replace(name="appetite"), *layout.features[1:]))
    assert len({layout.digest, hybrid_layout(13).digest, renamed.digest}) == 3
