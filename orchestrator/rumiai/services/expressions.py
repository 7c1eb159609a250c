"""What faces express: emotions mapped from the blendshapes of MediaPipe's faces, in the worker."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from rumiai.services.base import VideoContext, VisualInputs, VisualRun, VisualService, package_version
from rumiai.services.people import MEDIAPIPE_WEIGHTS, people_reader

if TYPE_CHECKING:
    from rumiai.contracts.services.expressions import ExpressionsData
    from rumiai.contracts.timeline import TimelineEntry
    from rumiai.settings import Settings


class ExpressionsService(VisualService["ExpressionsData"]):
    """The service ``emotion_detection``; it shares the frames' people with ``mediapipe``."""

    name = "emotion_detection"
    file = "emotion_detection_outputs/{id}/{id}_emotions.json"
    settings = ("sample_fps", "max_side_px")
    inputs = ("yolo",)

    def data_model(self) -> type[ExpressionsData]:
        """See docs/outputs.md."""
        from rumiai.contracts.services.expressions import ExpressionsData

        return ExpressionsData

    def version(self, settings: Settings) -> str:
        """The library's, and what the emotions are mapped from."""
        return f"mediapipe-{package_version('mediapipe')}-blendshapes"

    def weights(self, settings: Settings) -> tuple[str, ...]:
        """MediaPipe's models."""
        return MEDIAPIPE_WEIGHTS

    def start(self, inputs: VisualInputs) -> VisualRun:
        """Look for people on every sampled frame, unless that is done already."""
        from rumiai.people.emotions import assemble_emotions

        reader = people_reader(inputs)

        def finish(context: VideoContext) -> ExpressionsData:
            return assemble_emotions(reader.frames, inputs.sampling, inputs.video.video_id)

        return VisualRun(reader, finish)

    def entries(self, data: ExpressionsData) -> Iterable[TimelineEntry]:
        """One ``emotion`` per sample with a face."""
        from rumiai.timeline.entries import emotion_entries

        marks = {"source": data.metadata.source or "feat", "model": data.metadata.model}
        return emotion_entries(data.emotions, data.metadata.step_s, marks)
