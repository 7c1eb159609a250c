"""Model files: the catalogue, the sources of each file, and the check of the files on disk.

``weights.toml`` is the catalogue. A file is handed out only with the sha256 that stands there.
"""

from rumiai.weights.files import WeightsFile, catalogue, identities, path, resolve_names, state, weights_dir

__all__ = ["WeightsFile", "catalogue", "identities", "path", "resolve_names", "state", "weights_dir"]
