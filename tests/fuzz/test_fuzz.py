"""A small part of ``make fuzz``; the whole of it draws more of the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from ..conftest import RunningServer
from . import calls, endpoints, files, service


def test_mutated_files(tmp_path: Path) -> None:
    report = files.run(tmp_path / "files", count=40, seed=2026)
    assert report.faults == 0, "\n".join(report.lines())
    assert report.files == 40 + len(files.CONTAINERS)
    assert report.statuses["ok"] >= len(files.CONTAINERS)
    assert report.statuses["failed"] > 0


def test_odd_calls(tmp_path: Path) -> None:
    report = calls.run(tmp_path / "calls", count=20, seed=2026)
    assert report.faults == 0, "\n".join(report.lines())
    assert report.calls == 20


@pytest.mark.server
def test_wrong_requests(triton_server: RunningServer) -> None:
    server = endpoints.Served(triton_server.grpc, triton_server.http, triton_server.log)
    report = endpoints.attack(server, count=300, seed=2026)
    assert report.faults == 0, "\n".join(report.lines())
    assert report.good > 0


def test_calls_of_the_service(tmp_path: Path) -> None:
    report = service.run(tmp_path / "service", count=200, seed=2026)
    assert report.faults == 0, "\n".join(report.lines())
    assert report.operations == 14
    assert {200, 202, 404, 422} <= report.statuses.keys()


def test_the_judge_of_the_service_sees_a_bug(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("rumiai.service.routes.videos.result_files", broken)
    report = service.run(tmp_path / "service", count=112, seed=2026)
    assert report.statuses.get(500, 0) > 0
    assert any("/videos/{video_id}/files: " in line for line in report.failures), report.failures


def test_the_judge_of_files_sees_what_is_lost(tmp_path: Path) -> None:
    container = files.CONTAINERS[2]
    whole, cut = tmp_path / "whole.mkv", tmp_path / "cut.mkv"
    files.make_clip(container, whole)
    data = whole.read_bytes()
    cut.write_bytes(data[: len(data) * 6 // 10])
    assert files.look(whole, declares_length=True) == files.Held(True, (), files.FRAMES)
    assert files.look(cut, declares_length=True).damage != ()
    told = [{"source": str(path), "status": "ok", "warnings": [], "seconds": 1.0} for path in (whole, cut)]
    named = {"whole": container, "cut": container}
    report = files.judge(tmp_path, named, {"whole"}, told, "Traceback (most recent call last):", True)
    assert [line.split(":")[0] for line in report.wrong] == ["cut"]
    assert len(report.tracebacks) == 1
    assert report.faults == 2


def test_the_judge_of_calls_sees_each_fault() -> None:
    report = calls.CallsReport()
    call = calls.Call((b"submit", b"--json"), {}, "")
    report.add(call, 0, b'{"event": "done"}\n', b"")
    assert report.faults == 0
    report.add(call, 1, b'{"event": "video"}\n', b"Traceback (most recent call last):")
    report.add(calls.Call((b"doctor",), {}, ""), -11, b"", b"")
    assert (len(report.tracebacks), len(report.no_done), len(report.undocumented), len(report.silent)) == (1, 1, 1, 1)
