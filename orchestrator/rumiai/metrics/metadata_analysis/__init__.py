"""The analysis ``metadata_analysis``."""

from rumiai.metrics.metadata_analysis.family import compute

__all__ = ["compute"]
