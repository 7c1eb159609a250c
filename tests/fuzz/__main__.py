"""``make fuzz``: mutated files, odd calls and wrong requests, with what they brought to light.

    python -m tests.fuzz                                   # 500 files, 300 calls, 2000 requests, 2000 of the service
    python -m tests.fuzz --only files --files 5000 --seed 7

The same seed gives the same inputs. Exit status: 0, or 1 when anything was found that must not be.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from . import calls, endpoints, files, service
from .report import Report

PARTS = ("files", "calls", "endpoints", "service")


def main() -> int:
    """Run the parts one after another."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=PARTS, action="append", help="run this part alone")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--files", type=int, default=500)
    parser.add_argument("--calls", type=int, default=300)
    parser.add_argument("--requests", type=int, default=2000)
    parser.add_argument("--service-calls", type=int, default=2000)
    parser.add_argument("--keep", type=Path, help="keep the inputs here; it must not exist")
    args = parser.parse_args()
    faults = 0
    with tempfile.TemporaryDirectory(prefix="rumiai-fuzz-") as temporary:
        folder: Path = args.keep or Path(temporary) / "fuzz"
        folder.mkdir()
        for part in args.only or PARTS:
            faults += _timed(lambda part=part: _run(part, folder / part, args))
    print(f"found: {faults}")
    return 1 if faults else 0


def _run(part: str, folder: Path, args: argparse.Namespace) -> Report:
    if part == "files":
        return files.run(folder, count=args.files, seed=args.seed)
    if part == "calls":
        return calls.run(folder, count=args.calls, seed=args.seed)
    if part == "service":
        return service.run(folder, count=args.service_calls, seed=args.seed)
    return endpoints.run(folder, count=args.requests, seed=args.seed)


def _timed(part: Callable[[], Report]) -> int:
    began = time.monotonic()
    report = part()
    print("\n".join([*report.lines(), f"  seconds: {time.monotonic() - began:.0f}"]), flush=True)
    return report.faults


if __name__ == "__main__":
    sys.exit(main())
