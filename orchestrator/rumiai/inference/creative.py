"""The data of the service ``ocr``: texts and stickers over time, and how they were found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from rumiai.contracts.frames import FrameDetections, Sampling
from rumiai.contracts.services.ocr import OcrData, OcrMetadata, Sticker
from rumiai.contracts.tensors import OcrEngineName
from rumiai.contracts.trail import Trail
from rumiai.inference.ocr_gate import GatedTexts
from rumiai.inference.stickers import StickerFinder
from rumiai.inference.texts.records import link_texts
from rumiai.inference.unread_tracks import link_unread

# What results call the engines.
ENGINES: Final[Mapping[OcrEngineName, str]] = {"easyocr": "easyocr-1.7", "ppocr": "ppocr-v6-small"}


def assemble(
    texts: GatedTexts,
    stickers: StickerFinder,
    detections: Sequence[FrameDetections],
    cuts_s: Sequence[float],
    sampling: Sampling,
    languages: Sequence[str] = ("en",),
    reader: OcrEngineName = "easyocr",
    trail: Trail | None = None,
    shown_until_s: float | None = None,
) -> OcrData:
    """The data of the service ``ocr``.

    Args:
        texts: The text of every frame.
        stickers: Has been fed every sampled frame.
        detections: Objects on the sampled frames.
        cuts_s: Times of the cuts, in any order.
        sampling: The grid.
        languages: Of EasyOCR.
        reader: ``easyocr`` or ``ppocr``.
        trail: Small pictures of every frame.
        shown_until_s: Where the picture breaks off: no text or sticker stands any longer. None when it does not.
    """
    cuts = sorted(cuts_s)
    until_s = sampling.duration_s if shown_until_s is None else min(shown_until_s, sampling.duration_s)
    shown = replace(sampling, duration_s=until_s)
    summary = link_texts(texts.sampled, texts.after_cuts, cuts, shown, trail)
    found = [_ended(sticker, until_s) for sticker in stickers.finish(detections, cuts, texts.sampled)]
    unread = link_unread(texts.in_order, summary.annotations, cuts, shown)
    metadata = OcrMetadata(
        **sampling.metadata(len(texts.sampled)),
        engine=ENGINES[reader],
        languages=tuple(languages) if reader == "easyocr" else (),
        frames_read=texts.frames_read,
        frames_carried=texts.frames_carried,
        frames_gated=texts.frames_gated,
        frames_extra=texts.frames_extra,
        regions_detected=summary.regions_detected,
        unread_detected=sum(len(frame.unread.scripts) for frame in texts.in_order if frame.origin == "read"),
        best_confidence=summary.best_confidence,
        unique_texts=summary.unique_texts,
        stickers_detected=len(found),
    )
    # A frame that was carried or gated was looked at, too: the gate's eyes saw that it holds no other text.
    observed = tuple(sorted(round(frame.timestamp_s, 6) for frame in texts.sampled))
    return OcrData(
        texts=summary.annotations, stickers=tuple(found), unread=unread, metadata=metadata, observed=observed
    )


def _ended(sticker: Sticker, until_s: float) -> Sticker:
    end_s = max(sticker.start_s, min(sticker.end_s, until_s))
    return sticker if end_s == sticker.end_s else sticker.model_copy(update={"end_s": end_s})
