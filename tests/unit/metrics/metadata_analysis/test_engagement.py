"""Engagement and creator, by hand."""

from __future__ import annotations

import pytest

from rumiai.contracts.metadata import VideoMetadata
from rumiai.metrics.metadata_analysis import engagement
from rumiai.metrics.metadata_analysis.engagement import Creator, Music


def test_shares_of_the_views():
    assert engagement.share_of_views(3, 12) == 0.25
    assert engagement.share_of_views(0, 12) == 0.0
    assert engagement.share_of_views(3, 0) is engagement.share_of_views(3, None) is None
    assert engagement.share_of_views(None, 12) is None


def test_above_average():
    assert [engagement.is_above_average(rate) for rate in (5.0, 5.01, None)] == [False, True, None]


def test_creator():
    found = engagement.read_creator(VideoMetadata("v", author={"nickName": "Ann", "verified": True, "fans": 10001}))
    assert (found, found.established) == (Creator("Ann", True, 10001), True)
    other = engagement.read_creator(VideoMetadata("v", author={"nickName": "", "verified": 1, "fans": "many"}))
    assert (other, other.established) == (Creator(None, None, None), None)
    assert engagement.read_creator(VideoMetadata("v", author=None)) == other
    for fans in (True, False, -1):
        assert engagement.read_creator(VideoMetadata("v", author={"fans": fans})).followers is None
    assert Creator(None, None, 10000).established is False


def test_music():
    full = {"musicId": "7", "musicName": "Song", "musicAuthor": "Band", "musicOriginal": False}
    assert engagement.read_music(VideoMetadata("v", music=full)) == Music("7", "Song", "Band", False)
    bare = VideoMetadata("v", music={"name": "Song", "author": 3})
    assert engagement.read_music(bare) == Music(None, "Song", None, None)
    assert engagement.read_music(VideoMetadata("v", music=None)) is None


@pytest.mark.parametrize(("rate", "points"), [(None, 0.0), (5.0, 0.0), (5.1, 0.1), (10.1, 0.2), (15.1, 0.3)])
def test_viral_potential_by_engagement(rate, points):
    none = dict.fromkeys(("hooked", "moderate_tags", "engaging_style", "urgent", "positive"), False)
    assert engagement.viral_potential(rate, **none, emoji=0) == points
    full = dict.fromkeys(none, True)
    assert engagement.viral_potential(rate, **full, emoji=4) == pytest.approx(points + 0.7)
    assert engagement.viral_potential(rate, **full, emoji=5) == pytest.approx(points + 0.6)
