"""What a run can be asked to do: one frozen ``Settings``, with the names, default and meaning of each setting."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Final, Literal, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from rumiai.contracts.whisper import LANGUAGES
from rumiai.core.json_values import JsonObject, JsonValue
from rumiai.core.objects import divided, is_object
from rumiai.errors import ConfigurationError, SourceError
from rumiai.metrics.registry import ANALYSES

Mode = Literal["fast", "strict"]
OcrEngine = Literal["auto", "easyocr", "ppocr"]
Device = Literal["auto", "cpu", "cuda"]

_MOST_USD: Final = 1e6
_BOOLEANS: Final = {
    "1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False,
}  # fmt: skip
# RUMIAI_USE_GPU speaks of true, false and auto; --device of cuda, cpu and auto.
_DEVICES: Final = {
    "true": "cuda", "1": "cuda", "false": "cpu", "0": "cpu", "cuda": "cuda", "cpu": "cpu", "auto": "auto",
}  # fmt: skip


def _boolean(value: object) -> object:
    if isinstance(value, str):
        if value.strip().lower() not in _BOOLEANS:
            raise ValueError(f"expected one of {', '.join(_BOOLEANS)}")
        return _BOOLEANS[value.strip().lower()]
    return value


def _device(value: object) -> object:
    if isinstance(value, str):
        if value.lower() not in _DEVICES:
            raise ValueError("expected auto, cuda (or true) or cpu (or false)")
        return _DEVICES[value.lower()]
    return value


def _names(value: object) -> object:
    if isinstance(value, str):
        names = tuple(name.strip() for name in value.split(",") if name.strip())
        if not names:
            raise ValueError("expected names, comma separated")
        return names
    return value


def _limit(value: object) -> object:
    if isinstance(value, str) and value.lower() == "none":
        return math.inf
    if isinstance(value, str) and math.isinf(float(value)):
        raise ValueError(f"expected a number within 0..{_MOST_USD:g}")
    return value


def _within(low: float, high: float, *, or_infinite: bool = False) -> AfterValidator:
    """Refuse numbers outside of the two, and NaN."""

    def check(value: float) -> float:
        if not low <= value <= high and not (or_infinite and value == math.inf):
            raise ValueError(f"expected a number within {low:g}..{high:g}")
        return value

    return AfterValidator(check)


def _address(value: str) -> str:
    host, _, port = value.rpartition(":")
    if value and not (host and port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise ValueError("expected HOST:PORT, such as 127.0.0.1:8001")
    return value


def _folder(value: object) -> object:
    if value == "":
        raise ValueError("expected a folder; . is the current one")
    return value


def _language(value: object) -> object:
    if not isinstance(value, str) or value.strip().lower() in ("", "auto"):
        return "" if isinstance(value, str) else value
    code = value.strip().lower()
    if code not in LANGUAGES:
        raise ValueError(f"expected auto or one of Whisper's {len(LANGUAGES)} codes such as pt")
    return code


_LOWER: Final = BeforeValidator(lambda value: value.lower() if isinstance(value, str) else value)
_UPPER: Final = BeforeValidator(lambda value: value.upper() if isinstance(value, str) else value)
Switch = Annotated[bool, BeforeValidator(_boolean)]
Names = Annotated[tuple[str, ...], BeforeValidator(_names)]


def read_switch(text: str) -> bool:
    """What the text of a switch says.

    Raises:
        ValueError: It is none of the words for yes and no.
    """
    return _boolean(text) is True


def _setting(default: Any, names: str, meaning: str) -> Any:
    """One setting: its default, its environment names in order of precedence, and what it means."""
    return Field(default, description=meaning, json_schema_extra={"names": list(names.split())})


class Settings(BaseModel):
    """What a run was asked to do."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    out: Annotated[Path, BeforeValidator(_folder)] = _setting(
        Path("out"),
        "RUMIAI_BASE_DIR",
        "folder for all output, the same as --out; s3://BUCKET/FOLDER uploads it, but not from .env",
    )
    upload: str = _setting(
        "",
        "RUMIAI_UPLOAD",
        "folder of an object store, such as s3://bucket/runs, that gets the results as made; never read from .env",
    )
    unified_dir: str = _setting(
        "unified_analysis", "RUMIAI_UNIFIED_DIR UNIFIED_ANALYSIS_DIR", "unified analyses, relative to --out"
    )
    insights_dir: str = _setting(
        "insights", "RUMIAI_INSIGHTS_DIR INSIGHTS_DIR", "state and insights, relative to --out"
    )
    temporal_dir: str = _setting(
        "temporal_markers", "RUMIAI_TEMPORAL_DIR TEMPORAL_MARKERS_DIR", "temporal markers, relative to --out"
    )
    ml_dir: str = _setting(
        "", "RUMIAI_OUTPUT_DIR ML_OUTPUTS_DIR", "folders of the services' files, relative to --out; empty: --out itself"
    )
    downloads_dir: str = _setting(
        "downloads", "RUMIAI_TEMP_DIR TEMP_DIR", "videos that were downloaded, relative to --out"
    )
    log_dir: str = _setting("logs", "RUMIAI_LOG_DIR", "logs of the server and the workers, relative to --out")
    cleanup_video: Switch = _setting(
        False,
        "RUMIAI_CLEANUP_VIDEO CLEANUP_VIDEO",
        "delete a downloaded video once it is analysed; never a file of yours, and not the video of a failed analysis",
    )
    services: Names = _setting(
        (), "RUMIAI_SERVICES", "which services run, comma separated; empty runs all, `none` runs none"
    )
    plugins: Names = _setting(
        (), "RUMIAI_PLUGINS", "modules or .py files that add services or sources; never read from .env"
    )
    sample_fps: Annotated[float, _within(0.1, 60)] = _setting(
        2.0, "RUMIAI_SAMPLE_FPS RUMIAI_FRAME_SAMPLE_RATE DEFAULT_FPS", "sampled frames a second"
    )
    max_side_px: Annotated[int, _within(128, 4096)] = _setting(
        1280, "RUMIAI_MAX_SIDE_PX", "longest side of a sampled frame, in pixels"
    )
    max_video_duration_s: Annotated[float, _within(0.1, 86400)] = _setting(
        300.0, "RUMIAI_MAX_VIDEO_DURATION MAX_VIDEO_DURATION", "longest video taken, in seconds"
    )
    max_video_size_mb: Annotated[float, _within(0.001, 1e6)] = _setting(
        500.0, "RUMIAI_MAX_VIDEO_SIZE_MB", "largest file taken, in MiB"
    )
    workers: Annotated[int, _within(0, 256)] = _setting(
        0, "RUMIAI_WORKERS", "videos in flight; 0 chooses by the number of cores"
    )
    video_timeout_s: Annotated[float, _within(1, 86400)] = _setting(
        1800.0, "RUMIAI_VIDEO_TIMEOUT_S", "longest work on one video, in seconds"
    )
    stage_timeout_s: Annotated[float, _within(1, 86400)] = _setting(
        600.0,
        "RUMIAI_STAGE_TIMEOUT_S",
        "longest time without progress in a stage of a video, in seconds, beyond RUMIAI_SERVER_WAIT_S",
    )
    video_memory_mb: Annotated[float, _within(0, 1e6)] = _setting(
        0.0, "RUMIAI_VIDEO_MEMORY_MB", "memory that a video is taken to need before it is begun, in MiB; 0 measures it"
    )
    device: Annotated[Device, BeforeValidator(_device)] = _setting(
        "auto", "RUMIAI_USE_GPU", "auto, true (fail without CUDA) or false (CPU)"
    )
    hwaccel: Annotated[Literal["", "cuda"], _LOWER] = _setting(
        "", "RUMIAI_HWACCEL", "decode on the GPU: cuda, or nothing"
    )
    mode: Annotated[Mode, _LOWER] = _setting(
        "fast", "RUMIAI_MODE", "strict equals the upstream libraries within rounding"
    )
    yolo_weights: str = _setting("yolov8n.onnx", "RUMIAI_YOLO_WEIGHTS", "a name of `weights list`, or a path")
    whisper_model: str = _setting("base", "RUMIAI_WHISPER_MODEL", "base, tiny.en, or a path")
    whisper_engine: Annotated[Literal["ctranslate2", "openai"], _LOWER] = _setting(
        "ctranslate2", "RUMIAI_WHISPER_ENGINE", "which Whisper engine"
    )
    language: Annotated[str, BeforeValidator(_language)] = _setting(
        "", "RUMIAI_LANGUAGE", "language that is spoken, such as pt; empty detects it, for each part of the sound"
    )
    ocr_engine: Annotated[OcrEngine, _LOWER] = _setting(
        "auto", "RUMIAI_OCR_ENGINE", "who reads texts: ppocr, easyocr, or auto: ppocr, in strict mode easyocr"
    )
    ocr_langs: str = _setting("en", "RUMIAI_OCR_LANGS", "EasyOCR languages, comma separated")
    server: Annotated[str, AfterValidator(_address)] = _setting(
        "", "RUMIAI_SERVER", "HOST:PORT of a running server; empty starts one"
    )
    server_wait_s: Annotated[float, _within(0, 3600)] = _setting(
        120.0, "RUMIAI_SERVER_WAIT_S", "longest wait for a model server, or a model of it, that is being restarted"
    )
    output_format: Annotated[Literal["v1", "v2"], _LOWER] = _setting(
        "v2", "OUTPUT_FORMAT_VERSION", "form of the result files: v2 six blocks, v1 legacy"
    )
    claude: Annotated[Literal["auto", "off", "on", "batch"], _LOWER] = _setting(
        "auto", "RUMIAI_CLAUDE", "auto is on with CLAUDE_API_KEY; batch: half the price"
    )
    python_only: Switch = _setting(False, "USE_PYTHON_ONLY_PROCESSING", "no Claude, whatever keys there are")
    claude_model: str = _setting("", "CLAUDE_MODEL", "haiku, sonnet or a model id, for all analyses")
    claude_sonnet: Switch = _setting(False, "USE_CLAUDE_SONNET", "sonnet instead of haiku where no model is named")
    max_cost_usd: Annotated[float, BeforeValidator(_limit), _within(0, _MOST_USD, or_infinite=True)] = _setting(
        5.0, "RUMIAI_MAX_COST_USD", "most that a run may spend, in USD; none lifts it"
    )
    warn_cost_usd: Annotated[float, _within(0, _MOST_USD)] = _setting(
        0.10, "CLAUDE_COST_THRESHOLD", "estimate for one prompt that is warned about; 5 times that is refused"
    )
    force_cost: Switch = _setting(False, "RUMIAI_FORCE_COST", "send prompts whose estimate is refused")
    concurrent_prompts: Annotated[int, _within(1, 64)] = _setting(
        3, "RUMIAI_MAX_CONCURRENT_PROMPTS", "prompts in flight"
    )
    prompt_delay_s: Annotated[float, _within(0, 3600)] = _setting(
        0.0, "RUMIAI_PROMPT_DELAY PROMPT_DELAY", "least seconds between prompts"
    )
    judged_analyses: Names = _setting(ANALYSES, "", "the analyses that may use Claude; a switch for each")
    allow_addresses: Names = _setting(
        (),
        "RUMIAI_ALLOW_ADDRESSES",
        "hosts and networks that are connected to though they are not public; never read from .env",
    )
    downloads: Annotated[int, _within(1, 32)] = _setting(4, "RUMIAI_DOWNLOADS", "downloads at once")
    download_timeout_s: Annotated[float, _within(1, 86400)] = _setting(
        300.0, "RUMIAI_DOWNLOAD_TIMEOUT_S", "longest download of one video, all attempts together, in seconds"
    )
    downloads_ahead: Annotated[int, _within(1, 10000)] = _setting(
        16, "RUMIAI_DOWNLOADS_AHEAD", "videos that are downloaded and not analysed yet; at least one for each worker"
    )
    downloads_ahead_mb: Annotated[float, _within(1, 1e7)] = _setting(
        4096.0, "RUMIAI_DOWNLOADS_AHEAD_MB", "most that these take on the disk, in MiB"
    )
    disk_reserve_mb: Annotated[float, _within(0, 1e7)] = _setting(
        256.0, "RUMIAI_DISK_RESERVE_MB", "what downloads leave free on the disk, in MiB"
    )
    apify_timeout_s: Annotated[float, _within(1, 86400)] = _setting(
        300.0, "RUMIAI_APIFY_TIMEOUT_S", "longest run of Apify's scraper, in seconds; it is ended then"
    )
    via: str = _setting("", "RUMIAI_VIA", "helper that brings web addresses, such as ytdlp; never read from .env")
    limit: Annotated[int, _within(0, 1_000_000)] = _setting(
        0, "RUMIAI_LIMIT", "most videos of one profile, hashtag or bucket; 0 takes all that the source gives"
    )
    force: Switch = _setting(False, "RUMIAI_FORCE", "do finished work again")
    strict: Switch = _setting(False, "RUMIAI_STRICT_MODE", "a failed service fails its video")
    log_level: Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], _UPPER] = _setting(
        "INFO", "LOG_LEVEL", "debug, info, warning or error"
    )
    log_format: Annotated[Literal["text", "json"], _LOWER] = _setting(
        "text", "RUMIAI_LOG_FORMAT", "of the log on stderr: text, or json: one object a line"
    )
    colored_logs: Switch = _setting(
        True, "COLORED_LOGS", "false: no colours, as with NO_COLOR; there are none where the output is no terminal"
    )

    @property
    def folders(self) -> tuple[Path, str, str, str, str, str, str]:
        """The arguments of a ``Store``."""
        return (
            self.out, self.unified_dir, self.temporal_dir, self.insights_dir, self.ml_dir, self.downloads_dir,
            self.log_dir,
        )  # fmt: skip

    def to_json(self) -> dict[str, JsonValue]:
        """JSON form, which :meth:`from_json` reads; no key is among the settings."""
        told: dict[str, JsonValue] = self.model_dump(mode="json")
        return {name: "none" if value == math.inf else value for name, value in told.items()}

    @classmethod
    def from_json(cls, members: JsonObject) -> Settings:
        """Read :meth:`to_json`'s form, of another version too: members that it lacks have their defaults.

        Raises:
            ConfigurationError: A value is not what its setting takes.
        """
        return validated({name: value for name, value in members.items() if name in cls.model_fields}, {})

    def changed(self, **members: object) -> Settings:
        """The same settings but for these members.

        Raises:
            ConfigurationError: A value is not what its setting takes.
        """
        return validated({**dict(self), **members}, {})


