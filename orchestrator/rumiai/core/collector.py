"""Python's garbage collector while millions of small objects are made that are no garbage."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator


@contextlib.contextmanager
def collector_paused() -> Iterator[None]:
    """No collection in the block: each would go through all objects made so far, which takes longer than making them.

    It is on again at the end when it was on before; threads may be in such blocks at the same time.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
