"""The registry: what it lists, what it costs to import, and an analysis that is added to it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from rumiai.errors import ContractError
from rumiai.insights import templates
from rumiai.insights.video import nothing_to_judge
from rumiai.metrics import registry
from rumiai.results import analyses
from rumiai.results.store import Store, read_json

from ..metrics_videos import analysis, computed, read_evidence, text

BLOCKS = """
from typing import Annotated, Literal

from rumiai.contracts.blocks import AnalysisBlocks, Block, MoreMetrics, QualityBlock, Schema, judge, num
from rumiai.contracts.blocks.types import Count, Ratio, Text


class CoreMetrics(Block):
    letter_count: Annotated[Count | None, num("letters of all texts", aliases=("letters",))]


class Dynamics(Block):
    pass


class Patterns(Block):
    loudness: Annotated[Literal["quiet", "loud"], judge("tone of the texts")]


class Quality(QualityBlock):
    data_completeness: Annotated[Ratio, num("used services that ran / used services")]

    @property
    def completeness(self):
        return self.data_completeness


class Blocks(AnalysisBlocks):
    core_metrics: CoreMetrics
    dynamics: Dynamics
    interactions: Dynamics
    key_events: Dynamics
    patterns: Patterns
    quality: Quality


class More(MoreMetrics):
    longest_text: Text


SCHEMA = Schema("toy_letters", "letters", Blocks)
"""
FAMILY = """
from rumiai.metrics.evidence.confidence import Weights
from rumiai.metrics.families import Family
from toy_letters.blocks import SCHEMA, Blocks, CoreMetrics, Dynamics, More, Patterns, Quality

OCR = {"ocr": 1.0}
WEIGHTS = Weights(core_metrics=OCR, dynamics=OCR, interactions=OCR, key_events=OCR, patterns=OCR)


def measure(evidence):
    texts = [found.text for found in evidence.texts or ()]
    blocks = Blocks(
        core_metrics=CoreMetrics(letter_count=sum(map(len, texts))),
        dynamics=Dynamics(),
        interactions=Dynamics(),
        key_events=Dynamics(),
        patterns=Patterns(loudness="loud" if any(found.isupper() for found in texts) else "quiet"),
        quality=Quality(data_completeness=evidence.services.completeness(WEIGHTS)),
    )
    return blocks, More(longest_text=max(texts, key=len, default=""))


def nothing_to_judge(blocks):
    return None if blocks.core_metrics.letter_count else "there are no letters"


FAMILY = Family(SCHEMA, WEIGHTS, measure, nothing_to_judge)
"""
NAME = "toy_letters"


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """An analysis is one package and one line of the registry."""
    package = tmp_path / "packages" / NAME
    package.mkdir(parents=True)
    for name, content in (("__init__", ""), ("blocks", BLOCKS), ("family", FAMILY)):
        (package / f"{name}.py").write_text(content)
    monkeypatch.syspath_prepend(package.parent)
    monkeypatch.setitem(registry.PACKAGES, NAME, NAME)
    return NAME


def test_an_added_analysis_has_blocks_schema_and_contract(toy: str) -> None:
    schema = registry.schema_of(toy)
    found = computed(toy, read_evidence(analysis(texts=[text("HELLO", 0.0, 1.0), text("you", 1.0, 2.0)])))
    assert found.blocks["CoreMetrics"] == {"letterCount": 8, "letters": 8, "confidence": 0.9}
    assert found.blocks["Patterns"]["loudness"] == "loud"
    assert found.precompute == {"longest_text": "HELLO"}
    assert schema.problems(found.blocks) == []
    jsonschema.validate(schema.to_prefixed(found.blocks), schema.json_schema(), jsonschema.Draft202012Validator)
    assert "- letterCount (also as letters): integer >= 0 or null [num] letters of all texts" in schema.contract_text()
    assert "| `loudness` | quiet \\| loud | judge | tone of the texts |" in schema.markdown()
    wrong = {**found.blocks, "Patterns": {**found.blocks["Patterns"], "loudness": "shrill"}}
    assert [str(problem) for problem in schema.problems(wrong)] == [
        "Patterns.loudness: got 'shrill', expected quiet | loud"
    ]
    silent = computed(toy, read_evidence(analysis()))
    assert nothing_to_judge(toy, schema.read(silent.blocks)) == "there are no letters"
    assert nothing_to_judge(toy, schema.read(found.blocks)) is None
    failed = computed(toy, read_evidence(analysis(missing={"ocr": "no GPU"})))
    assert failed.blocks["CoreMetrics"] == {"letterCount": None, "letters": None, "confidence": 0.0}
    assert failed.blocks["Quality"]["missingServices"] == [{"service": "ocr", "reason": "no GPU"}]


def test_an_added_analysis_is_written_and_has_its_prompt(
    toy: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (analyses, templates):
        monkeypatch.setattr(module, "ANALYSES", tuple(registry.PACKAGES))
    store = Store(tmp_path)
    measured = analyses.measure(analysis(texts=[text("HELLO", 0.0, 1.0)]))
    assert list(measured) == [*registry.ANALYSES, toy]
    summary = analyses.write_analyses(store, "clip", measured, "v1")[toy]
    complete = read_json(Path(summary.files["complete"]))
    assert json.loads(complete["result"])["lettersCoreMetrics"]["letterCount"] == 5
    assert complete["precompute"] == {"longest_text": "HELLO"}
    folder = tmp_path / "templates"
    shutil.copytree(templates.templates_source(), folder)
    pacing = (folder / "scene_pacing_v2.txt").read_text(encoding="utf-8")
    (folder / f"{toy}_v2.txt").write_text(pacing.replace('"scene_pacing"', f'"{toy}"'), encoding="utf-8")
    template = templates.load_templates(folder).of[toy]
    assert list(template.schema["properties"]["lettersPatterns"]["properties"]) == ["loudness", "confidence"]
    assert registry.schema_of(toy).contract_text().rstrip() in template.text


def test_an_unknown_analysis_is_an_error() -> None:
    with pytest.raises(ContractError, match="got analysis 'density', expected one of creative_density"):
        registry.schema_of("density")


def test_every_family_declares_the_blocks_of_its_name() -> None:
    for name in registry.ANALYSES:
        assert registry.family(name).schema is registry.schema_of(name)
        assert registry.schema_of(name).name == name


_LIGHT = """
import sys
from rumiai.metrics.registry import ANALYSES
print(sorted({"numpy", "pydantic", "rumiai.metrics.families"} & set(sys.modules)), len(ANALYSES))
"""


def test_the_registry_imports_nothing_that_costs() -> None:
    done = subprocess.run([sys.executable, "-c", _LIGHT], capture_output=True, text=True, check=True)
    assert done.stdout == "[] 7\n"
