"""Model files: which there are, where they come from, and whether the ones on disk are the right ones.

``weights.toml`` is the catalogue. Nothing is handed out that does not have the sha256 written there.
"""

from rumiai.weights.files import WeightsFile, catalogue, path, resolve_names, state, weights_dir

__all__ = ["WeightsFile", "catalogue", "path", "resolve_names", "state", "weights_dir"]
