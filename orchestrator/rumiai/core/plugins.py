"""Plugins: modules of the user's that register services and sources, in the parent and in every worker."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import zlib
from collections.abc import Iterable
from pathlib import Path

from rumiai.errors import ConfigurationError


def load_plugins(plugins: Iterable[str]) -> None:
    """Import plugins, each once.

    Args:
        plugins: Names of importable modules, or paths of ``.py`` files.

    Raises:
        ConfigurationError: There is no such module or file.
    """
    for plugin in plugins:
        if plugin.endswith(".py"):
            _load_file(Path(plugin))
            continue
        try:
            importlib.import_module(plugin)
        except ModuleNotFoundError as exc:
            hint = "give the name of a module, or the path of a .py file"
            raise ConfigurationError(f"plugin {plugin}: {exc}", hint=hint) from exc


def _load_file(path: Path) -> None:
    # The same name in every process, so that what a plugin defines can be sent between them.
    name = f"rumiai_plugin_{path.stem}_{zlib.crc32(str(path.resolve()).encode()):08x}"
    if name in sys.modules:
        return
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None or not path.is_file():
        raise ConfigurationError(f"plugin {path}: there is no such file")
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
