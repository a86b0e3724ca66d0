"""Improving a policy from stored decisions alone: nobody lives, and what was recorded counts by what came of it."""

import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from townlet_core.config.training import TrainingProfile
from townlet_core.config.training_modes import ReplayRules
from townlet_core.errors import DataError
from townlet_core.policy.bc import predict
from townlet_core.policy.decisions import Deck, Hand
from townlet_core.policy.network import PolicyNetwork, network_from, network_tensors
from townlet_core.policy.ppo.lessons import Lesson, StoredDecisions, imitate, lesson_of
from townlet_core.policy.ppo.losses import entropies, taken_log_probs
from townlet_core.policy.ppo.measuring import baseline_of, correlation
from townlet_core.policy.ppo.moments import optimiser_arrays, restore_optimiser
from townlet_core.policy.ppo.saving import Standing, latest_training, save_training
from townlet_core.policy.ppo.starting import CHECKPOINTS, Improved, Start, Stored, scalars, training_identity
from townlet_core.policy.ppo.updating import ramp_at, require_finite
from townlet_core.policy.tensorboard import EventFile
from townlet_core.policy.training_figures import RowsUsed, StoredFigures
from townlet_core.policy.training_log import EVENTS, EpisodeFigures, Timing, TrainingLog, UpdateRecord

NOBODY_LIVED = EpisodeFigures(
    count=0, return_mean=None, return_std=None, survival=None, attendance=None, needs_ok_share=None, clipped_share=None
)
NOTHING_HAPPENED: Mapping[str, Any] = dict.fromkeys(
    (
        "queue_conflict_events",
        "queue_conflict_intensity_sum",
        "shared_meal_events",
        "late_help_events",
        "shift_takeover_events",
        "chat_success_events",
        "chat_failure_events",
        "chat_quality_mean",
        "shower_complete_events",
        "sleep_complete_events",
        "utility_outage_events",
        "rivalry_mean",
        "rivalry_max",
        "avoidance_events",
        "conflict",
    )
)
"""Fields of a record that count what happened: a training without life knows nothing of them, not even zero."""


class Taught(NamedTuple):
    """What one minibatch of stored decisions measured; arrays are [n]."""

    policy: float
    value: float
    total: float
    gradient: float
    advantage: np.ndarray
    returns: np.ndarray
    entropy: np.ndarray
    earned: np.ndarray
    ticks: np.ndarray
    log_prob: np.ndarray
    """Of the recorded actions, by the policy as it was when the update began."""
    divergence: float
    capped: float


