"""The examples in the documentation run as they stand."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
EXAMPLES = re.findall(
    r"^```python\n(.*?)^```$", (ROOT / "docs" / "environments.md").read_text(), re.DOTALL | re.MULTILINE
)


def run(example: str) -> str:
    """What an example prints when it is run from the top of the repository."""
    result = subprocess.run([sys.executable, "-c", example], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_there_is_an_example_of_each_environment() -> None:
    used = {name for name in ("TownletParallelEnv", "TownletVectorEnv") for example in EXAMPLES if name in example}
    assert used == {"TownletParallelEnv", "TownletVectorEnv"}


@pytest.mark.parametrize(("number", "printed"), [(0, "day 2, 06:00"), (1, "] [")])
def test_the_example_runs_to_the_end_of_its_episodes(number: int, printed: str) -> None:
    assert printed in run(EXAMPLES[number])
