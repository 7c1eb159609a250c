"""The OCR engine beside easyocr.Reader.readtext on the same pictures."""

from __future__ import annotations

import pickle
import warnings
from pathlib import Path

import cv2
import easyocr
import numpy as np
import pytest
import torch
import ultralytics
from easyocr.craft_utils import adjustResultCoordinates, getDetBoxes
from easyocr.utils import group_text_box
from PIL import Image, ImageDraw, ImageFont

from rumiai.demo import Caption, Shot, View
from rumiai.demo import pictures as demo_pictures
from rumiai.demo.draw import CaptionPainter, ShotPainter
from rumiai.errors import ConfigurationError, ContractError, WeightsError
from rumiai.inference.ocr import CAPTIONS
from rumiai_server.engines.ocr.boxes import group_boxes, map_boxes, to_source_pixels
from rumiai_server.engines.ocr.easyocr_engine import EasyOcrEngine
from rumiai_server.engines.ocr.engine import OcrEngine, OcrParams, TextLines
from rumiai_server.engines.ocr.locator import Place, TextLocator
from rumiai_server.engines.ocr.recognizer import TextRecognizer, cut_crops
from rumiai_server.engines.ocr.tiles import Tile, text_tiles
from rumiai_server.engines.ocr.types import GroupThresholds, MapThresholds

# easyocr warns about torch's own deprecations and about pinned memory without a GPU.
pytestmark = pytest.mark.filterwarnings("ignore:.*(quantiz|pin_memory|weights_only|torch.ao).*")
STRICT = OcrParams(mode="strict")
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def engine(weights) -> OcrEngine:
    locator = weights("PP-OCRv6_det_small.onnx")
    return OcrEngine(weights("craft_mlt_25k.pth"), weights("english_g2.pth"), locator=locator, device="cpu", threads=2)


@pytest.fixture(scope="module")
def reader(weights) -> easyocr.Reader:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        folder = str(weights("craft_mlt_25k.pth").parent)
        return easyocr.Reader(["en"], gpu=False, model_storage_directory=folder, download_enabled=False, verbose=False)


def draw(height: int, width: int, captions, *, seed: int = 0, flat: int | None = None) -> np.ndarray:
    """RGB picture: (text, x, y, font px, colour) each over a coloured, smooth background."""
    noise = np.random.default_rng(seed).integers(0, 160, (4, 4, 3)).astype(np.uint8)
    ground = cv2.resize(noise, (width, height)) if flat is None else np.full((height, width, 3), flat, np.uint8)
    image = Image.fromarray(ground)
    for text, x, y, size, colour in captions:
        ImageDraw.Draw(image).text((x, y), text, fill=colour, font=ImageFont.load_default(size))
    return np.array(image)


def rotated(image: np.ndarray, degrees: float) -> np.ndarray:
    height, width = image.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    return cv2.warpAffine(image, turn, (width, height), borderMode=cv2.BORDER_REPLICATE)


def pictures() -> list[tuple[np.ndarray, OcrParams]]:
    white, yellow = (255, 255, 255), (255, 230, 20)
    two = draw(150, 331, [("Stop scrolling", 8, 10, 34, white), ("link in bio 42", 60, 90, 24, yellow)])
    slanted = rotated(draw(200, 240, [("SALE today", 30, 80, 36, white)], seed=1), 20)
    faint = draw(90, 260, [("hardly there", 20, 30, 30, (132, 132, 132))], flat=120)
    small = draw(64, 200, [("tiny words here", 10, 20, 13, white)], seed=2)
    return [
        (two, STRICT),
        (slanted, STRICT),
        (faint, OcrParams(mode="strict", contrast_ths=0.9)),
        (small, OcrParams(mode="strict", mag_ratio=2.0, text_threshold=0.6, min_size=8)),
        (two, OcrParams(mode="strict", canvas_size=160, width_ths=0.9, add_margin=0.2)),
    ]


