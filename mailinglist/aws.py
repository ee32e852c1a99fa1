"""The only door to boto3: clients kept per process, with one attempt per call and explicit time-outs.

Used by sending/ses.py (through django-ses), sending/pacing.py and the SNS, SQS and suppression parts of
``bounces``. Region, endpoints and credentials come from settings; without credentials there, boto3 looks in
its usual places (environment, profile, instance role).
"""

import os
import threading
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from botocore.exceptions import EndpointConnectionError
from django.conf import settings

_making = threading.Lock()


@dataclass(frozen=True, slots=True)
class Account:
    """What SES says about the account: rates in recipients, -1 for unlimited."""

    max_send_rate: float
    max_24_hour_send: float
    sent_last_24_hours: float
    sending_enabled: bool
    production_access: bool
    #: HEALTHY, PROBATION or SHUTDOWN.
    enforcement_status: str


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where and as whom this process talks to a service. Time-outs in seconds."""

    url: str
    region: str
    #: botocore's credentials, which refresh themselves; None where none were found.
    credentials: Any
    connect_timeout: float
    read_timeout: float
    #: A proxy stands in between (HTTPS_PROXY and the like); boto3's client knows how to use it.
    behind_proxy: bool


class NoLocalSes(EndpointConnectionError):
    """Local mode, and no local SES of ours runs; who answers at its usual port would be another installation's.

    Nothing was posted, as where nobody listens.
    """

    fmt = (
        "script/start does not run for {folder}, so there is no local SES. Start it, or set SES_ENDPOINT_URL to "
        "the SES to use"
    )


def client(service: str, *, region: str = "") -> Any:
    """The boto3 client of ``service`` (sesv2, sns, sqs) for this process. Safe to use from several threads.

    Raises NoLocalSes in local mode when script/start does not run.
    """
    if settings.LOCAL and not settings.LOCAL_SES_RUNS and service != "sqs":
        raise NoLocalSes(folder=settings.VAR_DIR)
    endpoint = {
        "sesv2": settings.SES_ENDPOINT_URL,
        "sns": settings.SNS_ENDPOINT_URL,
        "sqs": settings.SQS_ENDPOINT_URL,
    }.get(service, "")
    with _making:  # making a client is not thread-safe in boto3, using one is
        return _client(service, region or settings.AWS_SES_REGION_NAME, endpoint, os.getpid())


def endpoint(service: str) -> Endpoint:
    """The address and credentials of ``service``, as boto3 finds them. Kept as long as the client is."""
    return _endpoint(client(service))


def get_account() -> Account:
    """Ask SES for the account's rate, quota and standing. Raises botocore's errors. One call a second at
    most.
    """
    answer = client("sesv2").get_account()
    quota = answer.get("SendQuota", {})
    return Account(
        max_send_rate=float(quota.get("MaxSendRate", 1)),
        max_24_hour_send=float(quota.get("Max24HourSend", 200)),
        sent_last_24_hours=float(quota.get("SentLast24Hours", 0)),
        sending_enabled=bool(answer.get("SendingEnabled", True)),
        production_access=bool(answer.get("ProductionAccessEnabled", False)),
        enforcement_status=str(answer.get("EnforcementStatus", "")),
    )


@dataclass(frozen=True, slots=True)
class SuppressedAtSes:
    """One entry of the account's suppression list. ``reason``: BOUNCE or COMPLAINT."""

    email: str
    reason: str
    since: datetime


def list_suppressed(
    *, token: str = "", page_size: int = 1000, reason: str = "", since: datetime | None = None
) -> tuple[list[SuppressedAtSes], str]:
    """A page of the account's suppression list, and the token of the next one ("": the last). Botocore's errors.

    ``reason``: only BOUNCE or COMPLAINT; ``since``: only what was listed later.
    """
    more: dict[str, Any] = {"NextToken": token} if token else {}
    if reason:
        more["Reasons"] = [reason]
    if since:
        more["StartDate"] = since
    answer = client("sesv2").list_suppressed_destinations(PageSize=page_size, **more)
    rows = [
        SuppressedAtSes(row["EmailAddress"], row["Reason"], row["LastUpdateTime"])
        for row in answer.get("SuppressedDestinationSummaries", [])
    ]
    return rows, str(answer.get("NextToken") or "")


def put_suppressed(email: str, reason: str) -> None:
    """Put an address on the account's suppression list (BOUNCE or COMPLAINT). Raises botocore's errors."""
    client("sesv2").put_suppressed_destination(EmailAddress=email, Reason=reason)


