"""Objects on all sampled frames of a video, batch by batch, from the endpoint ``yolo``."""

from __future__ import annotations

from rumiai.contracts.frame_reader import FrameReader
from rumiai.contracts.frames import FrameBatch, FrameDetections
from rumiai.inference.client import TritonClient
from rumiai.inference.objects import as_told, persons_of
from rumiai.inference.yolo import DetectionParams, detect


class ObjectReader(FrameReader):
    """Detects the objects of one video.

    Args:
        client: Connected to the server.
        params: Of each request.
    """

    def __init__(self, client: TritonClient, params: DetectionParams) -> None:
        self.params = params
        self._client = client
        self._found: dict[int, FrameDetections] = {}

    async def read(self, batch: FrameBatch) -> None:
        """Detect the objects on a batch.

        Raises:
            RumiAIError: As of :func:`rumiai.inference.yolo.detect`.
        """
        found = await detect(self._client, batch, self.params)
        self._found.update((frame.frame_number, frame) for frame in found)

    @property
    def detections(self) -> list[FrameDetections]:
        """One for each frame read so far, by time."""
        return sorted(self._found.values(), key=lambda frame: frame.timestamp_s)

    def persons(self, batch: FrameBatch) -> list[FrameDetections] | None:
        """For each frame of a batch its persons; None when not all of them were read.

        They are those that the service's file tells, so that a later run, which reads it, looks at the same places.
        """
        frames = [self._found.get(int(number)) for number in batch.frame_numbers]
        known = [persons_of(as_told(frame)) for frame in frames if frame is not None]
        return known if len(known) == len(frames) else None
