"""The schema of the blocks agrees, field by field, with section 9 of the specification.

The parser knows nothing of the schema's own classes: it reads the checked-in copy of section 9, whose tables and
prose lines are two different notations, into plain records.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest

from rumiai.contracts import blocks as b
from rumiai.contracts.blocks import types as t
from rumiai.errors import ContractError

GOLDEN = Path(__file__).parents[2] / "golden" / "analyses_section9.md"
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


def _inner(kind: t.Type) -> t.Type:
    return kind.inner if isinstance(kind, t.Maybe) else kind


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
    assert set(b.ANALYSES) == set(SECTION9)
    assert b.ANALYSES == (
        "creative_density", "emotional_journey", "speech_analysis", "visual_overlay_analysis", "metadata_analysis",
        "person_framing", "scene_pacing",
    )  # fmt: skip
    for name, blocks in SECTION9.items():
        assert list(blocks) == [b.schema_of(name).prefix + generic for generic in b.GENERIC_BLOCKS]


@pytest.mark.parametrize("name", b.ANALYSES)
def test_the_same_fields_in_the_same_order(name):
    for block, fields in SECTION9[name].items():
        expected = [field["name"] for field in fields if field["name"] not in COMMON]
        generic = b.schema_of(name).generic_of[block]
        ours = b.schema_of(name).block(generic)
        assert [f.name for f in ours.fields if f.name not in COMMON] == expected
        common = [f.name for f in ours.fields if f.name in COMMON]
        assert common == (["missingServices", "overallConfidence"] if generic == "Quality" else ["confidence"])


@pytest.mark.parametrize(("name", "block", "golden"), FIELDS, ids=[f"{b_}.{f['name']}" for _, b_, f in FIELDS])
def test_field(name, block, golden):
    ours = b.schema_of(name).block(b.schema_of(name).generic_of[block]).by_key[golden["name"]]
    assert ours.aliases == golden["aliases"]
    assert ours.nullable == golden["nullable"], golden["type"]
    assert ours.kind == golden["kind"]
    if golden["mixed"]:
        by_rule = {"viewerAdaptationCurve", "conversationalDynamics"}
        assert ours.judged or ours.extensible or golden["name"] in by_rule
    _check_type(_inner(ours.type), golden)


def _check_type(kind: t.Type, golden: dict) -> None:
    text = golden["type"]
    if golden["members"] is not None:
        record = kind.item if isinstance(kind, t.ListOf) else kind
        assert isinstance(kind, t.ListOf) == text.startswith("list")
        assert isinstance(record, t.Record)
        assert list(record.members) == golden["members"]
    elif text.startswith("list"):
        assert isinstance(kind, t.ListOf)
    elif text == "" and golden["name"].endswith(("Completeness", "Confidence")):
        assert kind == t.RATIO
    elif text == "":  # "num rule", or a list of what section 9 does not name
        assert isinstance(kind, t.Words | t.ListOf)
    elif text.startswith("object"):
        assert isinstance(kind, t.Record | t.Table)
        if count := re.match(r"object of ([1-9]\d*) ", text):
            assert isinstance(kind, t.Record)
            assert len(kind.members) == int(count[1])
            inner = {"floats": t.RATIO, "bools": t.FLAG, "(int ?)": t.Maybe(t.INT)}[text.split(" ", 3)[3]]
            assert set(kind.members.values()) == {inner}
    elif text.startswith("bool"):
        assert kind == t.FLAG
    elif re.match(r"int\b", text):
        assert kind == t.INT
    elif text == "0/1":
        assert kind == t.BIT
    elif match := re.match(r"(-?\d+)\.\.(\d+)", text.removeprefix("% ")):
        assert isinstance(kind, t.Number)
        assert (kind.low, kind.high) == (float(match[1]), float(match[2]))
    elif re.search(r"^\w+(\||, )\w+", text):
        assert isinstance(kind, t.Words)
        assert kind.words == tuple(re.split(r"\||,\s*", text))
    elif text in ("str", "label"):
        assert isinstance(kind, t.Text | t.Words | t.Span)
    else:
        assert re.match(r"float|num|s\b|s\^2|per s|words/s|%", text), text
        assert isinstance(kind, t.Number)


def test_words_that_section_9_leaves_to_the_sections_before():
    overlays = b.schema_of("visual_overlay_analysis")
    assert _inner(overlays.block("Dynamics").by_key["appearancePattern"].type).words == (
        "gradual", "burst", "rhythmic", "random",
    )  # fmt: skip
    assert _inner(overlays.block("Interactions").by_key["multiLayerComplexity"].type).words == (
        "simple", "moderate", "complex",
    )  # fmt: skip


def test_the_timestamps_that_are_spans():
    text = GOLDEN.read_text()
    listed = re.search(r"are \"a-bs\" strings: (.*?)\. \"a-bs\" strings are also", text, re.DOTALL)[1]
    expected = set(NAME.findall(listed)) - {"and", "of", "emotionalKeyEvents"}
    spans = set()
    for name in b.ANALYSES:
        for _, field in b.fields_of(name):
            kind = _inner(field.type)
            kind = kind.item if isinstance(kind, t.ListOf) else kind
            if isinstance(kind, t.Record) and kind.members.get("timestamp") == t.SPAN:
                spans.add(field.name)
            elif isinstance(kind, t.Record) and "timestamp" in kind.members:
                assert kind.members["timestamp"] == t.TIME
    assert spans == expected
    overlays = b.schema_of("visual_overlay_analysis").block("KeyEvents").by_key
    assert _inner(overlays["climaxMoment"].type) == t.SPAN
    assert _inner(overlays["quietMoments"].type) == t.ListOf(t.SPAN)


def sample(kind: t.Type, null: bool) -> object:
    """Any valid value of a type; null wherever that may be, if asked."""
    if isinstance(kind, t.Maybe):
        return None if null else sample(kind.inner, null)
    if isinstance(kind, t.Record):
        return {name: sample(member, null) for name, member in kind.members.items()}
    if isinstance(kind, t.ListOf):
        return [sample(kind.item, null)]
    if isinstance(kind, t.Table):
        return {"0-5s": sample(kind.value, null)}
    if isinstance(kind, t.Words):
        return kind.words[-1]
    if isinstance(kind, t.Number):
        return 1 if kind.whole else 0.5
    return {t.Flag: True, t.Text: "x", t.Span: "0-1.5s"}[type(kind)]


def sample_blocks(name: str, null: bool = False) -> dict[str, dict]:
    return {
        block.name: {key: sample(f.type, null) for f in block.fields for key in (f.name, *f.aliases)}
        for block in b.schema_of(name).blocks
    }


@pytest.mark.parametrize("null", [False, True])
@pytest.mark.parametrize("name", b.ANALYSES)
def test_validator_and_json_schema_accept_the_same(name, null):
    generic = sample_blocks(name, null)
    assert b.validate_blocks(name, generic, duration_s=10.0) == []
    assert b.validate_blocks(name, b.to_prefixed(name, generic)) == []
    for prefixed, blocks in ((False, generic), (True, b.to_prefixed(name, generic))):
        schema = b.json_schema(name, prefixed=prefixed)
        jsonschema.Draft202012Validator.check_schema(schema)
        jsonschema.validate(blocks, schema, cls=jsonschema.Draft202012Validator)
    assert json.loads(json.dumps(generic)) == generic


@pytest.mark.parametrize("name", b.ANALYSES)
def test_validator_and_json_schema_refuse_the_same(name):
    checker = jsonschema.Draft202012Validator(b.json_schema(name, prefixed=False))
    for block, field in b.fields_of(name):
        for wrong in (object, "~wrong~", -7.5, [[]], {"~": 1}, True, float("nan"), None):
            blocks = sample_blocks(name)
            blocks[block.name][field.name] = wrong
            for alias in field.aliases:
                blocks[block.name][alias] = wrong
            ours = [p for p in b.validate_blocks(name, blocks) if p.code != "alias"]
            if wrong is object or wrong != wrong:  # what JSON cannot hold is for the validator alone
                assert ours
            else:
                assert bool(ours) == (not checker.is_valid(blocks)), (field.name, wrong)


def test_problems_say_where_what_and_what_belongs_there():
    blocks = b.to_prefixed("creative_density", sample_blocks("creative_density"))
    core, events = blocks["densityCoreMetrics"], blocks["densityKeyEvents"]
    core["timelineCoverage"] = 1.06
    core["confidence"] = None
    core["surprise"] = 1
    core["_extra"] = {"kept": 1}
    del core["avgDensity"]
    events["deadZones"] = [{"start": 1.0, "end": 99.0, "duration": 98.0}]
    events["peakMoments"][0]["timestamp"] = "3-4"
    blocks["densityDynamics"]["accelerationPattern"] = "sideways"
    found = {p.path: p.code for p in b.validate_blocks("creative_density", blocks, duration_s=10.0)}
    assert found == {
        "densityCoreMetrics.timelineCoverage": "range",
        "densityCoreMetrics.confidence": "null",
        "densityCoreMetrics.surprise": "unknown",
        "densityCoreMetrics.avgDensity": "missing",
        "densityKeyEvents.deadZones[0].end": "range",
        "densityKeyEvents.peakMoments[0].timestamp": "type",
        "densityDynamics.accelerationPattern": "word",
    }
    problem = b.validate_blocks("creative_density", blocks)[0]
    assert str(problem) == "densityCoreMetrics.avgDensity: got nothing, expected number >= 0 or null"


def test_spans_and_lists_beyond_their_limits():
    blocks = sample_blocks("scene_pacing")
    blocks["KeyEvents"]["longestScene"]["timestamp"] = "5-2s"
    blocks["KeyEvents"]["shortestScene"]["timestamp"] = "9-11s"
    blocks["Dynamics"]["pacingCurve"] *= 11
    codes = {p.path: p.code for p in b.validate_blocks("scene_pacing", blocks, duration_s=10.0)}
    assert codes == {
        "KeyEvents.longestScene.timestamp": "range",
        "KeyEvents.shortestScene.timestamp": "range",
        "Dynamics.pacingCurve": "range",
    }


def test_an_alias_that_differs_from_its_field():
    blocks = sample_blocks("scene_pacing")
    blocks["CoreMetrics"]["averageSceneDuration"] = 3.0
    (problem,) = b.validate_blocks("scene_pacing", blocks)
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
    assert b.to_generic(name, {given: content}) == {generic: content}
    assert b.to_prefixed(name, {given: content}) == {b.schema_of(name).prefix + generic: content}


def test_blocks_of_another_analysis_are_refused():
    problems = b.validate_blocks("creative_density", b.to_prefixed("scene_pacing", sample_blocks("scene_pacing")))
    assert [p.code for p in problems] == ["unknown_block"] * 6 + ["missing_block"] * 6
    twice = {**sample_blocks("scene_pacing"), "scenePacingQuality": {}}
    assert [p.code for p in b.validate_blocks("scene_pacing", twice)] == ["unknown_block"]
    not_an_object = {**sample_blocks("scene_pacing"), "Quality": 3}
    assert [p.code for p in b.validate_blocks("scene_pacing", not_an_object)] == ["type"]
    with pytest.raises(ContractError, match="got analysis 'density'"):
        b.validate_blocks("density", {})


@pytest.mark.parametrize("name", b.ANALYSES)
def test_contract_text_and_tables_name_every_field(name):
    text, table = b.contract_text(name), b.markdown(name)
    for block, field in b.fields_of(name):
        heading = b.schema_of(name).prefix + block.name
        assert f"\n{heading}: object\n" in text
        assert f"### {heading}\n" in table
        for key in (field.name, *field.aliases):
            assert key in text
            assert f"`{key}`" in table
    assert "- elementCooccurrence: object name -> integer >= 0 or null [num]" in b.contract_text("creative_density")
    assert "[num; judge may append]" in b.contract_text("creative_density")
    rows = [line for line in table.splitlines() if line.startswith("| `")]
    assert len(rows) == len(b.fields_of(name))
    assert all(len(re.findall(r"(?<!\\)\|", row)) == 5 for row in rows)


def test_the_schema_of_what_a_model_decides():
    schema = b.json_schema("creative_density", judge_only=True)
    assert list(schema["properties"]) == ["densityPatterns"]
    assert list(schema["properties"]["densityPatterns"]["properties"]) == ["mlTags"]
    emotional = b.json_schema("emotional_journey", judge_only=True, prefixed=False)
    assert "journeyArchetype" in emotional["properties"]["Patterns"]["required"]


def test_a_schema_needs_its_six_blocks():
    with pytest.raises(ValueError, match="got blocks"):
        b.Analysis("x", "x", ())
