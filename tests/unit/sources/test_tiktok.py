"""Links to TikTok against servers that speak Apify's and TikTok's side, well and with every kind of fault."""

from __future__ import annotations

import json
import logging
import os
import random
import signal
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rumiai.contracts.metadata import VideoMetadata
from rumiai.core.addresses import AddressRules
from rumiai.core.http import HttpClient, Retry
from rumiai.errors import (
    APIError,
    ConfigurationError,
    DownloadError,
    NoVideoError,
    RumiAIError,
    SourceError,
    StoreError,
)
from rumiai.sources import Access, FetchedVideo, SourceItem, items_of_rows, list_items, registered
from rumiai.sources.apify.items import ACTOR
from rumiai.sources.apify.pending import Pending
from rumiai.sources.download import DownloadLimits
from rumiai.sources.manifest import Row
from rumiai.sources.tiktok import TikTokSource, actor_input
from rumiai.sources.tiktok_links import parse_link

from ...faults.apify_server import PRIVATE, TOKEN, Fault, Run, World, apify, cut_off, moved, refused, says

VIDEO = b"\0\0\0\x18ftypmp42" + random.Random(7).randbytes(3000)
OTHER = b"\0\0\0\x18ftypmp42" + random.Random(8).randbytes(3000)
JPEG = [b"\xff\xd8\xff\xe0" + random.Random(number).randbytes(500) for number in range(3)]
MP3 = b"ID3\x04" + random.Random(9).randbytes(500)
ONE, TWO = "7454000000000000001", "7454000000000000002"


def link(number: str, user: str = "somebody") -> str:
    return f"https://www.tiktok.com/@{user}/video/{number}?is_from_webapp=1"


@pytest.fixture
def world() -> Iterator[World]:
    with apify() as world:
        world.video_post(ONE, VIDEO)
        world.photo_post(TWO, JPEG, MP3)
        yield world


@pytest.fixture
def access(tmp_path: Path, world: World) -> Iterator[Access]:
    rules = AddressRules.parse(["127.0.0.1", "localhost"])
    with HttpClient(rules, Retry(first_wait_s=0.01, longest_wait_s=1.5)) as http:
        limits = DownloadLimits(total_s=20, reserve_bytes=0)
        yield Access(http, limits, apify_token=TOKEN, scraped=tmp_path / "temp", apify_timeout_s=20)


@pytest.fixture
def source(world: World, access: Access) -> TikTokSource:
    return TikTokSource(access, world.api)


def with_access(source: TikTokSource, **members: Any) -> TikTokSource:
    assert source.access is not None
    return source.using(replace(source.access, **members))


def listed(source: TikTokSource, texts: list[str]) -> list[Sequence[SourceItem]]:
    found = source.list_all(texts)
    assert not [part for part in found if isinstance(part, RumiAIError)]
    return [part for part in found if not isinstance(part, RumiAIError)]


def fetched(source: TikTokSource, item: SourceItem, folder: Path) -> FetchedVideo:
    return source.fetch(item, folder / item.stem)


def test_a_video_post(source: TikTokSource, world: World, tmp_path: Path) -> None:
    (item,) = source.list(link(ONE))
    assert (item.stem, item.location) == (ONE, f"https://www.tiktok.com/@somebody/video/{ONE}")
    video = fetched(source, item, tmp_path)
    assert video.path == tmp_path / ONE / f"{ONE}.mp4"
    assert video.path.read_bytes() == VIDEO
    assert video.is_copy
    assert video.metadata is not None
    assert (video.metadata.views, video.metadata.username, video.metadata.music["musicName"]) == (
        1000,
        "somebody",
        "a song",
    )
    assert world.of_kind("start")[0].body == {
        "postURLs": [f"https://www.tiktok.com/@somebody/video/{ONE}"], "resultsPerPage": 1,
        "shouldDownloadVideos": True, "shouldDownloadCovers": True, "shouldDownloadSubtitles": True,
        "shouldDownloadSlideshowImages": True, "proxyConfiguration": {"useApifyProxy": True},
    }  # fmt: skip
    assert world.of_kind("start")[0].path.endswith("/GdWCkxBtKWOsKjdch/runs")
    assert not world.leaks


