"""Shots, cuts and gradual transitions: PySceneDetect on every frame, in the decoder's thread."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from rumiai.contracts.outcome import Summary
from rumiai.services.base import VideoContext, VisualInputs, VisualRun, VisualService, count_more, package_version

if TYPE_CHECKING:
    from rumiai.contracts.services import ScenesData
    from rumiai.contracts.timeline import TimelineEntry
    from rumiai.settings import Settings

# More would not fit a line of the terminal.
_MAX_CUTS: Final = 8


class ScenesService(VisualService["ScenesData"]):
    """The service ``scene_detection``. The decoder detects cuts in any case: other services need them."""

    name = "scene_detection"
    file = "scene_detection_outputs/{id}/{id}_scenes.json"
    entry_types = ("scene_change", "scene")
    summary_place = 10

    def data_model(self) -> type[ScenesData]:
        """See docs/outputs.md."""
        from rumiai.contracts.services import ScenesData

        return ScenesData

    def version(self, settings: Settings) -> str:
        """The library's."""
        return f"pyscenedetect-{package_version('scenedetect')}"

    def start(self, inputs: VisualInputs) -> VisualRun:
        """Nothing but to wait for the decoder's detector."""
        detector, duration_s = inputs.scene_detector, inputs.video.info.duration_s

        def finish(context: VideoContext) -> ScenesData:
            return detector.finish(duration_s)

        return VisualRun(None, finish)

    def entries(self, data: ScenesData) -> Iterable[TimelineEntry]:
        """One ``scene`` per shot, one ``scene_change`` per cut."""
        from rumiai.timeline.entries import scene_entries

        return scene_entries(data)

    def summary(self, data: ScenesData | None) -> Summary:
        """The number of shots, and the cuts."""
        if data is None:
            return Summary({"shots": None, "cuts_s": None})
        cuts = ", ".join(f"{cut_s:.2f}" for cut_s in data.changes_s[:_MAX_CUTS])
        more = count_more(len(data.changes_s) - _MAX_CUTS)
        line = f"{data.total_scenes}" + (f" (cuts at {cuts} s{more})" if cuts else "")
        return Summary({"shots": data.total_scenes, "cuts_s": list(data.changes_s)}, (("shots", line),))
