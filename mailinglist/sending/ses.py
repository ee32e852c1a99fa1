"""The road to Amazon SES: one mail, one POST, one typed outcome.

A thin subclass of django-ses's SESBackend: it sends through the kept connections of ``wire.py``, nothing is throttled
here (sending/pacing.py does that for all processes), and every error of the API and the network is mapped by the tables
below. Called by sending/sender.py, many calls at once. Never raises for anything that SES or the network does.

The tables follow the SESv2 error shapes (SendEmail, "Errors") and botocore's exceptions. Where nobody can
tell whether SES took the mail, the outcome is Unknown: SES has no idempotency token, so a second POST may be
a second mail. A 4xx that no row names refuses this recipient; the engine stops a campaign that is refused
many times in a row. SES names each of its errors: a 4xx without a name comes from something in between, and
nothing was taken.
"""

import logging
import os
import re
import sys
from functools import cache
from importlib.util import find_spec
from typing import Any, Protocol

from botocore import exceptions as boto
from django_ses import SESBackend

from mailinglist import aws
from mailinglist.sending.outcomes import Outcome, Refused, Scope, Unknown, accepted
from mailinglist.sending.wire import Wire

logger = logging.getLogger(__name__)

if find_spec("dkim") is None:
    # django-ses imports dkimpy anew for every mail; None tells Python at once that it is not there.
    sys.modules["dkim"] = None  # type: ignore[assignment]

#: Seconds to wait before the same mail is tried again.
RETRY_AFTER = {Scope.THROTTLE: 2.0, Scope.QUOTA: 60.0}

_TOO_FAST = (
    "TooManyRequestsException TooManyRequests Throttling ThrottlingException ThrottledException RequestThrottled "
    "RequestThrottledException RequestLimitExceeded BandwidthLimitExceeded SlowDown "
)
#: (error code, pattern that the message must match, scope or None for Unknown, our code). The first row that fits
#: decides.
API_ERRORS: list[tuple[str, str, Scope | None, str]] = [
    (code, pattern, scope, reason)
    for codes, pattern, scope, reason in [
        (_TOO_FAST + "LimitExceededException", r"daily|24.?hour|quota", Scope.QUOTA, "daily-quota"),
        ("LimitExceededException", r"rate|per second", Scope.THROTTLE, "throttled"),
        ("LimitExceededException", r"", Scope.QUOTA, "daily-quota"),
        # A request that SES would not begin with, beside one before it.
        (_TOO_FAST + "PriorRequestNotComplete", r"", Scope.THROTTLE, "throttled"),
        # Of a connection that fell silent: SES does not say whether it had read the whole mail by then.
        ("RequestTimeout RequestTimeoutException", r"", None, "timeout"),
        ("AccountSuspendedException", r"", Scope.ACCOUNT, "ses-suspended"),
        (
            "SendingPausedException ConfigurationSetSendingPausedException",
            r"configuration.?set",
            Scope.CAMPAIGN,
            "configuration-set-paused",
        ),
        ("SendingPausedException AccountSendingPausedException", r"", Scope.ACCOUNT, "ses-paused"),
        ("MailFromDomainNotVerifiedException MailFromDomainNotVerified", r"", Scope.CAMPAIGN, "not-verified"),
        ("MessageRejected BadRequestException", r"not verified", Scope.CAMPAIGN, "not-verified"),
        (
            "NotFoundException BadRequestException ConfigurationSetDoesNotExist "
            "ConfigurationSetDoesNotExistException",
            r"configuration.?set",
            Scope.CAMPAIGN,
            "configuration-set-missing",
        ),
        ("NotFoundException", r"", Scope.CAMPAIGN, "not-found"),
        (
            "UnrecognizedClientException InvalidClientTokenId InvalidClientTokenIdException "
            "SignatureDoesNotMatch SignatureDoesNotMatchException InvalidSignatureException ExpiredToken "
            "ExpiredTokenException AccessDenied AccessDeniedException NotAuthorized OptInRequired "
            "IncompleteSignature IncompleteSignatureException MissingAuthenticationToken "
            "MissingAuthenticationTokenException InvalidAccessKeyId RequestExpired",
            r"",
            Scope.ACCOUNT,
            "credentials",
        ),
        ("MessageRejected", r"", Scope.RECIPIENT, "message-rejected"),
        ("BadRequestException", r"", Scope.RECIPIENT, "bad-request"),
    ]
    for code in codes.split()
]

#: HTTP status → (scope, our code), for error codes that no row above names. 5xx and 408 are Unknown.
STATUS_ERRORS: dict[int, tuple[Scope, str]] = {
    401: (Scope.ACCOUNT, "credentials"),
    403: (Scope.ACCOUNT, "credentials"),
    404: (Scope.CAMPAIGN, "not-found"),
    413: (Scope.RECIPIENT, "too-large"),
    429: (Scope.THROTTLE, "throttled"),
}
#: What something in between may say in its own words, and what is true all the same.
_TRUE_OF_ANYBODY = {413, 429}

