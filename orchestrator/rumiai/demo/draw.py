"""Pixels of a clip: what a shot shows at an instant, and captions laid over it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from rumiai.core.arrays import freeze_arrays
from rumiai.demo.pictures import picture, typeface
from rumiai.demo.spec import Caption, Colour, Shot, TruthLine, View

Rgb = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.float32]

# Room around the frame's size that a generated backdrop has, so that views can pan over it.
_BACKDROP_MARGIN: Final = 1.5
# One tile of noise serves all frames: each cuts another window out of it, so that no two frames are alike.
_GRAIN_SLACK_PX: Final = 64
# The outline of captions in these apps is about a twelfth of the letter size.
_OUTLINE_RATIO: Final = 12
_LINE_SPACING: Final = 1.3
_BOX_PAD_RATIO: Final = 0.22


class ShotPainter:
    """The frames of one shot, (height, width, 3) uint8 RGB."""

    def __init__(self, shot: Shot, width: int, height: int) -> None:
        self._shot = shot
        self._size = (width, height)
        self._still: Rgb | None = None

    def frame(self, t_s: float, index: int) -> Rgb:
        """The frame ``t_s`` seconds into the shot; ``index`` chooses the grain. The caller may write on it."""
        shot = self._shot
        if shot.end is None:
            if self._still is None:
                self._still = self._view(shot.start)
            image = self._still.copy()
        else:
            share = min(1.0, max(0.0, t_s / shot.duration_s))
            a, b = shot.start, shot.end
            mix = [p + (q - p) * share for p, q in ((a.x, b.x), (a.y, b.y), (a.zoom, b.zoom))]
            image = self._view(View(*mix))
        if shot.grain > 0:
            rng = np.random.default_rng(index)
            x, y = rng.integers(0, _GRAIN_SLACK_PX, 2)
            width, height = self._size
            image = cv2.add(image, self._grain[y : y + height, x : x + width], dtype=cv2.CV_8U)
        return image

    @cached_property
    def _source(self) -> Rgb:
        width, height = (int(side * _BACKDROP_MARGIN) for side in self._size)
        top, bottom = (np.array(c, np.float32) for c in self._shot.colours)
        if self._shot.picture == "solid":
            return np.broadcast_to(top.astype(np.uint8), (height, width, 3)).copy()
        if self._shot.picture == "gradient":
            share = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
            return np.broadcast_to(top + (bottom - top) * share, (height, width, 3)).astype(np.uint8)
        if self._shot.picture == "noise":
            coarse = np.random.default_rng(5).integers(0, 256, (height // 24, width // 24, 3), dtype=np.uint8)
            return np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)
        return picture(self._shot.picture)

    @cached_property
    def _grain(self) -> npt.NDArray[np.int16]:
        width, height = self._size
        shape = (height + _GRAIN_SLACK_PX, width + _GRAIN_SLACK_PX, 3)
        noise = np.random.default_rng(7).normal(0, self._shot.grain, shape)
        return np.asarray(np.rint(noise), np.int16)

    def _view(self, view: View) -> Rgb:
        width, height = self._size
        rows, columns = self._source.shape[:2]
        scale = min(columns / width, rows / height) / view.zoom  # source pixels per pixel of the frame
        x = min(max(view.x * columns - scale * width / 2, 0), columns - scale * width)
        y = min(max(view.y * rows - scale * height / 2, 0), rows - scale * height)
        inverse = np.array([[scale, 0, x + (scale - 1) / 2], [0, scale, y + (scale - 1) / 2]], np.float64)
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        warped = cv2.warpAffine(self._source, inverse, (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(warped, np.uint8)


@dataclass(frozen=True)
class _Line:
    text: str
    y_px: int  # of the text's anchor in the sprite
    x_px: int
    letters: Mask

    def __post_init__(self) -> None:
        freeze_arrays(self, letters=(np.float32, "rows", "columns"))


class CaptionPainter:
    """One caption as a sprite, drawn once and laid over many frames."""

    def __init__(self, caption: Caption, width: int, height: int) -> None:
        self.caption = caption
        self._frame_size = (width, height)
        self._font_px = max(6, round(caption.height * height))
        self._font = typeface(caption.font, self._font_px)
        self._stroke_px = max(1, self._font_px // _OUTLINE_RATIO) if caption.outline is not None else 0
        self._lines = self._layout()
        self._premultiplied, self._alpha = self._compose()

    def draw(self, frame: Rgb, t_s: float) -> None:
        """Lay the caption over ``frame`` in place, as it stands at ``t_s``; does nothing when it is not shown."""
        opacity = self.caption.opacity(t_s)
        if opacity <= 0:
            return
        left, top = self._corner(t_s)
        rows, columns = self._alpha.shape[:2]
        x0, y0 = max(left, 0), max(top, 0)
        x1, y1 = min(left + columns, frame.shape[1]), min(top + rows, frame.shape[0])
        if x0 >= x1 or y0 >= y1:
            return
        part = np.s_[y0 - top : y1 - top, x0 - left : x1 - left]
        below = frame[y0:y1, x0:x1].astype(np.float32)
        above = below * (1 - opacity * self._alpha[part]) + opacity * self._premultiplied[part]
        frame[y0:y1, x0:x1] = np.rint(above).astype(np.uint8)

    def truth(self) -> list[TruthLine]:
        """Each line with the box of its letters at the caption's start."""
        width, height = self._frame_size
        left, top = self._corner(self.caption.start_s)
        found = []
        for line in self._lines:
            rows, columns = (np.flatnonzero(line.letters.max(axis=axis) > 0.5) for axis in (1, 0))
            box = (
                (left + int(columns[0])) / width,
                (top + int(rows[0])) / height,
                (int(columns[-1]) + 1 - int(columns[0])) / width,
                (int(rows[-1]) + 1 - int(rows[0])) / height,
            )
            found.append(TruthLine(line.text, self.caption.start_s, self.caption.end_s, box))
        return found

    def _corner(self, t_s: float) -> tuple[int, int]:
        width, height = self._frame_size
        rows, columns = self._alpha.shape[:2]
        moved_s = t_s - self.caption.start_s
        x = (self.caption.center[0] + self.caption.velocity[0] * moved_s) * width - columns / 2
        y = (self.caption.center[1] + self.caption.velocity[1] * moved_s) * height - rows / 2
        return round(x), round(y)

    def _layout(self) -> list[_Line]:
        texts = self.caption.text.split("\n")
        pad = round(self._font_px * _BOX_PAD_RATIO) + self._stroke_px
        step = round(self._font_px * _LINE_SPACING)
        widths = [self._font.getlength(text) for text in texts]
        size = (int(max(widths)) + 2 * pad + 2, step * len(texts) + 2 * pad)
        lines = []
        for i, (text, width) in enumerate(zip(texts, widths, strict=True)):
            x, y = round((size[0] - width) / 2), pad + step * i + (step - self._font_px) // 2
            lines.append(_Line(text, y, x, self._mask(size, (x, y), text, 0)))
        return lines

    def _mask(self, size: tuple[int, int], at: tuple[int, int], text: str, stroke_px: int) -> Mask:
        canvas = Image.new("L", size)
        ImageDraw.Draw(canvas).text(at, text, font=self._font, fill=255, stroke_width=stroke_px)
        return np.asarray(canvas, np.float32) / 255

    def _compose(self) -> tuple[Mask, Mask]:
        rows, columns = self._lines[0].letters.shape
        colours, alpha = np.zeros((rows, columns, 3), np.float32), np.zeros((rows, columns, 1), np.float32)

        def over(mask: Mask, colour: Colour) -> None:
            share = mask[..., None]
            colours[:] = colours * (1 - share) + np.array(colour, np.float32) * share
            alpha[:] = alpha * (1 - share) + share

        caption, size = self.caption, (columns, rows)
        if caption.box is not None:
            for line in self._lines:
                over(self._box(line), caption.box)
        if caption.outline is not None:
            for line in self._lines:
                over(self._mask(size, (line.x_px, line.y_px), line.text, self._stroke_px), caption.outline)
        words_before = 0
        for line in self._lines:
            over(line.letters, caption.colour)
            if caption.highlight is not None:
                over(self._word(line, caption.highlight - words_before), caption.highlight_colour)
            words_before += len(line.text.split())
        return colours, alpha

    def _box(self, line: _Line) -> Mask:
        rows, columns = (np.flatnonzero(line.letters.max(axis=axis) > 0) for axis in (1, 0))
        pad = round(self._font_px * _BOX_PAD_RATIO)
        mask = np.zeros_like(line.letters)
        mask[max(rows[0] - pad, 0) : rows[-1] + pad + 1, max(columns[0] - pad, 0) : columns[-1] + pad + 1] = 1
        return mask

    def _word(self, line: _Line, index: int) -> Mask:
        words = line.text.split()
        mask = np.zeros_like(line.letters)
        if 0 <= index < len(words):
            before = " ".join(words[:index]) + (" " if index else "")
            x0 = line.x_px + int(self._font.getlength(before))
            x1 = line.x_px + int(self._font.getlength(before + words[index])) + 1
            mask[:, x0:x1] = line.letters[:, x0:x1]
        return mask
