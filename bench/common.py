"""What the measurements share: clips, a running server, the main job as a command, a meter, tables and result files."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import provenance
import psutil

ROOT: Final = Path(__file__).resolve().parents[1]
RESULTS: Final = ROOT / "bench" / "results"
CLIPS: Final = ("demo", "bench", "short")
_ORCH: Final = (sys.executable, "-c", "from rumiai.cli import main; main()")
_SERVE: Final = (sys.executable, "-m", "rumiai_server", "serve", "--json", "--until-stdin-closes")
# Often enough to see peaks of a second, rarely enough to cost below 2 % of a core.
_METER_INTERVAL_S: Final = 0.25
# Which files of /dev/shm a process has mapped changes rarely, and is dear to ask.
_MAPS_EVERY: Final = 4
_STOP_LIMIT_S: Final = 60.0
_MIB: Final = 2**20


@dataclass(frozen=True)
class BenchClip:
    """A clip to measure with; ``truth`` (a ``rumiai.demo.Truth``) is None of a file that was not generated here."""

    name: str
    path: Path
    truth: Any
    sha256: str


def make_clip(name: str, folder: Path) -> BenchClip:
    """Render one of ``CLIPS`` into ``folder``, or take a file as it is.

    ``short`` is 6 s of 360x640 with two cuts, three captions and a sentence: for trying the measurements themselves.
    """
    from rumiai.demo import Caption, ClipSpec, Shot, Utterance, View, bench_spec, demo_spec, render

    short = ClipSpec(
        shots=(
            Shot("zidane", 2.0, View(0.70, 0.5, 1.0)),
            Shot("bus", 2.0, View(0.5, 0.55, 1.2)),
            Shot("hopper", 2.0, View(0.5, 0.4, 1.1), View(0.5, 0.4, 1.2)),
        ),
        captions=(
            Caption("WAIT FOR IT", 0.3, 1.8, (0.5, 0.70), 0.05),
            Caption("Take the bus", 2.2, 3.8, (0.5, 0.20), 0.05),
            Caption("FOLLOW ME", 4.3, 6.0, (0.5, 0.80), 0.05),
        ),
        speech=(Utterance("Wait for it, this is the trick that saves you money.", 0.4),),
        width=360,
        height=640,
    )
    specs: dict[str, Callable[[], ClipSpec]] = {"demo": demo_spec, "bench": bench_spec, "short": lambda: short}
    if name not in specs:
        path = Path(name).resolve()
        if not path.is_file():
            sys.exit(f"no such clip: got {name!r}, expected one of {', '.join(CLIPS)} or a file")
        return BenchClip(path.stem, path, None, _sha256(path))
    path = folder / f"{name}.mp4"
    truth = render(specs[name](), path)
    return BenchClip(name, path, truth, _sha256(path))


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def our_environment() -> dict[str, str]:
    """The environment of our own programs: waiting threads sleep, and no setting of the user's changes the figures."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("RUMIAI_") or k == "RUMIAI_WEIGHTS_DIR"}
    return {**kept, "OMP_WAIT_POLICY": "PASSIVE"}


@dataclass(frozen=True)
class Server:
    """A running model server: its gRPC address, token, process and the seconds until it was ready."""

    grpc: str
    token: str
    pid: int
    start_s: float


