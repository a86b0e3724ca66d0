"""`townlet observations`: the published layout of what an agent perceives."""

from typing import Any

import typer

from townlet_core.cli.options import CONFIGS, AsJson, Configs
from townlet_core.cli.output import print_facts, print_json, print_table
from townlet_core.cli.settings import ScenarioName, Town, traced_town
from townlet_core.observations.layout import ObservationLayout, layout_of

app = typer.Typer(help="What an agent perceives, and what it may choose.", no_args_is_help=True)

DESCRIBE = "Example: townlet observations describe --scenario one_shower --json"


@app.callback()
def _group() -> None:
    """Keep `describe` a verb of its own while it is the only one."""


@app.command("describe", epilog=DESCRIBE)
def describe(
    config: Town = None, scenario: ScenarioName = None, as_json: AsJson = False, configs: Configs = CONFIGS
) -> None:
    """Print the layout of a town's observations: map channels, actions, and every feature with its range and unit."""
    layout = layout_of(traced_town(config, scenario, configs).config)
    if as_json:
        print_json(_document(layout))
        return
    print_facts(f"{layout.variant} observations", _facts(layout))
    rows = ((name, str(i), f"{low:g} … {high:g}", unit) for i, (name, low, high, unit) in enumerate(layout.features))
    print_table(f"{len(layout.features)} features, float32", ("feature", "index", "range", "unit"), rows)


def _facts(layout: ObservationLayout) -> dict[str, str]:
    return {
        "map": f"{len(layout.channels)} channels of {layout.window} x {layout.window} tiles, uint8",
        "channels": _numbered(layout.channels),
        "actions": _numbered(layout.actions),
        "digest": layout.digest,
    }


def _numbered(names: tuple[str, ...]) -> str:
    return ", ".join(f"{index} {name}" for index, name in enumerate(names))


def _document(layout: ObservationLayout) -> dict[str, Any]:
    features = [{"index": index, **spec._asdict()} for index, spec in enumerate(layout.features)]
    return {**layout._asdict(), "features": features, "digest": layout.digest}
