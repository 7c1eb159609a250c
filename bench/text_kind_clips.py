"""Clips that hold both: writing in the scene, filmed in eight ways, and texts laid over it, in the styles of editors.

The camera stands still, pans slowly or fast, zooms, is held by hand, or films somebody with writing on the shirt who
moves; a held picture has no motion at all. Overlays are plain, outlined, shadowed by a box, coloured; they cut in,
fade, pop up, slide in, are typed, or have the spoken word coloured; they are single captions, captions one after
another, titles that stay through cuts, lower thirds, and small print.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import av
import cv2
import numpy as np
import scene_writing

from rumiai.demo import Caption, ClipSpec, Shot, Utterance, pictures
from rumiai.demo.draw import CaptionPainter
from rumiai.demo.sound import SAMPLE_RATE_HZ, compose

SIZES: Final = ((576, 1024), (540, 960), (480, 854), (854, 480), (1024, 576))
CAMERAS: Final = ("still", "held", "slow", "pan", "fast", "zoom", "hand", "shirt")
_CAMERA_SHARES: Final = (0.2, 0.1, 0.15, 0.1, 0.05, 0.12, 0.18, 0.1)
_SURFACE_SHARES: Final = (0.3, 0.2, 0.12, 0.18, 0.2)
STYLES: Final = ("series", "single", "title", "third", "print")
_SENTENCES: Final = (
    "you will not believe what happened next", "this is how I make it every day", "three things I wish I knew before",
    "my friends told me to try this place", "so I bought the cheapest one they had", "nobody tells you this trick",
    "first you cut the onions very thin", "and then we waited for an hour", "it was the best day of my life",
    "I can not stop laughing at this", "we drove all night to get there", "he said yes and I cried",
    "wait until you see the end", "here is what nobody talks about", "do this before you go to bed",
    "the secret is in the sauce", "I was so tired that I slept until noon", "please do not do this at home",
    "she has no idea what is coming", "this cost me less than a coffee",
)  # fmt: skip
_TITLES: Final = (
    "POV: you are late", "Day 12 of 30", "my honest review", "WAIT FOR IT", "Part 2", "how it started", "GRWM",
    "5 tips for you", "STORY TIME", "before vs after", "Follow for more", "link in bio", "rate this 1-10", "no way",
)  # fmt: skip
_NAMES: Final = ("Maria Lopez", "Dr. Tom Baker", "Anna Schmidt", "Lee Jordan", "Sara Okafor")
_ROLES: Final = ("Head of Design, London", "Student of history", "Professional chef", "Writer and teacher")
_SPEAKS: Final = 0.5
# Room to take another window out of the noise on every frame.
_GRAIN_SLACK_PX: Final = 64


@dataclass(frozen=True)
class Overlay:
    """A text laid over the clip; ``box`` is x, y, width, height of all that it covers, in shares of the frame."""

    text: str
    start_s: float
    end_s: float
    box: tuple[float, float, float, float]


@dataclass(frozen=True)
class KindClip:
    """A clip to be rendered; ``shots`` are (length in seconds, camera, surface)."""

    seed: int
    width: int
    height: int
    fps: int
    shots: tuple[tuple[float, str, str], ...]
    overlays: tuple[Overlay, ...]
    pieces: tuple[Caption, ...] = field(repr=False)
    speech: tuple[Utterance, ...] = ()

    @property
    def length_s(self) -> float:
        """Seconds."""
        return sum(length_s for length_s, _, _ in self.shots)


def kind_clip(seed: int) -> KindClip:
    """The clip of a seed."""
    rng = np.random.default_rng([2031, seed])
    width, height = SIZES[int(rng.integers(len(SIZES)))]
    shots = tuple(
        (
            float(rng.uniform(1.8, 3.5)),
            str(rng.choice(CAMERAS, p=_CAMERA_SHARES)),
            str(rng.choice(scene_writing.KINDS, p=_SURFACE_SHARES)),
        )
        for _ in range(int(rng.integers(1, 4)))
    )
    writer = _Writer(rng, width, height, sum(shot[0] for shot in shots))
    for style in rng.choice(STYLES, int(rng.choice([0, 1, 2, 3], p=[0.25, 0.35, 0.3, 0.1])), replace=False):
        writer.add(str(style))
    clip = KindClip(
        seed, width, height, int(rng.choice([24, 25, 30])), shots, tuple(writer.overlays), tuple(writer.pieces)
    )
    return replace(clip, speech=_speech(rng, clip))


def _speech(rng: np.random.Generator, clip: KindClip) -> tuple[Utterance, ...]:
    """Of half the clips: what the first captions say when they are shown, or something else."""
    if rng.random() > _SPEAKS:
        return ()
    said = [o.text.replace("\n", " ") for o in clip.overlays if " " in o.text][:1]
    if said and rng.random() < 0.7:
        first = next(o for o in clip.overlays if o.text.replace("\n", " ") == said[0])
        return (Utterance(said[0], first.start_s),)
    return (Utterance(str(rng.choice(_SENTENCES)), 0.2),)


class _Writer:
    """Lays texts of several styles over a clip, each in a band of its own."""

    def __init__(self, rng: np.random.Generator, width: int, height: int, length_s: float) -> None:
        self._rng, self._width, self._height, self._length_s = rng, width, height, length_s
        self._bands = list(rng.permutation([0.12, 0.28, 0.5, 0.68, 0.84]))
        self.overlays: list[Overlay] = []
        self.pieces: list[Caption] = []

    def add(self, style: str) -> None:
        """One item of ``STYLES``."""
        rng, y = self._rng, float(self._bands.pop())
        look = _look(rng)
        if style == "series":
            size, t_s = float(rng.uniform(0.022, 0.05)), float(rng.uniform(0, 0.8))
            move = str(rng.choice(["cut", "karaoke", "pop", "typed", "fade"], p=[0.45, 0.2, 0.15, 0.1, 0.1]))
            for text in rng.choice(_SENTENCES, 5, replace=False):
                end_s = t_s + float(rng.uniform(1.0, 2.2))
                if end_s > self._length_s:
                    break
                self._write(_broken(str(text), rng), t_s, end_s, (0.5, y), size, look, move)
                t_s = end_s + float(rng.choice([0.0, 0.0, 0.3]))
        elif style in ("single", "title"):
            whole = style == "title" and rng.random() < 0.6
            start_s = 0.0 if whole else float(rng.uniform(0, self._length_s / 2))
            end_s = self._length_s if whole else min(self._length_s, start_s + float(rng.uniform(1.2, 3.0)))
            move = str(rng.choice(["cut", "fade", "pop", "slide"], p=[0.4, 0.2, 0.25, 0.15]))
            size = float(rng.uniform(0.028, 0.07))
            self._write(str(rng.choice(_TITLES)), start_s, end_s, (float(rng.uniform(0.4, 0.6)), y), size, look, move)
        elif style == "third":
            start_s = float(rng.uniform(0, max(0.1, self._length_s - 2.2)))
            for k, (text, size) in enumerate(((rng.choice(_NAMES), 0.032), (rng.choice(_ROLES), 0.022))):
                at = (0.35, 0.8 + 0.04 * k)
                self._write(str(text), start_s, min(self._length_s, start_s + 2.2), at, size, look, "fade")
        else:
            x = float(rng.choice([0.3, 0.5, 0.7]))
            at, size = (x, float(rng.choice([0.04, 0.95]))), float(rng.uniform(0.015, 0.022))
            text = f"Copyright {rng.integers(2005, 2026)} example.org/{rng.integers(10, 99)}"
            self._write(text, 0.0, self._length_s, at, size, look, "cut")

    def _write(
        self, text: str, start_s: float, end_s: float, at: tuple[float, float], size: float,
        look: dict[str, Any], move: str,
    ) -> None:  # fmt: skip
        font = pictures.typeface(look["font"], max(6, round(size * self._height)))
        widest = max(font.getlength(line) for line in text.split("\n"))
        size = min(size, size * 0.92 * self._width / widest)
        whole = Caption(text, start_s, end_s, at, size, **look)
        pieces = _moved(whole, move, self._rng, widest / self._width)
        half_w, half_h = min(0.5, widest / self._width / 2 + 0.02), size * 0.8 * (text.count("\n") + 1)
        box = (at[0] - half_w, at[1] - half_h, 2 * half_w, 2 * half_h)
        self.overlays.append(Overlay(text, start_s, end_s, box))
        self.pieces += pieces


def _broken(text: str, rng: np.random.Generator) -> str:
    words = text.split()
    if len(words) < 5 or rng.random() < 0.4:
        return " ".join(words[:5])
    return " ".join(words[: len(words) // 2]) + "\n" + " ".join(words[len(words) // 2 :])


def _look(rng: np.random.Generator) -> dict[str, Any]:
    inks = ((255, 255, 255), (255, 221, 51), (15, 15, 15), scene_writing.colour(rng))
    ink = inks[int(rng.choice(4, p=[0.6, 0.15, 0.1, 0.15]))]
    other = (0, 0, 0) if sum(ink) > 380 else (255, 255, 255)
    style = str(rng.choice(["outline", "box", "plain"], p=[0.45, 0.3, 0.25]))
    font = str(rng.choice(list(pictures._FONTS)))
    box = other if rng.random() < 0.6 else scene_writing.colour(rng, *((0, 110) if sum(ink) > 380 else (180, 256)))
    return {"font": font, "colour": ink, "outline": other if style == "outline" else None,
            "box": box if style == "box" else None}  # fmt: skip


def _moved(whole: Caption, move: str, rng: np.random.Generator, wide: float) -> list[Caption]:
    """The captions that show one text as it comes: cut in, faded, popped up, slid in, typed, or spoken word by word."""
    start_s, end_s = whole.start_s, whole.end_s
    words = whole.text.split()
    if move == "fade":
        return [replace(whole, fade_s=float(rng.uniform(0.15, 0.4)))]
    if move == "pop":
        steps = (0.35, 0.6, 0.85, 1.05, 1.1, 1.04)
        ends = [start_s + (i + 1) / 30 for i in range(len(steps))]
        grown = [
            replace(whole, start_s=end - 1 / 30, end_s=end, height=whole.height * step)
            for step, end in zip(steps, ends, strict=True)
        ]
        return [*grown, replace(whole, start_s=ends[-1])]
    if move == "slide":
        went_s = min(0.4, (end_s - start_s) / 3)
        x, y = whole.center
        come = replace(whole, end_s=start_s + went_s, center=(x - 0.6, y), velocity=(0.6 / went_s, 0.0))
        return [come, replace(whole, start_s=start_s + went_s)]
    if move == "karaoke":
        step_s = (end_s - start_s) / len(words)
        return [
            replace(whole, start_s=start_s + i * step_s, end_s=start_s + (i + 1) * step_s, highlight=i)
            for i in range(len(words))
        ]
    if move == "typed" and "\n" not in whole.text:
        step_s = min(0.08, (end_s - start_s) / 2 / len(whole.text))
        shown = [
            replace(
                whole,
                text=whole.text[: n + 1],
                start_s=start_s + n * step_s,
                end_s=start_s + (n + 1) * step_s,
                center=(0.5 - wide / 2 + wide * (n + 1) / len(whole.text) / 2, whole.center[1]),
            )
            for n in range(len(whole.text) - 1)
        ]
        return [*shown, replace(whole, start_s=start_s + (len(whole.text) - 1) * step_s)]
    return [whole]


class _Camera:
    """What one shot shows: a window of a painted picture on its way, and a shirt that moves where there is one."""

    def __init__(self, rng: np.random.Generator, clip: KindClip, camera: str, surface: str) -> None:
        self._size = (clip.width, clip.height)
        world = (int(clip.width * 1.4), int(clip.height * 1.4))
        self._painted = scene_writing.painted(rng, *world, "sign" if camera == "shirt" else surface).picture
        self._camera = camera
        level = 0.0 if camera == "held" else float(rng.choice([0.0, 1.5, 3.0]))
        shape = (clip.height + _GRAIN_SLACK_PX, clip.width + _GRAIN_SLACK_PX, 3)
        self._grain = np.rint(rng.normal(0, level, shape)).astype(np.int16) if level else None
        self._flicker = 0.0 if camera == "held" else float(rng.choice([0.0, 0.0, 0.04]))
        angle, slack = rng.uniform(0, 2 * math.pi), 0.2
        speed = {"slow": 0.015, "pan": 0.06, "fast": 0.2}.get(camera, 0.0) * float(rng.uniform(0.6, 1.4))
        self._speed = (speed * math.cos(angle), speed * math.sin(angle))
        self._from = (slack - self._speed[0], slack - self._speed[1])
        self._zoom = float(rng.choice([-1, 1]) * rng.uniform(0.02, 0.08)) if camera == "zoom" else 0.0
        self._shake = rng.uniform(0.002, 0.012, 6) if camera == "hand" else np.zeros(6)
        self._pitch = rng.uniform(0.3, 3.0, 6)
        shirt = scene_writing._sign(rng, clip.width, clip.height) if camera == "shirt" else None
        self._shirt = shirt[:, : clip.width // 2] if shirt is not None else None
        self._noise = rng

    def frame(self, t_s: float) -> Any:
        """(height, width, 3) uint8 RGB."""
        width, height = self._size
        swing = self._shake * np.sin(2 * math.pi * self._pitch * t_s)
        x = (self._from[0] + self._speed[0] * t_s + swing[0] + swing[1]) * width
        y = (self._from[1] + self._speed[1] * t_s + swing[2] + swing[3]) * height
        scale = 1.0 + self._zoom * t_s + (swing[4] + swing[5]) / 4
        matrix = np.array([[scale, 0, x], [0, scale, y]], np.float64)
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        image = cv2.warpAffine(self._painted, matrix, self._size, flags=flags, borderMode=cv2.BORDER_REFLECT)
        if self._shirt is not None:
            h, w = self._shirt.shape[:2]
            left = int(width * (0.25 + 0.12 * math.sin(1.7 * t_s + self._pitch[0]))) % max(1, width - w)
            top = int(height * (0.45 + 0.05 * math.sin(2.9 * t_s))) % max(1, height - h)
            image[top : top + h, left : left + w] = self._shirt
        if self._flicker:
            image = cv2.convertScaleAbs(image, alpha=1 + self._flicker * math.sin(7 * t_s))
        if self._grain is not None:
            left, top = self._noise.integers(0, _GRAIN_SLACK_PX, 2)
            image = cv2.add(image, self._grain[top : top + height, left : left + width], dtype=cv2.CV_8U)
        return image


def frames(clip: KindClip) -> Iterator[Any]:
    """Every frame, (height, width, 3) uint8 RGB."""
    rng = np.random.default_rng([2032, clip.seed])
    painters = [CaptionPainter(piece, clip.width, clip.height) for piece in clip.pieces]
    began_s, index = 0.0, 0
    for length_s, camera, surface in clip.shots:
        shot = _Camera(rng, clip, camera, surface)
        while index / clip.fps < began_s + length_s - 1e-9:
            image = np.ascontiguousarray(shot.frame(index / clip.fps - began_s))
            for painter in painters:
                painter.draw(image, (index + 1e-6) / clip.fps)
            yield image
            index += 1
        began_s += length_s


def render(clip: KindClip, path: Path) -> None:
    """Write the clip as H.264, with its speech where it has any."""
    rng = np.random.default_rng([2033, clip.seed])
    with av.open(str(path), "w") as out:
        options = {
            "preset": "superfast",
            "crf": str(int(rng.integers(20, 31))),
            "x264-params": "rc-lookahead=0:mbtree=0",
        }
        video: Any = out.add_stream("libx264", rate=clip.fps, options=options)
        video.width, video.height, video.pix_fmt = clip.width, clip.height, "yuv420p"
        audio: Any = out.add_stream("aac", rate=SAMPLE_RATE_HZ, layout="mono") if clip.speech else None
        for index, image in enumerate(frames(clip)):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, clip.fps)
            out.mux(video.encode(frame))
        out.mux(video.encode(None))
        if audio is not None:
            # What is still being said at the clip's end is cut off.
            shots = (Shot("solid", clip.length_s + 5),)
            samples = compose(ClipSpec(shots, speech=clip.speech)).samples[: int(clip.length_s * SAMPLE_RATE_HZ)]
            for at in range(0, len(samples), SAMPLE_RATE_HZ):
                part = av.AudioFrame.from_ndarray(samples[None, at : at + SAMPLE_RATE_HZ], format="fltp", layout="mono")
                part.sample_rate, part.pts, part.time_base = SAMPLE_RATE_HZ, at, Fraction(1, SAMPLE_RATE_HZ)
                out.mux(audio.encode(part))
            out.mux(audio.encode(None))
