"""Faces against gestures, speech, sound and caption (docs: analyses, 2.2 to 2.4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np

from rumiai.core.arrays import Floats
from rumiai.core.intervals import as_intervals, chance_within, intersect, length, near, overlap_s, touched, union
from rumiai.metrics.emotional_journey.curve import Journey
from rumiai.metrics.evidence.types import Evidence
from rumiai.metrics.shared.caption import read_caption
from rumiai.metrics.shared.spoken_tone import SpokenTone, spoken_tones, tone_agreement
from rumiai.metrics.shared.statistics import alignment, clamp, mean, mean_known, ratio

# Gestures that go with an emotion. Fear and disgust have none listed, neutral goes with all: these are not compared.
_COMPATIBLE: Final[Mapping[str, frozenset[str]]] = {
    "joy": frozenset({"thumbs_up", "victory", "love", "pointing", "open_palm"}),
    "surprise": frozenset({"pointing", "open_palm"}),
    "anger": frozenset({"closed_fist", "thumbs_down"}),
    "sadness": frozenset({"closed_fist", "thumbs_down"}),
}
_GESTURE_S: Final = 1.0
_BEAT_S: Final = 0.25
_FINEST_STEP_S: Final = 0.1
_EPSILON: Final = 1e-9  # differences of sums of binary fractions that are equal
_BEFORE_S: Final = 1.0  # how long after an event a change may be its effect
_QUOTED_WORDS: Final = 6


@dataclass(frozen=True)
class EmotionSync:
    """How the faces go with everything else."""

    journey: Journey
    evidence: Evidence

    @cached_property
    def _gesture_overlaps(self) -> tuple[Floats, Floats]:
        """Where a gesture meets an emotion that has listed gestures, and where it is one of these."""
        faces, gestures = self.journey.faces, self.evidence.gestures or ()
        ends = np.minimum(faces.times_s + faces.step_s, self.evidence.duration_s)
        every = self.evidence.gesture_spans_s
        met, fitting = [as_intervals([])], [as_intervals([])]
        for emotion, kinds in _COMPATIBLE.items():
            chosen = [label == emotion for label in faces.labels]
            shown = union(np.stack([faces.times_s, ends], axis=1)[chosen])
            met.append(intersect(shown, every))
            fitting.append(intersect(shown, union([(g.start_s, g.end_s) for g in gestures if g.kind in kinds])))
        return union(np.concatenate(met)), union(np.concatenate(fitting))

    @cached_property
    def gesture(self) -> float | None:
        """Seconds in which a gesture fits the face / seconds in which they meet; None when they never do."""
        if self.evidence.gestures is None:
            return None
        met, fitting = self._gesture_overlaps
        share = ratio(length(fitting), length(met))
        return None if share is None else clamp(share)

    def gesture_events(self) -> list[dict[str, Any]] | None:
        """Per second with a face: is there a gesture, and how well does it fit; None where gestures are unknown."""
        if self.evidence.gestures is None:
            return None
        edges, (met, fitting) = self.journey.bins.edges_s, self._gesture_overlaps
        meets, fits = overlap_s(met, edges[:-1], edges[1:]), overlap_s(fitting, edges[:-1], edges[1:])
        spans = [(g.start_s, g.end_s) for g in self.evidence.gestures]
        there = touched(spans, edges[:-1], edges[1:])
        return [
            {
                "timestamp": self.journey.bins.label(i),
                "emotion": self.journey.labels[i],
                "gesturePresent": bool(there[i]),
                "alignmentScore": clamp(float(fits[i] / meets[i])) if meets[i] > _EPSILON else None,
            }
            for i in self.journey.known.tolist()
        ]

    @cached_property
    def reinforcement(self) -> float | None:
        """Peaks with a gesture within 1 s / peaks; None without peaks or gesture data."""
        if self.evidence.gestures is None:
            return None
        starts = np.array([peak.bin for peak in self.journey.peaks], dtype=np.float64)
        ends = self.journey.bins.edges_s[starts.astype(np.int64) + 1]
        return mean(touched([(g.start_s, g.end_s) for g in self.evidence.gestures], starts, ends, _GESTURE_S))

    @cached_property
    def tones(self) -> list[SpokenTone] | None:
        """Segments whose words and face both have a tone."""
        speech = self.evidence.speech
        return None if speech is None else spoken_tones(speech.segments, self.journey.faces)

    @property
    def speech(self) -> float | None:
        """Segments whose words and face have one tone / those where both have one."""
        return tone_agreement(self.tones)

    @cached_property
    def energy(self) -> Floats | None:
        """Energy of the sound per bin; None when unknown."""
        audio = self.evidence.audio
        return None if audio is None else audio.per_bin(self.journey.bins)

    @cached_property
    def audio(self) -> float | None:
        """Correlation of energy and arousal over bins, mapped to 0..1."""
        return None if self.energy is None else alignment(self.energy, self.journey.arousal)

    @cached_property
    def mood(self) -> float | None:
        """1 - mean over the thirds of |rank of energy - rank of arousal| / 2; None where a third lacks either."""
        if self.energy is None:
            return None
        third, count = self.journey.bins.third, self.journey.bins.count
        parts = (slice(0, third), slice(third, count - third), slice(count - third, count))
        energy, arousal = (
            [mean(curve[part][~np.isnan(curve[part])]) for part in parts]
            for curve in (self.energy, self.journey.arousal)
        )
        if count < len(parts) or None in energy or None in arousal:
            return None
        difference = np.abs(_ranks(np.array(energy)) - _ranks(np.array(arousal)))
        return float(1 - difference.mean() / 2)

    @property
    def beats(self) -> float | None:
        """Transitions within 0.25 s of a beat less the chance of that.

        None without transitions or beats, and where the time of a transition (the sampling step) or the beat is too
        coarse to tell: step over 0.1 s, or a quarter of the beat not longer than the 0.25 s.
        """
        audio, times = self.evidence.audio, [change.time_s for change in self.journey.changes]
        if audio is None or audio.beats_s is None or audio.beats_s.size < 2 or not times:
            return None
        beat_s = float(np.median(np.diff(audio.beats_s)))
        if self.journey.faces.step_s > _FINEST_STEP_S + _EPSILON or beat_s / 4 <= _BEAT_S:
            return None
        share = float(near(times, audio.beats_s, _BEAT_S).mean())
        return clamp(share - chance_within(audio.beats_s, _BEAT_S, self.evidence.duration_s))

    @cached_property
    def with_caption(self) -> float | None:
        """1 - |polarity of the caption - mean valence| / 2; None for a caption without words, and without a face."""
        valence, caption = mean(self.journey.faces.valences), read_caption(self.evidence.metadata.description)
        if caption is None or valence is None or not (caption.words or caption.emoji):
            return None
        return clamp(1 - abs(caption.sentiment.polarity - valence) / 2)

    @property
    def coherence(self) -> float | None:
        """Mean of the alignments with gestures, speech, sound and caption that are known."""
        return mean_known([self.gesture, self.speech, self.audio, self.with_caption])


def _ranks(values: Floats) -> Floats:
    """Ranks 1..n; equal values share their mean rank."""
    below = (values[None, :] < values[:, None] - _EPSILON).sum(axis=1)
    equal = (np.abs(values[None, :] - values[:, None]) <= _EPSILON).sum(axis=1)
    ranks: Floats = below + (equal + 1) / 2
    return ranks


def triggers(evidence: Evidence, times_s: list[float]) -> list[str]:
    """What may have caused each change: the nearest event within 1 s before it, "unknown" without any.

    Cuts, texts and what is said come first: the energy of almost any sound rises somewhere within a second, so that is
    named only where nothing else happens.
    """
    shots, audio, speech = evidence.shots, evidence.audio, evidence.speech
    events = [(float(cut), "scene_change") for cut in (shots.cuts_s if shots is not None else ())]
    events += [(text.start_s, f'text "{text.text}"') for text in evidence.texts or ()]
    for segment in () if speech is None else speech.segments:
        events.append((segment.start_s, f'speech "{" ".join(segment.text.split()[:_QUOTED_WORDS])}"'))
    # The last of equals is found, which is what stands first in the list.
    events = sorted(reversed(events), key=lambda event: event[0])
    rises = audio.onsets_s if audio is not None and audio.onsets_s is not None else np.zeros(0)
    named = [_last_before(np.array([time for time, _ in events]), time) for time in times_s]
    rising = [_last_before(rises, time) for time in times_s]
    return [
        events[event][1] if event is not None else "energy_rise" if rise is not None else "unknown"
        for event, rise in zip(named, rising, strict=True)
    ]


def _last_before(events_s: Floats, time_s: float) -> int | None:
    index = int(np.searchsorted(events_s, time_s + _EPSILON, side="right")) - 1
    return index if index >= 0 and events_s[index] >= time_s - _BEFORE_S - _EPSILON else None
