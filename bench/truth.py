"""What is known of a real clip, read from the file beside it, and how a result is held against it.

Beside ``clip.mp4`` stands ``clip.mp4.truth.json``. All members are optional, and what is not there is not judged:

* ``texts``: list of ``{text, t0, t1, kind}``, times in seconds; `` / `` parts the lines of a text. ``kind`` is free
  text: one that begins with ``scene`` is writing in the scene, one that names a ``watermark`` is none of the overlays,
  ``any output acceptable``, ``each frame differs`` and ``alternating`` are not judged, all others were laid over the
  picture. A list of strings (of a still picture) is not judged here.
* ``cuts``: instants; ``uncertain_cuts`` (``{t}``) and ``soft_transitions`` (``{t0, t1}``) count neither way.
* ``people``: ``max_visible``, how many can be seen at once.
* ``audio``: ``"none"``, or ``speech`` (true, false, or words where nobody is sure), ``language`` (begins with the ISO
  code), ``transcript``; ``speech_cues``: list of ``{t0, t1, text}`` instead of a transcript.

Definitions, all computed here and nowhere else:

* A text is found when an overlay of the result has a likeness of at least 0.8 to it (``rumiai.core.text``) and is on
  screen at the same time, one for one. It is read exactly when both are equal after NFKC without blanks, line breaks
  and pictographs, case and punctuation included.
* Precision is the share of the result's overlays that are such a text. A part of a text (a line of it, its first
  words) is none; it is counted apart as a piece.
* Cuts agree within 0.1 s, one for one; F1 = 2 TP / (2 TP + FP + FN).
* Words: word error rate by jiwer after Whisper's own normalisation. Words on a clip without speech are invented.
"""

from __future__ import annotations

import json
import re
import unicodedata
import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

import jiwer
from rapidfuzz.fuzz import partial_ratio

from rumiai.core.text import SAME_TEXT, characters, likeness

SUFFIX: Final = ".truth.json"
CUT_TOLERANCE_S: Final = 0.1
_NOT_JUDGED: Final = ("any output acceptable", "each frame differs", "alternating")
# A shorter piece may stand in any text by chance.
_PIECE_CHARACTERS: Final = 3
_PIECE_RATIO: Final = 90.0

TruthKind = Literal["overlay", "scene", "watermark", "not judged"]


@dataclass(frozen=True)
class Span:
    """A text and when it is on screen, in seconds."""

    text: str
    start_s: float
    end_s: float

    def meets(self, other: Span) -> bool:
        """Whether both are on screen at the same time; an instant meets what holds it."""
        return self.start_s <= other.end_s and other.start_s <= self.end_s


@dataclass(frozen=True)
class Truth:
    """What is known of one clip; None where nothing is.

    Attributes:
        texts: By kind.
        cuts_s: Hard cuts.
        free_s: Stretches in which a cut counts neither way.
        max_people: How many can be seen at once.
        language: ISO code.
        speech: Whether somebody speaks.
        transcript: What is said.
    """

    texts: Mapping[TruthKind, tuple[Span, ...]] | None
    cuts_s: tuple[float, ...] | None
    free_s: tuple[tuple[float, float], ...]
    max_people: int | None
    language: str | None
    speech: bool | None
    transcript: str | None


def read_truth(path: Path, until_s: float) -> Truth:
    """The truth beside a clip.

    Args:
        path: The truth file.
        until_s: Length of the clip: texts and cues that begin later are not in it.
    """
    raw: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    audio = {"speech": False} if raw.get("audio") == "none" else raw.get("audio")
    audio = audio if isinstance(audio, dict) else {}
    people = raw["people"] if isinstance(raw.get("people"), dict) else {}
    cuts = raw.get("cuts")
    most = people.get("max_visible")
    speech = audio.get("speech")
    return Truth(
        texts=_texts(raw["texts"], until_s) if _has_times(raw.get("texts")) else None,
        cuts_s=tuple(float(cut) for cut in cuts) if isinstance(cuts, list) else None,
        free_s=_free(raw),
        max_people=most if isinstance(most, int) else None,
        language=_language(audio.get("language")),
        speech=speech if isinstance(speech, bool) else None,
        transcript=_transcript(raw, audio, until_s),
    )


def _has_times(texts: object) -> bool:
    return isinstance(texts, list) and all(isinstance(text, dict) for text in texts)


