"""A process killed between two answers: the next one asks only for what was not answered."""

from __future__ import annotations

import asyncio
import pickle
import signal
import subprocess
import sys
import time
from pathlib import Path

from rumiai.insights import Insights

from .claude_server import claude_server, hangs, well
from .claude_videos import settings, store, video

_CHILD = """
import asyncio, pickle, sys
from pathlib import Path
from rumiai.insights import AnswerStore, Files, Insights
from rumiai.results.store import read_json, write_json
chosen, source, folder = pickle.loads(Path(sys.argv[1]).read_bytes())
async def run():
    async with Insights(chosen, AnswerStore(folder, Files(read_json, write_json))) as insights:
        await insights.analyse(source)
asyncio.run(run())
"""


def test_no_answer_is_paid_for_twice(tmp_path: Path) -> None:
    source = video("visual_overlay_analysis", "scene_pacing", "metadata_analysis")
    with claude_server() as server:
        chosen = settings(server.url, max_concurrent=1, deadline_s=30.0, read_timeout_s=30.0)
        server.script = [well, hangs]
        task = tmp_path / "task"
        task.write_bytes(pickle.dumps((chosen, source, tmp_path / "claude")))
        child = subprocess.Popen([sys.executable, "-c", _CHILD, str(task)])
        deadline = time.monotonic() + 120  # the child imports for seconds, and on a loaded machine for many
        try:
            while len(server.asked) < 2:
                assert time.monotonic() < deadline
                time.sleep(0.02)
        finally:
            child.send_signal(signal.SIGKILL)
            child.wait(10)

        async def again() -> list[str]:
            async with Insights(chosen, store(tmp_path / "claude")) as insights:
                found = await insights.analyse(source)
            return [result.source for result in found.results.values()]

        assert asyncio.run(again()) == ["claude"] * 3
        asked = [request.analysis for request in server.asked]
        assert asked.count("visual_overlay_analysis") == 1
        assert asked.count("scene_pacing") == 2
        assert not list((tmp_path / "claude").rglob("*.tmp"))