#: (exception of botocore, outcome's scope or None for Unknown, our code). The first that fits decides.
NETWORK_ERRORS: list[tuple[type[Exception], Scope | None, str]] = [
    # Before the request left: no connection, no credentials, no region.
    (boto.ConnectTimeoutError, Scope.THROTTLE, "unreachable"),
    (boto.ProxyConnectionError, Scope.THROTTLE, "unreachable"),
    (boto.EndpointConnectionError, Scope.THROTTLE, "unreachable"),
    (boto.NoCredentialsError, Scope.ACCOUNT, "credentials"),
    (boto.PartialCredentialsError, Scope.ACCOUNT, "credentials"),
    (boto.CredentialRetrievalError, Scope.ACCOUNT, "credentials"),
    (boto.MetadataRetrievalError, Scope.ACCOUNT, "credentials"),
    (boto.TokenRetrievalError, Scope.ACCOUNT, "credentials"),
    (boto.SSOError, Scope.ACCOUNT, "credentials"),
    (boto.ProfileNotFound, Scope.ACCOUNT, "credentials"),
    (boto.NoRegionError, Scope.ACCOUNT, "configuration"),
    (boto.ParamValidationError, Scope.RECIPIENT, "bad-request"),
    # After it left, or perhaps after.
    (boto.ReadTimeoutError, None, "timeout"),
    (boto.ConnectionClosedError, None, "connection-closed"),
    (boto.HTTPClientError, None, "connection-broken"),
    (boto.BotoCoreError, None, "no-answer"),
]


class CannotBuild(ValueError):
    """The message cannot be serialised (a header that mail does not allow): nothing was posted."""


class Sendable(Protocol):
    """What django-ses needs of a message."""

    to: list[str]
    extra_headers: dict[str, Any]


class Backend(SESBackend):
    """django-ses with the kept connections of this process; used by all calls at once."""

    def __init__(self) -> None:
        super().__init__(use_ses_v2=True)
        self._throttle = None

    def open(self) -> bool:
        self.connection = connection()
        return False

    def _get_send_email_parameters(self, *args: Any) -> dict[str, Any]:
        try:
            parameters: dict[str, Any] = super()._get_send_email_parameters(*args)
        except (ValueError, LookupError, TypeError) as error:
            raise CannotBuild(str(error)) from error
        return parameters


def send(message: Sendable) -> Outcome:
    """Post one mail to SES. ``message`` must be new: django-ses writes its answer into its headers."""
    try:
        _backend().send_messages([message])
    except CannotBuild as error:
        return Refused(Scope.RECIPIENT, "render-error", f"The mail could not be built: {error}")
    except boto.ClientError as error:
        return from_api_error(error)
    except boto.BotoCoreError as error:
        return from_network_error(error)
    except Exception as error:
        # django-ses notes the message id, then the request id, then tells its signal's receivers: none of these
        # can unsend the mail.
        if "message_id" not in message.extra_headers:
            return Unknown("no-answer", f"SES gave no message id: {type(error).__name__}: {error}")
        logger.exception("The mail was accepted; what django-ses did after that failed.")
    return accepted(message.extra_headers["message_id"])


def connection() -> Any:
    """What this process posts to SES through: ``wire.Wire``, or boto3's client where a proxy stands in between."""
    endpoint = aws.endpoint("sesv2")
    return aws.client("sesv2") if endpoint.behind_proxy else _wire(endpoint, os.getpid())


def from_api_error(error: boto.ClientError) -> Outcome:
    """The outcome of an error that SES itself answered with."""
    found = error.response.get("Error", {})
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    code, said = str(found.get("Code", "")), str(found.get("Message", ""))
    text = said or str(error)
    if status >= 500 or status == 408 or code == "InternalServiceErrorException":
        return Unknown(f"http-{status}", text)
    for known, pattern, scope, reason in API_ERRORS:
        if code == known and re.search(pattern, text, re.IGNORECASE):
            return _refused(scope, reason, text) if scope else Unknown(reason, text)
    if _is_of_a_proxy(status, code, said):
        return _refused(Scope.THROTTLE, "unreachable", f"HTTP {status}, not of Amazon SES: {said[:200]}")
    if 400 <= status < 500:
        scope, reason = STATUS_ERRORS.get(status, (Scope.RECIPIENT, _own_code(code, status)))
        return _refused(scope, reason, text)
    return Unknown(_own_code(code, status), text)


def _is_of_a_proxy(status: int, code: str, said: str) -> bool:
    """Whether something in between refused the request. Where an error has no name, botocore puts the status there."""
    if status == 407:
        return True
    if not 400 <= status < 500 or code not in ("", str(status)) or status in _TRUE_OF_ANYBODY:
        return False
    return status not in STATUS_ERRORS or said.lstrip().startswith("<")


def from_network_error(error: boto.BotoCoreError) -> Outcome:
    """The outcome when no answer came, or botocore could not make the request at all."""
    if isinstance(error, boto.SSLError) and "certificate verify failed" in str(error).lower():
        return _refused(Scope.ACCOUNT, "certificate", str(error))
    for known, scope, reason in NETWORK_ERRORS:
        if isinstance(error, known):
            return _refused(scope, reason, str(error)) if scope else Unknown(reason, str(error))
    return Unknown("no-answer", str(error))


@cache
def _backend() -> Backend:
    return Backend()


@cache
def _wire(endpoint: aws.Endpoint, _process: int) -> Wire:
    return Wire(
        endpoint.url,
        region=endpoint.region,
        credentials=endpoint.credentials,
        connect_timeout=endpoint.connect_timeout,
        read_timeout=endpoint.read_timeout,
    )


def _refused(scope: Scope, code: str, text: str) -> Refused:
    retry_after = 10.0 if code == "unreachable" else RETRY_AFTER.get(scope, 0)
    return Refused(scope, code, text, retry_after)


def _own_code(code: str, status: int) -> str:
    return re.sub(r"[^A-Za-z0-9.-]", "", code)[:40] or f"http-{status}"
