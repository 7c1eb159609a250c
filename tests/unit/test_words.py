"""The words of the schemas: the same set in two orders is one type to Python, and then the first import decides.

``Literal["a", "b"] | None`` and ``Literal["b", "a"] | None`` are equal, and ``typing`` keeps the one that came first.
A prompt lists the words of its fields, so its fingerprint would change with the order of imports, and an answer that
was paid for would not be found again.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def literals(source: str) -> set[tuple[str, ...]]:
    """The literal types of a module, each as its words in order."""
    found = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Subscript))
    return {
        tuple(ast.unparse(word) for word in node.slice.elts)
        for node in found
        if isinstance(node.value, ast.Name) and node.value.id == "Literal" and isinstance(node.slice, ast.Tuple)
    }


def test_no_two_literals_list_the_same_words_in_another_order() -> None:
    orders: dict[frozenset[str], set[tuple[str, ...]]] = defaultdict(set)
    for folder in ("orchestrator", "triton"):
        for path in (ROOT / folder).rglob("*.py"):
            for words in literals(path.read_text()):
                orders[frozenset(words)].add(words)
    assert len(orders) > 50
    assert [several for several in orders.values() if len(several) > 1] == []


def test_the_search_sees_literals() -> None:
    assert literals('X: TypeAlias = Literal["a", "b"]\ndef f(x: Literal["b", "a"] | None): ...') == {
        ("'a'", "'b'"),
        ("'b'", "'a'"),
    }
