"""The Whisper engines beside the libraries that they are made of, on real speech."""

from __future__ import annotations

import _ctypes
import json
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from ctypes.util import find_library
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import get_args

import av
import faster_whisper
import faster_whisper.tokenizer
import faster_whisper.vad
import numpy as np
import pytest
import whisper
import whisper.tokenizer
from faster_whisper.utils import get_assets_path

from rumiai.contracts.tensors import MAX_AUDIO_S
from rumiai.contracts.transcript import EngineKind, Transcript, TranscriptSegment
from rumiai.contracts.whisper import LANGUAGES, TASKS, Task, WhisperParams
from rumiai.errors import ConfigurationError, ContractError, WeightsError
from rumiai_server.engines.shared.cuda_libraries import CUBLAS_12
from rumiai_server.engines.whisper.batching import MAX_ROUNDS, BatchingWhisper, Setup
from rumiai_server.engines.whisper.factory import make_engine
from rumiai_server.engines.whisper.fallback import Attempt
from rumiai_server.engines.whisper.openai import load_model
from rumiai_server.engines.whisper.pieces import Piece, Track, split_at_timestamps
from rumiai_server.engines.whisper.types import MAX_PEAK, WhisperEngine
from rumiai_server.engines.whisper.vad import MIN_SILENCE_MS, WINDOWS_PER_RUN, cut_at_silence

pytestmark = [
    pytest.mark.weights,
    # openai-whisper opens its tokenizer's file and leaves the closing to the interpreter.
    pytest.mark.filterwarnings("ignore:unclosed file.*tiktoken:ResourceWarning"),
]

Weights = Callable[[str], Path]
RATE = 16_000
TRUTH = [
    *("and", "so", "my", "fellow", "americans"),
    *("ask", "not", "what", "your", "country", "can", "do", "for", "you"),
    *("ask", "what", "you", "can", "do", "for", "your", "country"),
]
# The settings that make faster-whisper's pipeline the reference.
REFERENCE = {
    "vad_filter": True,
    "temperature": 0,
    "condition_on_previous_text": False,
    "without_timestamps": False,
}


@lru_cache(maxsize=1)
def speech() -> np.ndarray:
    resampler = av.AudioResampler("flt", "mono", RATE)
    with av.open(str(Path(__file__).parents[4] / "data/jfk.opus")) as file:
        frames = [part for frame in [*file.decode(audio=0), None] for part in resampler.resample(frame)]
    samples = np.concatenate([frame.to_ndarray()[0] for frame in frames])
    samples.setflags(write=False)
    return samples


def silence(seconds: float) -> np.ndarray:
    return np.zeros(int(seconds * RATE), np.float32)


def two_chunks() -> np.ndarray:
    """36 s with more speech than one window holds, and pauses."""
    return np.concatenate([silence(1), speech(), silence(1.5), speech(), silence(0.5), speech(), silence(1)])


def words_of(text: str) -> list[str]:
    return "".join(char for char in text.lower() if char.isalpha() or char == " ").split()


def word_errors(said: list[str], truth: list[str]) -> int:
    row = list(range(len(truth) + 1))
    for i, word in enumerate(said, 1):
        previous, row[0] = row[0], i
        for j, wanted in enumerate(truth, 1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (word != wanted))
    return row[-1]


@pytest.fixture(scope="module")
def base(weights: Weights) -> WhisperEngine:
    return make_engine("ctranslate2", weights("whisper-base-ct2"), device="cpu", threads=2)


@pytest.fixture(scope="module")
def tiny(weights: Weights) -> WhisperEngine:
    return make_engine("ctranslate2", weights("whisper-tiny.en-ct2"), device="cpu", threads=2)


@pytest.fixture(scope="module")
def by_openai(weights: Weights) -> Transcript:
    engine = make_engine("openai", weights("whisper-tiny.en-ct2"), device="cpu", threads=2)
    return engine.transcribe([(speech(), WhisperParams())])[0]


def pipeline(folder: Path) -> faster_whisper.BatchedInferencePipeline:
    model = faster_whisper.WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=2)
    return faster_whisper.BatchedInferencePipeline(model)


def plain(segment: TranscriptSegment | faster_whisper.transcribe.Segment) -> tuple:
    """A segment of either side as what must be equal."""
    if isinstance(segment, TranscriptSegment):
        words = [(word.word, word.start_s, word.end_s, word.probability) for word in segment.words]
        span = (segment.start_s, segment.end_s)
    else:
        words = [(word.word, word.start, word.end, word.probability) for word in segment.words or ()]
        span = (segment.start, segment.end)
    facts = (segment.avg_logprob, segment.no_speech_prob, segment.compression_ratio)
    return (segment.text.strip(), *span, *facts, words)