def delete_suppressed(email: str) -> bool:
    """Take an address off the account's suppression list. False: it was not there. Raises botocore's errors."""
    ses = client("sesv2")
    try:
        ses.delete_suppressed_destination(EmailAddress=email)
    except ses.exceptions.NotFoundException:
        return False
    return True


@dataclass(frozen=True, slots=True)
class Identity:
    """What SES says about a sender address or its domain."""

    verified: bool
    dkim: str
    mail_from: str
    name: str = ""
    dkim_tokens: tuple[str, ...] = ()
    mail_from_domain: str = ""


def get_identity(name: str) -> Identity | None:
    """An address or a domain as a sender; None: SES does not know it. Raises botocore's errors."""
    ses = client("sesv2")
    try:
        answer = ses.get_email_identity(EmailIdentity=name)
    except ses.exceptions.NotFoundException:
        return None
    return Identity(
        verified=bool(answer.get("VerifiedForSendingStatus")),
        dkim=str(answer.get("DkimAttributes", {}).get("Status", "")),
        mail_from=str(answer.get("MailFromAttributes", {}).get("MailFromDomainStatus", "")),
        name=name,
        dkim_tokens=tuple(answer.get("DkimAttributes", {}).get("Tokens", ())),
        mail_from_domain=str(answer.get("MailFromAttributes", {}).get("MailFromDomain", "")),
    )


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a configuration set publishes events. ``topic_arn`` "": not to SNS."""

    enabled: bool
    kinds: frozenset[str]
    topic_arn: str


def get_destinations(configuration_set: str) -> list[Destination]:
    """The event destinations of a configuration set. Raises botocore's errors (NotFoundException: no such set)."""
    answer = client("sesv2").get_configuration_set_event_destinations(ConfigurationSetName=configuration_set)
    return [
        Destination(
            enabled=bool(row.get("Enabled")),
            kinds=frozenset(row.get("MatchingEventTypes", [])),
            topic_arn=str(row.get("SnsDestination", {}).get("TopicArn", "")),
        )
        for row in answer.get("EventDestinations", [])
    ]


def has_dead_letter_queue(topic_arn: str) -> bool:
    """Whether every HTTP subscription of a topic keeps what it could not deliver. Raises botocore's errors."""
    sns = client("sns", region=topic_arn.split(":")[3])
    found = sns.list_subscriptions_by_topic(TopicArn=topic_arn).get("Subscriptions", [])
    arns = [row["SubscriptionArn"] for row in found if row["Protocol"] in ("http", "https")]
    return bool(arns) and all(
        arn.startswith("arn:")
        and "RedrivePolicy" in sns.get_subscription_attributes(SubscriptionArn=arn).get("Attributes", {})
        for arn in arns
    )


def confirm_subscription(topic_arn: str, token: str) -> str:
    """Confirm an SNS subscription by its token and return its ARN. No address in the message is ever fetched.

    Afterwards nobody can end the subscription without AWS credentials (AuthenticateOnUnsubscribe).
    """
    answer = client("sns", region=topic_arn.split(":")[3]).confirm_subscription(
        TopicArn=topic_arn, Token=token, AuthenticateOnUnsubscribe="true"
    )
    return str(answer["SubscriptionArn"])


@cache
def _client(service: str, region: str, endpoint: str, _process: int) -> Any:
    # The process id is part of the key: a client made before a fork would share its sockets with the parent.
    return _session().client(
        service,
        region_name=region,
        endpoint_url=endpoint or None,
        config=settings.AWS_SQS_CONFIG if service == "sqs" else settings.AWS_SES_CONFIG,
    )


@lru_cache(maxsize=8)
def _endpoint(found: Any) -> Endpoint:
    parts = urlsplit(found.meta.endpoint_url)
    config = settings.AWS_SES_CONFIG
    return Endpoint(
        url=found.meta.endpoint_url,
        region=found.meta.region_name,
        credentials=_session().get_credentials(),
        connect_timeout=float(config.connect_timeout),
        read_timeout=float(config.read_timeout),
        behind_proxy=parts.scheme in getproxies() and not proxy_bypass(parts.hostname or ""),
    )


def _session() -> Any:
    import boto3  # slow, and most processes never call AWS

    return boto3.Session(
        aws_access_key_id=settings.AWS_ACCESS_KEY_ID,
        aws_secret_access_key=settings.AWS_SECRET_ACCESS_KEY,
        aws_session_token=settings.AWS_SESSION_TOKEN,
    )
