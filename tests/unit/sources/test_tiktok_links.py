"""What a link to TikTok names, which texts are none, and which scraped item answers which link."""

from __future__ import annotations

from typing import Any

import pytest

from rumiai.errors import SourceError
from rumiai.sources.tiktok_links import TikTokLink, is_tiktok, match, match_last, parse_link

ID = "7454123456789012345"


@pytest.mark.parametrize(
    ("text", "kind", "name", "url"),
    [
        (f"https://www.tiktok.com/@a.b_c/video/{ID}", "post", ID, f"https://www.tiktok.com/@a.b_c/video/{ID}"),
        (
            f"HTTP://TikTok.com/@me/photo/{ID}/?is_from_webapp=1&sender_device=pc#x",
            "post",
            ID,
            f"https://www.tiktok.com/@me/photo/{ID}",
        ),
        (f"www.tiktok.com/@me/video/{ID}", "post", ID, f"https://www.tiktok.com/@me/video/{ID}"),
        (f"https://m.tiktok.com/v/{ID}.html", "post", ID, f"https://www.tiktok.com/@_/video/{ID}"),
        (f"https://www.tiktok.com/embed/v2/{ID}", "post", ID, f"https://www.tiktok.com/@_/video/{ID}"),
        (f"https://www.tiktok.com/@/video/{ID}", "post", ID, f"https://www.tiktok.com/@_/video/{ID}"),
        (f"https://m.tiktok.com/share/photo/{ID}", "post", ID, f"https://www.tiktok.com/@_/photo/{ID}"),
        ("https://vm.tiktok.com/ZMabc123/", "short", "ZMabc123", "https://vm.tiktok.com/ZMabc123"),
        ("vt.tiktok.com/ZSxyz987", "short", "ZSxyz987", "https://vt.tiktok.com/ZSxyz987"),
        ("https://www.tiktok.com/t/ZTRabc123/", "short", "ZTRabc123", "https://www.tiktok.com/t/ZTRabc123"),
        ("https://www.tiktok.com/@some.one?lang=de", "profile", "some.one", "https://www.tiktok.com/@some.one"),
        ("https://www.tiktok.com/%40some.one", "profile", "some.one", "https://www.tiktok.com/@some.one"),
        ("https://www.tiktok.com/tag/f%C3%BCr", "hashtag", "für", "https://www.tiktok.com/tag/für"),
        (f"https://www.tiktok.com:443/@me/video/{ID}", "post", ID, f"https://www.tiktok.com/@me/video/{ID}"),
    ],
)
def test_links(text: str, kind: str, name: str, url: str) -> None:
    assert is_tiktok(text)
    link = parse_link(text)
    assert (link.kind, link.name, link.url) == (kind, name, url)


@pytest.mark.parametrize(
    "text",
    [
        f"https://tiktok.com.evil.example/@me/video/{ID}",
        f"https://eviltiktok.com/@me/video/{ID}",
        f"https://evil.example/https://www.tiktok.com/@me/video/{ID}",
        f"https://evil.example/?u=www.tiktok.com/@me/video/{ID}",
        f"https://www.tiktok.com@evil.example/@me/video/{ID}",
        f"https://evil.example\\@www.tiktok.com/@me/video/{ID}",
        f"ftp://www.tiktok.com/@me/video/{ID}",
        "folder/tiktok.com/clip.mp4",
        "clip.mp4",
        "",
    ],
)
def test_what_only_looks_like_one_is_left_to_other_sources(text: str) -> None:
    assert not is_tiktok(text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (f"https://user:secret@www.tiktok.com/@me/video/{ID}", "user name"),
        (f"https://www.tiktok.com:8080/@me/video/{ID}", "port 8080"),
        (f"https://www.tiktok.com:99999/@me/video/{ID}", "is no URL"),
        (f"https://ads.tiktok.com/@me/video/{ID}", "host ads.tiktok.com"),
        ("https://www.tiktok.com/", "no link to TikTok that we take"),
        ("https://www.tiktok.com/foryou", "no link to TikTok that we take"),
        ("https://www.tiktok.com/@me/live", "no link to TikTok that we take"),
        ("https://www.tiktok.com/@me/video/12x", "no link to TikTok that we take"),
        ("https://www.tiktok.com/@me/video/..%2f..%2fetc", "no link to TikTok that we take"),
        ("https://vm.tiktok.com/", "no link to TikTok that we take"),
        (f"https://www.tiktok.com/@me/vi deo/{ID}", "blanks"),
        (f"https://www.tiktok.com\\@me/video/{ID}", "blanks or backslashes"),
    ],
)
def test_what_is_refused(text: str, reason: str) -> None:
    assert is_tiktok(text)
    with pytest.raises(SourceError, match=reason) as caught:
        parse_link(text)
    assert "vm.tiktok.com/CODE" in str(caught.value)


