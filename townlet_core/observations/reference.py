"""The NumPy oracle: the same observations as the kernel's, written plainly and slowly, by name.

It shares no code with the encoder or the affordance kernels, so that a slip in one of them shows as a difference.
"""

from math import cos, pi, sin
from typing import Any

import numpy as np
import numpy.typing as npt

from townlet_core.config.options import OPTION_NAMES
from townlet_core.observations.layout import CIRCLE, DIRECTIONS, ObservationLayout
from townlet_core.world.rules import WORKPLACE_CODE, Rules
from townlet_core.world.state import NEED_NAMES, PERSONALITY_NAMES, PHASE_NAMES, SHIFT_NAMES, UTILITY_NAMES, TownState

QUEUE_COST = 15
RIVAL_COST = 60
STEPS = {"north": (-1, 0), "east": (0, 1), "south": (1, 0), "west": (0, -1)}


class _Scene:
    """One agent in one town, with the look-ups that its features need."""

    def __init__(self, state: TownState, rules: Rules, town: int, agent: int) -> None:
        self.rules, self.number = rules, agent
        self.town, self.agent = state.towns[town], state.agents[town, agent]
        self.fixtures, self.citizen = state.fixtures[town], rules.citizens[agent]
        self.ties, self.people = state.ties[town, agent], state.agents[town]
        self.scalars = rules.scalars[0]
        self.minute = int(self.town.tick) % int(self.scalars.day)

    def distance(self, fixture: int, dy: int = 0, dx: int = 0) -> int:
        return int(self.rules.distance[fixture, self.agent.y + dy, self.agent.x + dx])

    def cost(self, fixture: int) -> int:
        seat = self.fixtures[fixture]
        others = int(seat.user >= 0 and seat.user != self.number)
        detour = RIVAL_COST if others and self.avoids(int(seat.user)) else 0
        return self.distance(fixture) + QUEUE_COST * (int(seat.waiting) + others) + detour

    def avoids(self, other: int) -> bool:
        """Say whether a tie to the other agent has grown into a rivalry to keep clear of."""
        rivalry = self.ties["rivalry"][self.ties["other"] == other]
        return bool((rivalry >= self.scalars.avoid_threshold).any())

    def company_cost(self) -> int | None:
        """Return how many tiles away the partner is that one would talk to, or None."""
        using = PHASE_NAMES[self.agent.phase] == "using"
        if not self.ties.size or using or self.town.tick < self.agent.chat_ready_at:
            return None
        radius, found = int(self.scalars.chat_radius), []
        for number, other in enumerate(self.people):
            apart = max(abs(int(other.y) - int(self.agent.y)), abs(int(other.x) - int(self.agent.x)))
            busy = not other.alive or PHASE_NAMES[other.phase] == "using" or self.town.tick < other.chat_ready_at
            if number != self.number and apart <= radius and not busy and not self.avoids(number):
                found.append((-(self.liking(number) - apart / radius), number, apart))
        return min(found)[2] if found else None

    def liking(self, other: int) -> float:
        """Return trust and familiarity less rivalry towards another agent."""
        tie = self.ties[self.ties["other"] == other]
        return float((tie["trust"] + tie["familiarity"] - tie["rivalry"]).sum())

    def at_work_hours(self) -> bool:
        start = int(self.citizen.shift_start) - int(self.scalars.pre_shift)
        return start <= self.minute < int(self.citizen.shift_end)

    def candidates(self, affordance: Any) -> list[int]:
        """Return the objects that can serve an affordance now."""
        if not affordance.opens <= self.minute < affordance.closes:
            return []
        if self.agent.wallet < affordance.price or self.agent.ingredients < affordance.takes_ingredients:
            return []
        if affordance.type == WORKPLACE_CODE:
            return [int(self.citizen.workplace)] if self.at_work_hours() else []
        of_type = np.flatnonzero(self.rules.fixtures["type"] == affordance.type)
        return [int(f) for f in of_type if self._serves(int(f), affordance)]

    def _serves(self, f: int, affordance: Any) -> bool:
        rule = self.rules.fixtures[f]
        mine = rule.owner in (-1, self.number) and rule.home in (-1, self.citizen.home)
        works = rule.utility < 0 or bool(self.town.utilities[rule.utility])
        resting = self.agent.last_fixture == f and self.town.tick < self.agent.cooldown_until
        stocked = self.fixtures[f].stock >= affordance.takes_stock and self._room(affordance)
        return bool(mine and works and not resting and stocked)

    def _room(self, affordance: Any) -> bool:
        fridge = int(self.citizen.fridge)
        if affordance.gives_meals == 0:
            return True
        return fridge >= 0 and bool(
            self.fixtures[fridge].stock + affordance.gives_meals <= self.rules.fixtures[fridge].capacity
        )

    def option_cost(self, option: int) -> int | None:
        """Return the cost of the cheapest way to fulfil an option, or None."""
        if OPTION_NAMES[option] == "socialise":
            return self.company_cost()
        serving = self.rules.affordances[self.rules.affordances["option"] == option]
        costs = [self.cost(f) for affordance in serving for f in self.candidates(affordance)]
        return min(costs) if costs else None


