"""From a decoded picture to the arrays that the services and the scene detector read.

Colours: the matrix is the one the stream names, ITU-R BT.601 where it names none (as ffmpeg, OpenCV and so every
upstream library do), limited range unless it says full. 10 and 12 bit are rounded to 8. HDR (PQ, HLG; BT.2020) is
converted by its matrix, without tone mapping: hues are right, the picture is flatter than on a screen made for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np
import numpy.typing as npt
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter

from rumiai.contracts.frames import VideoInfo
from rumiai.errors import DecodeError

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

# ITU-T H.273 matrix coefficients, as libavutil numbers them; 2 is "unspecified", 0 is RGB itself.
_MATRICES: Final = {
    1: Colorspace.ITU709,
    2: Colorspace.ITU601,
    4: Colorspace.FCC,
    5: Colorspace.ITU601,
    6: Colorspace.SMPTE170M,
    7: Colorspace.SMPTE240M,
    9: Colorspace.BT2020,
    10: Colorspace.BT2020,
}
_TURNS: Final = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}


def analysis_size(info: VideoInfo, max_side_px: int) -> tuple[int, int]:
    """Width and height of the frames that services see: as shown, the long side at most ``max_side_px``."""
    scale = min(1.0, max_side_px / max(info.width, info.height))
    return max(1, round(info.width * scale)), max(1, round(info.height * scale))


class RgbFrames:
    """Writes pictures as shown, in RGB, at one fixed size.

    A picture of another shape than the first (a phone that was turned, a live stream that changed its size) is scaled
    to fit and has black bars.

    Args:
        info: Gives size and orientation.
        max_side_px: See :func:`analysis_size`.
    """

    def __init__(self, info: VideoInfo, max_side_px: int) -> None:
        self.width, self.height = analysis_size(info, max_side_px)
        self._turn = _TURNS.get(info.rotation_deg)
        self._mirrored = info.mirrored
        self._coded: tuple[int, int] | None = None
        upright = info.rotation_deg in (0, 180)
        self._size = (self.width, self.height) if upright else (self.height, self.width)
        self._scaler = VideoReformatter()

    def write(self, frame: VideoFrame, out: npt.NDArray[np.uint8]) -> None:
        """Scale, convert and turn a picture into ``out``, (height, width, 3) uint8.

        Raises:
            DecodeError: swscale does not know its colour matrix.
        """
        matrix = _MATRICES.get(frame.colorspace)
        if matrix is None and frame.colorspace != 0:
            raise DecodeError(
                f"colour matrix {frame.colorspace} cannot be converted to RGB",
                hint="convert the video to BT.709, for example with a video editor",
            )
        if self._coded is None:
            self._coded = frame.width, frame.height
        width, height = self._size
        if (frame.width, frame.height) != self._coded:
            scale = min(width / frame.width, height / frame.height)
            width, height = max(1, round(frame.width * scale)), max(1, round(frame.height * scale))
        # One thread: the decoder's threads are busy with the next frames meanwhile.
        rgb = self._scaler.reformat(
            frame,
            width,
            height,
            "rgb24",
            src_colorspace=matrix,
            interpolation=Interpolation.BICUBIC,
            threads=1,
        )
        picture = _pixels(rgb)
        if (width, height) != self._size:
            picture = with_bars(picture, self._size)
        if self._mirrored:
            picture = np.asarray(cv2.flip(picture, 1), np.uint8)
        if self._turn is None:
            np.copyto(out, picture)
        else:
            cv2.rotate(picture, self._turn, dst=out)


class BgrFrames:
    """Gives pictures as OpenCV's VideoCapture does before it turns them: BGR, own size, BT.601 whatever the tags."""

    def __init__(self) -> None:
        self._scaler = VideoReformatter()

    def read(self, frame: VideoFrame) -> npt.NDArray[np.uint8]:
        """(height, width, 3) uint8 BGR."""
        name = frame.format.name
        is_rgb = frame.colorspace == 0
        # Software decoders tell full range by the format; NVDEC, whose format is always nv12, by the tag alone.
        is_full = name.startswith("yuvj") or (name == "nv12" and frame.color_range == ColorRange.JPEG)
        full = ColorRange.JPEG if is_full or is_rgb else ColorRange.MPEG
        bgr = self._scaler.reformat(
            frame,
            format="bgr24",
            src_colorspace=None if is_rgb else Colorspace.ITU601,
            src_color_range=full,
            threads=1,
        )
        return _pixels(bgr)


