"""Which Whisper engine is loaded: ``ctranslate2`` (faster-whisper, the default) or ``openai`` (openai-whisper).

Both take whole tracks, cut them at silence with the same voice activity detector and decode the chunks of all tracks of
a call together, at temperature 0 and without the previous text as a prompt; see
:mod:`rumiai_server.engines.whisper.batching`. A library is imported when its engine is asked for.
"""

from __future__ import annotations

import os
from pathlib import Path

from rumiai.contracts.transcript import EngineKind
from rumiai.errors import ConfigurationError
from rumiai_server.engines.whisper.types import WhisperEngine


def make_engine(
    kind: EngineKind,
    model_path: Path,
    *,
    device: str = "auto",
    compute_type: str | None = None,
    threads: int | None = None,
    batch_size: int | None = None,
) -> WhisperEngine:
    """Load a model.

    Args:
        kind: Which library runs it.
        model_path: A folder with a CTranslate2 model (``model.bin``, ``config.json``, ``tokenizer.json``, vocabulary)
            for either engine, or openai-whisper's own ``.pt`` file for ``openai``. Nothing is fetched.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:<index>``.
        compute_type: CTranslate2's name of a precision; by default ``int8`` on a CPU and ``float16`` on a GPU.
            ``openai`` knows ``float32``, its default on a CPU, and ``float16``, on a GPU alone and its default there.
        threads: CPU threads; by default as many as this process may use.
        batch_size: The most chunks that go through the model together; by default 2 on a CPU and 8 on a GPU.

    Raises:
        ConfigurationError: No such engine, device or precision.
        WeightsError: The model is missing or not one that can be read.
    """
    if batch_size is not None and batch_size < 1:
        raise ConfigurationError(f"batch_size: got {batch_size}, expected at least 1")
    threads = threads or len(os.sched_getaffinity(0))
    if kind == "ctranslate2":
        from rumiai_server.engines.whisper.ctranslate2 import CTranslate2Whisper

        return CTranslate2Whisper(model_path, device, compute_type, threads, batch_size)
    if kind == "openai":
        from rumiai_server.engines.whisper.openai import OpenAIWhisper

        return OpenAIWhisper(model_path, device, compute_type, threads, batch_size)
    raise ConfigurationError(f"whisper engine: got {kind!r}, expected 'ctranslate2' or 'openai'")
