"""The figures of a small made-up tree, all known by hand."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ..loading import loaded

ROOT = Path(__file__).resolve().parents[3]
SCRIPT = ROOT / "scripts" / "house.py"

TREE = {
    # A circle of modules inside a room, one half of it under TYPE_CHECKING.
    "orchestrator/rumiai/__init__.py": "",
    "orchestrator/rumiai/run/__init__.py": "",
    "orchestrator/rumiai/run/one.py": "from rumiai.run import two\n",
    "orchestrator/rumiai/run/two.py": (
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from rumiai.run.one import anything\n"
    ),
    # A circle of rooms and none of modules: run.three -> media.a, media.b -> run.two.
    "orchestrator/rumiai/run/three.py": "def late():\n    import rumiai.media.a\n",
    "orchestrator/rumiai/media/a.py": "",
    "orchestrator/rumiai/media/b.py": "from rumiai.run.two import something\n",
    # Three services in two files, and a helper that is none.
    "orchestrator/rumiai/services/__init__.py": "NAMES = ('ears', 'eyes', 'nose')\n",
    "orchestrator/rumiai/services/base.py": "class Service:\n    name: str\n",
    "orchestrator/rumiai/services/face.py": "class Eyes:\n    name = 'eyes'\nclass Nose:\n    name = 'nose'\n",
    "orchestrator/rumiai/services/ears.py": "class Ears:\n    name = 'ears'\n",
    # A table (all but one), one of what there was, a consumer of one, and one that only speaks of all in its docstring.
    "orchestrator/rumiai/run/table.py": "PATHS = {'eyes': 'a/eyes.json', 'ears': 'a/ears.json'}\n",
    "orchestrator/rumiai/legacy/then.py": "PATHS = {'eyes': 'eyes.txt', 'ears': 'ears.txt', 'nose': 'nose.txt'}\n",
    # The same by the classes of their data, and one of these with a name; a consumer of one.
    "orchestrator/rumiai/contracts/one.py": "class Seen:\n    service: ClassVar[str] = 'eyes'\n",
    "orchestrator/rumiai/contracts/two.py": "class Heard:\n    service = 'ears'\nclass Base:\n    service: str\n",
    "orchestrator/rumiai/run/models.py": "from rumiai.contracts import one, two\nALL = (one.Seen, two.Heard)\n",
    "orchestrator/rumiai/run/mixed.py": "from rumiai.contracts.two import Heard\nMORE = {'nose': Heard}\n",
    "orchestrator/rumiai/run/hearing.py": "from rumiai.contracts.two import Heard\n",
    "orchestrator/rumiai/run/consumer.py": "def smell(nose):\n    return nose\n",
    "orchestrator/rumiai/run/prose.py": '"""eyes, ears, nose"""\n',
    # Two analyses; the table of both spells one as an identifier.
    "orchestrator/rumiai/metrics/__init__.py": "",
    "orchestrator/rumiai/metrics/registry.py": "ANALYSES = ('joy', 'pace')\n",
    "orchestrator/rumiai/metrics/joy/family.py": "",
    "orchestrator/rumiai/metrics/pace/family.py": "from rumiai.metrics import shared\nx = 'joy pace'\n",
    "orchestrator/rumiai/metrics/shared/words.py": "import joy\nlater = 'a pace of its own'\n",
    # Any-maps: by name, by alias, by an imported alias, in a string, nested; three that are none.
    "orchestrator/rumiai/media/maps.py": (
        "from typing import Any\n"
        "Record = dict[str, Any]\n"
        "def plain(x: dict[str, Any]): ...\n"
        "def alias(*x: Record): ...\n"
        "def text(x: 'list[Record]'): ...\n"
        "def nested() -> list[dict[str, list[Any]]]: ...\n"
        "def harmless(x: dict[str, int], y: Any) -> list[Any]:\n"
        "    inside: dict[str, Any] = {}\n"
        "    return [inside]\n"
    ),
    "orchestrator/rumiai/media/users.py": (
        "from rumiai.media.maps import Record as R\nasync def imported(*, x: R | None): ...\ndef other(x: int): ...\n"
    ),
    "triton/rumiai_server/__init__.py": "",
    "bench/long.py": "\n" * 401,
    "tests/long.py": "\n" * 500,
}


@pytest.fixture(scope="module")
def house():
    with loaded(SCRIPT) as module:
        yield module


@pytest.fixture
def tree(tmp_path):
    for name, text in TREE.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def test_circles_of_modules_and_of_rooms(house, tree):
    imports = house.House.read(tree).imports()
    assert house.circles(imports) == [["rumiai.run.one", "rumiai.run.two"]]
    assert house.circles(house.rooms(imports)) == [["rumiai.media", "rumiai.run"]]
    assert house.circles({"a": {"a"}, "b": {"c"}, "c": {"d"}, "d": {"b"}, "e": {"b"}}) == [["b", "c", "d"]]


def test_tables_name_all_of_a_kind_or_all_but_one(house, tree):
    read = house.House.read(tree)
    services, analyses, sources = house.KINDS
    assert set(house.names_of(services, read)) == {"eyes", "nose", "ears"}
    assert set(house.names_of(analyses, read)) == {"joy", "pace"}
    assert house.names_of(sources, read) == {}
    tables = [
        "orchestrator/rumiai/run/mixed.py",
        "orchestrator/rumiai/run/models.py",
        "orchestrator/rumiai/run/table.py",
    ]
    assert house.tables(services, read) == tables
    assert house.tables(analyses, read) == ["orchestrator/rumiai/metrics/shared/words.py"]


def test_any_maps_are_found_behind_their_aliases(house, tree):
    found = house.any_maps(house.House.read(tree))
    assert [place.split()[1] for place in found] == ["plain", "alias", "text", "nested", "imported"]
    assert found[0] == "orchestrator/rumiai/media/maps.py:3 plain"


def test_lengths_count_from_def_to_the_end(house, tree):
    lines = house.function_lines(house.House.read(tree))
    assert lines[0] == (3, "orchestrator/rumiai/media/maps.py harmless")
    assert sorted(length for length, _ in lines) == [1, 1, 1, 1, 1, 1, 2, 2, 3]


def test_the_report_and_its_status(tree):
    copied = tree / "scripts" / "house.py"
    copied.parent.mkdir()
    copied.write_text(SCRIPT.read_text(encoding="utf-8"), encoding="utf-8")
    done = subprocess.run([sys.executable, copied], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "")
    shown = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert "! import circles of modules 1 (at most 0)" in shown
    assert "rumiai.run.one <-> rumiai.run.two" in shown
    assert "! files to touch for a new service 4 (by 3 of them) (at most 1)" in shown
    assert "! files above 400 lines 1 (at most 0)" in shown
    assert "401 bench/long.py" in shown


def test_a_tree_within_all_limits_ends_with_0(house, tmp_path, capsys):
    services = "orchestrator/rumiai/services/one.py", "class One:\n    name = 'one'\n"
    sources = "orchestrator/rumiai/sources/one.py", "class One:\n    name = 'one'\n"
    for name, text in (services, sources, ("orchestrator/rumiai/metrics/joy/family.py", "def f(): ...\n")):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text(text)
    assert house.main(tmp_path) == 0
    assert "!" not in capsys.readouterr().out
