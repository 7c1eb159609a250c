"""Captions of whole clips: the pipeline's text service beside EasyOCR on every sampled frame, and the truth.

    python bench/caption_clips.py                 # make bench-caption-clips
    python bench/caption_clips.py --seeds 0,6     # one clip of each kind

Clips of 6 s, 576 x 1024, in six kinds: captions that change under a static camera, karaoke (the coloured word moves
on), fades, scrolling text, a moving camera, one word after another; in all of the demo's typefaces, 2.2 to 7 % of the
height, outlined, boxed or plain, over photographs and generated pictures, with and without grain. Texts are scored as
``bench/quality.py`` says; in addition, each line's first and last instant in the results are held against when it was
really there (from and to half its opacity), the step of the sampling grid being what they can be right to. Nothing in
the pipeline was chosen by these clips.

Exit status: 0, or 1 when recall, precision or the number of lines found lies below EasyOCR's.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import tempfile
import time
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import common
import naive
import numpy as np
import quality

from rumiai.core.text import SAME_TEXT, likeness
from rumiai.demo import Caption, ClipSpec, Shot, Truth, View, pictures, render

KINDS: Final = ("changing", "karaoke", "fade", "scroll", "moving", "words")
WIDTH, HEIGHT, LENGTH_S = 576, 1024, 6.0
_TEXTS: Final = (
    "the link in bio", "WAIT for it", "Step %d of %d", "50%% OFF today", "follow me", "but why?", "so good", "only $%d",
    "STOP SCROLLING", "try this", "what I eat in a day", "comment below", "secret tip no %d", "if you can", "BEFORE",
    "AFTER", "tell me why", "up to %d%% off", "SALE", "@maker.%d", "day %d", "never again!", "this is it",
    "read the caption", "my honest review", "no way", "save this", "part %d",
)  # fmt: skip
_HEIGHTS: Final = (0.022, 0.026, 0.03, 0.035, 0.04, 0.05, 0.06, 0.07)
_INSTANT_EPSILON_S: Final = 1e-6


@dataclass(frozen=True)
class Line:
    """One line of text and when it can be seen, in seconds."""

    text: str
    start_s: float
    end_s: float


def clip_spec(seed: int) -> ClipSpec:
    """The clip of a seed; its kind is ``KINDS[seed % 6]``."""
    rng = np.random.default_rng([2028, seed])
    kind = KINDS[seed % len(KINDS)]
    name = str(rng.choice([*pictures.NAMES, *pictures.NAMES, "gradient", "noise", "solid"]))
    colours: Any = tuple(tuple(int(v) for v in rng.integers(0, 256, 3)) for _ in range(2))
    views = [View(rng.uniform(0.25, 0.75), rng.uniform(0.25, 0.75), rng.uniform(1.0, 1.6)) for _ in range(2)]
    grain = float(rng.choice([0.0, 0.0, 2.0, 4.0]))
    shot = Shot(name, LENGTH_S, views[0], views[1] if kind == "moving" else None, colours=colours, grain=grain)
    captions: list[Caption] = []
    for y in rng.choice([0.14, 0.32, 0.5, 0.68, 0.84], 2, replace=False):
        captions += _captions(rng, kind, float(y), {_written(rng) for _ in range(12)} - {c.text for c in captions})
    return ClipSpec((shot,), tuple(captions), width=WIDTH, height=HEIGHT, silent=True)


def _written(rng: np.random.Generator) -> str:
    text = str(rng.choice(_TEXTS))
    return text % tuple(int(n) for n in rng.integers(1, 99, text.replace("%%", "").count("%d")))


def _captions(rng: np.random.Generator, kind: str, y: float, texts: Iterable[str]) -> list[Caption]:
    """Captions one after another in the same place and style, no two of the same text."""
    style = _style(rng)
    height = float(rng.choice(_HEIGHTS))
    waiting = sorted(texts)
    rng.shuffle(waiting)
    t_s = float(rng.uniform(0.0, 0.8))
    made: list[Caption] = []
    while waiting and t_s < LENGTH_S - 1.0:
        text = waiting.pop()
        end_s = min(LENGTH_S, t_s + float(rng.uniform(1.2, 2.8)))
        if kind == "words":
            for word in text.split():
                if t_s < LENGTH_S - 0.6 and word.lower() not in {c.text.lower() for c in made}:
                    made.append(_caption(word, t_s, t_s + 0.6, y, height, style))
                    t_s += 0.6
            continue
        if kind == "karaoke":
            count = len(text.split())
            ends = [t_s + (end_s - t_s) * (i + 1) / count for i in range(count)]
            for i, end in enumerate(ends):
                start = ends[i - 1] if i else t_s
                made.append(_caption(text, start, end, y, height, style, highlight=i))
        elif kind == "fade":
            made.append(_caption(text, t_s, end_s, y, height, style, fade_s=float(rng.uniform(0.2, 0.5))))
        elif kind == "scroll":
            speed = float(rng.choice([-1, 1]) * rng.uniform(0.02, 0.06))
            made.append(_caption(text, t_s, end_s, y, height, style, velocity=(0.0, speed)))
        else:
            made.append(_caption(text, t_s, end_s, y, height, style))
        t_s = end_s + float(rng.choice([0.0, 0.0, 0.6]))
    return made


def _style(rng: np.random.Generator) -> dict[str, Any]:
    colour = ((255, 255, 255), (255, 221, 51), (20, 20, 20), tuple(int(v) for v in rng.integers(0, 256, 3)))
    ink = colour[int(rng.choice(4, p=[0.55, 0.2, 0.1, 0.15]))]
    other = (0, 0, 0) if sum(ink) > 380 else (255, 255, 255)
    looks: dict[str, dict[str, Any]] = {
        "outline": {"outline": other},
        "box": {"outline": None, "box": other},
        "plain": {"outline": None},
    }
    look = looks[str(rng.choice(list(looks), p=[0.5, 0.3, 0.2]))]
    return {"font": str(rng.choice(list(pictures._FONTS))), "colour": ink, **look}


def _caption(
    text: str, start_s: float, end_s: float, y: float, height: float, style: Mapping[str, Any], **more: Any
) -> Caption:
    """Made smaller where it would not fit into nine tenths of the frame's width."""
    wide = pictures.typeface(style["font"], round(height * HEIGHT)).getlength(text)
    height = min(height, height * 0.9 * WIDTH / wide)
    return Caption(text, start_s, end_s, (0.5, y), height, **style, **more)


