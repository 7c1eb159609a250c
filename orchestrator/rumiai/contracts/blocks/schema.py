"""The schema of an analysis, derived from its models: blocks, fields, and their names in files of every origin."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Annotated, Any, Final

from pydantic import TypeAdapter

from rumiai.contracts.blocks.check import Problem, problems_of, shown
from rumiai.contracts.blocks.model import (
    GENERIC_BLOCKS,
    AnalysisBlocks,
    Block,
    BlockName,
    Blocks,
    Facts,
    Kind,
    QualityBlock,
    Record,
)
from rumiai.contracts.blocks.render import Node, closed_object, described, inlined, published, without_null
from rumiai.contracts.blocks.types import Foreign

_DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"

# Fields that a model wrote and the schema does not know are kept under this key; it is nobody's fault.
EXTRA: Final = "_extra"


@dataclass(frozen=True)
class FieldSchema:
    """One field of a block.

    Attributes:
        name: Its key.
        attribute: Its name in the model.
        model: The block.
        facts: What its annotation says beside its type.
    """

    name: str
    attribute: str
    model: type[Record]
    facts: Facts

    @property
    def kind(self) -> Kind:
        """See :class:`Facts`."""
        return self.facts.kind

    @property
    def aliases(self) -> tuple[str, ...]:
        """See :class:`Facts`."""
        return self.facts.aliases

    @property
    def judged(self) -> tuple[str, ...]:
        """See :class:`Facts`."""
        return self.facts.judged

    @property
    def extensible(self) -> bool:
        """See :class:`Facts`."""
        return self.facts.extensible

    @property
    def keys(self) -> tuple[str, ...]:
        """Name and aliases."""
        return (self.name, *self.aliases)

    @property
    def needs_judgement(self) -> bool:
        """Whether a model has something to add to the field."""
        return self.kind == "judge" or bool(self.judged) or self.extensible

    @cached_property
    def _adapter(self) -> TypeAdapter[Any]:
        info = self.model.model_fields[self.attribute]
        marked: Any = Annotated
        return TypeAdapter(marked[(info.annotation, *info.metadata)])

    @property
    def node(self) -> Node:
        """Its JSON Schema without references, units included."""
        return _nodes(self.model)[self.name]

    @property
    def nullable(self) -> bool:
        """Whether the value may be null."""
        return "anyOf" in self.node

    @property
    def value_node(self) -> Node:
        """The JSON Schema of a value that is not null."""
        return without_null(self.node)

    @property
    def is_list(self) -> bool:
        """Whether it holds a list."""
        return self.value_node.get("type") == "array"

    @property
    def is_timed_list(self) -> bool:
        """Whether it holds a list of records that each have a timestamp."""
        return self.is_list and "timestamp" in self.value_node["items"].get("properties", ())

    def describe(self) -> str:
        """The type in words, as the contract text and the documentation have it."""
        return described(self.node)

    def role(self) -> str:
        """The kind in words, with what a model may do."""
        extra = [f"judge {', '.join(self.judged)}"] if self.judged else []
        if self.extensible:
            extra.append("judge may append")
        return "; ".join([self.kind, *extra])

    def json_schema(self) -> Node:
        """The type as JSON Schema."""
        return published(self.node)

    def check(self, value: object, path: str, duration_s: float | None) -> list[Problem]:
        """What is wrong with a foreign value; times are held against the duration where that is known."""

        def validate(item: object, context: Foreign) -> object:
            return self._adapter.validate_python(item, by_alias=True, by_name=False, context=context)

        return [problem for _, problem in problems_of(validate, self.node, value, path, duration_s)]


@dataclass(frozen=True)
class BlockSchema:
    """One of the six blocks of an analysis: generic name and fields in order, the common ones last."""

    name: BlockName
    model: type[Record]
    fields: tuple[FieldSchema, ...]

    @cached_property
    def by_key(self) -> dict[str, FieldSchema]:
        """Field of every key, aliases included."""
        return {key: field for field in self.fields for key in field.keys}

    @property
    def confidence(self) -> FieldSchema:
        """The field that says how far the block can be trusted."""
        return self.fields[-1]

    @cached_property
    def nullable_numbers(self) -> tuple[str, ...]:
        """Attributes of the computed fields that can be null."""
        return tuple(field.attribute for field in self.fields if field.kind == "num" and field.nullable)

    def check(self, path: str, content: Mapping[str, Any], duration_s: float | None) -> Iterator[Problem]:
        """What is wrong with a foreign block."""
        found = self._problems(path, content, duration_s)
        for field in self.fields:
            for key in field.keys:
                if key not in content:
                    yield Problem(f"{path}.{key}", "missing", "nothing", field.describe())
                elif key == field.name:
                    yield from found.get(key, ())
                else:
                    yield from field.check(content[key], f"{path}.{key}", duration_s)
                    if field.name in content and content[key] != content[field.name]:
                        yield Problem(f"{path}.{key}", "alias", shown(content[key]), f"the value of {field.name}")
        for key in content:
            if key not in self.by_key and key != EXTRA:
                yield Problem(f"{path}.{key}", "unknown", "a field", f"a field of {self.name}")

    def _problems(self, path: str, content: Mapping[str, Any], duration_s: float | None) -> dict[str, list[Problem]]:
        """What is wrong with the fields that are there, by their key."""
        node: Node = {"properties": _nodes(self.model)}
        given = {field.name: content[field.name] for field in self.fields if field.name in content}

        def validate(item: object, context: Foreign) -> object:
            return self.model.model_validate(item, by_alias=True, by_name=False, context=context)

        found: dict[str, list[Problem]] = {}
        for key, problem in problems_of(validate, node, given, path, duration_s):
            found.setdefault(key, []).append(problem)
        return found

    def json_schema(self, *, judge_only: bool = False) -> dict[str, Any]:
        """JSON Schema of the block; empty when only a model's fields are asked for and it has none."""
        fields = [field for field in self.fields if not judge_only or field.needs_judgement]
        properties: dict[str, Any] = {}
        for field in fields:
            for key in (field.name,) if judge_only else field.keys:
                description = f"[{field.role()}] {field.facts.meaning}"
                properties[key] = {**field.json_schema(), "description": description}
        return closed_object(properties) if fields else {}

    def to_json(self, block: Record) -> dict[str, Any]:
        """A block of this schema as JSON types, in the order of the fields, aliases repeated."""
        values = block.model_dump(by_alias=True)
        return {key: values[field.name] for field in self.fields for key in field.keys}


