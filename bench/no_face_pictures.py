"""Lay out pictures of animals, drawings, statues and things that show no human face, out of two packages.

    apt-get download gcompris-qt-data && dpkg -x gcompris-qt-data_*.deb deb
    npm pack @lobehub/fluent-emoji-3d && tar xzf lobehub-fluent-emoji-3d-*.tgz -C npm
    python bench/no_face_pictures.py deb npm folder
    python bench/people.py --no-faces folder

Nothing in RumiAI was chosen by these pictures. Which of them are statues, and that none of the photographs shows a face
of a person, a person saw.
"""

from __future__ import annotations

import argparse
import struct
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Final

from PIL import Image

_RESOURCES: Final = "usr/share/gcompris-qt/rcc/{name}.rcc"
_EMOJI: Final = "package/assets/{code:x}.webp"
# Resource -> kind of its pictures; a picture named below is a statue.
_KINDS: Final = {
    "explore_farm_animals": "animals",
    "explore_world_animals": "animals",
    "erase": "animals",
    "categorization": "things",
    "explore_monuments": "things",
    "lang": "drawings",
    "babyshapes": "drawings",
}
_STATUES: Final = {"explore_monuments": {26, 28, 32, 38}, "categorization": {97, 99, 109, 117}}
_FISH: Final = range(69, 97)  # of ``categorization``
# Rendered animals and yellow faces: animal faces and bodies, smileys, further faces, animals.
_RENDERED: Final = (
    *range(0x1F400, 0x1F440),
    *range(0x1F600, 0x1F645),
    *range(0x1F970, 0x1F97B),
    *range(0x1F980, 0x1F9AE),
)


def pictures_in(resource: bytes) -> Iterator[Image.Image]:
    """The WebP pictures of a Qt resource file, in its order."""
    start = resource.find(b"RIFF")
    while start >= 0:
        (size,) = struct.unpack("<I", resource[start + 4 : start + 8])
        if resource[start + 8 : start + 12] == b"WEBP":
            yield Image.open(BytesIO(resource[start : start + 8 + size])).convert("RGBA")
        start = resource.find(b"RIFF", start + 4)


def kind_of(name: str, number: int) -> str:
    """Kind of a picture of a resource."""
    if number in _STATUES.get(name, ()):
        return "statues"
    return "animals" if name == "categorization" and number in _FISH else _KINDS[name]


def main() -> None:
    """Write the pictures as PNG, a folder for each kind."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("deb", "npm", "out"):
        parser.add_argument(name, type=Path)
    args = parser.parse_args()
    for name in _KINDS:
        for number, picture in enumerate(pictures_in((args.deb / _RESOURCES.format(name=name)).read_bytes())):
            save(picture, args.out / kind_of(name, number) / f"{name}_{number:03d}.png")
    for code in _RENDERED:
        path = args.npm / _EMOJI.format(code=code)
        if path.exists():
            save(Image.open(path).convert("RGBA"), args.out / "rendered" / f"{code:x}.png")


def save(picture: Image.Image, path: Path) -> None:
    """Write a picture, and its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path)


if __name__ == "__main__":
    main()
