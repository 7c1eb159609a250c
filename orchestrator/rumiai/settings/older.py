"""Variables that are no settings: those that something else reads, and those of the system that this one replaces.

What an older variable asks for and RumiAI does not do ends the start, when a run would give another result than was
asked for, or spend or send what it must not. It is warned about when only the way to the result is another.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from rumiai.errors import ConfigurationError

_YES: Final = ("1", "true", "yes", "on")
_NO: Final = ("0", "false", "no", "off")


@dataclass(frozen=True)
class OlderVariable:
    """One variable that stands for no setting.

    Attributes:
        name: Of the variable.
        harmless: Values, in lower case, that ask for what is done anyway.
        reason: Why any other value has no effect, and what to use instead.
        is_refused: Whether such a value ends the start; else it is warned about.
    """

    name: str
    harmless: tuple[str, ...]
    reason: str
    is_refused: bool

    def objects_to(self, text: str) -> bool:
        """Whether this value asks for something that is not done."""
        return text != "" and text.strip().lower() not in self.harmless


OLDER: Final = (
    OlderVariable(
        "USE_ML_PRECOMPUTE", _YES, "metrics are always computed; use --claude to choose what Claude adds", True
    ),
    OlderVariable(
        "ENABLE_COST_MONITORING", _YES, "costs are always counted; RUMIAI_MAX_COST_USD=none lifts the limit", True
    ),
    OlderVariable("RUMIAI_TEMPORAL_MARKERS", _YES, "markers are always computed; they take milliseconds", True),
    OlderVariable("ENABLE_TEMPORAL_MARKERS", _YES, "markers are always computed; they take milliseconds", True),
    OlderVariable("TEMPORAL_ROLLOUT_PERCENTAGE", ("100",), "markers are computed for every video", True),
    OlderVariable("TEMPORAL_MARKERS_CONFIG", (), "the rules of the markers have no file of settings", True),
    OlderVariable(
        "YOLO_FRAME_SKIP", ("-1",), "every sampled frame is looked at; RUMIAI_SAMPLE_FPS says how many there are", True
    ),
    OlderVariable("RUMIAI_TEST_MODE", _NO, "there is no mode with made-up results", True),
    OlderVariable(
        "CLAUDE_API_URL",
        ("https://api.anthropic.com/v1/messages", "https://api.anthropic.com", "https://api.anthropic.com/"),
        "a variable must not send the key and the prompts to another address",
        True,
    ),
    OlderVariable(
        "TEMPORAL_COMPACT_MODE",
        _NO,
        "markers have one form, which is shortened to 50 KiB by itself",
        False,
    ),
    OlderVariable(
        "USE_GPU_FOR_FEAT",
        _NO,
        "expressions come from MediaPipe, on the CPU; RUMIAI_USE_GPU chooses the device of the models",
        False,
    ),
    OlderVariable("RUMIAI_DEBUG_DIR", (), "no dumps are written; tracebacks go to the log", False),
    OlderVariable("VIDEO_ID", (), "only `rumiai-orch runner` takes the video from it", False),
    OlderVariable("VIDEO_PATH", (), "only `rumiai-orch runner` takes the video from it", False),
)  # fmt: skip

# What is read elsewhere: name -> by whom, and for what.
READ_ELSEWHERE: Final[Mapping[str, str]] = {
    "CLAUDE_API_KEY": "key of Anthropic's API; switches Claude on where nothing else is said",
    "ANTHROPIC_API_KEY": "the same, with an explicit `--claude on` or `--claude batch` alone",
    "APIFY_API_TOKEN": "token of Apify, for links of TikTok",
    "APIFY_TOKEN": "the same, where the other one is not set",
    "RUMIAI_API_KEY": "key of the service that `submit --to` sends to",
    "RUMIAI_WEIGHTS_DIR": "folder of the model files; `~/.cache/rumiai/weights` by default",
    "CUDA_VISIBLE_DEVICES": "read by CUDA: which GPUs the server that a run starts can see",
    "NO_COLOR": "set to anything: no colours on the terminal",
    "PYTHON_CMD": "read by the Node wrapper (`clients/node`): the interpreter that it starts",
    "VIDEO_ID": "read by `rumiai-orch runner` that names no video: the id of an earlier run",
    "VIDEO_PATH": "read by `rumiai-orch runner` that names no video: the file",
}


def check_older(merged: Mapping[str, str]) -> Iterator[str]:
    """Warnings about variables of the earlier system that have no effect any more.

    Args:
        merged: The environment and the ``.env`` file.

    Raises:
        ConfigurationError: One asks for what is not done, and the result would be another one.
    """
    for variable in OLDER:
        text = merged.get(variable.name, "")
        if not variable.objects_to(text):
            continue
        if variable.is_refused:
            message = f"{variable.name}={text} asks for what RumiAI no longer does"
            raise ConfigurationError(message, hint=variable.reason)
        yield f"{variable.name} has no effect: {variable.reason}"
