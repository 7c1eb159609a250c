"""Names, precedence and refusals of settings."""

from __future__ import annotations

import json
import math
import pickle
from pathlib import Path

import pytest
from pydantic import ValidationError

from rumiai.errors import ConfigurationError
from rumiai.metrics.registry import ANALYSES
from rumiai.settings import OLDER, READ_ELSEWHERE, Settings, load, read_dotenv, read_secrets, variables


def test_defaults() -> None:
    settings, warnings = load({})
    assert settings == Settings()
    assert settings.sample_fps == 2.0
    assert warnings == []


def test_flag_wins_over_environment_over_dotenv() -> None:
    names = {"RUMIAI_SAMPLE_FPS": "3"}
    assert load({}, {}, names)[0].sample_fps == 3.0
    assert load({"RUMIAI_SAMPLE_FPS": "4"}, {}, names)[0].sample_fps == 4.0
    assert load({"RUMIAI_SAMPLE_FPS": "4"}, {"sample_fps": "5"}, names)[0].sample_fps == 5.0


def test_of_several_names_the_canonical_one_wins() -> None:
    environment = {"DEFAULT_FPS": "1", "RUMIAI_FRAME_SAMPLE_RATE": "3"}
    assert load(environment)[0].sample_fps == 3.0
    assert load({**environment, "RUMIAI_SAMPLE_FPS": "4"})[0].sample_fps == 4.0
    assert load({"MAX_VIDEO_DURATION": "60"})[0].max_video_duration_s == 60.0


