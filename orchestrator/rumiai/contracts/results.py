"""The envelope in which every service hands over what it found, or why it found nothing out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

# A name in the registry of services (rumiai.services); checked there, since plugins add to it.
ServiceName = str

SERVICES: Final[tuple[ServiceName, ...]] = (
    "yolo", "whisper", "ocr", "mediapipe", "scene_detection", "audio_energy", "emotion_detection",
)  # fmt: skip


@dataclass(frozen=True)
class MLAnalysisResult:
    """What one service says of one video.

    ``data`` is the service's canonical JSON object (docs/ml_outputs.md). ``success`` is always
    ``data["metadata"]["processed"]``: a service that failed has no lists that could be taken for "nothing there", only
    ``{"metadata": {"processed": false, "error": ...}}``.
    """

    model_name: ServiceName
    model_version: str
    success: bool
    data: Mapping[str, Any] = field(default_factory=dict)
    error: str | None = None
    processing_time: float = 0.0
    output_path: str | None = None

    @classmethod
    def failed(cls, service: ServiceName, version: str, reason: str, seconds: float = 0.0) -> MLAnalysisResult:
        """A service that failed, with its reason."""
        data = {"metadata": {"processed": False, "error": reason}}
        return cls(service, version, False, data, reason, seconds)

    def to_dict(self) -> dict[str, Any]:
        """The envelope as JSON types."""
        return {
            "model_name": self.model_name,
            "model_version": self.model_version,
            "success": self.success,
            "data": dict(self.data),
            "error": self.error,
            "processing_time": self.processing_time,
            "output_path": self.output_path,
        }
