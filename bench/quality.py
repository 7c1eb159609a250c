"""How good a run's results are, beside those of the naive flow and the truth of a generated clip.

Everything is compared at the sampled instants, counted from 0 (instant k lies at k / sample_fps seconds).

* Texts: a reading counts as a line of a caption when both, as letters and digits, have a likeness of at least 0.8
  (``rumiai.core.text``); one reading for one line. Recall = lines found / lines shown, precision = readings that are a
  line / readings, both summed over all instants. What both flows read alike at an instant although nobody drew it is
  writing in the photographs: it counts neither for nor against either. Readings count from a confidence of 0.5, the
  reference programs' threshold.
* Objects: share of the naive flow's detections of confidence >= 0.4 that have a partner of the same class with
  IoU >= 0.5, one for one.
* Transcript: word error rate against what was spoken.
* Cuts: as many as PySceneDetect finds on the file, each within one frame.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import jiwer

from rumiai.core.boxes import iou
from rumiai.core.text import SAME_TEXT, likeness

TEXT_CONFIDENCE: Final = 0.5
_SAME_BOX_IOU: Final = 0.5
_SURE_OBJECT: Final = 0.4
# The target: all but one in fifty of the sure detections.
_OBJECTS_TO_MATCH: Final = 0.98
# Rounding of times in JSON.
_EPSILON_S: Final = 1e-3


@dataclass(frozen=True)
class Object:
    """A detection: class, confidence, box as x, y, width, height in fractions of the frame."""

    name: str
    confidence: float
    box: tuple[float, float, float, float]


@dataclass(frozen=True)
class Seen:
    """What a flow found: texts and objects by instant, the transcript, the instants of cuts.

    ``frames`` holds the instants that were looked at for texts.
    """

    texts: Mapping[int, Sequence[str]]
    objects: Mapping[int, Sequence[Object]]
    transcript: str | None
    cuts_s: Sequence[float]
    frames: frozenset[int]


@dataclass(frozen=True)
class TextScore:
    """Counts over all instants, and how many of the different lines were found at least once.

    ``read`` leaves out what both flows read and nobody drew.
    """

    shown: int
    read: int
    right: int
    lines: int
    lines_found: int
    missed: tuple[str, ...] = field(default=())

    @property
    def recall(self) -> float | None:
        """None when no line was shown."""
        return self.right / self.shown if self.shown else None

    @property
    def precision(self) -> float | None:
        """None when nothing was read."""
        return self.right / self.read if self.read else None

    def to_dict(self) -> dict[str, Any]:
        """JSON form, with both rates."""
        return {"recall": self.recall, "precision": self.precision, **asdict(self)}


def text_score(
    shown: Mapping[int, Sequence[str]], read: Mapping[int, Sequence[str]], other: Mapping[int, Sequence[str]]
) -> TextScore:
    """Score readings against the lines shown.

    Args:
        shown: Lines at every instant that was looked at; none at some.
        read: What the flow read.
        other: What the other flow read.
    """
    right = wrong = 0
    found: set[str] = set()
    for instant, lines in shown.items():
        readings, others = read.get(instant, ()), other.get(instant, ())
        pairs = _alike(lines, readings)
        left = [text for j, text in enumerate(readings) if j not in {j for _, j in pairs}]
        used = {j for _, j in _alike(lines, others)}
        wrong += len(left) - len(_alike([text for j, text in enumerate(others) if j not in used], left))
        right += len(pairs)
        found |= {lines[i] for i, _ in pairs}
    every = {line for lines in shown.values() for line in lines}
    return TextScore(
        shown=sum(len(lines) for lines in shown.values()),
        read=right + wrong,
        right=right,
        lines=len(every),
        lines_found=len(found),
        missed=tuple(sorted(every - found)),
    )


def _alike(ones: Sequence[str], others: Sequence[str]) -> list[tuple[int, int]]:
    """Index pairs of texts that count as the same, one for one, the likest first."""
    pairs = [(likeness(one, other), i, j) for i, one in enumerate(ones) for j, other in enumerate(others)]
    return _one_to_one([pair for pair in pairs if pair[0] >= SAME_TEXT])


def _one_to_one(pairs: list[tuple[float, int, int]]) -> list[tuple[int, int]]:
    taken: tuple[set[int], set[int]] = set(), set()
    out = []
    for _, i, j in sorted(pairs, key=lambda pair: (-pair[0], pair[1:])):
        if i not in taken[0] and j not in taken[1]:
            taken[0].add(i)
            taken[1].add(j)
            out.append((i, j))
    return out


def object_score(
    reference: Mapping[int, Sequence[Object]], found: Mapping[int, Sequence[Object]]
) -> tuple[int, int, list[str]]:
    """How many sure reference detections have a partner, how many there are, and which have none."""
    matched = total = 0
    missed = []
    for instant, objects in reference.items():
        sure = [o for o in objects if o.confidence >= _SURE_OBJECT]
        others = found.get(instant, ())
        pairs = [
            (overlap, i, j)
            for i, a in enumerate(sure)
            for j, b in enumerate(others)
            if a.name == b.name and (overlap := iou(a.box, b.box)) >= _SAME_BOX_IOU
        ]
        partners = {i for i, _ in _one_to_one(pairs)}
        matched += len(partners)
        total += len(sure)
        missed += [f"{instant}: {o.name} {o.confidence:.2f}" for i, o in enumerate(sure) if i not in partners]
    return matched, total, missed


def words(text: str) -> list[str]:
    """Lower-case words of letters, digits and apostrophes."""
    kept = "".join(c if c.isalnum() or c == "'" else " " for c in text.casefold().replace("\u2019", "'"))
    return kept.split()


def word_error_rate(truth: str, heard: str) -> float:
    """Edit distance in words by the words spoken (jiwer's), over lower-case words without punctuation.

    Raises:
        ValueError: Nothing was spoken.
    """
    spoken = words(truth)
    if not spoken:
        raise ValueError("got a truth without words, expected at least one")
    return jiwer.wer(" ".join(spoken), " ".join(words(heard)))


def cut_score(reference: Sequence[float], found: Sequence[float]) -> dict[str, Any]:
    """Numbers of cuts, and the largest distance in seconds of cuts in order; None when the numbers differ or are 0."""
    distances = [abs(a - b) for a, b in zip(sorted(reference), sorted(found), strict=False)]
    comparable = len(reference) == len(found) > 0
    return {
        "expected": len(reference),
        "found": len(found),
        "largest_distance_s": round(max(distances), 4) if comparable else None,
    }


def seen_by_naive(naive: Mapping[str, Any]) -> Seen:
    """The naive flow's results, as ``naive.py`` writes them."""
    parts = naive["parts"]
    ocr, yolo = parts["ocr"]["data"], parts["yolo"]["data"]
    return Seen(
        texts={f["instant"]: [t["text"] for t in f["texts"] if t["confidence"] >= TEXT_CONFIDENCE] for f in ocr},
        objects={f["instant"]: [_object(o["name"], o["confidence"], o["box"]) for o in f["objects"]] for f in yolo},
        transcript=parts["whisper"]["data"]["text"],
        cuts_s=parts["scenes"]["data"]["cuts_s"],
        frames=frozenset(f["instant"] for f in ocr),
    )


def seen_by_run(files: Mapping[str, str]) -> Seen:
    """A run's results.

    Args:
        files: ``files`` of the video in the ``done`` event; a service that is missing there has found nothing.
    """
    ocr, yolo, whisper, scenes = (_read(files, name) for name in ("ocr", "yolo", "whisper", "scene_detection"))
    texts: dict[int, list[str]] = {}
    for item in ocr.get("textAnnotations", ()):
        for sighting in item["sightings"]:
            if (instant := _instant(sighting["timestamp"], ocr["metadata"])) is not None:
                texts.setdefault(instant, []).append(item["text"])
    objects: dict[int, list[Object]] = {}
    for track in yolo.get("objectAnnotations", ()):
        for frame in track["frames"]:
            if (instant := _instant(frame["timestamp"], yolo["metadata"])) is not None:
                objects.setdefault(instant, []).append(_object(track["className"], frame["confidence"], frame["bbox"]))
    frames = range(ocr["metadata"]["frames_analyzed"]) if ocr else ()
    return Seen(texts, objects, whisper.get("text"), scenes.get("scene_changes", ()), frozenset(frames))


def _read(files: Mapping[str, str], service: str) -> dict[str, Any]:
    if service not in files:
        return {}
    data: dict[str, Any] = json.loads(Path(files[service]).read_text(encoding="utf-8"))
    return data


def _object(name: str, confidence: float, box: Sequence[float]) -> Object:
    x, y, width, height = box
    return Object(name, confidence, (x, y, width, height))


def _instant(time_s: float, facts: Mapping[str, Any]) -> int | None:
    """Which sampled instant a time belongs to; None for a frame between them (the first of a shot)."""
    instant = round(time_s * facts["sample_fps"])
    frame_s = 1 / facts["fps"] if facts["fps"] else 0.0
    return instant if abs(time_s - instant / facts["sample_fps"]) <= frame_s / 2 + _EPSILON_S else None


def assess(
    ours: Seen, naive: Seen, truth: Any, *, fps: float, sample_fps: float, reference: str | None
) -> dict[str, Any]:
    """Compare; what needs a truth is None without one.

    Args:
        ours: Of the pipeline.
        naive: Of the naive flow; texts are compared at the instants that it has looked at.
        truth: ``rumiai.demo.Truth``, or None.
        fps: Of the clip.
        sample_fps: Of both flows.
        reference: faster-whisper's own transcript; None when it was not taken.
    """
    matched, total, missed = object_score(naive.objects, ours.objects)
    report: dict[str, Any] = {
        "texts": None,
        "word_error_rate": None,
        "objects": {"matched": matched, "of": total, "share": matched / total if total else None, "missed": missed},
        "cuts": {"pyscenedetect": cut_score(naive.cuts_s, ours.cuts_s), "frame_s": 1 / fps},
    }
    if truth is None:
        return report
    shown = {k: [line.text for line in truth.lines_at(k / sample_fps + 1e-6)] for k in sorted(naive.frames)}
    report["texts"] = {
        "ours": text_score(shown, ours.texts, naive.texts).to_dict(),
        "naive": text_score(shown, naive.texts, ours.texts).to_dict(),
    }
    if truth.words:
        heard = {"ours": ours.transcript, "naive": naive.transcript, "faster_whisper": reference}
        report["word_error_rate"] = {
            name: None if text is None else word_error_rate(truth.transcript, text) for name, text in heard.items()
        }
    report["cuts"]["truth"] = {
        "ours": cut_score(truth.cuts_s, ours.cuts_s),
        "naive": cut_score(truth.cuts_s, naive.cuts_s),
    }
    return report


def losses(report: Mapping[str, Any]) -> list[str]:
    """In what the run is worse than it may be; empty when quality was kept."""
    out = []
    if (texts := report["texts"]) is not None:
        for rate in ("recall", "precision"):
            ours, naive = texts["ours"][rate], texts["naive"][rate]
            if naive is not None and (ours is None or ours < naive):
                out.append(f"texts: {rate} {_rate(ours)}, naive flow {_rate(naive)}")
    share = report["objects"]["share"]
    if share is not None and share < _OBJECTS_TO_MATCH:
        out.append(f"objects: {share:.3f} of the sure naive detections matched, expected >= {_OBJECTS_TO_MATCH}")
    if (rates := report["word_error_rate"]) is not None:
        allowed = rates["faster_whisper"] if rates["faster_whisper"] is not None else rates["naive"]
        if rates["ours"] is None or (allowed is not None and rates["ours"] > allowed):
            out.append(f"transcript: word error rate {_rate(rates['ours'])}, faster-whisper's own {_rate(allowed)}")
    cuts, frame_s = report["cuts"]["pyscenedetect"], report["cuts"]["frame_s"]
    if cuts["found"] != cuts["expected"]:
        out.append(f"cuts: {cuts['found']}, PySceneDetect {cuts['expected']}")
    elif cuts["found"] and cuts["largest_distance_s"] > frame_s + _EPSILON_S:
        out.append(f"cuts: {cuts['largest_distance_s']} s from PySceneDetect's, expected <= {frame_s:.4f}")
    return out


def _rate(value: float | None) -> str:
    return "none" if value is None else f"{value:.3f}"
