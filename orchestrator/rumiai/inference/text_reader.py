"""On-screen text of a video: which frames are read, what was read on them, which texts and stickers that gives."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import replace
from functools import partial

from rumiai.contracts.frame_reader import ALL_KINDS, FrameReader, Reading
from rumiai.contracts.frames import FrameBatch, FrameDetections, FrameTexts, Sampling
from rumiai.contracts.services.ocr import OcrData
from rumiai.contracts.tensors import OcrEngineName, ocr_reader
from rumiai.contracts.trail import Trail
from rumiai.inference import creative
from rumiai.inference.client import TritonClient
from rumiai.inference.ocr import CAPTIONS, STRICT, read_texts
from rumiai.inference.ocr_gate import GatedTexts, OcrGate
from rumiai.inference.stickers import StickerFinder
from rumiai.inference.text_kinds.appearance import FrameLooks, look_at


class TextReader(FrameReader):
    """Reads the texts of one video.

    Args:
        client: Connected to the server.
        sampling: The sampling grid.
        thread: An executor of one thread, which decides from the pixels which frames are read.
        languages: Of EasyOCR.
        engine: Which engine reads.
        strict: Read every frame, with the engine's own settings.
        trail: Small pictures of every frame, complete when :meth:`assemble` is called.

    Attributes:
        looks: Number of each frame that was read -> how its lines look.
    """

    kinds = ALL_KINDS

    def __init__(
        self,
        client: TritonClient,
        sampling: Sampling,
        thread: Executor | None = None,
        *,
        languages: Sequence[str] = ("en",),
        engine: OcrEngineName = "auto",
        strict: bool = False,
        trail: Trail | None = None,
    ) -> None:
        self._client, self._sampling, self._thread = client, sampling, thread
        self._strict, self._trail = strict, trail
        self._languages = tuple(languages)
        self._params = replace(STRICT if strict else CAPTIONS, engine=engine)
        self._gate = OcrGate()
        self._stickers = StickerFinder(sampling)
        self._texts: dict[int, FrameTexts] = {}
        self._after_cut: set[int] = set()
        self.looks: dict[int, FrameLooks] = {}

    async def prepare(self, batch: FrameBatch) -> Reading | None:
        """Decide which frames of a batch may hold other text than those before them."""
        wanted = await asyncio.get_running_loop().run_in_executor(self._thread, self.decide, batch)
        return partial(self.read_some, batch, wanted) if wanted else None

    def decide(self, batch: FrameBatch) -> list[int]:
        """Which frames of a batch to read: indices, ascending. To be called in the order of the video."""
        if batch.kind == "sampled":
            self._stickers.feed(batch.images, batch.timestamps_s, batch.frame_numbers)
        else:
            self._after_cut.update(int(number) for number in batch.frame_numbers)
        if self._strict:
            return list(range(len(batch)))
        decisions = self._gate.decide(batch.images, batch.timestamps_s, batch.frame_numbers, batch.kind)
        return [i for i, decision in enumerate(decisions) if decision.origin == "read"]

    async def read(self, batch: FrameBatch) -> None:
        """Read every frame of a batch."""
        await self.read_some(batch, range(len(batch)))

    async def read_some(self, batch: FrameBatch, indices: Sequence[int]) -> None:
        """Read these frames of a batch.

        Raises:
            RumiAIError: As of :func:`rumiai.inference.ocr.read_texts`.
        """
        for frame in await read_texts(self._client, batch, self._params, indices):
            self._texts[frame.frame_number] = frame
            self.looks[frame.frame_number] = await self._look(batch, frame)

    async def _look(self, batch: FrameBatch, frame: FrameTexts) -> FrameLooks:
        """How the lines of a frame of the batch look; taken in the thread, while its pixels are there."""
        image = batch.images[batch.frame_numbers.tolist().index(frame.frame_number)]
        return await asyncio.get_running_loop().run_in_executor(self._thread, look_at, image, frame.boxes)

    def assemble(
        self, cuts_s: Sequence[float], detections: Sequence[FrameDetections], shown_until_s: float | None = None
    ) -> OcrData:
        """The data of the service ``ocr``.

        Args:
            cuts_s: Instants of the cuts.
            detections: Objects on the sampled frames; a region that one of them covers is no sticker.
            shown_until_s: Where the picture breaks off; None when it does not.
        """
        texts = self._all_texts()
        reader = ocr_reader(self._params.engine, self._params.mode)
        return creative.assemble(
            texts,
            self._stickers,
            detections,
            cuts_s,
            self._sampling,
            self._languages,
            reader,
            self._trail,
            shown_until_s,
        )

    def _all_texts(self) -> GatedTexts:
        if not self._strict:
            return self._gate.complete(self._texts)
        read = sorted(self._texts.values(), key=lambda frame: frame.timestamp_s)
        sampled = tuple(frame for frame in read if frame.frame_number not in self._after_cut)
        after = tuple(frame for frame in read if frame.frame_number in self._after_cut)
        return GatedTexts(sampled, after, len(sampled), 0, 0, len(after))
