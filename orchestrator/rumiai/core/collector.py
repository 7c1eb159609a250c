"""Pause Python's garbage collector while a large file is read into millions of objects."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator


@contextlib.contextmanager
def collector_paused() -> Iterator[None]:
    """Collect no garbage inside the block, where each collection would visit all objects made so far.

    It is on again at the end when it was on before; threads may be in such blocks at the same time.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
