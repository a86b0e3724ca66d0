"""Checks of single configuration files for whoever is writing one: a short report, or the first error."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from townlet_core.config.basket import basket_per_day, day_slack
from townlet_core.config.console import load_console
from townlet_core.config.demo import DemoFile
from townlet_core.config.documents import read_document
from townlet_core.config.gates import load_gates
from townlet_core.config.identity import config_digest, digest
from townlet_core.config.loading import (
    load_affordances,
    load_config,
    load_curation,
    load_map,
    load_scenario,
    load_snapshot_rules,
    load_training,
    read_config,
)
from townlet_core.config.manifest_checks import manifest_warnings
from townlet_core.config.map_checks import homes, placed_objects
from townlet_core.config.reading import read_model
from townlet_core.config.rehearsal import load_rehearsal
from townlet_core.config.telemetry import load_telemetry
from townlet_core.config.town import TownConfig
from townlet_core.config.watch import load_watch
from townlet_core.errors import ConfigError


class CheckReport(NamedTuple):
    """What a sound file holds: its kind, figures to show by name, and what is allowed but rarely meant."""

    path: str
    kind: str
    facts: dict[str, str]
    warnings: tuple[str, ...] = ()


def check_map(path: str | Path) -> CheckReport:
    """Check a map alone: picture, legend, border, and that every home and object can be reached.

    Raises:
        ConfigError: The first thing that is wrong.
    """
    plan = load_map(path)
    counts = Counter(thing.type for thing in placed_objects(plan))
    facts = {"size": f"{len(plan.rows[0])} x {len(plan.rows)} tiles", "homes": str(len(homes(plan)))}
    facts["objects"] = ", ".join(f"{count} {name}" for name, count in sorted(counts.items()))
    return CheckReport(str(path), "map", facts)


def check_affordances(path: str | Path, strict: bool = False) -> CheckReport:
    """Check an affordance manifest alone; with `strict`, what would be a warning is an error.

    Raises:
        ConfigError: The first thing that is wrong.
    """
    manifest = load_affordances(path)
    document = read_document(path)
    warnings = tuple(str(document.error(problem.path, problem.text)) for problem in manifest_warnings(manifest))
    if strict and warnings:
        raise ConfigError(warnings[0])
    facts = {"object types": str(len(manifest.objects)), "affordances": str(len(manifest.affordances))}
    facts["options served"] = ", ".join(sorted({use.option for use in manifest.affordances.values()}))
    return CheckReport(str(path), "affordance manifest", facts, warnings)


def check_config(path: str | Path) -> CheckReport:
    """Check a configuration file of any kind, with every file that it names; the kind is told by its keys.

    Raises:
        ConfigError: The first thing that is wrong.
    """
    document = read_config(path)
    for key, check in _KINDS.items():
        if key in document.data:
            return check(path)
    raise document.error((), f"no configuration of a known kind; expected one of the keys {', '.join(_KINDS)}")


def _check_town(path: str | Path) -> CheckReport:
    return CheckReport(str(path), "town", _town_facts(load_config(path)))


def _check_scenario(path: str | Path) -> CheckReport:
    scenario = load_scenario(Path(path))
    return CheckReport(str(path), "scenario", {"scenario": scenario.name, **_town_facts(scenario.config)})


def _check_curation(path: str | Path) -> CheckReport:
    rules = load_curation(path)
    return CheckReport(
        str(path), "set of curation rules", {key: str(value) for key, value in rules.model_dump().items()}
    )


def _check_training(path: str | Path) -> CheckReport:
    profile = load_training(path)
    return CheckReport(str(path), "training profile", {key: str(value) for key, value in profile.model_dump().items()})


def _check_gates(path: str | Path) -> CheckReport:
    policy = load_gates(path)
    facts = {"plan": policy.plan, "scenarios": ", ".join(policy.comparison.scenarios)}
    facts["guard rails"] = ", ".join(policy.comparison.guard_rails)
    return CheckReport(str(path), "gate plan", {**facts, "digest": digest(policy)})


def _check_rehearsal(path: str | Path) -> CheckReport:
    plan = load_rehearsal(path)
    facts = {"golden scenarios": ", ".join(plan.golden.scenarios), "golden figures": ", ".join(plan.golden.bands)}
    return CheckReport(str(path), "rehearsal", {**facts, "variants": ", ".join(plan.variants.variants)})


def _check_snapshots(path: str | Path) -> CheckReport:
    rules = load_snapshot_rules(path)
    sections = {**rules.autosave.model_dump(), **rules.guardrails.model_dump()}
    facts = {"root": rules.root, **{key: str(value) for key, value in sections.items()}}
    return CheckReport(str(path), "set of snapshot rules", facts)


def _check_console(path: str | Path) -> CheckReport:
    rules = load_console(path)
    facts = {"mode": rules.mode, "authentication": "on" if rules.auth.enabled else "off"}
    facts |= {"tokens": str(len(rules.auth.tokens)), "audit": rules.audit or "none"}
    return CheckReport(str(path), "set of console rules", facts)


def _check_demo(path: str | Path) -> CheckReport:
    demo = read_model(read_document(path), DemoFile)
    town = check_config(Path(path).parent / demo.town)
    facts = {"demo": demo.demo, "ticks": str(demo.ticks), "moments": str(len(demo.timeline))}
    return CheckReport(str(path), "demonstration", {**facts, "town": town.facts["config_id"]})


def _check_telemetry(path: str | Path) -> CheckReport:
    config = load_telemetry(path)
    return CheckReport(
        str(path), "set of telemetry settings", {key: str(value) for key, value in config.model_dump().items()}
    )


def _check_watch(path: str | Path) -> CheckReport:
    rules = load_watch(path).model_dump()
    facts = {key: ", ".join(value) if isinstance(value, dict) else str(value) for key, value in rules.items()}
    return CheckReport(str(path), "set of bounds for a training", facts)


def _town_facts(town: TownConfig) -> dict[str, str]:
    return {
        "config_id": town.config_id,
        "agents": str(town.agents),
        "map": town.map.map_id,
        "rent and basket per day": f"{town.economy.rent_per_day:.2f} + {basket_per_day(town):.2f}",
        "slack of the poorest job": f"{day_slack(town):.0%}",
        "digest": config_digest(town),
    }


_KINDS: dict[str, Callable[[str | Path], CheckReport]] = {
    "demo": _check_demo,
    "scenario": _check_scenario,
    "config_id": _check_town,
    "map_id": check_map,
    "objects": check_affordances,
    "plan": _check_gates,
    "golden": _check_rehearsal,
    "profile": _check_training,
    "holdout_share": _check_curation,
    "autosave": _check_snapshots,
    "transport": _check_telemetry,
    "auth": _check_console,
    "grace": _check_watch,
}
