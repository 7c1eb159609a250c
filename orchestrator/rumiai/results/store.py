"""Every path that RumiAI writes, and every write.

Nothing else builds a path from outside text or opens a file for writing. A file is written beside its place, fsynced
and renamed: a reader finds the old one or the new one, never half of one. ``Store`` gives the paths of one output
folder.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import logging
import os
import re
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rumiai.contracts.metadata import VideoMetadata
from rumiai.core.collector import collector_paused
from rumiai.core.files import written_whole
from rumiai.errors import StoreError
from rumiai.services.base import AnyService
from rumiai.services.registry import all_services
from rumiai.sources.base import SourceItem

LOG = logging.getLogger("rumiai")

_UNSAFE: Final = re.compile(r"[^A-Za-z0-9._-]")
# Longer names break file systems and readers' eyes; the rest of a file name comes on top.
_ID_CHARS: Final = 100
_HASH_CHARS: Final = 8
# Of a path in a message: what is longer is no use to a reader.
_SHOWN_CHARS: Final = 200
# The workers of a run that was killed end within a second; until then they hold their videos.
_LOCK_WAIT_S: Final = 3.0
_LOCK_POLL_S: Final = 0.1


def safe_id(raw: str) -> tuple[str, bool]:
    """An id that can be a file name, and whether it had to be changed.

    Characters outside ``[A-Za-z0-9._-]`` and a leading dot become ``_``; cut to 100 characters.
    """
    clean = _UNSAFE.sub("_", raw)
    if clean.startswith("."):
        clean = "_" + clean[1:]
    clean = clean[:_ID_CHARS]
    return clean, clean != raw


@dataclass(frozen=True)
class KnownInput:
    """Which video an id stands for in an ``--out`` folder.

    Attributes:
        location: Where it was when it was first analysed.
        digest: Hex digits of its content.
        metadata: What the user said of it then; None for nothing.
        language: That the user said is spoken in it; empty for nothing.
    """

    location: str
    digest: str
    metadata: VideoMetadata | None = None
    language: str = ""

    def to_json(self) -> dict[str, Any]:
        """JSON form; what the user did not say is left out."""
        told = {"metadata": self.metadata.needed().to_dict()} if self.metadata else {}
        spoken = {"language": self.language} if self.language else {}
        return {"location": self.location, "digest": self.digest, **told, **spoken}


def assign_ids(
    items: Sequence[SourceItem],
    digest: Callable[[SourceItem], str],
    known: Callable[[str], KnownInput | None] = lambda video_id: None,
) -> dict[SourceItem, str]:
    """One id for each input of a run.

    The item's stem, made safe. ``_`` and the first 8 digits of its digest (for a file the sha256 of its content) follow
    when the stem had to be changed, when two inputs would have the same id (then both get them), or when the folder
    knows the id as another video's; an empty stem gives the digits alone. An input that the folder knows keeps its id,
    whatever else the run is given. Inputs with the same stem and the same digest are the same video and share an id.

    Args:
        items: The inputs.
        digest: Hex digits of an item, at least 8.
        known: What the folder knows of an id; None for a new one.
    """
    groups: dict[str, list[SourceItem]] = {}
    for item in items:
        groups.setdefault(safe_id(item.stem)[0].lower(), []).append(item)
    out: dict[SourceItem, str] = {}
    for group in groups.values():
        digests = {item: digest(item) for item in group}
        for item in group:
            out[item] = _id_of(item, digests, known)
    return {item: out[item] for item in items}


def _id_of(item: SourceItem, digests: Mapping[SourceItem, str], known: Callable[[str], KnownInput | None]) -> str:
    """The id of one of the items whose stems give the same id."""
    base, changed = safe_id(item.stem)
    digits = digests[item][:_HASH_CHARS]
    if not base:
        return digits
    long = f"{base[: _ID_CHARS - _HASH_CHARS - 1]}_{digits}"
    if changed:
        return long
    owner = known(base)
    if owner is not None:
        # A file that was changed where it lies is the same video, unless its old content is an input too.
        is_changed = owner.location == item.location and owner.digest not in digests.values()
        return base if owner.digest == digests[item] or is_changed else long
    return base if len(digests) == 1 and known(long) is None else long


def write_json(path: Path, value: Any) -> None:
    """Write JSON atomically: UTF-8, no NaN or Infinity.

    Raises:
        StoreError: The file system refused, or the value holds something JSON has no form for.
    """
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, indent=1)
    except (TypeError, ValueError) as exc:
        raise StoreError(f"cannot write {path.name}: {exc}") from exc
    write_text(path, text + "\n")


def write_text(path: Path, text: str) -> None:
    """Write text atomically, in UTF-8. A byte of a file name that is not UTF-8 is escaped as JSON does it: U+DCE9.

    Raises:
        StoreError: The file system refused; the temporary file is gone.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with written_whole(path) as stream:
            stream.write(text.encode(errors="backslashreplace"))
    except OSError as exc:
        raise StoreError(f"cannot write {path}: {exc.strerror}", hint="check free space and permissions") from exc