def same(a: TextLines, b: TextLines) -> None:
    assert a.texts == b.texts
    np.testing.assert_allclose(a.quads, b.quads, atol=1e-3)
    np.testing.assert_allclose(a.scores, b.scores, atol=1e-4)


def test_strict_equals_readtext_also_in_one_batch_of_mixed_shapes_and_settings(engine, reader):
    jobs = pictures()
    together = engine.read([(picture[None], params) for picture, params in jobs])
    expected_lines = 0
    for (picture, params), [lines] in zip(jobs, together, strict=True):
        settings = {name: value for name, value in vars(params).items() if name not in ("engine", "mode")}
        settings["canvas_size"] = params.canvas_size or 2560
        expected = reader.readtext(np.ascontiguousarray(picture[..., ::-1]), **settings)
        assert list(lines.texts) == [text for _, text, _ in expected]
        np.testing.assert_allclose(lines.quads, np.array([quad for quad, _, _ in expected]), atol=2.0)
        np.testing.assert_allclose(lines.scores, [score for _, _, score in expected], atol=0.01)
        expected_lines += len(expected)
    assert expected_lines >= 6
    slanted = together[1][0].quads
    assert any(abs(quad[0, 1] - quad[1, 1]) > 5 for quad in slanted), "no free box: the case tests nothing"


@pytest.mark.parametrize("mode", ["strict", "fast"])
def test_a_batch_answers_in_order_and_as_its_pictures_alone(engine, mode):
    params = OcrParams(mode=mode)
    one = draw(96, 320, [("first one", 20, 20, 40, (255, 255, 255))], flat=30)
    two = draw(96, 320, [("then two", 20, 20, 40, (0, 0, 0))], flat=220)
    other = draw(130, 200, [("third", 20, 40, 48, (255, 255, 0))], flat=40)
    answers = engine.read(
        [(np.stack([one, two]), params), (np.zeros((0, 8, 8, 3), np.uint8), params), (other[None], params)]
    )
    assert [len(item) for item in answers] == [2, 0, 1]
    assert [lines.texts for item in answers for lines in item] == [("first one",), ("then two",), ("third",)]
    for picture, lines in ((one, answers[0][0]), (two, answers[0][1]), (other, answers[2][0])):
        same(lines, engine.read([(picture[None], params)])[0][0])


def test_modes_mix_in_one_call(engine):
    picture = draw(96, 320, [("both modes", 20, 20, 40, (255, 255, 255))], flat=30)[None]
    [[fast], [strict], [again]] = engine.read([(picture, OcrParams()), (picture, STRICT), (picture, OcrParams())])
    assert fast.texts == strict.texts == ("both modes",)
    np.testing.assert_allclose(fast.quads, strict.quads, atol=4.0)
    same(fast, again)


def test_the_fast_recogniser_reads_what_float32_reads(weights):
    reader = TextRecognizer(weights("english_g2.pth"), ["en"], torch.device("cpu"), quantize=False)
    crops = []
    for seed, text in enumerate(
        ["STOP SCROLLING", "link in bio", "saves $80 a month", "100% worth it", "@rumiai.demo"]
    ):
        size = 20 + 11 * seed
        width = int(ImageFont.load_default(size).getlength(text)) + 16
        grey = cv2.cvtColor(
            draw(size + 20, width, [(text, 8, 8, size, (255, 255, 255))], seed=seed), cv2.COLOR_RGB2GRAY
        )
        crops += cut_crops(grey, [[0, width, 0, size + 20]], [], contrast_ths=0.1, adjust_contrast=0.5)
    fast, exact = reader.read(crops, exact=False), reader.read(crops, exact=True)
    assert [reading.text for reading in fast] == [reading.text for reading in exact]
    np.testing.assert_allclose([r.score for r in fast], [r.score for r in exact], atol=0.1)


