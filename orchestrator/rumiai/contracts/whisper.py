"""What a request to the ``whisper`` endpoint may ask for, and the model's own constants; both sides read this file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from rumiai.errors import ContractError

Task = Literal["transcribe", "translate"]

TASKS: Final[tuple[Task, ...]] = ("transcribe", "translate")

# The codes of Whisper's language tokens, in the order of the tokens; a test compares them with both libraries.
LANGUAGES: Final[tuple[str, ...]] = (
    "en", "zh", "de", "es", "ru", "ko", "fr", "ja", "pt", "tr", "pl", "ca", "nl", "ar", "sv", "it", "id", "hi", "fi",
    "vi", "he", "uk", "el", "ms", "cs", "ro", "da", "hu", "ta", "no", "th", "ur", "hr", "bg", "lt", "la", "mi", "ml",
    "cy", "sk", "te", "fa", "lv", "bn", "sr", "az", "sl", "kn", "et", "mk", "br", "eu", "is", "hy", "ne", "mn", "bs",
    "kk", "sq", "sw", "gl", "mr", "pa", "si", "km", "sn", "yo", "so", "af", "oc", "ka", "be", "tg", "sd", "gu", "am",
    "yi", "lo", "uz", "fo", "ht", "ps", "tk", "nn", "mt", "sa", "lb", "my", "bo", "tl", "mg", "as", "tt", "haw", "ln",
    "ha", "ba", "jw", "su", "yue",
)  # fmt: skip

# openai-whisper's rule for a window without speech: its probability is above the first and the mean log probability of
# its tokens below the second.
NO_SPEECH_PROB: Final = 0.6
NO_SPEECH_LOGPROB: Final = -1.0
# Where a voice should lie before it is decoded: Whisper was trained on recordings at about this level. In quiet ones it
# finds other languages, and loops.
SPEECH_DBFS: Final = -20.0
# Seconds between two timestamp tokens, fixed by the model's training.
TIMESTAMP_STEP_S: Final = 0.02


@dataclass(frozen=True)
class WhisperParams:
    """What one request asks for.

    Attributes:
        language: Whisper's code of the language spoken; None lets the model find out.
        task: ``transcribe``, or ``translate`` into English.
        word_timestamps: Whether each segment carries its words with their times.
        level: Whether a voice is brought to ``SPEECH_DBFS`` before it is decoded.
        fallback: Whether a chunk whose decoding loops is decoded again with other settings.
        multilingual: Whether each chunk of up to 30 s has a language of its own.

    The last three are off by default: an answer is then equal to the upstream libraries' own.

    Raises:
        ContractError: The language is none of Whisper's, or the task none of the two.
    """

    language: str | None = None
    task: Task = "transcribe"
    word_timestamps: bool = True
    level: bool = False
    fallback: bool = False
    multilingual: bool = False

    def __post_init__(self) -> None:
        if self.language is not None and self.language not in LANGUAGES:
            raise ContractError(
                f"language: got {self.language!r}, expected one of Whisper's {len(LANGUAGES)} codes such as 'pt'",
                hint="leave the parameter out to have the language detected",
            )
        if self.task not in TASKS:
            raise ContractError(f"task: got {self.task!r}, expected one of {', '.join(TASKS)}")

    def parameters(self) -> dict[str, str | bool]:
        """The request parameters; an unknown language is left out."""
        out: dict[str, str | bool] = {
            "task": self.task,
            "word_timestamps": self.word_timestamps,
            "level": self.level,
            "fallback": self.fallback,
            "multilingual": self.multilingual,
        }
        if self.language is not None:
            out["language"] = self.language
        return out
