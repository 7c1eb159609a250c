"""The analysis ``scene_pacing``."""

from rumiai.metrics.scene_pacing.family import compute

__all__ = ["compute"]
