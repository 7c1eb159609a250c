"""The analysis ``speech_analysis``."""

from rumiai.metrics.speech_analysis.family import compute

__all__ = ["compute"]