def assert_equal(ours: Transcript, theirs: list[faster_whisper.transcribe.Segment]) -> None:
    kept = [plain(segment) for segment in ours.segments if not segment.recovered]
    expected = [plain(segment) for segment in theirs if segment.text.strip()]
    assert [row[0] for row in kept] == [row[0] for row in expected]
    for got, want in zip(kept, expected, strict=True):
        assert got[1:6] == pytest.approx(want[1:6], abs=1e-4)
        assert [word[0] for word in got[6]] == [word[0] for word in want[6]]
        for word, reference in zip(got[6], want[6], strict=True):
            assert word[1:] == pytest.approx(reference[1:], abs=1e-4)


def test_languages_and_tasks_are_whispers_own() -> None:
    assert tuple(whisper.tokenizer.LANGUAGES) == LANGUAGES
    assert sorted(faster_whisper.tokenizer._LANGUAGE_CODES) == sorted(LANGUAGES)
    assert get_args(Task) == TASKS == faster_whisper.tokenizer._TASKS


def test_base_equals_the_batched_pipeline(base: WhisperEngine, weights: Weights) -> None:
    theirs, info = pipeline(weights("whisper-base-ct2")).transcribe(speech(), word_timestamps=True, **REFERENCE)
    (ours,) = base.transcribe([(speech(), WhisperParams())])
    assert_equal(ours, list(theirs))
    assert ours.language == info.language == "en"
    # The track is one chunk, and read without the frame that the pipeline appends.
    assert ours.language_probability == pytest.approx(info.language_probability, abs=0.02)
    assert (ours.duration_s, ours.speech_s) == pytest.approx((info.duration, info.duration_after_vad))
    assert words_of(ours.text) == TRUTH
    assert (ours.model, ours.engine, ours.compute_type) == ("whisper-base", "ctranslate2", "int8")


@pytest.mark.parametrize("with_words", [True, False])
def test_tiny_equals_the_batched_pipeline_over_several_chunks(
    tiny: WhisperEngine, weights: Weights, with_words: bool
) -> None:
    reference = pipeline(weights("whisper-tiny.en-ct2"))
    theirs, _ = reference.transcribe(two_chunks(), word_timestamps=with_words, **REFERENCE)
    (ours,) = tiny.transcribe([(two_chunks(), WhisperParams(word_timestamps=with_words))])
    assert len(cut_at_silence(two_chunks()).chunks) == 2
    assert_equal(ours, list(theirs))


def test_speech_that_the_pipeline_loses_at_the_end_of_a_chunk_is_recovered(
    base: WhisperEngine, weights: Weights
) -> None:
    track = np.concatenate([np.append(speech(), silence(1)) for _ in range(3)])
    truth = TRUTH * 3
    (ours,) = base.transcribe([(track, WhisperParams())])
    theirs, info = pipeline(weights("whisper-base-ct2")).transcribe(track, word_timestamps=True, **REFERENCE)
    found = list(theirs)
    assert_equal(ours, found)
    assert ours.language_probability == pytest.approx(info.language_probability, abs=1e-5)
    lost = word_errors(words_of(" ".join(segment.text for segment in found)), truth)
    assert word_errors(words_of(ours.text), truth) <= lost
    starts = [segment.start_s for segment in ours.segments]
    assert starts == sorted(starts)


def test_tracks_of_one_call_equal_calls_of_their_own(tiny: WhisperEngine) -> None:
    items = [
        (speech(), WhisperParams()),
        (silence(2), WhisperParams()),
        (two_chunks(), WhisperParams(word_timestamps=False)),
        (speech()[: 5 * RATE], WhisperParams()),
    ]
    together = tiny.transcribe(items)
    alone = [tiny.transcribe([item])[0] for item in items]
    for one, other in zip(together, alone, strict=True):
        assert [segment.text for segment in one.segments] == [segment.text for segment in other.segments]
        for left, right in zip(one.segments, other.segments, strict=True):
            assert plain(left)[1:6] == pytest.approx(plain(right)[1:6], abs=1e-4)
            assert [word.start_s for word in left.words] == [word.start_s for word in right.words]


def test_languages_and_tasks_mix_in_one_call(base: WhisperEngine) -> None:
    short = speech()[: 4 * RATE]
    german, detected = base.transcribe([(short, WhisperParams(language="de")), (short, WhisperParams())])
    assert (german.language, german.language_probability) == ("de", 1.0)
    assert detected.language == "en"
    assert 0.5 < (detected.language_probability or 0) < 1.0
    assert "americans" in words_of(detected.text)


