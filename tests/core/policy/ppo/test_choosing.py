"""Which update ships: the best in validation towns that costs neither lives nor attendance."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.core.policy.ppo.small_training import small_profile, small_start, small_town
from townlet_core.policy.network import network_tensors
from townlet_core.policy.ppo import training
from townlet_core.policy.ppo.choosing import Chosen, Validator, better
from townlet_core.policy.ppo.training import improve
from townlet_core.policy.training_log import Validation


def validation(held: bool, value: float) -> Validation:
    others = {"teacher_return_mean": 0.0, "clone_return_mean": 0.0}
    return Validation(towns=2, return_mean=value, survival=1, attendance=1, held=held, **others)


@pytest.mark.parametrize(
    ("held", "value", "chosen", "ships"),
    [(True, 1.0, None, True), (False, 9.0, None, False), (True, 1.0, 2.0, False), (True, 3.0, 2.0, True)],
)
def test_a_better_return_ships_only_if_it_costs_nothing(
    held: bool, value: float, chosen: float | None, ships: bool
) -> None:
    assert better(validation(held, value), None if chosen is None else Chosen(1, chosen, {})) is ships


def test_a_policy_that_does_not_come_to_work_may_not_ship() -> None:
    start = small_start(0)
    towns: Any = ({"evening": small_town()}, 2, {"evening": 3}, start.layout, start.tensors)
    validator = Validator(*towns)
    lazy = dict(small_start(0).tensors)
    lazy["policy.weight"], lazy["policy.bias"] = (
        np.zeros_like(lazy["policy.weight"]),
        np.zeros_like(lazy["policy.bias"]),
    )
    lazy["policy.bias"][0] = 1.0
    found = validator.judge(validator.measure(lazy))
    assert validator.teacher["evening"]["attendance"] > 0.5 > found.attendance
    assert not found.held
    assert (
        Validator(*towns, slack=1.0)
        .judge({"evening": {"return": 0.0, "survival": 1.0, "attendance": 0.0, "needs_ok_share": 0.0}})
        .held
    )


def test_the_clone_lives_in_the_validation_towns_before_anything_is_learnt() -> None:
    start = small_start(0)
    validator = Validator({"evening": small_town()}, 2, {"evening": 3}, start.layout, start.tensors, slack=1.0)
    found = validator.judge(validator.measure(start.tensors))
    assert found.return_mean == found.clone_return_mean != found.teacher_return_mean
    first = validator.first(start.tensors)
    assert first is not None
    assert (first.update, first.validated_return) == (0, found.clone_return_mean)


def marks(folder: Path, held: dict[int, float], monkeypatch: pytest.MonkeyPatch, *, resume: bool = False) -> Any:
    """A training whose validations are as told: by update, the return of those that may ship; the clone is 0."""
    told = iter([0, 2, 4, 6] if not resume else [0, 6])
    monkeypatch.setattr(Validator, "measure", lambda self, tensors: {})
    monkeypatch.setattr(
        Validator, "judge", lambda self, found: validation((at := next(told)) in held, held.get(at, 9.0))
    )
    return improve(small_start(0), {"evening": small_town()}, small_profile(validation_towns=1), folder, resume=resume)


def test_the_chosen_update_ships_and_not_the_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = marks(tmp_path, {0: 0.5, 2: 1.0, 4: 2.0}, monkeypatch)
    assert chosen.update == 4
    monkeypatch.undo()
    plain = improve(small_start(0), {"evening": small_town()}, small_profile(updates=6, keep=9), tmp_path / "plain")
    from townlet_core.policy.checkpoint import read_checkpoint

    fourth = read_checkpoint(tmp_path / "plain" / "checkpoints" / "000004").tensors
    for name, tensor in network_tensors(chosen.network).items():
        np.testing.assert_array_equal(tensor, fourth[name])
    assert plain.update == 6


def test_a_resumed_training_remembers_what_it_had_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    honest, saves = training.save_training, []

    def broken(*arguments: Any) -> Path:
        if len(saves) == 2:
            raise KeyboardInterrupt
        saves.append(1)
        return honest(*arguments)

    monkeypatch.setattr(training, "save_training", broken)
    with pytest.raises(KeyboardInterrupt):
        marks(tmp_path, {2: 1.0}, monkeypatch)
    monkeypatch.undo()
    assert marks(tmp_path, {2: 1.0}, monkeypatch, resume=True).update == 2


@pytest.mark.parametrize("held", [{}, {0: 1.0, 4: 0.9}, {0: 1.0, 6: 1.0}], ids=["none held", "worse", "no better"])
def test_where_no_update_is_better_the_clone_ships(
    held: dict[int, float], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing = marks(tmp_path, held, monkeypatch)
    assert nothing.update == 0
    for name, tensor in network_tensors(nothing.network).items():
        np.testing.assert_array_equal(tensor, small_start(0).tensors[name])