def _texts(raw: Sequence[Mapping[str, Any]], until_s: float) -> Mapping[TruthKind, tuple[Span, ...]]:
    found: dict[TruthKind, list[Span]] = {"overlay": [], "scene": [], "watermark": [], "not judged": []}
    for text in raw:
        if text["t0"] < until_s:
            found[_kind(text["kind"])].append(Span(text["text"], float(text["t0"]), min(float(text["t1"]), until_s)))
    return {kind: tuple(spans) for kind, spans in found.items()}


def _kind(words: str) -> TruthKind:
    if any(said in words for said in _NOT_JUDGED):
        return "not judged"
    return "scene" if words.startswith("scene") else "watermark" if "watermark" in words else "overlay"


def _free(raw: Mapping[str, Any]) -> tuple[tuple[float, float], ...]:
    unsure = [(cut["t"], cut["t"]) if isinstance(cut, dict) else (cut, cut) for cut in raw.get("uncertain_cuts", ())]
    soft = [(change["t0"], change["t1"]) for change in raw.get("soft_transitions", ())]
    return tuple((float(start), float(end)) for start, end in [*unsure, *soft])


def _language(words: object) -> str | None:
    code = re.match(r"([a-z]{2})\b(?!.*\bthen\b)", words) if isinstance(words, str) else None
    return code[1] if code else None


def _transcript(raw: Mapping[str, Any], audio: Mapping[str, Any], until_s: float) -> str | None:
    if "transcript" in audio:
        return str(audio["transcript"])
    cues = [cue["text"] for cue in raw.get("speech_cues", ()) if cue["t0"] < until_s]
    return " ".join(cues) or None


@dataclass(frozen=True)
class TextScore:
    """How the overlays of one result, or of several, stand to the truth.

    Attributes:
        shown: Overlays of the truth, by script.
        found: Those that were found, by script.
        exact: Those that were read exactly, by script.
        named_unread: Those that were not found, but an unread region says that something stands there, by script.
        reported: Overlays of the result that are judged.
        pieces: Those that are part of a text only.
        start_errors_s: Of the texts found: start in the result less start in truth.
        end_errors_s: Likewise.
        missed: Texts that were not found.
        wrong: Overlays that are none.
    """

    shown: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    exact: Counter[str] = field(default_factory=Counter)
    named_unread: Counter[str] = field(default_factory=Counter)
    reported: int = 0
    pieces: int = 0
    start_errors_s: tuple[float, ...] = ()
    end_errors_s: tuple[float, ...] = ()
    missed: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()

    def __add__(self, other: TextScore) -> TextScore:
        return TextScore(**{name: getattr(self, name) + getattr(other, name) for name in self.__dataclass_fields__})


def score_texts(truth: Truth, overlays: Sequence[Span], unread: Sequence[tuple[float, float]] = ()) -> TextScore:
    """Hold the overlays of a result against the truth.

    Args:
        truth: With texts; without them nothing is judged.
        overlays: Texts that the result says were laid over the picture; watermarks left out.
        unread: Start and end of every region that the result says is writing that it could not read.
    """
    if truth.texts is None:
        return TextScore()
    shown = truth.texts["overlay"]
    pairs = _pairs(shown, overlays)
    taken = {j for _, j in pairs}
    other = [span for j, span in enumerate(overlays) if j not in taken and not _is_free(span, truth)]
    found = {i for i, _ in pairs}
    missed = [text for i, text in enumerate(shown) if i not in found]
    return TextScore(
        shown=Counter(script_of(text.text) for text in shown),
        found=Counter(script_of(shown[i].text) for i in found),
        exact=Counter(script_of(shown[i].text) for i, j in pairs if _plain(shown[i].text) == _plain(overlays[j].text)),
        named_unread=Counter(script_of(text.text) for text in missed if _covered(text, unread)),
        reported=len(pairs) + len(other),
        pieces=sum(any(_is_piece(span, text) for text in shown) for span in other),
        start_errors_s=tuple(overlays[j].start_s - shown[i].start_s for i, j in pairs),
        end_errors_s=tuple(overlays[j].end_s - shown[i].end_s for i, j in pairs),
        missed=tuple(text.text for text in missed),
        wrong=tuple(span.text for span in other),
    )


