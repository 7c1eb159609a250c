"""The three endpoints on real models: every way to call them gives the engine's own answer."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
import time
import urllib.error
import urllib.request

import cv2
import numpy as np
import pytest
import tritonclient.grpc as triton_grpc
from scipy.signal import resample_poly

from rumiai.contracts.frames import AudioTrack
from rumiai.contracts.tensors import COCO_NAMES, ENDPOINTS, OCR, WHISPER, YOLO, EndpointSpec
from rumiai.contracts.transcript import Transcript
from rumiai.contracts.whisper import WhisperParams
from rumiai.demo import sound as demo_sound
from rumiai.inference.client import TritonClient
from rumiai.inference.repetitions import Sound
from rumiai.inference.sound_windows import windows
from rumiai.inference.transcript import assemble
from rumiai.inference.whisper import params_for, transcribe
from rumiai_server.engines.ocr.engine import OcrEngine, OcrParams
from rumiai_server.engines.yolo.engine import YoloEngine, YoloParams

from .calling import TRANSPORTS, Arrays, bus, by_grpc, by_http, caption, metric, speech

pytestmark = [
    pytest.mark.server,
    # easyocr warns about torch's own deprecations.
    pytest.mark.filterwarnings("ignore:.*(quantiz|pin_memory|weights_only|torch.ao).*"),
]

STRICT = {"mode": "strict"}
KENNEDY = "and so my fellow americans ask not what your country can do for you ask what you can do for your country"


RATE_HZ = 16_000


def voice(text: str) -> np.ndarray:
    """A sentence at 16 kHz that begins after half a second, in 5 s."""
    samples, _ = demo_sound.speech(text)
    spoken = np.pad(resample_poly(samples, RATE_HZ, demo_sound.SAMPLE_RATE_HZ), RATE_HZ // 2)
    return np.pad(spoken, (0, 5 * RATE_HZ - len(spoken)))


def small_bus() -> np.ndarray:
    return cv2.resize(bus(), (150, 200), interpolation=cv2.INTER_AREA)


def same(found: Arrays, expected: Arrays) -> None:
    assert list(found) == list(expected)
    for name, array in expected.items():
        assert found[name].dtype == array.dtype, name
        np.testing.assert_array_equal(found[name], array, err_msg=name)


def fits(spec: EndpointSpec, found: Arrays, items: int) -> None:
    for output in spec.outputs:
        shape = found[output.name].shape
        assert len(shape) == 1 + len(output.dims)
        assert shape[0] == items
        assert all(want in (-1, got) for want, got in zip(output.dims, shape[1:], strict=True)), (output, shape)


def words(found: Arrays) -> str:
    transcript = json.loads(found["TRANSCRIPT"][0, 0])
    text = " ".join(segment["text"] for segment in transcript["segments"])
    return "".join(letter for letter in text.lower() if letter.isalpha() or letter == " ")


@pytest.mark.parametrize("transport", [name for name in TRANSPORTS if name != "grpc"])
@pytest.mark.parametrize(("spec", "picture"), [(YOLO, small_bus()), (OCR, caption())], ids=["yolo", "ocr"])
def test_pictures_get_the_same_answer_by_every_transport(triton_server, spec, picture, transport):
    images = np.stack([picture, picture[::-1]])
    expected = by_grpc(triton_server, spec, images, STRICT)
    fits(spec, expected, 2)
    assert expected["COUNTS"][0, 0] >= 1
    same(TRANSPORTS[transport](triton_server, spec, images, STRICT), expected)


def test_speech_gets_the_known_words_by_every_transport(triton_server):
    track = speech()
    chosen = [transport for name, transport in TRANSPORTS.items() if name != "plain json"]
    answers = [transport(triton_server, WHISPER, track, {"language": "en"}) for transport in chosen]
    fits(WHISPER, answers[0], 1)
    assert words(answers[0]) == KENNEDY
    for other in answers[1:]:
        same(other, answers[0])


def test_transcript_has_the_documented_members(triton_server):
    transcript = json.loads(by_grpc(triton_server, WHISPER, speech(), {})["TRANSCRIPT"][0, 0])
    assert {key: transcript[key] for key in ("language", "task", "reason", "engine", "model")} == {
        "language": "en",
        "task": "transcribe",
        "reason": None,
        "engine": "ctranslate2",
        "model": "whisper-base",
    }
    assert 0.9 < transcript["language_probability"] <= 1.0
    assert transcript["duration_s"] == pytest.approx(11.0, abs=0.1)
    assert 7.0 < transcript["speech_s"] <= transcript["duration_s"]
    times = [t for s in transcript["segments"] for w in s["words"] for t in (w["start_s"], w["end_s"])]
    assert times == sorted(times)
    assert 0.0 <= times[0] < 1.5
    assert 9.0 < times[-1] < 11.5
    silent = json.loads(by_grpc(triton_server, WHISPER, np.zeros((1, 8000), np.float32), {})["TRANSCRIPT"][0, 0])
    assert (silent["language"], silent["segments"]) == (None, [])
    assert silent["reason"]


def test_a_long_track_is_heard_window_by_window(triton_server):
    # A pause after each: without, Whisper takes to repeating itself where the processor has no AVX-512.
    said = np.append(speech()[0], np.zeros(8_000, np.float32))
    track = np.tile(said, 8)

    async def ask():
        async with TritonClient.connect(triton_server.grpc, triton_server.token) as client:
            return await transcribe(client, AudioTrack(track, 16_000), WhisperParams())

    found = asyncio.run(ask())
    text = " ".join(segment.text for segment in found.segments).lower()
    assert "".join(letter for letter in text if letter.isalpha() or letter == " ") == " ".join([KENNEDY] * 8)
    # Each "fellow" is at the same instant of its own clip, also behind the cut.
    clip_s = len(said) / 16_000
    starts = [word.start_s for segment in found.segments for word in segment.words if word.word == " fellow"]
    offsets = [start - i * clip_s for i, start in enumerate(starts)]
    assert len(starts) == 8
    assert min(offsets) > 0
    assert max(offsets) - min(offsets) < 0.5
    assert found.duration_s == pytest.approx(8 * clip_s)
    assert (found.language, len(windows(track))) == ("en", 2)


def test_a_faint_voice_is_transcribed_with_its_words_where_they_are_heard(triton_server):
    """As a video's sound goes: the requests in fast mode, the assembly with the sound."""
    rng = np.random.default_rng(6)
    faint = 0.002 * voice("Today I will show you how to bake bread at home.") + 2e-6 * rng.standard_normal(5 * RATE_HZ)
    sound = Sound(faint.astype(np.float32), RATE_HZ)

    async def ask() -> Transcript:
        async with TritonClient(triton_server.grpc) as client:
            return await transcribe(client, AudioTrack(sound.samples, RATE_HZ), params_for("", "fast"))

    heard = assemble(asyncio.run(ask()), has_audio=True, audio_duration_s=5.0, sound=sound)
    assert heard.text.startswith("Today I will show you how to")
    assert (heard.language, heard.speech_lost) == ("en", ())
    assert {segment.language for segment in heard.segments} == {"en"}
    # The voice begins at half a second.
    assert 0.45 <= heard.segments[0].start_s <= 0.6


