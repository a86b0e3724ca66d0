"""Proximal policy optimisation from first to last update, with checkpoints from which it goes on to the bit."""

import shutil
import time
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from townlet_core.config import TownConfig, config_digest, digest
from townlet_core.config.training import ImprovementRules, TrainingProfile
from townlet_core.datasets.capture import capture_seed
from townlet_core.errors import InputError
from townlet_core.observations.layout import ObservationLayout
from townlet_core.policy.layouts import require_same_layout
from townlet_core.policy.network import PolicyNetwork, network_from, network_tensors
from townlet_core.policy.ppo.choosing import Chosen, Validator, better
from townlet_core.policy.ppo.collecting import Collector
from townlet_core.policy.ppo.measuring import Progress, Scene, measured
from townlet_core.policy.ppo.moments import optimiser_arrays
from townlet_core.policy.ppo.saving import (
    Saved,
    Standing,
    latest_training,
    newest_training,
    save_training,
)
from townlet_core.policy.ppo.towns import TrainingTowns
from townlet_core.policy.ppo.updating import Learner, NonFiniteTerm, pace_at
from townlet_core.policy.tensorboard import EventFile
from townlet_core.policy.threads import single_thread
from townlet_core.policy.training_log import Timing, TrainingLog, UpdateRecord
from townlet_core.sources import ENGINE, source_digest

CHECKPOINTS, EVENTS = "checkpoints", "tensorboard"
PURPOSE = "training"

Told = Callable[[UpdateRecord], None]
Tensors = Mapping[str, NDArray[np.float32]]


class Start(NamedTuple):
    """Where a training begins: the clone's tensors, what they observe, and what identifies them."""

    tensors: Tensors
    layout: ObservationLayout
    trained: Mapping[str, Any]
    """Goes into every checkpoint's description, with the number of updates added."""


class Improved(NamedTuple):
    """What a training gives: the network that ships, the update it comes from, and every update's record."""

    network: PolicyNetwork
    update: int
    """0 where no update could be shipped, so that the network is the one that the training began with."""
    records: list[UpdateRecord]


def improve(
    start: Start,
    scenarios: Mapping[str, TownConfig],
    profile: TrainingProfile,
    folder: Path,
    *,
    resume: bool = False,
    progress: Told | None = None,
) -> Improved:
    """Improve a policy by its own experience; the same inputs give the same weights on the same machine.

    Args:
        start: The clone to begin with.
        scenarios: The towns to live in, by name, one entry for each scenario that the profile names.
        profile: Seed, discount, and the rules in its section `ppo`.
        folder: Gets `checkpoints/`, the log (NDJSON and Parquet) and `tensorboard/`.
        resume: Go on from the newest checkpoint in `folder`, if there is one; otherwise begin anew.
        progress: Called after each update, when its record has been written.

    Raises:
        InputError: The profile has no section `ppo`, or a scenario is missing.
        CheckpointError: The clone and the towns differ in their layout, or the checkpoint is damaged or another's.
        NonFiniteTerm: A loss stopped being a number; checkpoints written before stay.
    """
    rules = _rules(profile, scenarios)
    with single_thread():
        training = _Training(start, scenarios, profile, rules, folder, resume=resume)
        with training.log.ending():
            try:
                training.run(progress)
            except NonFiniteTerm as error:
                raise error.keeping(newest_training(folder / CHECKPOINTS)) from error
        return training.outcome()


def training_identity(start: Start, scenarios: Mapping[str, TownConfig], profile: TrainingProfile) -> str:
    """Digest of everything that decides a training's outcome on a machine."""
    return digest(
        {
            "profile": profile.model_dump(mode="json"),
            "scenarios": {name: config_digest(config) for name, config in scenarios.items()},
            "start": {name: sha256(array.tobytes()).hexdigest() for name, array in start.tensors.items()},
            "code": source_digest(*ENGINE, "policy"),
        }
    )