@contextlib.contextmanager
def serving(log: Path, *options: str) -> Iterator[Server]:
    """``rumiai-triton serve`` with these options, loaded and warm; stopped at the end."""
    began = time.monotonic()
    with log.open("w") as stream:
        process = subprocess.Popen(
            [*_SERVE, *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stream,
            text=True,
            env=our_environment(),
        )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        if not line:
            sys.exit(f"the server did not start; the end of its log:\n{log.read_text()[-2000:]}")
        ready = json.loads(line)
        yield Server(ready["grpc"], ready["token"], process.pid, time.monotonic() - began)
    finally:
        process.stdin.close()
        try:
            process.wait(_STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
        process.stdout.close()


@dataclass
class Usage:
    """What a stretch of time took: wall and CPU seconds, peaks in bytes, CPU seconds and peak memory by program.

    ``peak_rss_bytes`` is the largest sum of all processes' resident sets (a page that two of them share counts twice),
    ``peak_private_bytes`` that of anonymous pages alone, ``peak_shm_bytes`` of the files of /dev/shm they map.
    """

    wall_s: float = 0.0
    cpu_s: float = 0.0
    peak_rss_bytes: int = 0
    peak_private_bytes: int = 0
    peak_shm_bytes: int = 0
    cpu_by_program_s: dict[str, float] = field(default_factory=dict)
    rss_by_program_bytes: dict[str, int] = field(default_factory=dict)
    trace: list[tuple[float, float]] = field(default_factory=list)  # seconds since the start, CPU seconds until then

    @property
    def cpu_use(self) -> float:
        """CPU seconds by the seconds that all cores offered."""
        return self.cpu_s / (self.wall_s * len(os.sched_getaffinity(0))) if self.wall_s else 0.0

    def cpu_use_within(self, start: float, end: float) -> float | None:
        """The same between two shares of the time, 0..1; None when it was too short to tell."""
        inside = [(at, cpu) for at, cpu in self.trace if start * self.wall_s <= at <= end * self.wall_s]
        if len(inside) < 2:
            return None
        (first_s, before), (last_s, after) = inside[0], inside[-1]
        return (after - before) / ((last_s - first_s) * len(os.sched_getaffinity(0)))

    def to_dict(self) -> dict[str, Any]:
        """JSON form, bytes as MiB."""
        by_program = sorted(self.cpu_by_program_s.items(), key=lambda item: -item[1])
        return {
            "wall_s": round(self.wall_s, 3),
            "cpu_s": round(self.cpu_s, 3),
            "cpu_use": round(self.cpu_use, 3),
            "peak_rss_mib": round(self.peak_rss_bytes / _MIB, 1),
            "peak_private_mib": round(self.peak_private_bytes / _MIB, 1),
            "peak_shm_mib": round(self.peak_shm_bytes / _MIB, 1),
            "cpu_by_program_s": {name: round(seconds, 2) for name, seconds in by_program},
            "peak_rss_by_program_mib": {n: round(b / _MIB, 1) for n, b in sorted(self.rss_by_program_bytes.items())},
        }


class Meter:
    """Watches process trees while it is open; ``usage`` is complete when it is closed.

    A process that ends between two looks loses what it did since the last one.

    Args:
        roots: Pids; more can be added with :meth:`watch`.
    """

    def __init__(self, *roots: int) -> None:
        self.usage = Usage()
        self._roots = list(roots)
        self._before: dict[int, float] = {}
        self._latest: dict[int, tuple[str, float]] = {}
        self._segments: set[str] = set()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def watch(self, pid: int) -> None:
        """Watch another process and its children, from its birth on."""
        self._roots.append(pid)

    def __enter__(self) -> Self:
        self._began = time.monotonic()
        for process in self._processes():
            with contextlib.suppress(psutil.Error):
                self._before[process.pid] = sum(process.cpu_times()[:2])
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self._done.set()
        self._thread.join()
        self._look(maps=True)
        self.usage.wall_s = time.monotonic() - self._began
        for pid, (program, seconds) in self._latest.items():
            spent = seconds - self._before.get(pid, 0.0)
            self.usage.cpu_by_program_s[program] = self.usage.cpu_by_program_s.get(program, 0.0) + spent
        self.usage.cpu_s = sum(self.usage.cpu_by_program_s.values())

    def _processes(self) -> list[psutil.Process]:
        found: dict[int, psutil.Process] = {}
        for root in tuple(self._roots):
            with contextlib.suppress(psutil.Error):
                process = psutil.Process(root)
                found |= {p.pid: p for p in (process, *process.children(recursive=True))}
        return list(found.values())

    def _run(self) -> None:
        looks = 0
        while not self._done.wait(_METER_INTERVAL_S):
            self._look(maps=looks % _MAPS_EVERY == 0)
            looks += 1

    def _look(self, *, maps: bool) -> None:
        rss: dict[str, int] = {}
        private = 0
        for process in self._processes():
            with contextlib.suppress(psutil.Error, OSError):
                program = _program(process.cmdline())
                self._latest[process.pid] = program, sum(process.cpu_times()[:2])
                memory = process.memory_info()
                rss[program] = rss.get(program, 0) + memory.rss
                private += memory.rss - memory.shared
                if maps:
                    self._segments |= _mapped_segments(process.pid)
        usage = self.usage
        spent = sum(seconds - self._before.get(pid, 0.0) for pid, (_, seconds) in self._latest.items())
        usage.trace.append((time.monotonic() - self._began, spent))
        usage.peak_rss_bytes = max(usage.peak_rss_bytes, sum(rss.values()))
        usage.peak_private_bytes = max(usage.peak_private_bytes, private)
        for program, size in rss.items():
            usage.rss_by_program_bytes[program] = max(usage.rss_by_program_bytes.get(program, 0), size)
        shared = 0
        for name in self._segments:
            with contextlib.suppress(OSError):
                shared += Path(name).stat().st_blocks * 512
        usage.peak_shm_bytes = max(usage.peak_shm_bytes, shared)


def _mapped_segments(pid: int) -> set[str]:
    lines = Path(f"/proc/{pid}/maps").read_text().splitlines()
    return {line[line.index("/dev/shm/") :] for line in lines if "/dev/shm/" in line and "(deleted)" not in line}


def _program(command: Sequence[str]) -> str:
    words = " ".join(command)
    if "triton_python_backend_stub" in words:
        model = next((name for name in ("yolo", "ocr", "whisper") if f"/{name}/" in words), "?")
        return f"server {model}"
    for mark, name in (("tritonserver", "server triton"), ("rumiai_server", "server launcher")):
        if mark in words:
            return name
    for mark, name in (("resource_tracker", "other"), ("spawn_main", "worker"), ("rumiai.cli", "rumiai-orch")):
        if mark in words:
            return name
    return "other"


@dataclass(frozen=True)
class Run:
    """One ``rumiai-orch submit``: the videos of its ``done`` event, its exit status, what it and the server took.

    ``command_cpu_s`` is the command's own, with its workers, as the kernel counts it.
    """

    videos: list[dict[str, Any]]
    code: int
    usage: Usage
    command_cpu_s: float


def submit(
    clips: Sequence[Path],
    out: Path,
    server: Server | None,
    *options: str,
    settings: Mapping[str, str] | None = None,
    may_fail: bool = False,
) -> Run:
    """Run the main job as a user does and wait for it; ends the program when it fails.

    Args:
        clips: What to analyse.
        out: Folder for the results.
        server: A running one; None lets the command start its own.
        options: More of the command line.
        settings: Environment variables that no option stands for.
        may_fail: Whether single videos may fail: they are in ``videos`` with their error.
    """
    out.mkdir(parents=True, exist_ok=True)
    named = ("--server", server.grpc) if server else ()
    command = [*_ORCH, "submit", *map(str, clips), "--out", str(out), "--json", "--quiet", *named, *options]
    with tempfile.TemporaryFile("w+") as stdout, Meter(*([server.pid] if server else [])) as meter:
        # In the output folder, where no .env lies.
        process = subprocess.Popen(command, stdout=stdout, env={**our_environment(), **(settings or {})}, cwd=out)
        meter.watch(process.pid)
        _, status, resources = os.wait4(process.pid, 0)
        process.returncode = code = os.waitstatus_to_exitcode(status)
        stdout.seek(0)
        lines = stdout.read().splitlines()
    done: dict[str, Any] = json.loads(lines[-1]) if lines else {"videos": [], "error": "no output"}
    failed = [video for video in done["videos"] if video["status"] == "failed"]
    if not done["videos"] or ((code or failed) and not may_fail):
        reasons = done.get("error") or "; ".join(f"{v['video_id']}: {v['error']['message']}" for v in failed[:3])
        sys.exit(f"the pipeline failed with exit status {code}: {reasons}")
    return Run(done["videos"], code, meter.usage, resources.ru_utime + resources.ru_stime)


def middle(values: Sequence[Any], key: Callable[[Any], float]) -> Any:
    """The one whose key is the median; of an even number the upper of the two."""
    return sorted(values, key=key)[len(values) // 2]


def write_result(name: str, figures: Mapping[str, Any]) -> Path:
    """Write ``bench/results/<name>-<time>.json`` with the figures, machine, versions, commit and date."""
    now = datetime.now(UTC)
    payload = {
        "bench": name,
        "date": now.isoformat(timespec="seconds"),
        "commit": provenance.commit(),
        "machine": provenance.machine(),
        "versions": provenance.versions(),
        **figures,
    }
    RESULTS.mkdir(parents=True, exist_ok=True)
    path = RESULTS / f"{name}-{now:%Y%m%dT%H%M%SZ}.json"
    path.write_text(json.dumps(payload, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"written to {path.relative_to(ROOT)}")
    return path


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """A markdown table: first column to the left, the others to the right; None is a dash."""
    text = [[_cell(value) for value in row] for row in rows]
    widths = [max(len(line[i]) for line in (list(columns), *text)) for i in range(len(columns))]
    print(f"\n{title}\n")
    for line in (list(columns), ["-" * width for width in widths], *text):
        cells = [line[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(line[1:], widths[1:], strict=True))]
        print("| " + " | ".join(cells) + " |")
    print(flush=True)


def _cell(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:.2f}" if isinstance(value, float) else str(value)
