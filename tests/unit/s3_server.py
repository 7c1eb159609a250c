"""A server that speaks S3 (moto's), in this process."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator, Mapping
from typing import Any

import httpx

KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test-secret", "AWS_REGION": "us-east-1"}


@contextlib.contextmanager
def s3_server() -> Iterator[dict[str, str]]:
    """The variables by which a client finds the server."""
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        _, port = server.get_host_and_port()
        # All servers of a process hold the same buckets: those of earlier tests go.
        httpx.post(f"http://127.0.0.1:{port}/moto-api/reset").raise_for_status()
        yield {**KEYS, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}"}
    finally:
        server.stop()


def bucket_with(cloud: Mapping[str, str], name: str, objects: Mapping[str, bytes]) -> None:
    """Make a bucket with these objects."""
    bucket = _buckets(cloud).create_bucket(Bucket=name)
    for key, content in objects.items():
        bucket.put_object(Key=key, Body=content)


def objects_in(cloud: Mapping[str, str], name: str) -> dict[str, bytes]:
    """What is in a bucket."""
    bucket = _buckets(cloud).Bucket(name)
    return {entry.key: entry.get()["Body"].read() for entry in bucket.objects.all()}


def _buckets(cloud: Mapping[str, str]) -> Any:
    import boto3

    return boto3.resource(
        "s3",
        endpoint_url=cloud["AWS_ENDPOINT_URL"],
        aws_access_key_id=cloud["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=cloud["AWS_SECRET_ACCESS_KEY"],
        region_name=cloud["AWS_REGION"],
    )
