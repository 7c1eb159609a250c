"""The seven prompt templates and the system text: package data with a machine-readable header.

A template is ``+++``, TOML, ``+++``, text. ``{{contract}}`` and ``{{shape}}`` in the text are generated from the
schema, so that template, validator and Python generator cannot drift apart.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Final, Literal, get_args

from rumiai.contracts.blocks.render import closed_object
from rumiai.contracts.timeline import SCHEMA_VERSION
from rumiai.errors import ConfigurationError
from rumiai.metrics.registry import ANALYSES, schema_of

# Parts of the evidence that a prompt can show beside the metrics.
Part = Literal[
    "texts", "scene_texts", "stickers", "speech", "gestures", "scenes", "objects", "energy", "caption", "hashtags",
    "peaks", "opening", "closing",
]  # fmt: skip

_FENCE: Final = "+++\n"
_HEADER: Final[Mapping[str, type]] = {
    "analysis": str, "version": str, "contract_version": str, "max_output_tokens": int, "max_context_bytes": int,
    "timeout_s": int, "evidence": list, "markers": bool,
}  # fmt: skip
_SYSTEM_HEADER: Final = ("version", "contract_version")


@dataclass(frozen=True)
class Template:
    """One analysis' prompt.

    Attributes:
        analysis: Which.
        version: The header's and the first digits of the hash of all text that the model reads.
        text: With contract and shape filled in.
        schema: What the answer is bound to.
        max_output_tokens: Without thinking.
        max_context_bytes: Of the data; above it the shrink steps begin.
        timeout_s: Of one attempt, for a prompt of up to 50 KB.
        evidence: Parts of the evidence that stand in the prompt beside the metrics, in their order.
        markers: Whether temporal markers stand in it too.
    """

    analysis: str
    version: str
    text: str
    schema: Mapping[str, Any]
    max_output_tokens: int
    max_context_bytes: int
    timeout_s: int
    evidence: tuple[Part, ...]
    markers: bool


@dataclass(frozen=True)
class Templates:
    """The system text, which all prompts share, and the template of each analysis."""

    system: str
    of: Mapping[str, Template]


def templates_source() -> Path:
    """The ``prompt_templates/`` of this installation: inside the wheel, or beside the sources of a checkout.

    Raises:
        ConfigurationError: Neither is there.
    """
    inside = Path(str(resources.files("rumiai"))) / "prompt_templates"
    beside = Path(__file__).resolve().parents[3] / "prompt_templates"
    for candidate in (inside, beside):
        if candidate.is_dir():
            return candidate
    raise ConfigurationError(f"no prompt_templates/ at {inside} or {beside}", hint="reinstall rumiai")


def load_templates(source: Path | None = None) -> Templates:
    """Read and check all templates.

    Raises:
        ConfigurationError: One is missing, cannot be parsed, or was written for another contract.
    """
    folder = source or templates_source()
    header, system = _parse(folder / "system_v2.txt")
    _check_header(folder / "system_v2.txt", header, _SYSTEM_HEADER)
    return Templates(system, {name: _template(folder / f"{name}_v2.txt", name, system) for name in ANALYSES})


def _template(path: Path, analysis: str, system: str) -> Template:
    header, text = _parse(path)
    _check_header(path, header, tuple(_HEADER))
    if header["analysis"] != analysis:
        raise ConfigurationError(f"{path.name}: got analysis {header['analysis']!r}, expected {analysis!r}")
    if unknown := [part for part in header["evidence"] if part not in get_args(Part)]:
        known = ", ".join(get_args(Part))
        raise ConfigurationError(f"{path.name}: header evidence: got {unknown}, expected some of {known}")
    schema = answer_schema(analysis)
    shape = json.dumps(_shape(schema), ensure_ascii=False, separators=(", ", ": "))
    for name, content in (("contract", schema_of(analysis).contract_text().rstrip()), ("shape", shape)):
        mark = "{{" + name + "}}"
        if text.count(mark) != 1:
            raise ConfigurationError(f"{path.name}: got {mark} {text.count(mark)} times, expected once")
        text = text.replace(mark, content)
    digest = hashlib.sha256((system + text).encode()).hexdigest()[:8]
    return Template(
        analysis, f"{header['version']}+{digest}", text, schema, header["max_output_tokens"],
        header["max_context_bytes"], header["timeout_s"], tuple(header["evidence"]), header["markers"],
    )  # fmt: skip


def _parse(path: Path) -> tuple[dict[str, Any], str]:
    try:
        raw = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise ConfigurationError(f"the prompt template {path} cannot be read: {exc}", hint="reinstall rumiai") from exc
    before, fence, rest = raw.partition(_FENCE)
    header, closing, text = rest.partition(_FENCE)
    if before or not fence or not closing or not text.strip():
        raise ConfigurationError(f"{path.name}: expected +++, a TOML header, +++ and the text")
    try:
        return tomllib.loads(header), text.strip() + "\n"
    except tomllib.TOMLDecodeError as exc:
        raise ConfigurationError(f"{path.name}: the header is not TOML: {exc}") from exc


def _check_header(path: Path, header: Mapping[str, Any], names: tuple[str, ...]) -> None:
    for name in names:
        if not isinstance(header.get(name), _HEADER[name]):
            raise ConfigurationError(f"{path.name}: header {name}: got {header.get(name)!r}, expected a value")
    if unknown := sorted(set(header) - set(names)):
        raise ConfigurationError(f"{path.name}: the header has unknown members {', '.join(unknown)}")
    if header["contract_version"] != SCHEMA_VERSION:
        raise ConfigurationError(
            f"{path.name}: written for contract {header['contract_version']}, expected {SCHEMA_VERSION}"
        )


def answer_schema(analysis: str) -> dict[str, Any]:
    """JSON Schema of what a model answers: six blocks with their confidence and the fields that are a model's.

    The whole contract cannot be an output format: providers bound the number of nullable members far below it, and
    computed fields would only be copied, at the price of output.
    """
    schema = schema_of(analysis)
    judged = schema.json_schema(judge_only=True)
    blocks: dict[str, Any] = {}
    for block in schema.blocks:
        properties = dict(judged["properties"].get(schema.prefix + block.name, {}).get("properties", {}))
        properties[block.confidence.name] = block.confidence.json_schema()
        blocks[schema.prefix + block.name] = closed_object(properties)
    return {"title": analysis, **closed_object(blocks)}


def _shape(schema: Mapping[str, Any]) -> Any:
    """The schema's shape with values that nobody could take for an answer."""
    if "anyOf" in schema:
        return _shape(schema["anyOf"][0])
    if "enum" in schema:
        return "<word>"
    match schema["type"]:
        case "object":
            return {name: _shape(member) for name, member in schema["properties"].items()}
        case "array":
            return [_shape(schema["items"])]
        case "string":
            return "<span>" if "pattern" in schema else "<str>"
        case kind:
            return f"<{kind}>"
