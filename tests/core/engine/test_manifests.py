"""Manifests as large as they may be, and things that are called otherwise, make towns in which people live."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from townlet_core.config import TownConfig, load_config
from townlet_core.config.affordances import MAX_AFFORDANCES, MAX_PER_OPTION, MAX_SHOPS
from townlet_core.core import Simulation

CONFIGS = Path(__file__).parents[3] / "configs"


def towns_of(tmp_path: Path, change: Callable[[dict[str, Any]], None], rename: dict[str, str] | None = None) -> Path:
    """The default town with a changed manifest, and with things on its map called otherwise."""
    manifest = yaml.safe_load((CONFIGS / "affordances" / "core.yaml").read_text())
    change(manifest)
    (tmp_path / "uses.yaml").write_text(json.dumps(manifest))
    plan, town = (yaml.safe_load((CONFIGS / kind / "default.yaml").read_text()) for kind in ("maps", "towns"))
    for entry in plan["legend"].values():
        if entry.get("object") in (rename or {}):
            entry["object"] = (rename or {})[entry["object"]]
    (tmp_path / "map.yaml").write_text(json.dumps(plan))
    (tmp_path / "town.yaml").write_text(json.dumps({**town, "map": "map.yaml", "affordances": "uses.yaml"}))
    return tmp_path / "town.yaml"


def filled_up(manifest: dict[str, Any]) -> None:
    """Give every option as many uses as it may have, and the town as many shops; the last use of all is open."""
    uses = manifest["affordances"]
    for option in sorted({use["option"] for use in uses.values()}):
        served = [name for name, use in uses.items() if use["option"] == option]
        for number in range(MAX_PER_OPTION - len(served)):
            uses[f"{served[0]}_{number}"] = dict(uses[served[0]])
    for name in [name for name, use in uses.items() if use["option"] == "relax"]:
        uses[f"z_{name}"] = {**uses.pop(name), "price": "shower", "hours": [0, 1]}
    uses[max(uses)]["hours"] = [0, 1440]
    for number, name in enumerate(("shower", "bench", "bed", "stove", "stall")):
        manifest["objects"].setdefault(name, {})["shop"] = f"shop_{number}"


def money(sim: Simulation) -> float:
    towns = sim.state.towns
    return float(sim.agents["wallet"].sum() + sum(towns[name].sum() for name in ("treasury", "supplier", "tills")))


def test_a_town_at_every_limit_keeps_its_books(tmp_path: Path, at_random: Callable) -> None:
    config = load_config(towns_of(tmp_path, filled_up))
    assert len(config.affordances.affordances) == MAX_AFFORDANCES
    assert len({kind.shop for kind in config.affordances.objects.values() if kind.shop}) == MAX_SHOPS
    sim = Simulation(config, towns=4, seed=1)
    sim.agents["clothes"], sim.agents["ingredients"] = 0.1, 4
    sim.agents["wallet"] += 20.0
    whole = money(sim)
    for _ in at_random(sim, 1000, 2):
        assert (sim.state.towns["tills"] >= 0).all()
    assert money(sim) == pytest.approx(whole)
    assert sim.agents["finished"][..., MAX_AFFORDANCES - 1].sum() > 0
    assert (sim.state.towns["tills"][:, MAX_SHOPS - 1] > 0).any()


RENAMED = {"bed": "cot", "fridge": "larder"}


def test_beds_and_fridges_are_what_they_are_used_for(tmp_path: Path, config: TownConfig, taught: Callable) -> None:
    def renamed(manifest: dict[str, Any]) -> None:
        manifest["objects"] = {RENAMED.get(name, name): kind for name, kind in manifest["objects"].items()}
        for use in manifest["affordances"].values():
            use["object"] = RENAMED.get(use["object"], use["object"])

    town = towns_of(tmp_path, renamed, RENAMED)
    town.write_text(town.read_text().replace('"fridge"', '"larder"'))
    sim, usual = Simulation(load_config(town), towns=2, seed=1), Simulation(config, towns=2, seed=1)
    for place in ("bed", "fridge"):
        names = [sim.names.fixtures[k] for k in sim.rules.citizens[place]]
        others = [usual.names.fixtures[k] for k in usual.rules.citizens[place]]
        assert [name.replace(RENAMED[place], place) for name in names] == others
    for _ in taught(sim, 1440):
        pass
    assert sim.agents["alive"].all()
    assert (np.asarray(sim.kpis()["uses_eat_meal"]) > 0).all()
