"""Triton's log lines as records of Python's logging."""

from __future__ import annotations

import io
import logging
import re
from typing import Final

LOG = logging.getLogger("rumiai_server.triton")

_LEVELS: Final = {"I": logging.DEBUG, "W": logging.WARNING, "E": logging.ERROR, "F": logging.CRITICAL}
# I1122 17:57:52.498588 9849 python_be.cc:2249] "text"
_LINE: Final = re.compile(r"(?P<level>[IWEF])\d{4} [\d:.]+ \d+ (?P<where>[\w.]+:\d+)\] ?(?P<text>.*)")
# Logged at every start on a machine without a GPU, where it is no warning. With a GPU it may be one.
_NO_GPU: Final = re.compile(
    r"DCGM|NVML|Unable to allocate pinned|failed to get|CUDA memory pool|pinned memory|CudaDriverHelper", re.IGNORECASE
)


class TritonLog(io.TextIOBase):
    """A text stream whose lines become log records; Triton's information is our debug level.

    Args:
        on_gpu: Whether the models run on a GPU. Without one, messages about CUDA are logged at debug level.
    """

    def __init__(self, *, on_gpu: bool) -> None:
        super().__init__()
        self._quiet = None if on_gpu else _NO_GPU
        self._rest = ""
        self._level = logging.INFO

    def writable(self) -> bool:
        """Always."""
        return True

    def write(self, text: str) -> int:
        """Take text in pieces of any size."""
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            self._log(line.rstrip())
        return len(text)

    def _log(self, line: str) -> None:
        if match := _LINE.match(line):
            self._level = _LEVELS[match["level"]]
            line = f"{match['where']}: {match['text']}"
        if self._quiet is not None and self._quiet.search(line):
            LOG.debug("%s", line)
        elif line:
            LOG.log(self._level, "%s", line)