def test_a_photo_post_is_its_pictures_in_order_and_its_sound(
    source: TikTokSource, world: World, tmp_path: Path
) -> None:
    (item,) = source.list(f"https://www.tiktok.com/@somebody/photo/{TWO}")
    post = fetched(source, item, tmp_path)
    assert [path.read_bytes() for path in post.pictures] == JPEG
    assert post.sound is not None
    assert post.sound.read_bytes() == MP3
    assert (post.path, post.problems) == (tmp_path / TWO / f"{TWO}.mp4", ())
    assert post.metadata is not None
    assert post.metadata.is_slideshow
    assert not world.leaks


def test_all_links_of_a_call_are_one_run_of_the_scraper(source: TikTokSource, world: World, tmp_path: Path) -> None:
    world.short["ZMshort1"] = TWO
    local = tmp_path / "own.mp4"
    local.write_bytes(VIDEO)
    lost = "7454000000000000009"
    with registered(_named(source)):
        texts = [link(lost), "https://vm.tiktok.com/ZMshort1/", str(local), link(ONE), link(ONE, "else")]
        items = list_items(texts, source.access)
    assert [item.stem for item in items] == [lost, TWO, "own", ONE]
    assert len(world.of_kind("start")) == 1
    assert len(world.of_kind("start")[0].body["postURLs"]) == 3
    with pytest.raises(SourceError, match="Post not found or private"):
        fetched(source, items[0], tmp_path)
    assert fetched(source, items[3], tmp_path).path.read_bytes() == VIDEO


def test_a_manifest_of_links_is_one_run_and_a_bad_row_costs_itself(source: TikTokSource, world: World) -> None:
    texts = [link(ONE), "https://www.tiktok.com/foryou", link(TWO)]
    rows = [Row(f"posts.csv, line {number}", text) for number, text in enumerate(texts, 2)]
    rows[2] = replace(rows[2], video_id="second", metadata=VideoMetadata("x", description="as I know it"))
    with registered(_named(source)):
        items = items_of_rows(rows, source.access)
    assert [item.stem for item in items] == [ONE, "posts.csv_line_3", "second"]
    assert len(world.of_kind("start")) == 1


def test_a_bad_argument_is_known_before_anything_is_paid(source: TikTokSource, world: World) -> None:
    with registered(_named(source)):
        for bad in ("https://www.tiktok.com/foryou", "absent.mp4"):
            with pytest.raises(SourceError):
                list_items([link(ONE), bad], source.access)
    assert not world.requests


def test_what_a_link_lacks_costs_its_own_row(source: TikTokSource, world: World, tmp_path: Path) -> None:
    source.list(link(ONE))
    (tmp_path / "a.mp4").write_bytes(b"x")
    profile = "https://www.tiktok.com/@somebody"
    rows = [Row(f"m, line {n}", text) for n, text in enumerate([profile, link(ONE), link(TWO), f"{tmp_path}/a.mp4"])]
    with registered(_named(source)):
        items = items_of_rows(rows, with_access(source, apify_token="").access)
        rejected = with_access(source, apify_token="")
        with pytest.raises(ConfigurationError, match=r"no entry can be used: m, line 0: .* has no end .*; m, line 2: "):
            items_of_rows([rows[0], rows[2]], rejected.access)
        world.faults["start"] = [refused(401, "token", "no")]
        others = items_of_rows(rows, with_access(source, most=1).access)
    assert [(item.source, item.stem) for item in items] == [
        ("unlisted", "m_line_0"), ("tiktok_elsewhere", ONE), ("unlisted", "m_line_2"), ("local", "a"),
    ]  # fmt: skip
    assert items[0].address.startswith("m, line 0: https://www.tiktok.com/@somebody is a profile, which has no end")
    assert "APIFY_API_TOKEN is not set" in items[2].address
    assert [item.source for item in others] == ["unlisted", "tiktok_elsewhere", "unlisted", "local"]
    assert "m, line 2: Apify token rejected" in others[2].address


def test_posts_of_a_list_are_sent_to_a_service_as_they_are() -> None:
    post, profile = TikTokSource().list_all([link(ONE), "https://www.tiktok.com/@somebody"])
    assert not isinstance(post, RumiAIError)
    assert [(item.location, item.stem) for item in post] == [(f"https://www.tiktok.com/@somebody/video/{ONE}", ONE)]
    assert isinstance(profile, ConfigurationError)


def test_a_profile_without_a_limit_is_known_before_anything_is_paid(source: TikTokSource, world: World) -> None:
    with registered(_named(source)), pytest.raises(ConfigurationError, match="has no end"):
        list_items([link(ONE), "https://www.tiktok.com/@somebody"], source.access)
    assert not world.requests


