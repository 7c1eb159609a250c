"""Texts by kind: what was laid over the picture, what was filmed with it, and what the pipeline says of it.

    python bench/text_kinds.py                              # make bench-text-kinds
    python bench/text_kinds.py --seeds 1000,1020 --rows rows.json
    python bench/text_kinds.py --folder CLIPS               # clips beside their CLIP.truth.json

Generated clips hold writing in the scene and overlays in many styles (``text_kind_clips.py``). The weights of the kinds
were fitted on seeds below 1000. A text of the results is an overlay when it reads like one that was drawn at its place
and time, writing in the scene when it lies at no overlay; what is neither surely is left out, and so are watermarks.

Truth files are JSON with ``texts``: a list of {text, t0, t1, kind}; a kind that begins with ``scene`` is writing in the
scene, one with ``watermark`` in it is left out, any other is an overlay. What reads like none of them is taken for
writing in the scene, so the list of overlays must be complete. ``--rows`` writes what scripts/fit_text_kinds.py fits.

Exit status: 0, or 1 when of the overlays fewer than 90 % are called so, or of what is called so fewer than 85 % are.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import common
import text_kind_clips
from rapidfuzz import fuzz

from rumiai.core.text import characters, likeness

RECALL: Final = 0.9
PRECISION: Final = 0.85
SAID: Final = ("overlay", "unknown", "scene")
# From this likeness a text is a reading of what was drawn, or of a piece of it; below the second it surely is not.
_READS: Final = 0.75
_READS_NOT: Final = 0.5
# Letters that a piece of a text must have.
_PIECE: Final = 3
_SLACK_S: Final = 0.4
_SLACK: Final = 0.02

Text = Mapping[str, Any]
# The kind of a text of the results; None where it is left out.
Judge = Callable[[Text], str | None]


def reads_like(text: str, drawn: str) -> float:
    """How like one of another a text is, or like a piece of it, 0..1."""
    mine, other = characters(text), characters(drawn.replace("\n", " "))
    piece = fuzz.partial_ratio(mine, other) / 100 if _PIECE <= len(mine) <= 1.2 * len(other) else 0.0
    return max(likeness(text, drawn.replace("\n", " ")), piece)


def drawn_kind(clip: text_kind_clips.KindClip, text: Text) -> str | None:
    """The kind of a text of a generated clip."""
    x, y = text["bbox"][0] + text["bbox"][2] / 2, text["bbox"][1] + text["bbox"][3] / 2
    unsure = False
    for overlay in clip.overlays:
        if text["start"] > overlay.end_s + _SLACK_S or text["end"] < overlay.start_s - _SLACK_S:
            continue
        left, top, width, height = overlay.box
        there = left - _SLACK <= x <= left + width + _SLACK and top - _SLACK <= y <= top + height + _SLACK
        like = reads_like(text["text"], overlay.text)
        if there and like >= _READS:
            return "overlay"
        unsure |= there or like >= _READS
    return None if unsure else "scene"


def told_kind(truth: Sequence[Mapping[str, Any]], text: Text) -> str | None:
    """The kind of a text of a clip with a truth file."""
    there = [
        (reads_like(text["text"], item["text"]), item["kind"])
        for item in truth
        if text["start"] <= item["t1"] + _SLACK_S and text["end"] >= item["t0"] - _SLACK_S
    ]
    like, kind = max(there, default=(0.0, "scene"))
    if _READS_NOT < like < _READS or (like >= _READS and "watermark" in kind):
        return None
    return "scene" if like <= _READS_NOT or kind.startswith("scene") else "overlay"


def rows_of(name: str, ocr: Mapping[str, Any], judge: Judge) -> list[dict[str, Any]]:
    """Clip, true kind, said kind, text and cues of each text of one clip that is not left out."""
    rows = []
    for text in ocr["textAnnotations"]:
        kind = None if text["category"] == "watermark" else judge(text)
        if kind is not None:
            cues = {cue["name"]: cue["value"] for cue in text["kind_evidence"]}
            rows.append({"clip": name, "kind": kind, "said": text["kind"], "text": text["text"], "cues": cues})
    return rows


def report(title: str, rows: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Print the confusion table; returns it with recall and precision of the overlays."""
    counts = Counter((row["kind"], row["said"]) for row in rows)
    true = {kind: [counts[kind, said] for said in SAID] for kind in ("overlay", "scene")}
    common.print_table(title, ("", *(f"said {said}" for said in SAID)), [(k, *v) for k, v in true.items()])
    overlays, said = sum(true["overlay"]), counts["overlay", "overlay"] + counts["scene", "overlay"]
    recall = counts["overlay", "overlay"] / overlays if overlays else None
    precision = counts["overlay", "overlay"] / said if said else None
    print(f"overlays: recall {recall}, precision {precision}")
    return {"counts": {f"{kind} said {said}": n for (kind, said), n in counts.items()}, "recall": recall,
            "precision": precision}  # fmt: skip


def _generated(seeds: Iterable[int], folder: Path) -> dict[Path, Judge]:
    judges: dict[Path, Judge] = {}
    for seed in seeds:
        clip, path = text_kind_clips.kind_clip(seed), folder / f"kinds-{seed:04d}.mp4"
        text_kind_clips.render(clip, path)
        judges[path] = lambda text, clip=clip: drawn_kind(clip, text)  # type: ignore[misc]
    return judges


def _told(folder: Path) -> dict[Path, Judge]:
    judges: dict[Path, Judge] = {}
    for path in sorted(folder.glob("*.truth.json")):
        texts = json.loads(path.read_text(encoding="utf-8")).get("texts")
        clip = path.with_name(path.name.removesuffix(".truth.json"))
        timed = texts is not None and all(isinstance(item, dict) and "t0" in item for item in texts)
        if timed and clip.is_file():
            judges[clip] = lambda text, texts=texts: told_kind(texts, text)  # type: ignore[misc]
    return judges


def main() -> None:
    """Measure, print, write, judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", default="1000,1024", help="first, and the one after the last  [default: 1000,1024]")
    parser.add_argument("--folder", type=Path, help="clips with truth files, instead of generated ones")
    parser.add_argument("--rows", type=Path, help="where to write the cues of each text with its kind")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="rumiai-measure-") as temporary:
        folder = Path(temporary)
        first, end = (int(n) for n in args.seeds.split(","))
        judges = _told(args.folder) if args.folder else _generated(range(first, end), folder)
        with common.serving(folder / "server.log") as server:
            ran = common.submit(list(judges), folder / "out", server, "--services", "ocr,whisper,scene_detection")
        files = {Path(video["source"]).name: video["files"] for video in ran.videos}
        rows: list[dict[str, Any]] = []
        for path, judge in judges.items():
            ocr = json.loads(Path(files[path.name]["ocr"]).read_text(encoding="utf-8"))
            rows += rows_of(path.name, ocr, judge)
    found = report(f"Texts of {len(judges)} clips by their true kind", rows)
    for row in rows:
        if row["said"] not in (row["kind"], "unknown"):
            print(f"  {row['kind']} said to be {row['said']}: {row['text']!r} ({row['clip']})")
    if args.rows:
        args.rows.write_text(json.dumps(rows, ensure_ascii=False) + "\n", encoding="utf-8")
    if not args.folder:
        common.write_result("text-kinds", {"seeds": [first, end], **found})
    enough = (found["recall"] or 0.0) >= RECALL and (found["precision"] or 0.0) >= PRECISION
    sys.exit(0 if enough else 1)


if __name__ == "__main__":
    main()
