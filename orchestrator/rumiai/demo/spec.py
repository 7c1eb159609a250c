"""What a clip is to show and say, and what can be known of it afterwards. Times are seconds from its start."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Colour = tuple[int, int, int]
Codec = Literal["h264", "hevc", "vp9"]
Container = Literal["mp4", "webm"]
PixelFormat = Literal["yuv420p", "yuv420p10le"]
FontName = Literal["sans-bold", "sans", "serif-bold", "serif", "mono-bold", "display"]

WHITE: Colour = (255, 255, 255)
BLACK: Colour = (0, 0, 0)


@dataclass(frozen=True)
class View:
    """The part of a picture that fills the frame.

    ``x``, ``y`` is its centre in fractions of the picture; ``zoom`` 1.0 shows as much of it as fits the frame's
    shape, 2.0 half of that. The view is moved inwards where it would leave the picture.
    """

    x: float = 0.5
    y: float = 0.5
    zoom: float = 1.0

    def __post_init__(self) -> None:
        if self.zoom < 1.0:
            raise ValueError(f"view: got zoom {self.zoom}, expected >= 1")


@dataclass(frozen=True)
class Shot:
    """One shot; shots follow one another without gaps.

    Attributes:
        picture: A name from ``pictures.NAMES``, or one of ``solid``, ``gradient``, ``noise`` (still, textured).
        duration_s: Its length.
        start: The view at its beginning.
        end: The view at its end; None holds the first (a static camera).
        colours: Of ``solid`` (the first) and ``gradient`` (top, bottom).
        grain: Standard deviation of the noise that changes with every frame, in grey levels; what a phone camera adds.
        dissolve_s: How long the shot before shines through at its beginning; 0 is a cut.
    """

    picture: str
    duration_s: float
    start: View = View()
    end: View | None = None
    colours: tuple[Colour, Colour] = ((32, 48, 96), (160, 96, 64))
    grain: float = 0.0
    dissolve_s: float = 0.0

    def __post_init__(self) -> None:
        if not self.duration_s > 0 or not 0 <= self.dissolve_s <= self.duration_s or self.grain < 0:
            raise ValueError(
                f"shot {self.picture}: got duration {self.duration_s}, dissolve {self.dissolve_s}, grain {self.grain}; "
                "expected duration > 0, 0 <= dissolve <= duration, grain >= 0"
            )


@dataclass(frozen=True)
class Caption:
    """Text drawn over the picture on every frame with ``start_s <= t < end_s``.

    Attributes:
        text: One or more lines, separated by newlines, centred.
        start_s: First instant.
        end_s: Instant after the last.
        center: x, y of the middle of the block, fractions of the frame, at ``start_s``.
        height: Font size as a fraction of the frame's height.
        colour: Of the letters.
        outline: Colour of the outline; None draws none.
        box: Colour of a box behind each line; None draws none.
        font: One of the DejaVu and STIX faces that matplotlib ships.
        highlight: Which word (0-based, over all lines) has ``highlight_colour``, as in karaoke; None is no word.
        highlight_colour: Of that word.
        fade_s: How long it takes to appear and to go, inside its time.
        velocity: x, y movement in frame widths and heights per second.
    """

    text: str
    start_s: float
    end_s: float
    center: tuple[float, float] = (0.5, 0.5)
    height: float = 0.045
    colour: Colour = WHITE
    outline: Colour | None = BLACK
    box: Colour | None = None
    font: FontName = "sans-bold"
    highlight: int | None = None
    highlight_colour: Colour = (255, 221, 51)
    fade_s: float = 0.0
    velocity: tuple[float, float] = (0.0, 0.0)

    def __post_init__(self) -> None:
        if not self.text.strip() or not 0 <= self.start_s < self.end_s or self.height <= 0 or self.fade_s < 0:
            raise ValueError(
                f"caption {self.text!r}: got {self.start_s}..{self.end_s} s, height {self.height}, fade {self.fade_s}; "
                "expected text, 0 <= start < end, height > 0, fade >= 0"
            )

    def opacity(self, t_s: float) -> float:
        """How opaque it is at ``t_s``: 0.0 when not shown, 1.0 when fully."""
        if not self.start_s <= t_s < self.end_s:
            return 0.0
        if self.fade_s == 0:
            return 1.0
        return min(1.0, (t_s - self.start_s) / self.fade_s, (self.end_s - t_s) / self.fade_s)


@dataclass(frozen=True)
class Utterance:
    """A sentence, spoken from ``start_s`` on."""

    text: str
    start_s: float


@dataclass(frozen=True)
class ClipSpec:
    """A whole clip.

    Attributes:
        shots: What is seen; empty makes an audio-only file.
        captions: Drawn over the shots, in this order.
        speech: Spoken sentences; they may not overlap.
        width: Of the picture as shown, in pixels; even.
        height: Of the picture as shown, in pixels; even.
        fps: Frame rate.
        music_bpm: Tempo of a soft drum and chord bed; None plays none.
        tone_hz: A steady sine; None plays none.
        silent: No audio track at all.
        duration_s: Length of an audio-only clip; otherwise the shots' sum.
        codec: Video codec.
        container: ``webm`` takes VP9 and Opus, ``mp4`` the others and AAC.
        pixel_format: 10 bit with ``yuv420p10le``.
        rotation_deg: The file stores the picture turned and says by how much a player must turn it clockwise.
        vfr: Leave out frames irregularly (every frame keeps its own time), as phones do in the dark.
    """

    shots: tuple[Shot, ...]
    captions: tuple[Caption, ...] = ()
    speech: tuple[Utterance, ...] = ()
    width: int = 720
    height: int = 1280
    fps: int = 30
    music_bpm: float | None = None
    tone_hz: float | None = None
    silent: bool = False
    duration_s: float | None = None
    codec: Codec = "h264"
    container: Container = "mp4"
    pixel_format: PixelFormat = "yuv420p"
    rotation_deg: Literal[0, 90, 180, 270] = 0
    vfr: bool = False

    def __post_init__(self) -> None:
        if not self.shots and self.duration_s is None:
            raise ValueError("clip without shots: got no duration_s, expected the length of the audio")
        if not self.shots and self.silent:
            raise ValueError("clip: got neither shots nor sound, expected one of them")
        if self.width % 2 or self.height % 2 or min(self.width, self.height, self.fps) < 1:
            raise ValueError(
                f"clip: got {self.width}x{self.height} at {self.fps} fps, expected even sides and fps >= 1"
            )
        if (self.codec == "vp9") != (self.container == "webm"):
            raise ValueError(f"clip: got {self.codec} in {self.container}, expected vp9 in webm or h264/hevc in mp4")

    @property
    def length_s(self) -> float:
        """Length of the clip in seconds, a whole number of frames when it has shots."""
        if not self.shots:
            return float(self.duration_s or 0.0)
        return self.frame_count / self.fps

    @property
    def frame_count(self) -> int:
        """Frames of the constant-rate grid."""
        return round(sum(shot.duration_s for shot in self.shots) * self.fps)


@dataclass(frozen=True)
class Word:
    """A spoken word and when it is heard."""

    text: str
    start_s: float
    end_s: float


@dataclass(frozen=True)
class TruthLine:
    """One line of a caption as drawn: ``box`` is x, y, width, height of its ink, normalised, at ``start_s``."""

    text: str
    start_s: float
    end_s: float
    box: tuple[float, float, float, float]


@dataclass(frozen=True)
class Truth:
    """What a rendered clip holds.

    ``cuts_s`` are the times of the first frames of new shots, without dissolves; ``frame_times_s`` those of all frames.
    """

    path: Path
    duration_s: float
    frame_times_s: tuple[float, ...] = ()
    cuts_s: tuple[float, ...] = ()
    lines: tuple[TruthLine, ...] = ()
    words: tuple[Word, ...] = ()
    beats_s: tuple[float, ...] = field(default=(), repr=False)

    @property
    def n_frames(self) -> int:
        """How many frames the file holds."""
        return len(self.frame_times_s)

    def lines_at(self, t_s: float) -> tuple[TruthLine, ...]:
        """The lines shown at ``t_s``."""
        return tuple(line for line in self.lines if line.start_s <= t_s < line.end_s)

    @property
    def transcript(self) -> str:
        """Everything that is said."""
        return " ".join(word.text for word in self.words)


def first_frame_at(t_s: float, fps: int) -> int:
    """Index of the first frame of a constant-rate grid whose time is not before ``t_s``."""
    # The small allowance keeps 0.1 + 0.2 from becoming the frame after.
    return math.ceil(t_s * fps - 1e-6)
