"""Running ``rumiai-orch`` as a user does, and looking at what it leaves."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

import psutil

COMMAND = [sys.executable, "-c", "from rumiai.cli import main; main()"]
LIMIT_S = 400


@dataclass(frozen=True)
class Done:
    """How a command ended; ``events`` are the JSON lines of its stdout."""

    code: int
    stdout: str
    stderr: str

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.stdout.splitlines()]

    @property
    def done(self) -> dict[str, Any]:
        """The last line."""
        last: dict[str, Any] = self.events[-1]
        assert last["event"] == "done"
        return last


def orch(*arguments: str | Path, env: dict[str, str] | None = None) -> Done:
    """Run ``rumiai-orch`` to its end."""
    command = [*COMMAND, *map(str, arguments)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, env=env, check=False)
    return Done(ran.returncode, ran.stdout, ran.stderr)


class Tracked:
    """A running ``rumiai-orch``; its processes are all remembered, so that what they leave is known for theirs."""

    def __init__(self, *arguments: str | Path, env: dict[str, str] | None = None) -> None:
        command = [*COMMAND, *map(str, arguments)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env)
        self._seen: dict[int, psutil.Process] = {self.process.pid: psutil.Process(self.process.pid)}
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        while self.process.poll() is None:
            self.descendants()
            time.sleep(0.05)

    def descendants(self) -> list[psutil.Process]:
        """Those alive now."""
        try:
            found = self._seen[self.process.pid].children(recursive=True)
        except psutil.NoSuchProcess:
            return []
        self._seen.update((child.pid, child) for child in found)
        return found

    def wait_for_process(self, name: str) -> None:
        """Until one of its descendants is this program."""
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            for process in self.descendants():
                with contextlib.suppress(psutil.NoSuchProcess):
                    if process.name() == name:
                        return
            time.sleep(0.05)
        raise AssertionError(f"no {name} after 120 s")

    def read_until(self, part: str) -> None:
        """Read events until one holds this text."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if part in line:
                return
        raise AssertionError(f"ended without {part!r}")

    def finish(self) -> Done:
        """Wait for the end; ``stdout`` is what has not been read before."""
        stdout, stderr = self.process.communicate(timeout=LIMIT_S)
        return Done(self.process.returncode, stdout, stderr)

    def leftovers(self) -> list[str]:
        """Processes that still run, and shared memory and folders that carry the number of one of ours."""
        _, alive = psutil.wait_procs(list(self._seen.values()), timeout=10)
        left = [f"process {process.pid}" for process in alive]
        kinds = ("rumiai-", "rumiai-triton-", "rumiai-serve-")
        prefixes = tuple(f"{kind}{pid}-" for pid in list(self._seen) for kind in kinds)
        for folder in (Path("/dev/shm"), Path(tempfile.gettempdir())):
            left += [str(path) for path in folder.iterdir() if path.name.startswith(prefixes)]
        return left


def alike(one: str, other: str) -> float:
    """Edit ratio of two texts, 0..1, by letters and digits alone."""
    strip = [("".join(c for c in text.lower() if c.isalnum())) for text in (one, other)]
    return SequenceMatcher(None, *strip).ratio()
