"""When a service looked, as far as a file states it that has no ``observed``: never frames over duration.

A count of frames says where a service looked only together with a rate. The rate is the one that the file states, else
the step between the instants at which something was found: these lie on the grid. Without either, all that is known are
the instants with a find.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Final

import numpy as np

from rumiai.contracts.results import ServiceResult
from rumiai.contracts.services.audio import AudioData
from rumiai.contracts.services.base import Instants, ServiceData, Stretches
from rumiai.contracts.services.expressions import ExpressionsData
from rumiai.contracts.services.ocr import OcrData
from rumiai.contracts.services.people import PeopleData
from rumiai.contracts.services.scenes import ScenesData
from rumiai.contracts.services.whisper import WhisperData
from rumiai.contracts.services.yolo import YoloData
from rumiai.core.arrays import Floats

# Steps that a nearest frame's own time may be off its place on the grid.
_OFF_GRID: Final = 0.5
# Sound that ends this much before the picture is whole: containers round, and encoders trim a packet.
_ROUNDING_S: Final = 0.5
_EPSILON_S: Final = 1e-6


def with_observed(result: ServiceResult, duration_s: float | None) -> ServiceResult:
    """A stored result whose data says when the service looked; one that says so already, or failed, as it is.

    Args:
        result: As it was read.
        duration_s: Of the video; None leaves the result as it is.
    """
    data = result.data
    if data is None or data.observed is not None or duration_s is None:
        return result
    observed = stated(data, duration_s)
    return result if observed is None else replace(result, data=data.observing(observed))


def sampled(answered: int | None, rate_hz: float | None, found_s: list[float], duration_s: float) -> Instants:
    """The sampled instants that a file states.

    Args:
        answered: Frames that the service has an answer for; None where that is not told.
        rate_hz: Sampling rate that the file states; None where it does not.
        found_s: Instants at which something was found.
        duration_s: Length of the video.

    Returns:
        Ascending seconds: the first ``answered`` instants of the grid, with the finds' own times in their places, and
        every other find. Only the finds where the grid is not known; () when no frame was answered.
    """
    seen = np.unique(np.asarray(found_s, dtype=np.float64))
    if answered == 0 and not seen.size:
        return ()
    step_s = 1 / rate_hz if rate_hz else _step_of(seen)
    if step_s is None or answered is None:
        return tuple(seen.tolist())
    count = min(answered, math.ceil(duration_s / step_s - _EPSILON_S))
    grid = np.arange(count) * step_s
    taken = np.clip(np.rint(seen / step_s), 0, max(0, count - 1)).astype(np.int64)
    free = np.ones(count, dtype=np.bool_)
    free[taken[np.abs(seen - taken * step_s) <= _OFF_GRID * step_s + _EPSILON_S] if count else []] = False
    return tuple(np.unique(np.concatenate([grid[free], seen])).tolist())


def _step_of(seen: Floats) -> float | None:
    """The step of the grid that finds lie on: the smallest gap between two; None with fewer than two finds."""
    gaps = np.diff(seen)
    return float(gaps.min()) if gaps.size else None


def stated(data: ServiceData, duration_s: float) -> Instants | Stretches | None:
    """When a service of a stored file looked, as far as the file tells.

    Args:
        data: Canonical data without ``observed``.
        duration_s: Length of the video, seconds.

    Returns:
        Instants of sampled frames, or stretches; None for a service of which nothing is known, such as a plugin's.
    """
    match data:
        case YoloData() | OcrData() | PeopleData():
            return sampled(data.frames_answered, data.metadata.sample_fps, data.found_at_s, duration_s)
        case ExpressionsData():
            rate_hz = data.metadata.sample_fps or data.sample_rate
            return sampled(data.frames_answered, rate_hz, data.found_at_s, duration_s)
        case WhisperData():
            return _sound(data.audio_duration_s, duration_s, has_audio=data.metadata.has_audio)
        case AudioData():
            return _sound(data.duration_s, duration_s, has_audio=data.metadata.has_audio)
        case ScenesData():
            return ((0.0, min(duration_s, data.scenes[-1].end_s)),)
        case _:
            return None


def _sound(length_s: float | None, duration_s: float, *, has_audio: bool | None) -> Stretches:
    """The track's length, where it is stated; the whole video otherwise, which is what these services listened to."""
    is_whole = has_audio is False or length_s is None or length_s >= duration_s - _ROUNDING_S
    return ((0.0, duration_s if is_whole or length_s is None else max(0.0, length_s)),)
