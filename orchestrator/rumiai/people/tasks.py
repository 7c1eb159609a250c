"""The MediaPipe tasks: made, called and closed. The only file of the project that imports ``mediapipe.tasks``.

Every task runs in image (static) mode: sampled frames are up to a second apart, so tracking from one to the next would
be wrong. MediaPipe 1.2 gives each task object its own thread and runs the models on one core.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
import tempfile
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

# The library's defaults, and those of the reference programs.
MIN_CONFIDENCE: Final = 0.5
# In a view of one person, further hands are another person's, who has a view of their own.
MAX_HANDS: Final = 2
# The side of the blank picture on which each task is run once, so that what it has to say at its first run is said.
_WARM_UP_PX: Final = 64

# The blendshape model first runs with the first face, which a blank picture does not have, and speaks once, when its
# input first lies at an address that it does not like: that is one of the first few faces.
_LOUD_MESHES: Final = 10

# Lines that MediaPipe, LiteRT and TensorFlow Lite write to stderr whatever the log level in the environment.
_NOTICE: Final = re.compile(rb"(WARNING: Logging before InitGoogle|[IWE]\d{4} |(INFO|WARNING): )")
_stderr_lock = threading.Lock()


@contextlib.contextmanager
def quiet_stderr() -> Iterator[None]:
    """Keep native notices off stderr while tasks are made; whatever else was written is passed on afterwards.

    The libraries write to file descriptor 2 itself, and no variable or call of theirs stops it. The descriptor belongs
    to the whole process: what other threads write meanwhile comes a moment later.
    """
    with _stderr_lock, tempfile.TemporaryFile() as caught:
        sys.stderr.flush()
        saved = os.dup(2)
        try:
            os.dup2(caught.fileno(), 2)
            yield
        finally:
            sys.stderr.flush()
            os.dup2(saved, 2)
            os.close(saved)
            caught.seek(0)
            for line in caught:
                if not _NOTICE.match(line):
                    os.write(2, line)


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
                self._loud_meshes = _LOUD_MESHES
                self._warm_up()
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

    def _warm_up(self) -> None:
        blank = image(np.zeros((_WARM_UP_PX, _WARM_UP_PX, 3), np.uint8))
        run(self.face_detector.detect, blank)
        run(self.face_landmarker.detect, blank)
        run(self.gestures.recognize, blank)
        run(self.poses.detect, blank)

    def mesh(self, picture: Any) -> Any:
        """Landmarks of the face in a picture; for the first faces with notices kept off stderr."""
        with quiet_stderr() if self._loud_meshes else contextlib.nullcontext():
            result = run(self.face_landmarker.detect, picture)
        self._loud_meshes = max(0, self._loud_meshes - len(result.face_landmarks))
        return result

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
    """Run a task on an image.

    Raises:
        MLError: MediaPipe failed on it.
    """
    try:
        return call(picture)
    except (RuntimeError, ValueError) as exc:
        raise MLError(f"MediaPipe failed on a frame: {exc}") from exc
