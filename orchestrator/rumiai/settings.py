"""Environment, ``.env`` file and flags, turned once into one frozen ``Settings``.

Precedence: flag, then environment, then ``.env`` in the current folder, then the default. Of several names for one
setting the first of its list wins. ``docs/settings.md`` is generated from ``FIELDS``.
"""

from __future__ import annotations

import dataclasses
import difflib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final, Literal

from rumiai.errors import ConfigurationError
from rumiai.metrics.registry import ANALYSES

Mode = Literal["fast", "strict"]
Device = Literal["auto", "cpu", "cuda"]


@dataclass(frozen=True)
class Settings:
    """What a run was asked to do. Every member has an entry in ``FIELDS``."""

    out: Path = Path("out")
    unified_dir: str = "unified_analysis"
    insights_dir: str = "insights"
    temporal_dir: str = "temporal_markers"
    services: tuple[str, ...] = ()
    plugins: tuple[str, ...] = ()
    sample_fps: float = 2.0
    max_side_px: int = 1280
    max_video_duration_s: float = 300.0
    max_video_size_mb: float = 500.0
    workers: int = 0
    video_timeout_s: float = 1800.0
    device: Device = "auto"
    hwaccel: str = ""
    mode: Mode = "fast"
    yolo_weights: str = "yolov8n.onnx"
    whisper_model: str = "base"
    whisper_engine: Literal["ctranslate2", "openai"] = "ctranslate2"
    ocr_langs: str = "en"
    server: str = ""
    output_format: Literal["v1", "v2"] = "v2"
    claude: Literal["auto", "off", "on", "batch"] = "auto"
    python_only: bool = False
    claude_model: str = ""
    claude_sonnet: bool = False
    max_cost_usd: float = 5.0
    warn_cost_usd: float = 0.10
    force_cost: bool = False
    concurrent_prompts: int = 3
    prompt_delay_s: float = 0.0
    judge_creative_density: bool = True
    judge_emotional_journey: bool = True
    judge_person_framing: bool = True
    judge_scene_pacing: bool = True
    judge_speech_analysis: bool = True
    judge_visual_overlay_analysis: bool = True
    judge_metadata_analysis: bool = True
    force: bool = False
    strict: bool = False
    log_level: str = "INFO"

    @property
    def folders(self) -> tuple[Path, str, str, str]:
        """The arguments of a ``Store``: base, unified analyses, markers, insights."""
        return self.out, self.unified_dir, self.temporal_dir, self.insights_dir

    @property
    def judged_analyses(self) -> tuple[str, ...]:
        """The analyses that may use Claude."""
        return tuple(name for name in ANALYSES if getattr(self, f"judge_{name}"))


@dataclass(frozen=True)
class Secrets:
    """Keys. They are apart from :class:`Settings`, which goes to worker processes and into reports."""

    claude_key: str = dataclasses.field(default="", repr=False)
    anthropic_key: str = dataclasses.field(default="", repr=False)


@dataclass(frozen=True)
class Field:
    """How one member of ``Settings`` is named outside, read and explained."""

    names: tuple[str, ...]
    read: Callable[[str], Any]
    meaning: str


def _number(low: float, high: float) -> Callable[[str], float]:
    def read(text: str) -> float:
        value = float(text)
        if not low <= value <= high:
            raise ValueError(f"expected a number within {low:g}..{high:g}")
        return value

    return read


