"""The naive flow: each upstream library used plainly, opening the video again for itself, one frame after another.

This is what the pipeline is measured against, so it is written as a user of these libraries would write it, with their
current defaults and their own thread settings; models are loaded before the clock of their part starts. The same
weights as the pipeline's are used, from the weights folder; nothing is fetched.

    python bench/naive.py CLIP --out result.json
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import os
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

# The libraries are imported in the functions that use them, after rumiai, which switches their telemetry off.
os.environ.setdefault("GLOG_minloglevel", "2")

import cv2
import numpy as np
import numpy.typing as npt

from rumiai import weights

SAMPLE_FPS: Final = 2.0

Picture = npt.NDArray[np.uint8]
# Reads a clip, within about the limit in seconds; gives how many of how many frames it did, and what it found.
Part = Callable[[Path, float | None], tuple[int, int, Any]]


def sampled(path: Path, limit_s: float | None) -> Iterator[tuple[int, int, Picture]]:
    """Instant, number of instants and BGR frame, with OpenCV.

    With a limit, only every so many-th instant, so that all take about as long as that, judging by the first.
    """
    video = cv2.VideoCapture(str(path))
    fps, frames = video.get(cv2.CAP_PROP_FPS), int(video.get(cv2.CAP_PROP_FRAME_COUNT))
    indices = [round(k * fps / SAMPLE_FPS) for k in range(int(frames / fps * SAMPLE_FPS) + 1)]
    wanted = {index: k for k, index in enumerate(indices) if index < frames}
    index, stride = 0, 1
    while video.grab():
        if index in wanted and wanted[index] % stride == 0:
            _, frame = video.retrieve()
            began = time.monotonic()
            yield wanted[index], len(wanted), frame
            if limit_s is not None and index == 0:
                stride = max(1, math.ceil(len(wanted) * (time.monotonic() - began) / limit_s))
        index += 1
    video.release()


def _each_frame(path: Path, limit_s: float | None, look: Callable[[Picture], dict[str, Any]]) -> tuple[int, int, Any]:
    found, total = [], 0
    for instant, total, frame in sampled(path, limit_s):  # noqa: B007 - the last total is returned
        found.append({"instant": instant, **look(frame)})
    return len(found), total, found


def load_ocr() -> Part:
    """EasyOCR on whole frames."""
    import easyocr

    folder = str(weights.path("craft_mlt_25k.pth").parent)
    reader = easyocr.Reader(["en"], gpu=False, model_storage_directory=folder, download_enabled=False, verbose=False)

    def look(frame: Picture) -> dict[str, Any]:
        read = reader.readtext(frame)
        return {"texts": [{"text": text, "confidence": float(score)} for _, text, score in read]}

    return lambda path, limit_s: _each_frame(path, limit_s, look)


def load_yolo() -> Part:
    """Ultralytics' YOLOv8n on whole frames, from a checkpoint as ultralytics publishes it."""
    from ultralytics import YOLO

    with tempfile.TemporaryDirectory() as folder:
        checkpoint = Path(folder) / "yolov8n.pt"
        _write_checkpoint(checkpoint)
        model = YOLO(checkpoint)
        model.predict(np.zeros((64, 64, 3), np.uint8), device="cpu", verbose=False)

    def look(frame: Picture) -> dict[str, Any]:
        (result,) = model.predict(frame, verbose=False)
        return {"objects": objects_of(result, frame)}

    return lambda path, limit_s: _each_frame(path, limit_s, look)


def objects_of(result: Any, frame: Picture) -> list[dict[str, Any]]:
    """Ultralytics' detections on a frame, boxes as x, y, width, height in fractions of it."""
    height, width = frame.shape[:2]
    objects = []
    for (x1, y1, x2, y2), score, kind in zip(
        result.boxes.xyxy.tolist(), result.boxes.conf.tolist(), result.boxes.cls.tolist(), strict=True
    ):
        box = (x1 / width, y1 / height, (x2 - x1) / width, (y2 - y1) / height)
        objects.append({"name": result.names[int(kind)], "confidence": score, "box": box})
    return objects


