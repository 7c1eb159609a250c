"""The wheel carries what the programs need besides code, and nothing that would shadow another package."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    target = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir"]
    subprocess.run([*command, str(target), str(ROOT)], check=True, capture_output=True, cwd=target)
    (wheel,) = target.glob("rumiai-*.whl")
    return set(zipfile.ZipFile(wheel).namelist())


@pytest.mark.parametrize("source", ["model_repository", "prompt_templates"])
def test_data_folders_are_in_it(source: str, names: set[str]) -> None:
    package = {"model_repository": "rumiai_server", "prompt_templates": "rumiai"}[source]
    files = [p for p in (ROOT / source).rglob("*") if p.is_file() and "__pycache__" not in p.parts]
    assert files
    for path in files:
        assert f"{package}/{path.relative_to(ROOT)}" in names


def test_only_our_two_packages_are_in_it(names: set[str]) -> None:
    tops = {name.split("/")[0] for name in names if ".dist-info" not in name}
    assert tops == {"rumiai", "rumiai_server"}
    assert "rumiai/weights/weights.toml" in names
    assert any(name.endswith("/licenses/LICENSE") for name in names)
