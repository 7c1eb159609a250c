"""A sign in the scene and a caption over it, filmed by a camera that pans."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from rumiai.contracts.services.ocr import OcrData, OcrMetadata, TextAnnotation, TextSighting
from rumiai.contracts.services.whisper import Segment, WhisperData, Word
from rumiai.demo import Caption, pictures
from rumiai.demo.draw import CaptionPainter
from rumiai.inference.text_kinds.appearance import look_at
from rumiai.inference.text_kinds.classify import spoken_words, with_kinds
from rumiai.inference.text_kinds.cues import Scenery, cues_of
from rumiai.media.trail import GreyTrail

WIDTH, HEIGHT, FPS, LENGTH_S, STEP_S = 540, 960, 30, 3.0, 0.5
PAN_PX = 2  # a frame
CAPTION = Caption("you will not believe it", 0.4, LENGTH_S, (0.5, 0.75), 0.035)
SIGN = "NO PARKING"
SIGN_AT = (260, 300)


def world():
    """A photograph wider than the frame, with a sign in it."""
    source = pictures.picture("coffee")
    image = np.array(cv2.resize(source, (WIDTH + 300, HEIGHT), interpolation=cv2.INTER_AREA), np.uint8)
    x, y = SIGN_AT
    cv2.rectangle(image, (x - 12, y - 44), (x + 240, y + 16), (60, 70, 130), -1)
    cv2.putText(image, SIGN, (x, y), cv2.FONT_HERSHEY_SIMPLEX, 1.2, (190, 180, 150), 3)
    return cv2.GaussianBlur(image, (0, 0), 1.0)


@pytest.fixture(scope="module")
def filmed():
    """The data of the texts and the scenery of the clip."""
    picture, painter, trail, looks = world(), CaptionPainter(CAPTION, WIDTH, HEIGHT), GreyTrail(), {}
    line = painter.truth()[0].box
    seen = {"sign": [], "caption": []}
    for number in range(round(LENGTH_S * FPS)):
        time_s, left = number / FPS, number * PAN_PX
        image = np.ascontiguousarray(picture[:, left : left + WIDTH])
        painter.draw(image, time_s)
        grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
        trail.add(np.asarray(cv2.resize(grey, (216, 384), interpolation=cv2.INTER_AREA), np.uint8), time_s, number)
        if number % round(STEP_S * FPS) == 0:
            sign = ((SIGN_AT[0] - 4 - left) / WIDTH, (SIGN_AT[1] - 30) / HEIGHT, 226 / WIDTH, 38 / HEIGHT)
            boxes = {"sign": sign, "caption": line} if time_s >= CAPTION.start_s else {"sign": sign}
            for name, box in boxes.items():
                seen[name].append(TextSighting(timestamp_s=time_s, frame_number=number, bbox=box, confidence=0.98))
            looks[number] = look_at(image, np.array(list(boxes.values()), np.float32))
    texts = tuple(
        TextAnnotation(
            text=text, start_s=there[0].timestamp_s, end_s=LENGTH_S, confidence=0.98, bbox=there[0].bbox,
            category="overlay_text", sightings=tuple(there),
        )
        for text, there in ((SIGN, seen["sign"]), (CAPTION.text, seen["caption"]))
    )  # fmt: skip
    data = OcrData(texts=texts, stickers=(), metadata=OcrMetadata(processed=True))
    return data, Scenery(looks, trail, (), None, STEP_S, LENGTH_S)


def test_the_sign_is_in_the_scene_and_the_caption_laid_over_it(filmed):
    found = with_kinds(*filmed)
    assert [text.kind for text in found.texts] == ["scene", "overlay"]
    assert min(text.kind_probability for text in found.texts) > 0.6
    metadata = found.metadata
    assert (metadata.overlay_texts, metadata.scene_texts, metadata.unknown_texts) == (1, 1, 0)


def test_the_evidence_says_why(filmed):
    sign, caption = cues_of(filmed[0].texts, filmed[1])
    assert sign.stays_put == pytest.approx(-1, abs=0.15)
    assert caption.stays_put == pytest.approx(1, abs=0.15)
    assert caption.drift == 0.0
    assert sign.drift == pytest.approx(PAN_PX * STEP_S * FPS / WIDTH / (38 / HEIGHT), rel=0.05)
    assert caption.arrives > 0.5
    assert np.isnan(caption.spoken)
    evidence = {cue.name: cue for cue in with_kinds(*filmed).texts[1].kind_evidence}
    assert evidence["stays_put"].value == pytest.approx(caption.stays_put, abs=1e-3)
    assert evidence["stays_put"].log_odds > 1


def test_words_that_are_said_while_they_are_shown_speak_for_an_overlay(filmed):
    data, scenery = filmed
    words = tuple(
        Word(word=word, start_s=0.5 + i / 4, end_s=0.7 + i / 4)
        for i, word in enumerate(["You", "will", "not", "leave", "it"])
    )
    segment = Segment(start_s=0.5, end_s=2.0, text="You will not leave it", words=words)
    speech = WhisperData.from_json(
        {
            "text": segment.text,
            "segments": [segment.to_json()],
            "language": "en",
            "duration": 2.0,
            "metadata": {"processed": True},
        }
    )
    heard = Scenery(scenery.looks, scenery.trail, (), spoken_words(speech), STEP_S, LENGTH_S)
    sign, caption = cues_of(data.texts, heard)
    assert (sign.spoken, caption.spoken) == (0.0, pytest.approx(4 / 5))


def test_no_text_has_no_kinds(filmed):
    empty = OcrData(texts=(), stickers=(), metadata=OcrMetadata(processed=True))
    found = with_kinds(empty, filmed[1])
    assert found.texts == ()
    assert found.metadata.overlay_texts == 0