def test_the_settings_for_captions_keep_lines_whole_and_columns_apart(engine):
    captions = [
        Caption("up to 91% off", 0, 1, (0.5, 0.3), 0.04, font="mono-bold"),  # words far apart
        Caption("day 46", 0, 1, (0.5, 0.6), 0.035, colour=(255, 221, 51), outline=None, box=(0, 0, 0)),  # a tilted box
        Caption("never again!", 0, 1, (0.5, 0.8), 0.07, font="serif-bold", outline=None),  # boxes of two heights
        Caption("BEFORE", 0, 1, (0.25, 0.45), 0.03),
        Caption("AFTER", 0, 1, (0.75, 0.45), 0.03),
    ]
    frame = ShotPainter(Shot("solid", 1.0, colours=((60, 70, 110), (0, 0, 0))), 576, 1024).frame(0.0, 0)
    for caption in captions:
        CaptionPainter(caption, 576, 1024).draw(frame, 0.0)
    [[lines], [pieces]] = engine.read(
        [(frame[None], OcrParams(**CAPTIONS.to_request())), (frame[None], OcrParams(mode=CAPTIONS.mode))]
    )
    assert sorted(lines.texts) == sorted(caption.text for caption in captions)
    # EasyOCR's own settings part some of them; where they no longer do, these settings are for nothing.
    assert len(pieces.texts) > len(lines.texts)


def test_no_items_no_answers(engine):
    assert engine.read([]) == []


@pytest.mark.parametrize("mode", ["strict", "fast"])
@pytest.mark.parametrize("shape", [(1, 1), (8, 8), (1, 700), (33, 31)])
def test_pictures_too_small_for_text_have_none(engine, mode, shape):
    noise = np.random.default_rng(3).integers(0, 255, (1, *shape, 3), dtype=np.uint8)
    [[lines]] = engine.read([(noise, OcrParams(mode=mode))])
    assert lines.quads.shape == (0, 4, 2)
    assert lines.texts == ()
    assert lines.scores.shape == (0,)


def test_text_cut_by_the_edge_keeps_its_box_inside(engine):
    picture = draw(64, 200, [("cut at edges", -12, -4, 56, (255, 255, 255))], flat=20)
    [[lines]] = engine.read([(picture[None], STRICT)])
    assert len(lines.texts) >= 1
    assert lines.quads.min() >= 0
    assert (lines.quads.reshape(-1, 2).max(axis=0) <= (200, 64)).all()


def test_fast_finds_the_captions_of_a_frame_and_nothing_on_an_empty_one(engine):
    photo = cv2.imread(str(Path(ultralytics.__file__).parent / "assets/zidane.jpg"))[:, 200:605, ::-1]
    image = Image.fromarray(cv2.resize(np.ascontiguousarray(photo), (720, 1280)))
    captions = [("wait for it", 60, 180, 64), ("link in bio", 400, 700, 32), ("small print", 300, 1100, 24)]
    for text, x, y, size in captions:
        font = ImageFont.load_default(size)
        ImageDraw.Draw(image).text((x, y), text, "white", font=font, stroke_width=2, stroke_fill="black")
    frame, empty = np.array(image), np.tile(np.linspace(0, 255, 720, dtype=np.uint8)[None, :, None], (1280, 1, 3))
    [[lines, nothing]] = engine.read([(np.stack([frame, empty]), OcrParams())])
    found = {text.lower().replace(" ", ""): quad for text, quad in zip(lines.texts, lines.quads, strict=True)}
    for caption, x, y, size in captions:
        text = caption.replace(" ", "")  # the recogniser joins narrow words, in both modes
        assert text in found, lines.texts
        (left, top), (right, bottom) = found[text].min(axis=0), found[text].max(axis=0)
        assert abs(left - x) < 20
        assert top - 12 < y + size / 2 < bottom
        assert right > x + 3 * size
    assert nothing.texts == ()


PORTRAIT = np.zeros((1280, 720, 3), dtype=np.uint8)


