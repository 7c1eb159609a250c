"""On-screen text: which frames to read, what was read on them, and the texts and stickers that come of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rumiai.contracts.frames import FrameBatch, FrameDetections, FrameTexts, Sampling
from rumiai.inference import creative
from rumiai.inference.client import TritonClient
from rumiai.inference.ocr import CAPTIONS, STRICT, read_texts
from rumiai.inference.ocr_gate import GatedTexts, OcrGate
from rumiai.inference.stickers import StickerFinder
from rumiai.settings import Settings


class TextReader:
    """One video's text service.

    Args:
        client: Connected to the server.
        settings: In strict mode every frame is read.
        sampling: The grid.
    """

    def __init__(self, client: TritonClient, settings: Settings, sampling: Sampling) -> None:
        self._client, self._sampling = client, sampling
        self._strict = settings.mode == "strict"
        self._languages = tuple(settings.ocr_langs.split(","))
        self._gate = OcrGate()
        self._stickers = StickerFinder(sampling)
        self._texts: dict[int, FrameTexts] = {}
        self._after_cut: set[int] = set()

    def decide(self, batch: FrameBatch) -> list[int]:
        """Which frames of a batch to read; looks at their pixels, so it is called in a thread, in order of batches."""
        if batch.kind == "sampled":
            self._stickers.feed(batch.images, batch.timestamps_s, batch.frame_numbers)
        else:
            self._after_cut.update(int(number) for number in batch.frame_numbers)
        if self._strict:
            return list(range(len(batch)))
        decisions = self._gate.decide(batch.images, batch.timestamps_s, batch.frame_numbers, batch.kind)
        return [i for i, decision in enumerate(decisions) if decision.origin == "read"]

    async def read(self, batch: FrameBatch, indices: Sequence[int]) -> None:
        """Have these frames of a batch read.

        Raises:
            RumiAIError: As of :func:`rumiai.inference.ocr.read_texts`.
        """
        params = STRICT if self._strict else CAPTIONS
        for frame in await read_texts(self._client, batch, params, indices):
            self._texts[frame.frame_number] = frame

    def assemble(self, cuts_s: Sequence[float], detections: Sequence[FrameDetections]) -> Mapping[str, Any]:
        """The canonical data of the ``ocr`` service.

        Args:
            cuts_s: Instants of the cuts.
            detections: Objects on the sampled frames; what lies on one of them is no sticker.
        """
        texts = self._all_texts()
        return creative.assemble(texts, self._stickers, detections, cuts_s, self._sampling, self._languages)

    def _all_texts(self) -> GatedTexts:
        if not self._strict:
            return self._gate.complete(self._texts)
        read = sorted(self._texts.values(), key=lambda frame: frame.timestamp_s)
        sampled = tuple(frame for frame in read if frame.frame_number not in self._after_cut)
        after = tuple(frame for frame in read if frame.frame_number in self._after_cut)
        return GatedTexts(sampled, after, len(sampled), 0, 0, len(after))
