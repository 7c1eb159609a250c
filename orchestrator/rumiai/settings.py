"""Environment, ``.env`` file and flags, turned once into one frozen ``Settings``.

Precedence: flag, then environment, then ``.env`` in the current folder, then the default. Of several names for one
setting the first of its list wins. ``docs/settings.md`` is generated from ``FIELDS``.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final, Literal

from rumiai.contracts.results import SERVICES, ServiceName
from rumiai.errors import ConfigurationError

Mode = Literal["fast", "strict"]
Device = Literal["auto", "cpu", "cuda"]


@dataclass(frozen=True)
class Settings:
    """What a run was asked to do. Every member has an entry in ``FIELDS``."""

    out: Path = Path("out")
    unified_dir: str = "unified_analysis"
    insights_dir: str = "insights"
    temporal_dir: str = "temporal_markers"
    services: tuple[ServiceName, ...] = SERVICES
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
    force: bool = False
    strict: bool = False
    log_level: str = "INFO"


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


def _device(text: str) -> str:
    # RUMIAI_USE_GPU speaks of true, false and auto; --device of cuda, cpu and auto.
    words = {"true": "cuda", "1": "cuda", "false": "cpu", "0": "cpu", "cuda": "cuda", "cpu": "cpu", "auto": "auto"}
    if text.lower() not in words:
        raise ValueError("expected auto, true (cuda) or false (cpu)")
    return words[text.lower()]


def _services(text: str) -> tuple[ServiceName, ...]:
    asked = [name.strip() for name in text.split(",") if name.strip()]
    unknown = [name for name in asked if name not in SERVICES]
    if unknown or not asked:
        raise ValueError(f"expected some of {', '.join(SERVICES)}")
    return tuple(name for name in SERVICES if name in asked)


def _log_level(text: str) -> str:
    return _word("debug", "info", "warning", "error")(text).upper()


FIELDS: Final[Mapping[str, Field]] = {
    "out": Field(("RUMIAI_BASE_DIR",), Path, "folder for all output, the same as --out"),
    "unified_dir": Field(("RUMIAI_UNIFIED_DIR", "UNIFIED_ANALYSIS_DIR"), str, "unified analyses, relative to --out"),
    "insights_dir": Field(("RUMIAI_INSIGHTS_DIR", "INSIGHTS_DIR"), str, "state and insights, relative to --out"),
    "temporal_dir": Field(("RUMIAI_TEMPORAL_DIR", "TEMPORAL_MARKERS_DIR"), str, "temporal markers, relative to --out"),
    "services": Field(("RUMIAI_SERVICES",), _services, "which services run, comma separated"),
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
    "force": Field(("RUMIAI_FORCE",), _boolean, "do finished work again"),
    "strict": Field(("RUMIAI_STRICT_MODE",), _boolean, "a failed service fails its video"),
    "log_level": Field(("LOG_LEVEL",), _log_level, "debug, info, warning or error"),
}

# Read elsewhere, so not unknown.
_READ_ELSEWHERE: Final = frozenset({"RUMIAI_WEIGHTS_DIR"})


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
        ConfigurationError: A value is not what its setting takes.
    """
    merged = {**(dotenv or {}), **environment}
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
