"""Proximal policy optimisation from first to last update, with checkpoints from which it goes on to the bit."""

import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from upath import UPath

from townlet_core.config import TownConfig
from townlet_core.config.training import ImprovementRules, TrainingProfile
from townlet_core.config.training_modes import StageFrom
from townlet_core.core.identity import Actor
from townlet_core.datasets.capture import capture_seed
from townlet_core.errors import InputError
from townlet_core.files import file_digest
from townlet_core.policy.checkpoint import DESCRIPTION_FILE
from townlet_core.policy.decisions import Deck
from townlet_core.policy.discounts import require_same_discount
from townlet_core.policy.layouts import require_same_layout
from townlet_core.policy.network import network_from, network_tensors
from townlet_core.policy.ppo.annealer import Annealer, Good
from townlet_core.policy.ppo.annealing import drifts
from townlet_core.policy.ppo.choosing import Chosen, Validator, better, over_scenarios
from townlet_core.policy.ppo.collecting import Collector, Costs, Rollout
from townlet_core.policy.ppo.lessons import ShownTutor, StoredDecisions, StoredTutor, Tutor, stored_rows
from townlet_core.policy.ppo.measuring import Progress, Scene, measured
from townlet_core.policy.ppo.moments import optimiser_arrays
from townlet_core.policy.ppo.replaying import Replaying
from townlet_core.policy.ppo.saving import Saved, Standing, latest_training, newest_training, save_training
from townlet_core.policy.ppo.starting import (
    CHECKPOINTS,
    Improved,
    Start,
    Stored,
    require_stored,
    scalars,
    training_identity,
)
from townlet_core.policy.ppo.towns import TrainingTowns, undisturbed
from townlet_core.policy.ppo.updating import Learner, NonFiniteTerm, pace_at
from townlet_core.policy.tensorboard import EventFile
from townlet_core.policy.threads import single_thread
from townlet_core.policy.training_figures import LearnsFrom, Stage
from townlet_core.policy.training_log import EVENTS, Timing, TrainingLog, UpdateRecord

PURPOSE = "training"

Told = Callable[[UpdateRecord], None]


