"""Hold blocks against their schema."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from rumiai.contracts.blocks.model import Block
from rumiai.contracts.blocks.names import schema_of
from rumiai.contracts.blocks.types import Problem, shown

# Fields that a model wrote and the schema does not know are kept under this key; it is nobody's fault.
EXTRA: Final = "_extra"


def validate_blocks(analysis: str, blocks: Mapping[str, Any], *, duration_s: float | None = None) -> list[Problem]:
    """Everything that is wrong with the six blocks of an analysis; empty when they are right.

    Args:
        analysis: Its name.
        blocks: Block name -> fields; names may be generic, prefixed or any accepted alias.
        duration_s: When given, every time must lie within the video.

    Raises:
        ContractError: There is no analysis of that name.
    """
    schema = schema_of(analysis)
    found: dict[str, tuple[str, Any]] = {}
    problems: list[Problem] = []
    for name, content in blocks.items():
        generic = schema.generic_of.get(name)
        if generic is None:
            problems.append(Problem(name, "unknown_block", "a block", f"one of the six of {analysis}"))
        elif generic in found:
            problems.append(Problem(name, "unknown_block", f"{generic} twice", "each block once"))
        else:
            found[generic] = (name, content)
    for block in schema.blocks:
        if block.name not in found:
            problems.append(Problem(schema.prefix + block.name, "missing_block", "nothing", "an object"))
            continue
        name, content = found[block.name]
        if isinstance(content, Mapping):
            problems.extend(_check_block(block, name, content, duration_s))
        else:
            problems.append(Problem(name, "type", shown(content), "an object"))
    return problems


def _check_block(block: Block, name: str, content: Mapping[str, Any], duration_s: float | None) -> Iterator[Problem]:
    for field in block.fields:
        for key in (field.name, *field.aliases):
            if key not in content:
                yield Problem(f"{name}.{key}", "missing", "nothing", field.type.describe())
            else:
                yield from field.type.check(content[key], f"{name}.{key}", duration_s)
                if key != field.name and field.name in content and content[key] != content[field.name]:
                    yield Problem(f"{name}.{key}", "alias", shown(content[key]), f"the value of {field.name}")
    for key in content:
        if key not in block.by_key and key != EXTRA:
            yield Problem(f"{name}.{key}", "unknown", "a field", f"a field of {block.name}")
