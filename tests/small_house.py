"""A configuration as small as it can be, so that a whole release takes seconds."""

import shutil
from pathlib import Path
from typing import Any

import yaml

REPOSITORY = Path(__file__).resolve().parents[1]
SECRET = "tok-of-the-night-shift-4471"
"""A token in the console's rules, which nothing that runs may ever repeat."""


def small_configs(target: Path) -> None:
    """A copy of the configuration whose captures, training and evaluation are as small as they can be."""
    shutil.copytree(REPOSITORY / "configs", target)
    for path in (target / "scenarios").glob("*.yaml"):
        if "capture" in yaml.safe_load(path.read_text()):
            edit(path, capture={"towns": 4, "days": 1, "exploration": 0.05})
    brief = {"scenarios": ["ordinary_day"], "towns": 2, "ticks": 120, "updates": 2, "minibatch": 64}
    edit(target / "training/quick.yaml", epochs=12, hidden=32, map_hidden=16, ppo=brief)
    easy = {"min_accuracy": 0.1, "min_scenario_accuracy": 0.1, "min_margin_over_majority": 0.001}
    token = {"label": "night_shift", "role": "admin", "token": SECRET}
    edit(target / "console.yaml", auth={"enabled": True, "tokens": [token]})
    plan = yaml.safe_load((target / "gates.yaml").read_text())
    plan["data"]["min_decisions"] = 1
    rails = {kpi: {"margin": 2.0, "scale": "absolute"} for kpi in ("survival", "attendance")}
    primary = {**plan["comparison"]["primary"], "margin": 100.0}
    small = {"towns": [4, 8], "guard_rails": rails, "primary": primary, "bands": {}, "canaries": None}
    calibration = {**plan["calibration"], "towns": 8, "trials": 20}
    comparison = {**plan["comparison"], **small}
    rehearsed = yaml.safe_load((target / "rehearsal.yaml").read_text())
    bands = {kpi: {"margin": 100.0} for kpi in rehearsed["golden"]["bands"]}
    golden = {**rehearsed["golden"], "towns": 2, "expectations": 1.0, "bands": bands}
    capture = {"towns": 4, "days": 1, "exploration": 0.05}
    few = {"capture": capture, "trainings": 1, "scenarios": ["ordinary_day"], "towns": 4}
    edit(target / "rehearsal.yaml", golden=golden, variants={**rehearsed["variants"], **few})
    band = {"grad": {"above": 1000.0, "scale": "relative"}}
    loose = {"updates": 2, "max": {"kl": 100.0}, "min": {"entropy": 0.0}, "bands": band}
    loose |= {"uncompared": "allow", "frozen": "hold"}
    sections = {"data": plan["data"], "cloning": easy, "training": loose}
    edit(target / "gates.yaml", **sections, comparison=comparison, calibration=calibration)


def edit(path: Path, **changes: Any) -> None:
    """Replace keys at the top of a YAML file."""
    path.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text()), **changes}, sort_keys=False))