def test_openai_equals_openai_whispers_own_transcription(by_openai: Transcript, weights: Weights) -> None:
    ours = by_openai
    cut = cut_at_silence(speech())
    (chunk,) = cut.chunks
    theirs = whisper.transcribe(
        load_model(weights("whisper-tiny.en-ct2")),
        np.array(chunk.samples),
        temperature=0,
        condition_on_previous_text=False,
        word_timestamps=True,
        fp16=False,
        language="en",
    )["segments"]
    assert [segment.text for segment in ours.segments] == [segment["text"].strip() for segment in theirs]
    assert words_of(ours.text) == TRUTH
    for segment, reference in zip(ours.segments, theirs, strict=True):
        got = (segment.avg_logprob, segment.no_speech_prob)
        assert got == pytest.approx((reference["avg_logprob"], reference["no_speech_prob"]), abs=1e-4)
        assert [(word.word, word.start_s, word.end_s) for word in segment.words] == [
            (word["word"], *cut.clock.interval(word["start"], word["end"])) for word in reference["words"]
        ]
        assert (segment.start_s, segment.end_s) == (segment.words[0].start_s, segment.words[-1].end_s)
    assert (ours.model, ours.engine, ours.compute_type) == ("whisper-tiny.en", "openai", "float32")


def test_both_engines_agree(by_openai: Transcript, tiny: WhisperEngine) -> None:
    (other,) = tiny.transcribe([(speech(), WhisperParams())])
    assert words_of(by_openai.text) == words_of(other.text) == TRUTH
    starts = [[word.start_s for segment in found.segments for word in segment.words] for found in (by_openai, other)]
    assert starts[0] == pytest.approx(starts[1], abs=0.3)


@pytest.mark.parametrize(
    "track",
    [
        np.zeros(0, np.float32),
        silence(0.05),
        silence(3),
        (0.3 * np.sin(2 * np.pi * 440 * np.arange(5 * RATE) / RATE)).astype(np.float32),
        (0.1 * np.random.default_rng(0).standard_normal(5 * RATE)).astype(np.float32),
        sum(0.1 * np.sin(2 * np.pi * f * np.arange(5 * RATE) / RATE) for f in (220, 277, 330)).astype(np.float32),
    ],
    ids=["empty", "50 ms", "silence", "tone", "noise", "chord"],
)
def test_no_speech_gives_no_text_and_no_language(base: WhisperEngine, track: np.ndarray) -> None:
    (found,) = base.transcribe([(track, WhisperParams())])
    assert (found.language, found.language_probability, found.segments) == (None, None, ())
    assert found.speech_s == 0.0
    assert found.reason == ("the track is empty" if len(track) == 0 else "the voice activity detector found no speech")
    assert found.duration_s == len(track) / RATE


def test_speech_of_50_ms_and_overshooting_samples_are_taken(tiny: WhisperEngine) -> None:
    loud = speech() / np.abs(speech()).max() * 1.5
    short, clipped = tiny.transcribe([(speech()[RATE : RATE + 800], WhisperParams()), (loud, WhisperParams())])
    assert short.duration_s == 0.05
    assert words_of(clipped.text) == TRUTH


