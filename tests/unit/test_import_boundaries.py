"""The arrows of docs/design/architecture.md, read from the imports themselves."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ORCHESTRATOR = ROOT / "orchestrator" / "rumiai"
SERVER = ROOT / "triton" / "rumiai_server"

# Siblings: they know the floor (core, contracts, errors, weights), and nothing of each other.
SIBLINGS = {"sources", "media", "inference", "people", "timeline", "metrics", "insights", "demo", "records"}
COMMON = {"core", "contracts", "errors", "weights"}
# What a part may know besides itself.
ALLOWED = {
    "core": {"errors"},
    "contracts": {"core", "errors"},
    "errors": set(),
    # Which analyses there are, for their switches; the registry imports none of them.
    "settings": {"contracts", "core", "errors", "metrics"},
    "weights": {"core", "errors"},
}
# What stands on the siblings, bottom first: each knows what is above it in this list, never what is below.
STOREYS = ("services", "legacy", "perception", "results", "run", "service")
# What a sibling may know of another by one module: what is judged is what the metrics define.
DOORS = {"insights": {"rumiai.metrics.registry"}}


def imports_of(path: Path) -> set[str]:
    """Dotted names of all modules that a file imports, also inside functions."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found.add(node.module or "")
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


def parts_of(path: Path) -> set[str]:
    """Which parts of ``rumiai`` a file imports: the first name below the package."""
    return {name.split(".")[1] for name in imports_of(path) if name.startswith("rumiai.")}


def part_files(part: str) -> list[Path]:
    single = ORCHESTRATOR / f"{part}.py"
    return [single] if single.exists() else sorted((ORCHESTRATOR / part).rglob("*.py"))


@pytest.mark.parametrize("part", sorted(SIBLINGS))
def test_siblings_do_not_import_each_other(part: str) -> None:
    for path in part_files(part):
        others = parts_of(path) - {part, "__version__"} - COMMON
        doors = {door for door in DOORS.get(part, set()) if door in imports_of(path)}
        for other in others:
            names = {name for name in imports_of(path) if name.startswith(f"rumiai.{other}")}
            assert all(any(name == door or name.startswith(f"{door}.") for door in doors) for name in names), path


@pytest.mark.parametrize("part", STOREYS)
def test_a_storey_knows_nothing_of_those_above_it(part: str) -> None:
    above = {*STOREYS[STOREYS.index(part) + 1 :], "terminal", "cli"}
    if part in ("run", "service"):
        above -= {"terminal"}
    for path in part_files(part):
        assert not parts_of(path) & above, path


def test_older_shapes_are_read_at_the_door_alone() -> None:
    """Only the reading of stored files knows them: a fresh result is canonical when its service gives it."""
    for path in ORCHESTRATOR.rglob("*.py"):
        part = path.relative_to(ORCHESTRATOR).parts[0]
        is_reader = part == "legacy" or path == ORCHESTRATOR / "results" / "recompute.py"
        assert is_reader or "legacy" not in parts_of(path), path
    # A file that was read becomes an analysis by the timeline's own builder.
    for path in part_files("legacy"):
        timeline = {name for name in imports_of(path) if name.startswith("rumiai.timeline.")}
        assert all(name.startswith("rumiai.timeline.build") for name in timeline), path


@pytest.mark.parametrize("part", sorted(ALLOWED))
def test_the_parts_below_know_only_what_is_below_them(part: str) -> None:
    for path in part_files(part):
        assert parts_of(path) - {part, "__version__"} <= ALLOWED[part], path


def imported_modules() -> dict[str, set[str]]:
    """Module of the orchestrator -> modules of the orchestrator that it imports, also inside functions."""
    modules = {}
    for path in ORCHESTRATOR.rglob("*.py"):
        parts = path.relative_to(ORCHESTRATOR.parent).with_suffix("").parts
        modules[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return {name: {n for n in imports_of(path) if n in modules and n != name} for name, path in modules.items()}


def test_no_module_imports_itself_by_way_of_others() -> None:
    left = imported_modules()
    while ends := {name for name, imported in left.items() if not imported & left.keys()}:
        left = {name: imported for name, imported in left.items() if name not in ends}
    assert not left, f"circles among {sorted(left)}"


def test_the_server_knows_only_core_contracts_errors_and_weights() -> None:
    for path in [*SERVER.rglob("*.py"), *(ROOT / "model_repository").rglob("*.py")]:
        assert parts_of(path) - {"__version__"} <= COMMON, path


def test_engines_do_not_import_triton() -> None:
    for path in (SERVER / "engines").rglob("*.py"):
        assert not {name for name in imports_of(path) if "triton" in name.lower()}, path


def test_the_orchestrator_never_imports_the_server_or_torch() -> None:
    for path in ORCHESTRATOR.rglob("*.py"):
        names = {name.split(".")[0] for name in imports_of(path)}
        # The doctor asks torch for the GPU, when torch is there.
        allowed = {"torch"} if path.name == "doctor.py" else set()
        assert not names & ({"rumiai_server", "torch", "ultralytics", "easyocr", "pytriton"} - allowed), path


@pytest.mark.parametrize("folder", ["triton", "orchestrator"])
def test_source_folders_are_no_packages(folder: str) -> None:
    """A package named ``triton`` on sys.path would shadow the compiler that torch imports."""
    assert not list((ROOT / folder).glob("*.py"))


def test_adapters_are_thin() -> None:
    adapters = sorted((ROOT / "model_repository").glob("*/1/model.py"))
    assert [path.parts[-3] for path in adapters] == ["ocr", "whisper", "yolo"]
    for path in adapters:
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 80, path


_HEAVY = """
import sys, types
sys.modules["triton_python_backend_utils"] = types.ModuleType("triton_python_backend_utils")
exec(compile(open(sys.argv[1]).read(), sys.argv[1], "exec"))
print(sorted({"TritonPythonModel"} & set(globals())), sorted({"torch", "easyocr", "ctranslate2"} & set(sys.modules)))
"""


@pytest.mark.parametrize("model", ["ocr", "whisper", "yolo"])
def test_reading_an_adapter_imports_no_engine(model: str) -> None:
    """Triton may read it twice, once in a process of its own that only looks for ``auto_complete_config``."""
    adapter = ROOT / "model_repository" / model / "1" / "model.py"
    done = subprocess.run([sys.executable, "-c", _HEAVY, str(adapter)], capture_output=True, text=True, check=True)
    assert done.stdout == "['TritonPythonModel'] []\n"


_DEVICE = """
import ctypes, sys
from rumiai_server.repository import resolve_device
device = resolve_device("auto")
asked = "torch" in sys.modules
try:
    driver = ctypes.CDLL("libcuda.so.1") is not None
except OSError:
    driver = False
import torch
print(device == ("cuda" if torch.cuda.is_available() else "cpu"), asked == driver)
"""


def test_the_launcher_asks_torch_for_the_device_only_where_a_driver_is() -> None:
    done = subprocess.run([sys.executable, "-c", _DEVICE], capture_output=True, text=True, check=True)
    assert done.stdout == "True True\n"
