"""The service is killed at seeded moments while runs are sent to it: what it accepted is finished, nothing twice."""

from __future__ import annotations

import contextlib
import random
import socket
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import httpx

from rumiai.records import Records
from rumiai.service.database import open_database
from rumiai.service.keys import SCOPES, Keys

ROOT = Path(__file__).resolve().parents[3]
KILLS = 5
VIDEOS = 4


def started(out: Path, port: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.unit.service.standing", str(out), str(port)]
    return subprocess.Popen(command, cwd=ROOT)


def wait_there(client: httpx.Client) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with contextlib.suppress(httpx.TransportError):
            client.get("/healthz")
            return
        time.sleep(0.05)
    raise AssertionError("the service did not start")


def test_what_was_accepted_is_finished_whenever_the_service_is_killed(tmp_path: Path) -> None:
    out, draw = tmp_path / "out", random.Random(2026)
    for number in range(VIDEOS):
        (tmp_path / f"v{number}.mp4").write_bytes(bytes([number]))
    sources = [str(tmp_path / f"v{number}.mp4") for number in range(VIDEOS)]
    database = open_database(out)
    key = Keys(database).add("test", SCOPES)[1]
    database.close()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

    accepted: dict[str, str] = {}
    asked = 0
    headers = {"Authorization": f"Bearer {key}"}
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=30) as client:
        for _ in range(KILLS):
            process = started(out, port)
            wait_there(client)
            end_s = time.monotonic() + draw.uniform(0.05, 0.6)
            while time.monotonic() < end_s:
                asked += 1
                named = {"Idempotency-Key": f"k{asked}"}
                answer = client.post("/v1/runs", json={"sources": sources}, headers=named)
                assert answer.status_code == 202
                accepted[named["Idempotency-Key"]] = answer.json()["id"]
                time.sleep(draw.uniform(0, 0.05))
            process.kill()
            process.wait(30)
        process = started(out, port)
        try:
            wait_there(client)
            # A caller that does not know whether its request came asks again, and gets the same run.
            again = client.post("/v1/runs", json={"sources": sources}, headers={"Idempotency-Key": "k1"})
            assert again.json()["id"] == accepted["k1"]
            deadline = time.monotonic() + 120
            while client.get("/v1/runs", params={"state": ["accepted", "running"]}).json()["runs"]:
                assert time.monotonic() < deadline
                time.sleep(0.1)
        finally:
            process.terminate()
            process.wait(30)

    assert len(set(accepted.values())) == len(accepted) >= KILLS
    with Records.open(out) as records:
        assert {run.run_id for run in records.runs()} >= set(accepted.values())
        for run in records.runs():
            assert (run.state, run.exit_code, run.counts) == ("done", 0, {"ok": VIDEOS})
            told = Counter(event.members.get("video_id", event.kind) for event in records.events(run.run_id))
            assert told == {"run": 1, **{f"v{number}": 1 for number in range(VIDEOS)}}
