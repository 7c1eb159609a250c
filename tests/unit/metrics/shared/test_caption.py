"""Captions taken apart, by hand."""

from __future__ import annotations

import pytest

from rumiai.metrics.shared.caption import Caption, read_caption


@pytest.mark.parametrize(
    ("caption", "link"),
    [
        ("see https://a.b/c", True), ("www.shop.com now", True), ("shop.com", True), ("mail me: bob@shop.com", False),
        ("no link.here", False), ("v1.2 is out", False),
    ],
)  # fmt: skip
def test_links(caption, link):
    assert Caption(caption).has_link is link


def test_mentions_are_no_mail_parts():
    assert Caption("hi @bob.smith. and bob@mail.com @ann").mentions == ["bob.smith", "ann"]
    assert Caption("https://t.com/@joe/video by @ann").mentions == ["ann"]


def test_parts_of_a_caption():
    found = Caption("Cafe\u0301 time! See www.a.com @bob #IcedCoffee 🔥 ok. 3 cups")
    assert len(found.text) == len(found.raw) - 1  # the accent joins its letter in NFC
    assert found.prose.split() == ["Café", "time!", "See", "ok.", "3", "cups"]
    assert found.words == ["café", "time", "see", "ok", "3", "cups"]
    assert (found.tags, found.mentions, found.emoji) == (["IcedCoffee"], ["bob"], ["🔥"])
    assert [part.split() for part in found.sentences] == [["Café", "time"], ["See", "ok"], ["3", "cups"]]
    assert len(found.masked) == len(found.text)


def test_list_items():
    assert Caption("1. milk\n2) eggs\n- more").list_items == 3
    assert Caption("1. milk\n2. eggs").sentences == [" milk\n eggs"]
    assert Caption("3 eggs").list_items == 0


def test_an_unknown_caption_is_none_and_an_empty_one_empty():
    assert read_caption(None) is None
    found = read_caption("")
    assert (found.text, found.words, found.tags, found.emoji, found.sentences) == ("", [], [], [], [])
    assert not found.has_link
