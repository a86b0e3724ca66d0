"""A small town of its own, so that tuning the shipped one changes no expectation, in a copy that a test may spoil."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from townlet_core.errors import ConfigError

SMALL = Path(__file__).parent / "small"


class Files(NamedTuple):
    """A scratch copy of `configs`, relative to the working folder."""

    root: Path

    def spoil(self, name: str, old: str, new: str) -> int:
        """Replace one occurrence of `old` in a file; give the line it stood on."""
        path = self.root / name
        text = path.read_text()
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {name}"
        path.write_text(text.replace(old, new))
        return text[: text.index(old)].count("\n") + 1

    def write(self, name: str, text: str) -> Path:
        """Write a whole file below the configuration folder."""
        path = self.root / name
        path.write_text(text)
        return path


@pytest.fixture
def configs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Files:
    """The small town, copied into a working folder of its own."""
    shutil.copytree(SMALL, tmp_path / "configs")
    monkeypatch.chdir(tmp_path)
    return Files(Path("configs"))


def refused(load: Callable[..., object], *given: object) -> str:
    """What is said when something is refused: one line for a person, that means exit code 2."""
    with pytest.raises(ConfigError) as info:
        load(*given)
    text = str(info.value)
    assert "\n" not in text
    assert info.value.exit_code == 2
    return text
