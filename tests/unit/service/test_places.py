"""Which files of this machine a request may name."""

from __future__ import annotations

from pathlib import Path

import pytest

from rumiai.errors import SourceError
from rumiai.service.config import source_places
from rumiai.service.places import Places


@pytest.fixture
def places(tmp_path: Path) -> Places:
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "in/a.mp4").touch()
    (tmp_path / "out/b.mp4").touch()
    (tmp_path / "in/link.mp4").symlink_to(tmp_path / "out/b.mp4")
    (tmp_path / "in/folder").symlink_to(tmp_path / "out")
    return Places((tmp_path / "in",), ("s3://bucket/videos/",))


def test_a_file_below_the_folder_is_listed(places: Places, tmp_path: Path) -> None:
    assert [item.location for item in places.list([f"{tmp_path}/in/a.mp4", f"{tmp_path}/in/[a].mp4"])] == [
        f"{tmp_path}/in/a.mp4"
    ]


@pytest.mark.parametrize(
    "name",
    [
        "out/b.mp4",
        "in/../out/b.mp4",
        "in/link.mp4",
        "in/folder/b.mp4",
        "in/folder",
        "in",  # its links lead out of it
        "in/*.mp4",
        "in*/b.mp4",
        "*/b.mp4",
        "in-not/b.mp4",
    ],
)
def test_what_lies_elsewhere_is_refused_however_it_is_named(places: Places, tmp_path: Path, name: str) -> None:
    with pytest.raises(SourceError, match="service"):
        places.list([f"{tmp_path}/{name}"])


@pytest.mark.parametrize(
    "name", ["s3://bucket/videos/../secret.mp4", "s3://bucket/other.mp4", "/x\0", "-", "~/x", "#tag"]
)
def test_other_names_are_refused(places: Places, name: str) -> None:
    with pytest.raises(SourceError):
        places.check(name)


@pytest.mark.parametrize("name", ["https://x.test/v.mp4", "s3://bucket/videos/v.mp4"])
def test_addresses_that_are_allowed_are_left_to_their_source(places: Places, name: str) -> None:
    places.check(name)


def test_a_folder_is_also_known_by_the_name_of_a_link_to_it(places: Places, tmp_path: Path) -> None:
    (tmp_path / "named").symlink_to(tmp_path / "in")
    roots, _ = source_places((str(tmp_path / "named"),))
    linked = Places(roots, ())
    for name in ("named", "in"):
        assert len(linked.list([f"{tmp_path}/{name}/a.mp4"])) == 1
    with pytest.raises(SourceError):
        linked.list([f"{tmp_path}/named/link.mp4"])
