"""Which files of an output folder are results of a video."""

from __future__ import annotations

import contextlib
from pathlib import Path

from rumiai.core.json_values import JsonObject
from rumiai.errors import StoreError
from rumiai.metrics.registry import ANALYSES
from rumiai.results.analyses import read_latest
from rumiai.results.store import Store, read_json
from rumiai.services import all_services


def result_files(store: Store, video_id: str) -> dict[str, Path]:
    """The result files of a video that are there.

    Returns:
        Path below the output folder, with ``/`` -> the file. What lies elsewhere (``RUMIAI_INSIGHTS_DIR`` may be
        absolute) and what runs keep for themselves is left out.
    """
    insights = store.insights_folder(video_id)
    places = [store.unified_file(video_id), store.markers_file(video_id)]
    places += [store.service_file(service, video_id) for service in all_services()]
    places += sorted(insights.glob("*/*")) + sorted(insights.glob("report_*.json"))
    found = {}
    for path in dict.fromkeys(places):
        is_result = path.is_file() and not path.is_symlink() and not path.name.startswith(".")
        if is_result and path.is_relative_to(store.base):
            found[path.relative_to(store.base).as_posix()] = path
    return found


def read_results(store: Store, video_id: str) -> dict[str, JsonObject]:
    """The six blocks of each analysis that a video has, by its name."""
    found: dict[str, JsonObject] = {}
    for name in ANALYSES:
        with contextlib.suppress(StoreError, KeyError):
            files, _ = read_latest(store, video_id, name)
            found[name] = read_json(Path(files["ml"]))
    return found
