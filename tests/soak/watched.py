"""One ``rumiai-orch submit`` under watch: its processes, what it says, the kills it gets, whether it hangs."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

import psutil

from rumiai.core.processes import ProcessIdentity

Victim = Literal["parent", "worker", "launcher", "tritonserver", "model", "stopped model", "everything"]
VICTIMS: Final[tuple[Victim, ...]] = (
    "model", "worker", "tritonserver", "launcher", "parent", "stopped model", "everything",
)  # fmt: skip

_COMMAND: Final = (sys.executable, "-c", "from rumiai.cli import main; main()", "submit", "--json")
_SERVED: Final = (sys.executable, "-m", "tests.soak.served")
# Nothing takes so long without a word: loading all models on a busy machine does not, nor does a video.
_HANG_S: Final = 600.0
_POLL_S: Final = 0.1
# Seconds from one kill to the next, at most; long enough for some work, short enough to meet every stage.
_GAPS_S: Final = (2.0, 25.0)
# Shares of the time that an undisturbed run is at its videos: where that is short, a kill must come before its end.
_GAP_SHARES: Final = (0.1, 0.7)
# Share of the runs that are disturbed from their start.
_WHILE_LOADING: Final = 0.25


@dataclass
class Kills:
    """Which kills are still to come.

    Attributes:
        plan: Who is next, in this order.
        chance: Gives the times.
        done: Who was killed: kind and pid.
        until: No more after this instant of the monotonic clock.
        worked_s: How long an undisturbed run is at its videos.
    """

    plan: list[Victim]
    chance: random.Random
    until: float
    done: list[str] = field(default_factory=list)
    worked_s: float = float("inf")

    @classmethod
    def seeded(cls, count: int, seed: int, until: float) -> Kills:
        """So many, each kind about as often as the others."""
        chance = random.Random(seed)
        plan = [VICTIMS[number % len(VICTIMS)] for number in range(count)]
        chance.shuffle(plan)
        return cls(plan, chance, until)

    @property
    def left(self) -> bool:
        """Whether there are more."""
        return bool(self.plan) and time.monotonic() < self.until

    def wait_s(self) -> float:
        """Until the next one."""
        low, high = (min(gap, share * self.worked_s) for gap, share in zip(_GAPS_S, _GAP_SHARES, strict=True))
        return self.chance.uniform(low, high)


@dataclass
class Ended:
    """How a run ended.

    Attributes:
        code: Exit status.
        events: The JSON lines of its stdout.
        output: Its stdout that is no JSON, and its stderr.
        hung: It said nothing for minutes, and was ended.
        was_killed: The run itself was killed.
        processes: Everything that ran below it.
        worked_s: Seconds from the first word on a video to the end; 0.0 when there was none.
    """

    code: int
    events: list[dict[str, Any]]
    output: str
    hung: bool
    was_killed: bool
    processes: set[ProcessIdentity]
    worked_s: float = 0.0

    @property
    def ok(self) -> list[str]:
        """Ids of the videos that it called ok."""
        return [e["video_id"] for e in self.events if e["event"] == "video" and e["status"] == "ok"]

    @property
    def is_complete(self) -> bool:
        """Whether every video is ok."""
        done = self.events[-1] if self.events and self.events[-1]["event"] == "done" else {"videos": []}
        return bool(done["videos"]) and all(video["status"] == "ok" for video in done["videos"])

    @property
    def has_done(self) -> bool:
        """Whether the last event is ``done``."""
        return bool(self.events) and self.events[-1]["event"] == "done"


class Watched:
    """A run that is under way.

    Args:
        arguments: Of ``submit``.
        temporary: Its folder for temporary files.
        service: The folder of a service through which it goes; then the parent that is killed is the service.
    """

    def __init__(self, arguments: Sequence[str], temporary: Path, service: Path | None = None) -> None:
        self._through_service = service is not None
        command = _COMMAND if service is None else (*_SERVED, str(service))
        self._lines: queue.Queue[tuple[str, str]] = queue.Queue()
        self._process = subprocess.Popen(
            [*command, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
            env={**os.environ, "TMPDIR": str(temporary)},
        )
        self._readers = [
            threading.Thread(target=self._read, args=(name,), daemon=True) for name in ("stdout", "stderr")
        ]
        self._events: list[dict[str, Any]] = []
        self._output: list[str] = []
        self._seen: dict[int, ProcessIdentity] = {}
        self._was_killed = False
        for reader in self._readers:
            reader.start()

    def run(self, kills: Kills, tell: Callable[[str], None]) -> Ended:
        """Wait for its end, and kill what the plan says meanwhile."""
        hung, heard = False, time.monotonic()
        due = heard + kills.wait_s()
        # Loading takes longer than the videos: most runs are left alone until they have come to these.
        is_open, working_since = kills.chance.random() < _WHILE_LOADING, float("inf")
        while self._process.poll() is None:
            if self._take_lines():
                heard = time.monotonic()
            elif time.monotonic() - heard > _HANG_S:
                hung = True
                self._kill(self._tree())
            self._remember()
            if working_since == float("inf") and any(event["event"] == "progress" for event in self._events):
                working_since = time.monotonic()
                due, is_open = (due if is_open else working_since + kills.wait_s()), True
            if is_open and kills.left and time.monotonic() >= due and self._strike(kills, tell):
                due = time.monotonic() + kills.wait_s()
        worked_s = max(0.0, time.monotonic() - working_since)
        for reader in self._readers:
            reader.join(_HANG_S)
        self._take_lines()
        processes = set(self._seen.values())
        output = "".join(self._output)
        return Ended(self._process.returncode, self._events, output, hung, self._was_killed, processes, worked_s)

    def _strike(self, kills: Kills, tell: Callable[[str], None]) -> bool:
        """Kill the next victim of the plan that is there; whether there was one."""
        for place, kind in enumerate(kills.plan):
            victims = self._victims(kind)
            if victims:
                del kills.plan[place]
                ends_it = kind == "everything" or (kind == "parent" and not self._through_service)
                self._was_killed = self._was_killed or ends_it
                chosen = victims if kind == "everything" else [kills.chance.choice(victims)]
                self._kill(chosen, signal.SIGSTOP if kind == "stopped model" else signal.SIGKILL)
                kills.done.append(f"{kind} {chosen[0].pid}")
                tell(f"killed {kind} (pid {chosen[0].pid})")
                return True
        return False

    def _victims(self, kind: Victim) -> list[psutil.Process]:
        if kind == "parent" and not self._through_service:
            return self._tree()[:1]
        if kind == "everything":
            return self._tree()
        return [process for process in self._tree()[1:] if _kind_of(process) == kind.removeprefix("stopped ")]

    def _tree(self) -> list[psutil.Process]:
        try:
            root = psutil.Process(self._process.pid)
            return [root, *root.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def _remember(self) -> None:
        for process in self._tree():
            if process.pid not in self._seen and (identity := ProcessIdentity.of(process.pid)):
                self._seen[process.pid] = identity

    @staticmethod
    def _kill(processes: Sequence[psutil.Process], signum: int = signal.SIGKILL) -> None:
        for process in processes:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(signum)

    def _read(self, name: str) -> None:
        with getattr(self._process, name) as stream:
            for line in stream:
                self._lines.put((name, line))

    def _take_lines(self) -> bool:
        """Take what it has said; whether it has said anything. Waits a moment for it."""
        lines = list(self._waiting_lines())
        for name, line in lines:
            if name == "stdout" and line.startswith("{"):
                self._events.append(json.loads(line))
            else:
                self._output.append(line)
        return bool(lines)

    def _waiting_lines(self) -> Iterator[tuple[str, str]]:
        wait_s = _POLL_S
        while True:
            try:
                yield self._lines.get(timeout=wait_s) if wait_s else self._lines.get_nowait()
            except queue.Empty:
                return
            wait_s = 0.0


def _kind_of(process: psutil.Process) -> str:
    try:
        command = process.cmdline()
        if process.name() == "tritonserver":
            return "tritonserver"
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return ""
    if any("spawn_main" in part for part in command):
        return "worker"
    if "serve" in command and any("rumiai.cli" in part for part in command):
        return "parent"
    if "rumiai_server" in command:
        return "launcher"
    return "model" if any(part.endswith("/1/model.py") for part in command) else ""
