"""Word lists and vocabularies that several rooms share, and how they are matched.

Matching is case-insensitive on word boundaries: "know" does not contain "now", "goodbye" does not contain "good". An
emoji or punctuation is a boundary. An apostrophe may be straight, curly or absent ("dont miss"), a hyphen may be a
space.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Final, Literal, get_args

Lexicon = Mapping[str, tuple[str, ...]]
Urgency = Literal["high", "medium", "low", "none"]
Emotion = Literal["joy", "sadness", "anger", "fear", "surprise", "disgust", "neutral"]

CTA_PHRASES: Final[Lexicon] = MappingProxyType(
    {
        "follow": ("follow me", "follow for", "hit follow", "follow now", "make sure to follow"),
        "like": ("drop a like", "hit like", "double tap", "like this video", "like if", "smash like", "like and"),
        "comment": ("comment below", "let me know", "drop a comment", "tell me in", "comments"),
        "share": ("share this", "tag someone", "send this to", "tag a friend"),
        "save": ("save this", "bookmark this", "save for later"),
        "visit": ("link in bio", "check out", "visit", "click the link", "tap the link", "go to", "swipe up"),
        "buy": ("buy", "shop", "order now", "get yours", "purchase", "use code", "discount code"),
        "subscribe": ("subscribe", "turn on notifications", "join"),
        "download": ("download", "install"),
    }
)

URGENCY_PHRASES: Final[Lexicon] = MappingProxyType(
    {
        "high": ("now", "today", "last chance", "ends soon", "limited time", "hurry", "act now", "today only"),
        "medium": ("limited", "don't miss", "quick", "fast", "soon"),
        "low": ("soon", "coming"),  # "soon" is medium already: the stronger level wins
    }
)

HOOK_PHRASES: Final[Lexicon] = MappingProxyType(
    {
        "question": ("did you know", "guess what", "have you ever", "wait for it", "watch this", "what if"),
        "promise": (
            "you won't believe", "you need to see", "this will change", "here's how", "this is how", "the secret to",
            "how to", "story time", "watch till",
        ),
        "hyperbole": ("amazing", "incredible", "mind-blowing", "shocking", "unbelievable"),
        "greeting": ("hey", "hi", "hello", "what's up"),
        "value_prop": ("secret", "trick", "hack", "tip"),
        "pov": ("pov:",),
        "interrupt": (
            "stop scrolling", "don't scroll", "before you scroll", "don't skip this", "stop what you're doing",
        ),
    }
)  # fmt: skip

GESTURES: Final[tuple[str, ...]] = (
    "thumbs_up", "thumbs_down", "victory", "pointing", "open_palm", "closed_fist", "love", "wave", "heart", "clap",
)  # fmt: skip

# Names that detectors and older files use; what maps to None is no gesture.
GESTURE_SYNONYMS: Final[Mapping[str, str | None]] = MappingProxyType(
    {
        "thumb_up": "thumbs_up", "approval": "thumbs_up", "thumb_down": "thumbs_down", "peace": "victory",
        "peace_sign": "victory", "pointing_up": "pointing", "point": "pointing", "open_hand": "open_palm",
        "palm": "open_palm", "fist": "closed_fist", "iloveyou": "love", "i_love_you": "love", "waving": "wave",
        "clapping": "clap", "none": None, "unknown": None, "": None,
    }
)  # fmt: skip

EMOTIONS: Final[tuple[Emotion, ...]] = get_args(Emotion)

EMOTION_SYNONYMS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "happy": "joy", "happiness": "joy", "excited": "joy", "sad": "sadness", "angry": "anger",
        "surprised": "surprise", "calm": "neutral", "fearful": "fear", "scared": "fear", "disgusted": "disgust",
    }
)  # fmt: skip

# valence = sum of score x weight.
VALENCE_WEIGHTS: Final[Mapping[str, float]] = MappingProxyType(
    {"joy": 1.0, "surprise": 0.3, "neutral": 0.0, "sadness": -0.6, "anger": -0.8, "fear": -0.7, "disgust": -0.7}
)

# A call to action is an imperative. These words right before its verb make it a statement ("I like this video",
# "looks like if", "the shop", "don't buy"); "to" does as well unless the listener is asked ("don't forget to ...").
_NOT_IMPERATIVE_AFTER: Final[frozenset[str]] = frozenset(
    {
        "i", "you", "we", "they", "he", "she", "it", "who", "people", "that", "which", "this", "these", "those",
        "the", "a", "an", "my", "your", "his", "her", "our", "their", "some", "any", "no", "i'd", "we'd", "they'd",
        "i've", "i'm", "i'll", "would", "could", "did", "do", "does", "don't", "dont", "didn't", "doesn't", "never",
        "not", "can't", "cannot", "won't", "look", "looks", "looked", "looking", "feel", "feels", "felt", "sound",
        "sounds", "seem", "seems", "seemed", "is", "was", "are", "were", "be", "been", "being", "'s", "just",
        "really", "kind", "things", "stuff", "something", "anything", "nothing", "of", "from", "coffee", "gift",
        "pet", "body", "work",
    }
)  # fmt: skip
_ASKING_BEFORE_TO: Final[frozenset[str]] = frozenset({"sure", "forget", "remember", "free", "please", "invited"})
_IMPERATIVE_VERBS: Final[frozenset[str]] = frozenset(
    {
        "follow", "hit", "like", "double", "smash", "drop", "comment", "share", "tag", "send", "save", "bookmark",
        "check", "visit", "click", "tap", "go", "swipe", "buy", "shop", "order", "get", "purchase", "use",
        "subscribe", "turn", "join", "download", "install",
    }
)  # fmt: skip
_CLAUSE_END = re.compile(r"[.!?;:,\n…]")
_TOKEN = re.compile(r"[^\W_]+(?:['\u2019\u02bc][^\W_]+)*")
_LETTER_AFTER: Final = r"(?![\w\u0300-\u036f])"  # a combining accent continues the letter before it


@dataclass(frozen=True, order=True)
class PhraseMatch:
    """A phrase found: characters ``[start, end)`` of the text, the list's spelling, and the list's key."""

    start: int
    end: int
    kind: str
    phrase: str


def _pattern_of(phrase: str) -> str:
    body = "".join(_character(char) for char in phrase)
    before = r"(?<!\w)" if phrase[0].isalnum() else ""
    return f"{before}({body}){_LETTER_AFTER if phrase[-1].isalnum() else ''}"


def _character(char: str) -> str:
    if char == " ":
        return r"\s+"
    if char == "'":
        return r"['\u2019\u02bc]?"
    if char == "-":
        return r"[-\u2010\u2011\s]?"
    return r"\s*:" if char == ":" else re.escape(char)


@lru_cache(maxsize=256)
def _compiled(phrases: tuple[str, ...]) -> tuple[re.Pattern[str], tuple[str, ...]]:
    # Longest first, so that "today only" is not read as "today".
    ordered = tuple(sorted(dict.fromkeys(phrases), key=lambda phrase: (-len(phrase), phrase)))
    return re.compile("|".join(map(_pattern_of, ordered)), re.IGNORECASE), ordered


def find_phrases(text: str, phrases: Iterable[str], kind: str = "") -> tuple[PhraseMatch, ...]:
    """Every place where one of ``phrases`` stands in ``text``, in order, the longer of two that overlap.

    Empty text or an empty list gives ().
    """
    listed = tuple(phrase.strip() for phrase in phrases if phrase.strip())
    if not text or not listed:
        return ()
    pattern, ordered = _compiled(listed)
    return tuple(
        PhraseMatch(match.start(), match.end(), kind, ordered[(match.lastindex or 1) - 1])
        for match in pattern.finditer(text)
    )


def contains_phrase(text: str, phrases: Iterable[str]) -> bool:
    """Whether any of ``phrases`` stands in ``text``."""
    return bool(find_phrases(text, phrases))


def find_in(text: str, lexicon: Lexicon) -> tuple[PhraseMatch, ...]:
    """All phrases of a lexicon in ``text``, by position; matches of different keys may overlap."""
    found = [match for kind, phrases in lexicon.items() for match in find_phrases(text, phrases, kind)]
    return tuple(sorted(found))


def _beginnings(lexicon: Lexicon) -> re.Pattern[str]:
    """Matches wherever a phrase of the lexicon could begin: most texts hold none, which one search tells."""
    begins = {re.split(r"[^a-z]", phrase)[0] for phrases in lexicon.values() for phrase in phrases}
    return re.compile(rf"(?<!\w)(?:{'|'.join(sorted(begins))})", re.IGNORECASE)


_CTA_BEGINNINGS: Final = _beginnings(CTA_PHRASES)
_HOOK_BEGINNINGS: Final = _beginnings(HOOK_PHRASES)
_URGENCY_BEGINNINGS: Final = _beginnings(URGENCY_PHRASES)


def find_ctas(text: str) -> tuple[PhraseMatch, ...]:
    """Calls to action in ``text``, by position: phrases of ``CTA_PHRASES`` used as imperatives."""
    if not _CTA_BEGINNINGS.search(text):
        return ()
    return tuple(match for match in find_in(text, CTA_PHRASES) if _is_imperative(text, match))


def _is_imperative(text: str, match: PhraseMatch) -> bool:
    if match.phrase.split()[0] not in _IMPERATIVE_VERBS:
        return True
    clause = _CLAUSE_END.split(text[: match.start])[-1]
    before = [token.lower().replace("\u2019", "'").replace("\u02bc", "'") for token in _TOKEN.findall(clause)[-2:]]
    if not before:
        return True
    if before[-1] == "to":
        return len(before) > 1 and before[0] in _ASKING_BEFORE_TO
    return before[-1] not in _NOT_IMPERATIVE_AFTER


def find_hooks(text: str) -> tuple[PhraseMatch, ...]:
    """Hook phrases in ``text``, by position; a greeting counts only as the very first words."""
    if not _HOOK_BEGINNINGS.search(text):
        return ()
    start = _TOKEN.search(text)
    first = start.start() if start else 0
    return tuple(m for m in find_in(text, HOOK_PHRASES) if m.kind != "greeting" or m.start == first)


def urgency_level(text: str) -> Urgency:
    """The strongest urgency that ``text`` expresses."""
    if not _URGENCY_BEGINNINGS.search(text):
        return "none"
    if contains_phrase(text, URGENCY_PHRASES["high"]):
        return "high"
    if contains_phrase(text, URGENCY_PHRASES["medium"]):
        return "medium"
    return "low" if contains_phrase(text, URGENCY_PHRASES["low"]) else "none"


def canonical_gesture(name: str) -> str | None:
    """The shared vocabulary's name for a gesture; None when it is none (``unknown`` too) or not in it."""
    key = name.strip().lower().replace("-", "_").replace(" ", "_")
    if key in GESTURE_SYNONYMS:
        return GESTURE_SYNONYMS[key]
    return key if key in GESTURES else None


def canonical_emotion(name: str) -> Emotion | None:
    """The shared vocabulary's name for an emotion; None when it is not in the vocabulary."""
    key = name.strip().lower()
    key = EMOTION_SYNONYMS.get(key, key)
    return next((emotion for emotion in EMOTIONS if emotion == key), None)
