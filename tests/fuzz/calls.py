"""Odd calls of ``rumiai-orch``: arguments, environment, file names, streams and folders, drawn at random.

Every call is judged by what docs/cli.md and docs/outputs.md promise: a documented exit status, no traceback, one line
that says what is wrong when something is, and with ``--json`` a last line ``done`` as long as stdout takes it.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import subprocess
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeVar

import numpy as np

from rumiai.settings import OLDER, variables

from .files import COMMAND, CONTAINERS, make_clip
from .report import Report

T = TypeVar("T")

# Generous for a loaded machine: nothing here needs more than a few seconds.
CALL_LIMIT_S: Final = 120
STATUSES: Final = range(6)
# A run on the small clip that needs no model and ends well.
GOOD: Final = ("--services", "scene_detection", "--no-insights", "--workers", "1")

_ODD_VALUES: Final = (
    "", " ", "-1", "0", "nan", "inf", "-inf", "1e309", "1e-300", "9" * 40, "none", "null", "true", "x", ",", ",,",
    "../..", "/", "/dev/null", "/dev/full", "/proc/self/mem", "~", "~nobody-here/x", "$HOME", "%s%n", "a" * 300, "é",
    "\N{PILE OF POO}", "\u202e", "a\nb", "\x1b[31mred", "--help", "-", "--", "*", "[", "file:///etc/passwd", "http://127.0.0.1:1/x.mp4",
    "127.0.0.1:1", "localhost", ":::", "{}", "[1,2]", "'; drop table", "con", "a=b", "\\", "0x10", "1_000", "٣",
)  # fmt: skip
_VALUE_OPTIONS: Final = (
    "--out", "--services", "--plugins", "--sample-fps", "--workers", "--server", "--device", "--mode", "--ocr-engine",
    "--max-video-duration", "--claude", "--claude-model", "--max-cost", "--log-level",
)  # fmt: skip
_FLAGS: Final = ("--force", "--strict", "--no-claude", "--force-cost", "--quiet", "--json", "--nonsense", "-x")
_NAMES: Final = (
    b"plain.mp4", b"-dash.mp4", b"--json", b"two words.mp4", b"caf\xe9.mp4", "\N{GRINNING FACE} #fyp.mp4".encode(),
    b"a" * 250 + b".mp4", b"new\nline.mp4", b"\x1b[31mred.mp4", b"tab\t.mp4", b"quote\"'.mp4", b"star*.mp4", b"[a].mp4",
    b".hidden.mp4", b"no-suffix", b"UPPER.MP4", b"dots..mp4", b"%s%n.mp4", b"~x.mp4", "\u202egpm.mp4".encode(),
    b"con.mp4", b"semi;colon.mp4", b"$HOME.mp4",
)  # fmt: skip
_OTHER_COMMANDS: Final = (
    ("recompute",), ("recompute", "OUT", "--out", "NEW"), ("recompute", "ODD", "--out", "NEW", "--json"),
    ("collect", "--out", "OUT", "--json"), ("collect", "--out", "ODD"), ("schema",), ("schema", "ODD"),
    ("schema", "scene_pacing", "--markdown"), ("demo", "ODD/x/y.mp4"), ("weights", "list", "--json"),
    ("weights", "verify", "ODD"), ("ODD",), ("--version",), (), ("submit",), ("submit", "--json"),
    ("weights", "fetch", "ODD"), ("doctor", "--server", "ODD"), ("runner", "--json"),
    ("runner", "ODD", "--out", "OUT", "--json", "--services", "none"), ("runner", "--video-id", "ODD", "--out", "OUT"),
)  # fmt: skip


@dataclass(frozen=True)
class Call:
    """One call: arguments, changes of the environment, and what is done to its streams and folders."""

    arguments: tuple[bytes, ...]
    environment: dict[str, str | None]
    streams: str

    def __str__(self) -> str:
        words = " ".join(repr(a.decode(errors="backslashreplace"))[1:-1][:60] or "''" for a in self.arguments)
        changed = " ".join(f"{name}={'(unset)' if v is None else repr(v[:40])}" for name, v in self.environment.items())
        return f"{changed} rumiai-orch {words} {self.streams}".strip()


class Calls:
    """Draws calls over one prepared folder."""

    def __init__(self, folder: Path, seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        self._folder = folder
        folder.mkdir(parents=True)
        self.clip = folder / "clip.mp4"
        make_clip(CONTAINERS[0], self.clip)
        self._names = folder / "names"
        self._names.mkdir()
        for number, name in enumerate(_NAMES):
            with open(os.path.join(os.fsencode(self._names), name), "wb") as stream:
                stream.write(self.clip.read_bytes() + bytes(number))
        for name, data in (("empty.mp4", b""), ("text.mp4", b"no film"), ("folder.mp4", None)):
            (folder / name).mkdir() if data is None else (folder / name).write_bytes(data)
        (folder / "gone.mp4").symlink_to(folder / "nowhere")
        (folder / "loop.mp4").symlink_to(folder / "loop.mp4")
        os.mkfifo(folder / "pipe.mp4")
        (folder / "out").mkdir()
        (folder / "read-only").mkdir(mode=0o500)

    def draw(self, number: int) -> Call:
        """The call of a number: half are runs of the main job, with one thing or two that are odd."""
        arguments = [b"submit", *self._source(), *map(str.encode, GOOD)]
        environment: dict[str, str | None] = {}
        streams = ""
        for _ in range(int(self._rng.integers(1, 3))):
            match int(self._rng.integers(6)):
                case 0:
                    arguments += [str(self._pick(_VALUE_OPTIONS)).encode(), self._odd()]
                case 1:
                    arguments += [str(self._pick(_FLAGS)).encode()]
                case 2:
                    arguments[1:1] = [self._odd()]
                case 3:
                    environment |= self._variable()
                case 4:
                    streams = self._pick(
                        (">&-", "<&-", "2>&-", ">/dev/full", "2>/dev/full", "<&- >&- 2>&-", "| head -c 10")
                    )
                case _:
                    arguments = [self._filled(word, number) for word in self._pick(_OTHER_COMMANDS)]
        if arguments[:1] == [b"submit"]:
            # The last word counts, so that no drawn folder is written to.
            arguments += [b"--json", b"--out", os.fsencode(self._folder / f"out-{number}")]
        return Call(tuple(arguments), environment, streams)

    def _source(self) -> list[bytes]:
        odd = ["empty.mp4", "text.mp4", "folder.mp4", "gone.mp4", "loop.mp4", "pipe.mp4", "read-only", "no such file"]
        kind = int(self._rng.integers(4))
        if kind == 0:
            return [os.fsencode(self.clip)]
        if kind == 1:
            return [os.fsencode(self._folder / self._pick(odd))]
        if kind == 2:
            return [os.path.join(os.fsencode(self._names), self._pick(_NAMES))]
        return [os.fsencode(self.clip), os.fsencode(self._folder / self._pick(odd))]

    def _variable(self) -> dict[str, str | None]:
        # What chooses the work, and where it is done, stays.
        kept = ("RUMIAI_SERVICES", "RUMIAI_SERVER")
        names = [name for variable in variables() for name in variable.names if name not in kept]
        names += [variable.name for variable in OLDER]
        names += [
            "HOME",
            "TMPDIR",
            "LC_ALL",
            "COLUMNS",
            "PYTHONIOENCODING",
            "XDG_RUNTIME_DIR",
            "XDG_CACHE_HOME",
            "NO_COLOR",
        ]
        value = None if self._rng.integers(8) == 0 else self._odd().decode()
        name = self._pick(names)
        if name == "PYTHONIOENCODING":  # Python itself refuses others before our first line
            value = self._pick(("ascii", "latin-1", "utf-8:strict"))
        return {name: value}

    def _odd(self) -> bytes:
        return str(self._pick(_ODD_VALUES)).encode()

    def _filled(self, word: str, number: int) -> bytes:
        if word == "OUT":
            return os.fsencode(self._folder / "out")
        if word == "NEW":
            return os.fsencode(self._folder / f"new-{number}")
        return word.encode().replace(b"ODD", self._odd())

    def _pick(self, options: Sequence[T]) -> T:
        return options[int(self._rng.integers(len(options)))]


@dataclass
class CallsReport(Report):
    """What a number of odd calls gave; every list must be empty.

    Attributes:
        calls: How many there were.
        statuses: How often each exit status.
        tracebacks: Calls that printed one.
        undocumented: Calls that ended with another status, or by a signal.
        silent: Calls that failed without a line on stderr.
        no_done: Calls with ``--json`` whose stdout does not end with ``done``.
        hangs: Calls that did not end.
    """

    must_be_empty = ("tracebacks", "undocumented", "silent", "no_done", "hangs")

    calls: int = 0
    statuses: dict[int, int] = field(default_factory=dict)
    tracebacks: list[str] = field(default_factory=list)
    undocumented: list[str] = field(default_factory=list)
    silent: list[str] = field(default_factory=list)
    no_done: list[str] = field(default_factory=list)
    hangs: list[str] = field(default_factory=list)

    def headline(self) -> Iterator[str]:
        """How many calls, by exit status."""
        told = ", ".join(f"status {code}: {count}" for code, count in sorted(self.statuses.items()))
        yield f"calls: {self.calls} ({told})"

    def add(self, call: Call, code: int, stdout: bytes, stderr: bytes) -> None:
        """Judge one call."""
        self.calls += 1
        self.statuses[code] = self.statuses.get(code, 0) + 1
        if b"Traceback (most recent call last)" in stdout + stderr or b"Exception ignored" in stderr:
            self.tracebacks.append(f"{call}\n      {stderr.decode(errors='replace')[-300:]!r}")
        if code not in STATUSES:
            self.undocumented.append(f"{call}: {code}")
        if code and not stderr.strip() and "2>" not in call.streams and not stdout.strip():
            self.silent.append(f"{call}: {code}")
        if b"--json" in call.arguments and call.arguments[0] in (b"submit", b"runner", b"recompute", b"collect"):
            taken = ">" not in call.streams.replace("2>", "") and "head" not in call.streams
            if taken and b"--help" not in call.arguments and not _ends_with_done(stdout):
                self.no_done.append(f"{call}: {code}: {stdout[-120:]!r} {stderr[-200:]!r}")


def _ends_with_done(stdout: bytes) -> bool:
    lines = stdout.splitlines()
    try:
        return bool(lines) and json.loads(lines[-1])["event"] == "done"
    except (ValueError, KeyError, TypeError):
        return False


def run(folder: Path, *, count: int, seed: int, workers: int = 2) -> CallsReport:
    """Draw ``count`` calls over a folder that is made for them, make them, judge them."""
    drawn = Calls(folder, seed)
    calls = [drawn.draw(number) for number in range(count)]
    report = CallsReport()
    with ThreadPoolExecutor(workers) as pool:
        for call, outcome in zip(calls, pool.map(lambda call: _make(call, folder), calls), strict=True):
            if outcome is None:
                report.calls += 1
                report.hangs.append(str(call))
            else:
                report.add(call, *outcome)
    (folder / "read-only").chmod(0o700)
    return report


def _make(call: Call, folder: Path) -> tuple[int, bytes, bytes] | None:
    """Exit status, stdout and stderr of a call; None when it had to be killed."""
    kept = {name: value for name, value in os.environ.items() if name not in call.environment}
    changed = {name: value for name, value in call.environment.items() if value is not None}
    script = f'"$@" {call.streams}; exit "${{PIPESTATUS[0]}}"'
    command = [b"bash", b"-c", script.encode(), b"bash", *map(os.fsencode, COMMAND), *call.arguments]
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**kept, **changed},
        cwd=folder,
        start_new_session=True,
        preexec_fn=_limited,
    )
    try:
        stdout, stderr = process.communicate(timeout=CALL_LIMIT_S)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, 9)
        process.communicate()
        return None
    return process.returncode, stdout, stderr


def _limited() -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
