"""Streams that are closed, full or of another encoding."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys

from rumiai.terminal.streams import printable, write_line

USE = "from rumiai.terminal.streams import prepare_streams, write_line; import os, sys; prepare_streams(); "


def python(code: str, *, redirect: str = "", env: dict[str, str] | None = None) -> tuple[int, bytes, bytes]:
    command = ["bash", "-c", f'exec "$0" -c "$1" {redirect}', sys.executable, USE + code]
    ran = subprocess.run(command, capture_output=True, env={**os.environ, **(env or {})}, timeout=60, check=False)
    return ran.returncode, ran.stdout, ran.stderr


def test_text_is_utf8_in_any_locale_and_odd_bytes_are_escaped() -> None:
    code = r"write_line('caf\u00e9 \udce9', sys.stdout)"
    ascii_only = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    expected = b"caf\xc3\xa9 \\udce9\n"
    assert python(code) == (0, expected, b"")
    assert python(code, env=ascii_only) == (0, expected, b"")


def test_no_file_gets_the_number_of_a_closed_stream() -> None:
    code = "number = os.open(os.devnull, os.O_RDONLY); sys.stdout.write('x'); sys.exit(number)"
    assert python(code, redirect="<&- >&- 2>&-")[0] >= 3


def test_a_full_disk_is_said_once() -> None:
    code = "write_line('a', sys.stdout); write_line('b', sys.stdout)"
    message = b"stdout takes nothing any more (No space left on device); the run goes on, its results are in files\n"
    assert python(code, redirect=">/dev/full") == (0, b"", message)


def test_a_stderr_that_takes_nothing_is_not_the_end() -> None:
    code = "write_line('a', sys.stderr); write_line('b', sys.stdout)"
    assert python(code, redirect="2>/dev/full") == (0, b"b\n", b"")


def test_a_closed_stdin_is_empty() -> None:
    assert python("write_line(repr(sys.stdin.buffer.read()), sys.stdout)", redirect="<&-") == (0, b"b''\n", b"")


def test_control_characters_are_escaped_in_text_and_stay_the_same_in_json() -> None:
    odd = "a\x1b[31m\0\x7f\x9b\r tab\t caf\u00e9 \U0001f600\nb"
    assert printable(odd) == "a\\u001b[31m\\u0000\\u007f\\u009b\\u000d tab\t caf\u00e9 \U0001f600\nb"
    assert json.loads(printable(json.dumps(odd, ensure_ascii=False))) == odd
    stream = io.StringIO()
    write_line(odd, stream)
    write_line("\x1b[32mok\x1b[0m", stream, styled=True)
    assert stream.getvalue() == f"{printable(odd)}\n\x1b[32mok\x1b[0m\n"
