"""Whatever is done to a configuration, it loads or is refused in one line with its file and line."""

import re
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import example, given, settings
from hypothesis import strategies as st

from townlet_core.config import TownConfig, load_scenario
from townlet_core.errors import ConfigError

SMALL = Path(__file__).parent / "small"
FILES = ("towns/small.yaml", "maps/small.yaml", "affordances/small.yaml", "scenarios/poor.yaml")
WHERE = re.compile(r"^\S*configs/\S+\.yaml(:\d+: |: )\S.*$")

PIECES = (
    *("", "null", "[]", "{}", "-1", "1e9", ".nan", "x", "yes", "0", "\t", "\n", "- "),
    *('"', "'", "{", "}", "[", ":", "-", "#", "&a", "*a", "!!set", "?", "<<:"),
)


def refusal(name: str, start: float, length: int, piece: str) -> str | None:
    """Replace a stretch of one file and load; the refusal, or None when it still loads."""
    with TemporaryDirectory() as folder:
        root = Path(folder) / "configs"
        shutil.copytree(SMALL, root)
        text = (root / name).read_text()
        at = int(start * len(text))
        (root / name).write_text(text[:at] + piece + text[at + length :])
        try:
            assert isinstance(load_scenario("poor", root).config, TownConfig)
        except ConfigError as error:
            return str(error)
        return None


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.sampled_from(FILES), st.floats(0, 1), st.integers(0, 12), st.sampled_from(PIECES))
@example("towns/small.yaml", 0.0, 10_000, "")
@example("scenarios/poor.yaml", 0.0, 10_000, "")
def test_damage_is_refused_in_one_line_or_does_no_harm(name: str, start: float, length: int, piece: str) -> None:
    said = refusal(name, start, length, piece)
    assert said is None or WHERE.match(said), said