def _named(source: TikTokSource) -> TikTokSource:
    """The source under a name of its own: the registry has one of this name."""
    return type("ElsewhereSource", (TikTokSource,), {"name": "tiktok_elsewhere"})(source.access, source.apify)


def test_what_was_scraped_is_not_scraped_again_and_needs_no_token(
    source: TikTokSource, world: World, tmp_path: Path
) -> None:
    world.short["ZMshort1"] = TWO
    texts = [link(ONE), "https://vm.tiktok.com/ZMshort1/"]
    for (item,) in listed(source, texts):
        fetched(source, item, tmp_path)
    asked = len(world.requests)
    again = with_access(source, apify_token="")
    items = [item for (item,) in listed(again, [*texts, link(TWO)])]
    assert [item.stem for item in items] == [ONE, TWO, TWO]
    # What has been downloaded is looked at, and used.
    for item in items:
        fetched(again, item, tmp_path)
    assert len(world.requests) == asked
    listed(with_access(source, anew=True), texts)
    assert len(world.of_kind("start")) == 2


def test_an_item_on_the_shelf_is_enough(source: TikTokSource, tmp_path: Path) -> None:
    """A worker or a later command gets a plain item."""
    (item,) = source.list(link(ONE))
    plain = SourceItem("tiktok", item.location, item.stem)
    assert fetched(source, plain, tmp_path).metadata == fetched(source, item, tmp_path / "again").metadata
    assert plain == SourceItem("tiktok", item.location, item.stem)
    assert source.digest(plain) == source.digest(replace(plain, location="https://www.tiktok.com/@renamed/video/1"))


def test_personal_members_are_stored_nowhere(source: TikTokSource, tmp_path: Path) -> None:
    for number in (ONE, TWO):
        (item,) = source.list(link(number))
        video = fetched(source, item, tmp_path)
        assert video.metadata is not None
        (tmp_path / "metadata.json").write_text(json.dumps(video.metadata.to_dict()))
        text = "".join(path.read_text(errors="replace") for path in tmp_path.rglob("*") if path.is_file())
        assert "Some Body" in text
        assert not [private for private in PRIVATE if private in text]
        assert TOKEN not in text
    stored = json.loads((tmp_path / "temp" / f"{ONE}_apify.json").read_text())
    assert stored["authorMeta"] == {"name": "somebody", "nickName": "Some Body", "verified": True, "fans": 12_000}


@pytest.mark.parametrize("text", ["https://www.tiktok.com/@somebody", "https://www.tiktok.com/tag/fun"])
def test_profiles_and_hashtags_give_as_many_as_are_wanted(source: TikTokSource, world: World, text: str) -> None:
    with pytest.raises(ConfigurationError, match="has no end") as caught:
        source.list(text)
    assert "--limit" in str(caught.value)
    assert not world.requests
    for number in range(3, 8):
        world.video_post(f"745400000000000000{number}", OTHER)
    assert len(with_access(source, most=4).list(text)) == 4
    assert world.of_kind("start")[0].body["resultsPerPage"] == 4


def test_without_a_token_nothing_is_asked(source: TikTokSource, world: World) -> None:
    with pytest.raises(ConfigurationError, match="APIFY_API_TOKEN is not set") as caught:
        with_access(source, apify_token="").list(link(ONE))
    assert caught.value.exit_code == 2
    assert not world.requests


@pytest.mark.parametrize("status", [401, 403])
def test_a_token_that_apify_rejects(source: TikTokSource, world: World, status: int) -> None:
    world.faults["start"] = [refused(status, "token", f"no such token {TOKEN}")]
    with pytest.raises(ConfigurationError, match="Apify token rejected") as caught:
        source.list(link(ONE))
    assert TOKEN not in str(caught.value)
    assert len(world.requests) == 1


@pytest.mark.parametrize("kind", ["start", "run", "items"])
@pytest.mark.parametrize(
    "fault", [refused(429, "rate", "slowly", Retry_After="0"), refused(502, "x", "y"), refused(408, "x", "y"), cut_off]
)
def test_what_passes_is_tried_again(source: TikTokSource, world: World, kind: str, fault: Fault) -> None:
    world.faults[kind] = [fault]
    (item,) = source.list(link(ONE))
    assert item.stem == ONE
    # The last page of items is an empty one.
    assert len(world.of_kind(kind)) == (3 if kind == "items" else 2)


