"""The kinds of a video's texts, written into them with their evidence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from rumiai.contracts.services.ocr import KindCue, OcrData, TextAnnotation
from rumiai.contracts.services.whisper import WhisperData, Word
from rumiai.inference.text_kinds.cues import Scenery, cues_of
from rumiai.inference.text_kinds.model import KindModel, kind_model

_DECIMALS: Final = 3


def with_kinds(data: OcrData, scenery: Scenery) -> OcrData:
    """The data whose texts say ``kind``, ``kind_probability`` and ``kind_evidence``, and whose metadata count them.

    A watermark has a kind as well; it counts in none.

    Args:
        data: Texts with their sightings.
        scenery: Of the same video.
    """
    model = kind_model()
    cues = cues_of(data.texts, scenery)
    texts = tuple(_judged(text, known.known(), model) for text, known in zip(data.texts, cues, strict=True))
    counts = {
        "overlay_texts": sum(text.is_overlay for text in texts),
        "scene_texts": sum(text.is_scene for text in texts),
        "unknown_texts": sum(text.is_unknown for text in texts),
    }
    return data.model_copy(update={"texts": texts, "metadata": data.metadata.model_copy(update=counts)})


def spoken_words(speech: WhisperData) -> list[Word]:
    """Every timed word of a transcript, by start."""
    return [word for segment in speech.segments for word in segment.words or ()]


def _judged(text: TextAnnotation, cues: Mapping[str, float], model: KindModel) -> TextAnnotation:
    rounded = {name: round(value, _DECIMALS) for name, value in cues.items()}
    overlay = model.probability(rounded)
    kind = model.kind(overlay)
    sure = overlay if kind == "overlay" else 1 - overlay if kind == "scene" else max(overlay, 1 - overlay)
    return text.model_copy(
        update={
            "kind": kind,
            "kind_probability": round(sure, _DECIMALS),
            "kind_evidence": _evidence(rounded, model),
        }
    )


def _evidence(cues: Mapping[str, float], model: KindModel) -> tuple[KindCue, ...]:
    """The cues that were measured, the weightiest first."""
    added = model.log_odds(cues)
    found = [
        KindCue(name=name, value=value, log_odds=round(added.get(name, 0.0), _DECIMALS)) for name, value in cues.items()
    ]
    return tuple(sorted(found, key=lambda cue: (-abs(cue.log_odds), cue.name)))
