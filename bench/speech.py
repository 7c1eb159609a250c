"""How well speech is heard: word errors, languages, word times, pauses, invented words, tempos of voices.

    python bench/speech.py                           # make bench-speech
    python bench/speech.py --seeds 100,40 --reference
    python bench/speech.py --mode strict             # as the upstream libraries do it
    python bench/speech.py --folder clips            # real ones, with truth files as bench/truth.py describes them

Generated sound (``bench/spoken.py``) goes through the engine in this process and through the orchestrator's own
assembly, as a video's does. ``--reference`` transcribes it with faster-whisper's own settings too: its batched pipeline
(beam search alone, and with its fallback to temperatures) and its sequential loop (as it is, and without the text
before as a prompt), with the detector of voices, on the same model.

Exit status 1 when a word is invented on music, noise or silence, or a voice has a tempo; otherwise 0.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, cast

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch is imported, as the server does

import common
import jiwer
import numpy as np
import quality
import truth as known
from spoken import RATE_HZ, Samples, Spoken, music, spoken, wordless

from rumiai import weights
from rumiai.contracts.frames import AudioTrack
from rumiai.contracts.services.whisper import WhisperData
from rumiai.contracts.whisper import WhisperParams
from rumiai.inference.client import TritonClient
from rumiai.inference.repetitions import Sound
from rumiai.inference.transcript import assemble
from rumiai.inference.whisper import params_for, transcribe
from rumiai.media.audio_energy import analyze_audio_energy
from rumiai_server.engines.whisper.factory import make_engine
from rumiai_server.engines.whisper.types import WhisperEngine

# A pause that people hear as one.
PAUSE_S: Final = 0.5
_PAUSE_SHARE: Final = 0.6
BEAT_WITHIN_S: Final = 0.03


@dataclass(frozen=True)
class InProcess:
    """Stands for the client of a server: the engine answers in this process."""

    engine: WhisperEngine

    async def infer(self, spec: Any, inputs: Mapping[str, Any], parameters: Mapping[str, Any]) -> dict[str, np.ndarray]:
        """One request, as ``model_repository/whisper`` answers it."""
        samples = inputs["AUDIO"].array[0]
        (answer,) = self.engine.transcribe([(samples, WhisperParams(**parameters))])
        return {"TRANSCRIPT": np.array([[answer.to_json()]], dtype=np.object_)}


def hear(engine: WhisperEngine, samples: Samples, *, language: str = "", mode: str = "fast") -> WhisperData:
    """The data of the service ``whisper`` for a track at 16 kHz."""
    track = AudioTrack(samples, RATE_HZ)
    client = cast(TritonClient, InProcess(engine))
    payload = asyncio.run(transcribe(client, track, params_for(language, mode)))
    sound = Sound(samples, RATE_HZ) if mode == "fast" else None
    return assemble(payload, has_audio=True, audio_duration_s=track.duration_s, sound=sound)


@dataclass(frozen=True)
class Heard:
    """One voice: its word error rate, language right or not, onset errors in seconds, pauses found of pauses."""

    error_rate: float
    language_right: bool
    onset_errors_s: tuple[float, ...]
    pauses: tuple[int, int]
    lost_s: float


def judge(truth: Spoken, found: WhisperData) -> Heard:
    """Hold a transcript against what was said."""
    return Heard(
        error_rate=known.word_error_rate(truth.text, found.text, truth.language),
        language_right=found.language == truth.language,
        onset_errors_s=tuple(onset_errors(truth, found)),
        pauses=pauses_found(truth, found),
        lost_s=found.lost_s,
    )


def onset_errors(truth: Spoken, found: WhisperData) -> list[float]:
    """Start heard less start spoken of the words that were heard right, in seconds."""
    heard = [word for segment in found.segments for word in segment.words or ()]
    pairs = _aligned([word for word, _, _ in truth.words], [word.word for word in heard])
    return [heard[j].start_s - truth.words[i][1] for i, j in pairs]


def _aligned(spoken_words: Sequence[str], heard_words: Sequence[str]) -> list[tuple[int, int]]:
    """Index pairs of equal words, by jiwer's alignment."""
    sides = [[" ".join(quality.words(word)) or "-" for word in words] for words in (spoken_words, heard_words)]
    # A word that is two to jiwer would shift all that follow.
    said, heard = ([word.replace(" ", "") for word in side] for side in sides)
    if not said or not heard:
        return []
    (chunks,) = jiwer.process_words(" ".join(said), " ".join(heard)).alignments
    return [
        (chunk.ref_start_idx + k, chunk.hyp_start_idx + k)
        for chunk in chunks
        if chunk.type == "equal"
        for k in range(chunk.ref_end_idx - chunk.ref_start_idx)
    ]