def test_words_can_be_left_out(triton_server):
    found = by_http(triton_server, WHISPER, speech(), {"language": "en", "word_timestamps": False})
    assert words(found) == KENNEDY
    assert all(segment["words"] == [] for segment in json.loads(found["TRANSCRIPT"][0, 0])["segments"])


def test_yolo_strict_is_the_engine_itself(triton_server, weights):
    engine = YoloEngine(weights("yolov8n.onnx"), device="cpu", threads=2)
    [[expected]] = engine.detect([(bus()[None], YoloParams(mode="strict"))])
    found = by_grpc(triton_server, YOLO, bus()[None], STRICT)
    assert [COCO_NAMES[i] for i in found["CLASS_IDS"][0]] == [engine.names[i] for i in expected.class_ids]
    assert sorted(COCO_NAMES[i] for i in expected.class_ids if i in (0, 5)) == ["bus"] + ["person"] * 4
    np.testing.assert_allclose(found["BOXES"][0], expected.boxes, atol=0.05)
    np.testing.assert_allclose(found["SCORES"][0], expected.scores, atol=1e-4)
    assert found["COUNTS"].tolist() == [[len(expected)]]


def test_yolo_obeys_its_parameters(triton_server):
    images = bus()[None]
    everything = by_grpc(triton_server, YOLO, images, STRICT)
    sure = by_grpc(triton_server, YOLO, images, {**STRICT, "conf": "0.8"})
    assert sure["SCORES"][0].tolist() == [score for score in everything["SCORES"][0].tolist() if score > 0.8]
    one = by_http(triton_server, YOLO, images, {**STRICT, "max_det": 1})
    assert one["SCORES"].tolist() == [everything["SCORES"][0, :1].tolist()]


