"""What is tried when the decoding of a chunk loops, and how it is known that it does.

First the same search without repeated runs of three tokens, then openai-whisper's own ladder of temperatures. The first
attempt counts that neither repeats itself nor stays below the log probability at which both libraries try again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from rumiai.contracts.tensors import AUDIO_SAMPLE_RATE_HZ
from rumiai.contracts.transcript import FIRST_DECODING
from rumiai.contracts.whisper import NO_SPEECH_LOGPROB
from rumiai.core.repeats import (
    REPEATED_COMPRESSION,
    Uttered,
    compression_ratio,
    only_run,
    repeats_heard,
    spoken_runs,
)


@dataclass(frozen=True)
class Attempt:
    """One way to decode.

    Attributes:
        name: For the payload.
        temperature: 0.0 searches for the likeliest text, more draws from the distribution.
        no_repeat_ngram: No run of so many tokens is written twice; 0 allows it.
    """

    name: str
    temperature: float = 0.0
    no_repeat_ngram: int = 0


FIRST: Final = Attempt(FIRST_DECODING)
AGAIN: Final = (
    Attempt("no repeats", no_repeat_ngram=3),
    *(Attempt(f"temperature {t:g}", temperature=t) for t in (0.2, 0.4, 0.6, 0.8, 1.0)),
)
# Drawn texts are the same from run to run.
SEED: Final = 20


def loops(
    drafts: Sequence[dict[str, Any]], texts: Sequence[str], samples: npt.NDArray[np.float32], offset_s: float
) -> bool:
    """Whether a text repeats itself although the sound does not.

    Args:
        drafts: The segments of a chunk, with their words where these were timed.
        texts: Of each.
        samples: (samples,) float32 of the chunk.
        offset_s: Of the first sample on the clock of the drafts.
    """
    whole = "".join(texts)
    if compression_ratio(whole) <= REPEATED_COMPRESSION:
        return False
    words = [word for draft, text in zip(drafts, texts, strict=True) for word in _words(draft, text, offset_s)]
    if only_run(words) and repeats_heard(samples, AUDIO_SAMPLE_RATE_HZ):
        return False
    spoken_once = _without_spoken_repeats(words, samples)
    return compression_ratio(spoken_once) > REPEATED_COMPRESSION


def _without_spoken_repeats(words: Sequence[Uttered], samples: npt.NDArray[np.float32]) -> str:
    """The text with each run that the sound shows written once."""
    heard = spoken_runs(words, samples, AUDIO_SAMPLE_RATE_HZ)
    dropped = {i for run in heard for i in range(run.start + run.size, run.stop)}
    return "".join(word.text for i, word in enumerate(words) if i not in dropped)


def _words(draft: dict[str, Any], text: str, offset_s: float) -> list[Uttered]:
    if timed := draft.get("words"):
        return [Uttered(word["word"], word["start"] - offset_s, word["end"] - offset_s) for word in timed]
    parts = text.split()
    edges = np.linspace(draft["start"], draft["end"], len(parts) + 1) - offset_s
    return [Uttered(f" {part}", *edges[i : i + 2].tolist()) for i, part in enumerate(parts)]


def good_enough(looping: bool, avg_logprob: float) -> bool:
    """Whether an attempt ends the search."""
    return not looping and avg_logprob >= NO_SPEECH_LOGPROB