def read_bytes(path: Path) -> bytes:
    """Read a file.

    Raises:
        StoreError: It is not there.
    """
    try:
        return path.read_bytes()
    except OSError as exc:
        raise StoreError(f"cannot read {path}: {exc.strerror}") from exc


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises:
        StoreError: It is not there, or not JSON.
    """
    try:
        with collector_paused():
            return json.loads(read_bytes(path))
    except ValueError as exc:
        raise StoreError(f"{path} is not valid JSON: {exc}") from exc


@dataclass(frozen=True)
class Store:
    """The folder layout under ``--out``, for one or many videos.

    The subfolders are relative to ``base`` unless absolute (settings may rename them). That of the services' files is
    ``base`` itself by default.
    """

    base: Path
    unified_dir: str = "unified_analysis"
    temporal_dir: str = "temporal_markers"
    insights_dir: str = "insights"
    ml_dir: str = ""
    downloads_dir: str = "downloads"
    log_dir: str = "logs"

    def check_writable(self) -> None:
        """Create the folder, and check with a temporary file that it can be written.

        Raises:
            StoreError: The file system refuses.
        """
        try:
            for folder in (self.base, self.log_folder):
                folder.mkdir(parents=True, exist_ok=True)
                with tempfile.TemporaryFile(dir=folder):
                    pass
        except OSError as exc:
            reason = f"{exc.filename or self.base}: {exc.strerror}"
            raise StoreError(
                f"cannot write results into {str(self.base)[:_SHOWN_CHARS]} ({reason[-_SHOWN_CHARS:]})",
                hint="name another folder with --out, or check its permissions and free space",
            ) from exc

    def service_file(self, service: AnyService, video_id: str) -> Path:
        """Where a service's canonical data of one video is."""
        return self.base / self.ml_dir / service.file.format(id=_checked(video_id))

    def unified_file(self, video_id: str) -> Path:
        """``unified_analysis/<id>.json``."""
        return self.base / self.unified_dir / f"{_checked(video_id)}.json"

    def markers_file(self, video_id: str) -> Path:
        """``temporal_markers/<id>.json``."""
        return self.base / self.temporal_dir / f"{_checked(video_id)}.json"

    def insights_folder(self, video_id: str) -> Path:
        """``insights/<id>/``."""
        return self.base / self.insights_dir / _checked(video_id)

    def state_file(self, video_id: str) -> Path:
        """``insights/<id>/state.json``: what is finished, from which input."""
        return self.insights_folder(video_id) / "state.json"

    def known_input(self, video_id: str) -> KnownInput | None:
        """The video that an id stands for; None when nothing is known of it."""
        try:
            raw = read_json(self._input_file(video_id))
            told = VideoMetadata.from_dict(raw["metadata"]) if raw.get("metadata") else None
            return KnownInput(str(raw["location"]), str(raw["digest"]), told, str(raw.get("language", "")))
        except (StoreError, TypeError, KeyError, AttributeError):
            return None

    def remember_input(self, video_id: str, item: SourceItem, digest: str) -> None:
        """Record which video an id stands for.

        Raises:
            StoreError: It cannot be written.
        """
        given = KnownInput(item.location, digest, item.metadata, item.language).to_json()
        known = self.known_input(video_id)
        if known is None or known.to_json() != given:
            write_json(self._input_file(video_id), given)

    def _input_file(self, video_id: str) -> Path:
        return self.insights_folder(video_id) / ".input.json"

    def download_folder(self, video_id: str) -> Path:
        """``downloads/<id>/``: files that a source has fetched."""
        return self.base / self.downloads_dir / _checked(video_id)

    @property
    def log_folder(self) -> Path:
        """``logs/``: what the server and the workers say."""
        return self.base / self.log_dir

    @property
    def claude_folder(self) -> Path:
        """``claude/``: answers, batches and cost ledgers of all videos and runs."""
        return self.base / "claude"

    def lock(self, video_id: str, wait_s: float = _LOCK_WAIT_S) -> contextlib.AbstractContextManager[None]:
        """Keep other runs from the same video; freed by the kernel when this process ends, however it ends.

        What killed runs left half-written of the video is removed.

        Args:
            video_id: Of the video.
            wait_s: How long to wait for another run that has it.

        Raises:
            StoreError: Another run has it still.
        """
        return self._lock(video_id, wait_s)

    @contextlib.contextmanager
    def _lock(self, video_id: str, wait_s: float) -> Iterator[None]:
        with _locked(self.insights_folder(video_id) / ".lock", f"working on {video_id}", wait_s):
            for path in self._half_written(video_id):
                with contextlib.suppress(OSError):
                    path.unlink()
            yield

    def _half_written(self, video_id: str) -> Iterator[Path]:
        """The temporary files of a video that killed runs left; nobody else writes them while this run has the lock."""
        files = [self.service_file(service, video_id) for service in all_services()]
        for path in (*files, self.unified_file(video_id), self.markers_file(video_id)):
            yield from path.parent.glob(f".{path.name}.*.tmp")
        yield from self.insights_folder(video_id).rglob(".*.tmp")

    def batch_lock(self) -> contextlib.AbstractContextManager[None]:
        """Keep other runs from submitting the same prompts.

        Raises:
            StoreError: Another run has it.
        """
        return _locked(self.claude_folder / ".lock", "exchanging batches")

    def service_lock(self) -> contextlib.AbstractContextManager[None]:
        """Keep a second service from the folder.

        Raises:
            StoreError: Another one has it.
        """
        return _locked(self.base / ".service.lock", "serving this folder")


@contextlib.contextmanager
def _locked(path: Path, doing: str, wait_s: float = _LOCK_WAIT_S) -> Iterator[None]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Never through somebody else's link.
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
    except OSError as exc:
        raise StoreError(f"cannot write {path}: {exc.strerror}") from exc
    try:
        began_s, is_told = time.monotonic(), False
        while not _try_lock(file):
            waited_s = time.monotonic() - began_s
            if waited_s > _LOCK_WAIT_S and not is_told and waited_s < wait_s:
                is_told = True
                LOG.warning("another run is %s: waiting for it, %.0f s at most", doing, wait_s)
            if waited_s > wait_s:
                raise StoreError(
                    f"another run is {doing} ({path})", hint="run the command again when that one has ended"
                )
            time.sleep(_LOCK_POLL_S)
        yield
    finally:
        os.close(file)


def _try_lock(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _checked(video_id: str) -> str:
    if not video_id or safe_id(video_id)[1]:
        raise StoreError(f"{video_id!r} is no safe id", hint="ids come from assign_ids")
    return video_id


def fingerprint(*parts: object) -> str:
    """A short hash of anything that JSON can hold, the same for equal values."""
    text = json.dumps(parts, sort_keys=True, default=str, ensure_ascii=False)
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()[:16]
