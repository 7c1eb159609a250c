"""What the metric families read: the unified analysis as typed, sorted values.

A part whose service failed, did not run or looked at nothing is None; one whose service found nothing is empty. Times
are float seconds, boxes ``x, y, width, height`` in 0..1 of the frame. Nothing is keyed by a second, and everything is
in a total order, so that the order of the input lists does not matter.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from rumiai.contracts.lexicons import VALENCE_WEIGHTS, Emotion
from rumiai.contracts.metadata import VideoMetadata
from rumiai.contracts.observed import Observed
from rumiai.core.arrays import Floats, Ints, freeze_arrays
from rumiai.core.boxes import Box
from rumiai.core.intervals import as_intervals, union
from rumiai.metrics.evidence.confidence import Services
from rumiai.metrics.evidence.sound import Audio, Speech
from rumiai.metrics.shared.bins import Bins
from rumiai.metrics.shared.labels import SmoothedLabels, smooth
from rumiai.metrics.shared.voice import voiced_spans

# How strongly each emotion stirs a face.
AROUSAL_WEIGHTS: Final = {
    "joy": 1.0, "surprise": 0.9, "anger": 1.0, "fear": 1.0, "disgust": 0.9, "sadness": 0.8, "neutral": 0.0,
}  # fmt: skip


@dataclass(frozen=True)
class TextTrack:
    """One appearance of a text; watermarks are none.

    Attributes:
        sighting_times_s: ``(m,)``, ascending.
        sighting_boxes: ``(m, 4)``.
        contrasts: ``(m,)``, NaN where unknown.
        line_height: Of one of its lines, as a share of the frame's height; None where its box is not known.
    """

    text: str
    start_s: float
    end_s: float
    confidence: float | None
    box: Box | None
    category: str
    sighting_times_s: Floats
    sighting_boxes: Floats
    contrasts: Floats
    line_height: float | None = None

    def __post_init__(self) -> None:
        freeze_arrays(
            self,
            sighting_times_s=(np.float64, "m"),
            sighting_boxes=(np.float64, "m", 4),
            contrasts=(np.float64, "m"),
        )

    @property
    def centre(self) -> tuple[float, float] | None:
        """x, y of the middle of its box, 0..1 of the frame; None when the box is unknown."""
        return None if self.box is None else (self.box[0] + self.box[2] / 2, self.box[1] + self.box[3] / 2)


@dataclass(frozen=True)
class Sticker:
    """One appearance of a sticker."""

    kind: str
    start_s: float
    end_s: float
    confidence: float | None
    box: Box | None


@dataclass(frozen=True)
class Gesture:
    """A gesture held from ``start_s`` to ``end_s``; ``direction`` is where a pointing finger points, in the picture."""

    kind: str
    start_s: float
    end_s: float
    confidence: float | None
    hand: str | None
    box: Box | None
    direction: tuple[float, float] | None


@dataclass(frozen=True)
class Grid:
    """The instants at which a service looked.

    Attributes:
        step_s: Between two of them.
        times_s: ``(k,)`` ascending; the instants that the service names, and those of finds that lie at none of these.
        nominal_s: ``(k,)`` the nearest multiples of the step; ``times_s`` itself where two would share one.
    """

    step_s: float
    times_s: Floats
    nominal_s: Floats

    def __post_init__(self) -> None:
        freeze_arrays(self, times_s=(np.float64, "k"), nominal_s=(np.float64, "k"))

    @property
    def count(self) -> int:
        """Number of instants."""
        return int(self.times_s.size)


@dataclass(frozen=True)
class Detections:
    """Finds on sampled frames, by frame.

    Attributes:
        grid: The sampled frames.
        sample: ``(n,)`` indices into the grid.
        boxes: ``(n, 4)``, NaN for a find whose place is not known.
        confidences: ``(n,)`` 0..1, NaN where unknown.
    """

    grid: Grid
    sample: Ints
    boxes: Floats
    confidences: Floats

    def __post_init__(self) -> None:
        freeze_arrays(self, sample=(np.int64, "n"), boxes=(np.float64, "n", 4), confidences=(np.float64, "n"))

    @cached_property
    def per_sample(self) -> Ints:
        """``(k,)`` number of boxes on each sampled frame."""
        return np.bincount(self.sample, minlength=self.grid.count)

    @property
    def areas(self) -> Floats:
        """``(n,)`` share of the frame; NaN where the place is not known."""
        result: Floats = self.boxes[:, 2] * self.boxes[:, 3]
        return result

    def largest_area(self) -> Floats:
        """Area of the largest box on each sampled frame.

        Returns:
            ``(k,)`` shares of the frame; 0 without a box, NaN where none has a known place.
        """
        largest = np.zeros(self.grid.count)
        np.fmax.at(largest, self.sample, self.areas)
        largest[(self.per_sample > 0) & (largest == 0)] = np.nan
        return largest


@dataclass(frozen=True)
class Objects(Detections):
    """Detected objects; ``classes[class_index[i]]`` is the class of box i."""

    class_index: Ints
    classes: tuple[str, ...]

    def __post_init__(self) -> None:
        super().__post_init__()
        freeze_arrays(self, sample=(np.int64, "n"), class_index=(np.int64, "n"))

    def of_class(self, name: str) -> Detections:
        """The boxes of one class.

        Args:
            name: Of the class.

        Returns:
            They, on the same grid; none for a class that was not found.
        """
        chosen = (
            self.class_index == self.classes.index(name) if name in self.classes else np.zeros(len(self.sample), bool)
        )
        return Detections(self.grid, self.sample[chosen], self.boxes[chosen], self.confidences[chosen])


@dataclass(frozen=True)
class Poses(Detections):
    """Bodies; ``landmarks`` is ``(n, 33, 4)`` x, y, z, visibility, NaN where unknown."""

    landmarks: Floats
    postures: tuple[str | None, ...]
    orientations: tuple[str | None, ...]

    def __post_init__(self) -> None:
        super().__post_init__()
        freeze_arrays(
            self,
            sample=(np.int64, "n"),
            landmarks=(np.float64, "n", 33, 4),
            postures=(tuple, "n"),
            orientations=(tuple, "n"),
        )


@dataclass(frozen=True)
class Gaze:
    """Where the main face of a sampled frame looks, at most one per frame."""

    grid: Grid
    sample: Ints
    eye_contact: Floats
    directions: tuple[str | None, ...]

    def __post_init__(self) -> None:
        freeze_arrays(self, sample=(np.int64, "n"), eye_contact=(np.float64, "n"), directions=(tuple, "n"))


@dataclass(frozen=True)
class Action:
    """Something that a person does over a time."""

    kind: str
    start_s: float
    end_s: float
    confidence: float | None


@dataclass(frozen=True)
class People:
    """Faces, bodies and gaze, all on one grid.

    Attributes:
        grid: Where people were looked for.
        faces: Faces.
        poses: Bodies.
        gaze: Of the main faces.
        actions: None when none were looked for.
        aspect: Width of the frame over its height, as shown; None where it is not known.
    """

    grid: Grid
    faces: Detections
    poses: Poses
    gaze: Gaze
    actions: tuple[Action, ...] | None
    aspect: float | None = None


@dataclass(frozen=True)
class Expressions:
    """The expression of the main face, at most one per sampled frame, by time.

    Attributes:
        source: The service it comes from.
        step_s: Sampling step.
        times_s: ``(n,)``.
        labels: Canonical emotion of each.
        confidences: ``(n,)``.
        valences: ``(n,)`` sum of score x weight; weight x confidence of the label without scores.
    """

    source: Literal["emotion_detection", "mediapipe"]
    step_s: float
    times_s: Floats
    labels: tuple[Emotion, ...]
    confidences: Floats
    valences: Floats

    def __post_init__(self) -> None:
        freeze_arrays(
            self,
            times_s=(np.float64, "n"),
            labels=(tuple, "n"),
            confidences=(np.float64, "n"),
            valences=(np.float64, "n"),
        )

    @cached_property
    def intensities(self) -> Floats:
        """``(n,)`` confidence x |valence weight of the label|, 0..1."""
        weights: Floats = np.array([abs(VALENCE_WEIGHTS[label]) for label in self.labels], dtype=np.float64)
        return np.multiply(self.confidences, weights)

    @cached_property
    def arousals(self) -> Floats:
        """``(n,)`` confidence x arousal weight of the label, 0..1."""
        weights: Floats = np.array([AROUSAL_WEIGHTS[label] for label in self.labels], dtype=np.float64)
        return np.multiply(self.confidences, weights)

    @cached_property
    def smoothed(self) -> SmoothedLabels[Emotion]:
        """Labels held for at least 1.0 s."""
        return smooth(self.times_s.tolist(), self.labels, self.step_s)


@dataclass(frozen=True)
class Shots:
    """The scenes and what separates them.

    Attributes:
        starts_s: ``(n,)``, the first 0.
        ends_s: ``(n,)``, the last the end of the picture that was looked at.
        cuts_s: ``(n - 1,)``.
        cut_confidences: ``(n - 1,)``, or None when the detector gave no scores.
        transition_types: As named by the detector; None when it names none.
    """

    starts_s: Floats
    ends_s: Floats
    cuts_s: Floats
    cut_confidences: Floats | None
    transition_types: tuple[str, ...] | None

    def __post_init__(self) -> None:
        freeze_arrays(self, starts_s=(np.float64, "n"), ends_s=(np.float64, "n"))
        freeze_arrays(
            self, cuts_s=(np.float64, self.starts_s.size - 1), cut_confidences=(np.float64, self.starts_s.size - 1)
        )

    @property
    def durations_s(self) -> Floats:
        """``(n,)`` lengths of the scenes."""
        return self.ends_s - self.starts_s

    def index(self, times_s: npt.ArrayLike) -> Ints:
        """Which scene each instant lies in.

        Args:
            times_s: Instants in seconds, of any shape.

        Returns:
            Indices of the scenes, of that shape; a cut belongs to the scene after it, what lies behind the end to the
            last.
        """
        return np.asarray(np.searchsorted(self.cuts_s, times_s, side="right"), dtype=np.int64)


@dataclass(frozen=True)
class Evidence:
    """Everything that the seven families read of one video; ``texts`` are the overlays alone.

    ``observed`` says when each service that ran looked, by its name in the weights; ``seen`` reads it. ``aspect`` is
    the width of the frame over its height, as shown; None where it is not known.
    """

    duration_s: float
    metadata: VideoMetadata
    services: Services
    observed: Mapping[str, Observed]
    texts: tuple[TextTrack, ...] | None
    scene_texts: tuple[TextTrack, ...] | None
    unknown_texts: tuple[TextTrack, ...] | None
    stickers: tuple[Sticker, ...] | None
    gestures: tuple[Gesture, ...] | None
    speech: Speech | None
    objects: Objects | None
    people: People | None
    expressions: Expressions | None
    shots: Shots | None
    audio: Audio | None
    aspect: float | None = None

    def seen(self, service: str) -> Observed:
        """When a service looked.

        Args:
            service: Its name in the weights.

        Returns:
            The time; none at all for one that did not run.
        """
        return self.observed.get(service) or Observed(as_intervals([]), self.duration_s)

    @cached_property
    def bins(self) -> Bins:
        """The one-second bins."""
        return Bins(self.duration_s)

    @cached_property
    def gesture_spans_s(self) -> Floats:
        """``(n, 2)`` union of the gestures; ``(0, 2)`` without any, and where they are unknown."""
        return union([(g.start_s, g.end_s) for g in self.gestures or ()])

    @cached_property
    def voiced_s(self) -> Floats | None:
        """``(n, 2)`` union of the time in which somebody speaks; None where speech is unknown."""
        if self.speech is None:
            return None
        loud_s = None if self.audio is None else self.audio.loud_s
        return voiced_spans(self.speech.timed_words_s, self.speech.untimed_segments_s, loud_s, self.duration_s)

    @property
    def voiced_or_silent_s(self) -> Floats:
        """The same; empty where speech is unknown."""
        return np.zeros((0, 2)) if self.voiced_s is None else self.voiced_s
