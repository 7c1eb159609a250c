"""What is said: hooks, calls to action, repetition, fillers, questions, manner (docs: analyses, 5.2 and 5.3)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np

from rumiai.contracts import lexicons
from rumiai.contracts.lexicons import PhraseMatch
from rumiai.metrics.shared.phrases import SpokenPhrase, find_ctas, find_hooks, spoken_phrases, urgency_level
from rumiai.metrics.shared.statistics import mean, ratio
from rumiai.metrics.shared.words import STOP_WORDS, sentiment, tokens
from rumiai.metrics.speech_analysis.pacing import bare
from rumiai.metrics.speech_analysis.words import Spoken


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_OPENING_S: Final = 5.0
_LATER_WEIGHT: Final = 0.7  # confidence of a hook that does not open the video
_CONTEXT_WORDS: Final = 5
_CLOSING_SHARE: Final = 0.3
_CLUSTER_S: Final = 5.0
_EMPHASISED: Final = 3
_LISTED: Final = 5  # repeated phrases that are named
_LONG_WORD: Final = 7  # letters; longer than six, as in LIX
_CATEGORIES: Final = {
    "follow": "engagement", "like": "engagement", "comment": "engagement", "subscribe": "engagement", "share": "viral",
    "save": "save", "visit": "traffic", "buy": "conversion", "download": "conversion",
}  # fmt: skip
_ADDRESS: Final = frozenset({"you", "your", "you're", "you'll", "you've"})
_INCLUSIVE: Final = frozenset({"we", "us", "our", "let's"})
_QUESTION_WORDS: Final = _set("what who why how when where which whose did does do is are can could would should will")
_FILLERS: Final = frozenset({"um", "uh", "umm", "uhh", "basically", "literally", "actually"})
# "you know" is none in "did you know"; it is one in "it's, you know, big".
_ASKING_BEFORE_KNOW: Final = frozenset({"did", "do", "if", "let", "before", "when", "as", "what", "don't", "how"})
# After these "like" may be a filler; before those it compares ("like this", "like a").
_BEFORE_FILLER: Final = _set("and but so was were um uh just i'm he's she's they're")
_COMPARED: Final = _set("a an the this that these those me my you your him her it us them")
_STEPS: Final = {
    "sequence": ("first", "firstly", "second", "secondly", "third", "thirdly", "next", "after that", "finally",
                 "lastly", "step one", "step two", "step three", "number one", "number two", "number three"),
    "contrast": ("however", "on the other hand", "instead", "nevertheless"),
    "cause": ("therefore", "that's why", "as a result"),
    "example": ("for example", "for instance"),
    "conclusion": ("in conclusion", "in the end", "to sum up", "overall"),
}  # fmt: skip
_ANY_STEP = re.compile("|".join(sorted({phrase[:5] for kind in _STEPS.values() for phrase in kind})), re.IGNORECASE)
_NO_STEP_AFTER: Final = _set("a an the my your this that of in per one every at love")
_IMPERATIVES: Final = _set(
    """add bake boil bring buy call check choose click close combine cook cover cut drag fill find flip fold follow
    get give go grab have heat hold keep leave let make mix move open peel pick place pour press pull push put remove
    repeat roll save select set start stir stop take tap tie try turn type use wait wash watch wear whisk
    write"""
)
_TOLD = re.compile(
    r"\bi (?:was|went|had|did|said|saw|got|came|thought|told|made|found|felt|knew|took|bought|met|ran|left|\w{2,}ed)\b"
)
_SENTENCE: Final = re.compile(r"[^.!?\u2026\u3002\uff01\uff1f]+[.!?\u2026\u3002\uff01\uff1f]*")
_MARKS: Final = ".,;:!?"
_STOP: Final = frozenset(".!?\u2026\u3002\uff01\uff1f")


def find_steps(text: str) -> tuple[PhraseMatch, ...]:
    """Phrases that lead from one thought to the next."""
    # Most segments hold none, and are told so in one search.
    found = lexicons.find_in(text, _STEPS) if _ANY_STEP.search(text) else ()
    kept = []
    for match in found:
        before = tokens(text[: match.start].rsplit("\n", 1)[-1])[-1:]
        if match.phrase not in ("first", "second", "third", "next") or not set(before) & _NO_STEP_AFTER:
            kept.append(match)
    return tuple(kept)


@dataclass(frozen=True)
class Repeated:
    """Two or three words in a row that are said more than once: as first spoken, and when."""

    text: str
    times_s: tuple[float, ...]


@dataclass(frozen=True)
class Phrases:
    """The wording of one transcript."""

    spoken: Spoken

    @cached_property
    def hooks(self) -> tuple[SpokenPhrase, ...]:
        """Hook phrases by time."""
        return spoken_phrases(self.spoken.speech, find_hooks)

    @cached_property
    def ctas(self) -> tuple[SpokenPhrase, ...]:
        """Calls to action by time."""
        return spoken_phrases(self.spoken.speech, find_ctas)

    @cached_property
    def steps(self) -> tuple[SpokenPhrase, ...]:
        """Phrases that lead on, by time."""
        return spoken_phrases(self.spoken.speech, find_steps)

    def at(self, phrase: SpokenPhrase) -> float:
        """When a phrase begins, within the video."""
        return min(max(0.0, phrase.start_s), self.spoken.duration_s)

    def hook_items(self) -> list[dict[str, Any]]:
        """Hooks with their times; one that opens the video is surer."""
        return [
            {
                "text": hook.text,
                "timestamp": self.at(hook),
                "type": hook.kind,
                "confidence": 1.0 if hook.start_s < _OPENING_S else _LATER_WEIGHT,
            }
            for hook in self.hooks
        ]

    @property
    def opening_strength(self) -> float:
        """Hooks in the first 5 s / 2, at most 1."""
        return min(1.0, sum(hook.start_s < _OPENING_S for hook in self.hooks) / 2)

    @cached_property
    def cta_items(self) -> list[dict[str, Any]]:
        """Calls to action with their urgency, read from five words on either side and from their place."""
        words = self.spoken.speech.words
        starts = np.array([word.start_s for word in words])
        items = []
        for cta in self.ctas:
            first = int(np.searchsorted(starts, cta.start_s - 1e-9))
            stop = int(np.searchsorted(starts, cta.end_s - 1e-9))
            context = words[max(0, first - _CONTEXT_WORDS) : stop + _CONTEXT_WORDS]
            urgency = urgency_level(" ".join(word.text for word in context))
            late = cta.start_s >= (1 - _CLOSING_SHARE) * self.spoken.duration_s
            if urgency in ("none", "low"):
                urgency = "medium" if late else "low"
            category = _CATEGORIES[cta.kind]
            items.append({"text": cta.text, "timestamp": self.at(cta), "urgency": urgency, "category": category})
        return items

    def cta_clusters(self) -> list[dict[str, Any]]:
        """Two or more calls to action less than 5 s apart."""
        groups: list[list[float]] = []
        for time_s in map(self.at, self.ctas):
            if groups and time_s - groups[-1][-1] < _CLUSTER_S:
                groups[-1].append(time_s)
            else:
                groups.append([time_s])
        return [{"start": g[0], "end": g[-1], "count": len(g)} for g in groups if len(g) > 1]

    def density(self, found: Sequence[SpokenPhrase]) -> dict[str, int]:
        """How many begin in each ten seconds."""
        counts: dict[str, int] = {}
        for phrase in found:
            ten = int(self.at(phrase) // 10) * 10
            counts[f"{ten}-{ten + 10}s"] = counts.get(f"{ten}-{ten + 10}s", 0) + 1
        return counts

    @cached_property
    def _timed_tokens(self) -> list[tuple[str, str, float]]:
        """Every token with the word as spoken and its start."""
        return [(token, bare(word), word.start_s) for word in self.spoken.speech.words for token in tokens(word.text)]

    @cached_property
    def _repetition(self) -> tuple[list[Repeated], int]:
        """Repeated phrases, the most frequent first, and the tokens that only repeat."""
        timed = self._timed_tokens
        said = [token for token, _, _ in timed]
        places: dict[tuple[str, ...], list[int]] = {}
        for size in (3, 2):
            for i in range(len(said) - size + 1):
                gram = tuple(said[i : i + size])
                if gram[0] not in STOP_WORDS and gram[-1] not in STOP_WORDS:
                    places.setdefault(gram, []).append(i)
        repeats = np.zeros(len(said), dtype=np.bool_)
        found = []
        for gram, starts in places.items():
            apart = [starts[0]]
            for start in starts[1:]:
                if start - apart[-1] >= len(gram):
                    apart.append(start)
            if len(apart) < 2:
                continue
            for start in apart[1:]:
                repeats[start : start + len(gram)] = True
            spelled = " ".join(word for _, word, _ in timed[apart[0] : apart[0] + len(gram)])
            found.append((len(apart), len(gram), apart, spelled))
        found.sort(key=lambda item: (-item[0], -item[1], item[2][0]))
        phrases = [Repeated(text, tuple(timed[i][2] for i in starts)) for _, _, starts, text in found]
        return phrases, int(repeats.sum())

    @property
    def repeated(self) -> list[Repeated]:
        """Repeated phrases without stop words at their ends, the most frequent first."""
        return self._repetition[0]

    @property
    def repetition_rate(self) -> float | None:
        """Tokens that repeat a phrase / tokens; None without words."""
        return ratio(self._repetition[1], len(self._timed_tokens))

    def repetition_patterns(self) -> dict[str, Any]:
        """The most repeated phrases with their times; words said three times, or on screen in capitals."""
        counts: dict[str, int] = {}
        for token, _, _ in self._timed_tokens:
            if token not in STOP_WORDS and len(token) > 1:
                counts[token] = counts.get(token, 0) + 1
        shouted = {
            token
            for text in self.spoken.evidence.texts or ()
            for word in text.text.split()
            if word.isupper() and len(word) > 1
            for token in tokens(word)
        }
        stressed = [word for word, count in counts.items() if count >= _EMPHASISED or word in shouted]
        return {
            "phrases": [
                {"text": r.text, "count": len(r.times_s), "timestamps": list(r.times_s)}
                for r in self.repeated[:_LISTED]
            ],
            "emphasis_words": sorted(stressed, key=lambda word: (-counts[word], word)),
        }

    @cached_property
    def fillers(self) -> int:
        """Filler words and phrases; "like" only where it neither likes nor compares."""
        said = self.spoken.tokens
        plain = sum(token in _FILLERS for token in said)
        around = list(zip(["", *said], said, [*said[1:], ""], strict=False))
        known = sum(
            word == "you" and after == "know" and before not in _ASKING_BEFORE_KNOW for before, word, after in around
        )
        return plain + known + self._filling_likes

    @property
    def _filling_likes(self) -> int:
        """Each "like" between commas, or after a word that leaves a sentence open and before none that it compares."""
        raw = self.spoken.text.lower().split()
        count = 0
        for before, word, after in zip(["", *raw], raw, [*raw[1:], ""], strict=False):
            if word.strip(_MARKS) == "like":
                between = word.endswith(",") and (not before or before[-1] in _MARKS)
                open_end = before in _BEFORE_FILLER and after.strip(_MARKS) not in _COMPARED
                count += between or open_end
        return count

    @cached_property
    def direct_address(self) -> int:
        """Words that address the listener."""
        return sum(token in _ADDRESS for token in self.spoken.tokens)

    @cached_property
    def inclusive_ratio(self) -> float | None:
        """we, us, our, let's / words; None without words."""
        return ratio(sum(token in _INCLUSIVE for token in self.spoken.tokens), self.spoken.total_words)

    @cached_property
    def sentences(self) -> list[str]:
        """Sentences with their end marks; segments in a transcript without any."""
        if not _STOP & set(self.spoken.text):
            return [segment.text for segment in self.spoken.segments if tokens(segment.text)]
        return [part.strip() for part in _SENTENCE.findall(self.spoken.text) if tokens(part)]

    @cached_property
    def questions(self) -> int:
        """Sentences that end in a question mark or, without any mark, begin with a question word."""
        count = 0
        for sentence in self.sentences:
            first = tokens(sentence)[:2]
            bare_question = sentence[-1] not in _STOP and first[0] in _QUESTION_WORDS and first != ["how", "to"]
            count += sentence.endswith(("?", "\uff1f")) or bare_question
        return count

    @property
    def complexity(self) -> str | None:
        """By mean sentence length and share of words over six letters; None with too little speech."""
        if not self.spoken.present:
            return None
        length = mean([len(tokens(sentence)) for sentence in self.sentences]) or 0.0
        long_share = mean([len(token) >= _LONG_WORD for token in self.spoken.tokens]) or 0.0
        if length > 16 or long_share > 0.25:
            return "complex"
        return "simple" if length < 9 and long_share < 0.12 else "moderate"

    def key_phrases(self) -> list[dict[str, Any]]:
        """Hooks, calls to action and repeated phrases, by time."""
        found = [(self.at(p), p.text, f"hook: {p.kind}") for p in self.hooks]
        found += [(self.at(p), p.text, f"call to action: {p.kind}") for p in self.ctas]
        end_s = self.spoken.duration_s
        found += [
            (min(r.times_s[0], end_s), r.text, f"said {len(r.times_s)} times")
            for r in self.repeated[:_LISTED]
            if r.text in self.spoken.text
        ]
        return [{"timestamp": at, "phrase": text, "significance": why} for at, text, why in sorted(set(found))]

    def transition_phrases(self) -> list[dict[str, Any]]:
        """Phrases that lead on, by time."""
        return [{"timestamp": self.at(p), "phrase": p.text, "function": p.kind} for p in self.steps]

    @property
    def listing(self) -> bool:
        """Whether things are counted up."""
        return sum(step.kind == "sequence" for step in self.steps) >= 2

    @cached_property
    def instructs(self) -> bool:
        """Whether steps are numbered, or several sentences are imperatives."""
        imperatives = sum(tokens(sentence)[0] in _IMPERATIVES for sentence in self.sentences)
        return self.listing or imperatives >= 3

    @cached_property
    def narrates(self) -> bool:
        """Whether somebody tells what they did."""
        return len(_TOLD.findall(" ".join(self.spoken.tokens))) >= 2

    @cached_property
    def delivery(self) -> str:
        """Manner of speaking, the first rule that fits."""
        if not self.spoken.present:
            return "none"
        if sum(cta.kind in ("buy", "visit") for cta in self.ctas) >= 2:
            return "promotional"
        if self.instructs:
            return "instructional"
        return "narrative" if self.narrates else "conversational"

    def techniques(self) -> list[str]:
        """Techniques with evidence."""
        found = {
            "direct_address": self.direct_address >= 2,
            "rhetorical_questions": self.questions > 0,
            "repetition": bool(self.repeated),
            "listing": self.listing,
            "hooks": bool(self.hooks),
            "call_to_action": bool(self.ctas),
        }
        return [name for name, there in found.items() if there]

    @property
    def tone(self) -> str:
        """Tone by words and pace; what they do not tell is informative."""
        if not self.spoken.present:
            return "informative"
        if any(item["urgency"] == "high" for item in self.cta_items):
            return "urgent"
        exclaims = mean([sentence.endswith(("!", "\uff01")) for sentence in self.sentences]) or 0.0
        if exclaims >= 0.3 or (sentiment(self.spoken.text).category == "positive" and self._wpm > 160):
            return "enthusiastic"
        return "calm" if self._wpm < 120 else "informative"

    @property
    def _wpm(self) -> float:
        return self.spoken.words_per_minute

    @property
    def strategy(self) -> str:
        """How it holds attention."""
        if self.delivery == "narrative":
            return "storytelling"
        return "demonstration" if self.delivery == "instructional" else "explanation"