class _Training:
    """The parts of a running training and its counters."""

    def __init__(
        self,
        start: Start,
        scenarios: Mapping[str, TownConfig],
        profile: TrainingProfile,
        rules: ImprovementRules,
        folder: Path,
        *,
        resume: bool,
    ) -> None:
        seeds = {name: capture_seed(name, str(profile.seed), PURPOSE) for name in scenarios}
        self.start, self.rules, self.folder = start, rules, folder
        self.identity = training_identity(start, scenarios, profile)
        self.towns = TrainingTowns(scenarios, rules.towns, seeds)
        require_same_layout(start.layout, self.towns.layout, "clone")
        network = network_from(start.tensors)
        draws, shuffles = (np.random.default_rng([profile.seed, number]) for number in (0, 1))
        self.streams = {"draws": draws, "shuffles": shuffles}
        self.collector = Collector(self.towns, network, profile.discount, draws)
        self.learner = Learner(network, rules, profile.discount, shuffles)
        self.update = self.steps = self.transitions = 0
        self.chosen: Chosen | None = None
        self.validator = _validator(scenarios, profile, rules, start.layout)
        self._take_up(resume=resume)
        self.log = TrainingLog(folder, self.update)

    def run(self, progress: Told | None) -> None:
        """All updates that are left, each logged, with a checkpoint now and then and at the end."""
        events = EventFile(self.folder / EVENTS, time.time())
        try:
            while self.update < self.rules.updates:
                record = self._advance()
                due = self.update % self.rules.checkpoint_every == 0 or self.update == self.rules.updates
                if due and self.validator is not None:
                    record = self._validated(record, self.validator)
                self.log.append(record)
                events.add(_scalars(record), record.epoch, time.time())
                if due:
                    self._save()
                if progress is not None:
                    progress(record)
        finally:
            events.close()

    def outcome(self) -> Improved:
        """The network that ships: the chosen one where there are validation towns, else the last."""
        if self.validator is None:
            return Improved(self.learner.network.eval(), self.update, self.log.records)
        update = self.chosen.update if self.chosen else 0
        tensors = self.chosen.tensors if self.chosen else self.start.tensors
        return Improved(network_from(tensors).eval(), update, self.log.records)

    def _validated(self, record: UpdateRecord, validator: Validator) -> UpdateRecord:
        tensors = network_tensors(self.learner.network)
        found = validator.judge(tensors)
        if better(found, self.chosen):
            self.chosen = Chosen(self.update, found.return_mean, tensors)
        return record.model_copy(update={"validation": found})

    def _advance(self) -> UpdateRecord:
        began = time.perf_counter()
        rollout = self.collector.collect(self.rules.ticks)
        lived = time.perf_counter()
        pace = pace_at(self.rules, self.update + 1)
        figures = self.learner.update(rollout.experience, pace)
        ended = time.perf_counter()
        self.update += 1
        self.steps += rollout.agent_ticks
        self.transitions += rollout.experience.size
        timing = Timing(
            epoch_duration_sec=ended - began,
            rollout_sec=lived - began,
            update_sec=ended - lived,
            steps_per_second=rollout.agent_ticks / (ended - began),
            log_stream_offset=self.log.offset,
        )
        progress = Progress(self.rules.updates, self.steps, self.transitions)
        scene = Scene(self.rules.ticks, self.towns.rivalry(), next(iter(self.log.records), None))
        return measured(rollout, figures, pace, progress, scene, timing)

    def _save(self) -> None:
        standing = Standing(
            identity=self.identity,
            update=self.update,
            steps=self.steps,
            transitions=self.transitions,
            streams=self.streams,
            tensors=network_tensors(self.learner.network),
            optimiser=optimiser_arrays(self.learner.optimizer),
            towns=self._arrays(),
            chosen=self.chosen,
            trained={**self.start.trained, "updates": self.update},
        )
        self.log.write_table()
        save_training(self.folder / CHECKPOINTS, standing, self.start.layout, self.rules.keep)

    def _take_up(self, *, resume: bool) -> None:
        root = self.folder / CHECKPOINTS
        if not resume:
            shutil.rmtree(root, ignore_errors=True)
        saved = latest_training(root, self.identity)
        if saved is not None:
            self._restore(saved)

    def _restore(self, saved: Saved) -> None:
        source = str(saved.folder)
        own = {name: array for name, array in saved.towns.items() if name.startswith("towns.")}
        self.towns.restore({name.removeprefix("towns."): array for name, array in own.items()}, source)
        held = {name.removeprefix("open."): saved.towns[name] for name in saved.towns if name not in own}
        self.collector.restore(held)
        self.learner.restore(saved.tensors, saved.optimiser)
        for name, stream in self.streams.items():
            stream.bit_generator.state = saved.state.streams[name]
        self.update, self.steps = saved.state.update, saved.state.steps
        self.transitions, self.chosen = saved.state.transitions, saved.chosen

    def _arrays(self) -> dict[str, NDArray[Any]]:
        towns = {f"towns.{name}": array for name, array in self.towns.arrays().items()}
        return towns | {f"open.{name}": array for name, array in self.collector.arrays().items()}


def _rules(profile: TrainingProfile, scenarios: Mapping[str, TownConfig]) -> ImprovementRules:
    if profile.ppo is None:
        raise InputError(f"training profile {profile.profile}: has no section `ppo`; add one to improve the clone")
    if list(scenarios) != list(profile.ppo.scenarios):
        wanted, given = ", ".join(profile.ppo.scenarios), ", ".join(scenarios)
        raise InputError(f"training profile {profile.profile}: names the scenarios {wanted}; given are {given}")
    return profile.ppo


def _validator(
    scenarios: Mapping[str, TownConfig], profile: TrainingProfile, rules: ImprovementRules, layout: ObservationLayout
) -> Validator | None:
    if not rules.validation_towns:
        return None
    seeds = {name: capture_seed(name, str(profile.seed), "validation") for name in scenarios}
    return Validator(scenarios, rules.validation_towns, seeds, layout)


def _scalars(record: UpdateRecord) -> dict[str, float]:
    figures = {
        "loss/policy": record.loss_policy,
        "loss/value": record.loss_value,
        "loss/total": record.loss_total,
        "policy/entropy": record.batch_entropy_mean,
        "policy/kl": record.kl_divergence,
        "policy/clip_fraction": record.clip_fraction,
        "policy/gradient": record.grad_norm,
        "policy/learning_rate": record.lr,
        "critic/explained_variance": record.explained_variance,
        "town/reward": record.reward_mean,
        "town/return": record.episodes.return_mean,
        "town/survival": record.episodes.survival,
        "town/attendance": record.episodes.attendance,
        "town/deaths": record.deaths,
        "validation/return": record.validation.return_mean if record.validation else None,
        "validation/attendance": record.validation.attendance if record.validation else None,
        "speed/agent_steps": record.timing.steps_per_second,
    }
    return {name: float(value) for name, value in figures.items() if value is not None}
