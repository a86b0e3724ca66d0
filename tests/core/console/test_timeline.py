"""A demonstration is checked to the last command before anything runs, and then happens at its ticks."""

from pathlib import Path

import pytest

from tests.core.console.conftest import ROOT, live, opened
from townlet_core.console import load_timeline, play, require_playable
from townlet_core.console.timeline import Timeline
from townlet_core.core import Simulation
from townlet_core.errors import ConfigError

DEMO = """demo: small
town: {town}
ticks: 20
timeline:
  - {{tick: 0, command: setneed, args: {{agent: agent_1, needs: {{hunger: 0.5}}}}}}
  - {{tick: 10, command: status}}
  - {{tick: 20, command: status}}
"""


def written(tmp_path: Path, old: str = "", new: str = "") -> Path:
    text = DEMO.format(town=ROOT / "configs" / "towns" / "default.yaml")
    assert old in text
    path = tmp_path / "small.yaml"
    path.write_text(text.replace(old, new) if old else text)
    return path


def checked(path: Path, sim: Simulation, data: Path) -> Timeline:
    timeline = load_timeline(path)
    require_playable(timeline, opened(sim, data))
    return timeline


def test_commands_are_given_at_their_ticks(tmp_path: Path, sim: Simulation) -> None:
    console = opened(sim, tmp_path)
    timeline = checked(written(tmp_path), sim, tmp_path)
    results = list(play(timeline, console, lambda: live(console, 1)))
    assert [(result.name, result.tick, result.status) for result in results] == [
        ("setneed", 360, "ok"),
        ("status", 370, "ok"),
        ("status", 380, "ok"),
    ]
    assert sim.tick == 20


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("command: setneed", "command: setned", ":5: timeline[0].command: unknown command 'setned'"),
        ("agent: agent_1", "agent: agent_9", ":5: timeline[0].args: unknown citizen 'agent_9'"),
        ("hunger: 0.5", "hunger: 5", ":5: timeline[0].args: needs.hunger: found 5"),
        ("tick: 10", "tick: 30", ":6: timeline[1].tick: found 30, beyond the demonstration's 20 ticks"),
        ("tick: 20,", "tick: 5,", ":7: timeline[2].tick: found 5 after 10; write the timeline in order"),
        ("ticks: 20", "tiks: 20", "tiks: unknown key 'tiks'; did you mean 'ticks'?"),
        ("demo: small", "demo: big", ":1: demo: found 'big', expected the file's own name 'small'"),
        ("default.yaml", "defalt.yaml", ":2: town: "),
    ],
)
def test_what_could_not_be_played_is_refused_before_anything_runs(
    tmp_path: Path, sim: Simulation, old: str, new: str, said: str
) -> None:
    path = written(tmp_path, old, new)
    with pytest.raises(ConfigError) as refused:
        checked(path, sim, tmp_path)
    assert said in str(refused.value)
    assert str(refused.value).startswith(str(path))
    assert sim.tick == 0


@pytest.mark.parametrize("path", sorted((ROOT / "configs" / "demo").glob("*.yaml")), ids=lambda path: path.stem)
def test_the_shipped_demonstrations_play_to_the_end(path: Path, tmp_path: Path) -> None:
    timeline = load_timeline(path)
    console = opened(Simulation(timeline.config, seed=timeline.written.seed), tmp_path)
    require_playable(timeline, console)
    results = list(play(timeline, console, lambda: live(console, 1)))
    assert [result.error for result in results] == [None] * len(timeline.written.timeline)
