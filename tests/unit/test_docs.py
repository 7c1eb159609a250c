"""Docs cannot drift: generated pages are up to date, links lead somewhere, and the README says what is so."""

from __future__ import annotations

import importlib.util
import re
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from rumiai.cli import main as orch
from rumiai_server.cli import main as triton

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ("orchestrator", "triton", "bench", "scripts", "model_repository")
PAGES = sorted(
    [ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md"), *(ROOT / "clients").glob("*/*.md")]
)


def generator() -> object:
    spec = importlib.util.spec_from_file_location("generate_docs", ROOT / "scripts/generate_docs.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["docs/settings.md", "docs/cli.md", "docs/analyses.md"])
def test_generated_pages_are_what_the_generator_writes(name: str) -> None:
    page = generator().PAGES[name]()  # type: ignore[attr-defined]
    assert (ROOT / name).read_text(encoding="utf-8") == page, "run python scripts/generate_docs.py"


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), target


def test_results_of_benches_that_pages_name_are_kept() -> None:
    named = {
        name for page in PAGES for name in re.findall(r"[\w-]+-\d{8}T\d{6}Z\.json", page.read_text(encoding="utf-8"))
    }
    assert len(named) > 10
    assert named <= {path.name for path in (ROOT / "bench/results").iterdir()}


@pytest.mark.parametrize("folder", SOURCES)
def test_pages_that_sources_name_exist(folder: str) -> None:
    """A page is named by its path from the root, so that a reader finds it."""
    files = [path for path in sorted((ROOT / folder).rglob("*")) if path.suffix in {".py", ".pbtxt", ".sh", ".toml"}]
    assert files
    named = {(path, page) for path in files for page in re.findall(r"[\w./-]+\.md\b", path.read_text(encoding="utf-8"))}
    missing = sorted(f"{path.relative_to(ROOT)}: {page}" for path, page in named if not (ROOT / page).is_file())
    assert not missing, missing


def test_the_makefile_has_the_targets_that_the_readme_names() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    named = set(re.findall(r"\bmake ([a-z-]+)", readme))
    assert {"run", "test"} <= named
    for target in named:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
    help_text = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for target in named:
        assert f"make {target}" in help_text


@pytest.mark.parametrize("program", [orch, triton], ids=["rumiai-orch", "rumiai-triton"])
def test_every_command_has_help(program: object) -> None:
    runner = CliRunner()
    for name in program.commands:  # type: ignore[attr-defined]
        result = runner.invoke(program, [name, "--help"])  # type: ignore[arg-type]
        assert result.exit_code == 0
        assert "Usage:" in result.output


def children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def test_help_comes_at_once(tmp_path: Path) -> None:
    """At most 0.3 s of processor time, which the load of the machine does not change."""
    program = [str(Path(sys.executable).with_name("rumiai-orch")), "--help"]
    seconds = []
    for _ in range(3):
        before = children_s()
        subprocess.run(program, check=True, capture_output=True, cwd=tmp_path)
        seconds.append(children_s() - before)
    assert 0 < min(seconds) < 0.3


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\nfrom rumiai.cli import main\n"
        "heavy = {'torch', 'mediapipe', 'cv2', 'scenedetect', 'av', 'tritonclient', 'grpc', 'anthropic', 'httpx'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd="/")
    assert ran.stdout.strip() == "[]"
