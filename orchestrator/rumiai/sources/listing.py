"""The videos of a run: those of its arguments, of a list with what is known of each, and metadata beside them."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from rumiai.core.foreign_json import read_foreign
from rumiai.errors import ConfigurationError, RumiAIError, SourceError
from rumiai.sources.base import Access, FetchedVideo, Source, SourceItem
from rumiai.sources.manifest import Row, read_file, read_rows
from rumiai.sources.registry import list_each, list_items
from rumiai.sources.web import is_web, location_of

LOG = logging.getLogger(__name__)

STDIN: Final = "-"
_SHOWN: Final = 3


@dataclass(frozen=True)
class Named:
    """What the user named.

    Attributes:
        texts: What sources accept; ``-`` is a list on standard input.
        manifest: Path of a list with metadata, or ``-``; empty for none.
        metadata: Path of metadata of videos that are named elsewhere; empty for none.
    """

    texts: Sequence[str] = ()
    manifest: str = ""
    metadata: str = ""

    @property
    def shown(self) -> list[str]:
        """The arguments and the list's path, as they may be shown and stored: without what signs an address."""
        texts = [location_of(text) if is_web(text) else text for text in self.texts]
        return [*texts, *([self.manifest] if self.manifest else [])]


@dataclass(frozen=True)
class UnlistedEntry(SourceItem):
    """An entry of a list that cannot be used; ``address`` says why.

    Attributes:
        kind: Of the error.
    """

    kind: type[RumiAIError] = field(default=SourceError, compare=False)


class UnlistedSource(Source):
    """Stands for an entry of a list that cannot be used: it fails as a video does, and the others go on."""

    name = "unlisted"
    ahead = True

    def accepts(self, text: str) -> bool:
        """Nothing that a user names."""
        return False

    def list(self, text: str) -> Sequence[SourceItem]:
        """Nothing.

        Raises:
            SourceError: Always.
        """
        raise SourceError(f"{text} stands for no video")

    def fetch(self, item: SourceItem, folder: Path) -> FetchedVideo:
        """What is wrong with the entry.

        Raises:
            RumiAIError: Always.
        """
        raise (item.kind if isinstance(item, UnlistedEntry) else SourceError)(item.address)


def list_named(named: Named, access: Access | None = None) -> list[SourceItem]:
    """The videos that the user named, each once, in their order.

    An entry of a list that cannot be used becomes an item that fails; an argument that cannot be used ends the run.

    Args:
        named: What the user named.
        access: For sources that reach beyond this machine.

    Raises:
        SourceError: An argument stands for nothing, a list cannot be read or has no entry that can be used.
        ConfigurationError: Standard input is asked for twice.
        RumiAIError: What all entries need is missing: a token, a service.
    """
    if [*named.texts, named.manifest, named.metadata].count(STDIN) > 1:
        raise ConfigurationError("- (standard input) is given twice", hint="it can be read once")
    rows = [row for name in _lists(named) for row in _rows_of(name)]
    texts = [text for text in named.texts if text != STDIN]
    items = list_items(texts, access) if texts or not rows else []
    items += items_of_rows(rows, access)
    return _with_metadata(_each_once(items), named.metadata)


def items_of_rows(rows: Iterable[Row], access: Access | None = None) -> list[SourceItem]:
    """The videos of a list; what cannot be used becomes an item that fails.

    Raises:
        RumiAIError: No row can be used; of the kind that they share.
    """
    rows, items, problems = list(rows), list[SourceItem](), list[RumiAIError]()
    usable = [row for row in rows if row.text and not row.problem]
    # All at once: a source may ask a service once for all of them.
    found = dict(zip(map(id, usable), list_each([row.text for row in usable], access), strict=True))
    for row in rows:
        try:
            items += _items_of(row, found.get(id(row)))
        except RumiAIError as exc:
            problems.append(type(exc)(f"{row.place}: {exc}"))
            items.append(_unlisted(row, problems[-1]))
    if rows and len(problems) == len(rows):
        raise _none_usable(problems)
    for problem in problems:
        LOG.warning("%s", problem)
    return items


