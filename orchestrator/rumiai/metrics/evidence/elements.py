"""Elements of one video in the form that the measures of several analyses take."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import numpy as np

from rumiai.core.intervals import as_intervals
from rumiai.metrics.evidence.sound import Segment, Word
from rumiai.metrics.evidence.types import Evidence, Expressions, TextTrack
from rumiai.metrics.shared.density import BinWords, Density, measure_density, objects_per_bin, words_by_bin
from rumiai.metrics.shared.spoken_tone import SpokenTone, spoken_tones
from rumiai.metrics.shared.words import TimedText

# Which service looks for each type of element, by its name in the weights.
_SERVICE_OF: Final = {
    "text": "ocr", "sticker": "ocr", "gesture": "mediapipe", "expression": "emotion", "object": "yolo",
    "scene_change": "scenes",
}  # fmt: skip


def density_of(evidence: Evidence) -> Density:
    """Density of the elements of a video (:func:`rumiai.metrics.shared.density.measure_density`).

    Args:
        evidence: Of the video.

    Returns:
        Elements by type and one-second bin: texts and stickers that are shown, gestures that begin, changes of
        expression, cuts, objects. A type whose service failed is left out; one is NaN in a bin that its service did not
        look at.
    """
    texts, stickers, gestures = evidence.texts, evidence.stickers, evidence.gestures
    faces, objects, shots = evidence.expressions, evidence.objects, evidence.shots
    return measure_density(
        evidence.bins,
        texts_s=None if texts is None else as_intervals([(t.start_s, t.end_s) for t in texts]),
        stickers_s=None if stickers is None else as_intervals([(s.start_s, s.end_s) for s in stickers]),
        gestures_s=None if gestures is None else np.array([gesture.start_s for gesture in gestures]),
        expressions_s=None if faces is None else np.array([change.time_s for change in faces.smoothed.changes]),
        objects=None if objects is None else objects_per_bin(objects.grid.nominal_s, objects.per_sample, evidence.bins),
        cuts_s=None if shots is None else shots.cuts_s,
        observed={kind: evidence.seen(name).windows(evidence.bins.edges_s) for kind, name in _SERVICE_OF.items()},
    )


def timed_texts(items: Iterable[TextTrack | Segment | Word]) -> list[TimedText]:
    """Text, start and end (seconds) of each item, in the order given.

    Args:
        items: Overlays, transcript segments or words.

    Returns:
        One for each; empty for none.
    """
    return [(item.text, item.start_s, item.end_s) for item in items]


def tones_of(segments: Iterable[Segment], faces: Expressions) -> list[SpokenTone]:
    """Tone of what is said against that of the face (:func:`rumiai.metrics.shared.spoken_tone.spoken_tones`).

    Args:
        segments: Of the transcript.
        faces: Expressions of the main face.

    Returns:
        One for each segment in which both have a tone, in order; empty for none.
    """
    return spoken_tones(timed_texts(segments), faces.times_s, faces.labels, faces.valences)


def words_of(evidence: Evidence) -> Iterator[BinWords]:
    """Words that are read and heard in each one-second bin of a video.

    Args:
        evidence: Of the video.

    Returns:
        One for each bin; nothing is read where texts are unknown, and nothing heard where speech is.
    """
    words = () if evidence.speech is None else evidence.speech.words
    return words_by_bin(evidence.bins, timed_texts(evidence.texts or ()), timed_texts(words))
