"""A run with every service switched off: a page of nulls, each with its reason."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from rumiai.metrics.registry import ANALYSES

from ..conftest import Clip
from .running import orch

# What is said of the data itself, and what is known of every video.
ALWAYS = {"confidence", "videoDuration", "hasAudioEnergy", "duration_seconds"}


def known(value: Any, name: str = "") -> set[str]:
    """Names of everything in a JSON value that is not null."""
    if isinstance(value, dict):
        return {found for key, member in value.items() for found in known(member, key)}
    return set() if value is None else {name}


def test_no_service_is_a_page_of_nulls_with_reasons(clip: Clip, tmp_path: Path) -> None:
    ran = orch("submit", clip.path, "--services", "none", "--out", tmp_path, "--json", "--no-claude")
    assert ran.code == 0, ran.stderr[-2000:]
    (video,) = ran.done["videos"]
    assert (video["status"], video["services"], set(video["analyses"])) == ("ok", {}, set(ANALYSES))
    assert video["skipped"] is False  # there was no earlier run
    for name, analysis in video["analyses"].items():
        assert analysis["confidence"] == 0.0
        complete = json.loads(Path(analysis["files"]["complete"]).read_text())
        blocks = json.loads(Path(analysis["files"]["ml"]).read_text())
        quality = blocks.pop("Quality")
        assert known(blocks) | known(complete["precompute"]) <= ALWAYS, name
        reasons = {missing["reason"] for missing in quality["missingServices"]}
        assert reasons <= {"did not run", "no detector", "not in the metadata"}
        assert "did not run" in reasons