class GreyFrames:
    """Gives pictures as shown, in grey, at one fixed small size: the luma as coded, whatever its range and matrix.

    A picture of another shape than the first has black bars, as of :class:`RgbFrames`.

    Args:
        info: Gives size and orientation.
        max_side_px: See :func:`analysis_size`.
    """

    def __init__(self, info: VideoInfo, max_side_px: int) -> None:
        self.width, self.height = analysis_size(info, max_side_px)
        self._turn = _TURNS.get(info.rotation_deg)
        self._mirrored = info.mirrored
        upright = info.rotation_deg in (0, 180)
        self._size = (self.width, self.height) if upright else (self.height, self.width)
        self._coded: tuple[int, int] | None = None
        self._scaler = VideoReformatter()

    def read(self, frame: VideoFrame) -> npt.NDArray[np.uint8]:
        """(height, width) uint8."""
        if self._coded is None:
            self._coded = frame.width, frame.height
        luma = self._luma(frame)
        grey = _halved(luma, self._size) if self._coded == (frame.width, frame.height) else fitted(luma, self._size)
        if self._mirrored:
            grey = np.asarray(cv2.flip(grey, 1), np.uint8)
        return grey if self._turn is None else np.asarray(cv2.rotate(grey, self._turn), np.uint8)

    def _luma(self, frame: VideoFrame) -> npt.NDArray[np.uint8]:
        """The plane itself where it has 8 bits, else a converted one."""
        layout = frame.format
        first = layout.components[0]
        if not (first.is_luma and first.bits == 8 and layout.is_planar):
            frame = self._scaler.reformat(frame, format="gray", threads=1)
        plane = frame.planes[0]
        data: Any = plane
        return np.ndarray((frame.height, frame.width), np.uint8, buffer=data, strides=(plane.line_size, 1))


def _halved(image: npt.NDArray[np.uint8], size: tuple[int, int]) -> npt.NDArray[np.uint8]:
    """A picture at ``size``, width and height: halving by areas is fast, and leaves little for linear interpolation."""
    while image.shape[1] >= 2 * size[0] and image.shape[0] >= 2 * size[1]:
        half = image.shape[1] // 2, image.shape[0] // 2
        image = np.asarray(cv2.resize(image, half, interpolation=cv2.INTER_AREA), np.uint8)
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_LINEAR), np.uint8)


def fitted(image: npt.NDArray[np.uint8], size: tuple[int, int]) -> npt.NDArray[np.uint8]:
    """A picture of any shape at ``size``, width and height: scaled to fit, with black bars."""
    scale = min(size[0] / image.shape[1], size[1] / image.shape[0])
    within = max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale))
    return with_bars(np.asarray(cv2.resize(image, within, interpolation=cv2.INTER_LINEAR), np.uint8), size)


def with_bars(picture: npt.NDArray[np.uint8], size: tuple[int, int]) -> npt.NDArray[np.uint8]:
    """(h, w[, 3]) uint8 in the middle of a black picture of ``size``, width and height, that is no smaller."""
    left, top = (size[0] - picture.shape[1]) // 2, (size[1] - picture.shape[0]) // 2
    out = np.zeros((size[1], size[0], *picture.shape[2:]), np.uint8)
    out[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
    return out


def _pixels(frame: VideoFrame) -> npt.NDArray[np.uint8]:
    """View of a packed 24-bit picture without its padding."""
    plane = frame.planes[0]
    # PyAV's planes speak the buffer protocol, which Python 3.11 has no type for.
    data: Any = plane
    return np.ndarray((frame.height, frame.width, 3), np.uint8, buffer=data, strides=(plane.line_size, 3, 1))