def _write_checkpoint(path: Path) -> None:
    """The weights of the ONNX export as ultralytics' own ``.pt``: unfused, half precision, with norms that do nothing.

    An ONNX file would make ultralytics pad every frame to a square, twice the work of what it does with a ``.pt``.
    """
    import torch
    from ultralytics.nn.tasks import DetectionModel

    from rumiai.contracts.tensors import COCO_NAMES
    from rumiai_server.engines.yolo.weights import load_yolo as read_export

    fused = read_export(weights.path("yolov8n.onnx")).module.state_dict()
    model: Any = DetectionModel("yolov8n.yaml", verbose=False)
    state = model.state_dict()
    for key in state:
        if key.endswith("bn.running_var"):
            state[key] = torch.full_like(state[key], 1 - 1e-3)  # plus the norm's epsilon it is 1
        elif key.endswith("bn.bias"):
            state[key] = fused[key.replace("bn.bias", "conv.bias")]
        elif key in fused:
            state[key] = fused[key]
    model.load_state_dict(state)
    model.names = dict(enumerate(COCO_NAMES))
    torch.save({"model": model.half(), "ema": None, "train_args": {"imgsz": 640, "task": "detect"}}, path)


def load_whisper() -> Part:
    """openai-whisper base in float32 with word times, on the whole track."""
    from faster_whisper.audio import decode_audio

    from rumiai_server.engines.whisper.openai import load_model

    model: Any = load_model(weights.path("whisper-base-ct2")).eval()

    def run(path: Path, _: float | None) -> tuple[int, int, Any]:
        # openai-whisper's own loader calls the program ffmpeg, which may not be there.
        result = model.transcribe(decode_audio(str(path)), word_timestamps=True, fp16=False)
        return 1, 1, {"text": result["text"].strip(), "language": result["language"]}

    return run


def load_mediapipe() -> Part:
    """MediaPipe's face, gesture and pose tasks on whole frames."""
    tasks = contextlib.ExitStack()
    look = people_look(tasks)

    def run(path: Path, limit_s: float | None) -> tuple[int, int, Any]:
        with tasks:
            return _each_frame(path, limit_s, look)

    return run


def people_look(tasks: contextlib.ExitStack) -> Callable[[Picture], dict[str, Any]]:
    """What counts faces, poses and gestures on a BGR frame, until ``tasks`` is closed."""
    import mediapipe
    from mediapipe.tasks.python import BaseOptions, vision

    from rumiai.people.gesture_bundle import gesture_recognizer
    from rumiai.people.tasks import quiet_stderr

    def asset(name: str) -> Any:
        return BaseOptions(model_asset_path=str(weights.path(name)))

    bundle = gesture_recognizer(
        weights.path("hand_landmarker.task").read_bytes(),
        weights.path("gesture_embedder.tflite").read_bytes(),
        weights.path("canned_gesture_classifier.tflite").read_bytes(),
    )
    with quiet_stderr():
        faces = vision.FaceLandmarker.create_from_options(
            vision.FaceLandmarkerOptions(base_options=asset("face_landmarker.task"), output_face_blendshapes=True)
        )
        gestures = vision.GestureRecognizer.create_from_options(
            vision.GestureRecognizerOptions(base_options=BaseOptions(model_asset_buffer=bundle))
        )
        poses = vision.PoseLandmarker.create_from_options(
            vision.PoseLandmarkerOptions(base_options=asset("pose_landmarker_full.task"))
        )

    def look(frame: Picture) -> dict[str, Any]:
        image = mediapipe.Image(mediapipe.ImageFormat.SRGB, cv2.cvtColor(frame, cv2.COLOR_BGR2RGB))
        found = gestures.recognize(image)
        return {
            "faces": len(faces.detect(image).face_landmarks),
            "poses": len(poses.detect(image).pose_landmarks),
            "gestures": [hand[0].category_name for hand in found.gestures],
        }

    for task in (faces, gestures, poses):
        tasks.enter_context(task)
    return look


