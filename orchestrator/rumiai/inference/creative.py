"""The canonical data of the ``ocr`` service: texts and stickers over time, and what they were found with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from rumiai.contracts.frames import FrameDetections, Sampling
from rumiai.contracts.tensors import OcrEngineName
from rumiai.inference.ocr_gate import GatedTexts
from rumiai.inference.stickers import StickerFinder
from rumiai.inference.text_tracks import link_texts

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
) -> dict[str, Any]:
    """``creative_analysis`` data (docs: ml_outputs, section 5.3).

    Args:
        texts: The text of every frame.
        stickers: Has been fed every sampled frame.
        detections: Objects on the sampled frames.
        cuts_s: Times of the cuts, in any order.
        sampling: The grid.
        languages: Of EasyOCR.
        reader: ``easyocr`` or ``ppocr``.
    """
    cuts = sorted(cuts_s)
    summary = link_texts(texts.sampled, texts.after_cuts, cuts, sampling)
    found = stickers.finish(detections, cuts, texts.sampled)
    return {
        "textAnnotations": summary.annotations,
        "stickers": found,
        "metadata": {
            "engine": ENGINES[reader],
            "languages": list(languages) if reader == "easyocr" else [],
            **sampling.metadata(len(texts.sampled)),
            "frames_read": texts.frames_read,
            "frames_carried": texts.frames_carried,
            "frames_gated": texts.frames_gated,
            "frames_extra": texts.frames_extra,
            "regions_detected": summary.regions_detected,
            "best_confidence": summary.best_confidence,
            "unique_texts": summary.unique_texts,
            "stickers_detected": len(found),
        },
    }
