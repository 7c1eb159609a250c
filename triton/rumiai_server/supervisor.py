"""Keep tritonserver and its models running: watch their processes, start again what has ended, say what is so.

Triton 2.51 does not watch its model processes. It goes on calling a dead one ready, and answers each request to it with
"Stub process is not healthy". One request is enough to get there: the Python backend makes NumPy arrays before our code
sees them, and aborts when a shape is negative or overflows. The kernel's memory killer is the other way. A second load
of a model changes nothing while Triton calls it loaded, so a dead model is unloaded first.

tritonserver itself ends with one request to its HTTP endpoint: deeply nested JSON, or a body in a million chunks.
"""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from rumiai.contracts.server_events import ServerEvent, ServerReady, ServerStateChange
from rumiai.core.processes import ProcessIdentity
from rumiai.errors import RumiAIError, ServerError
from rumiai_server.address import ServerAddress, write_server_file
from rumiai_server.heartbeat import STOPPED_S, Heartbeat, StoppedProcesses, kill
from rumiai_server.model_control import ModelControl
from rumiai_server.serve_config import RestartLimit
from rumiai_server.triton_process import TritonProcess

LOG = logging.getLogger("rumiai_server")

EventSink = Callable[[ServerEvent], None]

# Reading a few files of /proc costs microseconds.
_POLL_S: Final = 0.2
_STOPPED_POLL_S: Final = 1.0
# Loading takes tens of seconds, on a busy machine minutes.
_START_S: Final = 900.0
# A server that answers nothing for a minute hangs; with all cores busy it still answers within a second.
_LIVE_EVERY_S: Final = 10.0
_LIVE_MISSES: Final = 6
# Delay before the next try: none, then doubling.
_FIRST_DELAY_S: Final = 0.5
_LONGEST_DELAY_S: Final = 30.0
# A model or server that has run this long has recovered: the next failure is a first one.
_RECOVERED_S: Final = 60.0
# A model that cannot be loaded so often in a row may be held up by its server, which is then started again.
_LOAD_TRIES: Final = 4
# What Triton says of a model whose process ended while it was loaded; any other reason comes from the model itself.
_PROCESS_ENDED: Final = "not healthy"


def delay_s(failures: int) -> float:
    """Seconds to wait after so many failures in a row: 0 after the first, then 0.5, 1, 2, ... at most 30."""
    return 0.0 if failures <= 1 else min(_LONGEST_DELAY_S, _FIRST_DELAY_S * 2.0 ** (failures - 2))


@dataclass
class _Model:
    """What the supervisor knows of one model."""

    name: str
    processes: list[ProcessIdentity] = field(default_factory=list)
    up: bool = False
    down_since: float = 0.0
    due: float = 0.0
    failures: int = 0
    failed_loads: int = 0
    server_restarted: bool = False
    last_failure: float = float("-inf")
    heartbeat: Heartbeat | None = None

    def failed(self, now: float) -> None:
        self.failures = self.failures + 1 if now - self.last_failure < _RECOVERED_S else 1
        self.last_failure = now
        self.due = now + delay_s(self.failures)


class _TritonEndedError(Exception):
    """tritonserver has ended, hangs or must be started again; the message says which."""


