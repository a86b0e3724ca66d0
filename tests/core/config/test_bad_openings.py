"""An opening that cannot be is refused with the line of what is wrong in it."""

import pytest

from tests.core.config.conftest import Files, refused
from townlet_core.config import load_config

MUTUAL = "agent_1: {ties: {agent_2: {mutual: true, trust: 0.5}}}"


@pytest.mark.parametrize(
    ("opening", "fault"),
    [
        ("citizens: {agent_3: {wallet: 1.0}}", "agent_3: unknown citizen 'agent_3'; did you mean 'agent_"),
        ("citizens: {anna: {wallet: 1.0}}", "anna: not a key that fits here"),
        ("citizens: {agent_1: {walet: 1.0}}", "walet: unknown key 'walet'; did you mean 'wallet'?"),
        ("citizens: {agent_1: {needs: {hunger: 2.0}}}", "hunger: found 2.0, expected a number from 0 to 1"),
        ("citizens: {agent_1: {tile: [0, 0]}}", "tile: nobody can stand on row 0, column 0: it is wall"),
        ("citizens: {agent_1: {tile: [99, 1]}}", "tile: row 99, column 1 is off the map; it has rows 0 to"),
        ("citizens: {agent_1: {tile: BED}}", "a bed stands on it; take a free tile beside it"),
        ("citizens: {agent_1: {tile: FREE}, agent_2: {tile: FREE}}", "agent_1 already stands on row"),
        ("citizens: {agent_1: {tile: FREE, beside: bed_1}}", "beside: stands here and at 'tile'"),
        ("citizens: {agent_1: {beside: bde_1}}", "beside: unknown object 'bde_1'; did you mean 'bed_1'?"),
        ("citizens: {agent_1: {ties: {agent_2: {trust: 0.5}}}}", "mutual: missing key; expected true or false"),
        ("citizens: {agent_1: {ties: {agent_1: {mutual: true}}}}", "agent_1: nobody has a tie to themselves"),
        ("citizens: {agent_1: {ties: {agent_7: {mutual: true}}}}", "agent_7: unknown citizen 'agent_7'"),
        (
            f"citizens: {{{MUTUAL}, agent_2: {{ties: {{agent_1: {{mutual: false}}}}}}}}",
            "mutual: agent_2 states a tie to agent_1 as well",
        ),
        ("stock: {bed_1: 3}", "bed_1: holds no stock"),
        ("stock: {fridge_1: 99}", "fridge_1: found 99, expected at most the 12 that it can hold"),
        ("stock: {fridge_9: 1}", "fridge_9: unknown object 'fridge_9'; did you mean 'fridge_1'?"),
    ],
)
def test_what_cannot_be_is_refused(configs: Files, opening: str, fault: str) -> None:
    rows = (configs.root / "maps" / "small.yaml").read_text().split("rows:\n")[1].splitlines()
    picture = [line.split('"')[1] for line in rows if '"' in line]
    tiles = {name: next([y, row.index(char)] for y, row in enumerate(picture) if char in row) for name, char in SIGNS}
    for name, tile in tiles.items():
        opening = opening.replace(name, str(tile))
    text = (
        configs.root / "towns" / "small.yaml"
    ).read_text() + f"stages: {{relationships: B}}\nopening:\n  {opening}\n"
    path = configs.write("towns/small.yaml", text)
    said = refused(load_config, path)
    assert said.startswith(f"{path}:{len(text.splitlines())}: opening")
    assert fault in said


SIGNS = (("BED", "b"), ("FREE", "h"))
"""What a tile in a case stands for: the first tile of the small map that shows this character."""


@pytest.mark.parametrize("part", ["ties: {agent_2: {mutual: true}}", "personality: {ambition: 0.5}"])
def test_feelings_have_no_meaning_where_relationships_are_off(configs: Files, part: str) -> None:
    text = (configs.root / "towns" / "small.yaml").read_text() + f"opening: {{citizens: {{agent_1: {{{part}}}}}}}\n"
    assert "has no meaning while stages.relationships is OFF" in refused(
        load_config, configs.write("towns/small.yaml", text)
    )


def test_a_trait_that_nobody_has_cannot_be_set(configs: Files) -> None:
    text = (configs.root / "towns" / "small.yaml").read_text() + "stages: {relationships: A}\n"
    opening = "opening: {citizens: {agent_1: {personality: {patience: 0.5}}}}\n"
    said = "personality.patience: nobody has it while personality.patience is off; switch it on or remove this"
    assert said in refused(load_config, configs.write("towns/small.yaml", text + opening))
    load_config(configs.write("towns/small.yaml", text + opening + "personality: {patience: true}\n"))


def test_nobody_begins_with_more_ties_than_can_be_kept(configs: Files) -> None:
    text = (configs.root / "towns" / "small.yaml").read_text()
    ties = "{agent_2: {mutual: true}, agent_3: {mutual: true}}"
    more = "relationships: {max_ties: 1}\nstages: {relationships: A}\n"
    configs.write("towns/small.yaml", text + more + f"opening: {{citizens: {{agent_1: {{ties: {ties}}}}}}}\n")
    configs.spoil("towns/small.yaml", "agents: 2", "agents: 3")
    assert "agent" in refused(load_config, configs.root / "towns" / "small.yaml")