def test_retry_after_is_waited_for(source: TikTokSource, world: World) -> None:
    world.faults["start"] = [refused(429, "rate-limit-exceeded", "slowly", Retry_After="1")]
    began = time.monotonic()
    source.list(link(ONE))
    assert time.monotonic() - began >= 1.0


@pytest.mark.parametrize("kind", ["start", "run", "items"])
def test_what_does_not_pass_is_given_up_after_three_attempts(source: TikTokSource, world: World, kind: str) -> None:
    world.faults[kind] = [refused(503, "x", "y")] * 3
    with pytest.raises(APIError, match=r"HTTP 503 \(3 times\)") as caught:
        source.list(link(ONE))
    assert caught.value.exit_code == 3
    assert len(world.of_kind(kind)) == 3
    # What was started was paid for: the next call goes on with it.
    assert not world.of_kind("abort")
    assert [item.stem for item in source.list(link(ONE))] == [ONE]
    assert len(world.runs) == 1


ODD = {
    "a page": says(b"<html>maintenance</html>", content_type="text/html"),
    "half": says(b"{"),
    "list": says(b"[]"),
    "text": says(b'"text"'),
    "no run": says(b'{"data": {"id": 5}}'),
    "no objects": says(b'[["no", "object"]]'),
}


@pytest.mark.parametrize("kind", ["start", "run", "items"])
@pytest.mark.parametrize("name", ODD)
def test_answers_that_are_something_else(source: TikTokSource, world: World, kind: str, name: str) -> None:
    world.faults[kind] = [ODD[name]]
    if (kind, name) == ("run", "no run"):
        # It tells of no end: it is asked for again.
        assert [item.stem for item in source.list(link(ONE))] == [ONE]
        return
    with pytest.raises(APIError, match=r"Apify was asked to .* and answered with something else"):
        source.list(link(ONE))


@pytest.mark.parametrize("status", [400, 402, 404])
def test_a_refusal_is_not_tried_again(source: TikTokSource, world: World, status: int) -> None:
    world.faults["start"] = [refused(status, "monthly-usage-hard-limit-exceeded", "Monthly usage hard limit exceeded")]
    with pytest.raises(APIError, match=f"{status}, Monthly usage hard limit exceeded"):
        source.list(link(ONE))
    assert len(world.requests) == 1


@pytest.mark.parametrize("status", ["FAILED", "ABORTED", "TIMED-OUT"])
def test_a_run_that_ends_badly_gives_what_it_had_found(
    source: TikTokSource, world: World, status: str, caplog: pytest.LogCaptureFixture
) -> None:
    world.ends = status
    assert [item.stem for item in source.list(link(ONE))] == [ONE]
    assert status in caplog.text
    world.posts.clear()
    world.faults["items"] = [lambda handler: _no_items(handler)]
    with pytest.raises(APIError, match=r"run1 gave nothing") as caught:
        source.list(link("7454000000000000003"))
    assert ("RUMIAI_APIFY_TIMEOUT_S" in str(caught.value)) == (status == "TIMED-OUT")


@pytest.mark.parametrize("status", ["FAILED", "ABORTED", "TIMED-OUT", "unknown"])
def test_a_run_that_was_left_and_came_to_nothing_is_made_anew(
    source: TikTokSource, world: World, status: str, tmp_path: Path
) -> None:
    asked = actor_input([parse_link(link(ONE))], 0)
    (tmp_path / "temp").mkdir()
    Pending.of(tmp_path / "temp", ACTOR, asked).note("run0")
    if status == "unknown":
        world.faults["run"] = [refused(404, "record-not-found", "Actor run was not found")]
    else:
        world.runs["run0"] = Run("run0", asked, status)
    assert [item.stem for item in source.list(link(ONE))] == [ONE]
    assert len(world.of_kind("start")) == 1


def test_a_run_that_was_left_by_another_question_is_not_taken(
    source: TikTokSource, world: World, tmp_path: Path
) -> None:
    (tmp_path / "temp").mkdir()
    Pending.of(tmp_path / "temp", ACTOR, actor_input([parse_link(link(TWO))], 0)).note("run0")
    assert [item.stem for item in source.list(link(ONE))] == [ONE]
    assert len(world.of_kind("start")) == 1


