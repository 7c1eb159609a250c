"""Long tracks in windows: where they are cut, what is asked for each, and the one transcript that comes of it."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rumiai.contracts.frames import AudioTrack, SharedSpan
from rumiai.contracts.transcript import Transcript
from rumiai.contracts.whisper import WhisperParams
from rumiai.errors import MLError
from rumiai.inference.sound_windows import LONGEST_S, SHORTEST_S, windows
from rumiai.inference.whisper import transcribe

RATE = 16_000


def noise(seconds: float, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-0.5, 0.5, int(seconds * RATE)).astype(np.float32)


@settings(max_examples=25, deadline=None)
@given(samples=st.integers(0, 400 * RATE), loud=st.booleans())
def test_windows_are_neighbours_of_bounded_length(samples: int, loud: bool) -> None:
    track = np.full(samples, 0.1 if loud else 0.0, np.float32)
    found = windows(track)
    assert [part.start for part in found] == [0, *(part.stop for part in found)][: len(found)]
    assert (found[-1].stop if found else 0) == samples
    for part in found[:-1]:
        assert SHORTEST_S * RATE <= part.stop - part.start <= LONGEST_S * RATE
    assert all(part.stop - part.start <= LONGEST_S * RATE for part in found)
    assert len(found) == (samples > 0) or samples > LONGEST_S * RATE


def test_a_cut_falls_into_the_pause() -> None:
    track = noise(200)
    for pause_s in (20.0, 61.3, 70.0, 124.9):  # 20 is too early; of 61.3 and 70 the first is the quieter one
        track[int(pause_s * RATE) : int((pause_s + 0.5) * RATE)] *= 0.02 if pause_s == 61.3 else 0.1
    first, second, _ = windows(track)
    assert 61.3 < first.stop / RATE < 61.8
    assert 124.9 < second.stop / RATE < 125.4


class Endpoint:
    """Answers with a segment of two words at the start of what it is sent, and remembers what that was."""

    def __init__(self, *answers: dict[str, Any]) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[Any, dict[str, Any]]] = []

    async def infer(self, _: Any, tensors: dict[str, Any], parameters: dict[str, Any]) -> dict[str, np.ndarray]:
        audio = tensors["AUDIO"]
        facts = self.answers[len(self.asked)]
        self.asked.append((audio, parameters))
        if "error" in facts:
            raise MLError(facts["error"])
        words = [
            {"word": f" w{i}", "start_s": 1.0 + i, "end_s": 1.5 + i, "probability": 0.9} for i in range(facts["words"])
        ]
        segment = {
            "start_s": 1.0, "end_s": 3.0, "text": "w0 w1", "avg_logprob": -0.1, "no_speech_prob": 0.0,
            "compression_ratio": 1.0, "words": words,
        }  # fmt: skip
        told = {
            "language": facts["language"], "language_probability": facts["probability"], "task": "transcribe",
            "duration_s": audio.array.shape[1] / RATE, "speech_s": facts["speech_s"],
            "segments": [segment] if words else [], "reason": None if words else facts["reason"],
            "engine": "ctranslate2", "model": "whisper-base", "compute_type": "int8",
        }  # fmt: skip
        return {"TRANSCRIPT": np.array([[json.dumps(told).encode()]], object)}


def heard(language: str | None, speech_s: float, words: int = 2, **facts: Any) -> dict[str, Any]:
    said = {"language": language, "speech_s": speech_s, "words": words}
    return {"probability": 0.9, "reason": "no speech", **said, **facts}


def ask(endpoint: Any, track: np.ndarray, language: str | None = None, **options: Any) -> Transcript | None:
    span = SharedSpan("region", "/region", 4096, track.nbytes)
    return asyncio.run(transcribe(endpoint, AudioTrack(track, RATE, span), WhisperParams(language), **options))


def test_windows_of_a_track_become_one_transcript_on_its_clock() -> None:
    track = noise(200)
    parts = windows(track)
    endpoint = Endpoint(heard("en", 40.0, probability=0.8), heard("en", 50.0, probability=1.0), heard("en", 0, words=0))
    progress: list[tuple[int, int]] = []
    found = ask(endpoint, track, progress=lambda done, of: progress.append((done, of)))
    assert found is not None
    for (audio, _), part in zip(endpoint.asked, parts, strict=True):
        np.testing.assert_array_equal(audio.array[0], track[part])
        assert (audio.span.offset_bytes, audio.span.size_bytes) == (4096 + 4 * part.start, audio.array.nbytes)
    second_s = parts[1].start / RATE
    assert [segment.start_s for segment in found.segments] == [1.0, second_s + 1.0]
    assert [(word.start_s, word.end_s) for word in found.segments[1].words] == [
        (second_s + 1.0, second_s + 1.5), (second_s + 2.0, second_s + 2.5),
    ]  # fmt: skip
    assert (found.language, found.language_probability, found.reason) == ("en", 0.8, None)
    assert (found.duration_s, found.speech_s) == (pytest.approx(200), 90.0)
    assert progress == [(0, 3), (1, 3), (2, 3), (3, 3)]


def test_a_language_holds_once_it_was_heard_in_enough_speech() -> None:
    endpoint = Endpoint(heard(None, 0.0, words=0), heard("cy", 2.0, probability=0.3), heard("de", 30.0), heard("de", 9))
    found = ask(endpoint, noise(260))
    assert [parameters.get("language") for _, parameters in endpoint.asked] == [None, None, None, "de"]
    assert found is not None
    assert (found.language, found.language_probability) == ("de", 0.9)


def test_a_language_that_is_given_is_asked_of_every_window() -> None:
    endpoint = Endpoint(heard("fr", 30.0, probability=1.0), heard("fr", 30.0, probability=1.0))
    found = ask(endpoint, noise(100), "fr")
    assert [parameters["language"] for _, parameters in endpoint.asked] == ["fr", "fr"]
    assert found is not None
    assert (found.language, found.language_probability) == ("fr", 1.0)


def test_without_words_the_window_with_most_speech_says_why() -> None:
    found = ask(
        Endpoint(heard(None, 0.0, words=0, reason="silence"), heard("en", 3.0, words=0, reason="humming")), noise(100)
    )
    assert found is not None
    assert (found.segments, found.reason, found.language) == ((), "humming", "en")


def test_a_short_track_is_one_request_and_an_empty_one_none() -> None:
    endpoint = Endpoint(heard("en", 40.0))
    track = noise(LONGEST_S)
    found = ask(endpoint, track)
    assert found is not None
    assert len(endpoint.asked) == 1
    assert endpoint.asked[0][0].span.size_bytes == track.nbytes
    assert ask(Endpoint(), noise(0)) is None


def test_a_window_that_fails_fails_the_track() -> None:
    with pytest.raises(MLError, match="out of memory"):
        ask(Endpoint(heard("en", 40.0), {"error": "out of memory"}), noise(100))