class Replaying:
    """A training on a dataset version, from first to last update, with checkpoints from which it goes on to the bit."""

    def __init__(
        self, start: Start, stored: Stored, profile: TrainingProfile, rules: ReplayRules, folder: Path, *, resume: bool
    ) -> None:
        """Begin with the clone's weights, or go on from the newest checkpoint in the folder."""
        self.start, self.rules, self.folder = start, rules, folder
        self.identity = training_identity(start, {}, profile, stored)
        self.network = network_from(start.tensors)
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=rules.learning_rate.start, eps=1e-5)
        whole_lives = self.network.size.recurrent > 0
        self.stored = StoredDecisions(Deck(stored.train), rules.minibatch, profile.seed, whole_lives=whole_lives)
        self.validation = Deck(stored.validation)
        self.update = self.transitions = 0
        self._take_up(resume=resume)
        self.log = TrainingLog(folder, self.update)

    def run(self, progress: Callable[[UpdateRecord], None] | None) -> None:
        """All updates that are left, each logged, with a checkpoint now and then and at the end."""
        events = EventFile(self.folder / EVENTS, time.time())
        try:
            while self.update < self.rules.updates:
                record = self._advance()
                due = self.update % self.rules.checkpoint_every == 0 or self.update == self.rules.updates
                if due:
                    record = record.model_copy(update={"stored": measure_stored(self.network, self.validation)})
                self.log.append(record)
                events.add(scalars(record), record.epoch, time.time())
                if due:
                    self._save()
                if progress is not None:
                    progress(record)
        finally:
            events.close()

    def outcome(self) -> Improved:
        """The network of the last update."""
        return Improved(self.network.eval(), self.update, self.log.records)

    def _advance(self) -> UpdateRecord:
        began = time.perf_counter()
        self.update += 1
        rate = ramp_at(self.rules.learning_rate, self.update, self.rules.updates)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        before = network_from(network_tensors(self.network))
        hands = (self.stored.deal() for _ in range(self.rules.minibatches))
        taught = [
            self._learn(hand, before, f"update {self.update}, minibatch {number}")
            for number, hand in enumerate(hands, 1)
        ]
        rows = sum(one.returns.size for one in taught)
        self.transitions += rows
        timing = Timing(
            epoch_duration_sec=(spent := time.perf_counter() - began),
            rollout_sec=0.0,
            update_sec=spent,
            steps_per_second=0.0,
            log_stream_offset=self.log.offset,
        )
        return self._record(taught, rows, rate, timing)

    def _learn(self, hand: Hand, before: PolicyNetwork, place: str) -> Taught:
        lesson = lesson_of(hand, self.network)
        found = imitate(self.network, lesson, self.rules)
        assert lesson.returns is not None
        error = 0.5 * (found.value - lesson.returns).square().mean()
        for name, term in (("policy loss", found.loss), ("value loss", error)):
            require_finite(term, name, place)
        total = found.loss + self.rules.value_weight * error
        self.optimizer.zero_grad(set_to_none=True)
        total.backward()  # type: ignore[no-untyped-call]
        norm = torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.rules.max_grad_norm)
        require_finite(norm, "gradient", place)
        old, entropy = _as_before(lesson, before)
        log_ratio = found.log_prob.detach() - old
        self.optimizer.step()
        mean, scale = self.network.value_scale.tolist()
        returns = lesson.returns.numpy().astype(np.float64)
        return Taught(
            policy=found.loss.item(),
            value=error.item(),
            total=total.item(),
            gradient=norm.item(),
            advantage=(returns - found.value.detach().numpy()) * scale,
            returns=returns * scale + mean,
            entropy=entropy.numpy().astype(np.float64),
            earned=hand.earned.astype(np.float64),
            ticks=hand.ticks.astype(np.int64),
            log_prob=old.numpy().astype(np.float64),
            divergence=float((log_ratio.exp() - 1.0 - log_ratio).mean()),
            capped=float((found.weight >= self.rules.largest_weight * (1 - 1e-6)).float().mean()),
        )

    def _record(self, taught: list[Taught], rows: int, rate: float, timing: Timing) -> UpdateRecord:
        weights = np.array([one.returns.size for one in taught]) / rows
        mean = {
            name: float(np.array([getattr(one, name) for one in taught]) @ weights)
            for name in ("policy", "value", "total", "gradient", "divergence", "capped")
        }
        advantage, returns, entropy, earned, ticks = (
            np.concatenate([getattr(one, name) for one in taught])
            for name in ("advantage", "returns", "entropy", "earned", "ticks")
        )
        spreads = np.array([one.advantage.std() for one in taught])
        return UpdateRecord(
            data_mode="replay",
            rows=RowsUsed(lived=0, stored=rows, scripted=0, imitated=0),
            cycle=0,
            social_stage=None,
            perturbations=None,
            epoch=self.update,
            updates=self.rules.updates,
            steps=0,
            transitions=rows,
            transitions_total=self.transitions,
            rollout_ticks=0,
            epochs_run=1,
            stopped_early=False,
            minibatches=len(taught),
            loss_policy=mean["policy"],
            loss_value=mean["value"],
            loss_entropy=-float(entropy.mean()),
            loss_imitation=mean["policy"],
            loss_total=mean["total"],
            clip_fraction=None,
            clip_fraction_max=None,
            clip_triggered_minibatches=None,
            capped_share=mean["capped"],
            adv_mean=float(advantage.mean()),
            adv_std=float(advantage.std()),
            adv_min_std=float(spreads.min()),
            adv_zero_std_batches=int((spreads == 0).sum()),
            grad_norm=mean["gradient"],
            grad_norm_max=max(one.gradient for one in taught),
            kl_divergence=mean["divergence"],
            kl_divergence_max=max(one.divergence for one in taught),
            lr=rate,
            entropy_weight=0.0,
            critic_only=False,
            explained_variance=_explained(advantage, returns),
            batch_entropy_mean=float(entropy.mean()),
            batch_entropy_std=float(entropy.std()),
            reward_advantage_corr=correlation(earned, advantage),
            span_ticks_mean=float(ticks.mean()),
            reward_mean=float(earned.sum() / ticks.sum()),
            **self._baseline(taught, earned, ticks),
            deaths=None,
            episodes=NOBODY_LIVED,
            events={},
            completed={},
            **NOTHING_HAPPENED,
            timing=timing,
        )

    def _baseline(self, taught: list[Taught], earned: np.ndarray, ticks: np.ndarray) -> dict[str, Any]:
        first = next(iter(self.log.records), None)
        if first is not None:
            return baseline_of(first)
        return {
            "baseline_sample_count": earned.size,
            "baseline_reward_mean": float(earned.sum() / ticks.sum()),
            "baseline_reward_sum": float(earned.sum()),
            "baseline_reward_sum_mean": float(earned.mean()),
            "baseline_log_prob_mean": float(np.concatenate([one.log_prob for one in taught]).mean()),
        }

    def _save(self) -> None:
        standing = Standing(
            identity=self.identity,
            update=self.update,
            steps=0,
            transitions=self.transitions,
            streams={},
            tensors=network_tensors(self.network),
            optimiser=optimiser_arrays(self.optimizer),
            towns=self.stored.arrays(),
            trained={**self.start.trained, "updates": self.update},
        )
        self.log.write_table()
        save_training(self.folder / CHECKPOINTS, standing, self.start.layout, self.rules.keep)

    def _take_up(self, *, resume: bool) -> None:
        root = self.folder / CHECKPOINTS
        if not resume:
            shutil.rmtree(root, ignore_errors=True)
        saved = latest_training(root, self.identity)
        if saved is None:
            return
        self.network.load_state_dict({name: torch.from_numpy(tensor.copy()) for name, tensor in saved.tensors.items()})
        restore_optimiser(self.optimizer, saved.optimiser)
        self.stored.restore(saved.towns)
        self.update, self.transitions = saved.state.update, saved.state.transitions


