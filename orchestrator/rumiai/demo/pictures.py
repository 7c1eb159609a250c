"""Photographs and typefaces that the dependencies ship, found without importing them."""

from __future__ import annotations

import importlib.util
from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFont

from rumiai.demo.spec import FontName
from rumiai.errors import ConfigurationError

# name -> (import package, file in it, distribution that brings it)
_FILES: Final[dict[str, tuple[str, str, str]]] = {
    "hopper": ("matplotlib", "mpl-data/sample_data/grace_hopper.jpg", "matplotlib"),
    "astronaut": ("skimage", "data/astronaut.png", "scikit-image"),
    "coffee": ("skimage", "data/coffee.png", "scikit-image"),
    "cat": ("skimage", "data/chelsea.png", "scikit-image"),
    "rocket": ("skimage", "data/rocket.jpg", "scikit-image"),
    "motorcycle": ("skimage", "data/motorcycle_left.png", "scikit-image"),
    "bus": ("ultralytics", "assets/bus.jpg", "ultralytics"),
    "zidane": ("ultralytics", "assets/zidane.jpg", "ultralytics"),
}
_FONTS: Final[dict[FontName, str]] = {
    "sans-bold": "DejaVuSans-Bold.ttf",
    "sans": "DejaVuSans.ttf",
    "serif-bold": "DejaVuSerif-Bold.ttf",
    "serif": "STIXGeneral.ttf",
    "mono-bold": "DejaVuSansMono-Bold.ttf",
    "display": "DejaVuSans-BoldOblique.ttf",
}
NAMES: Final = tuple(_FILES)


def _packaged(package: str, file: str, distribution: str) -> Path:
    spec = importlib.util.find_spec(package)
    for folder in (spec.submodule_search_locations or ()) if spec is not None else ():
        path = Path(folder) / file
        if path.is_file():
            return path
    raise ConfigurationError(
        f"the demo clip needs {file} of the package {distribution}, which is not installed here",
        hint=f"pip install 'rumiai[server]', or pip install {distribution}",
    )


@lru_cache(maxsize=16)
def picture(name: str) -> npt.NDArray[np.uint8]:
    """A photograph by its name in ``NAMES``, (height, width, 3) uint8 RGB, read-only.

    Raises:
        ConfigurationError: The package that ships it is not installed, or the name is not known.
    """
    if name not in _FILES:
        raise ConfigurationError(f"picture: got {name!r}, expected one of {', '.join(NAMES)}")
    path = _packaged(*_FILES[name])
    try:
        rgb = np.array(Image.open(path).convert("RGB"))
    except OSError as exc:
        raise ConfigurationError(f"{path} cannot be read: {exc}", hint=f"reinstall {_FILES[name][2]}") from exc
    rgb.setflags(write=False)
    return rgb


@lru_cache(maxsize=64)
def typeface(name: FontName, size_px: int) -> ImageFont.FreeTypeFont:
    """One of matplotlib's typefaces at a size in pixels.

    Raises:
        ConfigurationError: matplotlib is not installed.
    """
    return ImageFont.truetype(str(_packaged("matplotlib", f"mpl-data/fonts/ttf/{_FONTS[name]}", "matplotlib")), size_px)
