"""The card says whom a release was compared with, and if nobody, why."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.core.stability.conftest import GATES, sound_evidence, with_current, with_incompatible
from townlet_core.config.gates import load_gates
from townlet_core.release.card import Subject, write_card
from townlet_core.stability import Criterion, Evidence, Verdict, decide
from townlet_core.stability.forgetting import GoldenReport

REPORT = {
    "accuracy": 0.93,
    "majority_share": 0.3,
    "train_decisions": 900,
    "validation_decisions": 50,
    "held_decisions": 100,
    "actions": {},
}
CLONE = {"report": REPORT, "improvement": None, "stage": "clone", "profile": {"profile": "quick"}}
ROWS = {"lived": 120_000, "stored": 0, "scripted": 0, "imitated": 0}
SECOND_STAGE = {
    "update": 20,
    "updates": 30,
    "decisions": 120_000,
    "agent_steps": 4_000_000,
    "mode": "rollout",
    "rows": ROWS,
}
MANIFEST = {
    "id": "d" * 64,
    "shards": [{"date": "2026-11-01"}],
    "quality": {"rejected_episodes": 0, "scenarios": {}},
}


KEPT = Criterion(name="golden.a.return", value=2.0, bound=1.0, verdict=Verdict.PASS, reason="", what_would_change="")
GOLDEN = GoldenReport(
    plan="p", engine="e", reference="teacher", policies={"candidate": "c"}, left_out={}, criteria=(KEPT, KEPT)
)


def card(evidence: Evidence, candidate: Mapping[str, Any] = CLONE) -> str:
    assert evidence.evaluation is not None
    return write_card(
        Subject(
            decide(load_gates(GATES), evidence), evidence.evaluation, MANIFEST, candidate, "| error rates |", GOLDEN
        )
    )


@pytest.mark.parametrize(
    ("evidence", "told", "beside"),
    [
        (sound_evidence(), "none; this is a first release |", "beside the teacher in"),
        (with_current(), "`999999999999` |", "beside the teacher and the release it would replace in"),
        (
            with_incompatible(),
            "none; the release it replaces, `999999999999`, could not be, since its layout differs: feature 9 is "
            "'wallet' in the policy and 'purse' in the town |",
            "beside the teacher in",
        ),
    ],
)
def test_the_card_names_the_release_that_it_was_compared_with_or_says_why_there_is_none(
    evidence: Evidence, told: str, beside: str
) -> None:
    text = card(evidence)
    assert "| error rates |" in text
    assert "| golden rollouts | 2 of 2 figures within their band; the bar was set by the teacher, since" in text
    assert f"| release it was compared with | {told}" in text
    assert beside in text


def test_the_card_shows_how_everybody_lives_also_with_each_other() -> None:
    rows = [
        line.split("|")[2].strip() for line in card(with_current()).splitlines() if line.startswith("| ordinary_day |")
    ]
    assert rows == ["survival", "needs_ok_share", "attendance", "return", "conflicts", "rivalry"]


def test_the_card_tells_which_stage_is_released_and_by_which_profile_it_was_trained() -> None:
    clone, improved = (
        card(sound_evidence()),
        card(sound_evidence(), {**CLONE, "improvement": SECOND_STAGE, "stage": "improved"}),
    )
    assert "| training profile | quick |" in clone
    assert "It imitates; where the teacher is wrong, so is it." in clone
    assert "120,000 decisions in 4,000,000 agent-steps, of which update 20 of 30 is released" in improved
    assert "It seeks the reward of these towns" in improved


def test_a_second_stage_that_is_not_released_leaves_the_card_of_a_clone() -> None:
    assert card(sound_evidence(), {**CLONE, "improvement": SECOND_STAGE}) == card(sound_evidence())


def test_the_card_says_whose_decisions_taught_the_policy() -> None:
    def made(mode: str, **rows: int) -> str:
        stage = {**SECOND_STAGE, "mode": mode, "rows": {**ROWS, **rows}}
        return card(sound_evidence(), {**CLONE, "improvement": stage, "stage": "improved"})

    assert "by the recorded days once more: 9,000 decisions" in made("replay", lived=0, stored=9_000)
    assert "with 9,000 recorded decisions beside them" in made("mixed", stored=9_000)
    assert "beside a teacher who took 9,000" in made("anneal", scripted=9_000)
    assert "beside" not in made("rollout").split("own experience")[1].split("released")[0]
