"""Rows of a CSV text, read strictly: a quote that is not closed is an error, and swallows no rows."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from io import StringIO
from typing import Final

from rumiai.errors import SourceError

# Characters of a cell.
MAX_CELL: Final = 2**20
_DELIMITERS: Final = (",", ";", "\t")
# Characters of a first line that is looked at.
_HEADER_CHARS: Final = 2**16

_LooksLikeARow = Callable[[Sequence[str], Sequence[str]], bool]


def delimiter_of(text: str, names: Collection[str]) -> str | None:
    """What divides the columns of a table; None when this is no table with one of the columns ``names``."""
    header = text.lstrip().partition("\n")[0].strip()[:_HEADER_CHARS]
    for delimiter in _DELIMITERS:
        if {*names} & {cell.strip() for cell in next(csv.reader([header], delimiter=delimiter), [])}:
            return delimiter
    return None


def table(
    text: str, delimiter: str, name: str, looks_like_a_row: _LooksLikeARow
) -> Iterator[tuple[int, list[str] | str]]:
    """The rows, the header first, each with the line where it begins; for one that cannot be read, why.

    Args:
        text: Of the file.
        delimiter: Between cells.
        name: What messages call the list.
        looks_like_a_row: Whether the cells of a line within a cell, given the header's, are those of a row.

    Raises:
        SourceError: A quote is opened and not closed: which rows there are is not known.
    """
    csv.field_size_limit(MAX_CELL)  # the only way that csv has
    plain = text.lstrip()
    before = text[: len(text) - len(plain)].count("\n")
    lines = StringIO(plain, newline="").readlines()
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    header: list[str] = []
    while (begin := reader.line_num) < len(lines):
        try:
            cells = next(reader)
        except csv.Error as exc:
            if reader.line_num - begin > 1 or "end of data" in str(exc):
                raise _unclosed(lines[begin : reader.line_num], delimiter, name, before + begin) from exc
            yield before + begin + 1, _why(exc)
            continue
        if any("\n" in cell and _swallowed(cell, delimiter, header, looks_like_a_row) for cell in cells):
            raise _unclosed(lines[begin : reader.line_num], delimiter, name, before + begin)
        header = header or cells
        if any(cell.strip() for cell in cells):
            yield before + begin + 1, cells


def _why(exc: csv.Error) -> str:
    if "field larger" in str(exc):
        return f"a cell has more than {MAX_CELL} characters"
    return 'a quote stands within a cell that is quoted: write it twice, as in "say ""hi"""'


def _swallowed(cell: str, delimiter: str, header: Sequence[str], looks_like_a_row: _LooksLikeARow) -> bool:
    """Whether all lines of a cell but the first look like rows; of the last it may be the beginning."""
    inner = [found for found in csv.reader(cell.splitlines()[1:], delimiter=delimiter) if found]
    whole = all(len(found) == len(header) for found in inner[:-1])
    return bool(inner) and whole and all(looks_like_a_row(header, found) for found in inner)


def _unclosed(lines: Sequence[str], delimiter: str, name: str, before: int) -> SourceError:
    line = before + 1 + _opens(lines, delimiter)
    return SourceError(
        f"{name}, line {line}: a quote is opened here and not closed, and the lines after it are read as its text",
        hint='close it, and write a quote within a quoted cell twice, as in "say ""hi"""',
    )


def _opens(lines: Sequence[str], delimiter: str) -> int:
    """In which of these lines the cell begins whose quote is not closed; of closed ones, that of the most lines."""
    text = "".join(lines)
    quoted = re.compile(rf'(?<![^{re.escape(delimiter)}\r\n])"[^"]*+(?:""[^"]*+)*+("?)')
    opened = max(quoted.finditer(text), key=lambda cell: (not cell[1], cell[0].count("\n")), default=None)
    return text.count("\n", 0, opened.start()) if opened else 0
