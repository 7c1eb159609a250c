"""The analysis ``emotional_journey``."""

from rumiai.metrics.emotional_journey.family import compute

__all__ = ["compute"]