def measure_stored(network: PolicyNetwork, deck: Deck) -> StoredFigures:
    """The policy on a dataset side.

    Raises:
        DataError: The side is empty.
    """
    right, told, errors, returns = 0, [np.zeros(0)], [np.zeros(0)], [np.zeros(0)]
    for hand in deck.pools():
        guess = predict(network, hand)
        with torch.inference_mode():
            told.append(imitate(network, lesson_of(hand, network), None).log_prob.numpy().astype(np.float64))
        right += int((guess.actions == hand.expert).sum())
        errors.append(hand.returns - guess.returns)
        returns.append(hand.returns.astype(np.float64))
    log_probs, known = np.concatenate(told), np.concatenate(returns)
    if not known.size:
        raise DataError("decisions: the validation side is empty; raise validation_share or capture more towns")
    return StoredFigures(
        decisions=known.size,
        agreement=right / known.size,
        log_prob_mean=float(log_probs.mean()),
        value_explained=_explained(np.concatenate(errors), known),
    )


def _as_before(lesson: Lesson, before: PolicyNetwork) -> tuple[Tensor, Tensor]:
    """Log-probabilities of the recorded actions and entropies, by the policy as it was when the update began."""
    with torch.inference_mode():
        logits, _ = before.unroll(*lesson.inputs)
        return taken_log_probs(logits, lesson.action), entropies(logits)


def _explained(errors: np.ndarray, returns: np.ndarray) -> float | None:
    spread = float(returns.var())
    return 1.0 - float(errors.var()) / spread if spread > 0 else None
