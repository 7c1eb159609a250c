"""Object stores (S3 and what speaks like it, Google Cloud Storage, Azure): list, sign, read and write objects.

The extra ``rumiai[s3]`` brings the client. Where it connects is up to the user alone: the provider's own host, or the
endpoint that the environment names, which must be public or allowed by the address rules.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from rumiai.core.addresses import AddressRules
from rumiai.errors import ConfigurationError, DownloadError, SourceError

if TYPE_CHECKING:
    from obstore.store import AzureStore, GCSStore, S3Store

SCHEMES: Final = ("s3", "gs", "az")
# Variables of the environment that the providers' own tools read.
_PREFIXES: Final = ("AWS_", "GOOGLE_", "AZURE_")
_S3_ENDPOINTS: Final = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")
_ENDPOINTS: Final = (*_S3_ENDPOINTS, "AZURE_STORAGE_ENDPOINT")
# Where Amazon's machines hand out keys; asked only where the user allows that address by name.
_METADATA_SERVICE: Final = "169.254.169.254"
_KEYS: Final = (
    "AWS_ACCESS_KEY_ID", "AWS_SKIP_SIGNATURE", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
)  # fmt: skip
# What buckets and containers may be called; anything else could be part of a host's name.
_BUCKET: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,220}")
# Part of a host's name too; the client does not survive one that is none.
_REGION: Final = re.compile(r"[A-Za-z0-9-]{1,60}")
# What the client reads of the providers' variables; their command lines read more.
_READ: Final[Mapping[str, frozenset[str]]] = {
    scheme: frozenset(f"{prefix}{name}" for name in names.split())
    for scheme, prefix, names in (
        (
            "s3",
            "AWS_",
            """ACCESS_KEY_ID SECRET_ACCESS_KEY SESSION_TOKEN REGION DEFAULT_REGION ENDPOINT ENDPOINT_URL ENDPOINT_URL_S3
            ENDPOINT_URL_STS VIRTUAL_HOSTED_STYLE_REQUEST SKIP_SIGNATURE UNSIGNED_PAYLOAD REQUEST_PAYER ROLE_ARN
            ROLE_SESSION_NAME WEB_IDENTITY_TOKEN_FILE CONTAINER_CREDENTIALS_RELATIVE_URI
            CONTAINER_CREDENTIALS_FULL_URI CONTAINER_AUTHORIZATION_TOKEN_FILE""",
        ),
        ("gs", "GOOGLE_", "SERVICE_ACCOUNT SERVICE_ACCOUNT_KEY APPLICATION_CREDENTIALS SKIP_SIGNATURE"),
        (
            "az",
            "AZURE_",
            """STORAGE_ACCOUNT_NAME STORAGE_ACCOUNT_KEY STORAGE_SAS_TOKEN STORAGE_CLIENT_ID STORAGE_CLIENT_SECRET
            STORAGE_TENANT_ID STORAGE_ENDPOINT CLIENT_ID CLIENT_SECRET TENANT_ID FEDERATED_TOKEN_FILE""",
        ),
    )
}
# A signed address is used at once; retries of a slow download come within this.
_SIGNED_FOR: Final = timedelta(hours=6)
_RETRIES: Final[dict[str, Any]] = {"max_retries": 3, "retry_timeout": timedelta(seconds=90)}


@dataclass(frozen=True)
class Object:
    """One object of a listing.

    Attributes:
        key: Its name in the bucket.
        size_bytes: Its size.
    """

    key: str
    size_bytes: int


def is_object(text: str) -> bool:
    """Whether this is the address of an object or of a bucket."""
    return text.partition("://")[0].lower() in SCHEMES and "://" in text


def cloud_variables(environment: Mapping[str, str]) -> dict[str, str]:
    """What the environment says to the providers' clients: keys, regions, endpoints."""
    return {name: value for name, value in environment.items() if name.startswith(_PREFIXES) and value}


