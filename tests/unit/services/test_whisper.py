"""What the table at the end of a run says of the speech."""

from __future__ import annotations

from rumiai.contracts.services.whisper import LostSpeech, Segment, WhisperData, WhisperMetadata
from rumiai.services.whisper import WhisperService


def heard(text: str, language: str = "en", probability: float = 0.9, lost_s: float = 0.0) -> WhisperData:
    lost = (LostSpeech(start_s=5.0, end_s=5.0 + lost_s, reason="decoding loops"),) if lost_s else ()
    return WhisperData(
        text=text,
        segments=(Segment(start_s=0.0, end_s=2.0, text=text),) if text else (),
        language=language,
        duration_s=2.0 if text else 0.0,
        speech_lost=lost,
        metadata=WhisperMetadata(processed=True, language_probability=probability),
    )


def line(data: WhisperData) -> str:
    ((name, text),) = WhisperService().summary(data).lines
    assert name == "speech"
    return text


def test_the_line_names_words_language_and_the_first_sentence() -> None:
    assert line(heard("Wait for it.")) == "3 words, en: Wait for it."
    # Chinese has no blanks: a word is 1.7 characters.
    assert line(heard("大家好今天做饭", "zh")) == "4 words, zh: 大家好今天做饭"


def test_a_doubtful_language_and_lost_speech_are_told() -> None:
    assert line(heard("Wait.", "vi", 0.42)) == "1 words, vi?: Wait."
    assert line(heard("", lost_s=3.25)) == "0 words, 3.2 s of speech could not be decoded"
    assert not heard("", "vi", 0.42).doubtful_language