def test_tiles_are_as_large_as_the_lines_in_them_need():
    assert text_tiles([], PORTRAIT, 1.0) == []
    # 24 px are enough for a line; margins of 0.4 and 0.35 heights and 4 px of the canvas, and up to multiples of 32.
    [small] = text_tiles([Place(100, 100, 300, 120, 20)], PORTRAIT, 1.0)
    assert small == Tile(88, 78, 312, 142, 1.0)
    [large] = text_tiles([Place(100, 600, 500, 648, 48)], PORTRAIT, 1.0)
    assert large == Tile(44, 560, 556, 688, 0.5)
    assert large.cost_px == 256 * 64
    [huge] = text_tiles([Place(300, 600, 500, 900, 200)], PORTRAIT, 1.0)
    assert huge.scale == 0.3
    # Never larger than the canvas that was asked for.
    assert text_tiles([Place(100, 100, 300, 120, 20)], PORTRAIT, 0.5)[0].scale == 0.5


def test_tiles_of_near_lines_are_cut_between_them_or_shared():
    title, small = Place(100, 100, 600, 180, 80), Place(100, 200, 200, 216, 16)
    first, second = sorted(text_tiles([small, title], PORTRAIT, 1.0), key=lambda tile: tile.top)
    assert (first.scale, second.scale) == (0.3, 1.0)
    assert first.bottom == second.top == 190
    # Cheaper together; too close to be cut apart.
    for near in (Place(100, 210, 600, 290, 80), Place(602, 150, 640, 160, 10)):
        [shared] = text_tiles([title, near], PORTRAIT, 1.0)
        assert shared.left < 100
        assert shared.right > near.right
        assert shared.bottom > near.bottom


@pytest.mark.parametrize("seed", range(20))
def test_tiles_hold_all_places_and_do_not_overlap(seed):
    rng = np.random.default_rng(seed)
    left, top, width, height = rng.integers((0, 0, 8, 8), (650, 1200, 400, 80), (rng.integers(1, 30), 4)).T
    right, bottom = np.minimum(left + width, 720), np.minimum(top + height, 1280)
    places = [Place(*row) for row in np.stack([left, top, right, bottom, bottom - top], axis=1).tolist()]
    tiles = text_tiles(places, PORTRAIT, 1.0)
    assert sum(tile.cost_px for tile in tiles) <= 736 * 1280
    seen = np.zeros(PORTRAIT.shape[:2], dtype=np.uint8)
    for tile in tiles:
        seen[tile.top : tile.bottom, tile.left : tile.right] += 1
    assert seen.max() == 1
    for place in places:
        assert seen[int(place.top) : int(place.bottom), int(place.left) : int(place.right)].all()


def test_a_page_of_text_is_seen_as_a_whole():
    words = [Place(10 + 70 * i, 10 + 25 * j, 60 + 70 * i, 25 + 25 * j, 15) for i in range(10) for j in range(50)]
    assert text_tiles(words, PORTRAIT, 1.0) == [Tile(0, 0, 720, 1280, 1.0)]
    lines = [Place(20, 20 + 31 * i, 700, 38 + 31 * i, 18) for i in range(40)]
    assert text_tiles(lines, PORTRAIT, 1.0) == [Tile(0, 0, 720, 1280, 1.0)]


def test_the_locator_places_lines_where_they_are_drawn(weights):
    locator = TextLocator(weights("PP-OCRv6_det_small.onnx"))
    white = (255, 255, 255)
    picture = draw(1280, 720, [("follow me", 100, 300, 60, white), ("small print", 400, 1100, 22, white)])
    large, small = sorted(locator.locate(picture), key=lambda place: place.top)
    for place, x, y, size in ((large, 100, 300, 60), (small, 400, 1100, 22)):
        assert abs(place.left - x) < 0.3 * size
        assert y < place.top < place.bottom < y + 1.3 * size
        assert 0.4 * size < place.height < size
    # Turned by 20 degrees a line is no higher.
    [turned] = locator.locate(rotated(draw(640, 640, [("follow me", 180, 290, 60, white)], flat=30), 20))
    assert turned.height < 60
    assert turned.bottom - turned.top > 90