def _integer(low: int, high: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        value = int(text)
        if not low <= value <= high:
            raise ValueError(f"expected a whole number within {low}..{high}")
        return value

    return read


def _word(*words: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text.lower() not in words:
            raise ValueError(f"expected one of {', '.join(words)}")
        return text.lower()

    return read


def _boolean(text: str) -> bool:
    words = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
    if text.strip().lower() not in words:
        raise ValueError(f"expected one of {', '.join(words)}")
    return words[text.strip().lower()]


def _limit_usd(text: str) -> float:
    return math.inf if text.lower() == "none" else _number(0, 1e6)(text)


def _device(text: str) -> str:
    # RUMIAI_USE_GPU speaks of true, false and auto; --device of cuda, cpu and auto.
    words = {"true": "cuda", "1": "cuda", "false": "cpu", "0": "cpu", "cuda": "cuda", "cpu": "cpu", "auto": "auto"}
    if text.lower() not in words:
        raise ValueError("expected auto, true (cuda) or false (cpu)")
    return words[text.lower()]


def _names(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    if not names:
        raise ValueError("expected names, comma separated")
    return names


def _log_level(text: str) -> str:
    return _word("debug", "info", "warning", "error")(text).upper()


# What their switches call two of the analyses.
_VARIABLE: Final = {"visual_overlay_analysis": "visual_overlay", "metadata_analysis": "metadata"}

FIELDS: Final[Mapping[str, Field]] = {
    "out": Field(("RUMIAI_BASE_DIR",), Path, "folder for all output, the same as --out"),
    "unified_dir": Field(("RUMIAI_UNIFIED_DIR", "UNIFIED_ANALYSIS_DIR"), str, "unified analyses, relative to --out"),
    "insights_dir": Field(("RUMIAI_INSIGHTS_DIR", "INSIGHTS_DIR"), str, "state and insights, relative to --out"),
    "temporal_dir": Field(("RUMIAI_TEMPORAL_DIR", "TEMPORAL_MARKERS_DIR"), str, "temporal markers, relative to --out"),
    "services": Field(("RUMIAI_SERVICES",), _names, "which services run, comma separated; none named runs all"),
    "plugins": Field(
        ("RUMIAI_PLUGINS",), _names, "modules or .py files that add services or sources; never read from .env"
    ),
    "sample_fps": Field(
        ("RUMIAI_SAMPLE_FPS", "RUMIAI_FRAME_SAMPLE_RATE", "DEFAULT_FPS"), _number(0.1, 60), "sampled frames a second"
    ),
    "max_side_px": Field(("RUMIAI_MAX_SIDE_PX",), _integer(128, 4096), "longest side of a sampled frame, in pixels"),
    "max_video_duration_s": Field(
        ("RUMIAI_MAX_VIDEO_DURATION", "MAX_VIDEO_DURATION"), _number(0.1, 86400), "longest video taken, in seconds"
    ),
    "max_video_size_mb": Field(("RUMIAI_MAX_VIDEO_SIZE_MB",), _number(0.001, 1e6), "largest file taken, in MiB"),
    "workers": Field(("RUMIAI_WORKERS",), _integer(0, 256), "videos in flight; 0 chooses by the number of cores"),
    "video_timeout_s": Field(("RUMIAI_VIDEO_TIMEOUT_S",), _number(1, 86400), "longest work on one video, in seconds"),
    "device": Field(("RUMIAI_USE_GPU",), _device, "auto, true (fail without CUDA) or false (CPU)"),
    "hwaccel": Field(("RUMIAI_HWACCEL",), _word("", "cuda"), "decode on the GPU: cuda, or nothing"),
    "mode": Field(("RUMIAI_MODE",), _word("fast", "strict"), "strict equals the upstream libraries within rounding"),
    "yolo_weights": Field(("RUMIAI_YOLO_WEIGHTS",), str, "a name of `weights list`, or a path"),
    "whisper_model": Field(("RUMIAI_WHISPER_MODEL",), str, "base, tiny.en, or a path"),
    "whisper_engine": Field(("RUMIAI_WHISPER_ENGINE",), _word("ctranslate2", "openai"), "which Whisper engine"),
    "ocr_langs": Field(("RUMIAI_OCR_LANGS",), str, "EasyOCR languages, comma separated"),
    "server": Field(("RUMIAI_SERVER",), str, "HOST:PORT of a running server; empty starts one"),
    "output_format": Field(
        ("OUTPUT_FORMAT_VERSION",), _word("v1", "v2"), "form of the result files: v2 six blocks, v1 legacy"
    ),
    "claude": Field(
        ("RUMIAI_CLAUDE",), _word("auto", "off", "on", "batch"), "auto is on with CLAUDE_API_KEY; batch: half the price"
    ),
    "python_only": Field(("USE_PYTHON_ONLY_PROCESSING",), _boolean, "no Claude, whatever keys there are"),
    "claude_model": Field(("CLAUDE_MODEL",), str, "haiku, sonnet or a model id, for all analyses"),
    "claude_sonnet": Field(("USE_CLAUDE_SONNET",), _boolean, "sonnet instead of haiku where no model is named"),
    "max_cost_usd": Field(("RUMIAI_MAX_COST_USD",), _limit_usd, "most that a run may spend, in USD; none lifts it"),
    "warn_cost_usd": Field(
        ("CLAUDE_COST_THRESHOLD",),
        _number(0, 1e6),
        "estimate for one prompt that is warned about; 5 times that is refused",
    ),
    "force_cost": Field(("RUMIAI_FORCE_COST",), _boolean, "send prompts whose estimate is refused"),
    "concurrent_prompts": Field(("RUMIAI_MAX_CONCURRENT_PROMPTS",), _integer(1, 64), "prompts in flight"),
    "prompt_delay_s": Field(("RUMIAI_PROMPT_DELAY", "PROMPT_DELAY"), _number(0, 3600), "least seconds between prompts"),
    **{
        f"judge_{name}": Field(
            (f"PRECOMPUTE_{_VARIABLE.get(name, name).upper()}",), _boolean, f"whether {name} may use Claude"
        )
        for name in ANALYSES
    },
    "force": Field(("RUMIAI_FORCE",), _boolean, "do finished work again"),
    "strict": Field(("RUMIAI_STRICT_MODE",), _boolean, "a failed service fails its video"),
    "log_level": Field(("LOG_LEVEL",), _log_level, "debug, info, warning or error"),
}

# Settings that choose which code is run: a ``.env`` that lies in a folder of videos must not.
_NEVER_IN_DOTENV: Final = ("RUMIAI_PLUGINS",)
# Read elsewhere, so not unknown.
_READ_ELSEWHERE: Final = frozenset({"RUMIAI_WEIGHTS_DIR", "RUMIAI_TEMPORAL_MARKERS"})
# Switches of the system that this one replaces, with the value that asks for what it no longer does, and why.
_GONE: Final[Mapping[str, tuple[str, str]]] = {
    "USE_ML_PRECOMPUTE": ("false", "metrics are always computed; use --claude to choose what Claude adds"),
    "ENABLE_COST_MONITORING": ("false", "costs are always counted; RUMIAI_MAX_COST_USD=none lifts the limit"),
    "RUMIAI_TEMPORAL_MARKERS": ("false", "markers are always computed; they take milliseconds"),
}


def load(
    environment: Mapping[str, str], flags: Mapping[str, Any] | None = None, dotenv: Mapping[str, str] | None = None
) -> tuple[Settings, list[str]]:
    """Settings from an explicit mapping.

    Args:
        environment: ``os.environ`` or what stands for it.
        flags: Values given on the command line, by member name; None counts as not given. Strings are read like
            variables, other types are taken as they are.
        dotenv: What the ``.env`` file holds.

    Returns:
        The settings, and warnings about ``RUMIAI_`` names that mean nothing.

    Raises:
        ConfigurationError: A value is not what its setting takes, or stands where it may not.
    """
    merged = {**_harmless(dotenv or {}), **environment}
    _refuse_gone(merged)
    values: dict[str, Any] = {}
    for member, field in FIELDS.items():
        flag = (flags or {}).get(member)
        if flag is not None:
            values[member] = _read(f"--{member.replace('_', '-')}", field, flag) if isinstance(flag, str) else flag
            continue
        for name in field.names:
            if merged.get(name, "") != "":
                values[member] = _read(name, field, merged[name])
                break
    return Settings(**values), _warnings(merged)


def _harmless(dotenv: Mapping[str, str]) -> dict[str, str]:
    """What a ``.env`` file may set.

    Raises:
        ConfigurationError: It sets what must come from the environment or the command line.
    """
    for name in _NEVER_IN_DOTENV:
        if dotenv.get(name):
            raise ConfigurationError(f"{name} stands in .env, where it is not taken", hint="set it in the environment")
    return dict(dotenv)


def read_secrets(environment: Mapping[str, str], dotenv: Mapping[str, str] | None = None) -> Secrets:
    """The keys, with the precedence of :func:`load`."""
    merged = {**(dotenv or {}), **environment}
    return Secrets(merged.get("CLAUDE_API_KEY", ""), merged.get("ANTHROPIC_API_KEY", ""))


def _refuse_gone(merged: Mapping[str, str]) -> None:
    for name, (value, reason) in _GONE.items():
        text = merged.get(name, "")
        if text and _read(name, Field((name,), _boolean, reason), text) is _boolean(value):
            raise ConfigurationError(f"{name}={text} asks for what RumiAI no longer does", hint=reason)


def _read(name: str, field: Field, text: str) -> Any:
    try:
        return field.read(text)
    except ValueError as exc:
        reason = str(exc) if str(exc).startswith("expected") else "expected a number"
        raise ConfigurationError(f"{name}: got {text!r}, {reason}", hint=field.meaning) from exc


def _warnings(merged: Mapping[str, str]) -> list[str]:
    known = {name for field in FIELDS.values() for name in field.names} | _READ_ELSEWHERE
    out = []
    for name in sorted(merged):
        if name.startswith("RUMIAI_") and name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            out.append(f"{name} is set but no setting has that name" + (f"; did you mean {close[0]}?" if close else ""))
    return out


def read_dotenv(path: Path) -> dict[str, str]:
    """The names and values of a ``.env`` file; none when it is not there."""
    if not path.is_file():
        return {}
    from dotenv import dotenv_values

    return {name: value for name, value in dotenv_values(path).items() if value is not None}


assert {f.name for f in fields(Settings)} == set(FIELDS)
