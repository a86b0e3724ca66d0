"""Commands about who stays: dismissals that wait for a review, exits from the town, and arrivals."""

from typing import Any, Literal

from pydantic import BaseModel, Field

from townlet_core.config.fields import STRICT
from townlet_core.console.catalogue import Citizen, Nothing, Spec
from townlet_core.console.desk import Desk
from townlet_core.console.envelope import CommandError
from townlet_core.core import Simulation, operations
from townlet_core.errors import InputError


class Decision(BaseModel):
    """What is decided about a citizen who may lose the job."""

    model_config = STRICT
    decision: Literal["approve", "defer"]
    agent: Citizen


class Cap(BaseModel):
    """How many may lose their job in a day; 0 sets no limit."""

    model_config = STRICT
    daily_exit_cap: int = Field(ge=0, le=50)


class Switch(BaseModel):
    """Whether something is on."""

    model_config = STRICT
    enabled: bool


class Delay(BaseModel):
    """How many ticks after an exit a newcomer comes, at least and at most."""

    model_config = STRICT
    least: int = Field(ge=1, le=100_000)
    most: int = Field(ge=1, le=100_000)


def employment_exits(desk: Desk, args: Nothing) -> dict[str, Any]:
    """Tell who may lose the job, and when it is decided."""
    waiting = [each for each in desk.sim.employment_exits() if each.town == desk.town]
    common = desk.sim.state.towns[desk.town]
    return {
        "pending": [
            {"agent": each.name, "since": each.since, "absences": each.absences, "until": each.until}
            for each in waiting
        ],
        "today": int(common["job_exits_today"]),
        "daily_exit_cap": int(common["job_exit_cap"]),
    }


def employment_exit(desk: Desk, args: Decision) -> dict[str, Any]:
    """Decide about a citizen who may lose the job."""
    decide = Simulation.approve_exit if args.decision == "approve" else Simulation.defer_exit
    try:
        decide(desk.sim, desk.town, desk.citizen(args.agent))
    except InputError as error:
        raise CommandError("conflict", str(error)) from error
    return args.model_dump()


def set_exit_cap(desk: Desk, args: Cap) -> dict[str, Any]:
    """Set how many may lose their job in a day."""
    desk.sim.set_exit_cap(args.daily_exit_cap)
    return args.model_dump()


def spawn(desk: Desk, args: Nothing) -> dict[str, Any]:
    """Let a newcomer take an empty place as soon as nobody stands on its bed."""
    place = operations.invite(desk.sim, desk.town)
    return {"bed": desk.sim.names.fixtures[int(desk.sim.rules.citizens["bed"][place])]}


def toggle_mortality(desk: Desk, args: Switch) -> dict[str, Any]:
    """Let needs kill, or not."""
    desk.sim.set_mortality(args.enabled)
    return args.model_dump()


def set_spawn_delay(desk: Desk, args: Delay) -> dict[str, Any]:
    """Set how soon newcomers come."""
    try:
        desk.sim.set_arrival_delay(args.least, args.most)
    except InputError as error:
        raise CommandError("invalid_args", str(error)) from error
    return args.model_dump()


STAFFING = (
    Spec("employment_exits", "viewer", "who may lose the job", Nothing, employment_exits),
    Spec("employment_exit", "admin", "employment_exit approve|defer agent_1", Decision, employment_exit),
    Spec("set_exit_cap", "admin", "how many may lose their job in a day", Cap, set_exit_cap),
    Spec("spawn", "admin", "let a newcomer take an empty place", Nothing, spawn),
    Spec("toggle_mortality", "admin", "whether needs kill", Switch, toggle_mortality),
    Spec("set_spawn_delay", "admin", "how many ticks after an exit a newcomer comes", Delay, set_spawn_delay),
)
"""Commands about who stays."""
