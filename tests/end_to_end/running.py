"""Running ``rumiai-orch`` as a user does, and looking at what it leaves."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

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


def shared_memory() -> set[str]:
    """Our names in /dev/shm and PyTriton's."""
    return {p.name for p in Path("/dev/shm").iterdir() if p.name.startswith(("rumiai", "pytrtion"))}


def alike(one: str, other: str) -> float:
    """Edit ratio of two texts, 0..1, by letters and digits alone."""
    strip = [("".join(c for c in text.lower() if c.isalnum())) for text in (one, other)]
    return SequenceMatcher(None, *strip).ratio()
