"""How picture files begin: what a download is held against, and what becomes a video of stills."""

from __future__ import annotations

from typing import Final

# As much as is looked at.
HEAD_BYTES: Final = 12
_STARTS: Final = {
    b"\xff\xd8\xff": "JPEG",
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"GIF87a": "GIF",
    b"GIF89a": "GIF",
    b"BM": "BMP",
}
_AVIF_BRANDS: Final = (b"avif", b"avis")


def picture_format(head: bytes) -> str | None:
    """The format of a picture, by Pillow's name, from the first 12 bytes of its file; None for anything else."""
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "WEBP"
    if head[4:8] == b"ftyp" and head[8:12] in _AVIF_BRANDS:
        return "AVIF"
    return next((name for start, name in _STARTS.items() if head.startswith(start)), None)
