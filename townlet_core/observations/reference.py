"""The NumPy oracle: the same observations as the kernel's, written plainly and slowly, by name.

It shares no code with the encoder or the affordance kernels, so that a slip in one of them shows as a difference.
"""

from math import cos, pi, sin
from typing import Any

import numpy as np
import numpy.typing as npt

from townlet_core.config.options import OPTION_NAMES
from townlet_core.config.personality import TRAIT_NAMES
from townlet_core.config.primitives import PRIMITIVE_NAMES
from townlet_core.config.weather import WEATHER_NAMES
from townlet_core.observations.blocks import DIRECTIONS
from townlet_core.observations.layout import ObservationLayout
from townlet_core.observations.scene import Scene
from townlet_core.world.rules import Rules
from townlet_core.world.state import (
    EVENT_PHASE_NAMES,
    NEED_NAMES,
    PHASE_NAMES,
    SHIFT_NAMES,
    UTILITY_NAMES,
    TownState,
)

LASTING = EVENT_PHASE_NAMES.index("lasting")

REACH = 2
"""Steps from an object at which one may ask for it."""


def _body(scene: Scene) -> dict[str, float]:
    agent, fridge = scene.agent, int(scene.citizen.fridge)
    meals = scene.fixtures[fridge].stock / max(int(scene.rules.fixtures[fridge].capacity), 1) if fridge >= 0 else 0.0
    values = {f"need_{name}": float(agent.needs[k]) for k, name in enumerate(NEED_NAMES)}
    values |= {"wallet": min(agent.wallet / 50, 1), "wallet_small": min(agent.wallet / 5, 1)}
    values |= {"ingredients": min(agent.ingredients / 16, 1), "home_meals": meals}
    return values | {f"{name}_on": float(scene.town.utilities[k]) for k, name in enumerate(UTILITY_NAMES)}


def _time(scene: Scene) -> dict[str, float]:
    start, end = int(scene.citizen.shift_start), int(scene.citizen.shift_end)
    angle, inside = 2 * pi * scene.minute / int(scene.scalars.day), start <= scene.minute < end
    before = min((start - scene.minute) / 120, 1.0) if scene.minute < start else float(not inside)
    elapsed = int(scene.town.tick) - int(scene.scalars.start_tick)
    return {
        "time_sin": sin(angle),
        "time_cos": cos(angle),
        "minutes_to_shift": before,
        "shift_progress": (scene.minute - start) / (end - start) if inside else 0.0,
        "episode_progress": min(elapsed / int(scene.scalars.episode_ticks), 1.0),
    }


def _work(scene: Scene) -> dict[str, float]:
    agent = scene.agent
    recent = min(int(agent.shifts), int(scene.scalars.attendance_window))
    order = [(int(agent.shifts) - 1 - back) % len(agent.attendance) for back in range(recent)]
    values = {
        "lateness": min(agent.lateness / 60, 1),
        "attendance_ratio": float(np.mean(agent.attendance[order])) if recent else 1.0,
        "wages_withheld": min(agent.wages_withheld / 10, 1),
    }
    return values | {f"shift_{name}": float(agent.shift_state == k) for k, name in enumerate(SHIFT_NAMES)}


def _deeds(scene: Scene) -> dict[str, float]:
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


def _security(scene: Scene) -> dict[str, float]:
    agent = scene.agent
    return {
        "employed": float(agent.employed),
        "exit_pending": float(agent.exit_state > 0),
        "absences": int(agent.absences.sum()) / len(agent.absences),
        "unpaid_days": min(agent.unpaid_days / 7, 1),
        "embedding_slot_norm": int(agent.slot) / int(scene.scalars.slots),
    }


def _job_direction(scene: Scene) -> dict[str, float]:
    workplace = int(scene.citizen.workplace)
    rule = scene.rules.fixtures[workplace]
    way = np.array([int(rule.y) - int(scene.agent.y), int(rule.x) - int(scene.agent.x)])
    dy, dx = way / max(float(np.hypot(*way)), 1.0)
    values = {"job_dy": float(dy), "job_dx": float(dx), "job_distance": min(scene.distance(workplace) / 128, 1)}
    return values | {f"job_path_{name}": float(scene.leads_to(workplace, name)) for name in DIRECTIONS}


def _hints(scene: Scene) -> dict[str, float]:
    target = int(scene.agent.target)
    return {f"path_hint_{name}": float(target >= 0 and scene.leads_to(target, name)) for name in DIRECTIONS}


def _choices(scene: Scene) -> dict[str, float]:
    """Tell of each option whether it is possible, what it costs and where it leads."""
    values: dict[str, float] = {}
    span = max(scene.rules.terrain.shape)
    for option, name in enumerate(OPTION_NAMES[1:], start=1):
        found = scene.choice(option)
        cost, there = found or (128, scene.agent)
        values |= {f"{name}_possible": float(found is not None), f"{name}_cost": min(cost / 128, 1)}
        values[f"{name}_dy"] = (int(there.y) - int(scene.agent.y)) / span
        values[f"{name}_dx"] = (int(there.x) - int(scene.agent.x)) / span
    return values


def _steps(scene: Scene) -> dict[str, float]:
    values = {f"last_{name}": float(scene.agent.last_action == k) for k, name in enumerate(PRIMITIVE_NAMES)}
    for option, name in enumerate(OPTION_NAMES[1:-1], start=1):
        target = scene.target(option)
        values[f"{name}_in_reach"] = float(target >= 0 and scene.distance(target) <= REACH)
        ways = {way: target >= 0 and scene.leads_to(target, way) for way in DIRECTIONS}
        values |= {f"{name}_path_{way}": float(leads) for way, leads in ways.items()}
    return values


