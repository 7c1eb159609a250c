"""The schema of the blocks agrees, field by field, with tests/golden/analyses_section9.md.

The parser knows nothing of the schema's own classes: it reads that page, whose tables and prose lines are
two different notations, into plain records.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Annotated

import jsonschema
import numpy as np
import pytest
from pydantic import ValidationError

from rumiai.contracts.blocks import GENERIC_BLOCKS, AnalysisBlocks, Block, FieldSchema, Record, Schema
from rumiai.contracts.blocks.types import Count, Number, Ratio
from rumiai.errors import ContractError
from rumiai.metrics.registry import ANALYSES, schema_of

GOLDEN = Path(__file__).parents[3] / "golden" / "analyses_section9.md"
COMMON = {"confidence", "missingServices", "overallConfidence"}
NUMBERED = re.compile(r"### 9\.\d (\w+)")
HEADING = re.compile(r"(\w+(?:CoreMetrics|Dynamics|Interactions|KeyEvents|Patterns|Quality))")
NAME = re.compile(r"[a-zA-Z]\w*")


def _names(cell: str) -> list[tuple[str, tuple[str, ...]]]:
    """'a (= b)' -> [(a, (b,))]; 'a, b' -> two; 'a (c incl. stickers)' -> a and c, which differs from it."""
    found: list[tuple[str, tuple[str, ...]]] = []
    for part in re.split(r",\s*(?![^(]*\))", cell):
        match = re.fullmatch(r"(\w+)(?:\s*\((=?)\s*(\w+)[^)]*\))?", part.strip())
        assert match, part
        name, same, other = match.groups()
        if other and same:
            found.append((name, (other,)))
        else:
            found += [(name, ()), *([(other, ())] if other else [])]
    return found


def _kind(text: str) -> tuple[str, bool]:
    """(num or judge, whether a model adds to it)."""
    text = re.sub(r"\(.*?\)", "", text) if "judge" not in text else text
    starts_with = "judge" if text.strip().startswith("judge") else "num"
    return starts_with, "judge" in text and starts_with == "num"


def _record(cell: str, type_text: str, kind_text: str) -> list[dict]:
    kind, mixed = _kind(kind_text)
    members = re.search(r"\{([^}]*)\}", type_text)
    at_most = re.search(r"<=\s*(\d+) of", type_text)
    return [
        {
            "name": name,
            "aliases": aliases,
            "nullable": "?" in re.sub(r"\{[^}]*\}|\([^)]*\)", "", type_text),
            "kind": kind,
            "mixed": mixed,
            "type": re.sub(r"\s*\?$", "", type_text.strip()),
            "members": re.findall(r"(\w+)[^,]*", members[1]) if members else None,
            "at_most": int(at_most[1]) if at_most else None,
        }
        for name, aliases in _names(cell)
    ]


def _prose(line: str) -> list[dict]:
    """Fields of 'name type ? kind; name type ...'."""
    line = re.sub(r"All texts must exist in OCR data\.|- all num\.", "", line).rstrip(". ")
    out: list[dict] = []
    all_num = "metadataCoreMetrics" in line
    body = line.split(":", 1)[1]
    for part in re.split(r";\s*(?![^{(]*[})])", body):
        carried: list[str] = []  # names that stand before the type they share: "a, b 0..1 ? num"
        pieces = re.split(r",\s*(?![^{(]*[})])", part.strip())
        # Within one part commas separate either names that share a type, or fields with types of their own.
        rebuilt: list[str] = []
        for piece in pieces:
            if re.fullmatch(r"\w+", piece.strip()):
                carried.append(piece.strip())
            elif piece.strip().startswith("purpose judge"):
                rebuilt[-1] += ", " + piece.strip()
            else:
                rebuilt.append(", ".join([*carried, piece.strip()]))
                carried = []
        pending: list[tuple[str, str]] = []
        for field in rebuilt:
            match = re.match(r"((?:\w+,\s)*\w+(?:\s\(=?\s?[^)]*\))?)\s+(.*)", field, re.DOTALL)
            assert match, field
            pending.append((match[1], match[2]))
        kinds = [re.search(r"\b(num|judge)\b.*$", rest, re.DOTALL) for _, rest in pending]
        for (cell, rest), kind in zip(pending, kinds, strict=True):
            found = kind or next((k for k in kinds if k), None)
            assert found or all_num, part
            out += _record(cell, rest[: kind.start()] if kind else rest, found[0] if found else "num")
    return out


def section9() -> dict[str, dict[str, list[dict]]]:
    found: dict[str, dict[str, list[dict]]] = {}
    analysis = block = ""
    for line in GOLDEN.read_text().splitlines():
        if match := NUMBERED.match(line):
            analysis = match[1]
            found[analysis] = {}
        elif match := HEADING.match(line):
            block = match[1]
            found[analysis][block] = _prose(line) if ":" in line else []
        elif line.startswith("| ") and analysis and not line.startswith("| field"):
            cell, type_text, kind, _ = (c.strip() for c in line.strip("|").split("|", 3))
            found[analysis][block] += _record(cell, type_text, kind)
    return found


SECTION9 = section9()
FIELDS = [(a, block, f) for a, blocks in SECTION9.items() for block, fields in blocks.items() for f in fields]


INT = {"type": "integer", "minimum": 0}
BIT = {"type": "integer", "minimum": 0, "maximum": 1}
RATIO = {"type": "number", "minimum": 0, "maximum": 1}
FLAG = {"type": "boolean"}
SPAN = {"type": "string", "pattern": r"^(\d+(?:\.\d)?)-(\d+(?:\.\d)?)s$"}


def _is(kind: dict, *names: str) -> bool:
    return kind["type"] in names


def test_the_parser_reads_all_of_section_9():
    counts = {a: [len(fields) for fields in blocks.values()] for a, blocks in SECTION9.items()}
    assert counts == {
        "creative_density": [9, 5, 4, 3, 5, 4],
        "emotional_journey": [8, 6, 5, 4, 5, 6],
        "person_framing": [16, 7, 7, 6, 8, 5],
        "scene_pacing": [13, 10, 8, 8, 8, 6],
        "speech_analysis": [24, 13, 7, 9, 8, 7],
        "visual_overlay_analysis": [15, 10, 9, 8, 9, 8],
        "metadata_analysis": [17, 10, 5, 8, 9, 9],
    }


def test_the_same_analyses_and_blocks():
    assert set(ANALYSES) == set(SECTION9)
    assert ANALYSES == (
        "creative_density", "emotional_journey", "speech_analysis", "visual_overlay_analysis", "metadata_analysis",
        "person_framing", "scene_pacing",
    )  # fmt: skip
    for name, blocks in SECTION9.items():
        assert list(blocks) == [schema_of(name).prefix + generic for generic in GENERIC_BLOCKS]


@pytest.mark.parametrize("name", ANALYSES)
def test_the_same_fields_in_the_same_order(name):
    for block, fields in SECTION9[name].items():
        expected = [field["name"] for field in fields if field["name"] not in COMMON]
        generic = schema_of(name).generic_of[block]
        ours = schema_of(name).block(generic)
        assert [f.name for f in ours.fields if f.name not in COMMON] == expected
        common = [f.name for f in ours.fields if f.name in COMMON]
        assert common == (["missingServices", "overallConfidence"] if generic == "Quality" else ["confidence"])


@pytest.mark.parametrize(("name", "block", "golden"), FIELDS, ids=[f"{b_}.{f['name']}" for _, b_, f in FIELDS])
def test_field(name, block, golden):
    ours = schema_of(name).block(schema_of(name).generic_of[block]).by_key[golden["name"]]
    assert ours.aliases == golden["aliases"]
    assert ours.nullable == golden["nullable"], golden["type"]
    assert ours.kind == golden["kind"]
    if golden["mixed"]:
        by_rule = {"viewerAdaptationCurve", "conversationalDynamics"}
        assert ours.judged or ours.extensible or golden["name"] in by_rule
    _check_type(ours.value_node, golden)


def _check_type(kind: dict, golden: dict) -> None:
    text = golden["type"]
    if golden["members"] is not None:
        record = kind["items"] if _is(kind, "array") else kind
        assert _is(kind, "array") == text.startswith("list")
        assert list(record["properties"]) == golden["members"]
    elif text.startswith("list"):
        assert _is(kind, "array")
    elif text == "" and golden["name"].endswith(("Completeness", "Confidence")):
        assert kind == RATIO
    elif text == "":  # "num rule", or a list of what the page does not name
        assert "enum" in kind or _is(kind, "array")
    elif text.startswith("object"):
        assert _is(kind, "object")
        if count := re.match(r"object of ([1-9]\d*) ", text):
            assert len(kind["properties"]) == int(count[1])
            nullable = {"anyOf": [INT, {"type": "null"}]}
            maybe = {name: {"anyOf": [node, {"type": "null"}]} for name, node in (("float", RATIO), ("bool", FLAG))}
            inner = {"(float ?)": maybe["float"], "(bool ?)": maybe["bool"], "(int ?)": nullable}[text.split(" ", 3)[3]]
            assert all(member == inner for member in kind["properties"].values())
    elif text.startswith("bool"):
        assert kind == FLAG
    elif re.match(r"int\b", text):
        assert kind == INT
    elif text == "0/1":
        assert kind == BIT
    elif match := re.match(r"(-?\d+)\.\.(\d+)", text.removeprefix("% ")):
        assert _is(kind, "integer", "number")
        assert (kind["minimum"], kind["maximum"]) == (float(match[1]), float(match[2]))
    elif re.search(r"^\w+(\||, )\w+", text):
        # The page lists some scales from their upper end; an enum is a set, and one set has one order in the house.
        assert sorted(kind["enum"]) == sorted(re.split(r"\||,\s*", text))
    elif text in ("str", "label"):
        assert _is(kind, "string")
    else:
        assert re.match(r"float|num|s\b|s\^2|per s|words/s|%", text), text
        assert _is(kind, "integer", "number")


def test_words_that_section_9_leaves_to_the_sections_before():
    overlays = schema_of("visual_overlay_analysis")
    assert overlays.block("Dynamics").by_key["appearancePattern"].value_node["enum"] == [
        "gradual", "burst", "rhythmic", "random",
    ]  # fmt: skip
    assert overlays.block("Interactions").by_key["multiLayerComplexity"].value_node["enum"] == [
        "simple", "moderate", "complex",
    ]  # fmt: skip


def test_the_timestamps_that_are_spans():
    text = GOLDEN.read_text()
    listed = re.search(r"are \"a-bs\" strings: (.*?)\. \"a-bs\" strings are also", text, re.DOTALL)[1]
    expected = set(NAME.findall(listed)) - {"and", "of", "emotionalKeyEvents"}
    spans = set()
    for name in ANALYSES:
        for _, field in schema_of(name).fields:
            kind = field.value_node
            stamp = (kind["items"] if _is(kind, "array") else kind).get("properties", {}).get("timestamp")
            if stamp == SPAN:
                spans.add(field.name)
            elif stamp is not None:
                _ends_with_the_video(field)
    assert spans == expected
    overlays = schema_of("visual_overlay_analysis").block("KeyEvents").by_key
    assert overlays["climaxMoment"].value_node == SPAN
    assert overlays["quietMoments"].value_node == {"type": "array", "items": SPAN}


def _ends_with_the_video(field: FieldSchema) -> None:
    late = sample(field.node, False)
    (late[0] if isinstance(late, list) else late)["timestamp"] = 99.0
    (problem,) = field.check(late, field.name, 10.0)
    assert (problem.code, problem.expected) == ("range", "a time in 0..10 s")


def sample(kind: dict, null: bool) -> object:
    """Any valid value of a JSON Schema node; null wherever that may be, if asked."""
    if "anyOf" in kind:
        return None if null else sample(kind["anyOf"][0], null)
    if "properties" in kind:
        return {name: sample(member, null) for name, member in kind["properties"].items()}
    if _is(kind, "array"):
        return [sample(kind["items"], null)]
    if _is(kind, "object"):
        return {"0-5s": sample(kind["additionalProperties"], null)}
    if "enum" in kind:
        return kind["enum"][-1]
    if "pattern" in kind:
        return "0-1.5s"
    return {"boolean": True, "string": "x", "integer": 1, "number": 0.5}[kind["type"]]


def sample_blocks(name: str, null: bool = False) -> dict[str, dict]:
    return {
        block.name: {key: sample(f.node, null) for f in block.fields for key in (f.name, *f.aliases)}
        for block in schema_of(name).blocks
    }


@pytest.mark.parametrize("null", [False, True])
@pytest.mark.parametrize("name", ANALYSES)
def test_validator_and_json_schema_accept_the_same(name, null):
    generic = sample_blocks(name, null)
    assert schema_of(name).problems(generic, duration_s=10.0) == []
    assert schema_of(name).problems(schema_of(name).to_prefixed(generic)) == []
    for prefixed, blocks in ((False, generic), (True, schema_of(name).to_prefixed(generic))):
        schema = schema_of(name).json_schema(prefixed=prefixed)
        jsonschema.Draft202012Validator.check_schema(schema)
        jsonschema.validate(blocks, schema, cls=jsonschema.Draft202012Validator)
    assert json.loads(json.dumps(generic)) == generic


@pytest.mark.parametrize("name", ANALYSES)
def test_validator_and_json_schema_refuse_the_same(name):
    checker = jsonschema.Draft202012Validator(schema_of(name).json_schema(prefixed=False))
    for block, field in schema_of(name).fields:
        for wrong in (object, "~wrong~", -7.5, [[]], {"~": 1}, True, float("nan"), None):
            blocks = sample_blocks(name)
            blocks[block.name][field.name] = wrong
            for alias in field.aliases:
                blocks[block.name][alias] = wrong
            ours = [p for p in schema_of(name).problems(blocks) if p.code != "alias"]
            if wrong is object or wrong != wrong:  # what JSON cannot hold is for the validator alone
                assert ours
            else:
                assert bool(ours) == (not checker.is_valid(blocks)), (field.name, wrong)


def test_problems_say_where_what_and_what_belongs_there():
    blocks = schema_of("creative_density").to_prefixed(sample_blocks("creative_density"))
    core, events = blocks["densityCoreMetrics"], blocks["densityKeyEvents"]
    core["timelineCoverage"] = 1.06
    core["confidence"] = None
    core["surprise"] = 1
    core["_extra"] = {"kept": 1}
    del core["avgDensity"]
    events["deadZones"] = [{"start": 1.0, "end": 99.0, "duration": 98.0}]
    events["peakMoments"][0]["timestamp"] = "3-4"
    blocks["densityDynamics"]["accelerationPattern"] = "sideways"
    found = {p.path: p.code for p in schema_of("creative_density").problems(blocks, duration_s=10.0)}
    assert found == {
        "densityCoreMetrics.timelineCoverage": "range",
        "densityCoreMetrics.confidence": "null",
        "densityCoreMetrics.surprise": "unknown",
        "densityCoreMetrics.avgDensity": "missing",
        "densityKeyEvents.deadZones[0].end": "range",
        "densityKeyEvents.peakMoments[0].timestamp": "type",
        "densityDynamics.accelerationPattern": "word",
    }
    problem = schema_of("creative_density").problems(blocks)[0]
    assert str(problem) == "densityCoreMetrics.avgDensity: got nothing, expected number >= 0 or null"


def test_spans_and_lists_beyond_their_limits():
    blocks = sample_blocks("scene_pacing")
    blocks["KeyEvents"]["longestScene"]["timestamp"] = "5-2s"
    blocks["KeyEvents"]["shortestScene"]["timestamp"] = "9-11s"
    blocks["Dynamics"]["pacingCurve"] *= 11
    codes = {p.path: p.code for p in schema_of("scene_pacing").problems(blocks, duration_s=10.0)}
    assert codes == {
        "KeyEvents.longestScene.timestamp": "range",
        "KeyEvents.shortestScene.timestamp": "range",
        "Dynamics.pacingCurve": "range",
    }


def test_keys_that_are_no_spans():
    blocks = sample_blocks("speech_analysis")
    blocks["Quality"]["clarityByWindow"] = {"0-5": 0.5, "7-5s": 0.5, "5-10s": 2.0, "10-99s": None}
    problems = [str(p) for p in schema_of("speech_analysis").problems(blocks, duration_s=10.0)]
    assert problems == [
        "Quality.clarityByWindow key: got '0-5', expected span \"a-bs\"",
        "Quality.clarityByWindow key: got '7-5s', expected span \"a-bs\"",
        "Quality.clarityByWindow.5-10s: got 2.0, expected number 0..1",
        "Quality.clarityByWindow key: got '10-99s', expected a span within 0..10 s",
    ]


def test_an_alias_that_differs_from_its_field():
    blocks = sample_blocks("scene_pacing")
    blocks["CoreMetrics"]["averageSceneDuration"] = 3.0
    (problem,) = schema_of("scene_pacing").problems(blocks)
    assert (problem.path, problem.code) == ("CoreMetrics.averageSceneDuration", "alias")


@pytest.mark.parametrize(
    ("name", "given", "generic"),
    [
        ("creative_density", "densityCoreMetrics", "CoreMetrics"),
        ("person_framing", "framingPatterns", "Patterns"),
        ("scene_pacing", "pacingDynamics", "Dynamics"),
        ("visual_overlay_analysis", "visualOverlayQuality", "Quality"),
        ("visual_overlay_analysis", "overlayQuality", "Quality"),
        ("visual_overlay_analysis", "overlayRhythmAndDensity", "Dynamics"),
        ("visual_overlay_analysis", "overlayReadabilityAndPosition", "Patterns"),
        ("visual_overlay_analysis", "overlaySemanticContent", "KeyEvents"),
        ("visual_overlay_analysis", "overlayMultimodalAlignment", "Interactions"),
    ],
)
def test_block_names_of_other_origins(name, given, generic):
    content = sample_blocks(name)[generic]
    assert schema_of(name).to_generic({given: content}) == {generic: content}
    assert schema_of(name).to_prefixed({given: content}) == {schema_of(name).prefix + generic: content}


def test_blocks_of_another_analysis_are_refused():
    problems = schema_of("creative_density").problems(
        schema_of("scene_pacing").to_prefixed(sample_blocks("scene_pacing"))
    )
    assert [p.code for p in problems] == ["unknown_block"] * 6 + ["missing_block"] * 6
    twice = {**sample_blocks("scene_pacing"), "scenePacingQuality": {}}
    assert [p.code for p in schema_of("scene_pacing").problems(twice)] == ["unknown_block"]
    not_an_object = {**sample_blocks("scene_pacing"), "Quality": 3}
    assert [p.code for p in schema_of("scene_pacing").problems(not_an_object)] == ["type"]
    with pytest.raises(ContractError, match="got analysis 'density'"):
        schema_of("density").problems({})


@pytest.mark.parametrize("name", ANALYSES)
def test_contract_text_and_tables_name_every_field(name):
    text, table = schema_of(name).contract_text(), schema_of(name).markdown()
    for block, field in schema_of(name).fields:
        heading = schema_of(name).prefix + block.name
        assert f"\n{heading}: object\n" in text
        assert f"### {heading}\n" in table
        for key in (field.name, *field.aliases):
            assert key in text
            assert f"`{key}`" in table
    assert (
        "- elementCooccurrence: object name -> integer >= 0 or null [num]"
        in schema_of("creative_density").contract_text()
    )
    assert "[num; judge may append]" in schema_of("creative_density").contract_text()
    rows = [line for line in table.splitlines() if line.startswith("| `")]
    assert len(rows) == len(schema_of(name).fields)
    assert all(len(re.findall(r"(?<!\\)\|", row)) == 5 for row in rows)


def test_the_schema_of_what_a_model_decides():
    schema = schema_of("creative_density").json_schema(judge_only=True)
    assert list(schema["properties"]) == ["densityPatterns"]
    assert list(schema["properties"]["densityPatterns"]["properties"]) == ["mlTags"]
    emotional = schema_of("emotional_journey").json_schema(judge_only=True, prefixed=False)
    assert "journeyArchetype" in emotional["properties"]["Patterns"]["required"]


def test_a_field_that_says_nothing_of_itself_is_refused():
    class Bare(Block):
        """A block."""

        value: Count

    class Blocks(AnalysisBlocks):
        """The six blocks."""

        dynamics: Bare

    with pytest.raises(TypeError, match=r"Bare\.value: got no num\(...\) or judge\(...\) in its annotation"):
        _ = Schema("x", "x", Blocks).blocks


def test_an_own_number_is_rounded_as_it_enters_and_a_foreign_one_is_not():
    class Rates(Record):
        """Some numbers."""

        ratio: Ratio
        views: Annotated[float, Number(low=0, decimals=4)]
        count: Count

    rates = Rates(ratio=1.0004, views=-0.00001, count=np.int64(3))
    assert json.dumps(rates.model_dump()) == '{"ratio": 1.0, "views": 0.0, "count": 3}'
    with pytest.raises(ValidationError, match="finite number"):
        Rates(ratio=float("nan"), views=0.5, count=1)
    field = schema_of("creative_density").block("CoreMetrics").by_key["timelineCoverage"]
    assert [problem.code for problem in field.check(1.0004, "x", None)] == ["range"]


def test_blocks_are_read_from_their_json():
    for name in ANALYSES:
        blocks = sample_blocks(name)
        assert schema_of(name).to_json(schema_of(name).read(blocks)) == blocks
