"""Sentences about what happens in a town, and the limiter that keeps the narrator from talking all the time."""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from townlet_core.config import AffordanceManifest
from townlet_core.config.telemetry import Category, NarrationRules

Event = Mapping[str, Any]
"""A named event as frames carry it."""


class Template(NamedTuple):
    """How an event is told: what it is about, and the sentence with the event's parts as fields."""

    category: Category
    text: str


TEMPLATES = {
    "affordance_fail": Template("failure", "{agent} had to break off '{use}' at {object}."),
    "affordance_precondition_fail": Template(
        "failure", "{agent} could not begin '{use}' at {object}: it takes {reason}."
    ),
    "queue_join": Template("queue", "{agent} waits for {object}."),
    "ghost_step": Template("queue", "{agent} and {other} squeezed past each other."),
    "shift_late": Template("late", "{agent} came to work {value:.0f} minutes late."),
    "shift_absent": Template("absence", "{agent} did not come to work."),
    "shift_end": Template("work", "{agent} went home after {value:.0%} of the shift."),
    "rent_unpaid": Template("rent", "{agent} could not pay the rent of {value:.2f}."),
    "outage_begin": Template("utility_outage", "There is no {other}."),
    "outage_end": Template("utility_outage", "The {other} is back."),
    "shift_late_start": Template("late", "{agent} is missed at work."),
    "shift_departed_early": Template("absence", "{agent} left work and stayed away."),
    "employment_exit_pending": Template("absence", "{agent} may lose the job after {value:.0f} missed shifts."),
    "employment_exit_deferred": Template("work", "{agent} may keep the job."),
    "employment_exit_processed": Template("exit", "{agent} has lost the job."),
    "faint": Template("death", "{agent} starved."),
    "collapse": Template("death", "{agent} collapsed for want of sleep."),
    "exposure": Template("death", "{agent} died of neglect."),
    "eviction": Template("exit", "{agent} was evicted after {value:.0f} days in town."),
    "unemployment": Template("exit", "{agent} found no work and moved away."),
    "chronic_need": Template("exit", "{agent} could not bear it here and moved away."),
    "age_out": Template("exit", "{agent} moved away after {value:.0f} good days."),
    "agent_killed": Template("death", "{agent} was taken out of the town."),
    "arrival": Template("exit", "{agent} has come to live in town."),
    "nightly_reset": Template("day", "Midnight: the tills are closed and the shelves filled."),
    "shared_meal": Template("meal", "{agent} and {other} eat together."),
    "helped_when_late": Template("work", "{other} covered for {agent}, who was late."),
    "took_shift": Template("quarrel", "{other} is cross with {agent}, who did not come to work."),
    "chat_success": Template("chat", "{agent} and {other} had a good talk."),
    "chat_failure": Template("quarrel", "{agent} and {other} had words."),
    "avoidance": Template("quarrel", "{agent} keeps out of the way of {other} at {object}."),
    "weather_change": Template("weather", "The weather turns: {other}."),
    "truck_arrives": Template("day", "The truck has come with goods."),
    "perturbation_started": Template("perturbation", "It begins: {use}."),
    "perturbation_ended": Template("perturbation", "It is over: {use}."),
    "perturbation_cancelled": Template("perturbation", "It is called off: {use}."),
    "invited": Template("perturbation", "{agent} is called to {object}."),
    "tie_lost": Template("friendship", "{agent} has lost touch with {other}."),
}
"""Events that are told, by name. A finished use is told by what it was for, and a new tie by what it came of."""

SILENT = (
    "affordance_start", "employment_exit_manual_request", "employment_exit_queue_overflow", "handover", "queue_leave",
    "rent_paid", "restock", "shift_on_time", "slot_reuse_forced", "spoiled",
)  # fmt: skip
"""Events that nobody needs to be told of: the beginnings of what is told when it ends, duty done, and bookkeeping."""

LIKING = Template("friendship", "{agent} has taken a liking to {other}.")
GRUDGE = Template("quarrel", "{agent} bears {other} a grudge.")
BONDS = {
    "handover": LIKING, "shared_meal": LIKING, "helped_when_late": LIKING, "chat_success": LIKING,
    "ghost_step": GRUDGE, "queue_leave": GRUDGE, "took_shift": GRUDGE, "chat_failure": GRUDGE,
}  # fmt: skip
"""How a new tie is told, by the event between the two that it came of."""

