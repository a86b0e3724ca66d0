"""The narrator says what happened, one thing at a time, and the same for the same events."""

from itertools import pairwise
from typing import Any

import pytest

from tests.core.telemetry.streams import default_town, settings, told
from townlet_core.config.telemetry import NarrationRules
from townlet_core.telemetry.narration import SILENT, TEMPLATES, Limiter, Narrator
from townlet_core.world.events import EVENT_NAMES

RULES = NarrationRules(
    global_cooldown_ticks=30,
    category_cooldown_ticks={"queue": 100},
    dedupe_window_ticks=20,
    global_window_ticks=600,
    global_window_limit=5,
    priority_categories=("death",),
)


def event(name: str, tick: int = 0, **parts: Any) -> dict[str, Any]:
    return {
        "tick": tick,
        "event": name,
        "agent": "ann",
        "object": "bed_1",
        "other": None,
        "value": 4.0,
        "reason": "x < 1",
        **parts,
    }


def said(rules: NarrationRules, *events: dict[str, Any]) -> list[str]:
    narrator = Narrator(rules, default_town().affordances)
    return [sentence["text"] for each in events for sentence in narrator.tell([each])]


def test_every_event_is_told_or_left_out_on_purpose() -> None:
    told = {*TEMPLATES, "affordance_finish", "tie_formed"}
    assert told | set(SILENT) == set(EVENT_NAMES)
    assert not told & set(SILENT)


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_told_event_becomes_a_whole_sentence(name: str) -> None:
    (text,) = said(RULES, event(name, other="bob"))
    assert text.endswith(".")
    assert "None" not in text
    assert "{" not in text


def test_a_finished_use_is_told_by_what_it_was_for() -> None:
    narrator = Narrator(RULES, default_town().affordances)
    (sentence,) = narrator.tell([event("affordance_finish", other="use_shower", object="shower_1")])
    assert sentence == {
        "tick": 0, "category": "wash", "priority": False, "text": "ann finished 'use shower' at shower_1."
    }  # fmt: skip
    assert narrator.tell([event("affordance_finish", 500, other="work_stint")]) == []


@pytest.mark.parametrize(
    ("deed", "text", "category"),
    [
        ("chat_success", "ann has taken a liking to bob.", "friendship"),
        ("shared_meal", "ann has taken a liking to bob.", "friendship"),
        ("ghost_step", "ann bears bob a grudge.", "quarrel"),
        ("chat_failure", "ann bears bob a grudge.", "quarrel"),
    ],
)
def test_a_new_tie_is_told_by_what_it_came_of(deed: str, text: str, category: str) -> None:
    others = [event("shared_meal", agent="cid", other="bob"), event(deed, agent="bob", other="ann")]
    tie = event("tie_formed", other="bob")
    rules = NarrationRules(global_cooldown_ticks=0, category_cooldown_ticks={"friendship": 0, "quarrel": 0})
    spoken = Narrator(rules, default_town().affordances).tell([*others, tie])
    assert {"tick": 0, "category": category, "priority": False, "text": text} in spoken


def test_a_tie_of_unknown_origin_is_not_told() -> None:
    assert said(RULES, event("tie_formed", other="bob")) == []


@pytest.mark.parametrize(
    ("name", "category"), [("chat_success", "chat"), ("chat_failure", "quarrel"), ("tie_lost", "friendship")]
)
def test_company_is_told_under_its_category_and_waits_like_everything_else(name: str, category: str) -> None:
    narrator = Narrator(RULES, default_town().affordances)
    (sentence,) = narrator.tell([event(name, other="bob")])
    assert sentence["category"] == category
    assert narrator.tell([event(name, 29, agent="cid", other="bob")]) == []


def test_sociable_days_are_told_as_such() -> None:
    frames = told(2 * 1440, settings(narration={"global_window_limit": 1000, "global_cooldown_ticks": 0})).frames
    spoken = {sentence["category"] for frame in frames for sentence in frame["narration"]}
    assert {"chat", "quarrel", "friendship"} <= spoken


def test_the_next_sentence_waits_for_the_global_cooldown() -> None:
    limiter = Limiter(RULES)
    assert limiter.admits(0, "late", "a")
    assert not limiter.admits(29, "rent", "b")
    assert limiter.admits(30, "rent", "b")


def test_a_category_waits_for_its_own_cooldown() -> None:
    limiter = Limiter(RULES)
    assert limiter.admits(0, "queue", "a")
    assert limiter.admits(50, "late", "b")
    assert not limiter.admits(99, "queue", "c")
    assert limiter.admits(100, "queue", "c")


def test_a_priority_category_waits_for_nothing_but_does_not_repeat_itself() -> None:
    limiter = Limiter(RULES)
    assert limiter.admits(0, "late", "a")
    assert limiter.admits(0, "death", "b")
    assert not limiter.admits(19, "death", "b")
    assert limiter.admits(20, "death", "b")


def test_a_full_window_silences_everybody() -> None:
    limiter = Limiter(RULES)
    assert [limiter.admits(tick, "death", str(tick)) for tick in range(7)] == [True] * 5 + [False] * 2
    assert not limiter.admits(599, "death", "x")
    assert limiter.admits(600, "death", "x")


def test_priority_comes_first_within_a_tick() -> None:
    narrator = Narrator(RULES, default_town().affordances)
    told_now = narrator.tell([event("queue_join"), event("faint")])
    assert [(sentence["category"], sentence["priority"]) for sentence in told_now] == [("death", True)]


def test_a_narrator_that_is_switched_off_is_silent() -> None:
    assert said(NarrationRules(enabled=False), event("faint")) == []


def test_the_same_day_is_told_in_the_same_words_within_the_limits() -> None:
    one, again = (told(1440).frames for _ in range(2))
    sentences = [sentence for frame in one for sentence in frame["narration"]]
    assert sentences == [sentence for frame in again for sentence in frame["narration"]]
    ticks = [sentence["tick"] for sentence in sentences]
    assert 10 < len(ticks) <= 1440 / 600 * 10 + 10
    rules = settings().narration
    plain = [s["tick"] for s in sentences if not s["priority"]]
    assert all(later - earlier >= rules.global_cooldown_ticks for earlier, later in pairwise(plain))