def test_without_a_locator_fast_sees_the_whole_canvas(weights, engine):
    alone = OcrEngine(weights("craft_mlt_25k.pth"), weights("english_g2.pth"), device="cpu")
    picture = draw(480, 400, [("no locator", 60, 200, 48, (255, 255, 255))])[None]
    assert alone.read([(picture, OcrParams())])[0][0].texts == ("no locator",)
    assert engine.read([(picture, OcrParams())])[0][0].texts == ("no locator",)


def captioned(seed: int) -> tuple[np.ndarray, list[str]]:
    """A frame of 360 x 640 with captions of 2.5 to 7 % of its height on a photograph or a pattern."""
    rng = np.random.default_rng([2026, seed])
    names = [*demo_pictures.NAMES, "gradient", "noise"]
    shot = Shot(str(rng.choice(names)), 1.0, View(*rng.uniform(0.3, 0.7, 2), rng.uniform(1.0, 1.5)), grain=2.0)
    frame = ShotPainter(shot, 360, 640).frame(0.0, seed)
    looks = [{}, {"box": (20, 30, 70), "outline": None}, {"colour": (255, 221, 51)}]
    texts = [str(text) for text in rng.choice(["if", "WAIT", "Step 7", "so good", "50% OFF", "why me", "by noon"], 3)]
    for i, text in enumerate(texts):
        font, height = str(rng.choice(list(demo_pictures._FONTS))), float(rng.choice([0.025, 0.03, 0.045, 0.07]))
        at = float(rng.uniform(0.3, 0.7)), 0.2 + 0.3 * i
        CaptionPainter(Caption(text, 0, 9, at, height, font=font, **looks[rng.integers(3)]), 360, 640).draw(frame, 0.0)
    return frame, texts


@pytest.mark.parametrize("seed", range(3))
def test_fast_loses_no_caption_that_strict_finds(engine, seed):
    frame, texts = captioned(seed)
    [[fast], [strict]] = engine.read([(frame[None], OcrParams()), (frame[None], STRICT)])

    def found(lines: TextLines) -> set[str]:
        # Word by word: both modes part a line now and then, and a slanted word comes last.
        read = "|".join(lines.texts).lower()
        return {text for text in texts if all(word in read for word in text.lower().split())}

    assert found(fast) >= found(strict)