def test_ocr_strict_is_the_engine_itself(triton_server, weights):
    picture = np.concatenate([caption("FOLLOW ME"), caption("link in bio")])[None]
    engine = OcrEngine(weights("craft_mlt_25k.pth"), weights("english_g2.pth"), device="cpu", threads=2)
    [[expected]] = engine.read([(picture, OcrParams(mode="strict"))])
    found = by_grpc(triton_server, OCR, picture, STRICT)
    assert tuple(text.decode() for text in found["TEXTS"][0]) == expected.texts
    assert " ".join(expected.texts).lower() == "follow me link in bio"
    np.testing.assert_allclose(found["QUADS"][0], expected.quads, atol=0.5)
    np.testing.assert_allclose(found["SCORES"][0], expected.scores, atol=1e-3)


def test_ocr_joins_words_as_far_apart_as_it_is_told(triton_server):
    frame = np.zeros((120, 480, 3), np.uint8)
    for text, x in (("wide", 20), ("apart", 280)):
        cv2.putText(frame, text, (x, 80), cv2.FONT_HERSHEY_SIMPLEX, 1.8, (255, 255, 255), 4, cv2.LINE_AA)
    for width_ths, lines in ((0.5, 2), (5.0, 1)):
        found = by_grpc(triton_server, OCR, frame[None], {**STRICT, "width_ths": width_ths})
        assert found["COUNTS"][0, 0] == lines, found["TEXTS"]


def test_frames_of_a_request_answer_in_order_and_are_padded(triton_server):
    images = np.stack([small_bus(), np.zeros_like(small_bus()), small_bus()[:, ::-1]])
    found = by_grpc(triton_server, YOLO, images, STRICT)
    assert found["COUNTS"][1, 0] == 0
    for i, image in enumerate(images):
        alone = by_grpc(triton_server, YOLO, image[None], STRICT)
        count = int(found["COUNTS"][i, 0])
        assert alone["COUNTS"][0, 0] == count
        np.testing.assert_allclose(found["BOXES"][i, :count], alone["BOXES"][0], atol=0.05)
        np.testing.assert_allclose(found["SCORES"][i, :count], alone["SCORES"][0], atol=1e-4)
    assert (found["BOXES"][1] == 0).all()
    assert (found["SCORES"][1] == 0).all()
    assert (found["CLASS_IDS"][1] == -1).all()

    texts = by_grpc(triton_server, OCR, np.stack([caption(), np.zeros_like(caption())]), STRICT)
    read, nothing = texts["TEXTS"]
    assert b" ".join(read).lower() == b"wait for it"
    assert nothing.tolist() == [b""] * len(read)
    assert texts["COUNTS"].ravel().tolist() == [len(read), 0]
    assert (texts["QUADS"][1] == 0).all()


def counted(server, model: str) -> tuple[float, float]:
    """Inferences and executions so far."""
    return metric(server, "nv_inference_count", model), metric(server, "nv_inference_exec_count", model)


def counted_up_to(server, model: str, inferences: float) -> tuple[float, float]:
    """The same when there are this many: Triton counts a request a moment after it has answered."""
    deadline = time.monotonic() + 30
    while counted(server, model)[0] < inferences:
        assert time.monotonic() < deadline, f"{counted(server, model)} after 30 s, expected {inferences}"
        time.sleep(0.05)
    return counted(server, model)


