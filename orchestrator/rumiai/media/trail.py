"""Small grey pictures of every frame of a video, for what must be followed from frame to frame.

Sampled frames say what is on screen twice a second. When exactly it came and went, and whether it moved with the
picture behind it, is seen on the frames between. They are kept as the one decode passes over them, small and
compressed, so that they outlive the lag of the readers: texts are linked when the whole video has been read.
"""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections import OrderedDict
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from rumiai.contracts.trail import Greys, TrailFrames

# Long side of the pictures: captions of 2 % of the height are 8 px high.
SIDE_PX: Final = 384
# 30 frames a second of 384 x 216 px are 10 to 20 KB each: three minutes fit.
DEFAULT_MAX_BYTES: Final = 48 << 20
# Errors of one grey level on average, below the noise of the videos' own compression.
_JPEG_QUALITY: Final = 90
# Pictures that stay unpacked, 83 KB each: those of two seconds, which neighbouring texts ask for one after the other.
_UNPACKED: Final = 64


class GreyTrail:
    """Keeps small grey pictures of all frames of one video within a fixed number of bytes.

    Pictures are JPEG in memory; one that equals the picture before shares its bytes. When the bytes run out, every
    second frame of the whole trail goes, and of the frames to come every second one (fourth, eighth, ...) is kept: a
    trail always covers the video from its start, and ``step`` says how finely.

    The decoder adds, other threads read: every method may be called at any time from any thread.

    Args:
        max_bytes: Of the compressed pictures together.
    """

    def __init__(self, max_bytes: int = DEFAULT_MAX_BYTES) -> None:
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._times_s: list[float] = []
        self._numbers: list[int] = []
        self._packed: list[bytes] = []
        self._bytes = 0
        self._seen = 0
        self._step = 1
        self._last: tuple[npt.NDArray[np.uint8], bytes] | None = None
        self._unpacked: OrderedDict[int, npt.NDArray[np.uint8]] = OrderedDict()

    @property
    def step(self) -> int:
        """Every how many frames one is kept: 1 unless the video is too long for the bytes."""
        return self._step

    @property
    def size_bytes(self) -> int:
        """Bytes of the compressed pictures."""
        return self._bytes

    def __len__(self) -> int:
        return len(self._times_s)

    def add(self, image: npt.NDArray[np.uint8], time_s: float, number: int) -> None:
        """Take the next frame.

        Args:
            image: (h, w) uint8 luma, as shown; of the same size every time.
            time_s: Presentation time, later than that of the frame before.
            number: Index in the source stream.
        """
        wanted = self._seen % self._step == 0
        self._seen += 1
        if not wanted:
            return
        if self._last is None or not np.array_equal(self._last[0], image):
            self._last = image, cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])[1].tobytes()
        packed = self._last[1]
        with self._lock:
            self._bytes += 0 if self._packed and self._packed[-1] is packed else len(packed)
            self._times_s.append(time_s)
            self._numbers.append(number)
            self._packed.append(packed)
            while self._bytes > self._max_bytes and len(self._packed) > 1:
                self._thin()

    def between(self, start_s: float, end_s: float) -> TrailFrames:
        """The frames that were on show from ``start_s`` to ``end_s``, both included.

        The first is the one that was already shown at ``start_s``, so its time may be smaller. Without any frame in the
        trail, or none before ``end_s``, the arrays have no rows.
        """
        with self._lock:
            first = max(bisect_right(self._times_s, start_s) - 1, 0)
            after = bisect_right(self._times_s, end_s)
            times_s, numbers = self._times_s[first:after], self._numbers[first:after]
            packed = self._packed[first:after]
        images = Greys(len(packed), lambda row: self._unpack(numbers[row], packed[row]))
        return TrailFrames(np.array(times_s, np.float64), np.array(numbers, np.int64), images)

    def _unpack(self, number: int, packed: bytes) -> npt.NDArray[np.uint8]:
        with self._lock:
            image = self._unpacked.get(number)
            if image is None:
                image = np.asarray(cv2.imdecode(np.frombuffer(packed, np.uint8), cv2.IMREAD_GRAYSCALE), np.uint8)
                image.flags.writeable = False
                self._unpacked[number] = image
            self._unpacked.move_to_end(number)
            if len(self._unpacked) > _UNPACKED:
                self._unpacked.popitem(last=False)
            return image

    def _thin(self) -> None:
        # Frames 0, step, 2 step, ... are kept: every second of them are 0, 2 step, 4 step, ...
        self._times_s, self._numbers, self._packed = self._times_s[::2], self._numbers[::2], self._packed[::2]
        self._bytes = sum(len(packed) for packed in {id(packed): packed for packed in self._packed}.values())
        self._step *= 2
