"""The real clients of boto3, pointed at the sandbox, and a mail to send with them."""

from typing import Any

import boto3
from botocore.config import Config

from sandbox.testing import RunningSandbox

CONFIG = Config(retries={"total_max_attempts": 1, "mode": "standard"}, connect_timeout=5, read_timeout=5)
SENDER = "lists@example.com"


def client(ses: RunningSandbox, service: str = "sesv2", *, config: Config = CONFIG) -> Any:
    return boto3.client(
        service,
        endpoint_url=ses.url,
        region_name="us-east-1",
        aws_access_key_id="local",
        aws_secret_access_key="local",
        config=config,
    )


def raw(to: str, *, subject: str = "Hello", extra: str = "", body: str = "Good day.") -> bytes:
    lines = (f"From: Lists <{SENDER}>", f"To: {to}", f"Subject: {subject}", *extra.splitlines(), "", body, "")
    return "\r\n".join(lines).encode()


def send(sesv2: Any, to: str, **parts: Any) -> str:
    """Post one raw mail, as the application does; its message id."""
    data = raw(to, **parts)
    answer = sesv2.send_email(
        FromEmailAddress=SENDER, Destination={"ToAddresses": [to]}, Content={"Raw": {"Data": data}}
    )
    return str(answer["MessageId"])
