"""Run records: which runs an output folder has seen, with their videos, stages, attempts and errors.

One SQLite file for each folder. It is made of the events of runs and can be made again from the state files on disk,
which are the truth: nothing that is found or kept depends on the records.
"""

from rumiai.records.connection import UnusableRecordsError
from rumiai.records.database import Records
from rumiai.records.place import records_file
from rumiai.records.recorder import Recorder
from rumiai.records.types import (
    AttemptRecord,
    CancelKind,
    EndingState,
    ErrorRecord,
    EventRecord,
    NewRun,
    NewVideo,
    RunEnding,
    RunRecord,
    RunState,
    StageRecord,
    VideoRecord,
    VideoState,
)

__all__ = [
    "AttemptRecord",
    "CancelKind",
    "EndingState",
    "ErrorRecord",
    "EventRecord",
    "NewRun",
    "NewVideo",
    "Recorder",
    "Records",
    "RunEnding",
    "RunRecord",
    "RunState",
    "StageRecord",
    "UnusableRecordsError",
    "VideoRecord",
    "VideoState",
    "records_file",
]