def test_two_forms_of_one_link_are_one() -> None:
    forms = [f"https://www.tiktok.com/@a/video/{ID}?x=1", f"https://m.tiktok.com/v/{ID}.html"]
    assert len({parse_link(form) for form in forms}) == 1


def post(number: str, user: str = "me", **members: Any) -> dict[str, Any]:
    return {"id": number, "webVideoUrl": f"https://www.tiktok.com/@{user}/video/{number}", **members}


def links(*texts: str) -> list[TikTokLink]:
    return [parse_link(text) for text in texts]


def test_items_in_any_order_find_their_links() -> None:
    asked = links(
        f"https://www.tiktok.com/@x/video/{ID}", "https://vm.tiktok.com/ZMabc123/", "https://m.tiktok.com/v/11111.html"
    )
    short = post("22222", submittedVideoUrl="https://vm.tiktok.com/ZMabc123?share=1")
    lost = {"url": "https://www.tiktok.com/@_/video/11111", "error": "Post not found"}
    # The author has another name by now.
    renamed = post(ID, user="renamed")
    found = match(asked, [lost, short, renamed], 0)
    assert [found[link] for link in asked] == [[renamed], [short], [lost]]


def test_a_post_counts_more_than_the_report_of_an_error_for_the_same_link() -> None:
    (link,) = asked = links(f"https://www.tiktok.com/@x/video/{ID}")
    lost = {"url": link.url, "error": "tried again"}
    assert match(asked, [lost, post(ID)], 0) == {link: [post(ID)]}


def test_profiles_and_hashtags_have_their_posts_up_to_the_limit() -> None:
    profile, tag = asked = links("https://www.tiktok.com/@Some.One", "https://www.tiktok.com/tag/Fun")
    mine = [post(str(10_000 + n), user="some.one", authorMeta={"name": "some.one"}) for n in range(4)]
    tagged = [post(str(20_000 + n), searchHashtag={"name": "fun"}) for n in range(2)]
    found = match(asked, [*tagged, *mine, mine[0]], 3)
    assert found == {profile: mine[:3], tag: tagged}


def test_the_last_short_link_gets_the_last_item_and_nothing_is_guessed_beyond() -> None:
    one, two = asked = links("https://vm.tiktok.com/ZMaaaaa", "https://vm.tiktok.com/ZMbbbbb")
    named, nameless = post("11111", submittedVideoUrl=one.url), post("22222")
    found = match(asked, [nameless, named], 0)
    match_last(found, [nameless, named])
    assert found == {one: [named], two: [nameless]}
    unsure = match(asked, [post("11111"), post("22222")], 0)
    match_last(unsure, [post("11111"), post("22222")])
    assert unsure == {one: [], two: []}


def test_ten_thousand_links_are_matched_at_once() -> None:
    asked = links(*(f"https://www.tiktok.com/@u/video/{100_000 + n}" for n in range(10_000)))
    items = [post(str(100_000 + n)) for n in reversed(range(10_000))]
    found = match(asked, items, 0)
    assert all(found[link] == [items[9_999 - n]] for n, link in enumerate(asked))
