"""The schema written out: as JSON Schema, as the contract text of a prompt, and as a table of the documentation."""

from __future__ import annotations

from typing import Any, Final

from rumiai.contracts.blocks.model import Block, Field
from rumiai.contracts.blocks.names import schema_of

_DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"


def json_schema(analysis: str, *, prefixed: bool = True, judge_only: bool = False) -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of the six blocks.

    Args:
        analysis: Its name.
        prefixed: Block names as in ``result`` files; else generic.
        judge_only: Only what a model may decide: judge fields, and num fields with judged members or open lists;
            blocks without any are left out.

    Raises:
        ContractError: There is no analysis of that name.
    """
    schema = schema_of(analysis)
    blocks = {}
    for block in schema.blocks:
        fields = [field for field in block.fields if not judge_only or needs_judgement(field)]
        if fields:
            blocks[(schema.prefix if prefixed else "") + block.name] = _block_schema(fields, judge_only)
    return {"$schema": _DRAFT, "title": analysis, **_object(blocks)}


def needs_judgement(field: Field) -> bool:
    """Whether a model has something to add to the field."""
    return field.kind == "judge" or bool(field.judged) or field.extensible


def _block_schema(fields: list[Field], judge_only: bool) -> dict[str, Any]:
    properties: dict[str, Any] = {}
    for field in fields:
        for key in (field.name,) if judge_only else (field.name, *field.aliases):
            properties[key] = {**field.type.json_schema(), "description": f"[{_kind(field)}] {field.meaning}"}
    return _object(properties)


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _kind(field: Field) -> str:
    extra = [f"judge {', '.join(field.judged)}"] if field.judged else []
    if field.extensible:
        extra.append("judge may append")
    return "; ".join([field.kind, *extra])


def contract_text(analysis: str) -> str:
    """The output contract as lines of text for a prompt: one block per heading, one field per line."""
    schema = schema_of(analysis)
    lines = [f"Answer with one JSON object that has exactly these six members, for {analysis}:"]
    for block in schema.blocks:
        lines += ["", f"{schema.prefix}{block.name}: object"]
        lines += [_contract_line(field) for field in block.fields]
    return "\n".join(lines) + "\n"


def _contract_line(field: Field) -> str:
    same = f" (also as {', '.join(field.aliases)})" if field.aliases else ""
    return f"- {field.name}{same}: {field.type.describe()} [{_kind(field)}] {field.meaning}".rstrip()


def markdown(analysis: str) -> str:
    """The tables of the documentation, one per block, generated so that they cannot drift."""
    schema = schema_of(analysis)
    parts = [f"## {analysis}", ""]
    for block in schema.blocks:
        parts += [f"### {schema.prefix}{block.name}", "", "| field | type | kind | meaning |", "|---|---|---|---|"]
        parts += [_markdown_row(field) for field in block.fields]
        parts.append("")
    return "\n".join(parts)


def _markdown_row(field: Field) -> str:
    names = " = ".join(f"`{key}`" for key in (field.name, *field.aliases))
    kind = _kind(field) + (f" ({field.origin})" if field.origin else "")
    cells = (names, field.type.describe(), kind, field.meaning)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def fields_of(analysis: str) -> list[tuple[Block, Field]]:
    """Every field of an analysis with its block, in order."""
    return [(block, field) for block in schema_of(analysis).blocks for field in block.fields]
