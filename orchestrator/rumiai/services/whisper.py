"""What is said, word by word: Whisper on the model server."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from rumiai.contracts.outcome import Summary
from rumiai.core.json_values import JsonValue
from rumiai.services.base import AudioInputs, AudioService

if TYPE_CHECKING:
    from rumiai.contracts.services.whisper import WhisperData
    from rumiai.contracts.timeline import TimelineEntry
    from rumiai.settings import Settings


class WhisperService(AudioService["WhisperData"]):
    """The service ``whisper``; a video without sound has a transcript without words."""

    name = "whisper"
    file = "speech_transcriptions/{id}_whisper.json"
    settings = ("mode", "language")
    server_model = "whisper"
    summary_place = 20

    def data_model(self) -> type[WhisperData]:
        """See docs/outputs.md."""
        from rumiai.contracts.services.whisper import WhisperData

        return WhisperData

    def version(self, settings: Settings) -> str:
        """Model and engine."""
        return f"whisper-{Path(settings.whisper_model).name}-{settings.whisper_engine}"

    def weights(self, settings: Settings) -> tuple[str, ...]:
        """The model for CTranslate2, which both engines read."""
        return (f"whisper-{settings.whisper_model}-ct2",)

    async def run(self, inputs: AudioInputs) -> WhisperData:
        """Transcribe the whole track, window by window."""
        from rumiai.inference import whisper
        from rumiai.inference.repetitions import Sound
        from rumiai.inference.transcript import assemble
        from rumiai.media.endings import heard

        track = inputs.track
        stretches = heard(track, inputs.video.info.duration_s)
        if track is None:
            return assemble(None, has_audio=False, audio_duration_s=0.0).observing(stretches)
        params = whisper.params_for(inputs.settings.language, inputs.settings.mode)
        payload = await whisper.transcribe(inputs.client, track, params, inputs.progress)
        strict = inputs.settings.mode == "strict"
        return assemble(
            payload,
            has_audio=True,
            audio_duration_s=track.duration_s,
            audio_offset_s=track.offset_s,
            sound=None if strict else Sound(track.samples, track.sample_rate_hz, track.offset_s),
        ).observing(stretches)

    def entries(self, data: WhisperData) -> Iterable[TimelineEntry]:
        """One ``speech`` per segment."""
        from rumiai.contracts.timeline import TimelineEntry

        for segment in data.segments:
            payload = {
                "text": segment.text,
                "confidence": segment.confidence,
                "language": data.language,
                "words": [word.to_json() for word in segment.words or ()],
            }
            yield TimelineEntry(segment.start_s, "speech", payload, segment.end_s, segment)

    def summary(self, data: WhisperData | None) -> Summary:
        """Words, language and the first sentence, and what could not be decoded."""
        from rumiai.metrics.shared.words import word_count

        if data is None:
            return Summary({"words": None, "language": None, "first_sentence": None})
        words = word_count(data.text)
        first = data.segments[0].text if data.segments else None
        facts: dict[str, JsonValue] = {"words": words, "language": data.language, "first_sentence": first}
        doubt = "?" if data.doubtful_language else ""
        said = f"{words} words" + (f", {data.language}{doubt}" if words else "")
        said += f", {data.lost_s:.1f} s of speech could not be decoded" if data.lost_s else ""
        return Summary(facts, (("speech", f"{said}: {first}" if first else said),))
