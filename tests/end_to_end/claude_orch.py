"""``rumiai-orch`` with the Claude API at another address: run as a program, with the address before the arguments.

The address is no setting on purpose (nothing may divert the key), so it is put in where the command line hands over.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Any

from rumiai import cli
from rumiai.insights import ClaudeSettings
from rumiai.run import claude as claude_run

# Attempts end soon, so that a test with hanging ones does too.
_QUICK: dict[str, Any] = {"max_retries": 2, "deadline_s": 30.0, "read_timeout_s": 5.0}


def main() -> None:
    """Run the command."""
    address, *arguments = sys.argv[1:]
    choose = claude_run.claude_settings

    def elsewhere(*args: Any, **kwargs: Any) -> ClaudeSettings:
        return replace(choose(*args, **kwargs), base_url=address, **_QUICK)

    claude_run.claude_settings = elsewhere
    sys.argv = ["rumiai-orch", *arguments]
    cli.main()


if __name__ == "__main__":
    main()
