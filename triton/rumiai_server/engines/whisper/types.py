"""The interface that both Whisper engines have, and the check of what goes into one.

This module imports neither library; :mod:`rumiai_server.engines.whisper.factory` loads the one that is asked for.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from rumiai.contracts.tensors import AUDIO_SAMPLE_RATE_HZ, MAX_AUDIO_S
from rumiai.contracts.transcript import Transcript
from rumiai.contracts.whisper import WhisperParams
from rumiai.errors import ContractError

# Lossy decoders overshoot 1.0 by a few decibels; beyond this the samples are integers that nobody scaled.
MAX_PEAK: Final = 32.0


Item = tuple[npt.NDArray[np.float32], WhisperParams]


class WhisperEngine(Protocol):
    """A loaded model. One thread at a time."""

    def check(self, samples: npt.NDArray[Any], params: WhisperParams) -> None:
        """Say whether this item can be transcribed, so that a bad one need not spoil the batch it came in.

        Raises:
            ContractError: Not (samples,) float32, too long, not finite, not scaled to -1..1, or something asked for
                that the model does not know.
        """

    def transcribe(self, items: Sequence[Item]) -> list[Transcript]:
        """Transcribe tracks, decoding their chunks together.

        Args:
            items: Each a track, (samples,) float32 mono at 16 kHz, at most ``MAX_AUDIO_S`` long, and what is asked.

        Returns:
            One transcript per item, in order; no items give an empty list. What an item yields does not depend on the
            others.

        Raises:
            ContractError: As ``check``.
            MLError: The model failed.
        """

    def warm_up(self) -> None:
        """Run every step once, so that the first request does not pay for it."""


def check_samples(samples: npt.NDArray[Any]) -> None:
    """Refuse what no Whisper engine takes; an empty track is fine.

    Raises:
        ContractError: Not (samples,) float32, longer than ``MAX_AUDIO_S``, not finite, or not scaled to -1..1.
    """
    if samples.ndim != 1 or samples.dtype != np.float32:
        raise ContractError(f"AUDIO: got {samples.dtype} {samples.shape}, expected float32 (samples,)")
    if len(samples) > MAX_AUDIO_S * AUDIO_SAMPLE_RATE_HZ:
        raise ContractError(
            f"AUDIO: got {len(samples) / AUDIO_SAMPLE_RATE_HZ:.0f} s, expected at most {MAX_AUDIO_S:.0f} s at "
            f"{AUDIO_SAMPLE_RATE_HZ} Hz",
            hint="split the track",
        )
    if len(samples) == 0:
        return
    peak = max(float(samples.max()), -float(samples.min()))
    if not math.isfinite(peak):
        raise ContractError("AUDIO: got samples that are not finite, expected -1..1", hint="decode the track again")
    if peak > MAX_PEAK:
        raise ContractError(
            f"AUDIO: got a peak of {peak:.0f}, expected -1..1", hint="divide 16-bit samples by 32768 before sending"
        )
