"""The language of each stretch of a chunk: hand cases, properties, and voices that change their language."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import resample_poly

from rumiai.contracts.transcript import Transcript
from rumiai.contracts.whisper import WhisperParams
from rumiai.demo.sound import SAMPLE_RATE_HZ, speech
from rumiai_server.engines.whisper.factory import make_engine
from rumiai_server.engines.whisper.pieces import encoder_frames
from rumiai_server.engines.whisper.stretches import LEAST_S, changes, joined
from rumiai_server.engines.whisper.types import WhisperEngine
from rumiai_server.engines.whisper.vad import cut_at_silence

# openai-whisper opens its tokenizer's file and leaves the closing to the interpreter.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed file.*tiktoken:ResourceWarning")

RATE = 16_000
ENGLISH = {"en": 0.9, "es": 0.02, "de": 0.02}
SPANISH = {"en": 0.02, "es": 0.9, "de": 0.02}
ASKED = WhisperParams(level=True, fallback=True, multilingual=True)


@pytest.mark.parametrize(
    ("rows", "durations_s", "runs"),
    [
        ([ENGLISH], [3.0], [(0, 1)]),
        ([ENGLISH] * 3, [3.0] * 3, [(0, 3)]),
        ([ENGLISH, SPANISH], [3.0, 3.0], [(0, 1), (1, 2)]),
        ([ENGLISH, ENGLISH, SPANISH], [1.0, 2.0, 3.0], [(0, 2), (2, 3)]),
        # There and back: no single cut helps, two do.
        ([ENGLISH, SPANISH, ENGLISH], [3.0] * 3, [(0, 1), (1, 2), (2, 3)]),
        # A word in another language is none.
        ([ENGLISH, SPANISH, ENGLISH], [3.0, 0.8, 3.0], [(0, 3)]),
        ([ENGLISH, SPANISH], [0.8, 0.8], [(0, 2)]),
        # One that is not sure changes nothing.
        ([ENGLISH, {"en": 0.3, "es": 0.35}], [3.0, 3.0], [(0, 2)]),
    ],
)
def test_runs_of_one_language(rows, durations_s, runs):
    assert changes(rows, durations_s) == runs


@given(st.lists(st.tuples(st.floats(0.0, 1.0), st.floats(0.1, 10.0)), min_size=1, max_size=12))
def test_runs_cover_all_and_are_long_enough(stretches):
    rows = [{"en": chance, "es": 1 - chance} for chance, _ in stretches]
    lengths = [length for _, length in stretches]
    runs = changes(rows, lengths)
    assert [run[0] for run in runs] == [0, *(run[1] for run in runs[:-1])]
    assert runs[-1][1] == len(rows)
    assert len(runs) == 1 or all(sum(lengths[a:b]) >= LEAST_S - 1e-9 for a, b in runs)


@given(st.lists(st.tuples(st.floats(0.5, 1.0), st.floats(0.1, 10.0)), min_size=1, max_size=12))
def test_stretches_that_all_favour_one_language_are_one_run(stretches):
    rows = [{"en": chance, "es": (1 - chance) / 2, "de": (1 - chance) / 2} for chance, _ in stretches]
    assert changes(rows, [length for _, length in stretches]) == [(0, len(rows))]


@pytest.mark.parametrize(
    ("found", "held"),
    [
        ([("en", 0.9), ("es", 0.8)], [((0, 5), "en", 0.9), ((5, 9), "es", 0.8)]),
        ([("en", 0.9), ("en", 0.7)], [((0, 9), "en", 0.7)]),
        ([("en", 0.9), ("es", 0.4)], [((0, 9), "en", 0.9)]),
        ([("en", 0.4), ("es", 0.9)], [((0, 9), "es", 0.9)]),
        ([("en", 0.4), ("es", 0.5)], []),
    ],
)
def test_only_sure_languages_make_a_part(found, held):
    assert joined([(0, 5), (5, 9)], found) == held


@pytest.mark.parametrize(("span", "rows"), [((0, 640), (0, 2)), ((320, 480_000), (1, 1500)), ((100, 110), (0, 1))])
def test_rows_of_the_encoder_by_samples(span, rows):
    found = encoder_frames(span)
    assert (found.start, found.stop) == rows


def sentences(*said: tuple[str, str], pause_s: float = 0.4) -> np.ndarray:
    """Sentences by eSpeak NG, each with its voice, over faint noise."""
    pause = np.zeros(int(pause_s * RATE))
    parts = [pause]
    for text, voice in said:
        parts += [resample_poly(speech(text, voice)[0], RATE, SAMPLE_RATE_HZ), pause]
    track = np.concatenate(parts)
    return (track + 1e-4 * np.random.default_rng(0).standard_normal(len(track))).astype(np.float32)


ENGLISH_SPANISH = (
    ("Please follow me for more tips like this one.", "en-us+m7"),
    ("Si te gusta este video, deja un comentario.", "es+m3"),
)
GERMAN_ENGLISH = (
    ("Wenn euch das Video gefallen hat, schreibt mir einen Kommentar.", "de+f2"),
    ("Today I will show you how to make bread at home.", "en-us+Alex"),
)


def spoken_languages(found: Transcript) -> list[tuple[str | None, str]]:
    """Language and words of each run of segments in one language."""
    runs: list[tuple[str | None, str]] = []
    for segment in found.segments:
        if runs and runs[-1][0] == segment.language:
            runs[-1] = (segment.language, f"{runs[-1][1]} {segment.text}")
        else:
            runs.append((segment.language, segment.text))
    return runs


@pytest.fixture(scope="module")
def base(weights: Callable[[str], Path]) -> WhisperEngine:
    return make_engine("ctranslate2", weights("whisper-base-ct2"), device="cpu", threads=2)


@pytest.mark.weights
@pytest.mark.parametrize(
    ("said", "languages", "words"),
    [
        (ENGLISH_SPANISH, ["en", "es"], ["follow me for more tips", "deja un comentario"]),
        (GERMAN_ENGLISH, ["de", "en"], ["schreibt mir einen Kommentar", "bread at home"]),
    ],
    ids=["English, Spanish", "German, English"],
)
def test_a_change_of_language_within_a_chunk(base: WhisperEngine, said, languages, words) -> None:
    track = sentences(*said)
    assert len(cut_at_silence(track).chunks) == 1
    (found,) = base.transcribe([(track, ASKED)])
    runs = spoken_languages(found)
    assert [code for code, _ in runs] == languages
    assert all(part in text for part, (_, text) in zip(words, runs, strict=True))
    starts = [word.start_s for segment in found.segments for word in segment.words]
    assert starts == sorted(starts)
    assert found.language in languages


@pytest.mark.weights
def test_openai_splits_alike(weights: Callable[[str], Path]) -> None:
    engine = make_engine("openai", weights("whisper-base-ct2"), device="cpu", threads=2)
    (found,) = engine.transcribe([(sentences(*ENGLISH_SPANISH), ASKED)])
    assert [code for code, _ in spoken_languages(found)] == ["en", "es"]


@pytest.mark.weights
def test_one_language_is_decoded_as_one_chunk(base: WhisperEngine) -> None:
    track = sentences(ENGLISH_SPANISH[0], GERMAN_ENGLISH[1])
    named = WhisperParams(language="en", level=True, fallback=True)
    found, told = base.transcribe([(track, ASKED), (track, named)])
    assert len(cut_at_silence(track).chunks[0].borders) >= 1
    assert [(s.text, s.start_s, s.chunk_s) for s in found.segments] == [
        (s.text, s.start_s, s.chunk_s) for s in told.segments
    ]


def test_borders_are_the_pauses_of_each_chunk() -> None:
    track = sentences(*[ENGLISH_SPANISH[0], GERMAN_ENGLISH[1]] * 6)
    cut = cut_at_silence(track)
    assert len(cut.chunks) > 1
    for chunk in cut.chunks:
        edges = [0, *chunk.borders, len(chunk.samples)]
        assert all(start < stop for start, stop in pairwise(edges))
        part = chunk.part(*edges[1:3])
        np.testing.assert_array_equal(part.samples, chunk.samples[edges[1] : edges[2]])
        assert part.offset_s == pytest.approx(chunk.offset_s + edges[1] / RATE)
        assert part.borders == ()
