"""The two stages with services that are made for a test: order, failures, shared readers, results of others."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rumiai.contracts.frame_reader import ALL_KINDS, FrameReader, Reading
from rumiai.contracts.frames import FrameBatch
from rumiai.contracts.services.base import ServiceData, ServiceMetadata
from rumiai.demo import ClipSpec, Shot, render
from rumiai.errors import DecodeError, MLError, StoreError
from rumiai.inference.client import TritonClient
from rumiai.media.probe import probe, sampling_for
from rumiai.media.shared_frames import FrameArena
from rumiai.perception import ServiceResults, first_of_ours, perceive, visual_stage
from rumiai.services import (
    AudioInputs,
    AudioService,
    ProbedVideo,
    Service,
    VideoContext,
    VisualInputs,
    VisualRun,
    VisualService,
    WorkerTools,
)
from rumiai.settings import Settings


class ToyData(ServiceData):
    service = "toy"
    peak: float | None = None


DATA = ToyData(metadata=ServiceMetadata(processed=True))


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> ProbedVideo:
    """Eleven seconds, so three batches of sampled frames, with a cut that falls on no sampled frame."""
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    shots = (Shot("gradient", 5.1), Shot("noise", 5.9))
    render(ClipSpec(shots=shots, width=160, height=284, fps=20, tone_hz=440.0), path)
    info = probe(path)
    return ProbedVideo(path, "clip", info, sampling_for(info, 2.0), "test-stages")


class Visual(VisualService[ToyData]):
    file = "toy/{id}.json"

    def __init__(
        self,
        name: str,
        reader: FrameReader | None,
        finish: Callable[[VideoContext], ToyData] | None = None,
        inputs: tuple[str, ...] = (),
    ) -> None:
        self.name = name  # type: ignore[misc]
        self.inputs = inputs  # type: ignore[misc]
        self._reader, self._finish = reader, finish or (lambda context: DATA)

    def data_model(self) -> type[ToyData]:
        return ToyData

    def version(self, settings: Settings) -> str:
        return "1"

    def start(self, inputs: VisualInputs) -> VisualRun:
        return VisualRun(self._reader, self._finish)


class Audio(AudioService[ToyData]):
    name, file = "loudest", "loudest/{id}.json"

    def data_model(self) -> type[ToyData]:
        return ToyData

    def version(self, settings: Settings) -> str:
        return "1"

    async def run(self, inputs: AudioInputs) -> ToyData:
        assert inputs.track is not None
        inputs.progress(1, 1)
        return DATA.model_copy(update={"peak": float(inputs.track.samples.max())})


class Counter(FrameReader):
    """Keeps the numbers of the frames that it read."""

    def __init__(self, *after: FrameReader, fail_at: int | None = None) -> None:
        self.after = after
        self.numbers: list[int] = []
        self.seen_before: list[bool] = []
        self._fail_at = fail_at
        self._reading = False

    async def read(self, batch: FrameBatch) -> None:
        assert not self._reading, "two batches at a time"
        self._reading = True
        self.seen_before += [
            set(batch.frame_numbers.tolist()) <= set(other.numbers)
            for other in self.after
            if isinstance(other, Counter)
        ]
        await asyncio.sleep(0.01)
        self._reading = False
        if self._fail_at is not None and len(self.numbers) >= self._fail_at:
            raise MLError("this model is no good")
        self.numbers += batch.frame_numbers.tolist()


class AllFrames(Counter):
    kinds = ALL_KINDS


class Picky(Counter):
    """Reads a batch only when it is the first."""

    async def prepare(self, batch: FrameBatch) -> Reading | None:
        return await super().prepare(batch) if not self.numbers else None


def run(
    video: ProbedVideo, *services: Service, stored: dict[str, ServiceData] | None = None
) -> tuple[ServiceResults, list]:
    events: list[tuple[str, Any]] = []

    async def perceived() -> ServiceResults:
        async with TritonClient.connect("127.0.0.1:9") as client:
            tell = lambda *event: events.append(event)  # noqa: E731
            return await perceive(video, services, client, Settings(), WorkerTools(), tell, stored or {}, {})

    return asyncio.run(perceived()), events


def succeeded(out: ServiceResults) -> dict[str, bool]:
    return {name: result.ok for name, result in out.results.items()}


def test_every_reader_gets_every_frame_of_its_kinds_in_order(video: ProbedVideo) -> None:
    one, two = Counter(), AllFrames()
    out, events = run(video, Visual("one", one), Visual("two", two))
    assert out.report is not None
    assert len(one.numbers) == 22 == video.sampling.frames_expected  # type: ignore[union-attr]
    assert one.numbers == sorted(one.numbers)
    assert set(two.numbers) - set(one.numbers) == {102}  # the first frame after the cut
    assert [done for stage, done, _ in events if stage == "frames"][-1] == 22
    assert succeeded(out) == {"one": True, "two": True}


def test_a_reader_gets_a_batch_after_those_it_comes_after(video: ProbedVideo) -> None:
    first = Counter()
    second = Counter(first)
    run(video, Visual("first", first), Visual("second", second))
    assert second.seen_before == [True, True, True]


def test_what_fails_costs_itself_and_holds_nobody_up(video: ProbedVideo) -> None:
    bad = Counter(fail_at=8)
    good = Counter(bad)
    out, _ = run(video, Visual("bad", bad), Visual("good", good))
    assert succeeded(out) == {"bad": False, "good": True}
    assert out.results["bad"].failure == "this model is no good"
    assert len(bad.numbers) == 8
    assert len(good.numbers) == 22


def test_services_share_a_reader_and_its_failure(video: ProbedVideo) -> None:
    shared = Counter()
    out, _ = run(video, Visual("one", shared), Visual("two", shared))
    assert len(shared.numbers) == 22
    assert succeeded(out) == {"one": True, "two": True}
    bad = Counter(fail_at=0)
    out, _ = run(video, Visual("one", bad), Visual("two", bad))
    assert succeeded(out) == {"one": False, "two": False}


def test_what_need_not_be_read_is_not(video: ProbedVideo) -> None:
    picky = Picky()
    out, events = run(video, Visual("picky", picky))
    assert len(picky.numbers) == 8
    assert [done for stage, done, _ in events if stage == "frames"][-1] == 22
    assert succeeded(out) == {"picky": True}


def test_a_service_finishes_with_cuts_and_the_results_of_its_inputs(video: ProbedVideo) -> None:
    seen: list[VideoContext] = []

    def finish(context: VideoContext) -> ToyData:
        seen.append(VideoContext(context.cuts_s, dict(context.results)))
        return DATA

    out, events = run(
        video,
        Visual("one", None, finish),
        Audio(),
        Visual("two", Counter(), finish, ("loudest", "old", "one", "absent")),
        stored={"old": DATA, "older": DATA},
    )
    assert list(seen[0].cuts_s) == pytest.approx([5.1], abs=0.01)
    assert [sorted(context.results) for context in seen] == [[], ["loudest", "old", "one"]]
    heard = seen[1].results["loudest"]
    assert isinstance(heard, ToyData)
    assert 0.01 < (heard.peak or 0.0) <= 1
    assert heard == out.results["loudest"].data
    assert ("speech", 1, 1) in events


@pytest.mark.parametrize("where", ["start", "finish"])
def test_an_error_at_either_end_is_the_services_own(where: str, video: ProbedVideo) -> None:
    def broken(*_: object) -> Any:
        raise MLError("no weights")

    service = Visual("broken", None, broken)
    if where == "start":
        service.start = broken  # type: ignore[method-assign]
    out, _ = run(video, service, Visual("good", Counter()))
    assert succeeded(out) == {"broken": False, "good": True}
    assert out.results["broken"].failure == "no weights"


def test_a_bug_is_no_failure_of_a_service(video: ProbedVideo) -> None:
    def bug(context: VideoContext) -> ToyData:
        raise KeyError("typo")

    with pytest.raises(KeyError):
        run(video, Visual("buggy", None, bug))


def test_frames_that_cannot_be_decoded_fail_the_visual_services_alone(video: ProbedVideo, tmp_path: Path) -> None:
    broken = tmp_path / "clip.mp4"
    broken.write_bytes(b"no video any more")
    gone = ProbedVideo(broken, "clip", video.info, video.sampling, "test-stages")
    out, _ = run(gone, Visual("one", Counter()), Visual("none", None))
    assert out.report is None
    assert succeeded(out) == {"one": False, "none": False}
    assert "clip.mp4" in str(out.results["none"].failure)


def test_a_service_that_asks_for_what_is_not_its_input_fails(video: ProbedVideo) -> None:
    def nosy(context: VideoContext) -> ToyData:
        return context.get(ToyData) or DATA

    out, _ = run(video, Visual("nosy", None, nosy), Visual("honest", None, nosy, ("toy",)), stored={"toy": DATA})
    assert succeeded(out) == {"nosy": False, "honest": True}
    assert "the data of toy, expected one of the service's inputs (none)" in str(out.results["nosy"].failure)


def test_a_service_starts_with_what_is_stored_of_its_inputs(video: ProbedVideo) -> None:
    stored: list[list[str]] = []

    class Curious(Visual):
        def start(self, inputs: VisualInputs) -> VisualRun:
            stored.append(sorted(inputs.stored))
            return super().start(inputs)

    run(video, Curious("one", None), Curious("two", None, None, ("old",)), stored={"old": DATA, "older": DATA})
    assert stored == [[], ["old"]]


@pytest.mark.parametrize(("room", "frames"), [(1000, 8), (39, 8), (20, 3), (8, 1), (1, 0)])
def test_little_shared_memory_makes_smaller_batches(
    room: int, frames: int, video: ProbedVideo, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``room`` is in frames."""
    frame_bytes = 160 * 284 * 3

    def arena(name: str, *, slots: int, slot_bytes: int) -> FrameArena:
        if slots * slot_bytes > room * frame_bytes:
            raise StoreError("/dev/shm has too little")
        return FrameArena(name, slots=slots, slot_bytes=slot_bytes)

    monkeypatch.setattr(visual_stage, "FrameArena", arena)
    sizes: list[int] = []

    class Sizes(Counter):
        async def read(self, batch: FrameBatch) -> None:
            sizes.append(len(batch))
            await super().read(batch)

    reader = Sizes()
    if frames:
        run(video, Visual("one", reader))
        assert (len(reader.numbers), max(sizes)) == (22, frames)
    else:
        with pytest.raises(StoreError, match="too little"):
            run(video, Visual("one", reader))