def test_who_interrupts_the_command_has_the_run_ended(source: TikTokSource, world: World, tmp_path: Path) -> None:
    world.polls = 1_000_000
    world.faults["run"] = [lambda handler: os.kill(os.getpid(), signal.SIGINT)]
    with pytest.raises(KeyboardInterrupt):
        source.list(link(ONE))
    assert len(world.of_kind("abort")) == 1
    assert not list((tmp_path / "temp").iterdir())


def _no_items(handler: Any) -> None:
    for run in handler.world.runs.values():
        run.items = []
    handler.tell(200, [], **{f"x_apify_pagination_{name}": "0" for name in ("total", "offset", "count", "limit")},
                 x_apify_pagination_desc="false")  # fmt: skip


def test_a_run_that_takes_too_long_is_ended(source: TikTokSource, world: World) -> None:
    world.polls = 10_000
    world.faults["items"] = [_no_items]
    with pytest.raises(APIError, match=r"it took more than 1 s \(RUMIAI_APIFY_TIMEOUT_S\)"):
        with_access(source, apify_timeout_s=1).list(link(ONE))
    assert len(world.of_kind("abort")) == 1
    assert world.of_kind("start")[0].query["timeout"] == "1"


def test_an_empty_dataset_fails_each_link_with_the_reason(source: TikTokSource, world: World, tmp_path: Path) -> None:
    world.faults["items"] = [_no_items]
    ((one,), (two,)) = listed(source, [link(ONE), link(TWO)])
    for item in (one, two):
        with pytest.raises(SourceError, match=rf"{item.stem}.*Apify found no post there \(run run0: SUCCEEDED\)"):
            fetched(source, item, tmp_path)
    # Nothing is remembered: another run may find them.
    assert not list((tmp_path / "temp").iterdir())


def test_a_folder_that_cannot_be_written_is_known_before_anything_is_paid(
    source: TikTokSource, world: World, tmp_path: Path
) -> None:
    (tmp_path / "temp").write_text("a file is in the way")
    with pytest.raises(StoreError, match="cannot write into"):
        source.list(link(ONE))
    assert not world.requests


def test_what_the_scraper_says_of_a_post_without_a_video_is_told(
    source: TikTokSource, world: World, tmp_path: Path
) -> None:
    world.video_post(ONE, VIDEO, mediaUrls=[], error="The video is for adults alone")
    (item,) = source.list(link(ONE))
    with pytest.raises(NoVideoError, match="no downloadable video: The video is for adults alone"):
        fetched(source, item, tmp_path)


@pytest.mark.parametrize("members", [{"mediaUrls": []}, {"mediaUrls": None}, {"mediaUrls": "x"}, {"mediaUrls": [""]}])
def test_a_post_without_an_address_has_no_downloadable_video(
    source: TikTokSource, world: World, tmp_path: Path, members: dict[str, Any]
) -> None:
    world.video_post(ONE, VIDEO, **members)
    (item,) = source.list(link(ONE))
    with pytest.raises(NoVideoError, match="no downloadable video") as caught:
        fetched(source, item, tmp_path)
    assert caught.value.exit_code == 5


def test_the_next_address_is_tried_where_one_is_dead(source: TikTokSource, world: World, tmp_path: Path) -> None:
    item = world.video_post(ONE, VIDEO)
    item["videoMeta"]["downloadAddr"] = f"{world.cdn}/other.mp4"
    item["downloadUrl"] = f"{world.cdn}/page"
    world.files["/other.mp4"], world.files["/page"] = OTHER, b"<!DOCTYPE html><p>login"
    del world.files[f"/video/{ONE}.mp4"]
    (listed,) = source.list(link(ONE))
    assert fetched(source, listed, tmp_path).path.read_bytes() == OTHER
    del world.files["/other.mp4"]
    with pytest.raises(NoVideoError, match="is a web page") as caught:
        fetched(source, listed, tmp_path / "elsewhere")
    assert "--force" in str(caught.value)


def test_a_dead_link_says_how_to_get_another(source: TikTokSource, world: World, tmp_path: Path) -> None:
    (item,) = source.list(link(ONE))
    world.files.clear()
    with pytest.raises(DownloadError, match="is not there") as caught:
        fetched(source, item, tmp_path)
    assert "--force" in str(caught.value)