def pauses_found(truth: Spoken, found: WhisperData) -> tuple[int, int]:
    """How many pauses of half a second and more stand between two heard words, and how many there are."""
    words = sorted((w.start_s, w.end_s) for segment in found.segments for w in segment.words or ())
    gaps = [(before[1], after[0]) for before, after in pairwise(words)]
    pauses = [(start_s, end_s) for start_s, end_s in truth.pauses_s if end_s - start_s >= PAUSE_S]
    seen = [
        any(min(end_s, gap[1]) - max(start_s, gap[0]) >= _PAUSE_SHARE * (end_s - start_s) for gap in gaps)
        for start_s, end_s in pauses
    ]
    return sum(seen), len(pauses)


def references(path: Path, tracks: Sequence[Spoken]) -> dict[str, list[float]]:
    """Word error rates of faster-whisper's own settings, by setting."""
    import faster_whisper

    model = faster_whisper.WhisperModel(str(path), device="cpu", compute_type="int8")
    batched = faster_whisper.BatchedInferencePipeline(model)
    settings: dict[str, tuple[Any, dict[str, Any]]] = {
        "batched, beam": (batched, {"temperature": 0, "without_timestamps": False}),
        "batched, fallback": (batched, {"without_timestamps": False}),
        "sequential": (model, {}),
        "sequential, no prompt": (model, {"condition_on_previous_text": False}),
    }
    return {
        name: [
            known.word_error_rate(
                track.text,
                " ".join(segment.text for segment in engine.transcribe(track.samples, vad_filter=True, **options)[0]),
                track.language,
            )
            for track in tracks
        ]
        for name, (engine, options) in settings.items()
    }


def beat_score(seed: int) -> float | None:
    """mir_eval's F of the beats of generated music within 30 ms; None where no tempo is claimed."""
    import mir_eval

    samples, beats = music(seed, 20.0)
    found = analyze_audio_energy(AudioTrack(samples, RATE_HZ))
    if found.tempo_bpm is None:
        return None
    return float(mir_eval.beat.f_measure(np.array(beats), np.array(found.beats_s), f_measure_threshold=BEAT_WITHIN_S))


def real(engine: WhisperEngine, folder: Path, mode: str) -> list[list[object]]:
    """Rows of real clips: name, word error rate, language, words, seconds lost, tempo."""
    import av
    from faster_whisper.audio import decode_audio

    rows: list[list[object]] = []
    for file in sorted(folder.glob(f"*{known.SUFFIX}")):
        clip = file.with_name(file.name.removesuffix(known.SUFFIX))
        try:
            samples = np.asarray(decode_audio(str(clip), sampling_rate=RATE_HZ), np.float32)
        except (av.FFmpegError, IndexError, ValueError):  # a picture, or a clip without sound
            continue
        if not len(samples):
            continue
        said = known.read_truth(file, len(samples) / RATE_HZ)
        found = hear(engine, samples, mode=mode)
        rate = known.word_error_rate(said.transcript, found.text, said.language) if said.transcript else None
        tempo = analyze_audio_energy(AudioTrack(samples, RATE_HZ)).tempo_bpm
        language = f"{said.language or '?'}/{found.language}"
        words = len(quality.words(found.text))
        rows.append([clip.name[:34], rate, language, said.speech, words, round(found.lost_s, 1), tempo])
    return rows


