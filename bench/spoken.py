"""Generated sound with a truth: voices of eSpeak NG, at any level, with pauses; music, noise and silence.

A seed chooses voice, speed, level, sentences and pauses. Samples are mono float32 at 16 kHz.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.signal import resample_poly

from rumiai.core.arrays import freeze_arrays
from rumiai.demo.sound import SAMPLE_RATE_HZ, speech

RATE_HZ: Final = 16_000
Samples = npt.NDArray[np.float32]

# Sentences as people say them in short videos, by language; of each the voices that Whisper base understands.
SENTENCES: Final = {
    "en": (
        "Hello my friends, welcome back to my kitchen.",
        "Today I will show you how to bake bread at home.",
        "First you need flour, water, and a little salt.",
        "Wait for it, this is the trick that saves you money.",
        "I bought this camera three years ago and I still love it.",
        "Please follow me for more tips like this one.",
        "My name is Anna and I live in London.",
        "Nobody told me about this before I moved to the city.",
        "The second step is to let the dough rest for an hour.",
        "If you like this video, leave a comment below.",
        "Here are five things that I wish I had known earlier.",
        "Every morning I walk along the river with my dog.",
    ),
    "es": (
        "Hola amigos, hoy vamos a cocinar una tortilla de patatas.",
        "Necesitamos tres huevos, un poco de sal y aceite.",
        "Si te gusta este video, deja un comentario.",
    ),
    "de": (
        "Guten Morgen, heute zeige ich euch meine neue Wohnung.",
        "Zuerst brauchen wir Mehl, Wasser und ein wenig Salz.",
        "Wenn euch das Video gefallen hat, schreibt mir einen Kommentar.",
    ),
    "it": (
        "Ciao a tutti, oggi vi mostro come fare la pizza.",
        "Ci vogliono farina, acqua e un poco di sale.",
        "Se ti piace questo video lascia un commento.",
    ),
}
VOICES: Final = {
    "en": ("en-us", "en-us+f2", "en-us+f4", "en-us+m3", "en-us+m7", "en-gb-scotland", "en-gb-x-rp", "en-us+Alex"),
    "es": ("es", "es+f2", "es+m3"),
    "de": ("de", "de+f2", "de+m3"),
    "it": ("it", "it+f2", "it+m3"),
}
LEVELS_DBFS: Final = (-12.0, -20.0, -30.0, -40.0, -50.0)
_OTHER_LANGUAGES: Final = ("es", "de", "it")


@dataclass(frozen=True)
class Spoken:
    """A voice: its sound, what it says in which language, (word, start, end) of each, and the pauses between sentences.

    Times are seconds from the first sample.
    """

    name: str
    samples: Samples
    text: str
    language: str
    words: tuple[tuple[str, float, float], ...]
    pauses_s: tuple[tuple[float, float], ...]

    def __post_init__(self) -> None:
        freeze_arrays(self, samples=(np.float32, "samples"))


def spoken(seed: int) -> Spoken:
    """One to three sentences of one voice, with pauses of .5 to 1.2 s; every fourth seed speaks no English."""
    rng = np.random.default_rng([2028, seed])
    language = _OTHER_LANGUAGES[seed // 4 % 3] if seed % 4 == 3 else "en"
    voice, speed = str(rng.choice(VOICES[language])), int(rng.integers(135, 181))
    chosen = rng.choice(SENTENCES[language], int(rng.integers(1, 4)), replace=False)
    level = float(rng.choice(LEVELS_DBFS))
    parts = [sentence(str(text), voice, speed) for text in chosen]
    track, words, pauses = _laid(parts, [float(rng.uniform(0.5, 1.2)) for _ in parts])
    name = f"{seed}: {voice} {speed}/min {level:.0f} dBFS"
    return Spoken(name, at_level(track, level, rng), " ".join(map(str, chosen)), language, words, pauses)


def sentence(text: str, voice: str, speed: int) -> tuple[Samples, tuple[tuple[str, float, float], ...]]:
    """A sentence at 16 kHz from its first to its last sound, and its words."""
    sound, found = speech(text, voice, speed)
    samples = resample_poly(sound, RATE_HZ, SAMPLE_RATE_HZ).astype(np.float32)
    return samples, tuple((word.text, word.start_s, word.end_s) for word in found)


def _laid(
    parts: list[tuple[Samples, tuple[tuple[str, float, float], ...]]], gaps_s: list[float]
) -> tuple[Samples, tuple[tuple[str, float, float], ...], tuple[tuple[float, float], ...]]:
    """Sentences one after the other, each after its gap; a gap counts from the last sound to the first."""
    sounds: list[Samples] = []
    words: list[tuple[str, float, float]] = []
    pauses: list[tuple[float, float]] = []
    at = 0.0
    for (samples, said), gap_s in zip(parts, gaps_s, strict=True):
        sounds += [np.zeros(round(gap_s * RATE_HZ), np.float32), samples]
        at += round(gap_s * RATE_HZ) / RATE_HZ
        if words:
            pauses.append((words[-1][2], at + said[0][1]))
        words += [(text, at + start_s, at + end_s) for text, start_s, end_s in said]
        at += len(samples) / RATE_HZ
    tail = np.zeros(RATE_HZ // 2, np.float32)
    return np.concatenate([*sounds, tail]), tuple(words), tuple(pauses)


def at_level(samples: Samples, level_dbfs: float, rng: np.random.Generator) -> Samples:
    """A voice whose loud parts have this level, over noise 45 dB below it."""
    loud = np.sqrt(np.percentile(np.square(samples[samples != 0]), 75))
    voice = samples * (10 ** (level_dbfs / 20) / loud)
    noise = 10 ** ((level_dbfs - 45) / 20) * rng.standard_normal(len(samples))
    return np.clip(voice + noise, -1, 1).astype(np.float32)


def wordless(seed: int) -> dict[str, Samples]:
    """Sound of 12 s that holds no word: silence, noise at two levels, hum, clicks, and music at two levels."""
    rng = np.random.default_rng([2029, seed])
    time_s = np.arange(12 * RATE_HZ) / RATE_HZ
    noise = rng.standard_normal(len(time_s))
    tune, _ = music(seed)
    clicks = np.zeros(len(time_s))
    clicks[(rng.uniform(0, 12, 24) * RATE_HZ).astype(int)] = 0.8
    found = {
        "silence": np.zeros(len(time_s)),
        "noise": 0.05 * noise,
        "faint noise": 0.0005 * noise,
        "hum": 0.02 * np.sin(2 * np.pi * float(rng.choice([50, 60, 100])) * time_s),
        "clicks": clicks + 0.001 * noise,
        "music": tune[: len(time_s)],
        "faint music": 0.01 * tune[: len(time_s)],
    }
    return {name: samples.astype(np.float32) for name, samples in found.items()}


def music(seed: int, length_s: float = 12.0) -> tuple[Samples, tuple[float, ...]]:
    """Chords and a melody with a drum on each beat, and the beats in seconds; 70 to 170 beats a minute."""
    rng = np.random.default_rng([2030, seed])
    beat_s = 60 / float(rng.uniform(70, 170))
    beats = np.arange(0.2, length_s, beat_s)
    out = np.zeros(round((length_s + 1) * RATE_HZ))
    for i, at in enumerate(beats):
        root = 110 * 2 ** (float(rng.choice([0, 3, 5, 7, 8])) / 12)
        if i % 4 == 0:
            _add(out, at, 0.06 * _chord(root, 4 * beat_s))
        _add(out, at, 0.25 * _drum(rng))
        if rng.random() < 0.6:
            _add(out, at + beat_s / 2, 0.05 * _chord(2 * root * 2 ** (float(rng.choice([0, 4, 7])) / 12), beat_s / 2))
    return np.clip(out[: round(length_s * RATE_HZ)], -1, 1).astype(np.float32), tuple(beats.tolist())


def _add(out: npt.NDArray[np.float64], at_s: float, part: npt.NDArray[np.float64]) -> None:
    at = round(at_s * RATE_HZ)
    out[at : at + len(part)] += part[: max(0, len(out) - at)]


def _chord(hertz: float, length_s: float) -> npt.NDArray[np.float64]:
    t = np.arange(round(length_s * RATE_HZ)) / RATE_HZ
    tones = sum(np.sin(2 * np.pi * hertz * ratio * t) for ratio in (1, 1.26, 1.5))
    return np.asarray(tones * np.exp(-1.5 * t / length_s) * np.minimum(1, t / 0.01))


def _drum(rng: np.random.Generator) -> npt.NDArray[np.float64]:
    t = np.arange(round(0.12 * RATE_HZ)) / RATE_HZ
    return np.asarray(
        np.sin(2 * np.pi * (60 + 80 * np.exp(-t / 0.02)) * t) * np.exp(-t / 0.04)
        + 0.3 * rng.standard_normal(len(t)) * np.exp(-t / 0.01)
    )
