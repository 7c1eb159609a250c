"""People on the sampled frames: faces, gaze, hands, gestures and bodies by MediaPipe, in the worker."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from rumiai.contracts.outcome import Summary
from rumiai.services.base import VideoContext, VisualInputs, VisualRun, VisualService, package_version

if TYPE_CHECKING:
    from rumiai.contracts.frames import FrameBatch, FrameDetections
    from rumiai.contracts.services.base import ServiceData
    from rumiai.contracts.services.people import Gesture, PeopleData
    from rumiai.contracts.timeline import TimelineEntry
    from rumiai.people.reader import PeopleReader
    from rumiai.settings import Settings

MEDIAPIPE_WEIGHTS: Final = (
    "face_landmarker.task", "hand_landmarker.task", "pose_landmarker_full.task",
    "gesture_embedder.tflite", "canned_gesture_classifier.tflite",
)  # fmt: skip


class PeopleService(VisualService["PeopleData"]):
    """The service ``mediapipe``; it looks where YOLO saw persons, and at whole frames without YOLO."""

    name = "mediapipe"
    file = "human_analysis_outputs/{id}/{id}_human_analysis.json"
    settings = ("sample_fps", "max_side_px")
    inputs = ("yolo", "whisper")
    summary_place = 50

    def data_model(self) -> type[PeopleData]:
        """See docs/outputs.md."""
        from rumiai.contracts.services.people import PeopleData

        return PeopleData

    def version(self, settings: Settings) -> str:
        """The library's."""
        return f"mediapipe-{package_version('mediapipe')}"

    def weights(self, settings: Settings) -> tuple[str, ...]:
        """MediaPipe's models."""
        return MEDIAPIPE_WEIGHTS

    def start(self, inputs: VisualInputs) -> VisualRun:
        """Look for people on every sampled frame; what they do is decided at the end, with the transcript."""
        from rumiai.contracts.services.yolo import YoloData
        from rumiai.people.assemble import assemble_people

        reader = people_reader(inputs)

        def finish(context: VideoContext) -> PeopleData:
            objects, cuts_s = context.get(YoloData), context.cuts_s
            return assemble_people(
                reader.frames, inputs.sampling, speech_segments=_speech(context), objects=objects, cuts_s=cuts_s
            )

        return VisualRun(reader, finish)

    def entries(self, data: PeopleData) -> Iterable[TimelineEntry]:
        """``pose``, ``face`` and ``gaze`` at their instants; ``gesture`` and ``action`` over theirs.

        Bodies that nothing vouches for are left out.
        """
        from rumiai.contracts.timeline import TimelineEntry
        from rumiai.timeline.entries import picked

        for pose in data.poses:
            if pose.witness == "none":
                continue
            payload = picked(pose, "person", "visibility", "confidence", "posture", "orientation", "bbox")
            yield TimelineEntry(pose.timestamp_s, "pose", payload, source=pose)
        for face in data.faces:
            payload = picked(face, "bbox", "confidence", "count", "face_index") | {"source": self.name}
            yield TimelineEntry(face.timestamp_s, "face", payload, source=face)
        for gaze in data.gaze or ():
            payload = picked(gaze, "eye_contact", "gaze_direction", "confidence", "yaw", "pitch")
            yield TimelineEntry(gaze.timestamp_s, "gaze", payload, source=gaze)
        yield from _gesture_entries(data.gestures, data.metadata.step_s)
        for action in data.actions or ():
            payload = picked(action, "action", "confidence")
            yield TimelineEntry(action.begins_s, "action", payload, action.end_s, action)

    def stand_in(self, service: str, data: PeopleData) -> Iterable[TimelineEntry]:
        """MediaPipe's expressions, as emotions, where no emotion detector ran."""
        from rumiai.contracts.services.expressions import ExpressionsData
        from rumiai.timeline.entries import emotion_entries

        if service != ExpressionsData.service:
            return ()
        marks = {"source": "blendshapes", "model": self.name}
        return emotion_entries(data.expressions or (), data.metadata.step_s, marks)

    def summary(self, data: PeopleData | None) -> Summary:
        """On how much of the video people are, the most faces at a time, and the gestures."""
        if data is None:
            return Summary({"presence_percentage": None, "most_faces": None, "gestures": None})
        gestures = sorted({gesture.type for gesture in data.gestures})
        most = max((face.count or 0 for face in data.faces), default=0)
        presence = data.presence_percentage
        facts = {"presence_percentage": presence, "most_faces": most, "gestures": gestures}
        if presence is None:
            return Summary(facts)
        made = f", gestures {', '.join(gestures)}" if gestures else ""
        return Summary(facts, (("people", f"on {presence:.0f}% of frames, at most {most} faces{made}"),))


