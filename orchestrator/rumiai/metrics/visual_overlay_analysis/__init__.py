"""The analysis ``visual_overlay_analysis``."""

from rumiai.metrics.visual_overlay_analysis.family import compute

__all__ = ["compute"]
