"""Console: commands over a running town, who may give them, what they answer, and the clock that paces a town."""

from townlet_core.console.access import Gatekeeper
from townlet_core.console.audit import Audit
from townlet_core.console.clock import SPEEDS, TownClock
from townlet_core.console.console import Console
from townlet_core.console.envelope import Command, CommandError, Result, parse_command
from townlet_core.console.timeline import Timeline, load_timeline, play, require_playable

__all__ = [
    "SPEEDS",
    "Audit",
    "Command",
    "CommandError",
    "Console",
    "Gatekeeper",
    "Result",
    "Timeline",
    "TownClock",
    "load_timeline",
    "parse_command",
    "play",
    "require_playable",
]