@dataclass(frozen=True)
class Schema:
    """The schema of one analysis.

    Attributes:
        name: As the runner calls it.
        prefix: What stands before the generic block name in ``result`` files.
        model: Its six blocks.
        alias_prefixes: Prefixes of older files and answers.
        alias_blocks: Further block names -> generic name.
    """

    name: str
    prefix: str
    model: type[AnalysisBlocks]
    alias_prefixes: tuple[str, ...] = ()
    alias_blocks: tuple[tuple[str, str], ...] = ()

    @cached_property
    def blocks(self) -> tuple[BlockSchema, ...]:
        """The six blocks, in order."""
        models: list[Any] = [self.model.model_fields[attribute].annotation for attribute in AnalysisBlocks.model_fields]
        return tuple(_block_schema(name, model) for name, model in zip(GENERIC_BLOCKS, models, strict=True))

    def block(self, generic: str) -> BlockSchema:
        """The block of a generic name."""
        return next(block for block in self.blocks if block.name == generic)

    @property
    def fields(self) -> list[tuple[BlockSchema, FieldSchema]]:
        """Every field with its block, in order."""
        return [(block, field) for block in self.blocks for field in block.fields]

    @cached_property
    def generic_of(self) -> dict[str, str]:
        """Generic name of every accepted block name."""
        known = dict(self.alias_blocks)
        for generic in GENERIC_BLOCKS:
            known[generic] = generic
            for prefix in (self.prefix, *self.alias_prefixes):
                known[prefix + generic] = generic
        return known

    def to_generic(self, blocks: Mapping[str, Any]) -> dict[str, Any]:
        """Blocks under their generic names, whichever accepted names they have; unknown names stay as they are."""
        return {self.generic_of.get(name, name): content for name, content in blocks.items()}

    def to_prefixed(self, blocks: Mapping[str, Any]) -> dict[str, Any]:
        """Blocks under the names of ``result`` files, e.g. ``densityCoreMetrics``; unknown names stay as they are."""
        known = self.generic_of
        return {self.prefix + known[name] if name in known else name: content for name, content in blocks.items()}

    def read(self, blocks: Blocks) -> AnalysisBlocks:
        """Valid blocks by generic name as models.

        Raises:
            pydantic.ValidationError: They are not valid.
        """
        parts = {
            attribute: {field.name: blocks[block.name][field.name] for field in block.fields}
            for attribute, block in zip(AnalysisBlocks.model_fields, self.blocks, strict=True)
        }
        return self.model.model_validate(parts)

    def to_json(self, blocks: AnalysisBlocks) -> dict[str, dict[str, Any]]:
        """Six blocks of this schema by generic name, as JSON types, aliases repeated."""
        parts = (getattr(blocks, attribute) for attribute in AnalysisBlocks.model_fields)
        return {schema.name: schema.to_json(part) for schema, part in zip(self.blocks, parts, strict=True)}

    def problems(self, blocks: Mapping[str, Any], *, duration_s: float | None = None) -> list[Problem]:
        """Everything that is wrong with foreign blocks; empty when they are right.

        Args:
            blocks: Block name -> fields; names may be generic, prefixed or any accepted alias.
            duration_s: When given, every time must lie within the video.
        """
        found: dict[str, tuple[str, Any]] = {}
        problems: list[Problem] = []
        for name, content in blocks.items():
            generic = self.generic_of.get(name)
            if generic is None:
                problems.append(Problem(name, "unknown_block", "a block", f"one of the six of {self.name}"))
            elif generic in found:
                problems.append(Problem(name, "unknown_block", f"{generic} twice", "each block once"))
            else:
                found[generic] = (name, content)
        for block in self.blocks:
            if block.name not in found:
                problems.append(Problem(self.prefix + block.name, "missing_block", "nothing", "an object"))
                continue
            name, content = found[block.name]
            if isinstance(content, Mapping):
                problems.extend(block.check(name, content, duration_s))
            else:
                problems.append(Problem(name, "type", shown(content), "an object"))
        return problems

    def json_schema(self, *, prefixed: bool = True, judge_only: bool = False) -> dict[str, Any]:
        """JSON Schema (draft 2020-12) of the six blocks.

        Args:
            prefixed: Block names as in ``result`` files; else generic.
            judge_only: Only what a model may decide: judge fields, and num fields with judged members or open lists;
                blocks without any are left out.
        """
        prefix = self.prefix if prefixed else ""
        blocks = {prefix + block.name: block.json_schema(judge_only=judge_only) for block in self.blocks}
        properties = {name: schema for name, schema in blocks.items() if schema}
        return {"$schema": _DRAFT, "title": self.name, **closed_object(properties)}

    def contract_text(self) -> str:
        """The output contract as lines of text for a prompt: one block per heading, one field per line."""
        lines = [f"Answer with one JSON object that has exactly these six members, for {self.name}:"]
        for block in self.blocks:
            lines += ["", f"{self.prefix}{block.name}: object"]
            lines += [_contract_line(field) for field in block.fields]
        return "\n".join(lines) + "\n"

    def markdown(self) -> str:
        """The tables of the documentation, one per block."""
        parts = [f"## {self.name}", ""]
        for block in self.blocks:
            head = ["| field | type | kind | meaning |", "|---|---|---|---|"]
            parts += [f"### {self.prefix}{block.name}", "", *head, *map(_markdown_row, block.fields), ""]
        return "\n".join(parts)


