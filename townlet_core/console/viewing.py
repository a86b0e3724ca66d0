"""Commands that look: nothing in the town changes."""

from typing import Any

from pydantic import BaseModel

from townlet_core.config import config_digest
from townlet_core.config.fields import STRICT
from townlet_core.console.catalogue import Citizen, Count, Latest, Nothing, Spec, Who
from townlet_core.console.clock import clock_time, day_and_minute
from townlet_core.console.desk import Desk
from townlet_core.world.employment import attendance_ratio
from townlet_core.world.state import PHASE_NAMES, USING, WAITING

SOCIAL = ("chat_success", "chat_failure", "shared_meal", "helped_when_late", "took_shift", "tie_formed", "tie_lost")
"""Events between citizens."""


class Thing(BaseModel):
    """A command about one object."""

    model_config = STRICT
    object: str


class MaybeWho(BaseModel):
    """A command about one citizen, or all of them."""

    model_config = STRICT
    agent: Citizen | None = None
    limit: Count = 5


def status(desk: Desk, args: Nothing) -> dict[str, Any]:
    """Tell which town this is, what time it is there, and how many live in it."""
    sim, common = desk.sim, desk.sim.state.towns[desk.town]
    day_length = sim.config.clock.ticks_per_day
    day, minute = day_and_minute(int(common["tick"]), day_length)
    return {
        "config_id": sim.config.config_id,
        "config_digest": config_digest(sim.config),
        "seed": sim.seed,
        "town": sim.first_town + desk.town,
        "tick": int(common["tick"]),
        "day": day,
        "minute": minute,
        "time": clock_time(int(common["tick"]), day_length),
        "alive": int(sim.agents["alive"][desk.town].sum()),
        "agents": sim.config.agents,
        "possessed": sorted(desk.people[index] for index in desk.possessed),
        "events_dropped": int(common["events_dropped"]),
    }


def telemetry_snapshot(desk: Desk, args: Nothing) -> dict[str, Any]:
    """Tell everything about the town, as a frame of telemetry does."""
    return desk.state()


def agent(desk: Desk, args: Who) -> dict[str, Any]:
    """Tell about one citizen: needs, purse, intention, work, and whom it knows."""
    desk.citizen(args.agent)
    found: dict[str, Any] = desk.state()["agents"][args.agent]
    return found


def employment_status(desk: Desk, args: Nothing) -> dict[str, Any]:
    """Tell of every citizen's job: its state, attendance, lateness and withheld wages."""
    sim = desk.sim
    people = desk.state()["agents"]
    for index, name in enumerate(desk.people):
        record = sim.agents[desk.town, index]
        people[name] = {key: people[name][key] for key in ("job", "shift", "lateness")}
        people[name]["attendance"] = round(float(_ratio(desk, index)), 4)
        people[name]["wages_paid"] = round(float(record["wages_paid"]), 6)
        people[name]["wages_withheld"] = round(float(record["wages_withheld"]), 6)
    return {"agents": people}


def affordance_status(desk: Desk, args: Nothing) -> dict[str, Any]:
    """Tell which uses are going on and how far, and how many have been completed and broken off."""
    sim, agents = desk.sim, desk.sim.agents[desk.town]
    running = [
        {
            "agent": desk.people[index],
            "object": sim.names.fixtures[who["target"]],
            "affordance": sim.names.affordances[who["affordance"]],
            "progress": int(who["progress"]),
            "duration": int(who["duration"]),
        }
        for index, who in enumerate(agents)
        if who["alive"] and who["phase"] == USING
    ]
    totals = agents["finished"].sum(axis=0)[: len(sim.names.affordances)]
    finished = dict(zip(sim.names.affordances, map(int, totals), strict=True))
    return {"running": running, "finished": finished, "failed": int(agents["failed"].sum())}


def queue_inspect(desk: Desk, args: Thing) -> dict[str, Any]:
    """Tell who uses an object, who waits for it since when, and what is left in it."""
    number, agents = desk.thing(args.object), desk.sim.agents[desk.town]
    found: dict[str, Any] = desk.state()["objects"][args.object]
    waiting = [index for index in range(len(agents)) if _waits(agents[index], number)]
    waiting.sort(key=lambda index: (int(agents["queued_at"][index]), index))
    since = {desk.people[index]: int(agents["queued_at"][index]) for index in waiting}
    return {**found, "queue": [{"agent": name, "since": tick} for name, tick in since.items()]}


