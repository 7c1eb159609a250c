"""The private folder of one server: its models, its backend, what its processes import and write."""

from __future__ import annotations

import contextlib
import importlib.util
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import rumiai
import rumiai_server
from rumiai.core.processes import ProcessIdentity
from rumiai.errors import ServerError

# Followed by the identity of the launcher, so that a later start can remove the folder of one that was killed.
WORKSPACE_PREFIX: Final = "rumiai-serve-"


@dataclass(frozen=True)
class TritonFiles:
    """Where the wheel ``nvidia-pytriton`` keeps Triton.

    Attributes:
        program: The server.
        backend: The Python backend.
        stub: The program of a model process, of this Python's version.
        libraries: Shared libraries of all three.
    """

    program: Path
    backend: Path
    stub: Path
    libraries: Path

    @classmethod
    def find(cls) -> TritonFiles:
        """Look the wheel up; it is not imported, which would take a second.

        Raises:
            ServerError: It is not installed, or not for this Python.
        """
        spec = importlib.util.find_spec("pytriton")
        places = spec.submodule_search_locations if spec else None
        if not places:
            raise ServerError("Triton is not installed", hint='pip install "rumiai[server]"')
        package = Path(places[0])
        root = package / "tritonserver"
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        stub = root / "python_backend_stubs" / version / "triton_python_backend_stub"
        found = cls(root / "bin/tritonserver", root / "backends/python", stub, package.parent / "nvidia_pytriton.libs")
        for path in (found.program, found.backend, found.stub):
            if not path.exists():
                raise ServerError(f"Triton's wheel lacks {path}", hint="reinstall nvidia-pytriton for this Python")
        return found


@dataclass(frozen=True)
class Workspace:
    """Paths inside the folder, which only its user may enter."""

    root: Path

    @property
    def models(self) -> Path:
        """The runtime repository."""
        return self.root / "models"

    @property
    def backends(self) -> Path:
        """Triton's backend folder: the Python backend with the stub beside it."""
        return self.root / "backends"

    @property
    def packages(self) -> Path:
        """Working directory of the model processes, which comes first on their ``sys.path``.

        It holds the very packages that the launcher runs from, since Triton's stub ignores ``PYTHONPATH``. In a user's
        folder a file named like a module would be imported.
        """
        return self.root / "packages"

    @property
    def settings(self) -> Path:
        """Where libraries keep their settings."""
        return self.root / "settings"

    @property
    def temporary(self) -> Path:
        """``TMPDIR`` of the server's processes."""
        return self.root / "tmp"


@contextlib.contextmanager
def workspace(owner: ProcessIdentity, files: TritonFiles) -> Iterator[Workspace]:
    """Make the folder, mode 0700, and remove it at the end; ``models`` is left to be filled."""
    space = Workspace(Path(tempfile.mkdtemp(prefix=f"{WORKSPACE_PREFIX}{owner}-")))
    try:
        for folder in (space.models, space.packages, space.settings, space.temporary):
            folder.mkdir()
        backend = space.backends / "python"
        backend.mkdir(parents=True)
        for source in (*files.backend.iterdir(), files.stub):
            (backend / source.name).symlink_to(source)
        for package in (rumiai, rumiai_server):
            (space.packages / package.__name__).symlink_to(Path(package.__path__[0]).resolve())
        yield space
    finally:
        shutil.rmtree(space.root, ignore_errors=True)
