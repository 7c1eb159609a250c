"""Requests to the endpoint ``ocr``, and the contrast of its boxes."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from rumiai.contracts.frames import FrameBatch, SharedSpan
from rumiai.errors import ContractError
from rumiai.inference.client import TritonClient
from rumiai.inference.ocr import CAPTIONS, box_contrasts, read_texts


def batch_of(n: int, height: int = 2, width: int = 3) -> FrameBatch:
    images = np.arange(n * height * width * 3, dtype=np.uint8).reshape(n, height, width, 3)
    span = SharedSpan("region", "/key", 4096, images.nbytes)
    return FrameBatch(images, np.arange(n) / 2.0, np.arange(n), "sampled", span, lambda: None)


class CountingClient(TritonClient):
    """Finds one text on every frame, named by the frame's first value, and sees how many requests wait at once."""

    def __init__(self):
        self.sizes, self.now, self.most = [], 0, 0

    async def infer(self, spec, inputs, parameters=None):
        images = inputs["IMAGES"].array
        self.sizes.append(len(images))
        self.now += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(0)
        self.now -= 1
        n = len(images)
        return {
            "TEXTS": np.array([[str(image[0, 0, 0]).encode()] for image in images], object),
            "QUADS": np.zeros((n, 1, 4, 2), np.float32),
            "SCORES": np.full((n, 1), 0.5, np.float32),
            "COUNTS": np.ones((n, 1), np.int32),
            "UNREAD_QUADS": np.tile(np.array([[0, 0], [3, 0], [3, 1], [0, 1]], np.float32), (n, 2, 1, 1)),
            "UNREAD_SCRIPTS": np.array([[b"thai", b""]] * n, object),
            "UNREAD_SCORES": np.full((n, 2), 0.75, np.float32),
            "UNREAD_COUNTS": np.array([[int(image[0, 0, 0] > 0)] for image in images], np.int32),
        }


class ForgedClient(CountingClient):
    """Names a script that there is not."""

    async def infer(self, spec, inputs, parameters=None):
        answer = await super().infer(spec, inputs, parameters)
        return answer | {"UNREAD_SCRIPTS": np.array([[b"klingon", b""]] * len(answer["TEXTS"]), object)}


def test_a_video_has_one_request_of_a_batch_at_ocr():
    client, batch = CountingClient(), batch_of(8)
    found = asyncio.run(read_texts(client, batch, CAPTIONS, [0, 2, 3, 4, 7]))
    assert (client.sizes, client.most) == ([1, 3, 1], 1)
    assert [frame.frame_number for frame in found] == [0, 2, 3, 4, 7]
    assert [frame.texts for frame in found] == [(str(batch.images[i, 0, 0, 0]),) for i in (0, 2, 3, 4, 7)]


def test_what_was_not_read_comes_with_its_box_and_its_script():
    first, second = asyncio.run(read_texts(CountingClient(), batch_of(2), CAPTIONS))
    assert first.unread.scripts == ()
    assert second.unread.scripts == ("thai",)
    assert second.unread.boxes.tolist() == [[0, 0, 1, 0.5]]  # of 3 x 2 px
    assert second.unread.scores.tolist() == [0.75]


def test_a_script_that_there_is_not_is_refused():
    with pytest.raises(ContractError, match="klingon"):
        asyncio.run(read_texts(ForgedClient(), batch_of(2), CAPTIONS))


def test_contrast_is_the_spread_of_the_luminance_in_the_box():
    image = np.zeros((100, 200, 3), np.uint8)
    image[:50, :100] = (255, 0, 0)  # luminance 76.245
    image[:50, 100:] = 255
    boxes = np.array([[0, 0, 0.5, 0.5], [0, 0, 1, 0.5], [0.5, 0, 0.5, 1], [0.999, 0.999, 0, 0]], np.float32)
    expected = [0, 1 - 0.299, 1, 0]
    np.testing.assert_allclose(box_contrasts(image, boxes), expected, atol=1e-6)
    assert box_contrasts(image, np.zeros((0, 4), np.float32)).shape == (0,)
