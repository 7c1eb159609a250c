"""cuBLAS 12 for CTranslate2, whose wheels are built for CUDA 12 while torch brings the libraries of CUDA 13."""

from __future__ import annotations

import ctypes
import importlib.util
from pathlib import Path
from typing import Final

from rumiai.errors import ConfigurationError

# CTranslate2 opens the second by this name when it first multiplies; the second needs the first.
CUBLAS_12: Final = ("libcublasLt.so.12", "libcublas.so.12")


def load_cublas_12() -> None:
    """Load cuBLAS 12 into this process, so that CTranslate2 finds it: the system's own, or the package's.

    Raises:
        ConfigurationError: Neither is there.
    """
    try:
        for name in CUBLAS_12:
            ctypes.CDLL(name)
    except OSError:
        _load_from_package()


def _load_from_package() -> None:
    found = importlib.util.find_spec("nvidia")
    places = (found.submodule_search_locations if found else None) or ()
    folders = [Path(place) / "cublas" / "lib" for place in places]
    folder = next((f for f in folders if all((f / name).is_file() for name in CUBLAS_12)), None)
    try:
        if folder is None:
            raise OSError("neither the system nor a Python package has it")
        for name in CUBLAS_12:
            ctypes.CDLL(str(folder / name))
    except OSError as exc:
        raise ConfigurationError(
            f"CTranslate2 needs cuBLAS 12 ({CUBLAS_12[1]}) on a GPU, and it cannot be loaded: {exc}",
            hint="pip install 'rumiai[gpu]', or serve with --whisper-engine openai",
        ) from exc