def test_requests_of_different_shapes_share_batches_and_keep_their_answers(triton_server):
    pictures = [cv2.resize(bus(), size) for size in ((160, 120), (120, 160), (96, 96))] * 4
    time.sleep(1)  # for the counts of what earlier tests asked
    earlier = counted(triton_server, "yolo")
    alone = [by_grpc(triton_server, YOLO, picture[None], STRICT) for picture in pictures[:3]] * 4
    before = counted_up_to(triton_server, "yolo", earlier[0] + 3)
    answers: list[Arrays | Exception | None] = [None] * len(pictures)
    done = threading.Semaphore(0)

    def keep(index, result, error):
        answers[index] = error or {output.name: result.as_numpy(output.name) for output in YOLO.outputs}
        done.release()

    with contextlib.closing(triton_grpc.InferenceServerClient(triton_server.grpc)) as client:
        for index, picture in enumerate(pictures):
            wire = triton_grpc.InferInput("IMAGES", [1, *picture.shape], "UINT8")
            wire.set_data_from_numpy(picture[None])
            client.async_infer(
                "yolo", [wire], lambda result, error, index=index: keep(index, result, error), parameters=STRICT
            )
        for _ in pictures:
            assert done.acquire(timeout=120)
    after = counted_up_to(triton_server, "yolo", before[0] + len(pictures))
    assert after[0] - before[0] == len(pictures)
    assert after[1] - before[1] < len(pictures)
    for found, expected in zip(answers, alone, strict=True):
        assert isinstance(found, dict), found
        assert found["CLASS_IDS"].tolist() == expected["CLASS_IDS"].tolist()
        np.testing.assert_allclose(found["BOXES"], expected["BOXES"], atol=0.05)


def test_health(triton_server):
    with contextlib.closing(triton_grpc.InferenceServerClient(triton_server.grpc)) as client:
        assert client.is_server_live()
        assert client.is_server_ready()
        assert [client.is_model_ready(model) for model in ENDPOINTS] == [True] * 3
        assert not client.is_model_ready("no-such-model")
    for path in ("health/live", "health/ready", *(f"models/{model}/ready" for model in ENDPOINTS)):
        with urllib.request.urlopen(f"http://{triton_server.http}/v2/{path}", timeout=30) as response:
            assert response.status == 200
    with pytest.raises(urllib.error.HTTPError, match="HTTP Error 400"):
        urllib.request.urlopen(f"http://{triton_server.http}/v2/models/no-such-model/ready", timeout=30)
    with urllib.request.urlopen(triton_server.metrics, timeout=30) as response:
        assert response.headers["Content-Type"].startswith("text/plain")
        assert b"# TYPE nv_inference_count counter" in response.read()


@pytest.mark.parametrize("spec", ENDPOINTS.values(), ids=list(ENDPOINTS))
def test_a_models_config_is_its_contract(triton_server, spec):
    with contextlib.closing(triton_grpc.InferenceServerClient(triton_server.grpc)) as client:
        config = client.get_model_config(spec.model, as_json=True)["config"]
        metadata = client.get_model_metadata(spec.model, as_json=True)
    assert config["max_batch_size"] == spec.max_batch_size
    assert config["backend"] == "python"
    assert "dynamic_batching" in config
    for group, tensors in (("input", spec.inputs), ("output", spec.outputs)):
        assert [
            (t["name"], t["data_type"].replace("TYPE_STRING", "TYPE_BYTES"), [int(dim) for dim in t["dims"]])
            for t in config[group]
        ] == [(t.name, f"TYPE_{t.dtype}", list(t.dims)) for t in tensors]
        assert [(t["name"], t["datatype"], [int(dim) for dim in t["shape"]]) for t in metadata[f"{group}s"]] == [
            (t.name, t.dtype, [-1, *t.dims]) for t in tensors
        ]
    assert all(tensor["allow_ragged_batch"] for tensor in config["input"])