class Supervisor:
    """Runs in one thread, :meth:`run`, which also starts tritonserver: the kernel ends it when that thread ends.

    Args:
        address: Where the server listens; stays the same for every tritonserver that is started.
        owner: The launcher.
        start_triton: Starts one; told its number, which grows.
        limit: When to give up.
        stop: Ends everything when it is set.
        emit: Told every event, from that thread. The first is ``ready``.
    """

    def __init__(
        self,
        address: ServerAddress,
        owner: ProcessIdentity,
        start_triton: Callable[[int], TritonProcess],
        limit: RestartLimit,
        stop: threading.Event,
        emit: EventSink,
    ) -> None:
        self._address = address
        self._owner = owner
        self._start_triton = start_triton
        self._limit = limit
        self._stop = stop
        self._emit = emit
        self._models = {name: _Model(name) for name in address.models}
        self._triton: TritonProcess | None = None
        self._generation = 0
        self._ends: deque[float] = deque(maxlen=limit.failures)
        self._down_since: float | None = None
        self._announced = threading.Event()
        self._finished = threading.Event()
        self._calling = threading.Event()
        self._failure: RumiAIError | None = None

    def run(self) -> None:
        """Serve until ``stop`` is set or nothing helps any more; returns when tritonserver has ended."""
        threading.Thread(target=self._end_stopped, daemon=True, name="stopped-processes").start()
        try:
            while not self._stop.is_set():
                try:
                    self._serve()
                except _TritonEndedError as exc:
                    self._server_down(str(exc))
        except RumiAIError as exc:
            self._failure = exc
        except OSError as exc:
            self._failure = ServerError(f"the server cannot be kept running: {exc}")
        finally:
            self._end_triton(at_once=not self._announced.is_set())
            self._finished.set()

    def wait_ready(self) -> None:
        """Wait until every model has answered a trial request.

        Raises:
            ServerError: The server did not come up, or was stopped before.
        """
        while not self._announced.wait(_POLL_S):
            if self._finished.is_set():
                raise self._failure or ServerError("stopped while the models were loading")

    def interrupt(self) -> None:
        """End tritonserver while the thread waits for an answer of it, which may take minutes."""
        triton = self._triton
        if triton is not None and self._calling.is_set():
            triton.kill()

    def wait(self) -> None:
        """Wait until the server has been stopped.

        Raises:
            ServerError: It gave up.
        """
        self._finished.wait()
        if self._failure is not None:
            raise self._failure

    # One tritonserver, from its start to its end.

    def _serve(self) -> None:
        self._generation += 1
        self._triton = self._start_triton(self._generation)
        self._wait_listening()
        if self._stop.is_set():
            return
        with ModelControl(self._address) as control:
            self._take_over(control)
            self._watch(control)

    def _wait_listening(self) -> None:
        """Wait until Triton has opened its port, which it does when it has loaded what it can."""
        host, _, port = self._address.grpc.rpartition(":")
        deadline = time.monotonic() + _START_S
        while not self._stop.wait(_POLL_S):
            self._check_triton()
            with contextlib.suppress(OSError):
                socket.create_connection((host.strip("[]"), int(port)), timeout=_POLL_S).close()
                return
            if time.monotonic() > deadline:
                raise _TritonEndedError(f"it did not listen within {_START_S:.0f} s of its start")

    def _take_over(self, control: ModelControl) -> None:
        """Try out what Triton has loaded.

        Raises:
            ServerError: At the first start a model was not loaded for a reason of its own, such as a missing file.
        """
        try:
            not_loaded = control.not_loaded()
        except ServerError as exc:
            self._check_triton()
            raise _TritonEndedError(str(exc)) from exc
        refused = [f"{name}: {reason}" for name, reason in not_loaded.items() if _PROCESS_ENDED not in reason]
        if refused and not self._announced.is_set():
            raise ServerError("Triton could not load " + "; ".join(refused))
        now = time.monotonic()
        for model in self._models.values():
            model.due, model.failed_loads = now, 0
            if model.name in not_loaded:
                self._load_failed(model, not_loaded[model.name])
            else:
                with self._load_failures(model):
                    self._try_out(control, model)

    def _watch(self, control: ModelControl) -> None:
        answered = time.monotonic()
        misses = 0
        while not self._stop.wait(_POLL_S):
            self._check_triton()
            for model in self._models.values():
                if model.up and not all(process.alive for process in model.processes):
                    self._model_down(control, model, "its process has ended")
                elif model.up and model.heartbeat is not None and model.heartbeat.hangs(time.monotonic()):
                    kill(model.processes)
                    self._model_down(control, model, "it answers nothing and does nothing")
                elif not model.up and time.monotonic() >= model.due:
                    self._revive(control, model)
            if time.monotonic() - answered >= _LIVE_EVERY_S:
                misses = 0 if control.is_live() else misses + 1
                answered = time.monotonic()
            if misses >= _LIVE_MISSES:
                raise _TritonEndedError("it has not answered for a minute")

    def _end_stopped(self) -> None:
        """End what a signal has stopped, in a thread of its own: the other one may be waiting for such a process."""
        stopped = StoppedProcesses()
        while not self._finished.wait(_STOPPED_POLL_S):
            triton = self._triton
            for process in stopped.overdue(triton.processes() if triton else (), time.monotonic()):
                LOG.error("pid %d has been stopped for %.0f s: ended", process.pid, STOPPED_S)
                kill([process])

    def _check_triton(self) -> None:
        assert self._triton is not None
        if (status := self._triton.exit_status) is not None:
            raise _TritonEndedError(status)

    # One model.

    def _model_down(self, control: ModelControl, model: _Model, reason: str) -> None:
        assert self._triton is not None
        now = time.monotonic()
        model.up, model.down_since = False, now
        model.failed(now)
        self._triton.a_model_died()
        LOG.error("%s: %s; loading it again in %.1f s", model.name, reason, max(0.0, model.due - now))
        with contextlib.suppress(ServerError):  # it is unloaded again before it is loaded
            control.unload(model.name)
        self._publish(ServerStateChange(event="model_down", model=model.name, reason=reason))

    def _revive(self, control: ModelControl, model: _Model) -> None:
        with self._load_failures(model):
            control.unload(model.name)
            control.load(model.name)
            self._try_out(control, model)

    def _try_out(self, control: ModelControl, model: _Model) -> None:
        """Call a model up once its processes are there and it has answered.

        Raises:
            ServerError: A process is missing, or there was no answer.
        """
        assert self._triton is not None
        expected = control.instances(model.name)
        model.processes = self._triton.model_processes(model.name)
        if len(model.processes) != expected:
            raise ServerError(f"{len(model.processes)} of {expected} processes are there")
        control.try_out(model.name)
        if not all(process.alive for process in model.processes):
            raise ServerError("its process ended after a trial request")
        down_s = time.monotonic() - model.down_since
        model.up, model.failed_loads, model.server_restarted = True, 0, False
        model.heartbeat = Heartbeat(model.processes, lambda: control.send_trial(model.name))
        if self._announced.is_set():
            LOG.warning("%s: serves again after %.1f s", model.name, down_s)
            self._publish(ServerStateChange(event="model_up", model=model.name, down_s=round(down_s, 3)))
        if all(other.up for other in self._models.values()):
            self._all_up()

    @contextlib.contextmanager
    def _load_failures(self, model: _Model) -> Iterator[None]:
        """Record a failure of what is done within; :meth:`interrupt` may end it."""
        self._calling.set()
        try:
            yield
        except ServerError as exc:
            if self._stop.is_set():
                return
            self._check_triton()
            self._load_failed(model, str(exc))
        finally:
            self._calling.clear()

    def _load_failed(self, model: _Model, reason: str) -> None:
        model.failed(time.monotonic())
        model.failed_loads += 1
        LOG.error("%s: could not be loaded (try %d): %s", model.name, model.failed_loads, reason)
        if not self._announced.is_set() and (_PROCESS_ENDED not in reason or model.failed_loads == _LOAD_TRIES):
            raise ServerError(f"Triton could not load {model.name}: {reason}")
        if model.failed_loads == _LOAD_TRIES and not model.server_restarted:
            # Once for each outage: a model that a restart does not help must not take the others down again and again.
            model.server_restarted = True
            raise _TritonEndedError(f"{model.name} could not be loaded {_LOAD_TRIES} times in a row: {reason}")

    # What others are told.

    def _all_up(self) -> None:
        if not self._announced.is_set():
            address = self._address
            ready = ServerReady(
                grpc=address.grpc,
                http=address.http,
                metrics=address.metrics,
                token=address.token,
                models=address.models,
                pid=address.pid,
                device=address.device,
            )
            self._publish(ready)
            self._announced.set()
        elif self._down_since is not None:
            down_s = time.monotonic() - self._down_since
            LOG.warning("tritonserver: serves again after %.1f s", down_s)
            self._publish(ServerStateChange(event="server_up", down_s=round(down_s, 3)))
        self._down_since = None

    def _server_down(self, reason: str) -> None:
        """End what is left, tell, wait.

        Raises:
            ServerError: It has ended too often.
        """
        now = time.monotonic()
        self._end_triton(at_once=True)
        for model in self._models.values():
            if model.up:
                model.up, model.down_since = False, now
        if self._stop.is_set():
            return
        self._ends.append(now)
        recent = [end for end in self._ends if now - end <= self._limit.window_s]
        if len(recent) >= self._limit.failures:
            message = f"tritonserver ended {len(recent)} times within {now - recent[0]:.0f} s, the last time: {reason}"
            if self._announced.is_set():
                self._publish(ServerStateChange(event="gave_up", reason=message))
            raise ServerError(message, hint="its log above may say why")
        if self._down_since is None:
            self._down_since = now
            if self._announced.is_set():
                self._publish(ServerStateChange(event="server_down", reason=reason))
        wait_s = delay_s(sum(now - end < _RECOVERED_S for end in self._ends))
        LOG.error("tritonserver has ended (%s); starting it again in %.1f s", reason, wait_s)
        self._stop.wait(wait_s)

    def _end_triton(self, *, at_once: bool) -> None:
        if self._triton is not None:
            self._triton.stop(at_once=at_once)
            self._triton = None

    def _publish(self, event: ServerEvent) -> None:
        try:
            write_server_file(
                self._address, self._owner, {name: "up" if model.up else "down" for name, model in self._models.items()}
            )
        except OSError as exc:  # no home, a full disk: programs that were given the address need no file
            LOG.warning("the server file, where other programs find the token, could not be written: %s", exc)
        self._emit(event)
