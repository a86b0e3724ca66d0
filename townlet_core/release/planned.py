"""The scenarios that a plan names: as they are configured now, and what identifies that."""

from collections.abc import Iterable
from pathlib import Path

from townlet_core.config import Scenario, config_digest, load_scenario
from townlet_core.config.gates import GatePolicy


def planned_scenarios(gates: GatePolicy, configs: Path) -> list[Scenario]:
    """Every scenario that a plan compares in, by name. Raises ConfigError when there is none of a name."""
    return [load_scenario(name, configs) for name in sorted(gates.comparison.scenarios)]


def scenario_digests(scenarios: Iterable[Scenario]) -> dict[str, str]:
    """The digest of each scenario's whole configuration, by name."""
    return {scenario.name: config_digest(scenario.config) for scenario in scenarios}
