"""Templates, the data part of prompts, size rules, and whether citations are in the data."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rumiai.contracts.metadata import VideoMetadata
from rumiai.errors import ConfigurationError
from rumiai.insights.citing import Corpus
from rumiai.insights.cleaning import clean_text
from rumiai.insights.context import build_context
from rumiai.insights.data import PromptData, to_json
from rumiai.insights.models import MODELS, Usage, cost_usd, model_of
from rumiai.insights.prompt import Prompt, PromptTooLargeError, build_prompt
from rumiai.insights.shrinking import HARD_LIMIT_BYTES, fit
from rumiai.insights.templates import load_templates, templates_source
from rumiai.metrics.registry import ANALYSES, schema_of

from ...faults.claude_videos import video
from ..metrics_videos import segment, text

TEMPLATES = load_templates()
# Tokens of the answer, KB of the data.
LIMITS = {
    "creative_density": (3500, 12), "emotional_journey": (2500, 20), "person_framing": (2500, 8),
    "scene_pacing": (2500, 6), "speech_analysis": (3000, 16), "visual_overlay_analysis": (3000, 12),
    "metadata_analysis": (2000, 4),
}  # fmt: skip


def prompt(name: str, **content: Any) -> Prompt:
    return build_prompt(video(name, **content), TEMPLATES.of[name], TEMPLATES, model_of("haiku"))


def large() -> dict[str, Any]:
    """More of everything than fits."""
    words = "and then we look at this one more time because it matters to all of us today"
    return {
        "texts": [text(f"caption number {i} of {i * 7919}", i / 25, i / 25 + 0.5) for i in range(250)],
        "segments": [segment(f"{i} {words} {i * 31}", i * 0.1, i * 0.1 + 0.1) for i in range(115)],
        "cuts": [0.2 + i * 0.1 for i in range(115)],
    }


@pytest.mark.parametrize("name", ANALYSES)
def test_header_and_contract(name: str) -> None:
    template = TEMPLATES.of[name]
    assert (template.max_output_tokens, template.max_context_bytes) == (LIMITS[name][0], LIMITS[name][1] * 1024)
    assert schema_of(name).contract_text().rstrip() in template.text
    assert "{{" not in template.text
    assert '""' not in template.text
    for block in schema_of(name).blocks:
        for field in block.fields:
            if field.kind == "judge" or field.judged:
                assert f"{field.name}" in template.text.split("# Output contract")[0], field.name


@pytest.mark.parametrize("name", ANALYSES)
def test_the_answer_schema_asks_for_six_blocks_and_no_more_nulls_than_the_api_takes(name: str) -> None:
    schema = TEMPLATES.of[name].schema
    assert len(schema["required"]) == 6
    assert json.dumps(schema).count('"anyOf"') <= 16
    shape = TEMPLATES.of[name].text.rsplit("\n\n", 1)[1]
    values = re.findall(r'[:\[] ?"([^"]+)"', shape)
    assert values
    assert all(re.fullmatch("<[a-z]+>", value) for value in values)


@pytest.mark.parametrize("name", ANALYSES)
def test_small_and_large_videos_are_rendered(name: str) -> None:
    for content in ({}, large()):
        made = prompt(name, **content)
        data = made.messages[0]["content"][1]["text"]
        payload = json.loads(data.removeprefix("<data>\n").removesuffix("\n</data>"))
        assert list(payload) == ["video", "metrics", "evidence", "data_quality", "markers"]
        assert schema_of(name).contract_text().rstrip() in made.messages[0]["content"][0]["text"]
        assert made.data.size_bytes <= LIMITS[name][1] * 1024
        assert '"video_id"' not in data
        assert re.fullmatch(r"[A-Za-z0-9_-]{1,64}", made.custom_id)
    if name in ("visual_overlay_analysis", "speech_analysis", "emotional_journey"):
        assert payload["data_quality"]["truncated"]


def test_a_small_video_loses_nothing() -> None:
    for name in ("visual_overlay_analysis", "scene_pacing"):
        assert "truncated" not in prompt(name).data.to_dict()["data_quality"], name


def test_shrinking_goes_in_order_and_says_so() -> None:
    source = video("visual_overlay_analysis", **large())
    payload = build_context(source, TEMPLATES.of["visual_overlay_analysis"])
    sizes = []
    for limit in (40_000, 12_000, 8_000, 4_000):
        small = fit("visual_overlay_analysis", payload, limit)
        steps = small.truncated
        kinds = [step.split(":")[0].split(".")[0] for step in steps]
        order = [kinds.index(kind) for kind in ("more", "evidence", "curves", "metrics") if kind in kinds]
        assert order == sorted(order)
        sizes.append(small.size_bytes)
    assert sizes == sorted(sizes, reverse=True)
    kept = fit("visual_overlay_analysis", payload, 12_000).evidence["texts"]
    assert [item["start"] for item in kept] == sorted(item["start"] for item in kept)


def test_a_long_transcript_keeps_opening_and_ending() -> None:
    speech = [segment("word " * 20 + str(i), i * 0.1, i * 0.1 + 0.1) for i in range(115)]
    context = build_context(video("speech_analysis", segments=speech), TEMPLATES.of["speech_analysis"])
    cut = fit("speech_analysis", context, 10**6)
    kept = cut.evidence["speech"]
    assert kept[0][2].endswith(" 0")
    assert kept[-1][2].endswith(" 114")
    assert sum(len(item[2]) for item in kept) <= 6000
    assert any("transcript" in step for step in cut.truncated)


def test_what_cannot_be_made_small_enough_is_refused() -> None:
    source = video("visual_overlay_analysis", texts=[text("x" * (HARD_LIMIT_BYTES + 9), 0.0, 5.0)])
    with pytest.raises(PromptTooLargeError):
        build_prompt(source, TEMPLATES.of["visual_overlay_analysis"], TEMPLATES, model_of("haiku"))


def test_the_fingerprint_follows_metrics_template_and_model() -> None:
    base = prompt("scene_pacing")
    assert base.fingerprint == prompt("scene_pacing").fingerprint
    source = video("scene_pacing")
    template = TEMPLATES.of["scene_pacing"]
    others = [
        build_prompt(source, template, TEMPLATES, model_of("sonnet")),
        build_prompt(source, replace(template, text=template.text + " "), TEMPLATES, model_of("haiku")),
        build_prompt(source, template, replace(TEMPLATES, system="x"), model_of("haiku")),
        prompt("scene_pacing", cuts=[1.0]),
    ]
    prints = {base.fingerprint, *(other.fingerprint for other in others)}
    assert len(prints) == 5


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda p: p.unlink(), "cannot be read"),
        (lambda p: p.write_text("no header"), "a TOML header"),
        (lambda p: p.write_text(p.read_text().replace('"2.0"', "2.0]")), "not TOML"),
        (lambda p: p.write_text(p.read_text().replace('"3.0"', '"2.0"')), "written for contract 2.0"),
        (lambda p: p.write_text(p.read_text().replace("{{contract}}", "")), "expected once"),
        (lambda p: p.write_text(p.read_text().replace("= 2500", '= "many"')), "max_output_tokens"),
        (lambda p: p.write_text(p.read_text().replace('"scene_pacing"', '"scenes"')), "expected 'scene_pacing'"),
        (lambda p: p.write_text(p.read_text().replace('"energy"', '"sound"')), "got ['sound'], expected some of texts"),
    ],
)
def test_a_bad_template_is_an_error_at_the_start(tmp_path: Path, damage: Any, told: str) -> None:
    shutil.copytree(templates_source(), tmp_path / "t")
    damage(tmp_path / "t" / "scene_pacing_v2.txt")
    with pytest.raises(ConfigurationError, match=re.escape(told)):
        load_templates(tmp_path / "t")


def test_text_is_cleaned() -> None:
    assert clean_text("a\x00b\u202ec \u200b\n\td https://x.yz/1?q=2 @Jane_Doe jane_doe's janedoe", "jane_doe") == (
        "a bc d [url] [author] [author]'s janedoe"
    )
    family = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
    assert clean_text(family) == family
    assert "\ud800" not in clean_text("x\ud800y")
    assert to_json({"a": "</data>"}) == '{"a":"\\u003c/data\\u003e"}'


CORPUS = Corpus.of(
    PromptData(
        duration_s=20.0,
        language="en",
        metrics={"KeyEvents": {"peaks": [{"timestamp": "14-15s", "duration": 3.3}]}},
        evidence={
            "speech": [[0.0, 2.0, "Don't wait for"], [2.0, 4.0, "the bus, take it!"]],
            "texts": [{"text": "50% OFF \u2014 today", "start": 9.0, "end": 11.5}],
            "scenes": [[0.0, 6.2], [6.2, 13.8]],
        },
        services=(),
        missing=[],
        markers={},
    )
)


@pytest.mark.parametrize(
    ("said", "faults"),
    [
        ('shows "50% off today" in red', 0),
        ('shows "50% off tomorrow"', 1),
        ('says "dont wait for the bus"', 0),
        ("says \u201ctake the train\u201d", 1),
        ("the speaker's tone doesn't change", 0),
        ("at 9 s", 0),
        ("at 9.5 seconds and 0:14", 0),
        ("at 17.4s", 1),
        ("from 14-15s", 0),
        ("between 9 and 18 s", 1),
        ("holds for 5 seconds", 0),
        ("after 40 s", 1),
        ("1:30", 1),
        ("no citation at all", 0),
    ],
)
def test_citations(said: str, faults: int) -> None:
    assert len(CORPUS.faults(said)) == faults


def test_phrases_have_their_time() -> None:
    assert CORPUS.said_at("wait for the bus", 1.0)
    assert CORPUS.said_at("take it", 2.5)
    assert not CORPUS.said_at("take it", 9.0)
    assert not CORPUS.said_at("take them", 2.5)
    assert not CORPUS.said_at("...", 2.5)
    assert not CORPUS.has('"!"')


def test_scripts_without_blanks_are_quoted_too() -> None:
    caption = "\u3053\u308c\u306f\u65b0\u3057\u3044\u3067\u3059"
    corpus = Corpus.of(PromptData(9.0, None, {}, {"caption": caption}, (), [], {}))
    assert corpus.has("\u65b0\u3057\u3044")
    assert not corpus.has("\u53e4\u3044")


def test_prices() -> None:
    haiku = model_of("haiku")
    assert cost_usd(haiku, Usage(1_000_000 - 900_001, 0)) == pytest.approx(0.0099999)
    # A prompt longer than 100 000 tokens costs five times as much, all of it.
    assert cost_usd(haiku, Usage(60_000, 1000, cache_read=60_000)) == pytest.approx(
        (60_000 * 0.5 + 60_000 * 0.05 + 1000 * 2.5) / 1e6
    )
    assert cost_usd(model_of("sonnet"), Usage(1000, 100), batch=True) == pytest.approx(0.0015)
    assert cost_usd(model_of("claude-haiku-4-5-20251001"), Usage(1000, 100)) == pytest.approx(0.0015)
    assert cost_usd(model_of("claude-unheard-of"), Usage(1, 1)) is None
    assert cost_usd(MODELS["claude-3-haiku-20240307"], Usage(1_000_000, 1_000_000)) == pytest.approx(1.5)


def test_most_is_never_less_than_what_it_costs() -> None:
    made = prompt("visual_overlay_analysis")
    most = made.most_cost_usd()
    estimate = made.estimated_cost_usd()
    assert most is not None
    assert estimate is not None
    assert most > estimate
    worst = cost_usd(made.model, Usage(made.size_bytes, made.max_tokens))
    assert worst is not None
    assert most >= worst


def test_a_caption_is_cut_as_told() -> None:
    caption = "a" * 450 + "b" * 450
    meta = replace(VideoMetadata.local("v"), description=caption)
    context = build_context(video("metadata_analysis", metadata=meta), TEMPLATES.of["metadata_analysis"])
    sent = context.evidence["caption"]
    assert sent == "a" * 400 + " ... " + "b" * 100
