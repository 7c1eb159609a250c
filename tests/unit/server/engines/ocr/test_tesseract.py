"""Lines in other scripts by Tesseract: its table by hand; its readings where it is installed."""

from __future__ import annotations

import shutil
import stat

import numpy as np
import pytest
from PIL import Image, ImageDraw

from rumiai.demo import pictures
from rumiai.errors import MLError
from rumiai_server.engines.ocr.engine import OcrEngine, OcrParams
from rumiai_server.engines.ocr.tesseract import ForeignLine, ForeignReading, TesseractReader, _is_believed, _readings

HEAD = "level\tpage_num\tblock_num\tpar_num\tline_num\tword_num\tleft\ttop\twidth\theight\tconf\ttext"
READER = TesseractReader()
needs_russian = pytest.mark.skipif("cyrillic" not in READER.scripts, reason="tesseract-ocr-rus is not installed")


def word(page, left, width, confidence, text):
    return f"5\t{page}\t1\t1\t1\t1\t{left}\t10\t{width}\t40\t{confidence}\t{text}"


def picture(text: str, size: int = 44, shape: tuple[int, int] = (200, 640)) -> np.ndarray:
    image = Image.new("RGB", (shape[1], shape[0]), (40, 60, 90))
    face = pictures.typeface("sans-bold", size)
    ImageDraw.Draw(image).text((shape[1] // 2, shape[0] // 2), text, fill=(255, 255, 255), font=face, anchor="mm")
    return np.asarray(image)


def stub(tmp_path, script: str) -> TesseractReader:
    program = tmp_path / "tesseract"
    program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return TesseractReader(str(program))


def test_pieces_of_hangul_join_to_words_by_their_distance():
    rows = [
        HEAD,
        word(1, 10, 40, 90, "오"),
        word(1, 52, 40, 80, "늘"),
        word(1, 110, 40, 70, "은"),
        word(3, 5, 9, 50, "눈"),
    ]
    assert _readings("\n".join(rows), 3, "hangul") == [
        ForeignReading("오늘 은", pytest.approx(0.8)), ForeignReading("", 0.0), ForeignReading("눈", 0.5)
    ]  # fmt: skip
    assert _readings("\n".join(rows), 1, "arabic")[0].text == "오 늘 은"


def test_characters_that_look_the_same_are_those_of_the_script():
    rows = [HEAD, word(1, 0, 10, 90, "\u00b5\u03b5"), word(2, 0, 10, 90, "ท\u0e4d\u0e32")]
    assert [reading.text for reading in _readings("\n".join(rows), 2, "greek")] == ["\u03bc\u03b5", "ทำ"]


@pytest.mark.parametrize(
    ("text", "score", "script", "believed"),
    [
        ("сегодня", 0.9, "cyrillic", True),
        ("сегодня", 0.5, "cyrillic", False),
        ("cerogHR", 0.9, "cyrillic", False),
        ("я 17", 0.9, "cyrillic", False),
        ("हैं", 0.9, "devanagari", True),
        ("", 0.0, "thai", False),
    ],
)
def test_what_is_believed_is_sure_and_of_the_script(text, score, script, believed):
    assert _is_believed(ForeignReading(text, score), script) == believed


def test_without_the_program_nothing_is_read(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    reader = TesseractReader()
    assert reader.scripts == frozenset()
    assert reader.read([ForeignLine(picture("борщ"), "cyrillic")]) == [None]


def test_a_program_that_fails_is_told(tmp_path):
    reader = stub(tmp_path, 'case "$1" in --list-langs) printf "List:\\nrus\\n";; *) exit 3;; esac')
    assert reader.scripts == {"cyrillic"}
    with pytest.raises(MLError, match="1 lines in cyrillic"):
        reader.read([ForeignLine(picture("борщ"), "cyrillic"), ForeignLine(picture("안녕"), "hangul")])


@needs_russian
def test_lines_are_read_by_script():
    lines = [ForeignLine(picture(text, shape=(60, 520)), "cyrillic") for text in ("Сегодня готовим", "Как дела друзья")]
    lines.insert(1, ForeignLine(picture("Как дела"), "other"))
    assert [reading and reading.text for reading in READER.read(lines)] == ["Сегодня готовим", None, "Как дела друзья"]


@needs_russian
def test_an_engine_with_it_gives_texts_where_one_without_it_gives_unread_regions(weights):
    names = ("craft_mlt_25k.pth", "english_g2.pth", "PP-OCRv6_det_small.onnx", "PP-OCRv6_rec_small.onnx")
    detector, recognizer, locator, reader = map(weights, names)
    frame = picture("Смотри до конца")[None]
    found = []
    for foreign in (None, READER):
        engine = OcrEngine(
            detector, recognizer, locator=locator, reader=reader, device="cpu", threads=1, foreign=foreign
        )
        [[lines]] = engine.read([(frame, OcrParams(engine="ppocr"))])
        found.append((lines.texts, lines.unread.scripts))
    assert found == [((), ("cyrillic",)), (("Смотри до конца",), ())]
