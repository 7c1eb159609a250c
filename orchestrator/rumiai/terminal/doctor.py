"""What this machine has and lacks for the main job, in one screen."""

from __future__ import annotations

import asyncio
import ctypes
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Final, Literal

import click

from rumiai import weights
from rumiai.contracts.tensors import ENDPOINTS
from rumiai.core.scripts import TESSERACT_LANGUAGES
from rumiai.errors import RumiAIError
from rumiai.settings import Settings, read_dotenv, read_secrets

State = Literal["ok", "note", "missing"]

_MARKS: Final = {"ok": ("ok", "green"), "note": ("note", "yellow"), "missing": ("MISSING", "red")}
# One worker holds five batches of eight 720p frames, and an hour of audio at most.
_SHM_BYTES: Final = 512 * 2**20
_ORCHESTRATOR: Final = ("av", "mediapipe", "scenedetect", "tritonclient", "numpy", "opencv-contrib-python")
_SERVER: Final = ("nvidia-pytriton", "torch", "ultralytics", "easyocr", "faster-whisper", "openai-whisper")
# What MediaPipe's wheel links besides libc, and the Debian packages that have it.
_LIBRARIES: Final = {"libGL.so.1": "libgl1", "libEGL.so.1": "libegl1", "libGLESv2.so.2": "libgles2"}


@dataclass(frozen=True)
class Finding:
    """One line: what was looked at, what was found, and what to do about it when it is not good."""

    name: str
    state: State
    found: str
    remedy: str | None = None


def examine(settings: Settings) -> list[Finding]:
    """Check everything that the main job needs; nothing is started or changed."""
    checks: list[Callable[[], Finding]] = [
        _python,
        lambda: _packages("orchestrator packages", _ORCHESTRATOR, "pip install rumiai"),
        lambda: _server_packages(settings),
        _libraries,
        lambda: _libpython(settings),
        _tesseract,
        _processor,
        _gpu,
        _weights,
        _shared_memory,
        lambda: _output(settings),
        _keys,
        lambda: _server(settings),
    ]
    return [check() for check in checks]


def print_findings(findings: list[Finding], *, as_json: bool) -> None:
    """Print the findings, one a line with its remedy, or as JSON."""
    if as_json:
        click.echo(json.dumps({"findings": [asdict(finding) for finding in findings]}, indent=1))
        return
    for finding in findings:
        mark, colour = _MARKS[finding.state]
        click.echo(f"{click.style(f'{mark:8}', fg=colour)}{finding.name:24}{finding.found}")
        if finding.remedy:
            click.echo(f"{'':32}-> {finding.remedy}")


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] in ((3, 11), (3, 12)):
        return Finding("Python", "ok", f"{version} at {sys.executable}")
    return Finding("Python", "missing", version, "Python 3.11 or 3.12 is needed")


def _packages(name: str, wanted: tuple[str, ...], remedy: str) -> Finding:
    versions, absent = [], []
    for package in wanted:
        try:
            versions.append(f"{package} {metadata.version(package)}")
        except metadata.PackageNotFoundError:
            absent.append(package)
    if absent:
        return Finding(name, "missing", f"not installed: {', '.join(absent)}", remedy)
    return Finding(name, "ok", ", ".join(versions))


def _server_packages(settings: Settings) -> Finding:
    found = _packages("server packages", _SERVER, 'pip install "rumiai[server]", or use --server HOST:PORT')
    if found.state == "missing" and settings.server:
        return Finding(found.name, "note", found.found, "not needed here: the server is elsewhere")
    return found


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def _libraries() -> Finding:
    absent = [package for library, package in _LIBRARIES.items() if not _loads(library)]
    if absent:
        return Finding("system libraries", "missing", f"no {', '.join(absent)}", f"apt-get install {' '.join(absent)}")
    return Finding("system libraries", "ok", ", ".join(_LIBRARIES))


def _libpython(settings: Settings) -> Finding:
    """Triton's Python backend links it."""
    name = f"libpython{sys.version_info[0]}.{sys.version_info[1]}.so.1.0"
    folder = sysconfig.get_config_var("LIBDIR")
    if Path(folder, name).exists() or _loads(name):
        return Finding("libpython", "ok", name)
    state: State = "note" if settings.server else "missing"
    return Finding("libpython", state, f"no {name}", f"apt-get install {name.partition('.so')[0]}")


