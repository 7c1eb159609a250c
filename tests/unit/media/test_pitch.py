"""A voice is known by its gliding pitch, and never has a tempo; music keeps its own."""

from __future__ import annotations

import mir_eval
import numpy as np
import pytest
from scipy.signal import resample_poly

from rumiai.contracts.frames import AudioTrack
from rumiai.demo.sound import SAMPLE_RATE_HZ, speech
from rumiai.media.audio_energy import analyze_audio_energy
from rumiai.media.pitch import gliding_share

RATE_HZ = 16_000
VOICES = ("en-us", "en-us+f2", "en-us+m3", "en-us+f5", "en-gb-scotland", "en-gb-x-rp", "de+f2", "es+m3", "it", "fr")
TEXTS = ("no " * 14, "Buy it. Try it. Love it. Use it. Keep it. Share it. Now go!")


def voice(text: str, name: str) -> np.ndarray:
    return resample_poly(speech(text, name, 140)[0], RATE_HZ, SAMPLE_RATE_HZ).astype(np.float32)


def song(bpm: float, length_s: float = 16.0) -> tuple[np.ndarray, np.ndarray]:
    """Chords that change every two beats, with a click on each beat; samples and beats in seconds."""
    time_s = np.arange(round(length_s * RATE_HZ)) / RATE_HZ
    beats = np.arange(0.3, length_s - 0.1, 60 / bpm)
    out = np.zeros(len(time_s))
    for k, at in enumerate(beats[::2]):
        chord = sum(
            np.sin(2 * np.pi * hertz * time_s) for hertz in np.array([220, 277.2, 329.6]) * [1, 0.89, 1.19][k % 3]
        )
        out += 0.06 * chord * (time_s >= at) * np.exp(-1.5 * np.maximum(time_s - at, 0))
    click = 0.4 * np.random.default_rng(7).standard_normal(160) * np.exp(-np.arange(160) / 40)
    for at in beats:
        start = round(at * RATE_HZ)
        out[start : start + len(click)] += click
    return out.astype(np.float32), beats


@pytest.mark.parametrize("text", TEXTS, ids=["one word", "sentences"])
@pytest.mark.parametrize("name", VOICES)
def test_a_voice_has_no_tempo_however_evenly_it_speaks(name: str, text: str) -> None:
    found = analyze_audio_energy(AudioTrack(voice(text, name), RATE_HZ))
    assert (found.tempo_bpm, found.beats_s) == (None, None)
    assert found.metadata.tempo_reason is not None


@pytest.mark.parametrize("bpm", [84.0, 111.0, 137.0])
def test_clicks_under_music_are_found_within_30_ms(bpm: float) -> None:
    samples, beats = song(bpm)
    found = analyze_audio_energy(AudioTrack(samples, RATE_HZ))
    assert found.tempo_bpm == pytest.approx(bpm, rel=0.005)
    assert mir_eval.beat.f_measure(beats, np.array(found.beats_s), f_measure_threshold=0.03) >= 0.98


def test_music_under_a_voice_keeps_its_tempo() -> None:
    samples, beats = song(111.0)
    said = voice("Welcome back to my kitchen everyone, today we bake bread.", "en-us")
    samples[RATE_HZ : RATE_HZ + len(said)] += 0.4 * said
    found = analyze_audio_energy(AudioTrack(samples, RATE_HZ))
    assert found.tempo_bpm == pytest.approx(111.0, rel=0.005)
    assert mir_eval.beat.f_measure(beats, np.array(found.beats_s), f_measure_threshold=0.03) >= 0.9


def test_a_pitch_that_moves_glides_and_one_that_stands_does_not() -> None:
    time_s = np.arange(3 * RATE_HZ) / RATE_HZ
    still, moving = 2 * np.pi * 150 * time_s, 2 * np.pi * np.cumsum(150 * 2 ** (time_s / 3)) / RATE_HZ
    buzz = [sum(np.sin(k * phase) / k for k in range(1, 6)).astype(np.float32) for phase in (still, moving)]
    # An octave in 3 s is 0.12 semitones in 30 ms.
    assert gliding_share(buzz[0], RATE_HZ) == 0.0
    assert gliding_share(buzz[1], RATE_HZ) > 0.9
    assert gliding_share(np.tile(buzz[1], 60), RATE_HZ) == pytest.approx(gliding_share(buzz[1], RATE_HZ), abs=0.1)


def test_silence_noise_and_too_little_have_none() -> None:
    rng = np.random.default_rng(1)
    assert gliding_share(np.zeros(RATE_HZ, np.float32), RATE_HZ) == 0.0
    assert gliding_share(np.zeros(0, np.float32), RATE_HZ) == 0.0
    assert gliding_share(rng.standard_normal(900).astype(np.float32), RATE_HZ) == 0.0
    assert gliding_share(rng.standard_normal(2 * RATE_HZ).astype(np.float32), RATE_HZ) < 0.02
