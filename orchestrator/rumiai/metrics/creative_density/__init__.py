"""The analysis ``creative_density``."""

from rumiai.metrics.creative_density.family import compute

__all__ = ["compute"]
