"""Texts and stickers on screen over time: OCR on the model server, stickers in the worker."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from rumiai.contracts.outcome import Summary
from rumiai.services.base import VideoContext, VisualInputs, VisualRun, VisualService, count_more

if TYPE_CHECKING:
    from pydantic import JsonValue

    from rumiai.contracts.services.ocr import OcrData, TextAnnotation
    from rumiai.contracts.timeline import TimelineEntry
    from rumiai.settings import Settings

# More would not fit a line of the terminal.
_MAX_TEXTS: Final = 6


class OcrService(VisualService["OcrData"]):
    """The service ``ocr``."""

    name = "ocr"
    file = "creative_analysis_outputs/{id}/{id}_creative_analysis.json"
    settings = ("sample_fps", "max_side_px", "mode")
    inputs = ("yolo", "whisper")
    server_model = "ocr"
    summary_place = 30

    def data_model(self) -> type[OcrData]:
        """See docs/outputs.md."""
        from rumiai.contracts.services.ocr import OcrData

        return OcrData

    def version(self, settings: Settings) -> str:
        """The engine, and the languages of EasyOCR."""
        from rumiai.contracts.tensors import ocr_reader
        from rumiai.inference.creative import ENGINES

        reader = ocr_reader(settings.ocr_engine, settings.mode)
        return ENGINES[reader] if reader == "ppocr" else f"easyocr-{settings.ocr_langs}"

    def weights(self, settings: Settings) -> tuple[str, ...]:
        """Of both engines: any request may ask the server for either."""
        return ("craft_mlt_25k.pth", "PP-OCRv6_det_small.onnx", "PP-OCRv6_rec_small.onnx")

    def start(self, inputs: VisualInputs) -> VisualRun:
        """Read the frames that may hold other text; at the end link the lines to appearances and tell their kinds."""
        from rumiai.contracts.services.whisper import WhisperData
        from rumiai.contracts.services.yolo import YoloData
        from rumiai.inference.objects import detections_of
        from rumiai.inference.text_kinds.classify import spoken_words, with_kinds
        from rumiai.inference.text_kinds.cues import Scenery
        from rumiai.inference.text_reader import TextReader

        reader = TextReader(
            inputs.client,
            inputs.sampling,
            inputs.tools.thread("ocr-gate"),
            languages=inputs.settings.ocr_langs.split(","),
            engine=inputs.settings.ocr_engine,
            strict=inputs.settings.mode == "strict",
            trail=inputs.trail,
        )

        def finish(context: VideoContext) -> OcrData:
            objects, speech = context.get(YoloData), context.get(WhisperData)
            found = detections_of(objects) if objects else ()
            data = reader.assemble(context.cuts_s, found, context.shown_until_s)
            words = None if speech is None else spoken_words(speech)
            seen = reader.looks, inputs.trail, sorted(context.cuts_s)
            return with_kinds(data, Scenery(*seen, words, inputs.sampling.step_s, inputs.sampling.duration_s))

        return VisualRun(reader, finish)

    def entries(self, data: OcrData) -> Iterable[TimelineEntry]:
        """One ``text`` or ``sticker`` per appearance, over the time that it was seen."""
        from rumiai.contracts.services.ocr import position_of
        from rumiai.contracts.timeline import TimelineEntry
        from rumiai.timeline.entries import picked

        for text in data.texts:
            payload = picked(
                text, "id", "text", "position", "size", "category", "confidence", "bbox", "kind", "kind_probability"
            )
            yield TimelineEntry(text.start_s, "text", payload, text.end_s, text)
        for sticker in data.stickers:
            payload = picked(sticker, "id", "type", "confidence", "bbox") | {"position": position_of(sticker.bbox)}
            yield TimelineEntry(sticker.start_s, "sticker", payload, sticker.end_s, sticker)

    def summary(self, data: OcrData | None) -> Summary:
        """The first overlays with their times, how much writing is there by kind, and how much was not read."""
        if data is None:
            return Summary(
                dict.fromkeys(("texts", "text_count", "scene_text_count", "unknown_text_count", "unread_texts"))
            )
        texts = [f"{item.text} ({item.start_s:.1f}-{item.end_s:.1f} s)" for item in data.texts if not _filmed(item)]
        shown = texts[:_MAX_TEXTS]
        scene, unknown = sum(text.is_scene for text in data.texts), sum(text.is_unknown for text in data.texts)
        counts = {"text_count": len(texts), "scene_text_count": scene, "unknown_text_count": unknown}
        beside = [f"{count} {what}" for count, what in ((scene, "in the scene"), (unknown, "of unknown kind")) if count]
        told = ("; ".join(shown) or "none") + count_more(len(texts) - len(shown))
        line = told + (f" (and {', '.join(beside)})" if beside else "")
        unread = Counter(item.script_guess for item in data.unread_writing())
        facts: dict[str, JsonValue] = {"texts": [*shown], **counts, "unread_texts": {**unread}}
        lines = [("texts", line)]
        if unread:
            lines.append(("unread", ", ".join(f"{count} in {script}" for script, count in sorted(unread.items()))))
        return Summary(facts, tuple(lines))


def _filmed(text: TextAnnotation) -> bool:
    return text.is_scene or text.is_unknown