def _body(scene: _Scene) -> dict[str, float]:
    agent, fridge = scene.agent, int(scene.citizen.fridge)
    meals = scene.fixtures[fridge].stock / max(int(scene.rules.fixtures[fridge].capacity), 1) if fridge >= 0 else 0.0
    values = {f"need_{name}": float(agent.needs[k]) for k, name in enumerate(NEED_NAMES)}
    values |= {"wallet": min(agent.wallet / 50, 1), "wallet_small": min(agent.wallet / 5, 1)}
    values |= {"ingredients": min(agent.ingredients / 16, 1), "home_meals": meals}
    return values | {f"{name}_on": float(scene.town.utilities[k]) for k, name in enumerate(UTILITY_NAMES)}


def _time(scene: _Scene) -> dict[str, float]:
    start, end = int(scene.citizen.shift_start), int(scene.citizen.shift_end)
    angle, inside = 2 * pi * scene.minute / int(scene.scalars.day), start <= scene.minute < end
    before = min((start - scene.minute) / 120, 1.0) if scene.minute < start else float(not inside)
    elapsed = int(scene.town.tick) - int(scene.scalars.start_tick)
    return {
        "time_sin": sin(angle),
        "time_cos": cos(angle),
        "minutes_to_shift": before,
        "shift_progress": (scene.minute - start) / (end - start) if inside else 0.0,
        "episode_progress": elapsed / int(scene.scalars.episode_ticks),
    }


def _work(scene: _Scene) -> dict[str, float]:
    agent = scene.agent
    recent = min(int(agent.shifts), int(scene.scalars.attendance_window))
    order = [(int(agent.shifts) - 1 - back) % len(agent.attendance) for back in range(recent)]
    values = {
        "lateness": min(agent.lateness / 60, 1),
        "attendance_ratio": float(np.mean(agent.attendance[order])) if recent else 1.0,
        "wages_withheld": min(agent.wages_withheld / 10, 1),
    }
    return values | {f"shift_{name}": float(agent.shift_state == k) for k, name in enumerate(SHIFT_NAMES)}


def _option(scene: _Scene) -> dict[str, float]:
    agent, rules = scene.agent, scene.rules
    using = PHASE_NAMES[agent.phase] == "using"
    values = {f"option_{name}": float(agent.option == k) for k, name in enumerate(OPTION_NAMES)}
    values |= {f"phase_{name}": float(agent.phase == k) for k, name in enumerate(PHASE_NAMES)}
    values |= {
        "option_elapsed": min(agent.option_ticks / 180, 1),
        "use_progress": agent.progress / agent.duration if using else 0.0,
        "last_success": float(agent.last_success),
        "last_duration": min(agent.last_duration / 180, 1),
        "ctx_reset_flag": float(agent.context_reset),
        "on_object": float(rules.fixture_at[agent.y, agent.x] >= 0),
        "at_home": float(rules.home_at[agent.y, agent.x] == scene.citizen.home),
    }
    return values


def _hints(scene: _Scene) -> dict[str, float]:
    target = int(scene.agent.target)
    if target < 0:
        return dict.fromkeys((f"path_hint_{name}" for name in DIRECTIONS), 0.0)
    here = scene.distance(target)
    return {f"path_hint_{name}": float(scene.distance(target, *STEPS[name]) < here) for name in DIRECTIONS}


def _choices(scene: _Scene) -> dict[str, float]:
    values = {}
    for option, name in enumerate(OPTION_NAMES[1:], start=1):
        cost = scene.option_cost(option)
        values[f"{name}_possible"] = float(cost is not None)
        values[f"{name}_cost"] = 1.0 if cost is None else min(cost / 128, 1)
    return values


