"""Answers as they were received, kept before anything else is done with them; none of them is paid for twice."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from rumiai.errors import StoreError
from rumiai.insights.models import Usage, cost_usd, model_of
from rumiai.insights.prompt import Prompt

_FORMAT: Final = 1
# Ids of videos, and what the API allows a custom_id to be: they become names of files.
_SAFE_ID: Final = re.compile(r"(?!\.)[A-Za-z0-9._-]+")
_SAFE: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")

FailureKind = Literal[
    "refused_key", "payment", "too_large", "rejected", "rate_limited", "overloaded", "server", "timeout", "connection",
    "bad_response", "cost_limit", "deadline", "not_collected", "batch_failed",
]  # fmt: skip


@dataclass(frozen=True)
class Answer:
    """One answer of a model.

    Attributes:
        text: Its text blocks together; thinking is left out.
        stop_reason: As the API names it.
        model: Id of the model that answered.
        usage: Tokens.
        received_at: ISO time.
        request_id: Of the API.
        batch_id: Of the batch it came with.
        template_version: Of the template it was asked with.
    """

    text: str
    stop_reason: str | None
    model: str
    usage: Usage
    received_at: str
    request_id: str | None = None
    batch_id: str | None = None
    template_version: str = ""

    @property
    def cost_usd(self) -> float | None:
        """What it cost; None when the price is not known."""
        return cost_usd(model_of(self.model), self.usage, batch=self.batch_id is not None)

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        return {"format": _FORMAT, **vars(self), "usage": self.usage.to_dict(), "cost_usd": self.cost_usd}

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> Answer:
        """Read :meth:`to_dict`'s form.

        Raises:
            KeyError, TypeError, ValueError: It is another form.
        """
        if raw["format"] != _FORMAT:
            raise ValueError(f"got format {raw['format']!r}, expected {_FORMAT}")
        names = ("stop_reason", "request_id", "batch_id", "template_version")
        return cls(
            text=str(raw["text"]),
            model=str(raw["model"]),
            usage=Usage(**raw["usage"]),
            received_at=str(raw["received_at"]),
            **{name: raw[name] for name in names},
        )


@dataclass(frozen=True)
class CallFailure:
    """Why there is no answer: sort, what the API or the network said (no key, no prompt), the last response's id."""

    kind: FailureKind
    message: str
    request_id: str | None = None


@dataclass(frozen=True)
class Reply:
    """What came of a prompt: an answer or a failure, the requests sent, and what they may have cost unseen."""

    answer: Answer | None = None
    failure: CallFailure | None = None
    attempts: int = 0
    uncertain_usd: float = 0.0


@dataclass(frozen=True)
class Files:
    """How files are read and written: atomically, by the one part of the program that writes files.

    ``read`` raises :class:`StoreError` when there is no such file or it is no JSON.
    """

    read: Callable[[Path], Any]
    write: Callable[[Path, Any], None]


class AnswerStore:
    """Answers by fingerprint and round.

    Args:
        folder: Where they lie; one for all videos and runs of an output folder.
        files: How they are read and written.
    """

    def __init__(self, folder: Path, files: Files) -> None:
        self.folder = folder
        self.files = files

    def path(self, custom_id: str, round_: int) -> Path:
        """File of an answer; a custom_id is safe by construction."""
        return self.folder / "answers" / f"{custom_id}.{round_}.json"

    def load(self, prompt: Prompt) -> Answer | None:
        """The stored answer to this very question; None when there is none that can be read."""
        path = self.path(prompt.custom_id, prompt.round)
        if not path.exists():
            return None
        try:
            return Answer.from_dict(self.files.read(path))
        except (StoreError, KeyError, TypeError, ValueError):
            return None  # damaged from outside: the only case in which a question is asked again

    def save(self, custom_id: str, round_: int, answer: Answer) -> None:
        """Keep an answer.

        Raises:
            StoreError: The file system refused.
        """
        self.files.write(self.path(custom_id, round_), answer.to_dict())

    def note(self, video_id: str, custom_id: str) -> None:
        """Keep which question is about which video, before it is asked: a deleted video takes its answers along.

        Raises:
            StoreError: The file system refused.
        """
        asked = self.asked(video_id)
        if custom_id not in asked:
            self.files.write(self._note_path(video_id), {"format": _FORMAT, "asked": [*asked, custom_id]})

    def asked(self, video_id: str) -> list[str]:
        """The custom_ids that were asked about a video."""
        path = self._note_path(video_id)
        if not path.exists():
            return []
        try:
            return [str(custom_id) for custom_id in self.files.read(path)["asked"] if _SAFE.fullmatch(str(custom_id))]
        except (StoreError, KeyError, TypeError):
            return []  # damaged from outside

    def videos(self) -> list[str]:
        """Ids of the videos about which something was asked."""
        return sorted(path.stem for path in (self.folder / "videos").glob("*.json"))

    def note_of(self, video_id: str) -> list[Path]:
        """The file of :meth:`note`, if it is there."""
        return [path for path in (self._note_path(video_id),) if path.exists()]

    def files_of(self, custom_id: str) -> list[Path]:
        """All files about one question: its answers, and why it has none."""
        if not _SAFE.fullmatch(custom_id):
            return []
        return sorted((self.folder / "answers").glob(f"{custom_id}.*.json"))

    def _note_path(self, video_id: str) -> Path:
        if not _SAFE_ID.fullmatch(video_id):
            raise StoreError(f"{video_id!r} is no id of a video")
        return self.folder / "videos" / f"{video_id}.json"

    def why_not(self, custom_id: str) -> str | None:
        """What a batch said instead of answering; None when it said nothing."""
        path = self._failure_path(custom_id)
        if not path.exists():
            return None
        try:
            return str(self.files.read(path)["reason"]) or None
        except (StoreError, KeyError, TypeError):
            return None

    def save_failure(self, custom_id: str, reason: str) -> None:
        """Keep why a batch brought no answer, until the next one does.

        Raises:
            StoreError: The file system refused.
        """
        self.files.write(self._failure_path(custom_id), {"format": _FORMAT, "reason": reason})

    def forget_failure(self, custom_id: str) -> None:
        """Its question has been asked again.

        Raises:
            StoreError: The file system refused.
        """
        if self.why_not(custom_id) is not None:
            self.save_failure(custom_id, "")

    def _failure_path(self, custom_id: str) -> Path:
        return self.folder / "answers" / f"{custom_id}.failed.json"