@cache
def _nodes(model: type[Record]) -> dict[str, Node]:
    """JSON Schema of every field of a block, by its key."""
    nodes: dict[str, Node] = inlined(model.model_json_schema())["properties"]
    return nodes


@cache
def _block_schema(name: BlockName, model: type[Record]) -> BlockSchema:
    base = QualityBlock if issubclass(model, QualityBlock) else Block
    own = [attribute for attribute in model.model_fields if attribute not in base.model_fields]
    return BlockSchema(name, model, tuple(_field(model, attribute) for attribute in (*own, *base.model_fields)))


def _field(model: type[Record], attribute: str) -> FieldSchema:
    info = model.model_fields[attribute]
    facts = next((mark for mark in info.metadata if isinstance(mark, Facts)), None)
    if facts is None:
        raise TypeError(f"{model.__name__}.{attribute}: got no num(...) or judge(...) in its annotation")
    return FieldSchema(info.alias or attribute, attribute, model, facts)


def _contract_line(field: FieldSchema) -> str:
    same = f" (also as {', '.join(field.aliases)})" if field.aliases else ""
    return f"- {field.name}{same}: {field.describe()} [{field.role()}] {field.facts.meaning}".rstrip()


def _markdown_row(field: FieldSchema) -> str:
    names = " = ".join(f"`{key}`" for key in field.keys)
    kind = field.role() + (f" ({field.facts.origin})" if field.facts.origin else "")
    cells = (names, field.describe(), kind, field.facts.meaning)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
