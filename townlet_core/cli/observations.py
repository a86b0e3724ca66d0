"""`townlet observations`: the published layout of what an agent perceives."""

from collections.abc import Iterator
from typing import Annotated, Any

import typer

from townlet_core.cli.options import CONFIGS, AsJson, Configs
from townlet_core.cli.output import print_facts, print_json, print_table
from townlet_core.cli.settings import ScenarioName, Town, traced_town
from townlet_core.config import TownConfig, id_with_variant
from townlet_core.config.explain import unknown_name
from townlet_core.errors import InputError
from townlet_core.observations.blocks import BLOCKS
from townlet_core.observations.layout import CHANNELS, ObservationLayout, layout_of
from townlet_core.observations.meanings import action_specs, channel_specs

app = typer.Typer(help="What an agent perceives, and what it may choose.", no_args_is_help=True)

DESCRIBE = "Example: townlet observations describe --variant compact; add --scenario one_shower --json for a script"
Variant = Annotated[
    str | None, typer.Option("--variant", help=f"Describe {', '.join(CHANNELS)} instead of the town's own variant.")
]


@app.callback()
def _group() -> None:
    """Keep `describe` a verb of its own while it is the only one."""


@app.command("describe", epilog=DESCRIBE)
def describe(
    config: Town = None,
    scenario: ScenarioName = None,
    variant: Variant = None,
    as_json: AsJson = False,
    configs: Configs = CONFIGS,
) -> None:
    """Print a town's observations: what channels hold and actions mean, and every feature with its range and unit."""
    town = seen_by(traced_town(config, scenario, configs).config, variant)
    layout = layout_of(town)
    if as_json:
        print_json(_document(layout, town))
        return
    print_facts(f"{layout.variant} observations", _facts(layout))
    if layout.channels:
        print_facts("channels of the map", _channels(town))
    print_facts("actions", {f"{index} {name}": told for index, (name, told) in enumerate(action_specs(town))})
    title = f"{len(layout.features)} features, float32"
    print_table(title, ("block", "feature", "index", "range", "unit"), _rows(town))


def seen_by(town: TownConfig, variant: str | None) -> TownConfig:
    """Return a town as it is observed by another variant; None leaves it as it is.

    Raises:
        InputError: There is no such variant.
    """
    if variant is None:
        return town
    if variant not in CHANNELS:
        raise InputError(f"--variant: {unknown_name('variant', variant, CHANNELS)}")
    observations = town.observations.model_copy(update={"variant": variant})
    config_id = id_with_variant(town.config_id, variant)
    return town.model_copy(update={"config_id": config_id, "observations": observations})


def _rows(town: TownConfig) -> Iterator[tuple[str, ...]]:
    index = 0
    for block in BLOCKS:
        for name, low, high, unit in block.features(town):
            yield block.name, name, str(index), f"{low:g} … {high:g}", unit
            index += 1


def _facts(layout: ObservationLayout) -> dict[str, str]:
    size = f"{len(layout.channels)} channels of {layout.window} x {layout.window} tiles, uint8"
    return {
        "map": size if layout.channels else "none",
        "digest": layout.digest,
    }


def _channels(town: TownConfig) -> dict[str, str]:
    told = [
        (spec, ", ".join(f"{byte} {meaning}" for byte, meaning in spec.values.items())) for spec in channel_specs(town)
    ]
    return {f"{index} {spec.name}": f"{spec.about}: {values}" for index, (spec, values) in enumerate(told)}


def _document(layout: ObservationLayout, town: TownConfig) -> dict[str, Any]:
    features = [{"index": index, **spec._asdict()} for index, spec in enumerate(layout.features)]
    channels = [{"index": index, **spec._asdict()} for index, spec in enumerate(channel_specs(town))]
    actions = [{"index": index, **spec._asdict()} for index, spec in enumerate(action_specs(town))]
    meanings = {"channels": channels, "actions": actions}
    return {**layout._asdict(), "features": features, "meanings": meanings, "digest": layout.digest}
