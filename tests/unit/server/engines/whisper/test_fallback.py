"""A chunk whose decoding loops is decoded again; quiet voices are brought to a level; chunks have their languages."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.signal import resample_poly

from rumiai.contracts.transcript import EngineKind
from rumiai.contracts.whisper import SPEECH_DBFS, Task, WhisperParams
from rumiai.demo.sound import SAMPLE_RATE_HZ, speech
from rumiai_server.engines.whisper import languages
from rumiai_server.engines.whisper.batching import BatchingWhisper, Setup
from rumiai_server.engines.whisper.factory import make_engine
from rumiai_server.engines.whisper.fallback import AGAIN, FIRST, Attempt, loops
from rumiai_server.engines.whisper.level import cut_levelled, gain, level_dbfs
from rumiai_server.engines.whisper.pieces import Piece, Track
from rumiai_server.engines.whisper.vad import cut_at_silence

pytestmark = [
    pytest.mark.weights,
    pytest.mark.filterwarnings("ignore:unclosed file.*tiktoken:ResourceWarning"),
]

RATE = 16_000
Weights = Callable[[str], Path]


def voice(text: str, name: str = "en-us") -> np.ndarray:
    """A sentence at 16 kHz with half a second before and after it."""
    samples = resample_poly(speech(text, name, 150)[0], RATE, SAMPLE_RATE_HZ).astype(np.float32)
    return np.pad(samples, RATE // 2)


class Stuck(BatchingWhisper):
    """A decoder that says ``no`` without end until it is asked in one certain way."""

    kind = "openai"

    def __init__(self, helps: str | None) -> None:
        super().__init__(Setup("stuck", "none", "cpu", 1, 4), multilingual=True)
        self.helps = helps
        self.asked: list[tuple[str, int]] = []

    def _features(self, samples: np.ndarray) -> np.ndarray:
        return np.zeros((80, len(samples) // 160), np.float32)

    def _detect_languages(self, tracks: Sequence[Track]) -> list[tuple[str, float]]:
        return [("en", 0.9) for _ in tracks]

    def _languages(self, pieces: Sequence[Piece]) -> list[Mapping[str, float]]:
        return [{"en": 0.9} for _ in pieces]

    def _decode(self, pieces: Sequence[Piece], language: str, params: WhisperParams, attempt: Attempt) -> None:
        self.asked.append((attempt.name, len(pieces)))
        for piece in pieces:
            tokens = [1] if attempt.name == self.helps else [0] * 100
            piece.drafts = [{"start": piece.offset_s, "end": piece.offset_s + piece.duration_s, "tokens": tokens}]
            piece.avg_logprob = -0.5 if attempt.name == self.helps else -0.1

    def _text(self, tokens: Sequence[int], language: str, task: Task) -> str:
        return "".join(" hello" if token else " no" for token in tokens)


def test_attempts_go_on_until_one_does_not_loop() -> None:
    track = voice("Every morning I walk along the river.")
    engine = Stuck(helps="temperature 0.2")
    found = engine.transcribe([(track, WhisperParams(fallback=True)), (track, WhisperParams(fallback=True))])
    # Both first, then each alone: an answer does not depend on its neighbours.
    again = [("no repeats", 1), ("temperature 0.2", 1)]
    assert engine.asked == [("first", 2), *again, *again]
    for transcript in found:
        (segment,) = transcript.segments
        assert (segment.text, segment.decoding, segment.loops) == ("hello", "temperature 0.2", False)


def test_what_loops_in_every_way_says_so() -> None:
    engine = Stuck(helps=None)
    (found,) = engine.transcribe([(voice("Every morning I walk along the river."), WhisperParams(fallback=True))])
    assert [name for name, _ in engine.asked] == [FIRST.name, *(attempt.name for attempt in AGAIN)]
    (segment,) = found.segments
    assert segment.loops
    start_s, end_s = segment.chunk_s
    # The detector pads a voice, which is there from 0.5 to some 2.5 s, by up to 0.4 s.
    assert 0.05 < start_s < 0.55
    assert 2.3 < end_s < 3.3


def test_without_fallback_a_loop_is_named_and_left_as_it_is() -> None:
    engine = Stuck(helps="no repeats")
    (found,) = engine.transcribe([(voice("Every morning I walk along the river."), WhisperParams())])
    assert engine.asked == [("first", 1)]
    assert (found.segments[0].text, found.segments[0].loops) == (" ".join(["no"] * 100), True)


def test_a_repetition_that_is_spoken_is_no_loop() -> None:
    sound, words = speech("no " * 12, "en-us", 150)
    samples = resample_poly(sound, RATE, SAMPLE_RATE_HZ).astype(np.float32)
    timed = [{"word": " no", "start": word.start_s, "end": word.end_s} for word in words]
    draft = {"start": 0.0, "end": len(samples) / RATE, "tokens": [], "words": timed}
    assert not loops([draft], [" no" * 12], samples, 0.0)
    other = voice("Every morning I walk along the river with my dog.")
    assert loops([draft], [" no" * 12], other, 0.0)


@pytest.mark.parametrize("kind", ["ctranslate2", "openai"])
def test_both_engines_decode_in_every_way(kind: EngineKind, weights: Weights) -> None:
    engine = make_engine(kind, weights("whisper-tiny.en-ct2"), device="cpu", threads=2)
    samples = voice("Every morning I walk along the river with my dog.")
    cut = cut_at_silence(samples)
    track = Track(WhisperParams(), len(samples), cut, "en", 1.0)
    texts = []
    for attempt in (AGAIN[0], AGAIN[1], AGAIN[1]):
        piece = Piece(track, cut.chunks[0], 0, language="en", features=engine._features(cut.chunks[0].samples))
        engine._attempt([piece], attempt)
        texts.append("".join(engine._text(draft["tokens"], "en", "transcribe") for draft in piece.drafts))
        assert all(draft["words"] for draft in piece.drafts)
    assert all("river" in text for text in texts)
    # Drawn, and the same from run to run.
    assert texts[1] == texts[2]


def test_no_run_of_three_tokens_is_written_twice() -> None:
    from rumiai_server.engines.whisper.openai import NoRepeats

    logits = torch.zeros(2, 10)
    # After the prompt (9, 9) the first row has 1 2 3 1 2: 3 would repeat; the second has no run that could.
    NoRepeats(3, 2).apply(logits, torch.tensor([[9, 9, 1, 2, 3, 1, 2], [9, 9, 1, 2, 3, 4, 5]]))
    assert torch.isinf(logits).nonzero().tolist() == [[0, 3]]


@pytest.mark.parametrize("dbfs", [-3.0, -20.0, -45.0, -60.0])
def test_a_voice_is_brought_to_its_level_and_never_clipped(dbfs: float) -> None:
    samples = voice("Every morning I walk along the river with my dog.")
    samples *= min(10 ** ((dbfs - level_dbfs(samples)) / 20), 1 / float(np.abs(samples).max()))
    cut = cut_levelled(samples.astype(np.float32))
    heard = np.concatenate([chunk.samples for chunk in cut.chunks])
    assert np.abs(heard).max() <= 1.0
    assert level_dbfs(heard) == pytest.approx(SPEECH_DBFS, abs=0.5)
    assert cut.speech_s == pytest.approx(
        cut_levelled(voice("Every morning I walk along the river with my dog.")).speech_s, abs=0.2
    )


def test_the_gain_stops_at_full_scale_and_at_silence() -> None:
    peaky = np.full(RATE, 1e-3, np.float32)
    peaky[100] = 0.5
    assert gain(peaky) == pytest.approx(0.99 / 0.5)
    assert gain(np.zeros(RATE, np.float32)) == 1.0
    assert level_dbfs(np.zeros(0, np.float32)) == -np.inf
    # No more than 60 dB: a recorder's noise is not made a voice.
    assert gain(np.full(RATE, 1e-5, np.float32)) == pytest.approx(1000)


def test_silence_and_noise_are_not_raised_into_speech() -> None:
    rng = np.random.default_rng(3)
    for level in (0.0, 1e-5, 1e-3, 0.1):
        assert cut_levelled((level * rng.standard_normal(5 * RATE)).astype(np.float32)).chunks == ()


def test_a_chunk_keeps_to_the_language_of_its_track_unless_it_is_long_and_sure() -> None:
    rows = [{"en": 0.9, "de": 0.1}, {"en": 0.2, "de": 0.8}]
    assert languages.of_track(rows, [20.0, 10.0]) == ("en", pytest.approx((0.9 * 20 + 0.2 * 10) / 30))
    assert languages.of_chunk({"en": 0.1, "de": 0.9}, 10.0, "en") == ("de", 0.9)
    assert languages.of_chunk({"en": 0.1, "de": 0.9}, 2.0, "en") == ("en", 0.1)
    assert languages.of_chunk({"en": 0.3, "de": 0.7}, 10.0, "en") == ("en", 0.3)


def test_each_chunk_is_transcribed_in_its_own_language(weights: Weights) -> None:
    english = voice("Today I will show you how to bake bread at home. First you need flour and water. " * 4)
    spanish = voice("Hola amigos, hoy vamos a cocinar una tortilla. Necesitamos tres huevos y aceite. " * 4, "es")
    engine = make_engine("ctranslate2", weights("whisper-base-ct2"), device="cpu", threads=2)
    (found,) = engine.transcribe([(np.concatenate([english, spanish]), WhisperParams(multilingual=True))])
    first, last = found.segments[0], found.segments[-1]
    assert (first.language, last.language) == ("en", "es")
    assert "bread" in first.text
    assert "tortilla" in found.text
    assert "aceite" in last.text


def test_a_chunk_that_is_not_sure_has_rivals_and_the_likeliest_text_decides() -> None:
    row = {"vi": 0.42, "en": 0.28, "th": 0.1, "km": 0.06, "lo": 0.05, "zh": 0.01}
    assert languages.rivals(row, ("vi", 0.42)) == (("en", 0.28), ("th", 0.1), ("km", 0.06))
    assert languages.rivals({"en": 0.8, "de": 0.2}, ("en", 0.8)) == ()
    # The text in English is much likelier; that in Vietnamese loops.
    best, probability = languages.likeliest([0.42, 0.28, 0.1], [(-0.15, True), (-0.6, False), (-0.8, False)])
    assert best == 1
    # Of .38 together: .28 e^-6 beside .1 e^-8. What Vietnamese had stays doubt.
    assert probability == pytest.approx(0.38 * 0.28 / (0.28 + 0.1 * np.exp(-2)))
    assert languages.likeliest([0.5, 0.4], [(-0.2, True), (-0.9, True)])[0] == 0


def test_a_short_sentence_that_sounds_vietnamese_is_english(weights: Weights) -> None:
    engine = make_engine("ctranslate2", weights("whisper-base-ct2"), device="cpu", threads=2)
    track = voice("My name is Anna and I live in London.")
    (found,) = engine.transcribe([(track, WhisperParams(level=True, fallback=True, multilingual=True))])
    # The comma depends on the processor's arithmetic.
    assert (found.language, found.text.replace(",", "")) == ("en", "My name is Anna and I live in London.")
    assert found.language_probability is not None
    assert found.language_probability < 1.0
