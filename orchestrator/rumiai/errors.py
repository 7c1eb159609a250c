"""Every error that RumiAI raises, in one tree.

::

    RumiAIError                      exit 1   anything that is ours
    |-- UsageError                   exit 2   what the caller asked for cannot be asked for
    |   |-- ConfigurationError       exit 2   a setting, variable or flag has a bad or missing value
    |   `-- SourceError              exit 2   a source names nothing that exists or that we take
    |       |-- AddressError         exit 2   a URL leads to an address that is not connected to
    |       |-- DownloadError        exit 3   a file could not be brought here: refused, gone, broken off, too slow
    |       `-- NoVideoError         exit 5   what a source gave is a page or something else, and no video
    |-- MediaError                   exit 5   this file cannot be analysed
    |   |-- ProbeError               exit 5   not a video or audio file that we can open
    |   |-- LimitError               exit 5   larger, longer or more complex than the limits allow
    |   |-- DecodeError              exit 5   opened, but its content could not be decoded
    |   `-- VideoGoneError           exit 5   its copy was removed, and is needed again
    |-- ContractError                exit 1   data that does not have the shape its contract states
    |-- WeightsError                 exit 1   a model file is missing, unverified or cannot be fetched
    |-- ServerError                  exit 1   the model server did not start, is not ready or failed a request
    |   `-- ServerGoneError          exit 1   it has gone and did not come back in time
    |-- APIError                     exit 3   Apify or Claude refused us, or gave up after its retries
    |-- MLError                      exit 4   a model failed on valid input
    `-- StoreError                   exit 1   a file could not be read or written

A message says what we got, what we expected and what to do. Third-party errors are translated once, at the place
where they appear, with ``raise ... from exc``.
"""

from __future__ import annotations

from typing import ClassVar


class RumiAIError(Exception):
    """Base of all of RumiAI's errors.

    Args:
        message: What happened: got, expected, likely mistake.
        hint: What the reader can do about it; printed on a line of its own.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message

    def __reduce__(self) -> tuple[object, tuple[type[RumiAIError], str, str | None]]:
        # Errors cross process borders; the default reduce would drop the keyword-only hint.
        return (_rebuild, (type(self), self.message, self.hint))


def _rebuild(cls: type[RumiAIError], message: str, hint: str | None) -> RumiAIError:
    return cls(message, hint=hint)


class UsageError(RumiAIError):
    """What the caller asked for cannot be asked for."""

    exit_code = 2


class ConfigurationError(UsageError):
    """A setting, environment variable or flag has a bad or missing value."""


class SourceError(UsageError):
    """A source names nothing that exists, or a kind that is not taken."""


class AddressError(SourceError):
    """A URL is malformed, or leads to an address that is not connected to."""


class DownloadError(SourceError):
    """A file could not be brought to this machine: refused, gone, broken off or too slow."""

    exit_code = 3


class NoVideoError(SourceError):
    """What a source gave is a web page or something else, and no video."""

    exit_code = 5


class MediaError(RumiAIError):
    """This file cannot be analysed."""

    exit_code = 5


class ProbeError(MediaError):
    """Not a video or audio file that can be opened."""


class LimitError(MediaError):
    """Larger, longer or more complex than the limits allow."""


class DecodeError(MediaError):
    """The file opened, but its content could not be decoded."""


class VideoGoneError(MediaError):
    """The copy of a video was removed when it was finished, and something asks for it again."""


class ContractError(RumiAIError):
    """Data that does not have the shape its contract states."""


class WeightsError(RumiAIError):
    """A model file is missing, has a wrong hash or cannot be fetched."""


class ServerError(RumiAIError):
    """The model server did not start, is not ready or has gone."""


class ServerGoneError(ServerError):
    """The model server, or a model of it, has gone and did not come back in time."""


class APIError(RumiAIError):
    """Apify or Claude refused the request, or gave up after the retries."""

    exit_code = 3


class MLError(RumiAIError):
    """A model failed on valid input."""

    exit_code = 4


class StoreError(RumiAIError):
    """A file could not be read or written."""
