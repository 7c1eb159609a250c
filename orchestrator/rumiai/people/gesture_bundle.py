"""The gesture recogniser's bundle, put together from its parts.

``gesture_recognizer.task`` is a stored zip of the hand landmarker's bundle and of a second bundle with a hand embedder
and a classifier. Where only the parts can be had, they are joined here. The classifier's file lacks its labels, without
which the task names every gesture "None"; they are written into its metadata, as the model's own training tool does.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from typing import Any, Final

from rumiai.errors import WeightsError

# The order of the classifier's outputs.
LABELS: Final = ("None", "Closed_Fist", "Open_Palm", "Pointing_Up", "Thumb_Down", "Thumb_Up", "Victory", "ILoveYou")
_LABEL_FILE: Final = "labels.txt"
# Members are mapped into memory where they lie; models want this alignment.
_ALIGNMENT_BYTES: Final = 16
# Fixed, so that the same parts give the same bytes.
_ZIP_TIME: Final = (1980, 1, 1, 0, 0, 0)
_ZIP_HEADER_BYTES: Final = 30
_ZIP_EXTRA_BYTES: Final = 4


def stored_zip(members: Mapping[str, bytes]) -> bytes:
    """An uncompressed zip whose members begin at multiples of 16 bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name, content in members.items():
            info = zipfile.ZipInfo(name, _ZIP_TIME)
            padding = -(out.tell() + _ZIP_HEADER_BYTES + len(name.encode()) + _ZIP_EXTRA_BYTES) % _ALIGNMENT_BYTES
            info.extra = b"\0\0" + padding.to_bytes(2, "little") + bytes(padding)
            archive.writestr(info, content)
    return out.getvalue()


def with_labels(classifier: bytes) -> bytes:
    """The gesture classifier (a tflite file) with its labels in its metadata.

    Raises:
        WeightsError: It is not a model with one output for each label.
    """
    from mediapipe.tasks.metadata import schema_py_generated as schema

    if classifier[4:8] != b"TFL3":
        raise WeightsError("gesture classifier: got a file that is no tflite model", hint="fetch the weights again")
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(classifier, 0))
    graph = model.subgraphs[0]
    shape = [int(size) for size in graph.tensors[graph.outputs[0]].shape]
    if shape != [1, len(LABELS)]:
        raise WeightsError(f"gesture classifier: got output shape {shape}, expected [1, {len(LABELS)}]")
    buffer = schema.BufferT()
    buffer.data = list(_label_metadata())
    model.buffers.append(buffer)
    entry = schema.MetadataT()
    entry.name, entry.buffer = "TFLITE_METADATA", len(model.buffers) - 1
    model.metadata = [*(model.metadata or []), entry]
    packed = io.BytesIO(_packed(model, b"TFL3"))
    packed.seek(0, io.SEEK_END)
    # A label file travels as a zip behind the model's own bytes.
    with zipfile.ZipFile(packed, "a", zipfile.ZIP_STORED) as archive:
        archive.writestr(zipfile.ZipInfo(_LABEL_FILE, _ZIP_TIME), "\n".join(LABELS))
    return packed.getvalue()


def _label_metadata() -> bytes:
    from mediapipe.tasks.metadata import metadata_schema_py_generated as schema

    labels = schema.AssociatedFileT()
    labels.name, labels.type = _LABEL_FILE, schema.AssociatedFileType.TENSOR_AXIS_LABELS
    score = schema.TensorMetadataT()
    score.name, score.associatedFiles = "score", [labels]
    graph = schema.SubGraphMetadataT()
    graph.inputTensorMetadata, graph.outputTensorMetadata = [schema.TensorMetadataT()], [score]
    model = schema.ModelMetadataT()
    model.name, model.subgraphMetadata = "canned gestures", [graph]
    return _packed(model, b"M001")


def _packed(table: Any, identifier: bytes) -> bytes:
    import flatbuffers  # type: ignore[import-untyped, unused-ignore]

    builder = flatbuffers.Builder(0)
    builder.Finish(table.Pack(builder), identifier)
    return bytes(builder.Output())


def gesture_recognizer(hand_landmarker: bytes, embedder: bytes, classifier: bytes) -> bytes:
    """The whole bundle, from ``hand_landmarker.task`` and the two gesture models.

    Raises:
        WeightsError: The classifier is not the canned one.
    """
    gestures = stored_zip(
        {"gesture_embedder.tflite": embedder, "canned_gesture_classifier.tflite": with_labels(classifier)}
    )
    return stored_zip({"hand_landmarker.task": hand_landmarker, "hand_gesture_recognizer.task": gestures})
