"""Speak one sentence with eSpeak NG, as a program of its own: text on standard input, words and samples on output.

The library keeps state from sentence to sentence: only a fresh process gives the same samples for the same text.
It is run by its path and imports nothing of RumiAI, which keeps a sentence at some 50 ms. Its arguments are the voice
and words a minute.

Output: one line of JSON, ``{"sample_rate_hz": .., "words": [[first character, seconds], ..]}``, then int16 samples.
"""

from __future__ import annotations

import ctypes
import json
import sys

_RETRIEVAL = 1  # samples go to the callback, not to a sound card
_DONT_EXIT = 0x8000  # report a missing data folder instead of ending the process
_UTF8 = 1
_AT_CHARACTER = 1
_RATE, _WORD_GAP = 1, 7  # of espeak_PARAMETER
_WORD = 1  # of espeak_EVENT_TYPE


class _Event(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_int),
        ("identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position_ms", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", ctypes.c_char * 8),
    ]


_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))


def speak(text: str, voice: str, words_per_minute: int) -> tuple[int, list[tuple[int, float]], bytes]:
    """Sample rate in Hz, (first character, start in seconds) of each word, mono int16 samples.

    Raises:
        OSError: The library or its data cannot be loaded, or there is no such voice.
    """
    import espeakng_loader  # type: ignore[import-untyped]

    library = ctypes.CDLL(espeakng_loader.get_library_path())
    words: list[tuple[int, float]] = []
    samples = bytearray()

    def receive(wave: ctypes._Pointer[ctypes.c_short], count: int, events: ctypes._Pointer[_Event]) -> int:
        if wave and count > 0:
            samples.extend(ctypes.string_at(wave, 2 * count))
        i = 0
        while events[i].type:
            if events[i].type == _WORD:
                words.append((events[i].text_position - 1, events[i].audio_position_ms / 1000))
            i += 1
        return 0

    callback = _CALLBACK(receive)
    rate = library.espeak_Initialize(_RETRIEVAL, 0, espeakng_loader.get_data_path().encode(), _DONT_EXIT)
    if rate <= 0 or library.espeak_SetVoiceByName(voice.encode()) != 0:
        raise OSError(f"eSpeak NG found no data for the voice {voice}: reinstall espeakng-loader")
    library.espeak_SetSynthCallback(callback)
    library.espeak_SetParameter(_RATE, words_per_minute, 0)
    library.espeak_SetParameter(_WORD_GAP, 0, 0)
    raw = text.encode()
    if library.espeak_Synth(raw, len(raw) + 1, 0, _AT_CHARACTER, 0, _UTF8, None, None) != 0:
        raise OSError("eSpeak NG did not take the text")
    library.espeak_Synchronize()
    return rate, words, bytes(samples)


if __name__ == "__main__":
    sample_rate_hz, spoken, pcm = speak(sys.stdin.read(), sys.argv[1], int(sys.argv[2]))
    sys.stdout.write(json.dumps({"sample_rate_hz": sample_rate_hz, "words": spoken}) + "\n")
    sys.stdout.flush()
    sys.stdout.buffer.write(pcm)