def _tie(scene: _Scene, name: str, tie: Any) -> dict[str, float]:
    half, other = int(scene.scalars.window) // 2, scene.people[tie.other]
    way = np.array([int(other.y) - int(scene.agent.y), int(other.x) - int(scene.agent.x)])
    near = bool((np.abs(way) <= half).all())
    dy, dx = way / half if near else (0.0, 0.0)
    sides = {"known": 1.0, "trust": tie.trust, "familiarity": tie.familiarity, "rivalry": tie.rivalry}
    return {f"{name}_{side}": float(value) for side, value in (sides | {"near": near, "dy": dy, "dx": dx}).items()}


def _social(scene: _Scene) -> dict[str, float]:
    values = {name: float(scene.agent.personality[k]) for k, name in enumerate(PERSONALITY_NAMES)}
    values["may_chat"] = float(scene.town.tick >= scene.agent.chat_ready_at)
    known = [tie for tie in scene.ties if tie.other >= 0]
    friendly = [tie.trust + tie.familiarity > tie.rivalry for tie in known]
    friends = sorted((t for t, ok in zip(known, friendly, strict=True) if ok), key=lambda t: -(t.trust + t.familiarity))
    rivals = sorted((t for t, ok in zip(known, friendly, strict=True) if not ok), key=lambda t: -t.rivalry)
    for circle, ties in (("friend", friends), ("rival", rivals)):
        for rank, tie in enumerate(ties[:CIRCLE], start=1):
            values |= _tie(scene, f"{circle}_{rank}", tie)
    for side in ("trust", "rivalry"):
        felt = [float(tie[side]) for tie in known]
        values |= {f"{side}_mean": float(np.mean(felt or [0.0])), f"{side}_max": max([0.0, *felt])}
    return values


def reference_features(
    state: TownState, rules: Rules, layout: ObservationLayout, town: int, agent: int
) -> npt.NDArray[np.float32]:
    """Return the feature vector [F] of one agent, assembled by name; zeros for who has left the town."""
    scene = _Scene(state, rules, town, agent)
    if not scene.agent.alive:
        return np.zeros(len(layout.features), np.float32)
    parts = (_body, _time, _work, _option, _hints, _choices, _social)
    values = {name: value for part in parts for name, value in part(scene).items()}
    absent = {spec.name for spec in layout.features if spec.name.startswith(("friend_", "rival_"))}
    return np.array([values.get(s.name, 0.0) if s.name in absent else values[s.name] for s in layout.features], "f4")


def reference_mask(state: TownState, rules: Rules, town: int, agent: int) -> npt.NDArray[np.bool_]:
    """Return the action mask [options] of one agent."""
    scene = _Scene(state, rules, town, agent)
    me, mask = scene.agent, np.zeros(len(OPTION_NAMES), np.bool_)
    if me.alive and me.committed:
        mask[me.option] = True
        return mask
    mask[0] = True
    for option in range(1, len(OPTION_NAMES)):
        pursued = option == me.option and PHASE_NAMES[me.phase] != "free"
        mask[option] = bool(me.alive) and (pursued or scene.option_cost(option) is not None)
    return mask


def reference_map(state: TownState, rules: Rules, town: int, agent: int) -> npt.NDArray[np.uint8]:
    """Return the map crop [w, w, 4] of one agent, painted from the state and not from the packed tiles."""
    me, half = state.agents[town, agent], int(rules.scalars["window"][0]) // 2
    picture = _paint(state, rules, town)
    padded = np.pad(picture, ((half, half), (half, half), (0, 0)))
    crop = padded[me.y : me.y + 2 * half + 1, me.x : me.x + 2 * half + 1]
    return crop if me.alive else np.zeros_like(crop)


def _paint(state: TownState, rules: Rules, town: int) -> npt.NDArray[np.uint8]:
    types = len(rules.ranges) - 1
    picture = np.zeros((*rules.terrain.shape, 4), np.uint8)
    picture[..., 0] = rules.terrain.astype(int) * 255 // 5
    for rule, fixture in zip(rules.fixtures, state.fixtures[town], strict=True):
        used = fixture.user >= 0 and PHASE_NAMES[state.agents[town, fixture.user].phase] == "using"
        picture[rule.y, rule.x, 1] = (int(rule.type) + 1) * 255 // types
        picture[rule.y, rule.x, 3] = 255 if used else 128 if fixture.user >= 0 else 0
    for me in state.agents[town]:
        if me.alive:
            picture[me.y, me.x, 2] = 255 if PHASE_NAMES[me.phase] == "using" else 128
    return picture
