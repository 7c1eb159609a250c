"""Real clips held against what people saw and heard in them.

    make bench-real CLIPS=folder                     # analyse every clip with a truth file, then judge
    python bench/real.py folder --results out        # judge what is there; analyse what is missing
    python bench/real.py folder --only talk,text

The truth files' format and every definition are in ``bench/truth.py``. The folder is the user's own: no clip and no
figure of one is part of this repository.

Exit status: 0; 1 when a clip could not be analysed; 2 when the folder holds no clip with a truth file.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import common
import truth as known

from rumiai.contracts.services.ocr import OcrData
from rumiai.contracts.services.scenes import ScenesData
from rumiai.contracts.services.whisper import WhisperData
from rumiai.results.store import read_json

WITHIN_S: Final = 0.1


@dataclass(frozen=True)
class Judged:
    """One clip: its name, what the run said of it, and its scores; a member that is None was not judged."""

    name: str
    texts: known.TextScore | None
    cuts: known.CutScore | None
    error_rate: float | None
    language: tuple[str, str] | None
    invented_words: int | None
    presence: float | None
    people: tuple[int, int] | None


def judge(clip: Path, unified: Path, framing: Path | None) -> Judged:
    """Hold one clip's results against its truth.

    Args:
        clip: The clip; its truth file lies beside it.
        unified: Its unified analysis.
        framing: The computed values of its person framing, if there are any.
    """
    document = read_json(unified)
    data: dict[str, Any] = document["ml_data"]
    truth = known.read_truth(clip.with_name(clip.name + known.SUFFIX), float(document["duration"]))
    texts = OcrData.from_json(data["ocr"]) if "ocr" in data else None
    scenes = ScenesData.from_json(data["scene_detection"]) if "scene_detection" in data else None
    speech = WhisperData.from_json(data["whisper"]) if "whisper" in data else None
    values = read_json(framing) if framing else {}
    most, seen = _metric(values, "maxSimultaneousPeople"), _metric(values, "personPresenceRate")
    return Judged(
        name=clip.name,
        texts=known.score_texts(truth, overlays_of(texts), unread_of(texts)) if texts and truth.texts else None,
        cuts=known.score_cuts(truth, scenes.changes_s) if scenes and truth.cuts_s is not None else None,
        error_rate=_error_rate(truth, speech),
        language=(truth.language, speech.language) if truth.language and speech else None,
        invented_words=len(speech.text.split()) if speech and truth.speech is False else None,
        presence=seen if truth.max_people == 0 else None,
        people=(truth.max_people, int(most)) if truth.max_people is not None and most is not None else None,
    )


def overlays_of(texts: OcrData | None) -> list[known.Span]:
    """What a result says was laid over the picture: neither watermarks nor writing in the scene nor unknown."""
    found = texts.texts if texts else ()
    # Results of versions that knew no kinds have none.
    return [
        known.Span(text.text, text.start_s, text.end_s)
        for text in found
        if not text.is_watermark and getattr(text, "kind", None) in (None, "overlay")
    ]


def unread_of(texts: OcrData | None) -> list[tuple[float, float]]:
    """Start and end of writing that was seen and not read."""
    return [(region.start_s, region.end_s) for region in getattr(texts, "unread", None) or ()]


def _error_rate(truth: known.Truth, speech: WhisperData | None) -> float | None:
    if truth.transcript is None or speech is None:
        return None
    return known.word_error_rate(truth.transcript, speech.text, truth.language)


def _metric(values: Any, name: str) -> float | None:
    """A number somewhere in a tree of JSON members."""
    if isinstance(values, dict):
        if isinstance(values.get(name), int | float):
            return float(values[name])
        inner = (found for value in values.values() if (found := _metric(value, name)) is not None)
        return next(inner, None)
    return None


def analyse(clips: Sequence[Path], out: Path) -> dict[str, tuple[Path, Path | None]]:
    """Analyse clips into ``out``, or take what is there.

    Returns:
        Name of the clip -> its unified analysis and the computed values of its person framing. Clips that failed are
        not in it.
    """
    run = common.submit(clips, out, None, may_fail=True)
    found = {}
    for clip, video in zip(clips, run.videos, strict=True):
        if video["status"] == "failed":
            print(f"{clip.name}: {video['error']['message']}", file=sys.stderr)
            continue
        framing = out / "insights" / video["video_id"] / "person_framing"
        latest = read_json(framing / "latest.json") if (framing / "latest.json").is_file() else None
        unified = out / "unified_analysis" / f"{video['video_id']}.json"
        found[clip.name] = (unified, framing / latest["ml"] if latest else None)
    return found


def text_rows(judged: Sequence[Judged]) -> list[list[object]]:
    """Rows of the table of texts: every script, then all together."""
    total = sum((clip.texts for clip in judged if clip.texts), known.TextScore())
    scripts = [script for script, _ in total.shown.most_common()]
    rows: list[list[object]] = [
        [script, total.shown[script], total.found[script], total.exact[script], total.named_unread[script]]
        for script in scripts
    ]
    return [*rows, ["all", *(sum(c.values()) for c in (total.shown, total.found, total.exact, total.named_unread))]]


def rate(part: float, whole: float) -> float | None:
    """A share; None of nothing."""
    return part / whole if whole else None


def summary(judged: Sequence[Judged]) -> dict[str, Any]:
    """The figures over all clips."""
    texts = sum((clip.texts for clip in judged if clip.texts), known.TextScore())
    cuts = sum((clip.cuts for clip in judged if clip.cuts), known.CutScore())
    shown, found, exact = (sum(counts.values()) for counts in (texts.shown, texts.found, texts.exact))
    starts = known.median_and_share(texts.start_errors_s, WITHIN_S)
    ends = known.median_and_share(texts.end_errors_s, WITHIN_S)
    errors = [clip.error_rate for clip in judged if clip.error_rate is not None]
    languages = [clip.language for clip in judged if clip.language]
    people = [clip.people for clip in judged if clip.people]
    return {
        "captions found (recall)": rate(found, shown),
        "overlays that are captions (precision)": rate(found, texts.reported),
        "overlays that are pieces of captions": texts.pieces,
        "read exactly, of those found": rate(exact, found),
        "start error, median s": starts[0] if starts else None,
        f"start within {WITHIN_S} s": starts[1] if starts else None,
        "end error, median s": ends[0] if ends else None,
        f"end within {WITHIN_S} s": ends[1] if ends else None,
        "word error rate, mean of the clips": rate(sum(errors), len(errors)),
        "languages right": f"{sum(a == b for a, b in languages)} of {len(languages)}",
        "words where nobody speaks": sum(clip.invented_words or 0 for clip in judged),
        "cuts, F1": cuts.f1,
        "people at once, right": f"{sum(a == b for a, b in people)} of {len(people)}",
        "presence where nobody is, at most": max((c.presence for c in judged if c.presence is not None), default=None),
    }


def print_report(judged: Sequence[Judged], *, details: bool) -> None:
    """All tables, and with ``details`` every text that was missed or invented."""
    rows = [
        [
            clip.name[:40],
            f"{sum(clip.texts.found.values())}/{sum(clip.texts.shown.values())}" if clip.texts else None,
            clip.texts.reported if clip.texts else None,
            clip.texts.pieces if clip.texts else None,
            clip.cuts.f1 if clip.cuts else None,
            clip.error_rate,
            "/".join(clip.language) if clip.language else None,
            clip.invented_words,
            "/".join(map(str, clip.people)) if clip.people else None,
            clip.presence,
        ]
        for clip in judged
    ]
    columns = [
        "clip",
        "found/shown",
        "reported",
        "pieces",
        "cuts F1",
        "WER",
        "language",
        "invented",
        "people",
        "presence",
    ]
    common.print_table("Clip by clip (truth/ours)", columns, rows)
    common.print_table(
        "Texts laid over the picture", ["script", "shown", "found", "exact", "unread"], text_rows(judged)
    )
    common.print_table("All", ["figure", "value"], [[name, value] for name, value in summary(judged).items()])
    if details:
        for clip in judged:
            if clip.texts and (clip.texts.missed or clip.texts.wrong):
                print(f"{clip.name}\n  missed: {list(clip.texts.missed)}\n  wrong: {list(clip.texts.wrong)}")


def main() -> int:
    """Analyse, judge, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="clips with NAME.truth.json beside them")
    parser.add_argument("--results", type=Path, help="folder of the results (default: a temporary one)")
    parser.add_argument("--only", help="beginnings of file names, with commas")
    parser.add_argument("--details", action="store_true", help="print every text that was missed or invented")
    parser.add_argument("--json", type=Path, help="write all figures here")
    args = parser.parse_args()
    begins = tuple(args.only.split(",")) if args.only else ("",)
    files = sorted(
        path.with_name(path.name.removesuffix(known.SUFFIX)) for path in args.folder.glob(f"*{known.SUFFIX}")
    )
    clips = [path for path in files if path.is_file() and path.name.startswith(begins)]
    if not clips:
        print(f"{args.folder}: no clip with a file NAME{known.SUFFIX} beside it", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as temporary:
        results = analyse(clips, args.results or Path(temporary))
        judged = [judge(clip, *results[clip.name]) for clip in clips if clip.name in results]
    print_report(judged, details=args.details)
    if args.json:
        args.json.write_text(json.dumps(summary(judged), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return 0 if len(judged) == len(clips) else 1


if __name__ == "__main__":
    sys.exit(main())