def validated(values: Mapping[str, object], origins: Mapping[str, str]) -> Settings:
    """The settings of these values.

    Args:
        values: By member.
        origins: What the user calls each member that was given.

    Raises:
        ConfigurationError: A value is not what its setting takes.
    """
    values = _with_local_out(values, origins)
    try:
        return Settings.model_validate(values)
    except ValidationError as exc:
        error = exc.errors()[0]
        member = str(error["loc"][0])
        hint = Settings.model_fields[member].description if member in Settings.model_fields else None
        name = origins.get(member, member)
        raise ConfigurationError(f"{name}: got {values[member]!r}, {_reason(member, error)}", hint=hint) from exc


def _with_local_out(values: Mapping[str, object], origins: Mapping[str, str]) -> Mapping[str, object]:
    """An ``out`` in an object store becomes a local folder of its own, and what is uploaded there.

    Raises:
        ConfigurationError: Something else is to be uploaded to, or it is no such address.
    """
    out = values.get("out")
    upload = out if isinstance(out, str) and is_object(out) else values.get("upload")
    if not isinstance(upload, str) or not upload:
        return values
    try:
        scheme, bucket, key = divided(upload)
    except SourceError as exc:
        name = origins.get("out" if upload == out else "upload", "upload")
        raise ConfigurationError(f"{name}: {exc.message}", hint=exc.hint) from exc
    if upload != out:
        return values
    if values.get("upload"):
        raise ConfigurationError(
            "the output is to be in two object stores", hint="give --out or --upload a local folder"
        )
    if ".." in PurePosixPath(key).parts:
        raise ConfigurationError(f"{origins.get('out', 'out')}: got {out!r}, expected a folder without ..")
    local = Path.home() / ".cache" / "rumiai" / "out" / scheme / bucket / PurePosixPath(key.strip("/") or ".")
    return {**values, "out": local, "upload": upload}


def _reason(member: str, error: ErrorDetails) -> str:
    """What was expected, in our words where the library says it at length."""
    if error["type"] == "value_error" and str(error["ctx"]["error"]).startswith("expected"):
        return str(error["ctx"]["error"])
    if error["type"] == "literal_error":
        return f"expected one of {', '.join(get_args(Settings.model_fields[member].annotation)).lower()}"
    return "expected a number" if error["type"].startswith(("int_", "float_", "value_")) else error["msg"]


def names_of(field: FieldInfo) -> tuple[str, ...]:
    """The environment names of a setting, in order of precedence."""
    extra = field.json_schema_extra
    names = extra["names"] if isinstance(extra, dict) else []
    return tuple(str(name) for name in names) if isinstance(names, list) else ()