def _tesseract() -> Finding:
    """What reads scripts other than Latin, Chinese and Japanese; nothing needs it."""
    name, program = "other scripts", shutil.which("tesseract")
    listed: set[str] = set()
    if program is not None:
        told = subprocess.run([program, "--list-langs"], capture_output=True, text=True, timeout=30, check=False)
        listed = set(told.stdout.split())
    absent = {script: language for script, language in TESSERACT_LANGUAGES.items() if language not in listed}
    if not absent:
        return Finding(name, "ok", f"Tesseract reads {', '.join(TESSERACT_LANGUAGES)}")
    packages = [*([] if program else ["tesseract-ocr"]), *(f"tesseract-ocr-{language}" for language in absent.values())]
    found = f"text in {', '.join(absent)} is found and not read"
    return Finding(name, "note", found, f"apt-get install {' '.join(packages)}")


def _processor() -> Finding:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return Finding("processor", "ok", f"{len(os.sched_getaffinity(0))} cores, {memory:.0f} GiB memory")


def _gpu() -> Finding:
    if importlib.util.find_spec("torch") is None:
        return Finding("GPU", "note", "torch is not installed, so this cannot be told")
    import torch

    if torch.cuda.is_available():
        names = ", ".join(torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count()))
        if not _loads("libcublas.so.12") and importlib.util.find_spec("nvidia.cublas") is None:
            return Finding("GPU", "missing", f"{names}, without cuBLAS 12 for Whisper", "pip install 'rumiai[gpu]'")
        return Finding("GPU", "ok", f"{names} (CUDA {torch.version.cuda})")
    return Finding("GPU", "note", "no CUDA device: the models run on the CPU")


def _weights() -> Finding:
    wanted = weights.resolve_names()
    bad = [item.name for item in wanted if weights.state(item)[0] != "ok"]
    where = str(weights.weights_dir())
    if bad:
        return Finding("weights", "missing", f"{where}: {', '.join(bad)}", "rumiai-orch weights fetch")
    return Finding("weights", "ok", f"{len(wanted)} files, verified, in {where}")


def _shared_memory() -> Finding:
    try:
        free = shutil.disk_usage("/dev/shm").free
    except OSError as exc:
        return Finding("shared memory", "missing", f"/dev/shm: {exc.strerror}", "mount a tmpfs there")
    text = f"{free / 2**20:.0f} MiB free in /dev/shm"
    if free < _SHM_BYTES:
        return Finding("shared memory", "missing", text, "containers: run with --shm-size=2g")
    return Finding("shared memory", "ok", text)


def _output(settings: Settings) -> Finding:
    folder = settings.out.resolve()
    there = next(parent for parent in (folder, *folder.parents) if parent.exists())
    free = shutil.disk_usage(there).free / 2**30
    if not os.access(there, os.W_OK):
        return Finding("output folder", "missing", f"{folder} cannot be written", "choose another with --out")
    return Finding("output folder", "ok", f"{folder}, {free:.0f} GiB free")


def _keys() -> Finding:
    secrets = read_secrets(os.environ, read_dotenv(Path(".env")))
    if secrets.claude_key:
        return Finding("keys", "ok", "CLAUDE_API_KEY is set: submit asks Claude (--no-claude: not)")
    return Finding("keys", "note", "no CLAUDE_API_KEY: the analyses are computed by rules alone")


def _server(settings: Settings) -> Finding:
    if not settings.server:
        return Finding("server", "ok", "none named: submit starts one for each run")
    from rumiai.inference.client import TritonClient

    async def ask() -> str:
        async with TritonClient.connect(settings.server) as client:
            facts = await client.metadata()
            await client.wait_ready(ENDPOINTS, 1.0)
            return f"{facts['name']} {facts['version']} with {', '.join(ENDPOINTS)}"

    try:
        return Finding("server", "ok", f"{settings.server}: {asyncio.run(ask())}")
    except RumiAIError as exc:
        return Finding("server", "missing", exc.message, exc.hint)
