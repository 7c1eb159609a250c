"""Requests on standard input: the arguments that they stand for, and what is refused."""

from __future__ import annotations

import json

import pytest

from rumiai.errors import UsageError
from rumiai.run.runner_request import MAX_BYTES, read_request


@pytest.mark.parametrize(
    ("request_", "arguments"),
    [
        ({"video_path": "a b.mp4"}, ["--video-path=a b.mp4"]),
        ({"video_url": "https://h.org/v.mp4", "video_id": "7"}, ["--video-url=https://h.org/v.mp4", "--video-id=7"]),
        (
            {
                "video_id": "7",
                "options": {"max_cost": 2.5, "force": True, "pretty": False, "services": ["yolo", "ocr"]},
            },
            ["--video-id=7", "--max-cost=2.5", "--force", "--services=yolo,ocr"],
        ),
        # What looks like a flag is a value.
        ({"video_path": "--force", "options": {"out": "--pretty"}}, ["--video-path=--force", "--out=--pretty"]),
        ({}, []),
    ],
)
def test_a_request_is_the_same_as_a_call(request_: dict[str, object], arguments: list[str]) -> None:
    assert read_request(json.dumps(request_).encode()).arguments() == arguments


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "stdin: Invalid JSON"),
        (b"clip.mp4", "stdin: Invalid JSON"),
        (b"[]", "stdin: Input should be an object"),
        (b"\xff", "stdin: Invalid JSON"),
        (b"[" * 100_000, "stdin: Invalid JSON"),
        (b'{"video": "a.mp4"}', "stdin: video: Extra inputs are not permitted"),
        # As a number it has lost digits on its way through JavaScript.
        (b'{"video_id": 7454575786134195489}', "stdin: video_id: Input should be a valid string"),
        (b'{"options": {"out": {}}}', "stdin: options.out: "),
        (b'{"options": {"services": []}}', "stdin: options.services: "),
        (b'{"options": {"stdin": true}}', "stdin: options: 'stdin' is no option"),
        (b'{"options": {"out=x --force": "y"}}', "stdin: options: 'out=x --force' is no option"),
        (b" " * (MAX_BYTES + 1), "more than 1048576 bytes"),
    ],
)
def test_what_is_no_request(text: bytes, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_request(text).arguments()
    assert message in caught.value.message
    assert caught.value.exit_code == 2