USES: Mapping[str, Category] = {
    "cook": "chore", "eat_home": "meal", "eat_out": "meal", "relax": "rest",
    "shop": "chore", "sleep": "rest", "wash": "wash",
}  # fmt: skip
"""What a finished use is about, by the option that it serves."""

FINISHED = "{agent} finished '{use}' at {object}."


class Limiter:
    """Decides which sentences are said: one thing at a time, no repetition, not too many in a window.

    It remembers a bounded number of sentences: none older than its windows.
    """

    def __init__(self, rules: NarrationRules) -> None:
        """Begin in silence."""
        self._rules = rules
        self._said: deque[int] = deque(maxlen=rules.global_window_limit)
        self._by_category: dict[str, int] = {}
        self._by_text: dict[str, int] = {}

    def admits(self, tick: int, category: Category, text: str) -> bool:
        """Say whether a sentence may be said now, and if so remember that it was."""
        rules = self._rules
        self._by_text = {known: at for known, at in self._by_text.items() if tick - at < rules.dedupe_window_ticks}
        if text in self._by_text or self._window_is_full(tick):
            return False
        if category not in rules.priority_categories and not self._is_quiet(tick, category):
            return False
        self._said.append(tick)
        self._by_category[category] = self._by_text[text] = tick
        return True

    @property
    def priorities(self) -> tuple[Category, ...]:
        """Categories that only the window's limit and the ban on repetition can silence."""
        return self._rules.priority_categories

    def _window_is_full(self, tick: int) -> bool:
        full = len(self._said) == self._said.maxlen
        return full and tick - self._said[0] < self._rules.global_window_ticks

    def _is_quiet(self, tick: int, category: Category) -> bool:
        rules = self._rules
        gap = rules.category_cooldown_ticks.get(category, rules.global_cooldown_ticks)
        last, before = (self._said[-1] if self._said else None), self._by_category.get(category)
        return (last is None or tick - last >= rules.global_cooldown_ticks) and (before is None or tick - before >= gap)


class Narrator:
    """Tells named events in sentences, as far as its limiter lets it."""

    def __init__(self, rules: NarrationRules, manifest: AffordanceManifest) -> None:
        """Begin in silence; the manifest says what uses are for."""
        self._enabled, self._limiter = rules.enabled, Limiter(rules)
        self._uses = {name: USES.get(use.option) for name, use in manifest.affordances.items()}

    def tell(self, events: Iterable[Event]) -> list[dict[str, Any]]:
        """Tell the events of a tick; priority categories come first, otherwise the order of the events stays."""
        tick = list(events)
        drafts = [draft for event in tick if self._enabled and (draft := self._draft(event, tick))]
        drafts.sort(key=lambda draft: not draft["priority"])
        return [draft for draft in drafts if self._limiter.admits(draft["tick"], draft["category"], draft["text"])]

    def _draft(self, event: Event, tick: Sequence[Event]) -> dict[str, Any] | None:
        template = self._template(event, tick)
        if template is None:
            return None
        text = template.text.format(**event, use=(event["other"] or "").replace("_", " "))
        priority = template.category in self._limiter.priorities
        return {"tick": event["tick"], "category": template.category, "priority": priority, "text": text}

    def _template(self, event: Event, tick: Sequence[Event]) -> Template | None:
        if event["event"] == "tie_formed":
            return _bond(event, tick)
        if event["event"] != "affordance_finish":
            return TEMPLATES.get(event["event"])
        category = self._uses.get(event["other"])
        return Template(category, FINISHED) if category else None


def _bond(tie: Event, tick: Iterable[Event]) -> Template | None:
    """Find the first deed of the tick between the two; a tie of unknown origin stays untold."""
    pair = {tie["agent"], tie["other"]}
    deeds = (event["event"] for event in tick if {event["agent"], event["other"]} == pair)
    return next((BONDS[deed] for deed in deeds if deed in BONDS), None)
