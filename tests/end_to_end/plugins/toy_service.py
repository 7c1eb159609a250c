"""A service in one file: how bright every sampled frame is, and where the picture is dark."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import ClassVar

from rumiai.contracts.frame_reader import FrameReader
from rumiai.contracts.frames import FrameBatch
from rumiai.contracts.outcome import Summary
from rumiai.contracts.services.base import ServiceData, ServiceMetadata, ServiceModel
from rumiai.contracts.timeline import TimelineEntry
from rumiai.services import VideoContext, VisualInputs, VisualRun, VisualService, register
from rumiai.settings import Settings

DARK_BELOW = 0.2


class Sample(ServiceModel):
    timestamp_s: float
    level: float


class BrightnessData(ServiceData):
    service: ClassVar[str] = "brightness"
    entry_types: ClassVar[tuple[str, ...]] = ("dark",)

    samples: tuple[Sample, ...]
    cuts: int


class BrightnessReader(FrameReader):
    def __init__(self) -> None:
        self.samples: list[Sample] = []

    async def read(self, batch: FrameBatch) -> None:
        levels = batch.images.mean(axis=(1, 2, 3)) / 255
        for time_s, level in zip(batch.timestamps_s.tolist(), levels.tolist(), strict=True):
            self.samples.append(Sample(timestamp_s=time_s, level=level))


class BrightnessService(VisualService[BrightnessData]):
    name = "brightness"
    file = "brightness_outputs/{id}/{id}_brightness.json"
    settings = ("sample_fps",)

    def data_model(self) -> type[BrightnessData]:
        return BrightnessData

    def version(self, settings: Settings) -> str:
        return "mean-1"

    def start(self, inputs: VisualInputs) -> VisualRun:
        reader = BrightnessReader()

        def finish(context: VideoContext) -> BrightnessData:
            metadata = ServiceMetadata(**inputs.sampling.metadata(len(reader.samples)))
            return BrightnessData(samples=tuple(reader.samples), cuts=len(context.cuts_s), metadata=metadata)

        return VisualRun(reader, finish)

    def entries(self, data: BrightnessData) -> Iterable[TimelineEntry]:
        for one, two in pairwise(data.samples):
            if one.level < DARK_BELOW:
                yield TimelineEntry(one.timestamp_s, "dark", {"level": one.level}, two.timestamp_s)

    def summary(self, data: BrightnessData | None) -> Summary:
        if data is None or not data.samples:
            return Summary({"brightness": None})
        level = sum(sample.level for sample in data.samples) / len(data.samples)
        return Summary({"brightness": level}, (("brightness", f"{level:.0%} on average"),))


register(BrightnessService())
