"""Standard streams: opened where they are closed, UTF-8 in any locale; a failing write does not end a run."""

from __future__ import annotations

import io
import os
import re
import sys
from typing import Final, TextIO

_STANDARD: Final = range(3)
# C0 without tab and line feed, DEL, and C1.
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def prepare_streams() -> None:
    """Open closed standard streams and set their encoding.

    A closed one leads to ``/dev/null``; otherwise the next file that is opened would have its number, and what a child
    prints would go there. A byte of a file name that is not UTF-8 is escaped, in JSON as JSON has it.
    """
    for number in _STANDARD:
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest free number, which is this one
    # The type checker takes them for always there; the interpreter sets None for a stream that was closed at its start.
    streams: list[TextIO | None] = [sys.stdin, sys.stdout, sys.stderr]
    if streams[0] is None:
        sys.stdin = os.fdopen(0, "r", encoding="utf-8", closefd=False)
    if streams[1] is None:
        sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    if streams[2] is None:
        sys.stderr = os.fdopen(2, "w", encoding="utf-8", closefd=False)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def printable(text: str) -> str:
    """A text with its control characters as JSON writes them, but line ends and tabs: a name must not steer a terminal.

    In a JSON string the escaped form is the same character.
    """
    return _CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def write_line(text: str, stream: TextIO, *, styled: bool = False) -> None:
    """Write a line and flush it.

    When the stream takes nothing any more (its reader has gone, the disk is full), that is said once on stderr, and
    what follows is dropped: results are files, and the videos that are left are analysed all the same.

    Args:
        text: Without the line's end.
        stream: ``sys.stdout`` or ``sys.stderr``.
        styled: Whether it holds colours of our own, and is :func:`printable` elsewhere.
    """
    try:
        stream.write(f"{text if styled else printable(text)}\n")
        stream.flush()
    except OSError as exc:
        _drop(stream, exc)


def _drop(stream: TextIO, reason: OSError) -> None:
    """Redirect a stream, with what is in its buffer, to ``/dev/null``."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, stream.fileno())
    os.close(null)
    if stream is not sys.stderr:
        message = f"stdout takes nothing any more ({reason.strerror}); the run goes on, its results are in files"
        write_line(message, sys.stderr)
