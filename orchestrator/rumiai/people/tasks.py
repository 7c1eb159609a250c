"""The MediaPipe tasks: made, called and closed. The only file of the project that imports ``mediapipe.tasks``.

Every task runs in image (static) mode: sampled frames are up to a second apart, so tracking from one to the next would
be wrong. MediaPipe 1.2 gives each task object its own thread and runs the models on one core.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Final

import numpy as np

from rumiai.errors import MLError, WeightsError
from rumiai.people.geometry import Image
from rumiai.people.gesture_bundle import gesture_recognizer

# MediaPipe's own default.
MIN_CONFIDENCE: Final = 0.5
# A face's landmarks count from this presence on. In animals they reach 0.8 (a bear's 0.9), in filmed faces of 30 pixels
# and more 0.95 and above; docs/design/people.md.
MIN_FACE_PRESENCE: Final = 0.9
# A person has two hands. Further hands in the view belong to another person, who has a view of their own.
MAX_HANDS: Final = 2

# Lines that MediaPipe, LiteRT and TensorFlow Lite write to stderr whatever the log level in the environment.
_NOTICE: Final = re.compile(rb"([IW]\d{4} |(INFO|WARNING): )")


class _Stderr:
    """File descriptor 2 put aside while native calls run, side by side or one within another."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users = 0
        self._real = self._caught = -1

    def enter(self) -> None:
        with self._lock:
            if not self._users:
                sys.stderr.flush()
                self._real, self._caught = os.dup(2), os.memfd_create("stderr")
                os.dup2(self._caught, 2)
            self._users += 1

    def leave(self) -> None:
        with self._lock:
            self._users -= 1
            if self._users:
                return
            sys.stderr.flush()
            os.dup2(self._real, 2)
            os.close(self._real)
            with open(self._caught, "rb") as caught:
                caught.seek(0)
                for line in caught:
                    if not _NOTICE.match(line):
                        os.write(2, line)


_stderr: Final = _Stderr()


@contextlib.contextmanager
def quiet_stderr() -> Iterator[None]:
    """Keep native notices off stderr; whatever else was written is passed on afterwards.

    The libraries write to file descriptor 2 itself, at any call, and no variable or call of theirs stops it. The
    descriptor belongs to the whole process: what other threads write meanwhile appears a moment later, and is lost if
    the process dies in the call. Calls may overlap; the last one to end restores the descriptor.
    """
    _stderr.enter()
    try:
        yield
    finally:
        _stderr.leave()


def _import_mediapipe() -> Any:
    try:
        import mediapipe
        from mediapipe.tasks.python import vision

        # The shared library, and with it the graphics libraries it needs, is only loaded by the first image.
        mediapipe.Image(mediapipe.ImageFormat.SRGB, np.zeros((8, 8, 3), np.uint8))
    except ModuleNotFoundError as exc:
        raise MLError(f"mediapipe cannot be imported: {exc}", hint="pip install mediapipe==1.2.2") from exc
    except (ImportError, OSError) as exc:
        raise MLError(
            f"mediapipe's libraries cannot be loaded: {exc}",
            hint="it needs EGL, GLES and GL, also without a GPU: apt-get install libegl1 libgles2 libgl1",
        ) from exc
    return vision


def _read(weight: Callable[[str], Path], name: str) -> bytes:
    path = weight(name)
    try:
        return path.read_bytes()
    except OSError as exc:
        raise WeightsError(f"{path}: {exc.strerror}", hint="fetch the weights: rumiai-orch weights fetch") from exc


def _face_detector(bundle: Path) -> bytes:
    """The detector inside ``face_landmarker.task``: the landmarker uses it, but does not tell its score."""
    try:
        with zipfile.ZipFile(bundle) as archive:
            return archive.read("face_detector.tflite")
    except (OSError, KeyError, zipfile.BadZipFile) as exc:
        raise WeightsError(
            f"{bundle}: got {exc}, expected a bundle with face_detector.tflite",
            hint="fetch the weights again: rumiai-orch weights fetch",
        ) from exc


class Tasks:
    """The four tasks of one analyzer. Each may be called by one thread at a time; close when done.

    Args:
        weight: Finds a weights file by its name in ``weights.toml``.

    Raises:
        MLError: MediaPipe is not installed, or its graphics libraries are missing.
        WeightsError: A model file is missing or broken.
    """

    def __init__(self, weight: Callable[[str], Path]) -> None:
        with quiet_stderr():
            vision = _import_mediapipe()
            faces = weight("face_landmarker.task")
            self._stack = contextlib.ExitStack()
            try:
                self.face_detector = self._open(
                    vision.FaceDetector,
                    vision.FaceDetectorOptions(
                        base_options=_model(_face_detector(faces)), min_detection_confidence=MIN_CONFIDENCE
                    ),
                )
                self.face_landmarker = self._open(
                    vision.FaceLandmarker,
                    vision.FaceLandmarkerOptions(
                        base_options=_model(_read(weight, "face_landmarker.task")),
                        num_faces=1,
                        min_face_presence_confidence=MIN_FACE_PRESENCE,
                        output_face_blendshapes=True,
                        output_facial_transformation_matrixes=True,
                    ),
                )
                self.gestures = self._open(
                    vision.GestureRecognizer,
                    vision.GestureRecognizerOptions(base_options=_model(_gestures(weight)), num_hands=MAX_HANDS),
                )
                self.poses = self._open(
                    vision.PoseLandmarker,
                    vision.PoseLandmarkerOptions(
                        base_options=_model(_read(weight, "pose_landmarker_full.task")), num_poses=1
                    ),
                )
            except BaseException:
                self._stack.close()
                raise

    def _open(self, task: Any, options: Any) -> Any:
        try:
            return self._stack.enter_context(task.create_from_options(options))
        except (RuntimeError, ValueError) as exc:
            raise WeightsError(
                f"{task.__name__}: MediaPipe does not take its model: {exc}", hint="fetch the weights again"
            ) from exc

    def close(self) -> None:
        """Free the models; harmless when done twice."""
        with quiet_stderr():
            self._stack.close()

    def __enter__(self) -> Tasks:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _model(content: bytes) -> Any:
    from mediapipe.tasks.python import BaseOptions

    return BaseOptions(model_asset_buffer=content)


def _gestures(weight: Callable[[str], Path]) -> bytes:
    return gesture_recognizer(
        _read(weight, "hand_landmarker.task"),
        _read(weight, "gesture_embedder.tflite"),
        _read(weight, "canned_gesture_classifier.tflite"),
    )


def image(pixels: Image) -> Any:
    """A MediaPipe image of ``pixels`` (h, w, 3) uint8 RGB; MediaPipe copies them.

    Raises:
        ValueError: The rows do not lie one behind the other: MediaPipe would read other memory.
    """
    import mediapipe

    if not pixels.flags.c_contiguous:
        raise ValueError(f"got a strided view of shape {pixels.shape}, expected contiguous pixels")
    return mediapipe.Image(mediapipe.ImageFormat.SRGB, pixels)


def run(call: Callable[[Any], Any], picture: Any) -> Any:
    """Run a task on an image, its notices kept off stderr.

    Raises:
        MLError: MediaPipe failed on it.
    """
    try:
        with quiet_stderr():
            return call(picture)
    except (RuntimeError, ValueError) as exc:
        raise MLError(f"MediaPipe failed on a frame: {exc}") from exc
