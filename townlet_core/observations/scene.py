"""One agent in one town, looked at plainly and slowly: what the oracle's features are made of."""

from typing import Any

import numpy as np

from townlet_core.config.options import OPTION_NAMES
from townlet_core.config.personality import TRAIT_NAMES
from townlet_core.observations.condition_oracle import meets
from townlet_core.world.rules import WORKPLACE_CODE, Rules
from townlet_core.world.state import PHASE_NAMES, TownState

QUEUE_COST = 15
RIVAL_COST = 60
STEPS = {"north": (-1, 0), "east": (0, 1), "south": (1, 0), "west": (0, -1)}


class Scene:
    """One agent in one town, with the look-ups that its features need."""

    def __init__(self, state: TownState, rules: Rules, town: int, agent: int) -> None:
        self.rules, self.number, self.state, self.town_number = rules, agent, state, town
        self.town, self.agent = state.towns[town], state.agents[town, agent]
        self.fixtures, self.citizen = state.fixtures[town], rules.citizens[agent]
        self.ties, self.people = state.ties[town, agent], state.agents[town]
        self.scalars = rules.scalars[0]
        self.minute = int(self.town.tick) % int(self.scalars.day)

    def distance(self, fixture: int, dy: int = 0, dx: int = 0) -> int:
        """Return the steps to an object from here, or from a tile beside here."""
        return int(self.rules.distance[fixture, self.agent.y + dy, self.agent.x + dx])

    def leads_to(self, fixture: int, direction: str) -> bool:
        """Say whether a step in a direction leads to an object: closer to it, and not onto another one."""
        dy, dx = STEPS[direction]
        y, x = int(self.agent.y) + dy, int(self.agent.x) + dx
        height, width = self.rules.terrain.shape
        if not (0 <= y < height and 0 <= x < width) or self.rules.fixture_at[y, x] not in (-1, fixture):
            return False
        return self.distance(fixture, dy, dx) < self.distance(fixture)

    def cost(self, fixture: int) -> int:
        """Return the walking and the expected waiting that a use of an object would cost, in ticks."""
        seat = self.fixtures[fixture]
        others = int(seat.user >= 0 and seat.user != self.number)
        detour = RIVAL_COST if others and self.avoids(int(seat.user)) else 0
        return self.walk(fixture) + QUEUE_COST * (int(seat.waiting) + others) + detour

    def thrift(self, affordance: Any) -> int:
        """Return what the price of an affordance weighs for the frugal, in ticks; nothing where nobody is frugal."""
        frugality = TRAIT_NAMES.index("frugality")
        matters = bool(self.scalars.traits[frugality])
        return int(self.price(affordance) * float(self.agent.personality[frugality]) * 30) if matters else 0

    def walk(self, fixture: int) -> int:
        """Return the ticks of the way to an object, the pauses that the weather forces on one included."""
        steps, pause = self.distance(fixture), int(self.town.pause_every)
        return steps + (steps // (pause - 1) if pause else 0)

    def avoids(self, other: int) -> bool:
        """Say whether a tie to the other agent has grown into a rivalry to keep clear of."""
        rivalry = self.ties["rivalry"][self.ties["other"] == other]
        return bool((rivalry >= self.scalars.avoid_threshold).any())

    def may_step(self, direction: str) -> bool:
        """Say whether a step can be tried: no wall, no object but the one held, nobody there who uses something."""
        y, x = (int(at) + step for at, step in zip((self.agent.y, self.agent.x), STEPS[direction], strict=True))
        height, width = self.rules.terrain.shape
        if not (0 <= y < height and 0 <= x < width) or self.rules.terrain[y, x] == 0:
            return False
        obstacle = int(self.rules.fixture_at[y, x])
        if obstacle >= 0 and not (obstacle == self.agent.target and self.agent.holds):
            return False
        there = [who for who in self.people if who.alive and (who.y, who.x) == (y, x)]
        pushes = int(self.scalars.ghost_step_after) > 0
        return all(pushes and PHASE_NAMES[who.phase] != "using" for who in there)

    @property
    def use(self) -> Any:
        """The affordance that the agent is after."""
        return self.rules.affordances[self.agent.affordance]

    def target(self, option: int) -> int:
        """Return the object that serves an option best, -1 if none does."""
        found = self.choice(option)
        return int(self.rules.fixture_at[found[1].y, found[1].x]) if found else -1

    def company(self, reach: int | None = None) -> tuple[int, int] | None:
        """Return how many tiles away the partner is that one would talk to, and who it is, or None."""
        using = PHASE_NAMES[self.agent.phase] == "using"
        if not self.ties.size or using or self.town.tick < self.agent.chat_ready_at:
            return None
        radius, found = reach or int(self.scalars.chat_radius), []
        for number, other in enumerate(self.people):
            apart = max(abs(int(other.y) - int(self.agent.y)), abs(int(other.x) - int(self.agent.x)))
            busy = not other.alive or PHASE_NAMES[other.phase] == "using" or self.town.tick < other.chat_ready_at
            if number != self.number and apart <= radius and not busy and not self.avoids(number):
                found.append((-(self.liking(number) - apart / radius), number, apart))
        return min(found)[:0:-1] if found else None

    def liking(self, other: int) -> float:
        """Return trust and familiarity less rivalry towards another agent."""
        tie = self.ties[self.ties["other"] == other]
        return float((tie["trust"] + tie["familiarity"] - tie["rivalry"]).sum())

    def at_work_hours(self) -> bool:
        """Say whether one may be at work now."""
        start = int(self.citizen.shift_start) - int(self.scalars.pre_shift)
        return bool(self.agent.employed) and start <= self.minute < int(self.citizen.shift_end)

    def candidates(self, affordance: Any) -> list[int]:
        """Return the objects that can serve an affordance now."""
        if not affordance.opens <= self.minute < affordance.closes:
            return []
        if self.agent.wallet < self.price(affordance) or self.agent.ingredients < affordance.takes_ingredients:
            return []
        if not self.wants(affordance):
            return []
        if affordance.type == WORKPLACE_CODE:
            workplace = int(self.citizen.workplace)
            return [workplace] if self.at_work_hours() and self._meets(workplace, affordance) else []
        of_type = np.flatnonzero(self.rules.fixtures["type"] == affordance.type)
        return [int(f) for f in of_type if self._serves(int(f), affordance)]

    def price(self, affordance: Any) -> float:
        """Return what an affordance costs now."""
        return float(self.town.prices[affordance.price_key]) if affordance.price_key >= 0 else 0.0

    def wants(self, affordance: Any) -> bool:
        """Say whether shopping is for this: clothes when one's own are worn and food is in the house, else food."""
        worn = bool(self.scalars.clothes_matter) and self.agent.clothes < self.scalars.worn_below
        for_clothes = worn and self.agent.ingredients > 0
        if affordance.for_clothes:
            return bool(for_clothes)
        return affordance.gives_ingredients == 0 or not for_clothes

    def option_price(self, name: str) -> float:
        """Return how dear an option is, in units of its usual price."""
        serving = self.rules.affordances[self.rules.affordances["option"] == OPTION_NAMES.index(name)]
        paid = [use for use in serving if use.price_key >= 0 and not use.for_clothes]
        return self.price(paid[0]) / float(paid[0].price) if paid and paid[0].price > 0 else 1.0

    def _serves(self, f: int, affordance: Any) -> bool:
        rule = self.rules.fixtures[f]
        mine = rule.owner in (-1, self.number) and rule.home in (-1, self.citizen.home)
        works = rule.utility < 0 or bool(self.town.utilities[rule.utility])
        resting = self.agent.last_fixture == f and self.town.tick < self.agent.cooldown_until
        stocked = self.fixtures[f].stock >= affordance.takes_stock and self._room(affordance)
        return bool(mine and works and not resting and stocked) and self._meets(f, affordance)

    def _meets(self, f: int, affordance: Any) -> bool:
        return meets(self.state, self.rules, self.town_number, self.number, affordance, f)

    def _room(self, affordance: Any) -> bool:
        fridge = int(self.citizen.fridge)
        if affordance.gives_meals == 0:
            return True
        return fridge >= 0 and bool(
            self.fixtures[fridge].stock + affordance.gives_meals <= self.rules.fixtures[fridge].capacity
        )

    def choice(self, option: int) -> tuple[int, Any] | None:
        """Return what the cheapest way to fulfil an option costs, and whom or what it leads to, or None."""
        if OPTION_NAMES[option] == "socialise":
            found = self.company()
            return found and (found[0], self.people[found[1]])
        serving = self.rules.affordances[self.rules.affordances["option"] == option]
        costs = [
            (self.cost(f) + self.thrift(affordance), self.rules.fixtures[f])
            for affordance in serving
            for f in self.candidates(affordance)
        ]
        return min(costs, key=lambda pair: pair[0]) if costs else None