def smooth(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    radius = int(rng.choice([1, 3, 5, 9]))
    noise = cv2.GaussianBlur(rng.random((height, width)).astype(np.float32), (2 * radius + 1,) * 2, radius)
    return ((noise - noise.min()) / (noise.max() - noise.min())).astype(np.float32)


@pytest.mark.parametrize("seed", range(25))
def test_boxes_of_random_maps_equal_easyocr(seed):
    rng = np.random.default_rng(seed)
    text, link = smooth(rng, *(shape := rng.integers(16, 200, 2))), smooth(rng, *shape)
    limits = MapThresholds(rng.uniform(0.6, 0.8), rng.uniform(0.3, 0.7), rng.uniform(0.3, 0.6))
    expected, _, _ = getDetBoxes(text, link, limits.text_threshold, limits.link_threshold, limits.low_text)
    boxes = map_boxes(text, link, limits)
    np.testing.assert_array_equal(boxes, np.array(expected, dtype=np.float32).reshape(-1, 4, 2))
    scale = rng.uniform(0.2, 2.0)
    scaled = [np.array(b).astype(np.int32).reshape(-1) for b in adjustResultCoordinates(expected, 1 / scale, 1 / scale)]
    np.testing.assert_array_equal(to_source_pixels(boxes, scale), np.array(scaled, dtype=np.int32).reshape(-1, 8))


@pytest.mark.parametrize("seed", range(25))
def test_lines_of_random_boxes_equal_easyocr(seed):
    rng = np.random.default_rng(seed)
    level = [[x, y, x + w, y + t, x + w, y + h + t, x, y + h] for x, y, w, h, t in rng.integers(0, 60, (40, 5))]
    polys = np.concatenate([rng.integers(0, 200, (20, 8)), np.array(level)]).astype(np.int32)
    slope, ycenter, height, width = rng.uniform(0.05, 0.9, 4)
    margin = rng.uniform(0, 0.3)
    lines, slanted = group_text_box(list(polys), slope, ycenter, height, width, margin)
    horizontal, free = group_boxes(polys, GroupThresholds(slope, ycenter, height, width, margin, min_size=0))
    assert horizontal == [[int(v) for v in line] for line in lines]
    np.testing.assert_array_equal(np.array(free), np.array(slanted))
    large, _ = group_boxes(polys, GroupThresholds(slope, ycenter, height, width, margin, min_size=25))
    assert large == [b for b in horizontal if max(b[1] - b[0], b[3] - b[2]) > 25]


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"mode": "quick"}, "mode"),
        ({"canvas_size": 16}, "canvas_size"),
        ({"canvas_size": 100_000}, "canvas_size"),
        ({"canvas_size": 640.0}, "canvas_size"),
        ({"mag_ratio": 0.0}, "mag_ratio"),
        ({"mag_ratio": float("nan")}, "mag_ratio"),
        ({"text_threshold": 1.5}, "text_threshold"),
        ({"text_threshold": 0.3, "low_text": 0.5}, "low_text"),
        ({"min_size": -1}, "min_size"),
        ({"width_ths": -0.1}, "width_ths"),
    ],
)
def test_bad_settings_are_refused(settings, told):
    with pytest.raises(ContractError, match=told):
        OcrParams(**settings)


@pytest.mark.parametrize(
    "pictures",
    [
        np.zeros((1, 32, 32, 3), np.float32),
        np.zeros((32, 32, 3), np.uint8),
        np.zeros((1, 32, 32, 4), np.uint8),
        np.zeros((1, 0, 32, 3), np.uint8),
        np.zeros((1, 8, 5000, 3), np.uint8),
    ],
)
def test_bad_pictures_are_refused(engine, pictures):
    with pytest.raises(ContractError, match="item 0"):
        engine.read([(pictures, OcrParams())])


def test_lines_of_unequal_length_are_refused():
    with pytest.raises(ContractError, match="quads"):
        TextLines(np.zeros((2, 4, 2), np.float32), ("one",), np.zeros(1, np.float32))


class _Payload:
    def __reduce__(self):
        return (print, ("code ran while loading weights",))


def test_bad_weights_are_told_apart(weights, tmp_path, capsys):
    craft, english = weights("craft_mlt_25k.pth"), weights("english_g2.pth")
    evil = tmp_path / "english_g2.pth"
    evil.write_bytes(pickle.dumps(_Payload()))
    wrapped = tmp_path / "craft.pth"
    torch.save({"module.x": _Payload()}, wrapped)
    for detector, recognizer in (
        (tmp_path / "none.pth", english),
        (english, english),
        (wrapped, english),
        (craft, evil),
    ):
        with pytest.raises(WeightsError):
            EasyOcrEngine(detector, recognizer, device=CPU)
    assert capsys.readouterr().out == ""
    for locator in (tmp_path / "none.onnx", evil):
        with pytest.raises(WeightsError):
            EasyOcrEngine(craft, english, locator=locator, device=CPU)
    with pytest.raises(ConfigurationError, match="english_g2"):
        EasyOcrEngine(craft, craft, device=CPU)
    with pytest.raises(ConfigurationError, match="tlh"):
        EasyOcrEngine(craft, english, languages=("en", "tlh"), device=CPU)
