#!/usr/bin/env python3
"""Make the golden files: a recorded unified analysis, and the markers and seven analyses computed from it.

``python tests/golden/generate.py`` computes ``expected.json.gz`` anew from ``unified.json.gz``: do that when a metric
is meant to change, and read the difference. ``--record`` first analyses the tests' short clip through a real server
and stores its unified analysis.
"""

from __future__ import annotations

import argparse
import gzip
import importlib.util
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import rumiai.services  # noqa: F401 - enters the models of the services
from rumiai.contracts.timeline import UnifiedAnalysis
from rumiai.demo import render
from rumiai.metrics.evidence.build import read_evidence
from rumiai.metrics.registry import ANALYSES, family
from rumiai.timeline.markers import compute_markers

HERE = Path(__file__).resolve().parent
UNIFIED = HERE / "unified.json.gz"
EXPECTED = HERE / "expected.json.gz"


def read(path: Path) -> Any:
    """The JSON of a compressed file."""
    return json.loads(gzip.decompress(path.read_bytes()))


def write(path: Path, value: Any) -> None:
    """Compressed JSON, the same bytes for the same value."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))
    path.write_bytes(gzip.compress(text.encode(), 9, mtime=0))


def computed(unified: dict[str, Any]) -> dict[str, Any]:
    """Markers, blocks and further metrics of a unified analysis."""
    analysis = UnifiedAnalysis.from_dict(unified)
    evidence = read_evidence(analysis)
    families = {name: family(name).compute(evidence) for name in ANALYSES}
    return {
        "markers": compute_markers(analysis),
        "analyses": {
            name: {"blocks": f.blocks_json(), "precompute": f.precompute_json()} for name, f in families.items()
        },
    }


def record() -> dict[str, Any]:
    """Analyse the tests' short clip with an embedded server."""
    spec = importlib.util.spec_from_file_location("conftest", HERE.parent / "conftest.py")
    assert spec is not None
    assert spec.loader is not None
    conftest = importlib.util.module_from_spec(spec)
    sys.modules["conftest"] = conftest
    spec.loader.exec_module(conftest)
    with tempfile.TemporaryDirectory() as folder:
        clip = Path(folder) / "clip.mp4"
        render(conftest.short_spec(), clip)
        command = [sys.executable, "-c", "from rumiai.cli import main; main()", "submit", str(clip), "--no-insights"]
        subprocess.run([*command, "--out", folder], check=True)
        unified: dict[str, Any] = json.loads((Path(folder) / "unified_analysis/clip.json").read_text())
    # Clock times and seconds of work would differ from one recording to the next.
    unified["processing_metadata"] = {}
    return unified


def main() -> None:
    """Write the files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--record", action="store_true", help="analyse the clip again first")
    if parser.parse_args().record:
        write(UNIFIED, record())
    write(EXPECTED, computed(read(UNIFIED)))


if __name__ == "__main__":
    main()
