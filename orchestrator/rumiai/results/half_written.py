"""Temporary files of writers that were killed, in folders that several runs write to."""

from __future__ import annotations

import contextlib
import re
import time
from pathlib import Path
from typing import Final

from rumiai.core.processes import ProcessIdentity

# ``.NAME.PID.tmp``, as ``core/files.py`` calls what it has not finished.
_TEMPORARY: Final = re.compile(r"\..+\.(\d+)\.tmp")
# A write takes milliseconds. A writer in another container, whose pid says nothing here, has this long.
_AGE_S: Final = 60.0


def remove_half_written(folder: Path) -> None:
    """Remove what killed processes have left half written in a folder and below; what may still be written stays.

    Args:
        folder: It need not exist.
    """
    for path in folder.rglob(".*.tmp"):
        found = _TEMPORARY.fullmatch(path.name)
        with contextlib.suppress(OSError):  # another run removes it too
            if found and ProcessIdentity.of(int(found[1])) is None and time.time() - path.lstat().st_mtime > _AGE_S:
                path.unlink()
