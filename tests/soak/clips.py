"""Clips of two seconds that every service finds something in."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Final

from rumiai.demo import Caption, ClipSpec, Shot, Utterance, View, render

_PICTURES: Final = ("astronaut", "coffee", "bus", "zidane", "hopper", "cat", "motorcycle", "rocket")
_WORDS: Final = ("wait", "for", "it", "coffee", "now", "stop", "look", "here", "follow", "me", "save", "this")
_DURATION_S: Final = 2.0


def clip_spec(seed: int, number: int) -> ClipSpec:
    """One clip; the same for the same seed and number."""
    chance = random.Random(f"{seed}-{number}")
    cut_s = chance.choice((0.7, 1.1, 1.5))
    first, second = (
        Shot(chance.choice(_PICTURES), length_s, View(chance.uniform(0.3, 0.7), 0.45, chance.uniform(1.0, 1.4)))
        for length_s in (cut_s, _DURATION_S - cut_s)
    )
    text = " ".join(chance.sample(_WORDS, 3))
    captions = (Caption(text.upper(), 0.2, 1.8, (0.5, chance.choice((0.2, 0.75))), 0.05),)
    speech = (Utterance(f"{text.capitalize()}.", 0.1),) if chance.random() < 0.5 else ()
    return ClipSpec(
        (first, second),
        captions,
        speech,
        width=270,
        height=480,
        fps=chance.choice((12, 15, 24)),
        music_bpm=None if speech else 120.0,
    )


def make_clips(folder: Path, count: int, seed: int) -> list[Path]:
    """Render what is not there yet."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"clip{number:03}.mp4" for number in range(count)]
    for number, path in enumerate(paths):
        if not path.exists():
            part = path.with_suffix(".part.mp4")
            render(clip_spec(seed, number), part)
            part.rename(path)
    return paths