def _none_usable(problems: Sequence[RumiAIError]) -> RumiAIError:
    kinds = {type(problem) for problem in problems}
    more = f"; and {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
    first = "; ".join(str(problem) for problem in problems[:_SHOWN])
    return (kinds.pop() if len(kinds) == 1 else SourceError)(f"no entry can be used: {first}{more}")


def _lists(named: Named) -> list[str]:
    return [*([named.manifest] if named.manifest else []), *([STDIN] if STDIN in named.texts else [])]


def _rows_of(path: str) -> list[Row]:
    if path == STDIN:
        return read_rows(sys.stdin.buffer.read(), "standard input", None, names_alone=True)
    folder = Path(path).parent.resolve()
    return read_rows(read_file(path), path, folder, names_alone=path.endswith(".txt"))


def _items_of(row: Row, items: Sequence[SourceItem] | RumiAIError | None) -> Sequence[SourceItem]:
    if row.problem:
        raise SourceError(row.problem)
    if items is None:
        raise SourceError("no source", hint="a row names a file or an address under source")
    if isinstance(items, RumiAIError):
        raise items
    is_of_one = row.video_id or row.metadata or row.language
    if is_of_one and len(items) > 1:
        raise SourceError(f"{row.text} stands for {len(items)} videos, and the row describes one")
    return [
        replace(
            item,
            stem=row.video_id or item.stem,
            metadata=row.metadata and replace(row.metadata, video_id=row.video_id or item.stem),
            language=row.language,
        )
        if is_of_one
        else item
        for item in items
    ]


def _unlisted(row: Row, problem: RumiAIError) -> SourceItem:
    stem = row.video_id or row.place.rpartition("/")[2].replace(", ", "_").replace(" ", "_")
    return UnlistedEntry(UnlistedSource.name, row.place, stem, address=str(problem), kind=type(problem))


def _each_once(items: Iterable[SourceItem]) -> list[SourceItem]:
    found: dict[tuple[str, str], SourceItem] = {}
    for item in items:
        first = found.setdefault((item.source, item.location), item)
        if first is not item and (first.stem, first.metadata, first.language) != (
            item.stem,
            item.metadata,
            item.language,
        ):
            LOG.warning("%s is named twice, and described in two ways: the first counts", item.location)
    return list(found.values())


def _with_metadata(items: list[SourceItem], path: str) -> list[SourceItem]:
    """The items with what a file says of them, by their ids or addresses; of one video, whatever the file calls it."""
    if not path:
        return items
    content = sys.stdin.buffer.read() if path == STDIN else read_file(path)
    rows = _described(content, path)
    if len(rows) == 1 and len(items) == 1:
        return [_described_by(items[0], rows[0])]
    by_name = {name: row for row in rows for name in (row.text, row.video_id) if name}
    found = {item: by_name.get(item.stem) or by_name.get(item.location) for item in items}
    used = {row.place for row in found.values() if row is not None}
    if not used:
        raise SourceError(f"{path} describes none of the videos", hint="each entry needs the id or the source of one")
    if left := [row.video_id or row.text or row.place for row in rows if row.place not in used]:
        first = ", ".join(left[:_SHOWN]) + (", ..." if len(left) > _SHOWN else "")
        LOG.warning("%s: %d entries describe videos that are not in this run: %s", path, len(left), first)
    return [_described_by(item, row) if row else item for item, row in found.items()]


def _described(content: bytes, path: str) -> list[Row]:
    """The entries of a file with metadata; every one must be readable."""
    text = content.decode("utf-8-sig", errors="replace").strip()
    if text.startswith("{") and "\n" in text:
        content = _in_one_line(content)
    rows = read_rows(content, path, None)
    if problem := next((row for row in rows if row.problem), None):
        raise SourceError(f"{problem.place}: {problem.problem}")
    return rows


def _in_one_line(content: bytes) -> bytes:
    """An object that is spread over lines, in one; JSON lines stay."""
    try:
        return json.dumps(read_foreign(content)).encode()
    except ValueError:
        return content


def _described_by(item: SourceItem, row: Row) -> SourceItem:
    if row.metadata is None:
        return replace(item, language=row.language or item.language)
    told = replace(row.metadata, video_id=item.stem).completed(item.metadata)
    return replace(item, metadata=told, language=row.language or item.language)
