"""docs/endpoints.md: its examples run, and its tables are the contract's."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import wave
from pathlib import Path

import cv2
import numpy as np
import pytest

from rumiai.contracts import tensors
from rumiai.contracts.server_events import ServerReady
from rumiai.contracts.tensors import ENDPOINTS, WHISPER
from rumiai.contracts.transcript import Transcript, TranscriptSegment, TranscriptWord
from rumiai_server.address import server_file
from rumiai_server.engines.ocr.engine import OcrParams
from rumiai_server.engines.yolo.engine import YoloParams

from .calling import bus, caption, speech

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs/endpoints.md").read_text(encoding="utf-8")
# What each Python example prints, in the order of the page.
PRINTS = [
    r"(?s)frame 0: class 5 at \[.*frame 1: class 5 at \[",
    r"en \['And so,? my fellow Americans",
    r"'?(WAIT|wait)",
    r"^\d+ objects",
]


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


def section(title: str) -> str:
    return re.split(r"^## ", TEXT.partition(f"\n## {title}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The files that the examples open: a bus below a caption, and Kennedy."""
    top = cv2.resize(caption(), (810, 270))
    cv2.imwrite(str(tmp_path / "frame.jpg"), np.concatenate([top, bus()])[..., ::-1])
    with wave.open(str(tmp_path / "speech.wav"), "wb") as track:
        track.setnchannels(1)
        track.setsampwidth(2)
        track.setframerate(16_000)
        track.writeframes((np.clip(speech()[0], -1, 1) * 32767).astype(np.int16).tobytes())
    return tmp_path


def at_the_ports_of(server, text: str) -> str:
    text = text.replace("127.0.0.1:8001", server.grpc).replace("127.0.0.1:8000", server.http)
    return text.replace("http://127.0.0.1:8002/metrics", server.metrics).replace(
        '"8001.json"', f'"{server.grpc.rpartition(":")[2]}.json"'
    )


@pytest.mark.server
@pytest.mark.parametrize("number", range(len(PRINTS)))
def test_python_examples(triton_server, folder, number):
    assert len(blocks("python")) == len(PRINTS)
    program = at_the_ports_of(triton_server, blocks("python")[number])
    before = set(Path("/dev/shm").glob("example-*"))
    done = subprocess.run(
        [sys.executable, "-W", "error::ResourceWarning", "-c", program],
        cwd=folder,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert re.search(PRINTS[number], done.stdout), done.stdout
    assert set(Path("/dev/shm").glob("example-*")) <= before


@pytest.mark.server
@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl on this machine")
def test_curl_examples(triton_server):
    [block] = blocks("sh")
    lines = at_the_ports_of(triton_server, block).splitlines()
    answers = [subprocess.run(line.split(), capture_output=True, text=True, check=True).stdout for line in lines]
    assert answers[:3] == [""] * 3
    assert '"datatype":"UINT8"' in answers[3]
    assert "nv_inference_exec_count" in answers[4]


@pytest.mark.server
def test_the_server_file_is_where_the_page_says(triton_server):
    path = server_file(int(triton_server.grpc.rpartition(":")[2]))
    assert path.is_file()
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    assert path.parent == (Path(runtime) / "rumiai" if runtime else Path.home() / ".cache/rumiai/run")


@pytest.mark.parametrize("spec", ENDPOINTS.values(), ids=list(ENDPOINTS))
def test_tensor_tables(spec):
    rows = re.findall(r"^\| (in|out) `(\w+)` \| (\w+) \| \(([^)]*)\) \|", section(spec.model), re.MULTILINE)
    wanted = [("in", tensor) for tensor in spec.inputs] + [("out", tensor) for tensor in spec.outputs]
    assert [(way, name, dtype) for way, name, dtype, _ in rows] == [(way, t.name, t.dtype) for way, t in wanted]
    for (_, tensor), (*_, shape) in zip(wanted, rows, strict=True):
        leading, *dims = shape.split(", ")
        assert leading == ("1" if spec is WHISPER else "n")
        assert [int(dim) if dim.isdecimal() else -1 for dim in dims] == list(tensor.dims)


@pytest.mark.parametrize("spec", ENDPOINTS.values(), ids=list(ENDPOINTS))
def test_parameter_tables(spec):
    rows = dict(re.findall(r"^\| `([a-z_]+)` \| ([^|]+?) \| [^|]*\|$", section(spec.model), re.MULTILINE))
    assert set(spec.parameters) <= set(rows)
    defaults = {"yolo": YoloParams(), "ocr": OcrParams()}.get(spec.model)
    for name in set(spec.parameters) - {"engine", "mode"} if defaults else ():
        assert float(rows[name]) == getattr(defaults, name)


def test_transcript_members():
    documented = re.findall(r"^\| (`[a-z_]+`(?:, `[a-z_]+`)*) \|", section("whisper"), re.MULTILINE)
    names = {name for row in documented for name in re.findall(r"`(\w+)`", row)}
    assert names == {*WHISPER.parameters, *Transcript.__dataclass_fields__, *TranscriptSegment.__dataclass_fields__}
    assert all(f"`{name}`" in section("whisper") for name in TranscriptWord.__dataclass_fields__)


def test_limits():
    limits = section("Limits")
    longest = int(tensors.MAX_AUDIO_S * tensors.AUDIO_SAMPLE_RATE_HZ)
    for value in (
        f"{tensors.MIN_IMAGE_SIDE_PX}..{tensors.MAX_IMAGE_SIDE_PX} px",
        f"1..{tensors.MAX_IMAGES_PER_REQUEST}",
        f"{tensors.MAX_REQUEST_BYTES} bytes",
        f"1..{longest}",
    ):
        assert value in limits
    assert tensors.ACCESS_TOKEN_HEADER in TEXT


def test_members_of_the_first_event():
    (named,) = re.findall(r"every model has\nanswered a trial request: (.*?);", TEXT, re.DOTALL)
    assert re.findall(r"`(\w+)`", named) == list(ServerReady.model_fields)


def test_what_the_security_page_calls_upon_is_there():
    page = (ROOT / "docs/security.md").read_text(encoding="utf-8")
    tests = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    named = re.findall(r"`(test_\w+)`", page)
    assert len(named) >= 5
    assert [name for name in named if f"def {name}(" not in tests] == []
    assert [path for path in re.findall(r"`(tests/[\w/]+\.py)`", page) if not (ROOT / path).is_file()] == []
