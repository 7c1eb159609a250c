"""``python -m tests.soak.served HOME ARGUMENTS``: ``submit --to`` a service that is started again when it has ended.

What `rumiai-orch submit ARGUMENTS` does on this machine, done by a service with its folder in HOME. It says what
``submit`` says and ends with its exit status.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

ORCH: Final = (sys.executable, "-c", "from rumiai.cli import main; main()")
# A service that ends at once is not started a hundred times a second.
_AGAIN_S: Final = 1.0
_END_S: Final = 60.0


def _key(out: Path, home: Path) -> str:
    """The key of the service, made at the first start."""
    kept = home / "key"
    if not kept.exists():
        command = [*ORCH, "keys", "add", "--out", str(out), "--name", "soak", "--json"]
        made = subprocess.run(command, capture_output=True, text=True, check=True)
        kept.write_text(json.loads(made.stdout)["key"])
    return kept.read_text()


@contextlib.contextmanager
def _service(out: Path, port: int, log: Path) -> Iterator[None]:
    """A service that is there, or is being started again, until the end of the block."""
    closing, current = threading.Event(), [_started(out, port, log)]

    def keep() -> None:
        while not closing.wait(_AGAIN_S):
            if current[0].poll() is not None:
                current[0] = _started(out, port, log)

    thread = threading.Thread(target=keep, daemon=True)
    thread.start()
    try:
        yield
    finally:
        closing.set()
        thread.join()
        current[0].send_signal(signal.SIGTERM)
        current[0].wait(_END_S)


def _started(out: Path, port: int, log: Path) -> subprocess.Popen[bytes]:
    command = [*ORCH, "serve", "--out", str(out), "--port", str(port), "--claude", "off"]
    with log.open("ab") as stream:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=stream, stderr=stream)


def main(home: Path, arguments: Sequence[str]) -> int:
    """Run it; ``submit``'s exit status."""
    out = home / "service"
    out.mkdir(parents=True, exist_ok=True)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = int(taken.getsockname()[1])
    environment = {**os.environ, "RUMIAI_API_KEY": _key(out, home)}
    with _service(out, port, home / "service.log"):
        command = [*ORCH, "submit", "--json", "--to", f"http://127.0.0.1:{port}", *arguments]
        return subprocess.run(command, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
