"""The strong flow: what a good engineer writes in an afternoon, with the best package for each job and one decode.

    python bench/strong.py CLIP --out result.json

PyAV decodes once. Every frame goes, small, to PySceneDetect's adaptive detector; two frames a second go to YOLOv8n
(ultralytics on ONNX Runtime), RapidOCR at a long side of 960 px, and MediaPipe's tasks; the sound goes to
faster-whisper, batched and in 8 bits, with word times. All models are loaded before the clock starts. The same weights
as the pipeline's are used, from the weights folder; nothing is fetched.

The result has the form of ``naive.py``'s, with the part ``decode`` beside the others.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
os.environ.setdefault("YOLO_AUTOINSTALL", "false")

import av
import naive
import numpy as np
from naive import SAMPLE_FPS, Picture

from rumiai import weights

OCR_SIDE_PX: Final = 960
# To which PySceneDetect would scale frames by itself.
_SCENE_WIDTH_PX: Final = 256
_WHISPER_BATCH: Final = 8


class StrongFlow:
    """The models, loaded; one clip after another.

    Args:
        tasks: Closes MediaPipe's tasks.
    """

    def __init__(self, tasks: contextlib.ExitStack) -> None:
        from faster_whisper import BatchedInferencePipeline, WhisperModel
        from rapidocr import RapidOCR
        from ultralytics import YOLO

        self._yolo = YOLO(weights.path("yolov8n.onnx"), task="detect")
        self._yolo.predict(np.zeros((640, 640, 3), np.uint8), device="cpu", verbose=False)
        self._ocr = RapidOCR(
            params={"Det.limit_type": "max", "Det.limit_side_len": OCR_SIDE_PX, "Global.log_level": "error"}
        )
        self._ocr(np.zeros((64, 512, 3), np.uint8))
        model = WhisperModel(str(weights.path("whisper-base-ct2")), device="cpu", compute_type="int8")
        self._whisper = BatchedInferencePipeline(model)
        self._people = naive.people_look(tasks)
        self._spent: dict[str, list[float]] = {}

    def run(self, path: Path) -> dict[str, Any]:
        """Analyse a clip: for each part its seconds, CPU seconds and what it found."""
        self._spent = {name: [0.0, 0.0] for name in ("decode", "scenes", "yolo", "ocr", "mediapipe", "whisper")}
        found = self._pictures(path)
        with self._clock("whisper"):
            found["whisper"] = self._speech(path)
        frames = len(found["ocr"])
        return {
            name: {
                "seconds": round(seconds, 3),
                "cpu_s": round(cpu_s, 3),
                "load_s": 0.0,
                "frames": frames,
                "frames_in_all": frames,
                "estimated": False,
                "data": found.get(name),
            }
            for name, (seconds, cpu_s) in self._spent.items()
        }

    @contextlib.contextmanager
    def _clock(self, part: str) -> Iterator[None]:
        began, cpu = time.monotonic(), time.process_time()
        yield
        self._spent[part][0] += time.monotonic() - began
        self._spent[part][1] += time.process_time() - cpu

    def _pictures(self, path: Path) -> dict[str, Any]:
        from scenedetect import AdaptiveDetector, FrameTimecode

        found: dict[str, Any] = {"yolo": [], "ocr": [], "mediapipe": []}
        detector, cuts, due = AdaptiveDetector(), [], 0
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            stream.thread_type = "AUTO"
            fps = float(stream.average_rate)
            frames = container.decode(stream)
            for index in range(1 << 62):
                with self._clock("decode"):
                    frame = next(frames, None)
                    if frame is None:
                        break
                    height = max(round(frame.height * _SCENE_WIDTH_PX / frame.width), 1)
                    small = frame.to_ndarray(format="bgr24", width=_SCENE_WIDTH_PX, height=height)
                    sampled = index >= round(due * fps / SAMPLE_FPS)
                    picture = frame.to_ndarray(format="bgr24") if sampled else None
                with self._clock("scenes"):
                    cuts += detector.process_frame(FrameTimecode(index, fps), small)
                if picture is not None:
                    self._look(picture, due, found)
                    due += 1
            with self._clock("scenes"):
                cuts += detector.post_process(FrameTimecode(index, fps))
        return {**found, "scenes": {"cuts_s": [cut.seconds for cut in cuts]}}

    def _look(self, frame: Picture, instant: int, found: dict[str, Any]) -> None:
        with self._clock("yolo"):
            (result,) = self._yolo.predict(frame, device="cpu", verbose=False)
            found["yolo"].append({"instant": instant, "objects": naive.objects_of(result, frame)})
        with self._clock("ocr"):
            lines = self._ocr(frame)
            texts = [
                {"text": text, "confidence": float(score)}
                for text, score in zip(lines.txts or (), lines.scores or (), strict=True)
            ]
            found["ocr"].append({"instant": instant, "texts": texts})
        with self._clock("mediapipe"):
            found["mediapipe"].append({"instant": instant, **self._people(frame)})

    def _speech(self, path: Path) -> dict[str, Any]:
        segments, info = self._whisper.transcribe(str(path), batch_size=_WHISPER_BATCH, word_timestamps=True)
        return {"text": " ".join(segment.text.strip() for segment in segments), "language": info.language}


def run_strong(path: Path) -> dict[str, Any]:
    """Load everything, then analyse one clip; in the form of :func:`naive.run_naive`."""
    with contextlib.ExitStack() as tasks:
        began = time.monotonic()
        flow = StrongFlow(tasks)
        loaded = time.monotonic()
        parts = flow.run(path)
        seconds = round(time.monotonic() - loaded, 3)
    return {
        "seconds": seconds,
        "load_s": round(loaded - began, 3),
        "estimated": False,
        "sample_fps": SAMPLE_FPS,
        "parts": parts,
    }


def main() -> None:
    """Run the flow on one clip and write its result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clip", type=Path)
    parser.add_argument("--out", type=Path, help="where to write the result as JSON")
    args = parser.parse_args()
    warnings.simplefilter("ignore")  # the libraries' notices
    result = run_strong(args.clip)
    if args.out:
        args.out.write_text(json.dumps(result, ensure_ascii=False) + "\n", encoding="utf-8")
    for name, part in result["parts"].items():
        print(f"  strong {name}: {part['seconds']:.1f} s, {part['cpu_s']:.1f} CPU s")
    print(f"strong flow: {result['seconds']:.1f} s")


if __name__ == "__main__":
    main()