def load_scenes() -> Part:
    """PySceneDetect's adaptive detector on every frame."""
    import scenedetect

    def run(path: Path, _: float | None) -> tuple[int, int, Any]:
        scenes = scenedetect.detect(str(path), scenedetect.AdaptiveDetector())
        return 1, 1, {"cuts_s": [start.seconds for start, _ in scenes[1:]]}

    return run


PARTS: Final[dict[str, Callable[[], Part]]] = {
    "ocr": load_ocr,
    "whisper": load_whisper,
    "yolo": load_yolo,
    "mediapipe": load_mediapipe,
    "scenes": load_scenes,
}


def run_naive(path: Path, limit_s: float | None = None) -> dict[str, Any]:
    """Run all parts, one after another.

    Args:
        path: The clip.
        limit_s: A part that goes frame by frame leaves frames out so that it takes about so many seconds, and its time
            is scaled up to all frames.

    Returns:
        ``parts``: for each its seconds, CPU seconds, seconds of loading (not in the others), frames done and in all,
        whether the seconds were scaled up (``estimated``) and what it found; ``seconds``: their sum.
    """
    parts = {}
    for name, load in PARTS.items():
        began = time.monotonic()
        part = load()
        loaded, cpu = time.monotonic(), time.process_time()
        done, total, data = part(path, limit_s)
        seconds, cpu_s = time.monotonic() - loaded, time.process_time() - cpu
        scale = total / max(done, 1)
        parts[name] = {
            "seconds": round(seconds * scale, 3),
            "cpu_s": round(cpu_s * scale, 3),
            "load_s": round(loaded - began, 3),
            "frames": done,
            "frames_in_all": total,
            "estimated": done < total,
            "data": data,
        }
        print(f"  naive {name}: {parts[name]['seconds']:.1f} s" + (" (estimated)" * (done < total)), flush=True)
    seconds = round(sum(part["seconds"] for part in parts.values()), 3)
    estimated = any(part["estimated"] for part in parts.values())
    return {"seconds": seconds, "estimated": estimated, "sample_fps": SAMPLE_FPS, "parts": parts}


def faster_whisper_transcript(path: Path) -> str:
    """faster-whisper's own: its batched pipeline with the settings that the service promises to equal."""
    from faster_whisper import BatchedInferencePipeline, WhisperModel
    from faster_whisper.audio import decode_audio

    # float32 is what its default comes to on a CPU.
    model = WhisperModel(str(weights.path("whisper-base-ct2")), device="cpu", compute_type="float32")
    pipeline = BatchedInferencePipeline(model)
    segments, _ = pipeline.transcribe(
        decode_audio(str(path)),
        vad_filter=True,
        temperature=0,
        condition_on_previous_text=False,
        without_timestamps=False,
    )
    return " ".join(segment.text.strip() for segment in segments)


def main() -> None:
    """Run the flow on one clip and write its result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clip", type=Path)
    parser.add_argument("--out", type=Path, help="where to write the result as JSON")
    parser.add_argument("--seconds-limit", type=float, help="per part; its time is then scaled up")
    args = parser.parse_args()
    warnings.simplefilter("ignore")  # the libraries' notices on CPU, pinned memory and quantisation
    with tempfile.TemporaryDirectory() as settings:
        os.environ.setdefault("YOLO_CONFIG_DIR", settings)
        result = run_naive(args.clip, args.seconds_limit)
    result["faster_whisper"] = faster_whisper_transcript(args.clip)
    result["omp_wait_policy"] = os.environ.get("OMP_WAIT_POLICY", "default")
    if args.out:
        args.out.write_text(json.dumps(result, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"naive flow: {result['seconds']:.1f} s")


if __name__ == "__main__":
    main()
