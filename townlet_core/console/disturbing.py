"""Commands about what upsets a town: perturbations by hand, and prices."""

from typing import Annotated, Any

from pydantic import BaseModel, Field

from townlet_core.config.explain import unknown_name
from townlet_core.config.fields import STRICT, Identifier
from townlet_core.console.catalogue import Nothing, Spec
from townlet_core.console.desk import Desk
from townlet_core.console.envelope import CommandError
from townlet_core.core import operations
from townlet_core.errors import InputError


class Trigger(BaseModel):
    """A perturbation of the town's file, and how long and how strong it is to be; left out, chance decides."""

    model_config = STRICT
    event: Identifier
    ticks: int | None = Field(default=None, ge=1, le=100_000)
    magnitude: float | None = Field(default=None, ge=0.1, le=10.0)


class Number(BaseModel):
    """A perturbation that lasts, by its number in the town."""

    model_config = STRICT
    number: int = Field(ge=1)


class Price(BaseModel):
    """A price key, and what things under it cost now."""

    model_config = STRICT
    key: Identifier
    value: Annotated[float, Field(gt=0.0, le=1e6)]


def perturbation_queue(desk: Desk, args: Nothing) -> dict[str, Any]:
    """Tell what upsets the town now, what chance has in store today, and what may happen at all."""
    sim, common = desk.sim, desk.sim.state.towns[desk.town]
    due = {name: int(common["event_due"][k]) for k, name in enumerate(sim.names.perturbations)}
    return {
        "lasting": [event._asdict() for event in sim.perturbations(desk.town)],
        "due": {name: tick for name, tick in due.items() if tick >= 0},
        "known": list(sim.names.perturbations),
    }


def perturbation_trigger(desk: Desk, args: Trigger) -> dict[str, Any]:
    """Let a perturbation begin with the next tick, whatever the bounds of chance."""
    known = desk.sim.names.perturbations
    if args.event not in known:
        raise CommandError("not_found", unknown_name("perturbation", args.event, known) or "this town has none")
    try:
        number = desk.sim.trigger(desk.town, args.event, ticks=args.ticks, magnitude=args.magnitude)
    except InputError as error:
        raise CommandError("conflict", str(error)) from error
    return {"event": args.event, "number": number}


def perturbation_cancel(desk: Desk, args: Number) -> dict[str, Any]:
    """Let a perturbation end with the next tick."""
    try:
        desk.sim.cancel(desk.town, args.number)
    except InputError as error:
        raise CommandError("not_found", str(error)) from error
    return {"number": args.number}


def price(desk: Desk, args: Price) -> dict[str, Any]:
    """Set what things cost now; from there the price goes on moving as prices do."""
    known = desk.sim.names.prices
    if args.key not in known:
        raise CommandError("not_found", unknown_name("price", args.key, known) or "this town has no prices")
    before = operations.set_price(desk.sim, desk.town, known.index(args.key), args.value)
    return {"key": args.key, "before": round(before, 6), "now": args.value}


DISTURBING = (
    Spec("perturbation_queue", "viewer", "what upsets the town now, and later today", Nothing, perturbation_queue),
    Spec("perturbation_trigger", "admin", "let a perturbation begin now", Trigger, perturbation_trigger),
    Spec("perturbation_cancel", "admin", "let a perturbation end now", Number, perturbation_cancel),
    Spec("price", "admin", "set what things cost now", Price, price),
)
"""Commands about what upsets a town."""