def relationship_summary(desk: Desk, args: MaybeWho) -> dict[str, Any]:
    """Tell of the strongest ties, of one citizen or of everybody: friends by trust and familiarity, rivals."""
    people = desk.state()["agents"]
    if args.agent is not None:
        desk.citizen(args.agent)
        people = {args.agent: people[args.agent]}
    return {name: _ties(who["ties"], args.limit) for name, who in people.items()}


def rivalry_dump(desk: Desk, args: MaybeWho) -> list[dict[str, Any]]:
    """Tell of the strongest rivalries, of one citizen or in the whole town."""
    if args.agent is not None:
        desk.citizen(args.agent)
    people = desk.state()["agents"].items()
    pairs = [(name, other, tie) for name, who in people for other, tie in who["ties"].items()]
    chosen = [pair for pair in pairs if pair[2]["rivalry"] > 0 and args.agent in (None, pair[0])]
    chosen.sort(key=lambda pair: (-pair[2]["rivalry"], pair[0], pair[1]))
    threshold = desk.sim.config.relationships.avoid_threshold
    return [
        {"agent": name, "other": other, "rivalry": tie["rivalry"], "avoided": tie["rivalry"] >= threshold}
        for name, other, tie in chosen[: args.limit]
    ]


def events(desk: Desk, args: Latest) -> list[dict[str, Any]]:
    """Tell the latest events, oldest first."""
    return [event._asdict() for event in list(desk.journal)[-args.limit :]]


def social_events(desk: Desk, args: Latest) -> list[dict[str, Any]]:
    """Tell the latest events between citizens, oldest first."""
    between = [event._asdict() for event in desk.journal if event.event in SOCIAL]
    return between[-args.limit :]


def kpis(desk: Desk, args: Nothing) -> dict[str, float | None]:
    """Tell the key figures of the town since it was settled."""
    figures = {name: float(values[desk.town]) for name, values in desk.sim.kpis().items()}
    return {name: value if value - value == 0.0 else None for name, value in figures.items()}


def _ratio(desk: Desk, index: int) -> float:
    compute = getattr(attendance_ratio, "py_func", attendance_ratio)
    ratio: float = compute(desk.sim.rules, desk.sim.agents[desk.town, index])
    return ratio


def _waits(who: Any, thing: int) -> bool:
    return bool(who["alive"]) and PHASE_NAMES[who["phase"]] == PHASE_NAMES[WAITING] and int(who["target"]) == thing


def _ties(ties: dict[str, dict[str, float]], limit: int) -> dict[str, Any]:
    liking = sorted(ties, key=lambda other: (-ties[other]["trust"] - ties[other]["familiarity"], other))
    rivals = sorted((other for other in ties if ties[other]["rivalry"] > 0), key=lambda other: -ties[other]["rivalry"])
    return {
        "friends": {other: ties[other] for other in liking[:limit]},
        "rivals": {other: ties[other] for other in rivals[:limit]},
    }


VIEWING = (
    Spec("status", "viewer", "which town this is, its time, and how many live in it", Nothing, status),
    Spec("telemetry_snapshot", "viewer", "everything about the town", Nothing, telemetry_snapshot),
    Spec("agent", "viewer", "one citizen: needs, purse, intention, work, ties", Who, agent),
    Spec("employment_status", "viewer", "everybody's job, attendance and wages", Nothing, employment_status),
    Spec("affordance_status", "viewer", "the uses that go on, and how many ended how", Nothing, affordance_status),
    Spec("queue_inspect", "viewer", "who uses an object, and who waits for it", Thing, queue_inspect),
    Spec("relationship_summary", "viewer", "the strongest ties", MaybeWho, relationship_summary),
    Spec("rivalry_dump", "viewer", "the strongest rivalries", MaybeWho, rivalry_dump),
    Spec("events", "viewer", "the latest events", Latest, events),
    Spec("social_events", "viewer", "the latest events between citizens", Latest, social_events),
    Spec("kpis", "viewer", "the town's key figures", Nothing, kpis),
)
"""What whoever looks on may ask."""
