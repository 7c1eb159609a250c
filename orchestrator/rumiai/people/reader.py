"""People on all sampled frames of a video, batch by batch."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor

from rumiai.contracts.frame_reader import FrameReader
from rumiai.contracts.frames import FrameBatch, FrameDetections
from rumiai.people.landmarks import PeopleAnalyzer
from rumiai.people.observations import PeopleFrame

# For each frame of a batch the persons on it; None when they are not known.
PersonsOf = Callable[[FrameBatch], Sequence[FrameDetections] | None]


class PeopleReader(FrameReader):
    """Looks for people in one video.

    Args:
        analyzer: Gives MediaPipe's models; called in ``thread`` alone, where they are made and used.
        thread: Of one thread.
        persons: Where persons are, asked when the readers in ``after`` are done with a batch.
        after: Readers that ``persons`` depends on.
    """

    def __init__(
        self,
        analyzer: Callable[[], PeopleAnalyzer],
        thread: Executor,
        persons: PersonsOf,
        after: tuple[FrameReader, ...] = (),
    ) -> None:
        self.after = after
        self.frames: list[PeopleFrame] = []
        self._analyzer, self._thread, self._persons = analyzer, thread, persons

    async def read(self, batch: FrameBatch) -> None:
        """Look at a batch.

        Raises:
            MLError: MediaPipe failed.
            WeightsError: A model file is missing.
        """
        persons = self._persons(batch)
        self.frames += await asyncio.get_running_loop().run_in_executor(self._thread, self._look, batch, persons)

    def _look(self, batch: FrameBatch, persons: Sequence[FrameDetections] | None) -> list[PeopleFrame]:
        analyzer = self._analyzer()
        if not self.frames:
            analyzer.reset()  # it still holds the end of another video
        return analyzer.analyze(batch.images, batch.timestamps_s, batch.frame_numbers, persons)