def improve(
    start: Start,
    scenarios: Mapping[str, TownConfig],
    profile: TrainingProfile,
    folder: Path,
    *,
    stored: Stored | None = None,
    resume: bool = False,
    progress: Told | None = None,
) -> Improved:
    """Improve a policy by what the profile's mode names; the same inputs give the same weights on the same machine.

    Args:
        start: The clone to begin with.
        scenarios: The towns to live in, by name, one entry for each scenario that the profile names.
        profile: Seed, discount, mode, and the rules in the sections that the mode reads.
        folder: Gets `checkpoints/`, the log (NDJSON and Parquet) and `tensorboard/`.
        stored: The dataset version that modes `replay` and `mixed` learn from.
        resume: Go on from the newest checkpoint in `folder`, if there is one; otherwise begin anew.
        progress: Called after each update, when its record has been written.

    Raises:
        InputError: The profile improves nothing, a scenario is missing or shapes rewards by another discount, or the
            dataset version that the mode needs is missing.
        CheckpointError: The clone and the towns differ in their layout, or the checkpoint is damaged or another's.
        NonFiniteTerm: A loss stopped being a number; checkpoints written before stay.
    """
    with single_thread():
        training: _Training | Replaying
        if profile.replay is not None:
            training = Replaying(
                start, require_stored(stored, start, profile), profile, profile.replay, folder, resume=resume
            )
        else:
            rules = _rules(profile, scenarios)
            training = _Training(start, scenarios, profile, rules, folder, stored=stored, resume=resume)
        with training.log.ending():
            try:
                training.run(progress)
            except NonFiniteTerm as error:
                raise error.keeping(newest_training(folder / CHECKPOINTS)) from error
        return training.outcome()


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
        stored: Stored | None,
        resume: bool,
    ) -> None:
        seeds = {name: capture_seed(name, str(profile.seed), PURPOSE) for name in scenarios}
        self.start, self.profile, self.rules, self.folder = start, profile, rules, folder
        self.scenarios = scenarios
        self.identity = training_identity(start, scenarios, profile, stored if profile.mix else None)
        late = rules.perturbations_from_cycle is not None
        self.towns = TrainingTowns(undisturbed(scenarios) if late else scenarios, rules.towns, seeds)
        self.disturbed = None if rules.perturbations_from_cycle is None else False
        require_same_layout(start.layout, self.towns.layout, "clone")
        network = network_from(start.tensors)
        draws, shuffles = (np.random.default_rng([profile.seed, number]) for number in (0, 1))
        self.streams = {"draws": draws, "shuffles": shuffles}
        self.learner = Learner(network, rules, profile.discount, shuffles)
        self.annealer = Annealer(profile.anneal, self.towns, self.learner, start.score) if profile.anneal else None
        drivers = self.annealer.drivers if self.annealer else None
        self.collector = Collector(self.towns, network, profile.discount, draws, drivers, Costs.of(rules))
        self.stored = _dealt(stored, start, profile) if profile.mix else None
        self.stage: Stage | None = None
        self.update = self.steps = self.transitions = 0
        self.validator = _validator(scenarios, profile, rules, start)
        self.chosen = self.validator.first(start.tensors) if self.validator else None
        self._take_up(resume=resume)
        self.log = TrainingLog(folder, self.update)

    def run(self, progress: Told | None) -> None:
        """All updates that are left, each logged, with a checkpoint now and then and at the end."""
        events = EventFile(self.folder / EVENTS, time.time())
        try:
            while self.update < self.rules.updates:
                record = self._advance()
                closes = self.annealer is not None and self.update % self.rules.cycle == 0
                due = closes or self.update % self.rules.checkpoint_every == 0 or self.update == self.rules.updates
                if due and self.validator is not None:
                    record = self._validated(record, self.validator, closes=closes)
                self.log.append(record)
                events.add(scalars(record), record.epoch, time.time())
                if due:
                    self._save(record)
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

    def _validated(self, record: UpdateRecord, validator: Validator, *, closes: bool) -> UpdateRecord:
        tensors = network_tensors(self.learner.network)
        figures = validator.measure(tensors)
        found = validator.judge(figures)
        annealing = record.annealing
        if closes and self.annealer is not None:
            ours, theirs = over_scenarios(figures), over_scenarios(validator.teacher)
            told = self.annealer.close_cycle(self.update, self.learner, ours, theirs)
            annealing = told.model_copy(update={"drift": drifts([*self.log.records, record])})
        if (annealing is None or annealing.trusted) and better(found, self.chosen):
            self.chosen = Chosen(self.update, found.return_mean, tensors)
        return record.model_copy(update={"validation": found, "annealing": annealing})

    def _advance(self) -> UpdateRecord:
        began, pace = time.perf_counter(), pace_at(self.rules, self.update + 1)
        self._enter_cycle(self.update // self.rules.cycle)
        rollout = self.collector.collect(self.rules.ticks)
        lived = time.perf_counter()
        figures = self.learner.update(rollout.experience, pace, self._tutor(rollout))
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
        record = measured(rollout, figures, pace, progress, self._scene(), timing)
        return record.model_copy(update={"annealing": self.annealer.standing if self.annealer else None})

    def _scene(self) -> Scene:
        mode: LearnsFrom = "anneal" if self.annealer else "mixed" if self.stored else "rollout"
        return Scene(
            mode=mode,
            cycle=(self.update - 1) // self.rules.cycle,
            social_stage=self.stage,
            perturbations=self.disturbed,
            ticks=self.rules.ticks,
            rivalry=self.towns.rivalry(),
            first=next(iter(self.log.records), None),
        )

    def _enter_cycle(self, cycle: int) -> None:
        """Bring the towns to what the schedules say for a cycle: the stage of social rewards, and perturbations."""
        stage, begins = stage_in(self.rules.social_stages, cycle), self.rules.perturbations_from_cycle
        if stage is not None and stage != self.stage:
            self.towns.set_social_stage(stage)
            self.stage = stage
        if begins is not None and begins <= cycle and not self.disturbed:
            self.towns.disturb({name: config.perturbations.not_before_day for name, config in self.scenarios.items()})
            self.disturbed = True

    def _tutor(self, rollout: Rollout) -> Tutor | None:
        if self.profile.mix is not None and self.stored is not None:
            return StoredTutor(self.stored, self.profile.mix)
        if self.profile.anneal is not None and self.profile.anneal.imitation > 0:
            minibatches = -(-rollout.experience.size // self.rules.minibatch)
            return ShownTutor(rollout.shown, self.profile.anneal.imitation, minibatches, self.streams["shuffles"])
        return None

    def _save(self, record: UpdateRecord) -> None:
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
            anneal=self.annealer.state if self.annealer else None,
            good=self.annealer.good.arrays() if self.annealer else {},
        )
        self.log.write_table()
        folder = save_training(self.folder / CHECKPOINTS, standing, self.start.layout, self.rules.keep)
        if record.annealing is not None:
            self._save_towns(folder, record.annealing.ratio)

    def _save_towns(self, folder: Path, ratio: float) -> None:
        """Snapshots of the towns beside a checkpoint; they say that its policy lived there, and with what share."""
        actor = Actor("annealed", file_digest(UPath(folder / DESCRIPTION_FILE)), ratio)
        for name, env in zip(self.rules.scenarios, self.towns.envs, strict=True):
            env.sim.save(folder / f"town-{name}.safetensors", actor)

    def _take_up(self, *, resume: bool) -> None:
        root = self.folder / CHECKPOINTS
        if not resume:
            shutil.rmtree(root, ignore_errors=True)
        saved = latest_training(root, self.identity)
        if saved is not None:
            self._restore(saved)

    def _restore(self, saved: Saved) -> None:
        self.towns.restore(_part(saved.towns, "towns."), str(saved.folder))
        self.collector.restore(_part(saved.towns, "open."))
        self.learner.restore(saved.tensors, saved.optimiser)
        if self.annealer is not None and saved.state.anneal is not None:
            self.annealer.restore(saved.state.anneal, Good.read(saved.good), _part(saved.towns, "drivers."))
        if self.stored is not None:
            self.stored.restore(_part(saved.towns, "stored."))
        for name, stream in self.streams.items():
            stream.bit_generator.state = saved.state.streams[name]
        self.update, self.steps = saved.state.update, saved.state.steps
        self.transitions, self.chosen = saved.state.transitions, saved.chosen

    def _arrays(self) -> dict[str, NDArray[Any]]:
        parts = {"towns": self.towns.arrays(), "open": self.collector.arrays()}
        if self.annealer is not None:
            parts["drivers"] = self.annealer.drivers.arrays()
        if self.stored is not None:
            parts["stored"] = self.stored.arrays()
        return {f"{part}.{name}": array for part, arrays in parts.items() for name, array in arrays.items()}


def stage_in(schedule: Sequence[StageFrom], cycle: int) -> Stage | None:
    """The stage of social rewards that a schedule says for a cycle; None before its first entry."""
    reached = [entry.stage for entry in schedule if entry.cycle <= cycle]
    return reached[-1] if reached else None


def _part(arrays: Mapping[str, NDArray[Any]], prefix: str) -> dict[str, NDArray[Any]]:
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}


