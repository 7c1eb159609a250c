"""A block that is filled with a wrong, missing or mistyped field does not pass the type checker."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[4]
SNIPPET = """
from rumiai.metrics.creative_density.blocks import Blocks, DeadZone, DensityShift, Interactions

def shares(blocks: Blocks) -> float | None:
    return blocks.core_metrics.timeline_coverage

right = DensityShift(timestamp=1.0, from_="low", to="high", magnitude=0.5)
DeadZone(start=0.0, end=1.0, duration=1.0, lenght=1.0)
DeadZone(start=0.0, end=1.0)
DeadZone(start=0.0, end="late", duration=1.0)
DensityShift(timestamp=1.0, from_="low", to="tall", magnitude=0.5)
Interactions(
    multi_modal_peaks=None, elementCooccurrence=None, dominant_combination=None, coordination_score=None
)

def coverage(blocks: Blocks) -> object:
    return blocks.core_metrics.timeline_covrage
"""


def test_a_wrong_field_name_does_not_type_check() -> None:
    options = ["--config-file=", "--strict", "--explicit-package-bases", "--follow-imports=silent"]
    environment = {**os.environ, "MYPYPATH": str(ROOT / "orchestrator")}
    done = subprocess.run(
        [sys.executable, "-m", "mypy", *options, "-c", SNIPPET],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    found = {tuple(line.split(":", 2)[1:]) for line in done.stdout.splitlines() if ": error:" in line}
    messages = [
        (8, 'Unexpected keyword argument "lenght" for "DeadZone"'),
        (9, 'Missing named argument "duration" for "DeadZone"'),
        (10, 'Argument "end" to "DeadZone" has incompatible type "str"; expected "float"'),
        (11, 'Argument "to" to "DensityShift" has incompatible type'),
        (12, 'Unexpected keyword argument "elementCooccurrence" for "Interactions"'),
        (17, '"CoreMetrics" has no attribute "timeline_covrage"'),
    ]
    for line, message in messages:
        assert any(int(at) == line and message in text for at, text in found), (line, done.stdout, done.stderr)
    assert {int(at) for at, _ in found} == {line for line, _ in messages}, done.stdout
