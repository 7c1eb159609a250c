#!/usr/bin/env python3
"""Figures of how the code is cut, from the syntax trees alone: ``make house``. Status 1 when one misses its limit.

* Circles: modules (and rooms: the first name below a package) that import each other in a ring. Every import statement
  counts, also inside functions and under ``TYPE_CHECKING``.
* Files to touch for a new service, analysis or source. The names of those that there are follow from their folder. A
  file of the packages that spells all of them, or all but one, as string or identifier, is a table: a new one would
  have to join it. A class that states the name as its ``service`` (``analysis``, ``source``), as the model of a
  service's data does, spells it too. A file that spells fewer reads the data of just these. Their own files and the
  registry do not count, nor do prompt templates and the adapters of models, one for each, nor what reads and writes
  older shapes: the figure is 1 and the number of tables. Of a kind that there is one of, tables cannot be told.
* Any-maps: functions with a mapping of ``Any`` in an argument or the result, by whatever alias. Mappings of ``object``
  or of pydantic's ``JsonValue`` are typed and do not count: mypy makes the reader narrow a value before it is used.
* Length: lines of a function from ``def`` to its end, the docstring among them.
* Files: lines of a file, tests left out.
"""

from __future__ import annotations

import ast
import re
import statistics
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
# Packages of the house and the folders that they lie in.
PACKAGES: Final = {"rumiai": "orchestrator", "rumiai_server": "triton"}
# Other code that must keep its files short.
OTHER_CODE: Final = ("bench", "scripts", "model_repository")
# Readers and writers of older shapes: they list what there was, and nothing new joins them.
HISTORY: Final = ("orchestrator/rumiai/legacy", "orchestrator/rumiai/results/v1.py")
MAX_ANY_SHARE: Final = 0.05
MAX_MEDIAN_LINES: Final = 8
MAX_FILE_LINES: Final = 400
_MAPS: Final = frozenset({"dict", "Mapping", "MutableMapping", "defaultdict", "OrderedDict"})


@dataclass(frozen=True)
class Kind:
    """Things that the house has several of, one file or package each.

    Attributes:
        name: In the singular.
        folder: Where they lie, below the root.
        marker: The file that makes a package one of them; None where each is a file.
        registries: Files that list them explicitly.
    """

    name: str
    folder: str
    marker: str | None
    registries: tuple[str, ...]


KINDS: Final = (
    Kind("service", "orchestrator/rumiai/services", None, ("orchestrator/rumiai/services/__init__.py",)),
    Kind("analysis", "orchestrator/rumiai/metrics", "family.py", ("orchestrator/rumiai/metrics/registry.py",)),
    Kind("source", "orchestrator/rumiai/sources", None, ("orchestrator/rumiai/sources/__init__.py",)),
)


