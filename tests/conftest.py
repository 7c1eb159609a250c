"""What all tests share."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

_DEFAULT_WEIGHTS_DIR = Path.home() / ".cache/rumiai/weights"


@pytest.fixture(scope="session")
def weights() -> Callable[[str], Path]:
    """Where a weights file lies, by the name it has in ``weights.toml``; fails when ``make setup`` has not fetched it."""
    root = Path(os.environ.get("RUMIAI_WEIGHTS_DIR", _DEFAULT_WEIGHTS_DIR))

    def find(name: str) -> Path:
        path = root / name
        if not path.exists():
            pytest.fail(f"{path} is missing: run `make setup`")
        return path

    return find