def _surroundings(scene: Scene) -> dict[str, float]:
    town, base = scene.town, scene.scalars.prices
    values = {f"weather_{name}": float(town.weather == k) for k, name in enumerate(WEATHER_NAMES)}
    index = float(np.mean(town.prices[base > 0] / base[base > 0])) if (base > 0).any() else 1.0
    dear = {"price_index": index, "eat_out_price": scene.option_price("eat_out")}
    dear["shop_price"] = scene.option_price("shop")
    values |= {name: min(level, 3.0) / 3.0 for name, level in dear.items()}
    stirred = bool((town.event_phase == LASTING).any()) or town.tick < town.event_grace_until
    values |= {"in_city_event": float(stirred), "called_together": float(scene.agent.meeting > 0)}
    return values | {"clothes": float(scene.agent.clothes)}


def _tie(scene: Scene, name: str, tie: Any) -> dict[str, float]:
    half, other = int(scene.scalars.window) // 2, scene.people[tie.other]
    way = np.array([int(other.y) - int(scene.agent.y), int(other.x) - int(scene.agent.x)])
    near = bool((np.abs(way) <= half).all())
    dy, dx = way / half if near else (0.0, 0.0)
    sides = {
        "known": 1.0,
        "slot": int(other.slot) / int(scene.scalars.slots),
        "trust": tie.trust,
        "familiarity": tie.familiarity,
        "rivalry": tie.rivalry,
    }
    return {f"{name}_{side}": float(value) for side, value in (sides | {"near": near, "dy": dy, "dx": dx}).items()}


def _social(scene: Scene) -> dict[str, float]:
    values = {name: float(scene.agent.personality[k]) for k, name in enumerate(TRAIT_NAMES)}
    values["may_chat"] = float(scene.town.tick >= scene.agent.chat_ready_at)
    known = [tie for tie in scene.ties if tie.other >= 0]
    friendly = [tie.trust + tie.familiarity > tie.rivalry for tie in known]
    friends = sorted((t for t, ok in zip(known, friendly, strict=True) if ok), key=lambda t: -(t.trust + t.familiarity))
    rivals = sorted((t for t, ok in zip(known, friendly, strict=True) if not ok), key=lambda t: -t.rivalry)
    for circle, ties in (("friend", friends), ("rival", rivals)):
        for rank, tie in enumerate(ties, start=1):
            values |= _tie(scene, f"{circle}_{rank}", tie)
    for side in ("trust", "rivalry"):
        felt = [float(tie[side]) for tie in known]
        values |= {f"{side}_mean": float(np.mean(felt or [0.0])), f"{side}_max": max([0.0, *felt])}
    return values


BLOCKS = (_body, _time, _work, _security, _job_direction, _deeds, _hints, _choices, _steps, _surroundings, _social)


def reference_features(
    state: TownState, rules: Rules, layout: ObservationLayout, town: int, agent: int
) -> npt.NDArray[np.float32]:
    """Return the feature vector [F] of one agent, assembled by name; zeros for who has left the town."""
    scene = Scene(state, rules, town, agent)
    if not scene.agent.alive:
        return np.zeros(len(layout.features), np.float32)
    values = {name: value for block in BLOCKS for name, value in block(scene).items()}
    strangers = {spec.name for spec in layout.features if spec.name.startswith(("friend_", "rival_"))}
    known = dict.fromkeys(strangers - values.keys(), 0.0) | values
    return np.array([known[spec.name] for spec in layout.features], np.float32)


def reference_mask(state: TownState, rules: Rules, town: int, agent: int) -> npt.NDArray[np.bool_]:
    """Return the action mask [actions] of one agent."""
    scene = Scene(state, rules, town, agent)
    me, primitives = scene.agent, bool(scene.scalars.primitives)
    mask = np.zeros(len(PRIMITIVE_NAMES) if primitives else len(OPTION_NAMES), np.bool_)
    if primitives:
        allowed = _allowed(scene) if me.alive and not me.meeting else {}
        return np.array([name == "wait" or allowed.get(name, False) for name in PRIMITIVE_NAMES])
    if me.alive and me.committed:
        mask[me.option] = True
        return mask
    mask[0] = True
    for option in range(1, len(OPTION_NAMES)):
        pursued = option == me.option and PHASE_NAMES[me.phase] != "free"
        mask[option] = bool(me.alive) and (pursued or scene.choice(option) is not None)
    return mask


def _allowed(scene: Scene) -> dict[str, bool]:
    """Say of each primitive but waiting whether it can have an effect."""
    phase, here = PHASE_NAMES[scene.agent.phase], int(scene.agent.target)
    allowed = {f"move_{way}": phase != "using" and scene.may_step(way) for way in DIRECTIONS}
    for option, name in enumerate(OPTION_NAMES[1:-1], start=1):
        target = scene.target(option)
        allowed[f"request_{name}"] = phase == "free" and target >= 0 and scene.distance(target) <= REACH
    holds = bool(scene.agent.holds) and phase != "using"
    allowed["start"] = holds and scene.distance(here) == 0 and here in scene.candidates(scene.use)
    allowed["release"] = phase in ("walking", "waiting")
    allowed["chat"] = scene.company(reach=1) is not None
    return allowed
