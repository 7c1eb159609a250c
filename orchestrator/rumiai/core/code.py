"""What code a result was made by: a digest of the sources, so that nobody has to remember to raise a version.

Results of earlier runs are kept only while the code that made them is the same. A changed rule, word list or threshold
in any file of these rooms makes another digest, and what it made is made again.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import Final

_PACKAGE: Final = Path(__file__).resolve().parents[1]
# What a service's data comes from, and what analyses come from beside it; a test holds both against the imports.
SERVICE_ROOMS: Final = ("contracts", "core", "inference", "media", "people", "perception", "services")
ANALYSIS_ROOMS: Final = (*SERVICE_ROOMS, "metrics", "timeline")
# The model server of the same installation; the orchestrator does not import it.
_SERVER: Final = "rumiai_server"


@functools.cache
def services_code() -> str:
    """Digest of what makes the services' data: these rooms, and the model server where it is installed beside."""
    return digest_of([*(_PACKAGE / room for room in SERVICE_ROOMS), *_server_folders()])


@functools.cache
def analyses_code() -> str:
    """Digest of what makes timeline, markers and analyses of the services' data."""
    return digest_of(_PACKAGE / room for room in ANALYSIS_ROOMS)


def _server_folders() -> list[Path]:
    """The server and its adapters: ``model_repository/`` lies inside its package, or beside it in a checkout."""
    spec = find_spec(_SERVER)
    found = [Path(folder) for folder in (spec.submodule_search_locations or ())] if spec is not None else []
    beside = [folder.parents[1] / "model_repository" for folder in found]
    return [folder for folder in (*found, *beside) if folder.is_dir()]


def digest_of(folders: Iterable[Path]) -> str:
    """Digest of everything in some folders but what Python compiles.

    Args:
        folders: Read with all folders below them.

    Returns:
        16 hexadecimal digits; the same for the same relative paths and contents, wherever the folders lie.
    """
    found = hashlib.sha256()
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                name = f"{folder.name}/{path.relative_to(folder).as_posix()}"
                found.update(f"{name}\0{path.stat().st_size}\0".encode())
                found.update(path.read_bytes())
    return found.hexdigest()[:16]
