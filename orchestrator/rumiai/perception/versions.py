"""Which model, in which version, each service runs: for the envelopes and for the fingerprints of stored results."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

from rumiai.contracts.results import ServiceName
from rumiai.settings import Settings


@functools.cache
def _version(package: str) -> str:
    return metadata.version(package)


def service_versions(settings: Settings) -> Mapping[ServiceName, str]:
    """Service -> model and version."""
    mediapipe = f"mediapipe-{_version('mediapipe')}"
    return {
        "yolo": Path(settings.yolo_weights).stem,
        "whisper": f"whisper-{Path(settings.whisper_model).name}-{settings.whisper_engine}",
        "ocr": f"easyocr-{settings.ocr_langs}",
        "mediapipe": mediapipe,
        "emotion_detection": f"{mediapipe}-blendshapes",
        "scene_detection": f"pyscenedetect-{_version('scenedetect')}",
        "audio_energy": "rms-spectral-flux",
    }
