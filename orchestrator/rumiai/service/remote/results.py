"""Results of a video elsewhere, brought into an output folder here."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from pathlib import Path, PurePosixPath

from rumiai.contracts.outcome import VideoOutcome
from rumiai.contracts.timeline import UnifiedAnalysis
from rumiai.errors import ContractError, StoreError
from rumiai.results.store import Store, read_json, write_text
from rumiai.results.summary import summarise
from rumiai.service.remote.client import ServiceClient


def bring(client: ServiceClient, run_id: str, outcome: VideoOutcome, store: Store) -> VideoOutcome:
    """Fetch the result files of a video.

    Returns:
        The outcome as a run here would have given it: with the paths of these files, and the lines of its table.

    Raises:
        StoreError: A file cannot be written.
        ContractError: The service names a file outside of the folder.
        ServerError: The service does not give it.
    """
    if not outcome.files:
        return outcome
    here = {}
    for name in client.files(run_id, outcome.video_id):
        here[name] = store.base / _inside(name)
        write_text(here[name], client.file(run_id, outcome.video_id, name).decode())
    analyses = {
        name: replace(each, files={kind: _local(path, here) for kind, path in each.files.items()})
        for name, each in outcome.analyses.items()
    }
    files = {kind: _local(path, here) for kind, path in outcome.files.items()}
    return _with_lines(replace(outcome, files=files, analyses=analyses))


def _inside(name: str) -> Path:
    path = PurePosixPath(name)
    if path.is_absolute() or not path.parts or ".." in path.parts or "\0" in name:
        raise ContractError(f"the service names the result file {name!r}, which lies outside of the folder")
    return Path(path)


def _local(path: str, here: dict[str, Path]) -> str:
    """Where a file of the service lies here; its own path where it was not brought."""
    return next((str(place) for name, place in here.items() if path == name or path.endswith(f"/{name}")), path)


def _with_lines(outcome: VideoOutcome) -> VideoOutcome:
    """The outcome with the lines of its table, which are made from the unified analysis."""
    with contextlib.suppress(StoreError, ContractError, KeyError):
        summary = summarise(UnifiedAnalysis.from_dict(read_json(Path(outcome.files["unified"]))))
        return replace(outcome, summary=replace(outcome.summary, lines=summary.lines))
    return outcome
