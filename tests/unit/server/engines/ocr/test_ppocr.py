"""PaddleOCR's engine beside rapidocr.RapidOCR, on drawn frames, turned text and other scripts."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from onnx import TensorProto, helper
from PIL import Image, ImageDraw
from rapidocr import RapidOCR

from rumiai.contracts.tensors import SCRIPTS
from rumiai.demo import Shot, View
from rumiai.demo import pictures as demo_pictures
from rumiai.demo.draw import ShotPainter
from rumiai.errors import ContractError, WeightsError
from rumiai_server.engines.ocr.engine import OcrEngine, OcrParams, TextLines
from rumiai_server.engines.ocr.ppocr.detector import lines_of
from rumiai_server.engines.ocr.ppocr.graph import TorchGraph, read_model
from rumiai_server.engines.ocr.ppocr.joining import join_words
from rumiai_server.engines.ocr.ppocr.lines import as_input, cut_line, turned
from rumiai_server.engines.ocr.ppocr.network import OrtNetwork
from rumiai_server.engines.ocr.ppocr.recognizer import LineReading, LineRecognizer, characters_of, recognizer_outputs
from rumiai_server.engines.ocr.ppocr.scripts import ScriptGuesser
from rumiai_server.engines.ocr.types import UnreadRegions

STRICT = OcrParams(engine="ppocr", mode="strict")
FAST = OcrParams(engine="ppocr")
CPU = torch.device("cpu")
CAPTIONS = [
    ("STOP SCROLLING", 60, 0.13, (255, 255, 255), "sans-bold"),
    ("what I eat in a day", 42, 0.36, (255, 221, 51), "serif-bold"),
    ("up to 50% off", 34, 0.55, (255, 255, 255), "mono-bold"),
    ("@maker.27", 26, 0.72, (20, 20, 20), "sans-bold"),
    ("why?", 50, 0.86, (255, 120, 90), "sans-bold"),
]


@pytest.fixture(scope="module")
def engine(weights) -> OcrEngine:
    return OcrEngine(
        weights("craft_mlt_25k.pth"),
        weights("english_g2.pth"),
        locator=weights("PP-OCRv6_det_small.onnx"),
        reader=weights("PP-OCRv6_rec_small.onnx"),
        device="cpu",
        threads=2,
    )


@pytest.fixture(scope="module")
def rapid(weights) -> RapidOCR:
    return RapidOCR(
        params={
            "Det.limit_type": "max",
            "Det.limit_side_len": 960,
            "Det.model_path": str(weights("PP-OCRv6_det_small.onnx")),
            "Rec.model_path": str(weights("PP-OCRv6_rec_small.onnx")),
            "Global.use_cls": False,
            "Global.use_vertical_padding": False,
            "Global.log_level": "error",
            "EngineConfig.onnxruntime.intra_op_num_threads": 1,
        }
    )


def frame(seed: int, captions=CAPTIONS, width: int = 720, height: int = 1280) -> np.ndarray:
    """An RGB picture with outlined captions, each (text, font px, y of its middle, colour, typeface)."""
    name = demo_pictures.NAMES[seed % len(demo_pictures.NAMES)]
    ground = ShotPainter(Shot(name, 1.0, View(0.5, 0.4, 1.3)), width, height).frame(0.0, seed)
    image = Image.fromarray(ground)
    draw = ImageDraw.Draw(image)
    for text, size, y, colour, font in captions:
        edge = (0, 0, 0) if sum(colour) > 380 else (255, 255, 255)
        draw.text(
            (width / 2, y * height), text, fill=colour, font=demo_pictures.typeface(font, size), anchor="mm",
            stroke_width=max(size // 12, 1), stroke_fill=edge,
        )  # fmt: skip
    return np.asarray(image)


def rotated(image: np.ndarray, degrees: float) -> np.ndarray:
    height, width = image.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    return cv2.warpAffine(image, turn, (width, height), borderMode=cv2.BORDER_REPLICATE)


def read(engine: OcrEngine, picture: np.ndarray, params: OcrParams = FAST) -> TextLines:
    [[lines]] = engine.read([(picture[None], params)])
    return lines


def same(a: TextLines, b: TextLines) -> None:
    assert a.texts == b.texts
    np.testing.assert_allclose(a.quads, b.quads, atol=1)
    np.testing.assert_allclose(a.scores, b.scores, atol=0.02)


@pytest.mark.parametrize("seed", range(3))
def test_strict_equals_rapidocr(engine, rapid, seed):
    slanted = rotated(frame(seed), 11 * seed)
    picture = slanted if seed < 2 else np.ascontiguousarray(slanted[200:1100:2, ::2])
    expected = rapid(np.ascontiguousarray(picture[..., ::-1]))
    lines = read(engine, picture, STRICT)
    assert lines.texts == expected.txts
    assert len(lines.texts) >= 3
    np.testing.assert_allclose(lines.quads, expected.boxes, atol=1)
    np.testing.assert_allclose(lines.scores, expected.scores, atol=1e-3)


def test_strict_equals_rapidocr_on_a_picture_without_text(engine, rapid):
    blank = np.full((200, 300, 3), 90, np.uint8)
    assert rapid(blank).txts is None
    lines = read(engine, blank, STRICT)
    assert (lines.texts, lines.unread.scripts) == ((), ())


def test_fast_reads_what_strict_reads(engine):
    for seed in range(3):
        fast, strict = read(engine, frame(seed)), read(engine, frame(seed), STRICT)
        assert fast.texts == tuple(text for text, *_ in CAPTIONS)
        assert " ".join(fast.texts) == " ".join(strict.texts)  # which parts some
        for text, quad in zip(strict.texts, strict.quads, strict=True):
            if text in fast.texts:
                np.testing.assert_allclose(fast.quads[fast.texts.index(text)], quad, atol=3)


def test_auto_is_paddle_in_fast_and_easyocr_in_strict(engine, monkeypatch):
    asked = []
    monkeypatch.setattr(engine, "_load_ppocr", lambda: asked.append("ppocr") or Answers())
    monkeypatch.setattr(engine, "_load_easyocr", lambda: asked.append("easyocr") or Answers())
    picture = np.zeros((1, 32, 32, 3), np.uint8)
    for params in (OcrParams(), OcrParams(mode="strict"), OcrParams(engine="easyocr"), STRICT):
        engine.read([(picture, params)])
    assert asked == ["ppocr", "easyocr", "easyocr", "ppocr"]


class Answers:
    def read(self, items):
        return [TextLines(np.zeros((0, 4, 2), np.float32), (), np.zeros(0, np.float32)) for _ in items]


def test_both_engines_and_modes_in_one_call(engine):
    picture = frame(0, CAPTIONS[:1])[None]
    settings = [FAST, OcrParams(engine="easyocr"), STRICT, OcrParams(mode="strict"), FAST]
    answers = engine.read([(picture, params) for params in settings])
    assert [lines.texts for [lines] in answers] == [("STOP SCROLLING",)] * 5
    same(answers[0][0], answers[4][0])
    assert [len(lines.positions[0]) for [lines] in answers] == [14, 0, 14, 0, 14]


def test_a_batch_answers_in_order_and_as_its_pictures_alone(engine):
    one, two = frame(0, CAPTIONS[:2]), frame(1, CAPTIONS[2:])
    small = np.ascontiguousarray(frame(2, CAPTIONS[:1])[:400])
    answers = engine.read([(np.stack([one, two]), FAST), (np.zeros((0, 8, 8, 3), np.uint8), FAST), (small[None], FAST)])
    assert [len(item) for item in answers] == [2, 0, 1]
    for picture, lines in ((one, answers[0][0]), (two, answers[0][1]), (small, answers[2][0])):
        alone = read(engine, picture)
        # To the last digit: a rerun writes the same file, whatever else is read at the same time.
        assert lines.texts == alone.texts
        assert np.array_equal(lines.scores, alone.scores)
        assert np.array_equal(lines.quads, alone.quads)
        assert all(np.array_equal(a, b) for a, b in zip(lines.positions, alone.positions, strict=True))


@pytest.mark.parametrize("degrees", [-30, -15, 15, 30])
def test_slanted_lines_are_read(engine, degrees):
    picture = rotated(frame(0, [("comment below", 54, 0.5, (255, 255, 255), "sans-bold")]), degrees)
    lines = read(engine, picture)
    assert lines.texts == ("comment below",)
    [quad] = lines.quads
    across = quad[1] - quad[0]
    assert np.degrees(np.arctan2(-across[1], across[0])) == pytest.approx(degrees, abs=3)


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_turned_lines_are_read_and_their_quad_begins_where_they_do(engine, quarters):
    upright = frame(3, [("tell me why", 60, 0.4, (255, 255, 255), "sans-bold")])
    expected, lines = read(engine, upright), read(engine, np.ascontiguousarray(np.rot90(upright, quarters)))
    assert lines.texts == expected.texts == ("tell me why",)
    height, width = upright.shape[:2]
    turns = {1: lambda x, y: (y, width - x), 2: lambda x, y: (width - x, height - y), 3: lambda x, y: (height - y, x)}
    wanted = [turns[quarters](x, y) for x, y in expected.quads[0]]
    np.testing.assert_allclose(lines.quads[0], wanted, atol=12)  # in one piece or joined


def test_positions_lie_where_the_letters_are(engine):
    font = demo_pictures.typeface("sans-bold", 48)
    lines = read(engine, frame(0, [("link in bio", 48, 0.5, (255, 255, 255), "sans-bold")]))
    assert lines.texts == ("link in bio",)
    whole = font.getlength("link in bio")
    middles = [
        (font.getlength("link in bio"[:i]) + font.getlength("link in bio"[: i + 1])) / 2 / whole for i in range(11)
    ]
    np.testing.assert_allclose(lines.positions[0], middles, atol=0.04)
    assert np.all(np.diff(lines.positions[0]) > 0)


def test_a_picture_smaller_than_the_network_takes(engine):
    for height, width in ((1, 1), (8, 200), (400, 9)):
        assert read(engine, np.zeros((height, width, 3), np.uint8)).texts == ()


def test_unserved_paddle_is_refused(weights):
    alone = OcrEngine(weights("craft_mlt_25k.pth"), weights("english_g2.pth"), device="cpu")
    with pytest.raises(ContractError, match="'ppocr', which is not served"):
        read(alone, np.zeros((32, 32, 3), np.uint8))


def test_networks_in_torch_equal_onnx_runtime(weights):
    batch = np.random.default_rng(0).normal(size=(2, 3, 48, 96)).astype(np.float32)
    for name in ("PP-OCRv6_det_small.onnx", "PP-OCRv6_rec_small.onnx"):
        model = read_model(weights(name))
        outputs = [model.graph.output[0].name]
        x = batch if "rec" in name else batch[:, :, :32, :64]
        [expected] = OrtNetwork(model, outputs, threads=1)(np.ascontiguousarray(x))
        [found] = TorchGraph(model, CPU, torch.float32, outputs)(torch.from_numpy(np.ascontiguousarray(x)))
        np.testing.assert_allclose(found.numpy(), expected, atol=2e-5)


def test_a_slanted_island_becomes_a_grown_rectangle():
    answers = np.zeros((96, 160), np.float32)
    corners = cv2.boxPoints(((80, 48), (80, 12), 20))
    cv2.fillPoly(answers, [corners.astype(np.int32)], 0.9)
    cv2.fillPoly(answers, [np.array([[4, 4], [6, 4], [6, 5]])], 0.9)  # a speck
    regions = lines_of(answers, 192, 480)
    assert len(regions.quads) == 1
    assert 0.7 < regions.scores[0] <= 0.9  # the rectangle has corners that the island lacks
    # area / perimeter * 1.6 on each side: 80 x 12 grows by 8.3
    quad = regions.quads[0] / np.array([3, 2])
    across, down = (np.linalg.norm(quad[0] - quad[i]) for i in (1, 3))
    assert across == pytest.approx(80 + 2 * 8.3, abs=6)
    assert down == pytest.approx(12 + 2 * 8.3, abs=6)
    np.testing.assert_allclose(quad.mean(axis=0), (80, 48), atol=2)


def test_words_of_a_line_join_and_columns_do_not():
    def boxes(*spans: tuple[int, int], top: int = 100, height: int = 40) -> list[list[list[int]]]:
        return [[[a, top], [b, top], [b, top + height], [a, top + height]] for a, b in spans]

    def joined(*quads: list[list[int]], degrees: float = 0.0) -> list[list[float]]:
        turn = cv2.getRotationMatrix2D((200, 120), degrees, 1.0)
        points = cv2.transform(np.array(quads, np.float32), turn)
        back = cv2.invertAffineTransform(turn)
        return [cv2.transform(quad[None], back)[0].round().tolist() for quad in join_words(points)]

    for degrees in (0, 12, -25):
        words = boxes((40, 90), (100, 220), (230, 330))
        assert joined(words[0], words[2], words[1], degrees=degrees) == boxes((40, 330))
    for apart in (
        boxes((40, 180), (200, 330)),  # two columns
        boxes((40, 180)) + boxes((185, 330), top=115),  # two lines
        boxes((40, 180)) + boxes((185, 330), top=106, height=24),  # of two sizes
    ):
        assert joined(*apart) == apart
    upright = [[[y, 400 - x] for x, y in quad[1:] + quad[:1]] for quad in boxes((40, 120), (130, 220), (232, 330))]
    [whole] = join_words(np.array(upright, np.float32))
    assert whole.round().tolist() == [[100, 70], [140, 70], [140, 360], [100, 360]]
    assert join_words(np.zeros((0, 4, 2), np.float32)).shape == (0, 4, 2)


def test_lines_come_from_top_to_bottom_and_from_left_to_right():
    answers = np.zeros((160, 320), np.float32)
    for left, top in ((180, 30), (20, 33), (40, 110)):
        answers[top : top + 16, left : left + 100] = 1.0
    quads = lines_of(answers, 160, 320).quads
    assert [tuple(np.sign(q[0] - np.array([100, 70])).astype(int)) for q in quads] == [(-1, -1), (1, -1), (-1, 1)]


def test_a_line_is_cut_level_and_turned_when_it_runs_upwards():
    picture = np.zeros((100, 200, 3), np.uint8)
    picture[20:40, 50:150] = (10, 20, 30)
    picture[20:40, 50:60] = 255
    quad = np.array([[50, 20], [150, 20], [150, 40], [50, 40]], np.float32)
    line, own = cut_line(picture, quad)
    assert line.shape == (20, 100, 3)
    np.testing.assert_array_equal(own, quad)
    np.testing.assert_array_equal(line[:, 20:], np.broadcast_to((10, 20, 30), (20, 80, 3)))
    down, own = cut_line(
        np.ascontiguousarray(np.rot90(picture)), np.array([[20, 50], [40, 50], [40, 150], [20, 150]], np.float32)
    )
    assert down.shape == (20, 100, 3)
    assert own[0].tolist() == [40, 50]
    assert (down[:, -10:] > 200).all()
    back, own = turned(line, quad)
    assert (back[:, -10:] > 200).all()
    assert own[0].tolist() == [150, 40]


def test_the_recogniser_sees_bgr_filled_up_with_zeros():
    line = np.zeros((24, 24, 3), np.uint8)
    line[..., 0] = 255
    x = as_input(line, 64)
    assert x.shape == (3, 48, 64)
    assert (x[2, :, :48] == 1).all()
    assert (x[:2, :, :48] == -1).all()
    assert (x[:, :, 48:] == 0).all()


def test_decoding_drops_repeats_and_blanks():
    def network(batch):
        logits = np.full((1, 8, 4), -9.0, np.float32)
        for step, kind in enumerate([0, 1, 1, 0, 1, 2, 0, 3]):
            logits[0, step, kind] = 9.0
        return logits, np.tile(np.arange(8, dtype=np.float32)[None, :, None], (1, 1, 2))

    reader = LineRecognizer(network, ("", "a", "b", " "))
    [reading] = reader.read([np.zeros((48, 64, 3), np.uint8)], strict=False)
    assert reading.text == "aab"  # the blank at the end has gone too
    assert reading.score == pytest.approx(1.0, abs=1e-4)
    np.testing.assert_allclose(reading.positions, [1.5 / 8, 4.5 / 8, 5.5 / 8])
    [strict] = reader.read([np.zeros((48, 64, 3), np.uint8)], strict=True)
    assert strict.text == "aab "
    assert len(strict.positions) == 4
    np.testing.assert_allclose(reading.features, [3.5, 3.5, 7, 7])


def test_a_blank_that_was_nearly_read_is_one_in_fast():
    def network(batch):
        logits = np.full((1, 6, 4), -9.0, np.float32)
        for step, kind in enumerate([1, 0, 2, 0, 1, 0]):
            logits[0, step, kind] = 9.0
        logits[0, 1, 3] = 9.0 + np.log(0.03)
        logits[0, 3, 3] = 9.0 + np.log(0.003)
        return logits, np.zeros((1, 6, 2), np.float32)

    reader = LineRecognizer(network, ("", "a", "b", " "))
    line = np.zeros((48, 64, 3), np.uint8)
    [strict], [fast] = reader.read([line], strict=True), reader.read([line], strict=False)
    assert (strict.text, fast.text) == ("aba", "a ba")
    np.testing.assert_allclose(fast.positions, [0.5 / 6, 1.5 / 6, 2.5 / 6, 4.5 / 6])


@pytest.mark.parametrize(
    ("kinds", "likely", "text"),
    [([1, 3, 2], 0.03, "I a"), ([1, 3, 2], 0.003, "l a"), ([1, 2, 3], 0.03, "la"), ([2, 3, 1], 0.03, "a I")],
)
def test_an_l_that_stands_alone_and_may_be_an_i_is_one_in_fast(kinds, likely, text):
    def network(batch):
        logits = np.full((1, 6, 5), -9.0, np.float32)
        for step, kind in enumerate(kinds):
            logits[0, 2 * step, kind] = 9.0
            logits[0, 2 * step + 1, 0] = 9.0
        logits[0, 2 * kinds.index(1), 4] = 9.0 + np.log(likely)
        return logits, np.zeros((1, 6, 2), np.float32)

    reader = LineRecognizer(network, ("", "l", "a", " ", "I"))
    line = np.zeros((48, 64, 3), np.uint8)
    [strict], [fast] = reader.read([line], strict=True), reader.read([line], strict=False)
    assert (strict.text.strip(), fast.text) == (text.replace("I", "l"), text)


def test_bad_networks_are_told_apart(weights, tmp_path):
    for content in (b"", b"no network"):
        path = tmp_path / "bad.onnx"
        path.write_bytes(content)
        with pytest.raises(WeightsError, match=r"bad\.onnx: not a readable network"):
            read_model(path)
    with pytest.raises(WeightsError, match="not a readable network"):
        read_model(tmp_path / "none.onnx")
    node = helper.make_node("Tan", ["x"], ["y"])
    sides = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 3, 8, 8]) for name in "xy"]
    odd = helper.make_model(helper.make_graph([node], "odd", sides[:1], sides[1:]))
    with pytest.raises(WeightsError, match="Tan"):
        TorchGraph(odd, CPU, torch.float32, ["y"])
    for wrong in (odd, read_model(weights("PP-OCRv6_det_small.onnx"))):
        with pytest.raises(WeightsError, match="not a recogniser"):
            recognizer_outputs(wrong)
        with pytest.raises(WeightsError, match="no dictionary"):
            characters_of(wrong)


@pytest.mark.parametrize(
    ("text", "script"),
    [("смотри до конца", "cyrillic"), ("ПОДПИШИСЬ", "cyrillic"), ("ایران زیبا", "arabic"), ("καλημέρα σας", "greek")],
)
def test_a_script_that_it_cannot_read_is_unread_and_named(engine, text, script):
    picture = frame(
        1, [("step 1", 44, 0.3, (255, 255, 255), "sans-bold"), (text, 60, 0.6, (255, 255, 255), "sans-bold")]
    )
    lines = read(engine, picture)
    assert lines.texts == ("step 1",)
    middles = lines.unread.quads.mean(axis=1)
    [found] = [i for i, middle in enumerate(middles) if np.abs(middle - (360, 0.6 * 1280)).max() < 12]
    assert lines.unread.scripts[found] == script
    assert lines.unread.scores[found] > 0.8


@pytest.mark.parametrize(
    "text", ["Größe für 5 €", "¿qué pasó?", "über 3 m", "100%", "$5.99", "3,2,1", "OK", "if", "żółć gęś"]
)
def test_scripts_that_it_reads_are_texts(engine, text):
    lines = read(engine, frame(1, [(text, 60, 0.6, (255, 255, 255), "sans-bold")]))
    assert lines.texts == (text,)


@pytest.mark.parametrize(
    ("text", "score", "latin", "aspect", "believed"),
    [
        ("hello there", 0.9, 0.9, 6.0, True),
        ("hello there", 0.9, 0.05, 6.0, False),  # half of 0.9 and 0.05 are 0.5
        ("hello there", 1.0, 0.1, 6.0, True),
        ("lol", 0.85, 0.0, 2.0, True),  # the classifier knows little of few letters
        ("lol", 0.75, 0.0, 2.0, False),
        ("T", 0.9, 0.0, 6.0, False),  # a line of six heights holds more than a letter
        ("12:30", 0.95, 0.0, 3.0, True),  # digits have no script
        ("12:30", 0.85, 0.0, 3.0, False),
        ("汉字文", 0.8, 0.9, 3.0, False),  # is no Latin
    ],
)
def test_a_reading_is_believed_by_its_score_its_script_and_its_length(text, score, latin, aspect, believed):
    rest = (1 - latin) / 2
    bias = np.log(np.array([latin, rest / 10, rest * 1.9], np.float32) + 1e-9)
    guesser = ScriptGuesser(("latin", "han", "thai"), np.zeros((2, 3), np.float32), bias)
    reading = LineReading(text, score, np.zeros(0, np.float32), np.zeros(2, np.float32))
    assert guesser.readable(reading, aspect) == believed


def test_lines_that_share_a_pass_do_not_change_what_is_told_of_a_script():
    rng = np.random.default_rng(7)
    kinds = (*SCRIPTS, "none")
    weight = rng.normal(size=(480, len(kinds))).astype(np.float32) / 100
    guesser = ScriptGuesser(kinds, weight, np.zeros(len(kinds), np.float32))
    features = rng.normal(size=(40, 480)).astype(np.float32)
    # What a network gives differs by this much with the number of lines in its pass.
    again = features * (1 + rng.uniform(-3e-7, 3e-7, features.shape)).astype(np.float32)
    quads = np.zeros((40, 4, 2), np.float32)
    first, second = (
        guesser.regions(quads, [LineReading("", 0.0, np.zeros(0, np.float32), row) for row in rows])
        for rows in (features, again)
    )
    assert not np.array_equal(features @ weight, again @ weight)
    assert len(first.scores) == 40
    assert np.array_equal(first.scores, second.scores)
    assert first.scripts == second.scripts


def test_unread_regions_are_checked():
    quads, scores = np.zeros((1, 4, 2), np.float32), np.zeros(1, np.float32)
    with pytest.raises(ContractError, match="klingon"):
        UnreadRegions(quads, ("klingon",), scores)
    with pytest.raises(ContractError, match=r"UnreadRegions\.quads: got float32 \(1, 4, 2\), .* u = 2"):
        UnreadRegions(quads, ("thai", "thai"), scores)
