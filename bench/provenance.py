"""Where figures were taken: the machine, the packages, the commit."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import psutil

_ROOT: Final = Path(__file__).resolve().parents[1]
# What the figures depend on.
_PACKAGES: Final = (
    "rumiai", "torch", "ultralytics", "easyocr", "openai-whisper", "faster-whisper", "ctranslate2", "mediapipe",
    "scenedetect", "av", "opencv-contrib-python", "nvidia-pytriton", "tritonclient", "numpy",
)  # fmt: skip


def machine() -> dict[str, Any]:
    """What the figures were taken on, and how busy it was."""
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as lines:
        models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return {
        "cpu": models[0] if models else platform.processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "system": platform.platform(),
        "python": platform.python_version(),
        "load": [round(value, 2) for value in os.getloadavg()],
    }


def versions() -> dict[str, str | None]:
    """Version of every package that the figures depend on; None of one that is not installed."""
    found: dict[str, str | None] = {}
    for name in _PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = None
    return found


def commit() -> str | None:
    """The checkout's commit, with ``+`` when files differ from it; None outside a repository."""
    try:
        git = ("git", "-C", str(_ROOT))
        head = subprocess.run([*git, "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True, check=True)
        changed = subprocess.run([*git, "status", "--porcelain", "-uno"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return head.stdout.strip() + ("+" if changed.stdout.strip() else "")
