"""Shots and cuts: the canonical data of the ``scene_detection`` service."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import ClassVar, Final

from pydantic import Field, model_validator

from rumiai.contracts.services.base import (
    Count,
    Number,
    Seconds,
    ServiceData,
    ServiceMetadata,
    ServiceModel,
    Text,
    broken,
    interval_problem,
)
from rumiai.core.cuts import ADAPTIVE_THRESHOLD, cut_confidence

_CONTIGUOUS_S: Final = 0.01
# One frame at the slowest rate that phones record, where the rate is unknown.
_DEFAULT_FRAME_S: Final = 1 / 15


class Scene(ServiceModel):
    """One shot.

    Attributes:
        scene_number: From 1.
        scene_index: From 0.
        start_s: Where the scene before it ends.
        end_s: After ``start_s``.
        duration_s: ``end_s`` less ``start_s``.
        start_frame: Index of its first frame in the source stream.
        end_frame: Index of the frame after its last.
    """

    scene_number: Count
    scene_index: Count | None = None
    start_s: Seconds = Field(validation_alias="start_time", serialization_alias="start_time")
    end_s: Seconds = Field(validation_alias="end_time", serialization_alias="end_time")
    duration_s: Number
    start_frame: Count | None = None
    end_frame: Count | None = None

    @model_validator(mode="after")
    def _ends_after_its_start(self) -> Scene:
        if problem := interval_problem(self.start_s, self.end_s, may_be_instant=False):
            raise problem
        length_s = self.end_s - self.start_s
        if abs(length_s - self.duration_s) > _CONTIGUOUS_S:
            raise broken(f"duration: got {self.duration_s}, expected {length_s:.3f}")
        return self


class Transition(ServiceModel):
    """A cut (an instant) or a gradual transition with its extent; ``direction`` of a fade is ``in`` or ``out``."""

    start_s: Number
    end_s: Number
    type: Text
    direction: Text | None = None


class ScenesMetadata(ServiceMetadata):
    """The detector and its settings; ``confidence`` says how a score becomes one."""

    detector: Text | None = None
    adaptive_threshold: Number | None = None
    min_content_val: Number | None = None
    window_width: Count | None = None
    min_scene_len_s: Number | None = Field(
        default=None, validation_alias="min_scene_len_s", serialization_alias="min_scene_len_s"
    )
    confidence: Text | None = None
    frames: Count | None = None


class ScenesData(ServiceData):
    """The shots of one video: contiguous, from 0 to its end; a single shot is one scene.

    Attributes:
        scenes: At least one, numbered 1..n.
        changes_s: Where each scene but the first starts.
        change_scores: Adaptive ratio of each change; None where the file does not tell.
        transition_types: One per change, then one per gradual transition that is no change.
        transitions: Every cut and gradual transition, by time.
        total_scenes: How many there are.
        metadata: How it was made.
    """

    service: ClassVar[str] = "scene_detection"
    short_name: ClassVar[str | None] = "scenes"
    entry_types: ClassVar[tuple[str, ...]] = ("scene_change", "scene")

    scenes: tuple[Scene, ...]
    changes_s: tuple[Seconds, ...] = Field(validation_alias="scene_changes", serialization_alias="scene_changes")
    change_scores: tuple[Number, ...] | None = Field(
        default=None, validation_alias="scene_change_scores", serialization_alias="scene_change_scores"
    )
    transition_types: tuple[Text, ...] | None = None
    transitions: tuple[Transition, ...] | None = None
    total_scenes: Count
    metadata: ScenesMetadata

    @model_validator(mode="after")
    def _scenes_cover_the_video(self) -> ScenesData:
        if found := [*self._numbering(), *self._coverage()]:
            raise broken(*found)
        return self

    def _numbering(self) -> Iterator[str]:
        for place, scene in enumerate(self.scenes):
            if scene.scene_number != place + 1:
                yield f"scenes[{place}].scene_number: got {scene.scene_number}, expected {place + 1}"
        for place, (one, two) in enumerate(pairwise(self.scenes), start=1):
            if abs(one.end_s - two.start_s) > _CONTIGUOUS_S:
                yield f"scenes[{place}]: starts at {two.start_s}, expected {one.end_s}, where the last ends"

    def _coverage(self) -> Iterator[str]:
        count = len(self.scenes)
        if not count:
            yield "scenes: got none, expected at least one: a single shot is one scene"
            return
        if self.scenes[0].start_s > _CONTIGUOUS_S:
            yield f"scenes[0]: starts at {self.scenes[0].start_s}, expected 0"
        end_s, duration_s, fps = self.scenes[-1].end_s, self.metadata.duration_s, self.metadata.fps
        slack_s = (1 / fps if fps else _DEFAULT_FRAME_S) + _CONTIGUOUS_S
        if duration_s is not None and abs(end_s - duration_s) > slack_s:
            yield f"scenes[{count - 1}]: ends at {end_s}, expected {duration_s}, the video's end"
        if len(self.changes_s) != count - 1:
            yield f"scene_changes: got {len(self.changes_s)}, expected {count - 1}, scenes less one"
        elif self.change_scores and len(self.change_scores) != len(self.changes_s):
            yield f"scene_change_scores: got {len(self.change_scores)}, expected {len(self.changes_s)}, one per change"
        if self.total_scenes != count:
            yield f"total_scenes: got {self.total_scenes}, expected {count}"

    @property
    def change_confidences(self) -> tuple[float, ...] | None:
        """Confidence of each change, 0..1; None where the file has no scores."""
        if not self.change_scores:
            return None
        threshold = self.metadata.adaptive_threshold or ADAPTIVE_THRESHOLD
        return tuple(cut_confidence(score, threshold) for score in self.change_scores)

    @property
    def found_confidences(self) -> list[float | None]:
        """Of every change; None of each where the detector gave no scores."""
        confidences = self.change_confidences
        return list(confidences) if confidences is not None else [None] * len(self.changes_s)
