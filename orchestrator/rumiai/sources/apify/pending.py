"""The run of the scraper that is under way: a later call of a command that was killed goes on with it."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rumiai.core.files import written_whole

# Two commands with other links run side by side.
_NAME: Final = ".apify_run_{}.json"


@dataclass(frozen=True)
class Pending:
    """A run that was asked for something.

    Attributes:
        folder: Where it is noted.
        asked: Digest of what it was asked for.
    """

    folder: Path
    asked: str

    @classmethod
    def of(cls, folder: Path, actor: str, actor_input: Mapping[str, object]) -> Pending:
        """The run of an actor with this input."""
        text = json.dumps([actor, actor_input], sort_keys=True)
        return cls(folder, hashlib.sha256(text.encode()).hexdigest())

    def run_id(self) -> str | None:
        """The run that an earlier command has started and not read; None without one."""
        try:
            told = json.loads(self._file.read_bytes())
            return str(told["run_id"]) if told["asked"] == self.asked else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def note(self, run_id: str) -> None:
        """It has started. Without a place to note it, a kill costs the run."""
        with contextlib.suppress(OSError), written_whole(self._file) as stream:
            stream.write(json.dumps({"run_id": run_id, "asked": self.asked}).encode())

    def clear(self) -> None:
        """It has been read, or ended."""
        with contextlib.suppress(OSError):
            self._file.unlink()

    @property
    def _file(self) -> Path:
        return self.folder / _NAME.format(self.asked[:16])
