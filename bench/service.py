"""The service under load: how long it takes to accept runs while its workers are busy, and whether any is lost.

    python bench/service.py                                  # 1,000 submissions over 200 connections
    python bench/service.py --submissions 1000 --connections 200 --rate 100

A run of many clips keeps the workers and the model server busy on all cores. Meanwhile each connection submits one run
after the other. ``paced`` spreads the submissions over time at ``--rate`` a second, as callers do that know nothing of
each other, and measures from the moment a submission was due: one that waits for its connection counts as slow.
``burst`` sends them all as fast as the answers come. The load is made on the same cores. At the end the service is
killed and started again, and every run that was answered with 202 must be there.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import common
import httpx
from scaling import copies

_ORCH: Final = (sys.executable, "-c", "from rumiai.cli import main; main()")
# They keep all cores in use, in the workers and in the model server.
_SERVICES: Final = "yolo,scene_detection,audio_energy"
_PAGE: Final = 1000


@dataclass
class Load:
    """What one kind of load gave.

    Attributes:
        seconds: Of every accept, in the order of the answers.
        run_ids: That were answered with 202.
        refused: Other statuses, with how often.
        wall_s: From the first submission to the last answer.
    """

    seconds: list[float] = field(default_factory=list)
    run_ids: list[str] = field(default_factory=list)
    refused: dict[int, int] = field(default_factory=dict)
    wall_s: float = 0.0

    def figures(self) -> dict[str, Any]:
        """Percentiles in milliseconds, and counts."""
        ranked = sorted(self.seconds)
        at = {f"p{share}_ms": round(1000 * ranked[int(len(ranked) * share / 100)], 1) for share in (50, 90, 99)}
        return {
            "submissions": len(ranked),
            "accepted": len(self.run_ids),
            "refused": self.refused,
            **at,
            "longest_ms": round(1000 * ranked[-1], 1),
            "mean_ms": round(1000 * statistics.fmean(ranked), 1),
            "a_second": round(len(ranked) / self.wall_s, 1),
        }


@dataclass(frozen=True)
class Target:
    """Where the load goes."""

    port: int
    key: str

    def request(self, body: bytes) -> bytes:
        """One POST of a run, as bytes: a client library would take more of the cores than the service does."""
        head = (
            f"POST /v1/runs HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nAuthorization: Bearer {self.key}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body


async def submit(target: Target, body: bytes, count: int, connections: int, rate: float | None) -> Load:
    """Send ``count`` submissions over the connections; ``rate`` a second, or as fast as answers come."""
    load, due = Load(), iter(range(count))
    request, began = target.request(body), time.perf_counter()

    async def caller() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", target.port)
        for number in due:
            start = time.perf_counter()
            if rate is not None:
                start = began + number / rate
                await asyncio.sleep(max(0.0, start - time.perf_counter()))
            writer.write(request)
            status, answer = await _answer(reader)
            load.seconds.append(time.perf_counter() - start)
            if status == 202:
                load.run_ids.append(json.loads(answer)["id"])
            else:
                load.refused[status] = load.refused.get(status, 0) + 1
        writer.close()
        await writer.wait_closed()

    await asyncio.gather(*(caller() for _ in range(connections)))
    load.wall_s = time.perf_counter() - began
    return load


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    lengths = [int(line.split(b":")[1]) for line in lines if line.lower().startswith(b"content-length:")]
    return int(lines[0].split()[1]), await reader.readexactly(lengths[0])


@contextlib.contextmanager
def serving(out: Path, videos: Path, models: str, port: int) -> Iterator[subprocess.Popen[str]]:
    """The service over a folder, killed at the end."""
    options = ["--out", out, "--port", port, "--server", models, "--allow-source", videos, "--rate", 1_000_000]
    with (out / "service.log").open("a") as log:
        command = [*_ORCH, "serve", *map(str, options), "--services", _SERVICES, "--claude", "off"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, env=common.our_environment())
    assert process.stdout is not None
    try:
        if not process.stdout.readline():
            sys.exit(f"the service did not start:\n{(out / 'service.log').read_text()[-2000:]}")
        yield process
    finally:
        process.kill()
        process.wait(60)
        process.stdout.close()


def listed(client: httpx.Client) -> set[str]:
    """Ids of all runs."""
    found: set[str] = set()
    before: str | None = None
    while True:
        parameters = {"limit": _PAGE, **({"before": before} if before else {})}
        page = client.get("/v1/runs", params=parameters).raise_for_status().json()
        found |= {run["id"] for run in page["runs"]}
        if not (before := page["next"]):
            return found


def busy(client: httpx.Client, run_id: str) -> None:
    """Wait until a video of the run is in work."""
    while not (run := client.get(f"/v1/runs/{run_id}").json())["videos"]["running"]:
        if run["ended_at"]:
            sys.exit(f"the run that keeps the workers busy has ended: {run['error'] or run['videos']}")
        time.sleep(0.2)


def measure(args: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Both kinds of load, and what is left after a kill."""
    clip = common.make_clip("short", folder)
    videos, out = folder / "videos", folder / "out"
    copies(clip.path, args.clips, videos)
    out.mkdir()
    key = json.loads(_orch("keys", "add", "--out", out, "--name", "bench", "--json"))["key"]
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    target, body = Target(port, key), json.dumps({"sources": [str(videos / f"{clip.path.stem}000.mp4")]}).encode()
    headers = {"Authorization": f"Bearer {key}"}
    with common.serving(folder / "server.log", "--models", "yolo") as models:
        with (
            serving(out, videos, models.grpc, port) as process,
            httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=60) as client,
        ):
            first = client.post("/v1/runs", json={"sources": [str(videos)]}).raise_for_status().json()["id"]
            busy(client, first)
            loads = {}
            for name, rate in (("paced", args.rate), ("burst", None)):
                loads[name] = asyncio.run(submit(target, body, args.submissions, args.connections, rate))
                still = client.get(f"/v1/runs/{first}").json()["state"]
                if still != "running":
                    sys.exit("the workers were done before the load: give more --clips")
            process.kill()
            process.wait(60)
        with (
            serving(out, videos, models.grpc, port),
            httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=60) as client,
        ):
            kept = listed(client)
    accepted = {run_id for load in loads.values() for run_id in load.run_ids}
    return {
        **{name: load.figures() for name, load in loads.items()},
        "connections": args.connections,
        "rate": args.rate,
        "lost": len(accepted - kept),
        "accepted": len(accepted),
    }


def _orch(*arguments: object) -> str:
    command = [*_ORCH, *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True, text=True, env=common.our_environment()).stdout


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table and write the result; 1 when a run was lost."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--submissions", type=int, default=1000)
    parser.add_argument("--connections", type=int, default=200)
    parser.add_argument("--rate", type=float, default=100.0, help="submissions a second of the paced load")
    parser.add_argument("--clips", type=int, default=200, help="of the run that keeps the workers busy")
    args = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="rumiai-bench-") as temporary:
        found = measure(args, Path(temporary))
    columns = ("load", "accepted", "a second", "p50 ms", "p90 ms", "p99 ms", "longest ms")
    members = ("accepted", "a_second", "p50_ms", "p90_ms", "p99_ms", "longest_ms")
    rows = [(name, *(found[name][member] for member in members)) for name in ("paced", "burst")]
    common.print_table(f"accepting runs over {args.connections} connections, workers busy", columns, rows)
    print(f"lost after a kill: {found['lost']} of {found['accepted']}")
    common.write_result("service", found)
    return 1 if found["lost"] else 0


if __name__ == "__main__":
    sys.exit(main())