def lines_of(spec: ClipSpec) -> list[Line]:
    """When each text can be seen, captions that follow at once with the same text being one."""
    lines: list[Line] = []
    for caption in spec.captions:
        start_s, end_s = caption.start_s + caption.fade_s / 2, caption.end_s - caption.fade_s / 2
        if lines and lines[-1].text == caption.text and abs(lines[-1].end_s - start_s) < _INSTANT_EPSILON_S:
            lines[-1] = Line(caption.text, lines[-1].start_s, end_s)
        else:
            lines.append(Line(caption.text, start_s, end_s))
    return lines


def read_naively(paths: Sequence[Path], *, stored: bool) -> list[dict[int, list[str]]]:
    """EasyOCR's texts of each clip by sampled instant, from the confidence on that quality.py takes.

    What it read of a clip is stored beside the results, and with ``stored`` taken from there where it is.
    """
    part = None
    found = []
    for path in paths:
        store = common.RESULTS / f"easyocr-{hashlib.sha256(path.read_bytes()).hexdigest()[:12]}.json"
        if stored and store.is_file():
            frames = json.loads(store.read_text(encoding="utf-8"))
        else:
            part = part or naive.load_ocr()
            _, _, frames = part(path, None)
            common.RESULTS.mkdir(parents=True, exist_ok=True)
            store.write_text(json.dumps(frames, ensure_ascii=False) + "\n", encoding="utf-8")
        found.append(
            {
                frame["instant"]: [t["text"] for t in frame["texts"] if t["confidence"] >= quality.TEXT_CONFIDENCE]
                for frame in frames
            }
        )
        print(f"  EasyOCR: {path.stem} done", flush=True)
    return found


def times_off(lines: Sequence[Line], ocr: Mapping[str, Any]) -> list[float]:
    """For each line that was found, the larger of how far its start and its end are off, in seconds.

    What the service reports of one line may be several appearances; the first one's start and the last one's end count.
    """
    off = []
    for line in lines:
        same = [
            item
            for item in ocr["textAnnotations"]
            if likeness(item["text"], line.text) >= SAME_TEXT
            and item["start"] < line.end_s
            and item["end"] > line.start_s
        ]
        if same:
            start_s, end_s = min(item["start"] for item in same), max(item["end"] for item in same)
            off.append(max(abs(start_s - line.start_s), abs(end_s - line.end_s)))
    return off


def assess(spec: ClipSpec, truth: Truth, files: Mapping[str, str], theirs: Mapping[int, Sequence[str]]) -> Any:
    """Scores of one clip, ours and EasyOCR's, and the times."""
    ours = quality.seen_by_run(files)
    ocr = json.loads(Path(files["ocr"]).read_text(encoding="utf-8"))
    shown = {
        k: [line.text for line in truth.lines_at(k / naive.SAMPLE_FPS + _INSTANT_EPSILON_S)] for k in sorted(theirs)
    }
    scores = quality.text_score(shown, ours.texts, theirs), quality.text_score(shown, theirs, ours.texts)
    return scores, times_off(lines_of(spec), ocr)


