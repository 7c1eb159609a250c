#!/usr/bin/env python3
"""The name that callers of the earlier system start: ``rumiai-orch runner`` with the same arguments.

Any ``python3`` will do: where it does not have RumiAI, the one of ``.venv`` beside this folder is started in its place.
"""

import os
import sys

_PYTHON = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), ".venv", "bin", "python")


def run() -> None:
    """Run the command; it ends the process."""
    try:
        from rumiai.cli import main
    except ImportError as exc:
        if not os.access(_PYTHON, os.X_OK) or os.path.samefile(sys.prefix, os.path.dirname(os.path.dirname(_PYTHON))):
            sys.exit(f"error: RumiAI is not installed for {sys.executable} ({exc}); run make setup")
        os.execv(_PYTHON, [_PYTHON, *sys.argv])
    main(["runner", *sys.argv[1:]])


if __name__ == "__main__":
    run()
