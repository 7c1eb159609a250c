"""``state.json`` of a video: which stages are finished, from which inputs."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rumiai.errors import StoreError
from rumiai.results.store import read_json, write_json


class RunState:
    """``state.json`` of one video: for each stage the fingerprint of its inputs, and what it wrote.

    Args:
        path: The file; missing or damaged counts as empty (the work is then done again).
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stages: dict[str, dict[str, Any]] = {}
        if path.exists():
            with contextlib.suppress(StoreError):
                raw = read_json(path)
                if isinstance(raw, dict) and isinstance(raw.get("stages"), dict):
                    self._stages = raw["stages"]

    def finished(self, stage: str, fingerprint: str) -> bool:
        """Whether the stage was finished from these very inputs and its files are still there, unchanged in size."""
        saved = self._stages.get(stage, {})
        if saved.get("fingerprint") != fingerprint:
            return False
        outputs: dict[str, int] = saved.get("outputs", {})
        return all(_size_of(self._found(name)) == size for name, size in outputs.items())

    def outputs(self) -> list[Path]:
        """The files of all stages."""
        names = (name for stage in self._stages.values() for name in stage.get("outputs", {}))
        return [self._found(name) for name in dict.fromkeys(names)]

    def _found(self, name: str) -> Path:
        """Where a recorded file is: names are from the folder of this state; older states have them from elsewhere."""
        here = self._path.parent / name
        return here if here.exists() else Path(name) if Path(name).exists() else here

    def kept(self, stage: str) -> bool:
        """Whether the stage was finished, from whatever inputs, and its files are still there, unchanged in size."""
        return stage in self._stages and self.finished(stage, self._stages[stage]["fingerprint"])

    def finish(self, stage: str, fingerprint: str, outputs: list[Path], finished_at: str) -> None:
        """Record a finished stage."""
        # From this folder, so that the whole output folder may be moved, and may be kept in an object store.
        sizes = {os.path.relpath(path, self._path.parent): path.stat().st_size for path in outputs}
        self._stages[stage] = {"fingerprint": fingerprint, "outputs": sizes, "finished_at": finished_at}
        write_json(self._path, {"stages": self._stages})

    def renew(self, stage: str, outputs: list[Path], finished_at: str) -> None:
        """Replace the recorded files of a stage; its inputs stay."""
        saved = self._stages.get(stage)
        if saved is not None:
            self.finish(stage, saved["fingerprint"], outputs, finished_at)

    def forget(self, *stages: str) -> None:
        """Forget that stages are finished, so that they are done again."""
        dropped = [stage for stage in stages if self._stages.pop(stage, None) is not None]
        if dropped:
            write_json(self._path, {"stages": self._stages})

    def note(self, stage: str, fingerprint: str, facts: Mapping[str, Any], finished_at: str) -> None:
        """Record a stage whose result is not a file but facts, as JSON values."""
        entry = {"fingerprint": fingerprint, "outputs": {}, "facts": dict(facts), "finished_at": finished_at}
        self._stages[stage] = entry
        write_json(self._path, {"stages": self._stages})

    def noted(self, stage: str, fingerprint: str) -> Mapping[str, Any] | None:
        """The facts of a stage that was finished from these very inputs; None without any."""
        return self.facts(stage) if self.finished(stage, fingerprint) else None

    def facts(self, stage: str) -> Mapping[str, Any] | None:
        """The facts of a stage that was finished from whatever inputs; None without any."""
        facts = self._stages.get(stage, {}).get("facts")
        return facts if isinstance(facts, dict) else None


def _size_of(path: Path) -> int | None:
    try:
        return path.stat().st_size if path.is_file() else None
    except OSError:
        return None
