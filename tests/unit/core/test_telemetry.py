"""The switches are set before any library is imported, in every program."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from rumiai.core.telemetry import VARIABLES, switch_off


def test_what_was_set_otherwise_is_set_right() -> None:
    environment = {"ORT_DISABLE_TELEMETRY": "0", "LANG": "C"}
    switch_off(environment)
    assert environment == {"LANG": "C", **VARIABLES}


_FIRST = """
import os, sys
class Watch:
    def find_spec(self, name, path=None, target=None):
        if name in ("onnxruntime", "ultralytics", "huggingface_hub", "mediapipe", "ray"):
            print(name, os.environ.get("ORT_DISABLE_TELEMETRY"), os.environ.get("YOLO_OFFLINE"))
sys.meta_path.insert(0, Watch())
import {module}
print("imported", os.environ["ORT_DISABLE_TELEMETRY"], os.environ["HF_HUB_OFFLINE"])
"""


@pytest.mark.parametrize(
    "module",
    [
        "rumiai.cli",
        "rumiai.run.worker",
        "rumiai_server.cli",
        "rumiai_server.adapter",
        "rumiai_server.engines.yolo.engine",
        "rumiai_server.engines.whisper.ctranslate2",
    ],
)
def test_the_switches_come_before_the_libraries(module: str) -> None:
    environment = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    done = subprocess.run(
        [sys.executable, "-c", _FIRST.format(module=module)],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    *imports, last = done.stdout.splitlines()
    assert last == "imported 1 1"
    assert all(line.endswith(" 1 true") for line in imports), imports
