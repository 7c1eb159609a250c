"""Objects on the sampled frames, followed through their shots: YOLO on the model server."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rumiai.contracts.outcome import Summary
from rumiai.core.json_values import JsonValue
from rumiai.services.base import VideoContext, VisualInputs, VisualRun, VisualService, count_more

if TYPE_CHECKING:
    from rumiai.contracts.services.yolo import YoloData
    from rumiai.contracts.timeline import TimelineEntry
    from rumiai.settings import Settings

# More would not fit a line of the terminal.
_MAX_CLASSES: Final = 6


class YoloService(VisualService["YoloData"]):
    """The service ``yolo``."""

    name = "yolo"
    file = "object_detection_outputs/{id}/{id}_yolo_detections.json"
    settings = ("sample_fps", "max_side_px", "mode")
    server_model = "yolo"
    summary_place = 40

    def data_model(self) -> type[YoloData]:
        """See docs/outputs.md."""
        from rumiai.contracts.services.yolo import YoloData

        return YoloData

    def version(self, settings: Settings) -> str:
        """The weights' name."""
        return Path(settings.yolo_weights).stem

    def weights(self, settings: Settings) -> tuple[str, ...]:
        """The detector."""
        return (settings.yolo_weights,)

    def start(self, inputs: VisualInputs) -> VisualRun:
        """Detect on every sampled frame; link detections to tracks at the end."""
        from rumiai.inference.object_reader import ObjectReader
        from rumiai.inference.objects import assemble_objects
        from rumiai.inference.yolo import DetectionParams

        reader = ObjectReader(inputs.client, DetectionParams(mode=inputs.settings.mode))

        def finish(context: VideoContext) -> YoloData:
            return assemble_objects(
                reader.detections,
                context.cuts_s,
                inputs.sampling,
                model=self.version(inputs.settings),
                params=reader.params,
            )

        return VisualRun(reader, finish)

    def entries(self, data: YoloData) -> Iterable[TimelineEntry]:
        """One ``object`` per track that counts: from its first sighting to half a step after its last."""
        from rumiai.contracts.timeline import TimelineEntry
        from rumiai.timeline.entries import picked

        half_step_s = data.metadata.step_s / 2
        for track in data.counted:
            times = [seen.timestamp_s for seen in track.frames]
            payload: dict[str, JsonValue] = {
                "class": track.counted_class,
                "confidence": track.confidence,
                "bbox": list(max(track.frames, key=lambda seen: seen.confidence or 0.0).bbox),
                "track_id": track.track_id,
                "count_samples": len(track.frames),
                "mean_bbox": [sum(seen.bbox[i] for seen in track.frames) / len(track.frames) for i in range(4)],
            }
            payload |= picked(track, "confirmed")
            yield TimelineEntry(min(times), "object", payload, max(times) + half_step_s, track)

    def summary(self, data: YoloData | None) -> Summary:
        """For each class the share of frames that show an object that counts; tracks fragment: nothing counts them."""
        from rumiai.contracts.services.yolo import PERSON

        if data is None:
            return Summary({"objects": None, "object_class_count": None, "frames_with_person": None})
        frames: dict[str, set[float]] = {}
        for track in data.counted:
            frames.setdefault(track.counted_class, set()).update(seen.timestamp_s for seen in track.frames)
        total = data.metadata.frames_analyzed or 1
        ranked = sorted(frames.items(), key=lambda item: (-len(item[1]), item[0]))
        persons = len(frames.get(PERSON, ())) / total
        shares = {name: round(len(seen) / total, 3) for name, seen in ranked[:_MAX_CLASSES]}
        facts: dict[str, JsonValue] = {
            "objects": shares,
            "object_class_count": len(ranked),
            "frames_with_person": round(persons, 3),
        }
        told = ", ".join(f"{name} {share:.0%}" for name, share in shares.items())
        more = count_more(len(ranked) - len(shares))
        return Summary(facts, (("objects", f"{told} of frames{more}" if told else "none"),))