@dataclass(frozen=True)
class Module:
    """One file of Python."""

    name: str
    path: Path
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        """Its syntax tree."""
        return ast.parse(self.text, str(self.path))

    @cached_property
    def lines(self) -> int:
        """Its lines."""
        return len(self.text.splitlines())

    @cached_property
    def functions(self) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
        """Every function, those inside others too."""
        return [node for node in ast.walk(self.tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]

    @cached_property
    def words(self) -> set[str]:
        """Identifiers, and the words of strings that are no docstrings."""
        found: set[str] = set()
        docstrings = set(_docstrings(self.tree))
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in docstrings:
                found.update(re.findall(r"\w+", node.value))
            else:
                found.update(_identifiers(node))
        return found


def _docstrings(tree: ast.Module) -> Iterator[ast.Constant]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield node.value


def _identifiers(node: ast.AST) -> Iterator[str]:
    for member in ("id", "attr", "arg", "name", "module"):
        value = getattr(node, member, None)
        if isinstance(value, str):
            yield from value.split(".")


@dataclass(frozen=True)
class House:
    """The modules of the packages, by dotted name, and the other code."""

    root: Path
    modules: Mapping[str, Module]
    other: tuple[Module, ...]

    @classmethod
    def read(cls, root: Path) -> House:
        """All Python below ``root`` that is no test."""
        modules = {}
        for package, folder in PACKAGES.items():
            for path in sorted((root / folder / package).rglob("*.py")):
                parts = path.relative_to(root / folder).with_suffix("").parts
                name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
                modules[name] = Module(name, path, path.read_text(encoding="utf-8"))
        other = (path for folder in OTHER_CODE for path in sorted((root / folder).rglob("*.py")))
        return cls(root, modules, tuple(Module("", path, path.read_text(encoding="utf-8")) for path in other))

    @property
    def files(self) -> list[Module]:
        """Every file."""
        return [*self.modules.values(), *self.other]

    @property
    def functions(self) -> list[tuple[Module, ast.FunctionDef | ast.AsyncFunctionDef]]:
        """Every function of the packages."""
        return [(module, function) for module in self.modules.values() for function in module.functions]

    def imports(self) -> dict[str, set[str]]:
        """Which modules of the house each module imports."""
        return {
            name: {m for m in map(self._known, _imported(module.tree)) if m} for name, module in self.modules.items()
        }

    def _known(self, name: str) -> str | None:
        """The module that an imported name is, or lies in."""
        while name and name not in self.modules:
            name = name.rpartition(".")[0]
        return name or None

    def place(self, path: Path) -> str:
        """A file as reports name it."""
        return path.relative_to(self.root).as_posix()


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def circles(graph: Mapping[str, set[str]]) -> list[list[str]]:
    """Sets of nodes that reach each other, each sorted: the strongly connected parts of two nodes or more."""
    reach = {node: _reachable(graph, node) for node in graph}
    found = {tuple(sorted({node, *(m for m in reach[node] if node in reach.get(m, ()))})) for node in graph}
    return sorted(list(part) for part in found if len(part) > 1)


def _reachable(graph: Mapping[str, set[str]], start: str) -> set[str]:
    seen: set[str] = set()
    todo = [start]
    while todo:
        new = graph.get(todo.pop(), set()) - seen
        seen |= new
        todo += new
    return seen


def rooms(imports: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """The same arrows between rooms; a package itself is no room."""
    found: dict[str, set[str]] = defaultdict(set)
    for name, targets in imports.items():
        if (room := _room(name)) is not None:
            found[room] |= {other for target in targets if (other := _room(target)) not in (None, room)}
    return dict(found)


def _room(name: str) -> str | None:
    return ".".join(name.split(".")[:2]) if "." in name else None


def names_of(kind: Kind, house: House) -> dict[str, Path]:
    """Name -> file or folder of everything that there is of a kind.

    A package is named by its folder, a file by the ``name`` that a class in it states; other files are helpers.
    """
    folder = house.root / kind.folder
    if kind.marker is not None:
        return {path.parent.name: path.parent for path in sorted(folder.glob(f"*/{kind.marker}"))}
    files = [module for module in house.modules.values() if module.path.parent == folder]
    return {name: module.path for module in files for name in _stated_names(module.tree)}


def _stated_names(tree: ast.Module) -> Iterator[str]:
    for owner in (node for node in tree.body if isinstance(node, ast.ClassDef)):
        yield from _stated(owner, "name")


def _stated(owner: ast.ClassDef, member: str) -> Iterator[str]:
    """The text that a class gives to one of its members, with an annotation or without."""
    for node in owner.body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Constant):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if [_last_name(target) for target in targets] == [member]:
                yield str(node.value.value)


def tables(kind: Kind, house: House) -> list[str]:
    """Files that spell all names of a kind or all but one, outside of its own files and registries."""
    names = names_of(kind, house)
    classes = _classes_of(kind, house)
    own = {*names.values(), *(house.root / place for place in (*kind.registries, *HISTORY))}
    found = []
    for module in house.modules.values():
        is_own = not own.isdisjoint((module.path, *module.path.parents))
        spelled = {classes.get(word, word) for word in module.words}
        if not is_own and len(names.keys() & spelled) >= max(2, len(names) - 1):
            found.append(house.place(module.path))
    return found


def _classes_of(kind: Kind, house: House) -> dict[str, str]:
    """Class -> the name of what it belongs to, as it states it."""
    return {
        owner.name: name
        for module in house.modules.values()
        for owner in module.tree.body
        if isinstance(owner, ast.ClassDef)
        for name in _stated(owner, kind.name)
    }


def any_maps(house: House) -> list[str]:
    """Functions of the packages with a mapping of ``Any`` in their signature."""
    aliases = _any_aliases(house)
    found = []
    for module, function in house.functions:
        arguments = function.args
        every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
        annotations = [argument.annotation for argument in every if argument is not None] + [function.returns]
        if any(note is not None and _has_any_map(note, aliases[module.name]) for note in annotations):
            found.append(f"{house.place(module.path)}:{function.lineno} {function.name}")
    return found


def _any_aliases(house: House) -> dict[str, set[str]]:
    """Module -> names in it that stand for a type with a mapping of Any: its own, and imported ones."""
    own: dict[str, set[str]] = {name: set() for name in house.modules}
    changed = True
    while changed:
        before = sum(map(len, own.values()))
        for name, module in house.modules.items():
            own[name] |= {alias for alias, value in _assigned(module.tree) if _has_any_map(value, own[name])}
            own[name] |= {
                alias.asname or alias.name
                for node in ast.walk(module.tree)
                if isinstance(node, ast.ImportFrom) and node.module in own
                for alias in node.names
                if alias.name in own[node.module]
            }
        changed = sum(map(len, own.values())) > before
    return own


def _assigned(tree: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    for node in tree.body:
        is_type = isinstance(node, ast.Assign) and isinstance(node.value, ast.Subscript | ast.BinOp | ast.Name)
        if is_type and isinstance(node.targets[0], ast.Name):
            yield node.targets[0].id, node.value


def _has_any_map(note: ast.expr, aliases: set[str]) -> bool:
    if isinstance(note, ast.Constant) and isinstance(note.value, str):
        return _has_any_map(ast.parse(note.value, mode="eval").body, aliases)
    for node in ast.walk(note):
        if isinstance(node, ast.Name) and node.id in aliases:
            return True
        is_map = isinstance(node, ast.Subscript) and _last_name(node.value) in _MAPS
        if is_map and any(_last_name(part) == "Any" for part in ast.walk(node.slice)):
            return True
    return False


def _last_name(node: ast.AST) -> str | None:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else None


def function_lines(house: House) -> list[tuple[int, str]]:
    """Lines of every function of the packages with its place, the longest first."""
    lengths = [
        ((function.end_lineno or function.lineno) - function.lineno + 1, f"{house.place(module.path)} {function.name}")
        for module, function in house.functions
    ]
    return sorted(lengths, key=lambda pair: (-pair[0], pair[1]))


@dataclass(frozen=True)
class Figure:
    """One figure with its limit, whether it is kept, and what offends."""

    what: str
    value: str
    limit: str
    kept: bool
    offenders: tuple[str, ...] = ()


def figures(house: House) -> list[Figure]:
    """Every figure."""
    imports = house.imports()
    return [
        _rings("import circles of modules", circles(imports)),
        _rings("import circles of rooms", circles(rooms(imports))),
        *(_touched(kind, house) for kind in KINDS),
        _share(any_maps(house), len(house.functions)),
        *_lengths(function_lines(house)),
        _long_files(house),
    ]


def _rings(what: str, found: list[list[str]]) -> Figure:
    return Figure(what, str(len(found)), "0", not found, tuple(" <-> ".join(ring) for ring in found))


def _touched(kind: Kind, house: House) -> Figure:
    found, known = tables(kind, house), len(names_of(kind, house))
    what = f"files to touch for a new {kind.name}"
    return Figure(what, f"{1 + len(found)} (by {known} of them)", "1", known > 0 and not found, tuple(found))


def _share(found: list[str], of: int) -> Figure:
    share = len(found) / of if of else 0.0
    what = "functions with Any-maps in their signature"
    value = f"{100 * share:.1f} % ({len(found)} of {of})"
    return Figure(what, value, f"{100 * MAX_ANY_SHARE:g} %", share <= MAX_ANY_SHARE, _by_file(found))


def _by_file(places: Iterable[str]) -> tuple[str, ...]:
    counts: dict[str, int] = defaultdict(int)
    for place in places:
        counts[place.partition(":")[0]] += 1
    return tuple(f"{count:3} {path}" for path, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _lengths(lengths: list[tuple[int, str]]) -> Iterator[Figure]:
    median = statistics.median(length for length, _ in lengths) if lengths else 0
    yield Figure("median lines of a function", f"{median:g}", str(MAX_MEDIAN_LINES), median <= MAX_MEDIAN_LINES)
    if lengths:
        yield Figure("lines of the longest function", f"{lengths[0][0]} ({lengths[0][1]})", "", True)


def _long_files(house: House) -> Figure:
    found = tuple(f"{m.lines} {house.place(m.path)}" for m in house.files if m.lines > MAX_FILE_LINES)
    return Figure(f"files above {MAX_FILE_LINES} lines", str(len(found)), "0", not found, found)


def report(found: Iterable[Figure]) -> str:
    """The figures as text; what offends stands below its figure."""
    lines = []
    for figure in found:
        limit = f"(at most {figure.limit})" if figure.limit else ""
        lines.append(f"{'  ' if figure.kept else '! '}{figure.what:44} {figure.value:20} {limit}".rstrip())
        lines += [] if figure.kept else [f"      {offender}" for offender in figure.offenders]
    return "\n".join(lines) + "\n"


def main(root: Path = ROOT) -> int:
    """Print the figures; 1 when a limit is missed."""
    found = figures(House.read(root))
    sys.stdout.write(report(found))
    return 0 if all(figure.kept for figure in found) else 1


if __name__ == "__main__":
    sys.exit(main())
