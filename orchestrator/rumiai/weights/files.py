"""The catalogue of model files and the state of the local cache."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Final, Literal

from rumiai.core.files import file_sha256, written_whole
from rumiai.errors import WeightsError

Group = Literal["default", "dev", "extra"]
State = Literal["ok", "missing", "wrong"]

_FETCH_HINT: Final = "run `rumiai-triton weights fetch` (or `make setup`)"


@dataclass(frozen=True)
class Source:
    """One place a file can come from.

    Exactly one of ``url``, ``pypi`` (requirements) and ``npm`` is set; ``members`` are the paths inside the archive,
    concatenated in order; empty when the address is the file itself.
    """

    url: str | None = None
    pypi: tuple[str, ...] = ()
    npm: str | None = None
    members: tuple[str, ...] = ()

    def __str__(self) -> str:
        if self.url:
            return self.url
        return f"npm package {self.npm}" if self.npm else f"PyPI package {' + '.join(self.pypi)}"


@dataclass(frozen=True)
class WeightsFile:
    """One model file; ``name`` is its path relative to the weights folder."""

    name: str
    group: Group
    about: str
    licence: str
    size_bytes: int
    sha256: str
    sources: tuple[Source, ...]


def weights_dir() -> Path:
    """The cache folder: ``RUMIAI_WEIGHTS_DIR``, else ``$XDG_CACHE_HOME/rumiai/weights``, else under ``~/.cache``."""
    if chosen := os.environ.get("RUMIAI_WEIGHTS_DIR"):
        return Path(chosen).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "rumiai" / "weights"


@functools.cache
def catalogue() -> dict[str, WeightsFile]:
    """All files of ``weights.toml``, by name, in its order."""
    text = resources.files("rumiai.weights").joinpath("weights.toml").read_text(encoding="utf-8")
    files = (_read_file(raw) for raw in tomllib.loads(text)["file"])
    return {item.name: item for item in files}


def _read_file(raw: dict[str, object]) -> WeightsFile:
    sources = []
    for item in raw["source"]:  # type: ignore[attr-defined]
        pypi = item.get("pypi", [])
        sources.append(
            Source(
                url=item.get("url"),
                pypi=(pypi,) if isinstance(pypi, str) else tuple(pypi),
                npm=item.get("npm"),
                members=tuple(item.get("members", ())),
            )
        )
    return WeightsFile(
        name=str(raw["name"]),
        group=raw["group"],  # type: ignore[arg-type]
        about=str(raw["about"]),
        licence=str(raw["licence"]),
        size_bytes=int(raw["size_bytes"]),  # type: ignore[call-overload]
        sha256=str(raw["sha256"]),
        sources=tuple(sources),
    )


def resolve_names(names: Iterable[str] = (), *, groups: Iterable[Group] = ("default",)) -> list[WeightsFile]:
    """The files that were asked for: by name, by folder (``whisper-base-ct2``), or whole groups when none is named.

    Raises:
        WeightsError: A name is not in the catalogue.
    """
    known = catalogue()
    wanted = list(names)
    if not wanted:
        chosen = set(groups)
        return [item for item in known.values() if item.group in chosen]
    found: dict[str, WeightsFile] = {}
    for name in wanted:
        matches = [item for item in known.values() if item.name == name or item.name.startswith(name.rstrip("/") + "/")]
        if not matches:
            raise WeightsError(f"no model file is named {name!r}", hint=f"known names: {', '.join(known)}")
        found.update((item.name, item) for item in matches)
    return list(found.values())


def _stamp_path(path: Path) -> Path:
    return path.with_name(f".{path.name}.verified")


def _fingerprint(path: Path) -> dict[str, int]:
    stat = path.stat()
    return {"size": stat.st_size, "mtime_ns": stat.st_mtime_ns, "inode": stat.st_ino}


def stamp(path: Path, sha256: str) -> None:
    """Remember that this very file (size, time, inode) was hashed, so that the next start need not."""
    with written_whole(_stamp_path(path)) as stream:
        stream.write(json.dumps({"sha256": sha256, **_fingerprint(path)}).encode())


def _stamped_sha256(path: Path) -> str | None:
    try:
        saved = json.loads(_stamp_path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    same = isinstance(saved, dict) and all(saved.get(k) == v for k, v in _fingerprint(path).items())
    return str(saved.get("sha256")) if same else None


def state(item: WeightsFile, *, rehash: bool = False) -> tuple[State, str | None]:
    """Whether a file is there and right.

    Args:
        item: The file.
        rehash: Hash again even if the file was verified before and has not changed since.

    Returns:
        ``("ok", None)``, ``("missing", None)`` or ``("wrong", <the sha256 it has>)``.
    """
    target = weights_dir() / item.name
    if not target.is_file():
        return "missing", None
    found = None if rehash else _stamped_sha256(target)
    if found is None:
        found = file_sha256(target)
        with contextlib.suppress(OSError):  # a read-only cache: verified all the same, only not remembered
            stamp(target, found)
    return ("ok", None) if found == item.sha256 else ("wrong", found)


def identities(names: Iterable[str]) -> dict[str, str | None]:
    """What tells one model from another of the same name: file -> its sha256.

    Args:
        names: Names of the catalogue, or paths of the user's own files; one that is not on this machine has None.
    """
    found: dict[str, str | None] = {}
    for name in names:
        own = Path(name)
        try:
            found |= {item.name: item.sha256 for item in resolve_names([name])}
        except WeightsError:
            found[own.name] = _sha256_of(own, own.stat().st_mtime_ns) if own.is_file() else None
    return found


@functools.cache
def _sha256_of(own: Path, _mtime_ns: int) -> str:
    return file_sha256(own)


def path(name: str) -> Path:
    """Where a verified file (or a folder of verified files) lies.

    Raises:
        WeightsError: It is not in the catalogue, not there, or does not have the sha256 of the catalogue.
    """
    for item in resolve_names([name]):
        verdict, found = state(item)
        where = weights_dir() / item.name
        if verdict == "missing":
            raise WeightsError(f"model file {item.name} is missing: expected it at {where}", hint=_FETCH_HINT)
        if verdict == "wrong":
            raise WeightsError(
                f"model file {where} has sha256 {found}, expected {item.sha256}",
                hint=f"it is damaged or not what it claims to be; delete it and {_FETCH_HINT}",
            )
    return weights_dir() / name