class Bucket:
    """One bucket or container.

    Args:
        url: ``s3://BUCKET/...``; what follows the bucket is the caller's.
        cloud: Of :func:`cloud_variables`.
        rules: Which addresses may be connected to.

    Raises:
        SourceError: It is no such address.
        AddressError: The endpoint is not public and not allowed.
        ConfigurationError: The client is not installed, or refuses its settings, or there are no keys.
    """

    def __init__(self, url: str, cloud: Mapping[str, str], rules: AddressRules) -> None:
        self.scheme, self.name, self.key = divided(url)
        endpoint = self._endpoint(cloud, rules)
        if self.scheme == "s3" and not rules.names(_METADATA_SERVICE) and not any(name in cloud for name in _KEYS):
            raise ConfigurationError(
                f"there are no keys for s3://{self.name}",
                hint="set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; for a public bucket AWS_SKIP_SIGNATURE=true",
            )
        self._store = _opened(self.scheme, self.name, cloud, allow_http=endpoint.startswith("http://"))

    @staticmethod
    def _endpoint(cloud: Mapping[str, str], rules: AddressRules) -> str:
        endpoint = next((cloud[name] for name in _ENDPOINTS if name in cloud), "")
        if endpoint:
            parts = urlsplit(endpoint)
            rules.resolve(parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80))
        return endpoint

    def url(self, key: str) -> str:
        """The address of an object."""
        return f"{self.scheme}://{self.name}/{key}"

    def signed(self, key: str) -> str:
        """An https address of an object that holds for six hours.

        Raises:
            DownloadError: There are no keys to sign with.
        """
        import obstore

        with self._errors(key):
            return str(obstore.sign(self._store, "GET", key, _SIGNED_FOR))

    def list(self, prefix: str) -> Iterator[Object]:
        """The objects whose key begins like this, in the order of their keys.

        Raises:
            DownloadError: The bucket cannot be listed.
        """
        import obstore

        with self._errors(prefix):
            # obstore's prefixes end at a slash; the rest is compared here.
            folder = prefix.rpartition("/")[0]
            found = [entry for page in obstore.list(self._store, prefix=folder or None) for entry in page]
        for entry in sorted(found, key=lambda entry: entry["path"]):
            if entry["path"].startswith(prefix):
                yield Object(entry["path"], entry["size"])

    def folders(self, folder: str) -> Sequence[str]:
        """The names of the folders right below a folder.

        Raises:
            DownloadError: The bucket cannot be listed.
        """
        import obstore

        with self._errors(folder):
            found = obstore.list_with_delimiter(self._store, folder)
        return [path.rstrip("/").rpartition("/")[2] for path in found["common_prefixes"]]

    def has(self, key: str) -> bool:
        """Whether there is such an object.

        Raises:
            DownloadError: The bucket cannot be asked.
        """
        import obstore

        with self._errors(key):
            try:
                obstore.head(self._store, key)
            except FileNotFoundError:
                return False
        return True

    def read(self, key: str) -> bytes:
        """The content of an object.

        Raises:
            DownloadError: It is not there, or cannot be read.
        """
        import obstore

        with self._errors(key):
            return bytes(obstore.get(self._store, key).bytes())

    def write(self, key: str, path: Path) -> None:
        """Make an object of a file; a large one goes in parts, and appears when it is whole.

        Raises:
            DownloadError: It cannot be written.
        """
        import obstore

        with self._errors(key):
            obstore.put(self._store, key, path)

    def delete(self, keys: Sequence[str]) -> None:
        """Remove objects; those that are not there are no error.

        Raises:
            DownloadError: One cannot be removed.
        """
        import obstore

        if keys:
            with self._errors(keys[0]), contextlib.suppress(FileNotFoundError):
                obstore.delete(self._store, list(keys))

    @contextlib.contextmanager
    def _errors(self, key: str) -> Iterator[None]:
        from obstore import exceptions

        what = self.url(key)
        try:
            yield
        except (exceptions.BaseError, OSError, ValueError) as exc:
            if "<Code>NoSuchBucket</Code>" in str(exc):
                raise DownloadError(f"there is no bucket {self.scheme}://{self.name}", hint="check its name") from exc
            raise _translated(what, exc) from exc


def _translated(what: str, exc: Exception) -> DownloadError:
    """What the client says of an object, as an error of ours."""
    from obstore import exceptions

    if isinstance(exc, exceptions.NotFoundError | FileNotFoundError):
        return DownloadError(f"{what} is not there", hint="check bucket and key")
    if isinstance(exc, exceptions.PermissionDeniedError | exceptions.UnauthenticatedError | PermissionError):
        return DownloadError(f"{what} is refused", hint="check the keys and what they may do")
    reason = str(exc).split("\n")[0][:300]
    return DownloadError(f"{what}: {reason}", hint="check keys, region and endpoint (AWS_...)")


def divided(url: str) -> tuple[str, str, str]:
    """Scheme, bucket and key of an address.

    Raises:
        SourceError: It is none.
    """
    scheme, _, rest = url.partition("://")
    bucket, _, key = rest.partition("/")
    if not is_object(url) or not _BUCKET.fullmatch(bucket):
        raise SourceError(f"{url[:200]} is no address of an object", hint="such as s3://bucket/folder/clip.mp4")
    return scheme.lower(), bucket, key


def _opened(scheme: str, bucket: str, cloud: Mapping[str, str], *, allow_http: bool) -> S3Store | GCSStore | AzureStore:
    try:
        from obstore.exceptions import BaseError
        from obstore.store import AzureStore, GCSStore, S3Store
    except ImportError as exc:
        raise ConfigurationError(f"{scheme}:// needs a client", hint="pip install 'rumiai[s3]'") from exc
    options: Any = {"timeout": "300s", "connect_timeout": "10s", "allow_http": allow_http}
    kinds: Any = {"s3": S3Store, "gs": GCSStore, "az": AzureStore}
    config = {name.lower(): value for name, value in cloud.items() if name in _READ[scheme]}
    if scheme == "s3" and (endpoints := [config.pop(name.lower()) for name in _S3_ENDPOINTS if name.lower() in config]):
        config["aws_endpoint_url"] = endpoints[0]  # the client refuses more than one, also of one value
    region = config.get("aws_region") or config.get("aws_default_region") or "us-east-1"
    if not _REGION.fullmatch(region):
        raise ConfigurationError(f"AWS_REGION: got {region!r}, expected a name such as eu-central-1")
    try:
        store: S3Store | GCSStore | AzureStore = kinds[scheme](
            bucket, config=config, client_options=options, retry_config=_RETRIES
        )
    except (BaseError, ValueError) as exc:
        raise ConfigurationError(f"{scheme}://{bucket}: {exc}", hint="check the variables of the provider") from exc
    return store
