"""Interface of what reads the sampled frames of a video, batch by batch, for one or several services."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from functools import partial
from typing import ClassVar, Final

from rumiai.contracts.frames import FrameBatch, FrameKind

# What is left to do of a batch after ``prepare``.
Reading = Callable[[], Awaitable[None]]

SAMPLED: Final[frozenset[FrameKind]] = frozenset({"sampled"})
ALL_KINDS: Final[frozenset[FrameKind]] = frozenset({"sampled", "after_cut"})


class FrameReader(ABC):
    """Reads the frames of one video and keeps what it finds; made anew for every video.

    The visual stage calls it on one event loop. It never has two batches in ``read`` at a time, and releases a batch
    itself when ``read`` has returned. An error of ours (``RumiAIError``) fails the services that the reader works for;
    it then gets no more batches.

    Attributes:
        kinds: Which batches it gets: those on the sampling grid, and those of the first frames after cuts.
        after: Readers that get each batch first; this one gets it when they are done with it, or have failed.
    """

    kinds: ClassVar[frozenset[FrameKind]] = SAMPLED
    after: tuple[FrameReader, ...] = ()

    async def prepare(self, batch: FrameBatch) -> Reading | None:
        """Look at a batch in the order of the video, while earlier batches may still be read.

        Returns:
            What is left to do; None when the batch need not be read. By default: ``read`` the batch.
        """
        return partial(self.read, batch)

    @abstractmethod
    async def read(self, batch: FrameBatch) -> None:
        """Read one batch; its pixels are valid until this returns."""