def _dealt(stored: Stored | None, start: Start, profile: TrainingProfile) -> StoredDecisions:
    assert profile.mix is not None
    assert profile.ppo is not None
    rows = stored_rows(profile.ppo.minibatch, profile.mix.share)
    deck = Deck(require_stored(stored, start, profile).train)
    return StoredDecisions(deck, rows, profile.seed, whole_lives="memory.weight_hh" in start.tensors)


def _rules(profile: TrainingProfile, scenarios: Mapping[str, TownConfig]) -> ImprovementRules:
    if profile.ppo is None:
        raise InputError(f"training profile {profile.profile}: mode {profile.mode} has no section `ppo` to improve by")
    if list(scenarios) != list(profile.ppo.scenarios):
        wanted, given = ", ".join(profile.ppo.scenarios), ", ".join(scenarios)
        raise InputError(f"training profile {profile.profile}: names the scenarios {wanted}; given are {given}")
    require_same_discount(profile, scenarios)
    return profile.ppo


def _validator(
    scenarios: Mapping[str, TownConfig], profile: TrainingProfile, rules: ImprovementRules, start: Start
) -> Validator | None:
    if not rules.validation_towns:
        return None
    seeds = {name: capture_seed(name, str(profile.seed), "validation") for name in scenarios}
    return Validator(scenarios, rules.validation_towns, seeds, start.layout, start.tensors, rules.validation_slack)
