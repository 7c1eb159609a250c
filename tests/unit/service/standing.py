"""A service without models in a process of its own, to be killed: ``-m tests.unit.service.standing OUT PORT``."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import uvicorn

from rumiai.run.submission import Submission
from rumiai.service.app import create_app
from rumiai.service.config import Limits, ServiceConfig
from rumiai.settings import Settings

from .doubles import Analyst, Receiver, no_models

# A video takes this long, so that kills come in the middle of runs.
WORK_S = 0.02


class SlowAnalyst(Analyst):
    def __call__(self, submission: Submission, *others: object) -> None:
        tasks = submission.tasks
        for task in tasks:
            time.sleep(WORK_S)
            part = Submission(
                type(submission.inputs)((task,), submission.inputs.digests), submission.store, submission.settings
            )
            super().__call__(part, *others)  # type: ignore[arg-type]
            submission.outcomes += part.outcomes


def main(out: str, port: str) -> None:
    config = ServiceConfig(
        Settings(out=Path(out), services=("none",), claude="off"),
        roots=(Path(out).parent.resolve(),),
        runs_at_once=2,
        limits=Limits(requests_a_minute=10**6),
    )
    app = create_app(config, make_server=no_models, post=Receiver(), analyse=SlowAnalyst())
    uvicorn.run(app, port=int(port), log_level="error", access_log=False, ws="none")


if __name__ == "__main__":
    main(*sys.argv[1:])
