"""The tests of the Node wrapper, run by Node itself, and what its page shows."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

from ...node import node

CLIENT = Path(__file__).resolve().parents[3] / "clients/node"


def test_the_tests_of_the_wrapper() -> None:
    ran = subprocess.run(
        [node(), "--test", "runner.test.js"], cwd=CLIENT, capture_output=True, text=True, timeout=300, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert re.search(r"pass [1-9]\d", ran.stdout), ran.stdout


def test_the_package_needs_nothing_and_names_its_files() -> None:
    package = json.loads((CLIENT / "package.json").read_text())
    assert not {"dependencies", "devDependencies", "optionalDependencies"} & package.keys()
    named = {package["main"], package["types"], *package["bin"].values(), *package["files"]}
    assert all((CLIENT / name).is_file() for name in named)
    required = set(re.findall(r"require\('\./([\w.]+)'\)", (CLIENT / "index.js").read_text()))
    assert required <= set(package["files"])
    imported = re.findall(r"require\('([^.'][^']*)'\)", "".join(path.read_text() for path in CLIENT.glob("*.js")))
    assert imported
    assert all(name.startswith("node:") for name in imported)


def test_the_types_name_what_the_module_has() -> None:
    exported = json.loads(
        subprocess.run(
            [node(), "-p", "JSON.stringify(Object.keys(require('./index.js')))"],
            cwd=CLIENT, capture_output=True, text=True, check=True,
        ).stdout
    )  # fmt: skip
    declared = re.findall(r"^export class (\w+)", (CLIENT / "index.d.ts").read_text(), re.MULTILINE)
    assert sorted(exported) == sorted(declared)
