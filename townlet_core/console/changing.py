"""Commands that change the town: what an administrator may do to it between two ticks."""

from typing import Annotated, Any

from pydantic import BaseModel, Field

from townlet_core.config.explain import unknown_name
from townlet_core.config.fields import STRICT, Money, NeedName, Share
from townlet_core.console.catalogue import Citizen, Spec, Who
from townlet_core.console.desk import Desk
from townlet_core.console.envelope import CommandError
from townlet_core.core import operations
from townlet_core.world.state import TIE_SIDES, USING

NOTHING = 0
"""The first choice is to do nothing, by options (idle) as by steps (wait)."""
Coordinate = Annotated[int, Field(ge=0, le=1000)]
Feeling = Annotated[float, Field(ge=-1.0, le=1.0)]


class Move(BaseModel):
    """A citizen and a tile: x counts from the west edge, y from the north."""

    model_config = STRICT
    agent: Citizen
    x: Coordinate
    y: Coordinate


class NeedLevels(BaseModel):
    """A citizen and levels of needs, 1 = satisfied."""

    model_config = STRICT
    agent: Citizen
    needs: dict[NeedName, Share] = Field(min_length=1)


class Purse(BaseModel):
    """A citizen and an amount of money."""

    model_config = STRICT
    agent: Citizen
    amount: Money


class Talk(BaseModel):
    """A talk that went well: who spoke to whom, and how good it was."""

    model_config = STRICT
    speaker: Citizen
    listener: Citizen
    quality: Share = 1.0


class Tie(BaseModel):
    """Two citizens, and what they are to feel about each other."""

    model_config = STRICT
    agent: Citizen
    other: Citizen
    trust: Feeling | None = None
    familiarity: Feeling | None = None
    rivalry: Share | None = None


class Choice(BaseModel):
    """A possessed citizen, and what it is to choose: an option, or a step where `control` is primitives."""

    model_config = STRICT
    agent: Citizen
    option: str


def teleport(desk: Desk, args: Move) -> dict[str, Any]:
    """Put a citizen on a free tile."""
    number = desk.citizen(args.agent)
    using = bool(desk.sim.agents["phase"][desk.town, number] == USING)
    operations.teleport(desk.sim, desk.town, number, args.x, args.y)
    return {"agent": args.agent, "position": [args.x, args.y], "use_broken_off": using}


def setneed(desk: Desk, args: NeedLevels) -> dict[str, Any]:
    """Set some needs of a citizen."""
    operations.set_needs(desk.sim, desk.town, desk.citizen(args.agent), args.needs)
    return {"agent": args.agent, "needs": desk.state()["agents"][args.agent]["needs"]}


def setwallet(desk: Desk, args: Purse) -> dict[str, Any]:
    """Set what a citizen has, out of the treasury or into it."""
    operations.set_wallet(desk.sim, desk.town, desk.citizen(args.agent), args.amount)
    treasury = float(desk.sim.state.towns["treasury"][desk.town])
    return {"agent": args.agent, "wallet": args.amount, "treasury": round(treasury, 6)}


def force_chat(desk: Desk, args: Talk) -> dict[str, Any]:
    """Let two citizens have had a good talk."""
    speaker, listener = desk.citizen(args.speaker), desk.citizen(args.listener)
    operations.converse(desk.sim, desk.town, speaker, listener, args.quality)
    return args.model_dump()


def set_rel(desk: Desk, args: Tie) -> dict[str, Any]:
    """Set what two citizens feel about each other; what is not named stays as it is."""
    sides = {side: value for side in TIE_SIDES if (value := getattr(args, side)) is not None}
    if not sides:
        raise CommandError("invalid_args", f"nothing to set; name {', '.join(TIE_SIDES)} or some of them")
    operations.set_tie(desk.sim, desk.town, desk.citizen(args.agent), desk.citizen(args.other), sides)
    return {"agent": args.agent, "other": args.other, **sides}


def kill(desk: Desk, args: Who) -> dict[str, Any]:
    """Take a citizen out of the town."""
    number = desk.citizen(args.agent)
    operations.kill(desk.sim, desk.town, number)
    desk.possessed.pop(number, None)
    return {"agent": args.agent, "alive": int(desk.sim.agents["alive"][desk.town].sum())}


def possess(desk: Desk, args: Who) -> dict[str, Any]:
    """Lead a citizen from now on: it idles until it is told what to choose."""
    number = desk.citizen(args.agent)
    if number in desk.possessed:
        raise CommandError("conflict", f"{args.agent} is possessed already; release it, or tell it what to choose")
    operations.hand_over(desk.sim, desk.town, number)
    desk.possessed[number] = NOTHING
    return {"agent": args.agent, "option": desk.sim.layout.actions[NOTHING]}


def choose(desk: Desk, args: Choice) -> dict[str, Any]:
    """Tell a possessed citizen what to choose whenever it decides."""
    number = _possessed(desk, args.agent)
    known = desk.sim.layout.actions
    if args.option not in known:
        raise CommandError("invalid_args", unknown_name("choice", args.option, known))
    desk.possessed[number] = known.index(args.option)
    if desk.sim.agents["phase"][desk.town, number] != USING:
        operations.break_off(desk.sim, desk.town, number)
    return {"agent": args.agent, "option": args.option}


def release(desk: Desk, args: Who) -> dict[str, Any]:
    """Let a possessed citizen choose for itself again."""
    number = _possessed(desk, args.agent)
    operations.hand_over(desk.sim, desk.town, number)
    del desk.possessed[number]
    return {"agent": args.agent}


def _possessed(desk: Desk, name: str) -> int:
    number = desk.citizen(name)
    if number not in desk.possessed:
        raise CommandError("conflict", f"{name} is not possessed; possess it first")
    return number


CHANGING = (
    Spec("teleport", "admin", "put a citizen on a free tile", Move, teleport),
    Spec("setneed", "admin", "set needs of a citizen: setneed agent_1 hunger=0.3", NeedLevels, setneed, rest="needs"),
    Spec("setwallet", "admin", "set a citizen's money, out of the treasury or into it", Purse, setwallet),
    Spec("force_chat", "admin", "let two citizens have had a good talk", Talk, force_chat),
    Spec("set_rel", "admin", "set what two citizens feel: set_rel agent_1 agent_2 trust=0.5", Tie, set_rel),
    Spec("kill", "admin", "take a citizen out of the town", Who, kill),
    Spec("possess", "admin", "lead a citizen", Who, possess),
    Spec("choose", "admin", "tell a possessed citizen which option to choose", Choice, choose),
    Spec("release", "admin", "let a possessed citizen choose for itself again", Who, release),
)
"""What an administrator may do."""
