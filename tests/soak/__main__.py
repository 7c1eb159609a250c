"""``python -m tests.soak``: exit status 1 when anything was found, 2 when the time was over before the end.

Started again with the same ``--work`` it goes on where it was.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

from rumiai.core.processes import ProcessIdentity

from .clips import make_clips
from .judge import differences, residue, tracebacks
from .watched import Ended, Kills, Watched

# Without progress a rerun is no better than the one before.
_MOST_RUNS: Final = 60
# Semaphores are left alone within the first minute of their life.
_SETTLE_S: Final = 65.0


@dataclass
class Progress:
    """What has been so far; kept in a file, so that a soak can go on.

    Attributes:
        began_s: When the first disturbed run began, in seconds since the epoch.
        runs: Disturbed runs so far, reruns among them.
        kills: Who was killed.
        hangs: Runs that said nothing for minutes.
        unended: Runs that were not killed and did not end with ``done``.
        wrong_successes: Files of a video that was called ok and differs.
        tracebacks: Where one was printed.
        processes: Everything that ran, as text.
        complete: A run has called every video ok.
        worked_s: How long the undisturbed run was at its videos.
    """

    began_s: float = 0.0
    runs: int = 0
    kills: list[str] = field(default_factory=list)
    hangs: list[str] = field(default_factory=list)
    unended: list[str] = field(default_factory=list)
    wrong_successes: list[str] = field(default_factory=list)
    tracebacks: list[str] = field(default_factory=list)
    processes: list[str] = field(default_factory=list)
    complete: bool = False
    worked_s: float = 0.0


class Soak:
    """One soak in one folder.

    Args:
        work: The folder.
        clips: How many clips.
        kills: How many kills.
        seed: Of clips and kills.
        services: Which run; empty for all.
        deadline: No more kills and runs after this instant of the monotonic clock.
        through_service: Whether the disturbed runs go through a service.
    """

    def __init__(
        self,
        work: Path,
        clips: int,
        kills: int,
        seed: int,
        services: str,
        deadline: float,
        *,
        through_service: bool = False,
    ) -> None:
        self._service = work / "served" if through_service else None
        self._work, self._seed, self._deadline = work, seed, deadline
        self._out, self._reference, self._temporary = work / "out", work / "reference", work / "tmp"
        self._temporary.mkdir(parents=True, exist_ok=True)
        self._services = ["--services", services] if services else []
        self._state = work / "soak.json"
        self.progress = Progress(**json.loads(self._state.read_text())) if self._state.exists() else Progress()
        self._kills = Kills.seeded(kills, seed, deadline)
        del self._kills.plan[: len(self.progress.kills)]
        self._clips = make_clips(work / "clips", clips, seed)

    def run(self) -> int:
        """All of it; the exit status."""
        if not self._run_reference() or not self._disturb():
            print("unfinished: start it again with the same --work to go on")
            return 2
        left = self._judge_residue()
        found = {
            "differences": differences(self._out, self._reference, [clip.stem for clip in self._clips]),
            "residue": left,
            "hangs": self.progress.hangs,
            "runs without done": self.progress.unended,
            "tracebacks": self.progress.tracebacks,
            "wrong successes": self.progress.wrong_successes,
        }
        print(f"{len(self._clips)} clips, {len(self.progress.kills)} kills, {self.progress.runs} runs")
        for name, items in found.items():
            print(f"{len(items)} {name}")
            for item in items[:20]:
                print(f"  {item}")
        return int(any(found.values()))

    def _run_reference(self) -> bool:
        """The undisturbed run; whether it is complete."""
        none = Kills([], self._kills.chance, 0.0)
        marker = self._reference / ".complete"
        while not marker.exists() and time.monotonic() < self._deadline:
            ended = self._submit(self._reference, none)
            if ended.is_complete:
                self.progress.worked_s = ended.worked_s
                self._state.write_text(json.dumps(asdict(self.progress), indent=1))
                marker.touch()
        return marker.exists()

    def _disturb(self) -> bool:
        """Run, disturbed as long as there are kills, until every video is ok; whether it came to that."""
        progress = self.progress
        progress.began_s = progress.began_s or time.time()
        self._kills.worked_s = progress.worked_s or self._kills.worked_s
        while not progress.complete and progress.runs < _MOST_RUNS and time.monotonic() < self._deadline:
            before = len(self._kills.done)
            ended = self._submit(self._out, self._kills)
            progress.runs += 1
            progress.kills += self._kills.done[before:]
            self._take(ended, f"run {progress.runs}")
            progress.complete = ended.is_complete and not self._kills.left
            self._state.write_text(json.dumps(asdict(progress), indent=1))
            print(f"run {progress.runs}: exit status {ended.code}, {len(ended.ok)} ok", flush=True)
            if ended.is_complete and self._kills.left:
                # All is done before all were killed: a rerun would find nothing to do, and nobody to kill.
                shutil.rmtree(self._out)
                if self._service is not None:
                    shutil.rmtree(self._service)
        return progress.complete

    def _take(self, ended: Ended, name: str) -> None:
        progress = self.progress
        said = [*(json.dumps(event) for event in ended.events if event["event"] != "progress"), ended.output]
        (self._work / f"{name.replace(' ', '-')}.txt").write_text("\n".join(said))
        if ended.hung:
            progress.hangs.append(name)
        if not ended.has_done and not ended.was_killed:
            progress.unended.append(f"{name}: exit status {ended.code}: {ended.output[-500:]}")
        wrong = differences(self._out, self._reference, ended.ok)
        progress.wrong_successes += [f"{name}: {item}" for item in wrong]
        folders = [self._out / "logs"]
        folders += [self._service, self._service / "service/logs"] if self._service is not None else []
        found = [log for folder in folders for log in folder.glob("*.log")]
        logs = [(f"{name}, {log.name}", log.read_text(errors="replace")) for log in found]
        progress.tracebacks += tracebacks([(f"{name}, output", ended.output), *logs])
        for log in found:
            log.rename(log.with_suffix(f".{progress.runs}"))
        progress.processes += map(str, ended.processes)

    def _judge_residue(self) -> list[str]:
        """What is there after the next start of everything, which need not do anything."""
        if any(Path("/dev/shm").glob("sem.mp-*")):
            time.sleep(_SETTLE_S)
        self._submit(self._out, Kills([], self._kills.chance, 0.0))
        processes = [ProcessIdentity.parse(text) for text in self.progress.processes]
        return residue(self._out, self._temporary, [p for p in processes if p], self.progress.began_s)

    def _submit(self, out: Path, kills: Kills) -> Ended:
        arguments = [*map(str, self._clips), "--out", str(out), "--no-claude", *self._services]
        service = self._service if out == self._out else None
        return Watched(arguments, self._temporary, service).run(kills, lambda text: print(f"  {text}", flush=True))


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the arguments, run a soak."""
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("--clips", type=int, default=200)
    parser.add_argument("--kills", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=240.0, help="no more kills or runs after this time")
    parser.add_argument("--services", default="", help="comma separated; all by default")
    parser.add_argument("--work", type=Path, default=Path(f"/tmp/rumiai-soak-{os.getuid()}"), help="folder to work in")
    parser.add_argument("--through", choices=("command", "service"), default="command", help="who runs the videos")
    given = parser.parse_args(arguments)
    deadline = time.monotonic() + 60.0 * given.minutes
    through_service = given.through == "service"
    asked = (given.work, given.clips, given.kills, given.seed, given.services, deadline)
    return Soak(*asked, through_service=through_service).run()


if __name__ == "__main__":
    sys.exit(main())
