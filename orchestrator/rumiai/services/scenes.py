"""Shots, cuts and gradual transitions: PySceneDetect on every frame, in the decoder's thread."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from rumiai.contracts.outcome import Summary
from rumiai.core.json_values import JsonObject
from rumiai.services.base import VideoContext, VisualInputs, VisualRun, VisualService, count_more, package_version

if TYPE_CHECKING:
    from rumiai.contracts.services.scenes import ScenesData
    from rumiai.contracts.timeline import TimelineEntry
    from rumiai.settings import Settings

# More would not fit a line of the terminal.
_MAX_CUTS: Final = 8


class ScenesService(VisualService["ScenesData"]):
    """The service ``scene_detection``. The decoder detects cuts in any case: other services need them."""

    name = "scene_detection"
    file = "scene_detection_outputs/{id}/{id}_scenes.json"
    summary_place = 10

    def data_model(self) -> type[ScenesData]:
        """See docs/outputs.md."""
        from rumiai.contracts.services.scenes import ScenesData

        return ScenesData

    def version(self, settings: Settings) -> str:
        """The library's."""
        return f"pyscenedetect-{package_version('scenedetect')}"

    def start(self, inputs: VisualInputs) -> VisualRun:
        """Read no frames: the decoder's detector has the cuts at the end."""
        detector, duration_s = inputs.scene_detector, inputs.video.info.duration_s

        def finish(context: VideoContext) -> ScenesData:
            until_s = duration_s if context.shown_until_s is None else min(duration_s, context.shown_until_s)
            return detector.finish(duration_s).observing(((0.0, until_s),))

        return VisualRun(None, finish)

    def entries(self, data: ScenesData) -> Iterable[TimelineEntry]:
        """One ``scene`` per shot, and a ``scene_change`` where each but the first starts."""
        from rumiai.contracts.services.scenes import Transition
        from rumiai.contracts.timeline import TimelineEntry

        changes = data.changes_s
        kinds = data.transition_types or ()
        kinds = kinds if len(kinds) == len(changes) else ("cut",) * len(changes)
        confidences = data.change_confidences or (None,) * len(changes)
        for index, scene in enumerate(data.scenes):
            payload = {"scene_index": index, "duration": scene.duration_s}
            yield TimelineEntry(scene.start_s, "scene", payload, scene.end_s, scene)
        for index, (time_s, confidence, kind) in enumerate(zip(changes, confidences, kinds, strict=True), start=1):
            change: JsonObject = {"transition_type": kind, "scene_index": index, "confidence": confidence}
            source = Transition(start_s=time_s, end_s=time_s, type=kind)
            yield TimelineEntry(time_s, "scene_change", change, source=source)

    def summary(self, data: ScenesData | None) -> Summary:
        """The number of shots, and the cuts."""
        if data is None:
            return Summary({"shots": None, "cuts_s": None})
        cuts = ", ".join(f"{cut_s:.2f}" for cut_s in data.changes_s[:_MAX_CUTS])
        more = count_more(len(data.changes_s) - _MAX_CUTS)
        line = f"{data.total_scenes}" + (f" (cuts at {cuts} s{more})" if cuts else "")
        return Summary({"shots": data.total_scenes, "cuts_s": list(data.changes_s)}, (("shots", line),))
