"""Properties of judging that hold for any answer whatever."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rumiai.insights.judging import judge
from rumiai.insights.models import model_of
from rumiai.insights.prompt import Prompt, build_prompt
from rumiai.insights.templates import load_templates
from rumiai.metrics.registry import schema_of

from ...faults.claude_server import good_answer
from ...faults.claude_videos import video

TEMPLATES = load_templates()
NAMES = ("visual_overlay_analysis", "scene_pacing", "metadata_analysis", "creative_density")
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.sampled_from(
    ["<str>", "0-3s", "99-98s", 'says "x"', "at 500 s", "professional", "mixed", "high"]
)  # fmt: skip
ANYTHING = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
TEXTS = st.text(max_size=80) | st.binary(max_size=60).map(lambda raw: raw.decode("latin-1")) | ANYTHING.map(json.dumps)


def prompt_of(name: str) -> Prompt:
    return build_prompt(video(name), TEMPLATES.of[name], TEMPLATES, model_of("haiku"))


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    out = [path] if path else []
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        out += places(item, (*path, key))
    return out


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_no_answer_changes_a_number_or_breaks_a_contract(name: str, data: st.DataObject) -> None:
    prompt, measured = prompt_of(name), video(name).measured[name]
    before = measured.blocks_json()
    answer = copy.deepcopy(good_answer(prompt.request()))
    for _ in range(data.draw(st.integers(0, 3))):
        path = data.draw(st.sampled_from(places(answer)))
        parent = answer
        for key in path[:-1]:
            parent = parent[key]
        parent[path[-1]] = data.draw(ANYTHING)
    verdict = judge(name, json.dumps(answer), "end_turn", measured.blocks, prompt.data)
    assert measured.blocks_json() == before
    after = schema_of(name).to_json(verdict.blocks)
    assert schema_of(name).problems(after, duration_s=12.0) == []
    json.dumps(verdict.to_dict(), allow_nan=False, ensure_ascii=False).encode()
    for block in schema_of(name).blocks:
        for field in block.fields:
            if not field.needs_judgement or not verdict.valid:
                assert after[block.name][field.name] == before[block.name][field.name]
            elif field.judged and before[block.name][field.name] is not None:
                for mine, judged in zip(
                    before[block.name][field.name], after[block.name][field.name], strict=not field.extensible
                ):
                    assert {k: v for k, v in mine.items() if k not in field.judged} == {
                        k: v for k, v in judged.items() if k not in field.judged
                    }
    assert verdict.valid == (not verdict.errors)


@settings(max_examples=150, deadline=None)
@given(
    text=st.text(max_size=80) | st.binary(max_size=60).map(lambda raw: raw.decode("latin-1")) | ANYTHING.map(json.dumps)
)
def test_no_text_is_too_odd(text: str) -> None:
    name = NAMES[0]
    verdict = judge(name, text, "end_turn", video(name).measured[name].blocks, prompt_of(name).data)
    assert not verdict.valid
    assert verdict.errors
