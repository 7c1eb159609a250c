"""Videos drawn for these tests: captions over a backdrop, what a faultless reader sees of them, their grey trail."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from rumiai.contracts.frames import FrameTexts, Sampling
from rumiai.demo import Caption, ClipSpec, Shot, View
from rumiai.demo.draw import CaptionPainter, ShotPainter
from rumiai.inference.texts.records import TextSummary, link_texts
from rumiai.media.trail import GreyTrail

WIDTH, HEIGHT, FPS = 540, 960, 30
STILL = Shot("coffee", 60.0)
PAN = Shot("cat", 10.0, View(0.4, 0.5, 1.0), View(0.6, 0.5, 1.4))


@dataclass(frozen=True)
class Drawn:
    """A video of captions; ``misread`` says what the reader makes of a caption on a sampled frame, by its index."""

    captions: tuple[Caption, ...]
    length_s: float
    shot: Shot = STILL
    misread: dict[tuple[str, int], str] | None = None

    def summary(self, cuts: tuple[float, ...] = ()) -> TextSummary:
        """What is made of it, sampled twice a second."""
        spec = ClipSpec((self.shot,), self.captions, width=WIDTH, height=HEIGHT, silent=True)
        back = ShotPainter(self.shot, WIDTH, HEIGHT)
        painters = [CaptionPainter(caption, WIDTH, HEIGHT) for caption in spec.captions]
        trail, frames = GreyTrail(), []
        for number in range(round(self.length_s * FPS)):
            time_s = number / FPS
            image = back.frame(time_s, number)
            for painter in painters:
                painter.draw(image, time_s)
            grey = cv2.resize(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), (216, 384), interpolation=cv2.INTER_AREA)
            trail.add(np.asarray(grey, np.uint8), time_s, number)
            if number % (FPS // 2) == 0:
                frames.append(self._read(painters, len(frames), time_s, number))
        grid = Sampling(WIDTH, HEIGHT, FPS, self.length_s, 2.0, len(frames))
        return link_texts(frames, (), cuts, grid, trail)

    def _read(self, painters: list[CaptionPainter], place: int, time_s: float, number: int) -> FrameTexts:
        """Each line whose caption is at least half there, with a box a little larger than its letters."""
        texts, boxes = [], []
        for painter in painters:
            if painter.caption.opacity(time_s) < 0.5:
                continue
            moved_s = time_s - painter.caption.start_s
            dx, dy = (v * moved_s for v in painter.caption.velocity)
            for line in painter.truth():
                x, y, w, h = line.box
                texts.append((self.misread or {}).get((line.text, place), line.text))
                boxes.append((max(x + dx - 0.01, 0.0), y + dy - 0.005, min(w + 0.02, 1.0), h + 0.01))
        return FrameTexts(
            time_s,
            number,
            tuple(texts),
            np.array(boxes, np.float32).reshape(-1, 4),
            np.full(len(texts), 0.9, np.float32),
            np.full(len(texts), 0.8, np.float32),
        )


def spans(summary: TextSummary) -> list[tuple[str, float, float]]:
    """Text, start and end of each record, the times in frames."""
    return [(item.text, round(item.start_s * FPS, 3), round(item.end_s * FPS, 3)) for item in summary.annotations]
