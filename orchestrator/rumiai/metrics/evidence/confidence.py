"""How far the services can be trusted, and with them the blocks (docs: analyses, 0.3).

q(service) is 0 when it failed, else c x r: c the mean confidence of what it found, r the frames it answered of those
expected.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from rumiai.metrics.shared.statistics import mean_known

# Short name of the weights table -> service whose failure makes it fail.
SERVICE_OF: Final[Mapping[str, str]] = {
    "ocr": "ocr", "yolo": "yolo", "mediapipe": "mediapipe", "whisper": "whisper", "scenes": "scene_detection",
    "emotion": "emotion_detection", "audio": "audio_energy",
}  # fmt: skip

METADATA_PARTS: Final[tuple[str, ...]] = ("caption", "hashtags", "stats", "createTime", "author")

# Detections without any confidence: what 0.3 gives to scene detection without scores.
UNSCORED: Final = 0.9

_BLOCKS: Final = ("CoreMetrics", "Dynamics", "Interactions", "KeyEvents", "Patterns")


def _row(*cells: str) -> Mapping[str, Mapping[str, float]]:
    parsed = {}
    for block, cell in zip(_BLOCKS, cells, strict=True):
        pairs = (part.split() for part in cell.split(","))
        parsed[block] = {name: float(weight) for name, weight in pairs}
    return parsed


WEIGHTS: Final[Mapping[str, Mapping[str, Mapping[str, float]]]] = {
    "creative_density": _row(
        "ocr .35, yolo .3, mediapipe .25, scenes .1",
        "ocr .35, yolo .25, mediapipe .2, scenes .2",
        "ocr .3, yolo .2, mediapipe .2, whisper .2, scenes .1",
        "ocr .3, yolo .3, mediapipe .2, scenes .2",
        "ocr .4, yolo .2, scenes .15, whisper .15, mediapipe .1",
    ),
    "emotional_journey": _row(
        "emotion .7, mediapipe .15, audio .15",
        "emotion .9, audio .1",
        "emotion .4, whisper .2, mediapipe .2, audio .2",
        "emotion .8, whisper .1, audio .1",
        "emotion .75, mediapipe .25",
    ),
    "person_framing": _row(
        "mediapipe .7, yolo .3",
        "mediapipe .7, yolo .15, scenes .15",
        "mediapipe .6, yolo .2, whisper .2",
        "mediapipe .8, yolo .2",
        "mediapipe .6, yolo .3, emotion .1",
    ),
    "scene_pacing": _row(
        "scenes .9, yolo .05, mediapipe .05",
        "scenes 1",
        "scenes .4, yolo .15, audio .15, ocr .1, mediapipe .1, emotion .1",
        "scenes .9, audio .1",
        "scenes .75, audio .15, yolo .05, mediapipe .05",
    ),
    "speech_analysis": _row(
        "whisper .9, audio .1",
        "whisper .6, audio .4",
        "whisper .5, mediapipe .3, ocr .1, emotion .1",
        "whisper .7, audio .2, mediapipe .1",
        "whisper 1",
    ),
    "visual_overlay_analysis": _row(
        "ocr 1",
        "ocr .9, scenes .1",
        "ocr .5, whisper .25, mediapipe .15, scenes .05, audio .05",
        "ocr .9, whisper .1",
        "ocr .8, whisper .2",
    ),
    "metadata_analysis": _row(
        "caption .3, stats .3, hashtags .2, createTime .2",
        "caption .7, hashtags .2, stats .1",
        "stats .4, author .25, hashtags .15, whisper .1, ocr .1",
        "caption .6, hashtags .4",
        "caption .8, hashtags .2",
    ),
}


@dataclass(frozen=True)
class Quality:
    """What is known of one service: q, the mean confidence of its finds, and why it has none."""

    ok: bool
    q: float
    confidence: float | None = None
    reason: str | None = None


@dataclass(frozen=True)
class Services:
    """The quality of every service and metadata part, by the short names of the weights table."""

    of: Mapping[str, Quality]
    unsupported_script: bool = False

    def ok(self, *names: str) -> bool:
        """Whether all of the services ran."""
        return all(self.of[name].ok for name in names)

    def q(self, name: str) -> float:
        """Quality of a service, 0..1; 0 when it failed."""
        return self.of[name].q

    def used(self, analysis: str) -> tuple[str, ...]:
        """Services with a weight in the row of the analysis, in the table's order."""
        return tuple(dict.fromkeys(name for block in WEIGHTS[analysis].values() for name in block))

    def completeness(self, analysis: str) -> float:
        """Used services that ran / used services."""
        used = self.used(analysis)
        return sum(self.of[name].ok for name in used) / len(used)

    def block_confidence(self, analysis: str, block: str) -> float:
        """Weighted mean of q over the services of the block, not rounded."""
        weights = WEIGHTS[analysis][block]
        return sum(weight * self.q(name) for name, weight in weights.items()) / sum(weights.values())

    def block_failed(self, analysis: str, block: str) -> bool:
        """Whether all services of the block failed."""
        return not any(self.of[name].ok for name in WEIGHTS[analysis][block])

    def overall_confidence(self, analysis: str) -> float:
        """Mean of the five block confidences x dataCompleteness^0.5, not rounded."""
        mean = sum(self.block_confidence(analysis, block) for block in _BLOCKS) / len(_BLOCKS)
        return float(mean * self.completeness(analysis) ** 0.5)

    def missing(self, analysis: str) -> list[dict[str, str]]:
        """The used services that failed or did not run, with their reasons, and a suspected script."""
        used = self.used(analysis)
        found = [
            {"service": SERVICE_OF.get(name, name), "reason": self.of[name].reason or "did not run"}
            for name in used
            if not self.of[name].ok
        ]
        if self.unsupported_script and "ocr" in used and self.of["ocr"].ok:
            found.append({"service": "ocr", "reason": "unsupported_script"})
        return found


def found_confidence(confidences: list[float | None]) -> float:
    """c: mean confidence of what was found; 1.0 for nothing, 0.9 for finds without any confidence."""
    if not confidences:
        return 1.0
    known = mean_known(confidences)
    return UNSCORED if known is None else known


def answered(done: int | None, expected: int | None) -> float:
    """r: frames answered / frames expected, at most 1; 1 where the service does not tell.

    Args:
        done: Frames that were read, carried or gated.
        expected: Frames of the sampling grid.
    """
    if done is None or expected is None or expected <= 0:
        return 1.0
    return min(1.0, done / expected)