def print_voices(engine: WhisperEngine, tracks: Sequence[Spoken], mode: str, *, details: bool) -> int:
    """Tables of the voices; how many have a tempo."""
    began = time.process_time()
    data = [hear(engine, track.samples, mode=mode) for track in tracks]
    spent_s = time.process_time() - began
    heard = [judge(track, found) for track, found in zip(tracks, data, strict=True)]
    tempos = [analyze_audio_energy(AudioTrack(track.samples, RATE_HZ)).tempo_bpm for track in tracks]
    if details:
        for track, one, found in zip(tracks, heard, data, strict=True):
            print(f"{track.name}: {one.error_rate:.2f} {found.language}\n  said  {track.text}\n  heard {found.text}")
    onsets = sorted(abs(error) for one in heard for error in one.onset_errors_s)
    length_s = sum(len(track.samples) for track in tracks) / RATE_HZ
    rows: list[list[object]] = [
        ["voices", len(tracks)],
        ["word error rate, mean", float(np.mean([one.error_rate for one in heard]))],
        ["languages right", f"{sum(one.language_right for one in heard)} of {len(heard)}"],
        ["word onset error, median s", onsets[len(onsets) // 2] if onsets else None],
        ["word onset error, 90 % s", onsets[len(onsets) * 9 // 10] if onsets else None],
        ["pauses found", f"{sum(one.pauses[0] for one in heard)} of {sum(one.pauses[1] for one in heard)}"],
        ["speech lost, s", sum(one.lost_s for one in heard)],
        ["voices with a tempo", sum(tempo is not None for tempo in tempos)],
        ["CPU seconds by second of sound", spent_s / length_s],
    ]
    common.print_table("Voices", ["figure", "value"], rows)
    return sum(tempo is not None for tempo in tempos)


def print_wordless(engine: WhisperEngine, seeds: Sequence[int], mode: str) -> int:
    """A table of words heard where nobody speaks; how many there are."""
    words: dict[str, int] = {}
    for seed in seeds:
        for name, samples in wordless(seed).items():
            words[name] = words.get(name, 0) + len(quality.words(hear(engine, samples, mode=mode).text))
    common.print_table(f"Words invented, {len(seeds)} of each", ["sound", "words"], list(words.items()))
    return sum(words.values())


def main() -> int:
    """Hear, judge, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", default="0,24", help="first seed and how many voices (default 0,24)")
    parser.add_argument("--engine", default="ctranslate2", choices=["ctranslate2", "openai"])
    parser.add_argument("--mode", default="fast", choices=["fast", "strict"])
    parser.add_argument("--model", default="whisper-base-ct2", help="a name of `weights list`")
    parser.add_argument("--reference", action="store_true", help="faster-whisper's own settings too")
    parser.add_argument("--folder", type=Path, help="real clips with NAME.truth.json beside them")
    parser.add_argument("--details", action="store_true", help="print every transcript")
    args = parser.parse_args()
    path = weights.path(args.model)
    engine = make_engine(args.engine, path, device="cpu")
    if args.folder:
        columns = ["clip", "WER", "language", "speech", "words", "lost s", "tempo"]
        common.print_table("Real clips (truth/ours)", columns, real(engine, args.folder, args.mode))
        return 0
    first, count = (int(number) for number in args.seeds.split(","))
    tracks = [spoken(seed) for seed in range(first, first + count)]
    tempos = print_voices(engine, tracks, args.mode, details=args.details)
    if args.reference:
        rates = references(path, tracks)
        rows = [[name, float(np.mean(values))] for name, values in rates.items()]
        common.print_table("faster-whisper's own settings", ["setting", "word error rate"], rows)
    few = range(first, first + max(1, count // 8))
    invented = print_wordless(engine, few, args.mode)
    beats = [beat_score(seed) for seed in range(first, first + count)]
    known_beats = [score for score in beats if score is not None]
    rows = [
        ["music with a tempo", f"{len(known_beats)} of {len(beats)}"],
        [f"beats within {1000 * BEAT_WITHIN_S:.0f} ms, F", float(np.mean(known_beats)) if known_beats else None],
    ]
    common.print_table("Music", ["figure", "value"], rows)
    return int(bool(tempos or invented))


if __name__ == "__main__":
    sys.exit(main())
