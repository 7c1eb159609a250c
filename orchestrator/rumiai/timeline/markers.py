"""Temporal markers: what happens in the first five seconds, in the call-to-action window and at the peaks.

All windows are half-open. The engagement curve is a heuristic: a weighted count of events per five seconds. It does not
measure engagement.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean, pstdev
from typing import Final

import numpy as np

from rumiai.contracts.lexicons import contains_phrase
from rumiai.contracts.payloads import emotion_of, segment_of
from rumiai.contracts.timeline import TimelineEntry, UnifiedAnalysis
from rumiai.core.arrays import Floats
from rumiai.core.intervals import overlap_s
from rumiai.core.json_values import JsonValue
from rumiai.core.series import local_maxima
from rumiai.core.text import joined
from rumiai.core.windows import WindowIndex
from rumiai.timeline.cta import cta_window, window_of
from rumiai.timeline.elements import Element, distinct, elements_of
from rumiai.timeline.looked import Looked, observed_by
from rumiai.timeline.marker_types import CURVE_STEP_S, FirstSeconds, Markers, Peak, PeakEvent, SpeechExcerpt
from rumiai.timeline.moments import (
    clipped,
    gesture_moments,
    object_counts,
    text_moments,
)
from rumiai.timeline.shrinking import MAX_MARKER_BYTES, shrunk

_FIRST_S: Final = 5
_MAX_GESTURES: Final = 8
_MAX_OBJECTS: Final = 5
_MAX_SEGMENTS: Final = 5
_MAX_PEAKS: Final = 5
# So that a crowded second cannot fill the file.
_MAX_PEAK_EVENTS: Final = 20

_DENSITY_WEIGHTS: Final[Mapping[str, float]] = {"text": 3, "speech": 2}
_PEAK_WEIGHTS: Final[Mapping[str, float]] = {"text": 3.0, "scene_change": 2.0, "speech": 1.5}
_CURVE_WEIGHTS: Final[Mapping[str, float]] = {"text": 2.0, "scene_change": 1.5, "speech": 1.0, "object": 0.5}

# The guess that stands in where no emotion was seen; in this order.
_SPEECH_EMOTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "positive": ("amazing", "love", "great", "awesome"),
    "warning": ("warning", "careful", "don't", "avoid"),
    "urgent": ("urgent", "now", "quick", "fast"),
}


def compute_markers(analysis: UnifiedAnalysis, generated_at: str | None = None) -> dict[str, JsonValue]:
    """The temporal markers of one video as JSON, at most 50 KB of it: ``measure_markers``, shrunk where need be."""
    return shrunk(measure_markers(analysis, generated_at), MAX_MARKER_BYTES).to_dict()


def measure_markers(analysis: UnifiedAnalysis, generated_at: str | None = None) -> Markers:
    """The temporal markers of one video.

    Pure and deterministic: the same analysis gives the same markers; ``generated_at`` is written as given. What was not
    looked at is None. Types whose service has no data are left out of densities, peaks and curve.
    """
    elements, looked = elements_of(analysis), Looked.of(analysis)
    return Markers(
        first=_first_seconds(analysis, elements, looked),
        window=cta_window(analysis, elements, looked),
        peaks=_peaks(elements, analysis.duration_s, looked),
        curve=_curve(elements, analysis.duration_s, looked),
        video_id=analysis.video_id,
        duration_s=analysis.duration_s,
        generated_at=generated_at,
        available=analysis.completion_status(),
        missing={service: reason[:200] for service, reason in analysis.errors().items()},
        unobserved=_unobserved(analysis),
    )


def _unobserved(analysis: UnifiedAnalysis) -> dict[str, list[str]]:
    """Window of the markers -> the services with data that looked at nothing of it, by name."""
    windows = {"first_5_seconds": (0.0, float(_FIRST_S)), "cta_window": window_of(analysis.duration_s)}
    spans = {name: observed_by(analysis, name).spans_s for name in sorted(analysis.ml_data) if analysis.ok(name)}
    blind = {
        name: [service for service, spans_s in spans.items() if not overlap_s(spans_s, *window)]
        for name, window in windows.items()
    }
    return {name: services for name, services in blind.items() if services}


def _first_seconds(analysis: UnifiedAnalysis, elements: Sequence[Element], looked: Looked) -> FirstSeconds:
    timeline = analysis.timeline
    labels, sources = _emotion_sequence(analysis, looked)
    opening = 0.0, float(_FIRST_S)
    gestures = gesture_moments(timeline, *opening, _MAX_GESTURES)
    changes_s = [entry.start_s for entry in timeline.in_range(*opening, "scene_change")]
    return FirstSeconds(
        density=_density(elements, analysis.duration_s, looked),
        texts=looked.known(text_moments(timeline, *opening), *opening, "text"),
        emotions=labels,
        emotion_sources=sources,
        gestures=looked.known(gestures, *opening, "gesture"),
        objects=looked.known(object_counts(elements, *opening)[:_MAX_OBJECTS], *opening, "object"),
        speech=looked.known(_speech_segments(timeline.in_range(*opening, "speech")), *opening, "speech"),
        changes_s=looked.known(changes_s, *opening, "scene_change"),
    )


def _density(elements: Iterable[Element], duration_s: float, looked: Looked) -> list[int | None]:
    """Weighted distinct elements active in each of the first five seconds.

    None in a second that a service with data did not look at; 0 after the end of the video, if any was looked at.
    """
    early = [element for element in elements if element.start_s < _FIRST_S]
    edges_s = _edges_s(min(duration_s, _FIRST_S), 1.0)
    told = looked.windows(edges_s)
    counts = [distinct(early, second, second + 1) for second in range(len(told))]
    sums = [sum(int(_DENSITY_WEIGHTS.get(kind, 1)) * n for (kind, _), n in count.items()) for count in counts]
    known = [total if told[second] else None for second, total in enumerate(sums)]
    return known + [0 if told.any() else None] * (_FIRST_S - len(known))


def _edges_s(duration_s: float, step_s: float) -> Floats:
    """``(w + 1,)`` edges of windows of one length, at least one; the last ends with the video."""
    edges = np.arange(max(1, math.ceil(duration_s / step_s)) + 1) * step_s
    edges[-1] = duration_s
    return edges


def _emotion_sequence(analysis: UnifiedAnalysis, looked: Looked) -> tuple[list[str | None], list[str | None]]:
    """A label for each of the first five seconds, and where it is from.

    "unknown" where nothing tells; None where neither expressions nor speech were looked for.
    """
    labels: list[str | None] = []
    sources: list[str | None] = []
    for second in range(_FIRST_S):
        seen = analysis.timeline.in_range(second, second + 1, "emotion") if second < analysis.duration_s else ()
        heard = analysis.timeline.in_range(second, second + 1, "speech") if second < analysis.duration_s else ()
        label, source = _seen_emotion(seen, second), "emotion"
        if label is None:
            label, source = _spoken_emotion(heard), "speech_keywords"
        asked = looked.at_all(min(second, analysis.duration_s - 1e-3), second + 1, "emotion", "speech")
        labels.append(label or ("unknown" if asked else None))
        sources.append(source if label else None)
    return labels, sources


def _seen_emotion(entries: Iterable[TimelineEntry], second: int) -> str | None:
    """The label with the most confidence x time in the second; ties by name."""
    weights: dict[str, float] = {}
    for entry in entries:
        held = min(entry.end_s, second + 1) - max(entry.start_s, second) if entry.end_s is not None else 1.0
        seen = emotion_of(entry)
        if seen.emotion is not None:
            weights[seen.emotion] = weights.get(seen.emotion, 0.0) + (seen.confidence or 0.0) * held
    return min(weights, key=lambda label: (-weights[label], label)) if weights else None


def _spoken_emotion(entries: Iterable[TimelineEntry]) -> str | None:
    said = joined(segment_of(entry).text for entry in entries)
    return next((label for label, words in _SPEECH_EMOTIONS.items() if contains_phrase(said, words)), None)


def _speech_segments(entries: Sequence[TimelineEntry]) -> list[SpeechExcerpt]:
    """The segments that say most in the window, by time."""
    longest = sorted(entries, key=lambda entry: (-min(entry.end_s or 0.0, _FIRST_S) + entry.start_s, entry.start_s))
    kept = sorted(longest[:_MAX_SEGMENTS], key=lambda entry: (entry.start_s, entry.end_s or 0.0))
    return [SpeechExcerpt(entry.start_s, entry.end_s, clipped(segment_of(entry).text)) for entry in kept]


def _peaks(elements: Sequence[Element], duration_s: float, looked: Looked) -> list[Peak] | None:
    """Local maxima of the weighted starts per second above mean + 1 population standard deviation, the highest first.

    A plateau counts once, at its first second; the first and the last second can be peaks. A second that a service with
    data did not look at is none, nor in the mean; None when there is no other.
    """
    told = looked.windows(_edges_s(duration_s, 1.0))
    if not told.any():
        return None
    intensity = np.zeros(len(told))
    for element in elements:
        intensity[min(int(element.start_s), len(told) - 1)] += _PEAK_WEIGHTS.get(element.kind, 1.0)
    threshold = fmean(intensity[told]) + pstdev(intensity[told])
    highest = local_maxima(np.where(told, intensity, -np.inf))
    peaks = [second for second in highest if told[second] and intensity[second] > threshold]
    peaks.sort(key=lambda second: (-intensity[second], second))
    windows = WindowIndex(elements)
    return [Peak(float(s), float(intensity[s]), _events(windows.window(s, s + 1), s)) for s in peaks[:_MAX_PEAKS]]


def _events(active: Iterable[Element], second: int) -> list[PeakEvent]:
    """Everything active in the second, each thing once, the weightiest first."""
    found = distinct(active, second, second + 1)
    ranked = sorted(found, key=lambda key: (-_PEAK_WEIGHTS.get(key[0], 1.0), key))
    return [PeakEvent(kind, clipped(name), found[kind, name]) for kind, name in ranked[:_MAX_PEAK_EVENTS]]


def _curve(elements: Sequence[Element], duration_s: float, looked: Looked) -> list[float | None]:
    """min(1, weighted count / 10) for every five seconds: texts, cuts, speech and objects in the window.

    None in a window that a service with data for one of them did not look at.
    """
    windows = WindowIndex([element for element in elements if element.kind in _CURVE_WEIGHTS])
    curve: list[float | None] = []
    for place, told in enumerate(looked.windows(_edges_s(duration_s, CURVE_STEP_S), *_CURVE_WEIGHTS)):
        if not told:
            curve.append(None)
            continue
        start = place * CURVE_STEP_S
        counts = distinct(windows.window(start, start + CURVE_STEP_S), start, start + CURVE_STEP_S)
        score = sum(_CURVE_WEIGHTS[kind] * count for (kind, _), count in counts.items())
        curve.append(round(min(score / 10, 1.0), 2))
    return curve
