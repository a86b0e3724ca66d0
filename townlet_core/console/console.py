"""The console of a running town: commands in, results out, always between two ticks."""

import logging
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import RLock
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from townlet_core.console.access import Gatekeeper, Grant
from townlet_core.console.audit import Audit
from townlet_core.console.catalogue import Nothing, Spec, find
from townlet_core.console.changing import CHANGING
from townlet_core.console.desk import Desk, Shelf
from townlet_core.console.disturbing import DISTURBING
from townlet_core.console.envelope import Command, CommandError, Result
from townlet_core.console.saved import SAVED
from townlet_core.console.staffing import STAFFING
from townlet_core.console.viewing import VIEWING
from townlet_core.core import UNNAMED, Actor, Simulation
from townlet_core.core.operations import OperationError
from townlet_core.errors import TownletError
from townlet_core.telemetry.events import named_events
from townlet_core.telemetry.windows import town_rows

REMEMBERED = 512
"""Commands with an id whose results are kept."""
JOURNAL = 500
"""Events that are kept for whoever asks."""
_LOG = logging.getLogger(__name__)


class _Done(NamedTuple):
    fingerprint: bytes
    result: Result


def _help(desk: Desk, args: Nothing) -> list[dict[str, str]]:
    """List the commands."""
    return [{"usage": spec.usage, "role": spec.role, "about": spec.about} for spec in SPECS.values()]


HELP = Spec("help", "viewer", "this list", Nothing, _help)
SPECS: dict[str, Spec] = {spec.name: spec for spec in (HELP, *VIEWING, *SAVED, *CHANGING, *DISTURBING, *STAFFING)}
"""Every command by its name."""


class Console:
    """Takes commands for one town of a batch. Whoever lets the towns live does so inside ``tick``; commands of any
    thread wait for the end of the tick, so each of them finds the town whole and leaves it whole.
    """

    def __init__(
        self,
        sim: Simulation,
        gatekeeper: Gatekeeper,
        shelf: Shelf,
        audit: Audit | None = None,
        town: int = 0,
        timer: Callable[[], float] = perf_counter,
        actor: Actor = UNNAMED,
    ) -> None:
        """Open the console.

        Args:
            sim: The towns.
            gatekeeper: Decides who may do what.
            shelf: Where snapshots lie.
            audit: Where every command is noted.
            town: Which town of the batch.
            timer: Seconds that only rise, to measure how long commands take.
            actor: Who chooses for the citizens; towns that are saved say so.
        """
        self.desk = Desk(sim, town, shelf, deque(maxlen=JOURNAL), {}, actor)
        self._gatekeeper, self._audit, self._timer = gatekeeper, audit, timer
        self._done: OrderedDict[tuple[str, str], _Done] = OrderedDict()
        self._turn = RLock()

    @contextmanager
    def tick(self) -> Iterator[None]:
        """Hold commands back while the towns live a tick, then note what happened in it."""
        with self._turn:
            yield
            desk = self.desk
            names = desk.sim.names._replace(agents=desk.people)
            desk.journal.extend(named_events(town_rows(desk.sim, desk.town), names))
            for agent in [one for one in desk.possessed if not desk.sim.agents["alive"][desk.town, one]]:
                del desk.possessed[agent]

    def overrule(self, actions: NDArray[Any]) -> NDArray[Any]:
        """Put the choices of possessed citizens in the place of those [B, N] that a policy made."""
        if not self.desk.possessed:
            return actions
        chosen = np.array(actions)
        for agent, option in self.desk.possessed.items():
            chosen[self.desk.town, agent] = option
        return chosen

    def execute(self, command: Command) -> Result:
        """Do a command between two ticks. It never raises for what a command says; the result tells what was wrong.

        Raises:
            DataError: The audit cannot be kept.
        """
        with self._turn:
            begin = self._timer()
            issuer: str | None = None
            try:
                grant = self._gatekeeper.admit(command)
                issuer = grant.issuer
                spec = _permitted(command, grant)
                result = self._once(command, spec, issuer, begin)
            except CommandError as error:
                result = self._result(command, issuer, error, begin)
            self._note(command, result)
            return result

    def refuse(self, error: CommandError) -> Result:
        """Give the result of a line that was no command."""
        return self._result(Command(name="?"), None, error, self._timer())

    def _once(self, command: Command, spec: Spec, issuer: str, begin: float) -> Result:
        """Run a command, or give the result that it had when it came before. Raises CommandError for an id taken."""
        if command.cmd_id is None:
            return self._result(command, issuer, _answer(spec, command.args, self.desk), begin)
        key = (issuer, command.cmd_id)
        before = self._done.get(key)
        if before is None:
            result = self._result(command, issuer, _answer(spec, command.args, self.desk), begin)
            self._done[key] = _Done(command.fingerprint, result)
            if len(self._done) > REMEMBERED:
                self._done.popitem(last=False)
            return result
        if before.fingerprint != command.fingerprint:
            raise CommandError("conflict", f"cmd_id {command.cmd_id} was another command; choose a new id")
        return before.result

    def _result(self, command: Command, issuer: str | None, answer: Any, begin: float) -> Result:
        error = None
        if isinstance(answer, CommandError):
            error, answer = {"code": answer.code, "message": str(answer), "details": answer.details}, None
        tick = int(self.desk.sim.state.towns["tick"][self.desk.town])
        latency = round((self._timer() - begin) * 1000.0, 3)
        return Result(command.name, "error" if error else "ok", answer, error, command.cmd_id, issuer, tick, latency)

    def _note(self, command: Command, result: Result) -> None:
        if self._audit is not None:
            code = result.error["code"] if result.error else None
            self._audit.note(
                {"tick": result.tick, "name": command.name, "args": _shown(command.args), "cmd_id": command.cmd_id}
                | {"issuer": result.issuer, "status": result.status, "code": code}
            )


def _shown(args: dict[str, Any]) -> dict[str, Any]:
    """Take away what somebody may have written at the wrong place."""
    return {key: value for key, value in args.items() if key != "token"}


def _permitted(command: Command, grant: Grant) -> Spec:
    """Find the command, if its giver may give it. Raises CommandError."""
    spec = find(command.name, SPECS)
    if not grant.allows(spec.role):
        raise CommandError("forbidden", f"{command.name} is for an {spec.role}; {grant.issuer} is a {grant.role}")
    return spec


def _answer(spec: Spec, args: dict[str, Any], desk: Desk) -> Any:
    """Do what a command says; what went wrong comes back as a CommandError."""
    try:
        checked = spec.arguments(args)
        spec.names(checked, desk)
        return spec.run(desk, checked)
    except CommandError as error:
        return error
    except OperationError as error:
        return CommandError(error.code, str(error))
    except TownletError as error:
        return CommandError("conflict", str(error))
    except Exception as error:  # a defect in one command must not end the town; its traceback goes to the log
        _LOG.exception("console command %s failed", spec.name)
        return CommandError("internal", f"{spec.name} failed: {type(error).__name__}; the log has the traceback")
