"""The canonical data of the ``ocr`` service: texts and stickers over time, and what they were found with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from rumiai.contracts.frames import FrameDetections, Sampling
from rumiai.inference.ocr_gate import GatedTexts
from rumiai.inference.stickers import StickerFinder
from rumiai.inference.text_tracks import link_texts

ENGINE: Final = "easyocr-1.7"


def assemble(
    texts: GatedTexts,
    stickers: StickerFinder,
    detections: Sequence[FrameDetections],
    cuts_s: Sequence[float],
    sampling: Sampling,
    languages: Sequence[str] = ("en",),
) -> dict[str, Any]:
    """``creative_analysis`` data (docs: ml_outputs, section 5.3).

    Args:
        texts: The text of every frame.
        stickers: Has been fed every sampled frame.
        detections: Objects on the sampled frames.
        cuts_s: Times of the cuts, in any order.
        sampling: The grid.
        languages: Of the OCR model.
    """
    cuts = sorted(cuts_s)
    summary = link_texts(texts.sampled, texts.after_cuts, cuts, sampling)
    found = stickers.finish(detections, cuts, texts.sampled)
    return {
        "textAnnotations": summary.annotations,
        "stickers": found,
        "metadata": {
            "engine": ENGINE,
            "languages": list(languages),
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