def people_reader(inputs: VisualInputs) -> PeopleReader:
    """The video's reader of people: the one that runs already, or a new one that goes where YOLO sees persons."""
    from rumiai import weights
    from rumiai.inference.object_reader import ObjectReader
    from rumiai.people.landmarks import PeopleAnalyzer
    from rumiai.people.reader import PeopleReader

    if running := inputs.shared(PeopleReader):
        return running
    objects, stored = inputs.shared(ObjectReader), _stored_persons(inputs.stored)

    def persons(batch: FrameBatch) -> Sequence[FrameDetections] | None:
        found = objects.persons(batch) if objects else None
        return found if found is not None or stored is None else [stored(int(n)) for n in batch.frame_numbers]

    def analyzer() -> PeopleAnalyzer:
        return inputs.tools.keep(PeopleAnalyzer, lambda: PeopleAnalyzer(weights.path))

    return PeopleReader(analyzer, inputs.tools.thread("people"), persons, (objects,) if objects else ())


def _stored_persons(stored: Mapping[str, ServiceData]) -> Callable[[int], FrameDetections] | None:
    """From an earlier run's objects: frame number -> its persons; None without such a run."""
    import numpy as np

    from rumiai.contracts.frames import FrameDetections
    from rumiai.contracts.services.yolo import YoloData
    from rumiai.inference.objects import detections_of, persons_of

    objects = stored.get(YoloData.service)
    if not isinstance(objects, YoloData):
        return None
    persons = {found.frame_number: persons_of(found) for found in detections_of(objects)}
    none = np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, np.int32)
    return lambda number: persons.get(number) or FrameDetections(0.0, number, *none)


def _speech(context: VideoContext) -> list[tuple[float, float]] | None:
    """Start and end in seconds of what was said; None without a transcript."""
    from rumiai.contracts.services.whisper import WhisperData

    transcript = context.get(WhisperData)
    return None if transcript is None else [(segment.start_s, segment.end_s) for segment in transcript.segments]


def _gesture_entries(gestures: Iterable[Gesture], step_s: float) -> Iterator[TimelineEntry]:
    """Equal gestures in consecutive samples as one interval, from the first to half a step after the last."""
    from rumiai.contracts.timeline import TimelineEntry
    from rumiai.timeline.entries import CONSECUTIVE_STEPS, picked

    runs: dict[tuple[str, str], list[list[Gesture]]] = {}
    for item in sorted(gestures, key=lambda gesture: gesture.timestamp_s):
        of_kind = runs.setdefault((item.type, item.hand or ""), [])
        if of_kind and item.timestamp_s - of_kind[-1][-1].timestamp_s <= CONSECUTIVE_STEPS * step_s:
            of_kind[-1].append(item)
        else:
            of_kind.append([item])
    for run in (run for of_kind in runs.values() for run in of_kind):
        best = max(run, key=lambda gesture: gesture.confidence or 0.0)
        payload = picked(best, "type", "hand", "confidence", "bbox", "direction") | {"count_samples": len(run)}
        start_s, end_s = run[0].timestamp_s, run[-1].timestamp_s + step_s / 2
        yield TimelineEntry(start_s, "gesture", payload, end_s if end_s > start_s else None, best)