def test_missing_parts_of_a_photo_post_are_named(source: TikTokSource, world: World, tmp_path: Path) -> None:
    del world.files[f"/photo/{TWO}/1.jpeg"]
    world.files[f"/music/{TWO}.mp3"] = b"<html>gone"
    (item,) = source.list(link(TWO))
    post = fetched(source, item, tmp_path)
    assert [path.read_bytes() for path in post.pictures] == [JPEG[0], JPEG[2]]
    assert post.sound is None
    assert [problem.split(":")[0] for problem in post.problems] == ["picture 2 of 3 is missing", "the sound is missing"]
    for path in [path for path in world.files if path.startswith("/photo")]:
        world.files[path] = b"<html>gone"
    with pytest.raises(NoVideoError, match="no downloadable video: picture 1 of 3"):
        fetched(source, item, tmp_path / "elsewhere")


def test_a_photo_post_of_which_only_a_video_is_given(source: TikTokSource, world: World, tmp_path: Path) -> None:
    world.video_post(ONE, VIDEO, isSlideshow=True)
    (item,) = source.list(link(ONE))
    video = fetched(source, item, tmp_path)
    assert (video.path.read_bytes(), video.pictures) == (VIDEO, ())
    world.files["/a.jpg"], world.files["/b.jpg"] = JPEG[:2]
    urls = [f"{world.cdn}/a.jpg", f"{world.cdn}/b.jpg"]
    world.video_post(TWO, VIDEO, isSlideshow=True, mediaUrls=urls)
    (item,) = with_access(source, anew=True).list(link(TWO))
    post = fetched(source, item, tmp_path)
    assert [path.read_bytes() for path in post.pictures] == JPEG[:2]
    assert post.problems == ("the sound is missing: the scraper gave no address for it",)


def test_the_sound_of_a_photo_post_may_lie_where_a_video_would(
    source: TikTokSource, world: World, tmp_path: Path
) -> None:
    item = world.photo_post(TWO, JPEG, MP3)
    del world.files[f"/music/{TWO}.mp3"]
    world.files["/sound.m4a"] = OTHER
    item["videoMeta"]["downloadAddr"] = f"{world.cdn}/sound.m4a"
    (listed,) = source.list(link(TWO))
    post = fetched(source, listed, tmp_path)
    assert post.sound is not None
    assert post.sound.read_bytes() == OTHER


def test_a_delivery_that_drips_is_given_up(source: TikTokSource, world: World, tmp_path: Path) -> None:
    (item,) = source.list(link(ONE))
    world.faults["file"] = [_dripping] * 5
    slow = with_access(source, limits=DownloadLimits(total_s=0.5, reserve_bytes=0))
    began = time.monotonic()
    with pytest.raises(DownloadError, match="time limit"):
        fetched(slow, item, tmp_path)
    assert time.monotonic() - began < 3


def _dripping(handler: Any) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "1000000")
    handler.end_headers()
    for _ in range(20):
        handler.wfile.write(VIDEO[:50])
        time.sleep(0.1)


def test_the_token_goes_to_apify_alone_whatever_redirects_say(
    source: TikTokSource, world: World, tmp_path: Path
) -> None:
    item = world.video_post(ONE, VIDEO)
    item["mediaUrls"] = [f"{world.api}/v2/key-value-stores/store1/records/video"]
    world.faults["record"] = [moved(f"{world.cdn}/video/{ONE}.mp4")]
    (listed,) = source.list(link(ONE))
    assert fetched(source, listed, tmp_path).path.read_bytes() == VIDEO
    assert world.of_kind("record")[0].headers["authorization"] == f"Bearer {TOKEN}"
    world.faults["start"] = [moved(f"{world.cdn}/steal", 307)]
    with pytest.raises(RumiAIError):
        with_access(source, anew=True).list(link(ONE))
    assert [request.path for request in world.requests if request.path == "/steal"]
    assert not world.leaks


def test_addresses_inside_the_network_are_not_fetched(source: TikTokSource, world: World, tmp_path: Path) -> None:
    world.video_post(ONE, VIDEO, mediaUrls=["http://10.0.0.1/video.mp4"])
    (item,) = source.list(link(ONE))
    with pytest.raises(SourceError, match="not a public address"):
        fetched(source, item, tmp_path)


def test_neither_token_nor_item_is_logged(
    source: TikTokSource, world: World, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        (item,) = source.list(link(ONE))
        fetched(source, item, tmp_path)
    assert "run0: SUCCEEDED" in caplog.text
    assert TOKEN not in caplog.text
    assert "wait for it" not in caplog.text
    assert TOKEN not in repr(source)
    assert "wait for it" not in repr(item)
