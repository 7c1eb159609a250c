"""The analysis ``person_framing``."""

from rumiai.metrics.person_framing.family import compute

__all__ = ["compute"]
