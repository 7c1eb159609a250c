"""What is held against a disturbed run: its results beside those of an undisturbed one, and what it left behind."""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import psutil

from rumiai.contracts.models import service_names
from rumiai.core.processes import SHARED_MEMORY, ProcessIdentity
from rumiai.metrics.registry import ANALYSES
from rumiai.results.store import Store
from rumiai.services import find_service

# What may differ between equal runs (docs/outputs.md).
VOLATILE: Final = frozenset({
    "processed_at", "generated_at", "finished_at", "seconds", "processing_time", "stage_seconds", "uptime_seconds",
    "host", "pid", "device", "memory_usage", "cpu_percent", "run_id", "request_id", "batch_id",
})  # fmt: skip
_TRACEBACK: Final = "Traceback (most recent call last)"
_OF_A_PROCESS: Final = re.compile(r"rumiai-(?:triton-)?(\d+)-")


def differences(out: Path, reference: Path, ids: Iterable[str]) -> list[str]:
    """Which files of these videos differ from those of the reference, without what may differ."""
    return [
        f"{video_id}: {name}"
        for video_id in ids
        for name, mine, other in _pairs(Store(out), Store(reference), video_id)
        if _content(mine) != _content(other)
    ]


def _pairs(mine: Store, other: Store, video_id: str) -> Iterator[tuple[str, Path | None, Path | None]]:
    yield "unified analysis", mine.unified_file(video_id), other.unified_file(video_id)
    yield "markers", mine.markers_file(video_id), other.markers_file(video_id)
    for service in map(find_service, service_names()):
        if other.service_file(service, video_id).exists():
            yield service.name, mine.service_file(service, video_id), other.service_file(service, video_id)
    for name in ANALYSES:
        yield name, _blocks_file(mine, video_id, name), _blocks_file(other, video_id, name)


def _blocks_file(store: Store, video_id: str, name: str) -> Path | None:
    folder = store.insights_folder(video_id) / name
    try:
        return folder / json.loads((folder / "latest.json").read_text())["ml"]
    except (OSError, ValueError, KeyError):
        return None


def _content(path: Path | None) -> object:
    if path is None:
        return None
    try:
        return json.loads(path.read_text(), object_hook=_lasting)
    except (OSError, ValueError):
        return None


def _lasting(item: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in item.items() if key not in VOLATILE}


def tracebacks(texts: Iterable[tuple[str, str]]) -> list[str]:
    """Where a traceback was printed, with its last line; texts are given with their names."""
    found = []
    for name, text in texts:
        for part in text.split(_TRACEBACK)[1:]:
            last = next((line for line in part.splitlines()[1:] if line and not line.startswith((" ", "\t"))), "?")
            found.append(f"{name}: {last[:200]}")
    return found


def residue(out: Path, temporary: Path, processes: Iterable[ProcessIdentity], since_s: float) -> list[str]:
    """What runs that have ended have left.

    Args:
        out: Their output folder.
        temporary: Their folder for temporary files.
        processes: All that belonged to them.
        since_s: When the first began, in seconds since the epoch.
    """
    pids = {process.pid for process in processes}
    found = [f"pid {process.pid}" for process in processes if process.alive]
    found += [str(path) for path in SHARED_MEMORY.glob("rumiai-*") if _pid_in(path.name) in pids]
    mapped = _mapped_inodes()
    for path in SHARED_MEMORY.glob("sem.mp-*"):
        with contextlib.suppress(OSError):
            if path.stat().st_ctime >= since_s and path.stat().st_ino not in mapped:
                found.append(str(path))
    found += [str(path) for path in temporary.iterdir()]
    if not any(_name(process) == "tritonserver" for process in psutil.process_iter()):
        found += [str(path) for path in Path("/tmp").glob("python_env_*") if _since(path, since_s)]
    found += [str(path) for path in out.rglob("*.tmp")]
    return found


def _pid_in(name: str) -> int | None:
    match = _OF_A_PROCESS.match(name)
    return int(match[1]) if match else None


def _mapped_inodes() -> set[int]:
    inodes = set()
    for maps in Path("/proc").glob("[0-9]*/maps"):
        with contextlib.suppress(OSError):
            inodes |= {
                int(line.split()[4]) for line in maps.read_text(errors="replace").splitlines() if "/dev/shm" in line
            }
    return inodes


def _name(process: psutil.Process) -> str:
    with contextlib.suppress(psutil.Error):
        return process.name()
    return ""


def _since(path: Path, since_s: float) -> bool:
    try:
        status = path.stat()
    except OSError:
        return False
    return status.st_ctime >= since_s and status.st_uid == os.getuid()
