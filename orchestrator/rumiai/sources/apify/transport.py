"""The requests of apify-client over the run's own HTTP client.

That adds what apify-client lacks: it honours ``Retry-After``, tries 408 again, keeps the address rules and one time
limit, and sends the token to one host alone, whatever redirects say.
"""

from __future__ import annotations

import json as jsonlib
from typing import Any, Final

import httpx
from apify_client.errors import ApifyApiError
from apify_client.http_clients import HttpClient as ApifyHttpClient

from rumiai.core.http import Credentials, HttpClient

BASE_URL: Final = "https://api.apify.com"


def credentials_for(token: str, base_url: str = BASE_URL) -> Credentials:
    """The token, for the host of the API alone."""
    return Credentials(frozenset({httpx.URL(base_url).host}), {"Authorization": f"Bearer {token}"})


class ApifyTransport(ApifyHttpClient):  # type: ignore[misc]
    """What :class:`apify_client.ApifyClient` sends its requests with.

    Args:
        http: Of the run.
        token: Of the account.
        base_url: Of the API.
    """

    def __init__(self, http: HttpClient, token: str, base_url: str) -> None:
        super().__init__()
        self._http = http
        self._credentials = credentials_for(token, base_url)

    def call(
        self,
        *,
        method: str,
        url: str,
        headers: dict[str, str] | None = None,
        params: dict[str, Any] | None = None,
        data: str | bytes | None = None,
        json: Any = None,
        stream: bool | None = None,
        timeout: Any = "medium",
    ) -> httpx.Response:
        """One request; repeated while it may still succeed, as the HTTP client says.

        Args:
            method: Of HTTP.
            url: Under the API's address.
            headers: Not used: a body is JSON, and the credentials are the transport's own.
            params: Of the query.
            data: A body that is JSON already.
            json: A body that is to be JSON.
            stream: Not used: answers are read whole.
            timeout: Not used: the HTTP client has one for all.

        Raises:
            ApifyApiError: The API refused.
            DownloadError: It did not get well within the attempts, or cannot be reached.
            AddressError: Its address is none that is connected to.
        """
        full = self._build_url_with_params(url, params=self._parse_params(params))
        body = json if data is None else jsonlib.loads(data)
        response = self._http.request(method, full, credentials=self._credentials, json=body)
        if not response.is_success:
            raise ApifyApiError(response, 1, method=method)
        return response
