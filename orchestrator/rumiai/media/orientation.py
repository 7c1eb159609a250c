"""How a player must turn a picture, as the display matrix of the file says.

The matrix (ISO/IEC 14496-12, 8.3.2; libavutil/display.h) maps a stored pixel (x, y), y downwards, to where it is shown:
x' = a x + c y, y' = b x + d y. Every camera and editor writes one of eight: four turns, each with or without a
mirroring.
"""

from __future__ import annotations

import math
import struct
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

_MATRIX_BYTES: Final = 36


def orientation_of(frame: VideoFrame) -> tuple[bool, int]:
    """Whether the picture is mirrored left to right first, and by how many degrees it is then turned clockwise.

    Returns:
        ``(mirrored, rotation_deg)``, the angle one of 0, 90, 180, 270. ``(False, 0)`` without a matrix, or where it
        cannot be had.
    """
    try:
        # PyAV's side data speak the buffer protocol, which Python 3.11 has no type for.
        found: Any = frame.side_data.get("DISPLAYMATRIX")
    except ValueError:
        # A kind that PyAV does not know, such as the EXIF data in the frames of a camera's MJPEG, hides the others.
        return False, 0
    return (False, 0) if found is None else orientation_of_matrix(bytes(found))


def orientation_of_matrix(matrix: bytes) -> tuple[bool, int]:
    """The same for the 36 bytes of a matrix: nine int32 in native order, 16.16 except in the third column."""
    if len(matrix) < _MATRIX_BYTES:
        return False, 0
    a, b, _, c, d, *_ = struct.unpack("=9i", matrix[:_MATRIX_BYTES])
    mirrored = a * d - b * c < 0
    if mirrored:
        a, b = -a, -b
    return mirrored, round(math.degrees(math.atan2(b, a)) / 90) * 90 % 360
