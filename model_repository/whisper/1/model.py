"""Triton's Python backend for ``whisper``: tensors to ``rumiai_server.engines.whisper`` and back.

Unless told otherwise, Triton runs this file twice, first in a process that only looks for ``auto_complete_config``. The
engine, and with it whatever takes seconds to import, is therefore imported in ``initialize``.
"""

import numpy as np
import triton_python_backend_utils as pb_utils

from rumiai.contracts.tensors import WHISPER
from rumiai.contracts.transcript import Transcript
from rumiai.contracts.whisper import WhisperParams
from rumiai_server import adapter


class TritonPythonModel:
    """One instance: one Whisper engine on one device."""

    def initialize(self, args):
        """Load the weights and transcribe a moment of noise."""
        from rumiai_server.engines.whisper.factory import make_engine

        adapter.guard_process()
        settings = adapter.ModelSettings.from_args(args)
        self._engine = make_engine(
            settings["engine"], settings.weights("model"), device=settings.device, threads=settings.threads
        )
        self._engine.warm_up()

    def execute(self, requests):
        """Answer a batch of requests; their chunks share the batches of the network."""
        return adapter.execute(pb_utils, requests, WHISPER, self._parse, self._engine.transcribe, self._pack)

    def _parse(self, audio, parameters):
        params = WhisperParams(
            language=parameters.get("language") or None,
            task=parameters.get("task", "transcribe"),
            word_timestamps=adapter.as_bool(parameters, "word_timestamps", True),
            level=adapter.as_bool(parameters, "level", False),
            fallback=adapter.as_bool(parameters, "fallback", False),
            multilingual=adapter.as_bool(parameters, "multilingual", False),
        )
        track = adapter.check_audio(audio)
        self._engine.check(track, params)
        return track, params

    def _pack(self, transcript: Transcript) -> adapter.Outputs:
        return {"TRANSCRIPT": np.array([[transcript.to_json()]], dtype=np.object_)}
