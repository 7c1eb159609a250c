"""The sound of a clip: synthetic speech whose word times are known, music, a tone. Mono float32, 48 kHz."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from rumiai.core.arrays import freeze_arrays
from rumiai.demo.spec import ClipSpec, Word
from rumiai.errors import ConfigurationError

Samples = npt.NDArray[np.float32]

# Opus takes nothing else, and AAC takes it too.
SAMPLE_RATE_HZ: Final = 48_000
_SPEECH_PEAK: Final = 0.7
# Some 25 dB under the speech: heard, and no hindrance to its recognition.
_BED_LEVEL: Final = 0.04
_CHORD_HZ: Final = (220.0, 277.18, 329.63)
_BEAT_S: Final = 0.09
_TONE_LEVEL: Final = 0.1
# Whisper base hears this voice without an error from 130 to 170 words a minute.
VOICE: Final = "en-us"
WORDS_PER_MINUTE: Final = 155
# Below a fiftieth of full scale there is nothing to hear of a word any more.
_AUDIBLE: Final = 0.02
# A sentence takes some 50 ms; a minute is for a machine that is busy with everything else.
_SPEAK_TIMEOUT_S: Final = 60


@dataclass(frozen=True)
class Sound:
    """A whole track, with its spoken words and the beats of its music."""

    samples: Samples
    words: tuple[Word, ...]
    beats_s: tuple[float, ...]

    def __post_init__(self) -> None:
        freeze_arrays(self, samples=(np.float32, "samples"))


def compose(spec: ClipSpec) -> Sound:
    """The track of a clip, as long as the clip.

    Raises:
        ConfigurationError: There is speech in the clip and espeakng-loader is not installed.
        ValueError: Sentences overlap, or one runs past the end of the clip.
    """
    mix = np.zeros(round(spec.length_s * SAMPLE_RATE_HZ), np.float32)
    time_s = np.arange(len(mix), dtype=np.float32) / SAMPLE_RATE_HZ
    words: list[Word] = []
    free_from_s = 0.0
    for utterance in sorted(spec.speech, key=lambda u: u.start_s):
        samples, spoken = speech(utterance.text)
        end_s = utterance.start_s + len(samples) / SAMPLE_RATE_HZ
        if utterance.start_s < free_from_s or end_s > spec.length_s:
            raise ValueError(
                f"speech {utterance.text!r}: got {utterance.start_s:.2f} to {end_s:.2f} s, expected it after the "
                f"sentence before ({free_from_s:.2f} s) and before the end of the clip ({spec.length_s:.2f} s)"
            )
        at = round(utterance.start_s * SAMPLE_RATE_HZ)
        mix[at : at + len(samples)] += samples[: len(mix) - at]
        words += [Word(w.text, w.start_s + utterance.start_s, w.end_s + utterance.start_s) for w in spoken]
        free_from_s = end_s
    beats: tuple[float, ...] = ()
    if spec.music_bpm is not None:
        beats = tuple(float(t) for t in np.arange(0, spec.length_s, 60 / spec.music_bpm))
        mix += _music(time_s, beats)
    if spec.tone_hz is not None:
        mix += _TONE_LEVEL * np.sin(2 * np.pi * spec.tone_hz * time_s, dtype=np.float32)
    return Sound(np.clip(mix, -1, 1), tuple(words), beats)


@lru_cache(maxsize=64)
def speech(text: str, voice: str = VOICE, words_per_minute: int = WORDS_PER_MINUTE) -> tuple[Samples, tuple[Word, ...]]:
    """A spoken sentence at 48 kHz, read-only, and its words with the times at which they are heard.

    Args:
        text: The sentence.
        voice: One of eSpeak NG's, with a variant as ``en-us+f3``.
        words_per_minute: How fast.

    Raises:
        ConfigurationError: espeakng-loader is not installed, or does not run here.
    """
    if importlib.util.find_spec("espeakng_loader") is None:
        raise ConfigurationError(
            "the demo clip speaks with eSpeak NG, which is not installed here", hint="pip install espeakng-loader"
        )
    command = [sys.executable, str(Path(__file__).with_name("espeak.py")), voice, str(words_per_minute)]
    done = subprocess.run(command, input=text.encode(), capture_output=True, timeout=_SPEAK_TIMEOUT_S, check=False)
    if done.returncode != 0:
        last_line = done.stderr.decode(errors="replace").strip().rsplit("\n", 1)[-1]
        raise ConfigurationError(f"eSpeak NG does not run here: {last_line}", hint="reinstall espeakng-loader")
    header, pcm = done.stdout.split(b"\n", 1)
    facts = json.loads(header)
    samples = _resample(np.frombuffer(pcm, np.int16).astype(np.float32), int(facts["sample_rate_hz"]))
    samples *= _SPEECH_PEAK / max(float(np.abs(samples).max()), 1.0)
    samples.setflags(write=False)
    return samples, _words(text, samples, [(int(at), float(start)) for at, start in facts["words"]])


def _words(text: str, samples: Samples, events: list[tuple[int, float]]) -> tuple[Word, ...]:
    found: list[tuple[str, float]] = []
    for i, (at, start_s) in enumerate(events):
        stop = events[i + 1][0] if i + 1 < len(events) else len(text)
        found.append((text[at:stop].strip(), start_s))
    ends = [start_s for _, start_s in found[1:]] + [len(samples) / SAMPLE_RATE_HZ]
    words = []
    for (word, start_s), end_s in zip(found, ends, strict=True):
        part = samples[round(start_s * SAMPLE_RATE_HZ) : round(end_s * SAMPLE_RATE_HZ)]
        loud = np.flatnonzero(np.abs(part) > _AUDIBLE)
        heard_s = (int(loud[-1]) + 1) / SAMPLE_RATE_HZ if len(loud) else end_s - start_s
        words.append(Word(word, start_s, start_s + heard_s))
    return tuple(words)


def _resample(samples: Samples, rate_hz: int) -> Samples:
    # Upwards only: a longer spectrum, its new upper part empty.
    count = round(len(samples) * SAMPLE_RATE_HZ / rate_hz)
    return (np.fft.irfft(np.fft.rfft(samples), count) * (count / len(samples))).astype(np.float32)


def _music(time_s: Samples, beats_s: tuple[float, ...]) -> Samples:
    bed = sum((np.sin(2 * np.pi * hz * time_s, dtype=np.float32) for hz in _CHORD_HZ), np.zeros_like(time_s))
    bed *= _BED_LEVEL / len(_CHORD_HZ)
    hit_s = np.arange(round(_BEAT_S * SAMPLE_RATE_HZ), dtype=np.float32) / SAMPLE_RATE_HZ
    hit = 3 * _BED_LEVEL * np.sin(2 * np.pi * 90 * hit_s, dtype=np.float32) * np.exp(-hit_s / 0.02, dtype=np.float32)
    for beat_s in beats_s:
        at = round(beat_s * SAMPLE_RATE_HZ)
        bed[at : at + len(hit)] += hit[: len(bed) - at]
    return np.asarray(bed, np.float32)
