"""The emotions of one video and what goes with them, measured once: what the blocks and further metrics read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rumiai.contracts.lexicons import Emotion
from rumiai.contracts.observed import Observed
from rumiai.core.arrays import Floats, Ints, freeze_arrays
from rumiai.core.intervals import as_intervals, intersect
from rumiai.metrics.emotional_journey.blocks import EmotionalArc, Trajectory
from rumiai.metrics.emotional_journey.curves import (
    NEUTRAL,
    Thirds,
    change_rate,
    emotional_arc,
    strongest_labels,
    third_means,
    trajectory,
)
from rumiai.metrics.emotional_journey.peaks import Peak, emotion_peaks, intense_bins
from rumiai.metrics.emotional_journey.sync import (
    GestureOverlap,
    beat_sync,
    caption_alignment,
    gesture_alignment,
    gesture_overlap,
    gesture_reinforcement,
    mood_congruence,
)
from rumiai.metrics.evidence.elements import tones_of
from rumiai.metrics.evidence.types import Evidence, Expressions, Gesture
from rumiai.metrics.shared.bins import Bins
from rumiai.metrics.shared.caption import Caption
from rumiai.metrics.shared.labels import LabelChange
from rumiai.metrics.shared.spoken_tone import SpokenTone, tone_agreement
from rumiai.metrics.shared.statistics import alignment, mean_of_several, ratio, std


@dataclass(frozen=True)
class Journey:
    """Measured values of the expressions.

    Attributes:
        faces: The samples.
        bins: The one-second bins, N of them.
        observed: When the faces were looked for.
        valence: ``(N,)`` mean valence of each bin; NaN without a face.
        arousal: ``(N,)`` mean arousal.
        known: Indices of the bins with a face.
        labels: ``(N,)`` label with most confidence in each bin; None without a face.
        changes: Changes of the smoothed label.
        change_rate: Changes per step from one known bin to the next, 0..1; None with fewer than two.
        variability: Deviation of the valence over the known bins.
        thirds: Mean valence of each third.
        arc: Overall direction of the valence.
        trajectory: Shape of the valence over the thirds.
        intense_moments: Maxima of the intensity, the most intense first.
        peaks: Seconds that stand out by valence or intensity, the highest first.
    """

    faces: Expressions
    bins: Bins
    observed: Observed
    valence: Floats
    arousal: Floats
    known: Ints
    labels: list[Emotion | None]
    changes: tuple[LabelChange[Emotion], ...]
    change_rate: float | None
    variability: float | None
    thirds: Thirds
    arc: EmotionalArc | None
    trajectory: Trajectory | None
    intense_moments: list[Peak]
    peaks: list[Peak]

    def __post_init__(self) -> None:
        count = self.bins.count
        freeze_arrays(self, valence=(np.float64, count), arousal=(np.float64, count), known=(np.int64, "known"))

    @property
    def coverage(self) -> float | None:
        """Bins with a face / bins that were looked at, 0..1; None when none was."""
        looked = self.observed.windows(self.bins.edges_s)
        looked[self.known] = True
        return ratio(self.known.size, int(np.count_nonzero(looked)))

    @property
    def changes_per_minute(self) -> float:
        """Changes of the smoothed label per minute that was looked at; 0 when nothing was."""
        return ratio(60 * len(self.changes), self.observed.seconds) or 0.0


def measure_journey(faces: Expressions, bins: Bins, observed: Observed) -> Journey:
    """Measure the expressions of a video; nothing of it fails without samples.

    Args:
        faces: Expression samples, by time.
        bins: The one-second bins.
        observed: When the faces were looked for.

    Returns:
        The values that blocks and further metrics read. Without samples every curve is NaN, rate, variability and
        shapes are None, and there are no changes and peaks.
    """
    valence, intensity, arousal = (
        bins.means(faces.times_s, values) for values in (faces.valences, faces.intensities, faces.arousals)
    )
    known = np.flatnonzero(~np.isnan(valence))
    labels = strongest_labels(bins.index(faces.times_s), faces.labels, faces.confidences, bins.count)
    toned = np.array([i for i in known.tolist() if labels[i] != NEUTRAL], dtype=np.int64)
    changes, thirds, variability = faces.smoothed.changes, third_means(valence), std(valence[known])
    return Journey(
        faces=faces,
        bins=bins,
        observed=observed,
        valence=valence,
        arousal=arousal,
        known=known,
        labels=labels,
        changes=changes,
        change_rate=change_rate(len(changes), known.size),
        variability=variability,
        thirds=thirds,
        arc=emotional_arc(thirds, variability, 30 * (ratio(len(changes), observed.seconds) or 0.0)),
        trajectory=trajectory(valence),
        intense_moments=_peaks_of(intense_bins(intensity, toned), faces, bins, labels, intensity),
        peaks=_peaks_of(emotion_peaks(valence, intensity, toned), faces, bins, labels, intensity),
    )


def _peaks_of(
    chosen: Sequence[int], faces: Expressions, bins: Bins, labels: Sequence[Emotion | None], intensity: Floats
) -> list[Peak]:
    sample_bins = bins.index(faces.times_s)
    found = []
    for index in chosen:
        inside = np.flatnonzero(sample_bins == index)
        strongest = inside[np.argmax(faces.intensities[inside])]
        time_s, label = float(faces.times_s[strongest]), labels[index] or NEUTRAL
        found.append(Peak(index, label, float(intensity[index]), time_s))
    return found


@dataclass(frozen=True)
class EmotionSync:
    """How the expressions go with everything else; None where it is unknown or never meets a face.

    Attributes:
        gesture_spans_s: ``(m, 2)`` time of each gesture; None where gestures are unknown.
        gesture_overlap: Where gestures meet expressions.
        gesture: Share of compatible gestures, 0..1.
        reinforcement: Share of peaks with a gesture.
        tones: Transcript segments whose words and face both have a tone.
        speech: Share of these with one tone.
        audio: Alignment of energy and arousal over bins, 0..1.
        mood: Agreement of energy and arousal over thirds, 0..1.
        beats: Changes on beats above chance, 0..1.
        caption: Agreement of caption and face, 0..1.
        coherence: Mean of those known of gesture, speech, audio and caption, at least two.
    """

    gesture_spans_s: Floats | None
    gesture_overlap: GestureOverlap | None
    gesture: float | None
    reinforcement: float | None
    tones: list[SpokenTone] | None
    speech: float | None
    audio: float | None
    mood: float | None
    beats: float | None
    caption: float | None
    coherence: float | None

    def __post_init__(self) -> None:
        freeze_arrays(self, gesture_spans_s=(np.float64, "m", 2))


def measure_sync(journey: Journey, evidence: Evidence, caption: Caption | None) -> EmotionSync:
    """Hold the expressions against the gestures, the sound, the speech and the caption.

    Args:
        journey: The expressions.
        evidence: Of the video.
        caption: Of the video; None when the source has none. One without words and emoji has no tone to compare.

    Returns:
        The measures, each as its function in :mod:`rumiai.metrics.emotional_journey.sync` defines it; None where the
        other side is unknown or never meets a face.
    """
    speech = evidence.speech
    overlap = None if evidence.gestures is None else _gesture_overlap(journey, evidence.gestures)
    spans_s = None if evidence.gestures is None else _spans_of(evidence.gestures)
    tones = None if speech is None else tones_of(speech.segments, journey.faces)
    energy = None if evidence.audio is None else evidence.audio.per_bin(journey.bins)
    gesture, spoken = None if overlap is None else gesture_alignment(overlap), tone_agreement(tones)
    sound = None if energy is None else alignment(energy, journey.arousal)
    told = caption is not None and (caption.words or caption.emoji)
    written = caption_alignment(caption.sentiment.polarity, journey.faces.valences) if caption and told else None
    return EmotionSync(
        gesture_spans_s=spans_s,
        gesture_overlap=overlap,
        gesture=gesture,
        reinforcement=None if spans_s is None else gesture_reinforcement(_peak_spans(journey), spans_s),
        tones=tones,
        speech=spoken,
        audio=sound,
        mood=None if energy is None else mood_congruence(energy, journey.arousal),
        beats=_beat_sync(journey, evidence),
        caption=written,
        coherence=mean_of_several([gesture, spoken, sound, written]),
    )


def _spans_of(gestures: Sequence[Gesture]) -> Floats:
    return as_intervals([(gesture.start_s, gesture.end_s) for gesture in gestures])


def _gesture_overlap(journey: Journey, gestures: Sequence[Gesture]) -> GestureOverlap:
    """A sample stands for one sampling step, until the end of the video at most."""
    faces = journey.faces
    ends_s = np.minimum(faces.times_s + faces.step_s, journey.bins.duration_s)
    kinds = [gesture.kind for gesture in gestures]
    return gesture_overlap(np.stack([faces.times_s, ends_s], axis=1), faces.labels, _spans_of(gestures), kinds)


def _peak_spans(journey: Journey) -> Floats:
    edges_s, chosen = journey.bins.edges_s, np.array([peak.bin for peak in journey.peaks], dtype=np.int64)
    return np.stack([edges_s[chosen], edges_s[chosen + 1]], axis=1)


def _beat_sync(journey: Journey, evidence: Evidence) -> float | None:
    audio = evidence.audio
    if audio is None or audio.beats_s is None:
        return None
    both_s = intersect(evidence.seen("emotion").spans_s, evidence.seen("audio").spans_s)
    changes_s = np.array([change.time_s for change in journey.changes], dtype=np.float64)
    return beat_sync(changes_s, audio.beats_s, journey.faces.step_s, both_s)
