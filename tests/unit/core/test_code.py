"""The digest of the code that results are made by."""

from __future__ import annotations

from pathlib import Path

import pytest

from rumiai.core import code
from rumiai.core.code import ANALYSIS_ROOMS, SERVICE_ROOMS, analyses_code, digest_of, services_code

from ..test_import_boundaries import imports_of, part_files

# What no digest of sources has to hold: errors make no data, settings and weights stand in fingerprints by themselves.
_BESIDE = {"errors", "settings", "weights", "__version__"}


def test_any_change_of_a_file_is_another_digest_and_the_place_is_none(tmp_path: Path) -> None:
    def made(where: str, **files: str) -> str:
        room = tmp_path / where / "room"
        (room / "__pycache__").mkdir(parents=True)
        (room / "__pycache__" / "a.pyc").write_text(where)
        for name, text in files.items():
            (room / f"{name}.py").write_text(text)
        return digest_of([room])

    first = made("here", a="LIMIT = 3", b="")
    assert first == made("there", a="LIMIT = 3", b="")
    others = [made("x", a="LIMIT = 4", b=""), made("y", a="LIMIT = 3"), made("z", a="", b="LIMIT = 3")]
    assert len({first, *others}) == 4


# What services put on the timeline and into the table is no service's data.
_SHOWN_ONLY = {"rumiai.timeline.entries", "rumiai.metrics.shared.words"}


@pytest.mark.parametrize(("rooms", "also"), [(SERVICE_ROOMS, _SHOWN_ONLY), (ANALYSIS_ROOMS, set())])
def test_the_digest_holds_all_that_its_rooms_import(rooms: tuple[str, ...], also: set[str]) -> None:
    """A room that is new among the imports joins the digest."""
    files = [path for room in rooms for path in part_files(room)]
    imported = {name for path in files for name in imports_of(path) if name.startswith("rumiai.")}
    unheld = {name for name in imported if name.split(".")[1] not in {*rooms, *_BESIDE}}
    assert {name for name in unheld if not any(name == one or name.startswith(f"{one}.") for one in also)} == set()
    assert all(part_files(room) for room in rooms)


def test_services_and_analyses_have_digests_of_their_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert services_code() != analyses_code()
    assert services_code() == services_code.__wrapped__()
    # The model server counts where it is installed beside.
    monkeypatch.setattr(code, "_SERVER", "no_such_server")
    assert services_code() != services_code.__wrapped__()