@pytest.mark.parametrize(
    ("name", "text", "member", "value"),
    [
        ("RUMIAI_USE_GPU", "true", "device", "cuda"),
        ("RUMIAI_USE_GPU", "false", "device", "cpu"),
        ("RUMIAI_SERVER", "127.0.0.1:8001", "server", "127.0.0.1:8001"),
        ("RUMIAI_SERVER", "", "server", ""),
        ("RUMIAI_STRICT_MODE", "yes", "strict", True),
        ("RUMIAI_FORCE", "off", "force", False),
        ("RUMIAI_BASE_DIR", "/somewhere", "out", Path("/somewhere")),
        ("RUMIAI_SERVICES", "whisper, yolo", "services", ("whisper", "yolo")),
        ("LOG_LEVEL", "debug", "log_level", "DEBUG"),
        ("RUMIAI_MAX_COST_USD", "none", "max_cost_usd", math.inf),
        ("RUMIAI_PROMPT_DELAY", "2", "prompt_delay_s", 2.0),
        ("PRECOMPUTE_VISUAL_OVERLAY", "false", "judged_analyses", tuple(a for a in ANALYSES if "overlay" not in a)),
    ],
)
def test_values(name: str, text: str, member: str, value: object) -> None:
    assert getattr(load({name: text})[0], member) == value


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("RUMIAI_SAMPLE_FPS", "many", "expected a number"),
        ("RUMIAI_SAMPLE_FPS", "0", "within 0.1..60"),
        ("RUMIAI_SAMPLE_FPS", "nan", "within 0.1..60"),
        ("RUMIAI_WORKERS", "1.5", "expected a number"),
        ("RUMIAI_STRICT_MODE", "maybe", "expected one of"),
        ("RUMIAI_SERVICES", " , ", "expected names"),
        ("RUMIAI_USE_GPU", "rocm", "expected auto, cuda (or true) or cpu (or false)"),
        ("RUMIAI_SERVER", "localhost", "expected HOST:PORT"),
        ("RUMIAI_SERVER", ":8001", "expected HOST:PORT"),
        ("RUMIAI_SERVER", "host:99999", "expected HOST:PORT"),
        ("RUMIAI_MODE", "turbo", "fast, strict"),
        ("RUMIAI_MAX_COST_USD", "-1", "within 0..1e+06"),
        ("RUMIAI_MAX_COST_USD", "inf", "within 0..1e+06"),
        ("RUMIAI_MAX_COST_USD", "much", "expected a number"),
        ("RUMIAI_HWACCEL", "vulkan", "expected one of , cuda"),
        ("LOG_LEVEL", "loud", "expected one of debug, info, warning, error"),
        ("PRECOMPUTE_METADATA", "perhaps", "expected one of 1, true"),
        ("RUMIAI_CLAUDE", "yes", "auto, off, on, batch"),
    ],
)
def test_a_bad_value_names_the_variable_the_value_and_what_is_expected(name: str, text: str, reason: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load({name: text})
    assert name in caught.value.message
    assert repr(text) in caught.value.message
    assert reason in caught.value.message
    assert caught.value.exit_code == 2


def test_unknown_names_are_warned_about() -> None:
    warnings = load({"RUMIAI_SAMPEL_FPS": "3", "OTHER": "x"})[1]
    assert warnings == ["RUMIAI_SAMPEL_FPS is set but no setting has that name; did you mean RUMIAI_SAMPLE_FPS?"]


# Every variable of the system that this one replaces -> values of it, and what becomes of each: ``member=value`` of the
# settings, "secret", "elsewhere" (something else reads it), "same" (it asks for what is done anyway), "refused" or
# "warned".
OLD_VARIABLES = {
    "CLAUDE_API_KEY": {"k": "secret"},
    "ANTHROPIC_API_KEY": {"k": "secret"},
    "APIFY_API_TOKEN": {"t": "secret"},
    "APIFY_TOKEN": {"t": "secret"},
    "CLAUDE_MODEL": {"sonnet": "claude_model=sonnet"},
    "USE_CLAUDE_SONNET": {"true": "claude_sonnet=True", "false": "same"},
    "USE_ML_PRECOMPUTE": {"true": "same", "1": "same", "false": "refused"},
    "OUTPUT_FORMAT_VERSION": {"v1": "output_format=v1", "v2": "same"},
    "USE_PYTHON_ONLY_PROCESSING": {"true": "python_only=True", "false": "same"},
    "PRECOMPUTE_CREATIVE_DENSITY": {"true": "same", "false": "-creative_density"},
    "PRECOMPUTE_EMOTIONAL_JOURNEY": {"true": "same", "false": "-emotional_journey"},
    "PRECOMPUTE_PERSON_FRAMING": {"true": "same", "false": "-person_framing"},
    "PRECOMPUTE_SCENE_PACING": {"true": "same", "false": "-scene_pacing"},
    "PRECOMPUTE_SPEECH_ANALYSIS": {"true": "same", "false": "-speech_analysis"},
    "PRECOMPUTE_VISUAL_OVERLAY": {"true": "same", "false": "-visual_overlay_analysis"},
    "PRECOMPUTE_METADATA": {"true": "same", "false": "-metadata_analysis"},
    "RUMIAI_BASE_DIR": {"x": "out=x"},
    "RUMIAI_OUTPUT_DIR": {"x": "ml_dir=x"},
    "ML_OUTPUTS_DIR": {"x": "ml_dir=x"},
    "RUMIAI_TEMP_DIR": {"x": "downloads_dir=x"},
    "TEMP_DIR": {"x": "downloads_dir=x"},
    "RUMIAI_UNIFIED_DIR": {"x": "unified_dir=x"},
    "UNIFIED_ANALYSIS_DIR": {"x": "unified_dir=x"},
    "RUMIAI_INSIGHTS_DIR": {"x": "insights_dir=x"},
    "INSIGHTS_DIR": {"x": "insights_dir=x"},
    "RUMIAI_TEMPORAL_DIR": {"x": "temporal_dir=x"},
    "TEMPORAL_MARKERS_DIR": {"x": "temporal_dir=x"},
    "RUMIAI_MAX_VIDEO_DURATION": {"60": "max_video_duration_s=60.0"},
    "MAX_VIDEO_DURATION": {"180": "max_video_duration_s=180.0", "long": "refused"},
    "RUMIAI_SAMPLE_FPS": {"1": "sample_fps=1.0"},
    "RUMIAI_FRAME_SAMPLE_RATE": {"1.0": "sample_fps=1.0"},
    "DEFAULT_FPS": {"3": "sample_fps=3.0", "all": "refused"},
    "RUMIAI_PROMPT_DELAY": {"10": "prompt_delay_s=10.0"},
    "PROMPT_DELAY": {"10": "prompt_delay_s=10.0"},
    "RUMIAI_TEMPORAL_MARKERS": {"true": "same", "false": "refused"},
    "RUMIAI_STRICT_MODE": {"true": "strict=True"},
    "RUMIAI_CLEANUP_VIDEO": {"true": "cleanup_video=True", "false": "same"},
    "CLEANUP_VIDEO": {"true": "cleanup_video=True"},
    "CLAUDE_COST_THRESHOLD": {"0.5": "warn_cost_usd=0.5"},
    "ENABLE_COST_MONITORING": {"true": "same", "false": "refused"},
    "LOG_LEVEL": {"DEBUG": "log_level=DEBUG", "loud": "refused"},
    "COLORED_LOGS": {"true": "same", "false": "colored_logs=False", "red": "refused"},
    "RUMIAI_USE_GPU": {"true": "device=cuda", "false": "device=cpu", "auto": "same"},
    "CUDA_VISIBLE_DEVICES": {"0": "elsewhere"},
    "USE_GPU_FOR_FEAT": {"true": "warned", "false": "same"},
    "YOLO_FRAME_SKIP": {"-1": "same", "3": "refused"},
    "PYTHON_CMD": {"python3": "elsewhere"},
    "RUMIAI_TEST_MODE": {"true": "refused", "false": "same"},
    "TEMPORAL_COMPACT_MODE": {"true": "warned", "false": "same"},
    "TEMPORAL_MARKERS_CONFIG": {"markers.json": "refused"},
    "ENABLE_TEMPORAL_MARKERS": {"true": "same", "false": "refused"},
    "TEMPORAL_ROLLOUT_PERCENTAGE": {"100": "same", "10": "refused"},
    "VIDEO_ID": {"7": "warned"},
    "VIDEO_PATH": {"a.mp4": "warned"},
    "CLAUDE_API_URL": {"https://api.anthropic.com/v1/messages": "same", "http://127.0.0.1:1": "refused"},
    "RUMIAI_LOG_DIR": {"x": "log_dir=x"},
    "RUMIAI_DEBUG_DIR": {"x": "warned"},
    "RUMIAI_MAX_COST_USD": {"1": "max_cost_usd=1.0"},
    "RUMIAI_MAX_CONCURRENT_PROMPTS": {"2": "concurrent_prompts=2"},
    "RUMIAI_SERVICES": {"ocr": "services=('ocr',)"},
    "RUMIAI_OCR_LANGS": {"en,de": "ocr_langs=en,de"},
    "RUMIAI_WHISPER_MODEL": {"tiny.en": "whisper_model=tiny.en"},
    "RUMIAI_FORCE": {"true": "force=True"},
}


def becomes(name: str, text: str) -> str:
    """What becomes of one variable, in the words of the table."""
    try:
        settings, warnings = load({name: text})
    except ConfigurationError as exc:
        refusal = exc
    else:
        return what_is_set(name, text, settings, warnings)
    assert refusal.exit_code == 2
    assert refusal.message.startswith(name)
    assert text in refusal.message
    assert refusal.hint
    return "refused"


def what_is_set(name: str, text: str, settings: Settings, warnings: list[str]) -> str:
    if warnings:
        assert [warning.split()[0] for warning in warnings] == [name]
        return "warned"
    changed = {m: v for m, v in dict(settings).items() if v != getattr(Settings(), m)}
    if "judged_analyses" in changed:
        (left_out,) = set(ANALYSES) - set(settings.judged_analyses)
        return f"-{left_out}"
    if changed:
        return ",".join(f"{member}={value}" for member, value in changed.items())
    if read_secrets({name: text}) != read_secrets({}):
        return "secret"
    return "elsewhere" if name in READ_ELSEWHERE else "same"


@pytest.mark.parametrize("name", OLD_VARIABLES)
def test_no_variable_of_the_earlier_system_is_passed_over(name: str) -> None:
    assert {text: becomes(name, text) for text in OLD_VARIABLES[name]} == OLD_VARIABLES[name]
    # Each is in the tables that the page of settings is made of.
    documented = [name for variable in variables() for name in variable.names]
    assert name in [*documented, *READ_ELSEWHERE, *(variable.name for variable in OLDER)]


def test_who_reads_an_older_variable_itself_is_not_warned() -> None:
    assert load({"VIDEO_ID": "7", "VIDEO_PATH": "a.mp4"}, taken=("VIDEO_ID", "VIDEO_PATH"))[1] == []


def test_every_setting_has_a_name_and_a_meaning() -> None:
    names = [name for variable in variables() for name in variable.names]
    assert len(names) == len(set(names))
    assert all(variable.names and variable.meaning for variable in variables())


def test_dotenv(tmp_path: Path) -> None:
    assert read_dotenv(tmp_path / ".env") == {}
    (tmp_path / ".env").write_text('# note\nRUMIAI_SAMPLE_FPS=3\nRUMIAI_OCR_LANGS="en,de"\n')
    assert read_dotenv(tmp_path / ".env") == {"RUMIAI_SAMPLE_FPS": "3", "RUMIAI_OCR_LANGS": "en,de"}


def test_plugins_are_code_and_never_come_from_dotenv() -> None:
    assert load({"RUMIAI_PLUGINS": "one, two.py"})[0].plugins == ("one", "two.py")
    with pytest.raises(ConfigurationError, match=r"RUMIAI_PLUGINS stands in \.env"):
        load({}, dotenv={"RUMIAI_PLUGINS": "one"})


def test_analyses_are_left_out_of_claude_one_by_one() -> None:
    assert len(Settings().judged_analyses) == 7
    judged = load({"PRECOMPUTE_METADATA": "0", "PRECOMPUTE_SCENE_PACING": "off"})[0].judged_analyses
    assert {"metadata_analysis", "scene_pacing"}.isdisjoint(judged)
    assert len(judged) == 5


@pytest.mark.parametrize("name", ["USE_ML_PRECOMPUTE", "ENABLE_COST_MONITORING", "RUMIAI_TEMPORAL_MARKERS"])
def test_a_switch_that_is_gone_is_refused_when_it_asks_for_the_old_way(name: str) -> None:
    assert load({name: "true"}) == (Settings(), [])
    with pytest.raises(ConfigurationError, match=f"{name}=false asks for what RumiAI no longer does"):
        load({name: "false"})


def test_keys_are_in_no_settings_and_not_shown() -> None:
    environment = {"CLAUDE_API_KEY": "sk-ant-one", "ANTHROPIC_API_KEY": "sk-ant-two"}
    secrets = read_secrets(environment, {"CLAUDE_API_KEY": "sk-ant-three"})
    assert (secrets.claude_key, secrets.anthropic_key) == ("sk-ant-one", "sk-ant-two")
    assert "sk-ant" not in repr(secrets) + repr(load(environment)[0])


def test_settings_are_frozen_and_checked_however_they_are_made() -> None:
    settings = Settings(workers=3)
    with pytest.raises(ValidationError, match="frozen"):
        settings.workers = 4  # type: ignore[misc]
    with pytest.raises(ValidationError, match=r"within 0\.\.256"):
        Settings(workers=-1)
    with pytest.raises(ValidationError, match="Extra inputs"):
        Settings(wokers=1)  # type: ignore[call-arg]
    assert settings.changed(claude="batch").claude == "batch"
    assert settings.changed(claude="batch").workers == 3
    with pytest.raises(ConfigurationError, match="claude: got 'maybe', expected one of auto, off, on, batch"):
        settings.changed(claude="maybe")


def test_worker_processes_get_equal_settings() -> None:
    settings, _ = load({"RUMIAI_SERVICES": "ocr", "RUMIAI_MAX_COST_USD": "none"}, {"out": "here"})
    assert pickle.loads(pickle.dumps(settings)) == settings


def test_records_get_equal_settings() -> None:
    settings, _ = load({"RUMIAI_SERVICES": "ocr", "RUMIAI_MAX_COST_USD": "none", "RUMIAI_USE_GPU": "false"})
    assert Settings.from_json(json.loads(json.dumps(settings.to_json(), allow_nan=False))) == settings
    assert Settings.from_json({}) == Settings()
    with pytest.raises(ConfigurationError, match="workers: got 'x', expected a number"):
        Settings.from_json({"workers": "x"})


def test_a_bad_flag_is_named_as_a_flag() -> None:
    with pytest.raises(ConfigurationError, match="--sample-fps: got 'x', expected a number"):
        load({"RUMIAI_SAMPLE_FPS": "2"}, {"sample_fps": "x"})


def test_a_flag_is_called_what_the_command_line_calls_it() -> None:
    with pytest.raises(ConfigurationError, match=r"--max-cost: got 'x', expected a number"):
        load({}, {"max_cost_usd": "x"}, flag_names={"max_cost_usd": "--max-cost"})
    with pytest.raises(ConfigurationError, match=r"RUMIAI_MAX_COST_USD: got 'x', expected a number"):
        load({"RUMIAI_MAX_COST_USD": "x"}, {}, flag_names={"max_cost_usd": "--max-cost"})


def test_an_empty_folder_name_is_no_folder() -> None:
    with pytest.raises(ConfigurationError, match="--out: got '', expected a folder"):
        load({}, {"out": ""})
    assert load({"RUMIAI_BASE_DIR": ""})[0].out == Path("out")