def test_the_first_error_of_a_group_is_told_when_all_are_ours() -> None:
    first, second = StoreError("full"), DecodeError("damaged")
    assert first_of_ours(ExceptionGroup("", [ExceptionGroup("", [first]), second])) is first
    assert first_of_ours(ExceptionGroup("", [first, KeyError("bug")])) is None


def test_a_stream_that_cannot_be_decoded_is_damage_and_a_broken_model_is_none(
    video: ProbedVideo, tmp_path: Path
) -> None:
    broken = tmp_path / "clip.mp4"
    broken.write_bytes(b"no video any more")
    out, _ = run(ProbedVideo(broken, "clip", video.info, video.sampling, "test-stages"), Visual("one", Counter()))
    assert isinstance(out.damage, DecodeError)
    assert out.damage.exit_code == 5
    out, _ = run(video, Visual("bad", Counter(fail_at=0)))
    assert out.damage is None


class Pixels(Counter):
    """Keeps a digest of what it read."""

    def __init__(self) -> None:
        super().__init__()
        self.digest = hashlib.sha256()

    async def read(self, batch: FrameBatch) -> None:
        self.digest.update(batch.images.tobytes())
        await super().read(batch)


def test_damaged_pictures_give_the_same_answer_each_time(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    render(ClipSpec(shots=(Shot("noise", 2.0),), width=160, height=284, fps=24, silent=True), path)
    content = bytearray(path.read_bytes())
    begin, end = content.index(b"mdat") + 1000, len(content) - 3000
    chance = np.random.default_rng(3)
    for at in chance.integers(begin, end, 40):
        content[at] = chance.integers(256)
    path.write_bytes(content)
    info = probe(path)
    damaged = ProbedVideo(path, "clip", info, sampling_for(info, 12.0), "test-stages")
    readers: list[Pixels] = []

    class Fresh(Visual):
        def start(self, inputs: VisualInputs) -> VisualRun:
            readers.append(Pixels())
            return VisualRun(readers[-1], lambda context: DATA)

    answers = set()
    for _ in range(4):
        out, _ = run(damaged, Fresh("one", None))
        assert out.report is not None
        assert out.report.frames_corrupt > 0
        answers.add((out.report.frames_decoded, out.report.frames_corrupt, readers[-1].digest.hexdigest()))
    assert len(answers) == 1
    assert len(readers) == 8  # each time once more, on one thread
