"""Lets saved towns go on by another configuration of the same ground: other prices or rewards, the same map."""

from typing import Any

from townlet_core.config import TownConfig, config_digest
from townlet_core.core.identity import Identity
from townlet_core.core.statefile import StateFile
from townlet_core.errors import DataError
from townlet_core.snapshots.migrations import recorded

GROUND = ("map", "affordances", "agents", "observations", "clock")
"""Sections that the saved arrays are laid out by: the numbers in them mean something else under another one."""
EPISODE = "episode_days"


def adopted(stored: StateFile, identity: Identity, config: TownConfig, where: str) -> StateFile:
    """Give a file another configuration and record that it was done.

    Raises:
        DataError: The configuration differs in what the saved arrays are laid out by; names the section.
    """
    theirs, ours = _ground(identity.config), _ground(config.model_dump(mode="json"))
    for section in GROUND:
        if theirs.get(section) != ours.get(section):
            raise DataError(
                f"{where}: {section}: differs between the saved towns and {config.config_id}, and the saved numbers "
                "mean nothing under another one; choose a configuration with the same"
            )
    digest = config_digest(config)
    changes = {"config": config.model_dump(mode="json"), "config_id": config.config_id, "config_digest": digest}
    changed = stored._replace(header={**stored.header, "identity": {**stored.header["identity"], **changes}})
    return recorded(changed, f"config:{identity.config_digest[:12]}->config:{digest[:12]}:adopted")


def config_difference(identity: Identity, config: TownConfig) -> str:
    """Name the first section in which the saved configuration differs from another."""
    theirs, ours = identity.config, config.model_dump(mode="json")
    return next((key for key in ours if theirs.get(key) != ours[key]), "config")


def _ground(config: dict[str, Any]) -> dict[str, Any]:
    """A configuration with an episode of no length, because a town may well go on for longer."""
    clock = config.get("clock")
    clock = {key: value for key, value in clock.items() if key != EPISODE} if isinstance(clock, dict) else clock
    return {**config, "clock": clock}
