"""JSON Schema nodes: resolve their references, and describe them in words."""

from __future__ import annotations

from typing import Any, Final, TypeAlias

from rumiai.contracts.blocks.types import SPAN_PATTERN, UNIT_KEY

# A JSON Schema as JSON types.
Node: TypeAlias = dict[str, Any]

SPAN_WORDS: Final = 'span "a-bs"'


def inlined(schema: Node) -> Node:
    """Pydantic's JSON Schema without ``$defs``, ``$ref`` and titles; models may not contain themselves."""
    definitions = schema.get("$defs", {})

    def resolved(node: Node) -> Node:
        if "$ref" in node:
            return resolved(definitions[node["$ref"].rpartition("/")[2]])
        out = {key: value for key, value in node.items() if key not in ("$defs", "title", "description", "default")}
        if "patternProperties" in out:
            # Said this way, keys that do not match would be open to any value.
            ((pattern, out["additionalProperties"]),) = out.pop("patternProperties").items()
            out["propertyNames"] = {"pattern": pattern}
        for key in ("items", "additionalProperties"):
            if isinstance(out.get(key), dict):
                out[key] = resolved(out[key])
        if "properties" in out:
            out["properties"] = {name: resolved(member) for name, member in out["properties"].items()}
        if "anyOf" in out:
            out["anyOf"] = [resolved(option) for option in out["anyOf"]]
        return out

    return resolved(schema)


def closed_object(properties: Node) -> Node:
    """The node of an object that has these members, all of them, and no others."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def published(node: Node) -> Node:
    """A node without our own keywords."""
    out: Node = {}
    for key, value in node.items():
        if key == "properties":
            out[key] = {name: published(member) for name, member in value.items()}
        elif key == "anyOf":
            out[key] = [published(option) for option in value]
        elif key != UNIT_KEY:
            out[key] = published(value) if isinstance(value, dict) else value
    return out


def without_null(node: Node) -> Node:
    """The node of the values that are not null."""
    inner: Node = node["anyOf"][0] if "anyOf" in node else node
    return inner


def described(node: Node) -> str:
    """A node in words, as the contract text and the documentation have it."""
    if "anyOf" in node:
        return f"{described(node['anyOf'][0])} or null"
    if "enum" in node:
        return " | ".join(node["enum"])
    match node["type"]:
        case "object":
            return _object(node)
        case "array":
            most = f" of at most {node['maxItems']}" if "maxItems" in node else ""
            return f"list{most} of {described(node['items'])}"
        case "string":
            return SPAN_WORDS if node.get("pattern") == SPAN_PATTERN else "string"
        case "integer" | "number" as kind:
            return _number(kind, node)
        case kind:
            return str(kind)


def _object(node: Node) -> str:
    if "properties" in node:
        return "{" + ", ".join(f"{name}: {described(member)}" for name, member in node["properties"].items()) + "}"
    key = SPAN_WORDS if "propertyNames" in node else "name"
    return f"object {key} -> {described(node['additionalProperties'])}"


def _number(name: str, node: Node) -> str:
    low, high, unit = node.get("minimum"), node.get("maximum"), node.get(UNIT_KEY)
    if low is not None:
        name += f" >= {low:g}" if high is None else f" {low:g}..{high:g}"
    return f"{name} {unit}" if unit else name


def node_at(node: Node, place: tuple[int | str, ...]) -> Node:
    """The node of what lies at a place within a value: keys and indices from the outside in."""
    for step in place:
        node = without_null(node)
        members = node.get("properties", {})
        node = node["items"] if isinstance(step, int) else members.get(step) or node["additionalProperties"]
    return node
