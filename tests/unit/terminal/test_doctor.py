"""What doctor says of the optional reader of other scripts."""

from __future__ import annotations

import shutil
import stat

import pytest

from rumiai.core.scripts import TESSERACT_LANGUAGES
from rumiai.terminal import doctor

ALL = " ".join(TESSERACT_LANGUAGES.values())


@pytest.mark.parametrize(
    ("languages", "state", "remedy"),
    [
        (ALL, "ok", None),
        (ALL.replace("kor ", ""), "note", "apt-get install tesseract-ocr-kor"),
        (None, "note", "apt-get install tesseract-ocr tesseract-ocr-ell tesseract-ocr-rus tesseract-ocr-kor"),
    ],
)
def test_languages_that_are_not_installed_come_with_the_command(monkeypatch, tmp_path, languages, state, remedy):
    program = tmp_path / "tesseract"
    program.write_text(f"#!/bin/sh\nprintf 'List:\\n'; printf '%s\\n' {languages}\n", encoding="utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(shutil, "which", lambda name: None if languages is None else str(program))
    finding = doctor._tesseract()
    assert finding.state == state
    assert (finding.remedy or "").startswith(remedy or "")
    assert (finding.remedy is None) == (remedy is None)