def test_the_detector_hands_its_state_on_from_run_to_run(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(5)
    track = np.tile(speech(), 9) * np.repeat(rng.uniform(0, 1, 99), RATE)[: 9 * len(speech())].astype(np.float32)
    assert len(track) > 2 * WINDOWS_PER_RUN * 512
    cut = cut_at_silence(track)
    upstream = faster_whisper.vad.SileroVADModel(f"{get_assets_path()}/silero_vad_v6.onnx")
    monkeypatch.setattr(faster_whisper.vad, "get_vad_model", lambda: upstream)
    options = faster_whisper.vad.VadOptions(max_speech_duration_s=30, min_silence_duration_ms=MIN_SILENCE_MS)
    spans = faster_whisper.vad.get_speech_timestamps(track, options)
    assert len(spans) > 10
    whole = np.concatenate([track[span["start"] : span["end"]] for span in spans])
    np.testing.assert_array_equal(np.concatenate([chunk.samples for chunk in cut.chunks]), whole)
    assert cut.speech_s == len(whole) / RATE


def test_speech_without_pauses_is_cut_at_the_window() -> None:
    # The pauses taken out: longer than a window, with nothing to cut at.
    track = np.tile(speech()[int(0.3 * RATE) : int(2.0 * RATE)], 22)
    cut = cut_at_silence(track)
    assert cut.speech_s > 30
    assert all(0 < chunk.duration_s <= 30 for chunk in cut.chunks)
    assert sum(chunk.duration_s for chunk in cut.chunks) == pytest.approx(cut.speech_s)


@pytest.mark.parametrize(
    ("track", "says"),
    [
        (np.full(RATE, np.nan, np.float32), "not finite"),
        (np.full(RATE, -np.inf, np.float32), "not finite"),
        (np.full(RATE, 1.5 * MAX_PEAK, np.float32), "peak"),
        (np.zeros((1, RATE), np.float32), "samples,"),
        (np.zeros(RATE, np.float64), "float32"),
        (np.broadcast_to(np.float32(0), int(MAX_AUDIO_S * RATE) + 1), "at most 3600 s"),
    ],
    ids=["nan", "infinite", "unscaled", "two axes", "float64", "too long"],
)
def test_a_track_that_is_none_is_refused(tiny: WhisperEngine, track: np.ndarray, says: str) -> None:
    with pytest.raises(ContractError, match=says):
        tiny.check(track, WhisperParams())


def test_requests_that_no_model_can_serve_are_refused(tiny: WhisperEngine) -> None:
    with pytest.raises(ContractError, match="language: got 'klingon'"):
        WhisperParams(language="klingon")
    with pytest.raises(ContractError, match="task: got 'summarise'"):
        WhisperParams(task="summarise")  # type: ignore[arg-type]
    with pytest.raises(ContractError, match="knows English only"):
        tiny.transcribe([(speech(), WhisperParams(language="de"))])
    with pytest.raises(ContractError, match="knows English only"):
        tiny.transcribe([(speech(), WhisperParams(task="translate"))])
    assert tiny.transcribe([]) == []


@pytest.mark.parametrize("kind", ["ctranslate2", "openai"])
def test_what_cannot_be_loaded_says_why(kind: EngineKind, tmp_path: Path, weights: Weights) -> None:
    with pytest.raises(WeightsError):
        make_engine(kind, tmp_path, device="cpu")
    with pytest.raises(ConfigurationError, match="compute type: got 'int3'"):
        make_engine(kind, weights("whisper-tiny.en-ct2"), device="cpu", compute_type="int3")
    with pytest.raises(ConfigurationError, match="batch_size"):
        make_engine(kind, weights("whisper-tiny.en-ct2"), batch_size=0)
    with pytest.raises(ConfigurationError, match="whisper engine: got 'vosk'"):
        make_engine("vosk", tmp_path)  # type: ignore[arg-type]


def test_loading_asks_no_network(weights: Weights, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        pytest.fail(f"the network was asked: {args}")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    engine = make_engine("ctranslate2", weights("whisper-tiny.en-ct2"), device="cpu", threads=2)
    engine.warm_up()


def test_the_payload_is_json_with_the_documented_keys(tiny: WhisperEngine) -> None:
    (found,) = tiny.transcribe([(speech()[: 4 * RATE], WhisperParams())])
    payload = json.loads(found.to_json())
    assert set(payload) == {
        "language", "language_probability", "task", "duration_s", "speech_s", "segments", "reason", "engine", "model",
        "compute_type",
    }  # fmt: skip
    assert set(payload["segments"][0]) == {
        "start_s", "end_s", "text", "avg_logprob", "no_speech_prob", "compression_ratio", "words", "recovered",
        "language", "language_probability", "decoding", "loops", "chunk_s",
    }  # fmt: skip
    assert set(payload["segments"][0]["words"][0]) == {"word", "start_s", "end_s", "probability"}
    assert payload["segments"][0]["text"] == found.segments[0].text


class Halting(BatchingWhisper):
    """A model that reads one second at a time and says what it read where."""

    kind = "openai"

    def __init__(self, batch_size: int) -> None:
        super().__init__(Setup("halting", "none", "cpu", 1, batch_size), multilingual=True)
        self.batches: list[list[tuple[str, str, bool, int]]] = []

    def _features(self, samples: np.ndarray) -> np.ndarray:
        return np.zeros((80, len(samples) // 160), np.float32)

    def _detect_languages(self, tracks: Sequence[Track]) -> list[tuple[str, float]]:
        return [("fr", 0.75) for _ in tracks]

    def _languages(self, pieces: Sequence[Piece]) -> list[dict[str, float]]:
        return [{"fr": 0.75, "en": 0.25} for _ in pieces]

    def _decode(self, pieces: Sequence[Piece], language: str, params: WhisperParams, attempt: Attempt) -> None:
        self.batches.append([(language, params.task, params.word_timestamps, piece.seek) for piece in pieces])
        for piece in pieces:
            assert piece.mel.shape == (80, len(piece.chunk.samples) // 160 - piece.seek)
            piece.drafts = [{"start": piece.offset_s, "end": piece.offset_s + 1, "tokens": [piece.seek]}]
            piece.stopped_at = 100

    def _text(self, tokens: Sequence[int], language: str, task: Task) -> str:
        return f" from {tokens[0]}"


def test_what_the_decoder_leaves_goes_into_the_next_round() -> None:
    engine = Halting(batch_size=2)
    short, whole = WhisperParams(), WhisperParams("en", "translate", False)
    items = [(speech()[: 3 * RATE], short), (speech(), whole), (speech()[: 3 * RATE], short), (silence(1), short)]
    found = engine.transcribe([*items, items[0]])
    assert engine.batches[:3] == [
        [("fr", "transcribe", True, 0)] * 2,
        [("fr", "transcribe", True, 0)],
        [("en", "translate", False, 0)],
    ]
    assert engine.batches[-1] == [("en", "translate", False, 100 * (MAX_ROUNDS - 1))]
    texts = [[segment.text for segment in transcript.segments] for transcript in found]
    assert texts[1] == [f"from {100 * k}" for k in range(MAX_ROUNDS)]
    # 2.608 s of speech: 0.608 s are left after two rounds, nothing after three.
    assert texts[0] == texts[2] == texts[4] == ["from 0", "from 100", "from 200"]
    assert texts[3] == []
    assert [segment.recovered for segment in found[0].segments] == [False, True, True]
    assert [(item.language, item.language_probability) for item in found[:2]] == [("fr", 0.75), ("en", 1.0)]


ZERO = 100  # the token of 0.0 s in the hand cases below


@pytest.mark.parametrize(
    ("tokens", "segments", "left_at"),
    [
        # one segment, closed: read to its end
        ([100, 1, 2, 150], [(0.0, 1.0, [100, 1, 2, 150])], None),
        # never closed: lasts as long as the window
        ([100, 1, 2], [(0.0, 5.0, [100, 1, 2])], None),
        ([], [(0.0, 5.0, [])], None),
        # two segments, both closed
        ([100, 1, 150, 150, 2, 200], [(0.0, 1.0, [100, 1, 150]), (1.0, 2.0, [150, 2, 200])], None),
        # a pair at the end: speech goes on from 1.0 s, mel frame 100
        ([100, 1, 150, 150], [(0.0, 1.0, [100, 1, 150])], 100),
        # the second was begun and not closed: it is read again from its start
        ([100, 1, 150, 160, 2], [(0.0, 1.0, [100, 1, 150])], 100),
    ],
)
def test_split_at_timestamps(tokens: list[int], segments: list[tuple], left_at: int | None) -> None:
    found, stopped = split_at_timestamps(tokens, ZERO, 5.0)
    assert [(pytest.approx(start), pytest.approx(end), part) for start, end, part in found] == segments
    assert stopped == left_at


_LOAD = """
import sys
sys.path.insert(0, sys.argv[1])
from rumiai.errors import ConfigurationError
from rumiai_server.engines.shared.cuda_libraries import load_cublas_12
try:
    load_cublas_12()
except ConfigurationError as exc:
    print(exc)
print(sorted({line.split()[-1] for line in open("/proc/self/maps") if sys.argv[1] in line}))
"""


@pytest.mark.skipif(
    find_library("cublas") is not None or find_spec("nvidia.cublas") is not None, reason="there is a real cuBLAS 12"
)
@pytest.mark.parametrize("packaged", [False, True])
def test_cublas_12_is_taken_from_its_package_or_named(tmp_path, packaged):
    # Without the package as on a machine set up for the CPU; with it, libraries of those names stand for the real ones.
    folder = tmp_path / "nvidia" / "cublas" / "lib"
    folder.mkdir(parents=True)
    paths = [folder / name for name in CUBLAS_12]
    if packaged:
        for path in paths:
            shutil.copy(_ctypes.__file__, path)
    run = [sys.executable, "-c", _LOAD, str(tmp_path)]
    *said, loaded = subprocess.run(run, capture_output=True, text=True, check=True).stdout.splitlines()
    assert loaded == str(sorted(str(path) for path in paths) if packaged else [])
    assert packaged == (not said)
    assert packaged or ("libcublas.so.12" in said[0] and "rumiai[gpu]" in "".join(said))