def _pairs(shown: Sequence[Span], overlays: Sequence[Span]) -> list[tuple[int, int]]:
    """Indices of a text and the overlay that it is, one for one: the likest first, then the nearest in time."""
    near = []
    for i, text in enumerate(shown):
        for j, span in enumerate(overlays):
            alike = likeness(text.text, span.text)
            if alike >= SAME_TEXT and text.meets(span):
                near.append((-alike, abs(span.start_s - text.start_s) + abs(span.end_s - text.end_s), i, j))
    taken: tuple[set[int], set[int]] = set(), set()
    pairs = []
    for _, _, i, j in sorted(near):
        if i not in taken[0] and j not in taken[1]:
            taken[0].add(i)
            taken[1].add(j)
            pairs.append((i, j))
    return pairs


def _is_free(span: Span, truth: Truth) -> bool:
    """Whether an overlay is a text that is judged neither way, or a part of one."""
    assert truth.texts is not None
    free = [*truth.texts["not judged"], *truth.texts["watermark"]]
    return any(likeness(span.text, text.text) >= SAME_TEXT or _is_piece(span, text) for text in free)


def _is_piece(span: Span, text: Span) -> bool:
    part, whole = characters(span.text), characters(text.text)
    long_enough = _PIECE_CHARACTERS <= len(part) <= len(whole)
    return long_enough and span.meets(text) and partial_ratio(part, whole) >= _PIECE_RATIO


def _covered(text: Span, unread: Sequence[tuple[float, float]]) -> bool:
    """Whether unread regions are there for at least half of a text's time."""
    covered = max((min(end, text.end_s) - max(start, text.start_s) for start, end in unread), default=0.0)
    return covered >= (text.end_s - text.start_s) / 2


def _plain(text: str) -> str:
    """What has to be equal: NFKC without blanks, the mark between lines, and pictographs with their joiners."""
    folded = unicodedata.normalize("NFKC", text.replace(" / ", ""))
    return "".join(c for c in folded if not c.isspace() and unicodedata.category(c) not in ("So", "Sk", "Cf", "Mn"))


def script_of(text: str) -> str:
    """The script of most letters, by the first word of their Unicode names: ``latin``, ``hangul``, ``cjk`` ..."""
    names = Counter(unicodedata.name(c, "other").split()[0].lower() for c in text if unicodedata.category(c)[0] == "L")
    return names.most_common(1)[0][0] if names else "none"


@dataclass(frozen=True)
class CutScore:
    """Cuts that agree, that were invented, that were missed."""

    right: int = 0
    invented: tuple[float, ...] = ()
    missed: tuple[float, ...] = ()

    def __add__(self, other: CutScore) -> CutScore:
        return CutScore(self.right + other.right, self.invented + other.invented, self.missed + other.missed)

    @property
    def f1(self) -> float | None:
        """None when there is no cut on either side."""
        total = 2 * self.right + len(self.invented) + len(self.missed)
        return 2 * self.right / total if total else None


def score_cuts(truth: Truth, cuts_s: Sequence[float]) -> CutScore:
    """Hold the cuts of a result against the truth; nothing is judged where it names none."""
    if truth.cuts_s is None:
        return CutScore()
    left = list(cuts_s)
    missed = []
    for cut in truth.cuts_s:
        near = min(left, key=lambda found: abs(found - cut), default=None)
        if near is None or abs(near - cut) > CUT_TOLERANCE_S:
            missed.append(cut)
        else:
            left.remove(near)
    slack = CUT_TOLERANCE_S
    free = truth.free_s
    invented = [found for found in left if not any(start - slack <= found <= end + slack for start, end in free)]
    return CutScore(len(truth.cuts_s) - len(missed), tuple(invented), tuple(missed))


def word_error_rate(said: str, heard: str, language: str | None) -> float:
    """Word errors over words said, by jiwer, both in Whisper's normal form (its English one for English)."""
    from whisper import normalizers  # brings torch with it, which takes seconds

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # it leaves a file to the garbage collector
        normal = normalizers.EnglishTextNormalizer() if language == "en" else normalizers.BasicTextNormalizer()
    return float(jiwer.wer(normal(said), normal(heard)))


def median_and_share(errors_s: Sequence[float], within_s: float) -> tuple[float, float] | None:
    """Median of the absolute errors and the share that is at most ``within_s``; None without errors."""
    if not errors_s:
        return None
    sizes = sorted(abs(error) for error in errors_s)
    # Rounding of times in JSON must not decide.
    return sizes[len(sizes) // 2], sum(size <= within_s + 1e-3 for size in sizes) / len(sizes)