def _sum(scores: Sequence[quality.TextScore]) -> dict[str, Any]:
    total = {
        name: sum(getattr(score, name) for score in scores)
        for name in ("shown", "read", "right", "lines", "lines_found")
    }
    recall = total["right"] / total["shown"] if total["shown"] else None
    precision = total["right"] / total["read"] if total["read"] else None
    return {"recall": recall, "precision": precision, **total, "missed": [m for score in scores for m in score.missed]}


def main() -> None:
    """Measure, print, write, and judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", default="0,18", help="first, and the one after the last  [default: 0,18]")
    parser.add_argument("--skip-naive", action="store_true", help="take what EasyOCR read of the same clips before")
    args = parser.parse_args()
    first, end = (int(n) for n in args.seeds.split(","))
    warnings.simplefilter("ignore")  # EasyOCR's notices on CPU, pinned memory and quantisation
    specs = {seed: clip_spec(seed) for seed in range(first, end)}
    with tempfile.TemporaryDirectory(prefix="rumiai-measure-") as temporary:
        folder = Path(temporary)
        paths = {seed: folder / f"{seed:04d}-{KINDS[seed % len(KINDS)]}.mp4" for seed in specs}
        truths = {seed: render(spec, paths[seed]) for seed, spec in specs.items()}
        began = time.monotonic()
        theirs = read_naively(list(paths.values()), stored=args.skip_naive)
        naive_s = None if args.skip_naive else time.monotonic() - began
        with common.serving(folder / "server.log") as server:
            ran = common.submit(list(paths.values()), folder / "out", server, "--services", "ocr")
        files = {Path(video["source"]).stem: video["files"] for video in ran.videos}
        results = {
            seed: assess(specs[seed], truths[seed], files[paths[seed].stem], their)
            for seed, their in zip(specs, theirs, strict=True)
        }
    report = _report(results, {"easyocr": naive_s, "pipeline": ran.usage.wall_s})
    common.write_result("caption-clips", {"seeds": [first, end], "size": [WIDTH, HEIGHT], **report})
    ours, their = report["all"]["ours"], report["all"]["easyocr"]
    worse = [name for name in ("recall", "precision", "lines_found") if (ours[name] or 0) < (their[name] or 0)]
    for name in worse:
        print(f"QUALITY LOST: {name} {ours[name]}, EasyOCR on every frame {their[name]}")
    sys.exit(1 if worse else 0)


def _report(results: Mapping[int, Any], seconds: Mapping[str, float | None]) -> dict[str, Any]:
    """Print the tables, and return what they hold."""
    by_kind: dict[str, Any] = {}
    for kind in (*KINDS, "all"):
        chosen = [result for seed, result in results.items() if kind in ("all", KINDS[seed % len(KINDS)])]
        if not chosen:
            continue
        off = sorted(value for _, times in chosen for value in times)
        step_s = 1 / naive.SAMPLE_FPS
        by_kind[kind] = {
            "clips": len(chosen),
            "ours": _sum([ours for (ours, _), _ in chosen]),
            "easyocr": _sum([theirs for (_, theirs), _ in chosen]),
            "times": {
                "lines": len(off),
                "within_one_step": sum(value <= step_s for value in off),
                "largest_s": round(off[-1], 3) if off else None,
            },
        }
    common.print_table(
        "Captions by kind of clip: the pipeline, and EasyOCR on every sampled frame",
        ("", "clips", "recall", "EasyOCR", "precision", "EasyOCR", "lines found", "EasyOCR", "of"),
        [
            (
                kind, r["clips"], r["ours"]["recall"], r["easyocr"]["recall"], r["ours"]["precision"],
                r["easyocr"]["precision"], r["ours"]["lines_found"], r["easyocr"]["lines_found"], r["ours"]["lines"],
            )
            for kind, r in by_kind.items()
        ],
    )  # fmt: skip
    common.print_table(
        f"Start and end of the lines found, within one step of {1 / naive.SAMPLE_FPS} s",
        ("", "lines", "within", "largest, s"),
        [(k, r["times"]["lines"], r["times"]["within_one_step"], r["times"]["largest_s"]) for k, r in by_kind.items()],
    )
    lost, gained = (
        [line for scores, _ in results.values() for line in sorted(set(scores[one].missed) - set(scores[other].missed))]
        for one, other in ((0, 1), (1, 0))
    )
    print(f"lines that only EasyOCR found: {', '.join(lost) or 'none'}")
    print(f"lines that only the pipeline found: {', '.join(gained) or 'none'}")
    if seconds["easyocr"] is not None:
        print(f"seconds: EasyOCR {seconds['easyocr']:.1f}, pipeline {seconds['pipeline']:.1f}")
    return {**by_kind, "only_easyocr": lost, "only_pipeline": gained, "seconds": seconds}


if __name__ == "__main__":
    main()
