"""The wording of speech: variety, fillers, forms of address, questions, complexity.

Source: docs/analyses.md, speechCoreMetrics and speechPatterns. Conventions: ``tokens`` are words in order, lower case,
without the punctuation around them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, Literal

from rumiai.metrics.shared.statistics import mean, ratio
from rumiai.metrics.shared.words import listed
from rumiai.metrics.shared.words import tokens as tokens_of

_MATTR_WINDOW: Final = 50
_LONG_WORD: Final = 7  # letters; longer than six, as in LIX
_SHORT_SENTENCE, _LONG_SENTENCE = 9, 16  # words
_FEW_LONG, _MANY_LONG = 0.12, 0.25  # share of long words
# They address the listener: ``directAddressCount`` of docs/analyses.md, speechCoreMetrics.
ADDRESS_WORDS: Final = frozenset({"you", "your", "you're", "you'll", "you've"})
# They name speaker and listener as one.
INCLUSIVE_WORDS: Final = frozenset({"we", "us", "our", "let's"})
_QUESTION_WORDS: Final = listed(
    "what who why how when where which whose did does do is are can could would should will"
)
_FILLERS: Final = frozenset({"um", "uh", "umm", "uhh", "basically", "literally", "actually"})
# "you know" is none in "did you know"; it is one in "it's, you know, big".
_ASKING_BEFORE_KNOW: Final = frozenset({"did", "do", "if", "let", "before", "when", "as", "what", "don't", "how"})
# After these "like" may be a filler; before those it compares ("like this", "like a").
_BEFORE_FILLER: Final = listed("and but so was were um uh just i'm he's she's they're")
_COMPARED: Final = listed("a an the this that these those me my you your him her it us them")
_SENTENCE: Final = re.compile(r"[^.!?\u2026\u3002\uff01\uff1f]+[.!?\u2026\u3002\uff01\uff1f]*")
_MARKS: Final = ".,;:!?"
_STOP: Final = frozenset(".!?\u2026\u3002\uff01\uff1f")

Complexity = Literal["simple", "moderate", "complex"]


def type_token_ratio(words: Sequence[str]) -> float | None:
    """Distinct words / words.

    Source: docs/analyses.md, speechCoreMetrics, ``vocabularyDiversity``.

    Args:
        words: Words in a form in which they can be compared.

    Returns:
        In (0, 1]; None without words. It falls with the length of the text.
    """
    return ratio(len(set(words)), len(words))


def moving_average_type_token_ratio(words: Sequence[str], window: int = _MATTR_WINDOW) -> float | None:
    """MATTR: mean of the type-token ratios of all stretches of ``window`` words, which does not fall with the length.

    Source: Covington and McFall (2010), Cutting the Gordian Knot: the moving-average type-token ratio.

    Args:
        words: Words in a form in which they can be compared.
        window: Words of a stretch.

    Returns:
        In (0, 1]; the ratio of all words where there are fewer than ``window``; None without words.
    """
    size = min(window, len(words))
    if not size:
        return None
    counts: dict[str, int] = {}
    total = 0
    for index, word in enumerate(words):
        counts[word] = counts.get(word, 0) + 1
        if index >= size:
            gone = words[index - size]
            counts[gone] -= 1
            if not counts[gone]:
                del counts[gone]
        if index >= size - 1:
            total += len(counts)
    return total / (size * (len(words) - size + 1))


def filler_count(tokens: Sequence[str], text: str) -> int:
    """Filler words and phrases: um, uh, basically, literally, actually, "you know", and "like" where it fills.

    "like" counts only where it neither likes nor compares (:func:`filling_likes`).
    Source: docs/analyses.md, speechCoreMetrics, ``fillerWordRatio``.

    Args:
        tokens: Tokens of the transcript.
        text: The same with its punctuation.

    Returns:
        Number of fillers; "you know" is one. 0 for no text.
    """
    plain = sum(token in _FILLERS for token in tokens)
    around = zip(["", *tokens], tokens, [*tokens[1:], ""], strict=False)
    known = sum(
        word == "you" and after == "know" and before not in _ASKING_BEFORE_KNOW for before, word, after in around
    )
    return plain + known + filling_likes(text)


def filling_likes(text: str) -> int:
    """Each "like" between commas, or after a word that leaves a sentence open and before none that it compares.

    Args:
        text: Text with its punctuation.

    Returns:
        Their number; 0 for no text.
    """
    raw = text.lower().split()
    count = 0
    for before, word, after in zip(["", *raw], raw, [*raw[1:], ""], strict=False):
        if word.strip(_MARKS) == "like":
            between = word.endswith(",") and (not before or before[-1] in _MARKS)
            open_end = before in _BEFORE_FILLER and after.strip(_MARKS) not in _COMPARED
            count += between or open_end
    return count


def split_sentences(text: str, segment_texts: Sequence[str]) -> list[str]:
    """Sentences with their end marks.

    Args:
        text: The transcript.
        segment_texts: Texts of its segments, which are taken for sentences where the transcript has no end mark.

    Returns:
        Sentences with at least one word, in order; empty for no text.
    """
    if not _STOP & set(text):
        return [segment for segment in segment_texts if tokens_of(segment)]
    return [part.strip() for part in _SENTENCE.findall(text) if tokens_of(part)]


def question_count(sentences: Sequence[str]) -> int:
    """Sentences that end in a question mark or, without any end mark, begin with a question word.

    Source: docs/analyses.md, speechCoreMetrics, ``questionCount``.

    Args:
        sentences: Sentences with at least one word each.

    Returns:
        Their number; "how to ..." asks nothing.
    """
    return sum(_asks(sentence) for sentence in sentences)


def _asks(sentence: str) -> bool:
    first = tokens_of(sentence)[:2]
    unmarked = sentence[-1] not in _STOP and first[0] in _QUESTION_WORDS and first != ["how", "to"]
    return sentence.endswith(("?", "\uff1f")) or unmarked


def exclamation_share(sentences: Sequence[str]) -> float:
    """Sentences that end in an exclamation mark / sentences.

    Args:
        sentences: Sentences of the transcript.

    Returns:
        0..1; 0 without sentences.
    """
    return mean([sentence.endswith(("!", "\uff01")) for sentence in sentences]) or 0.0


def complexity(sentences: Sequence[str], tokens: Sequence[str]) -> Complexity:
    """Complexity by mean sentence length and by the share of words of seven letters or more.

    Source: docs/analyses.md, speechPatterns, ``linguisticComplexity``.

    Args:
        sentences: Sentences of the transcript.
        tokens: Its tokens.

    Returns:
        complex above 16 words per sentence or 25 % long words, simple below 9 words and 12 %, else moderate.
    """
    length = mean([len(tokens_of(sentence)) for sentence in sentences]) or 0.0
    long_share = mean([len(token) >= _LONG_WORD for token in tokens]) or 0.0
    if length > _LONG_SENTENCE or long_share > _MANY_LONG:
        return "complex"
    return "simple" if length < _SHORT_SENTENCE and long_share < _FEW_LONG else "moderate"
