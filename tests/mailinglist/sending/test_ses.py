"""Every answer of SES and the network → outcome, through boto3's own parsing of raw HTTP."""

import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from botocore import exceptions as boto
from botocore.config import Config
from django.core.mail import EmailMessage, EmailMultiAlternatives

from mailinglist import aws
from mailinglist.sending import ses
from mailinglist.sending.outcomes import Accepted, Outcome, Refused, Scope, Unknown


class FakeEndpoint(ThreadingHTTPServer):
    """An SES that gives one prepared answer and keeps the requests."""

    daemon_threads = True
    WELL: tuple[int, dict[str, str], bytes] = (200, {}, b'{"MessageId": "m-1"}')

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer: tuple[int, dict[str, str], bytes] | str = self.WELL
        self.requests: list[tuple[str, dict[str, Any]]] = []


class _Handler(BaseHTTPRequestHandler):
    server: FakeEndpoint

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.requests.append((self.path, json.loads(body)))
        if self.server.answer == "hang":
            threading.Event().wait(2)
            return
        if self.server.answer == "reset":
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
            return
        status, headers, payload = self.server.answer
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def do_GET(self) -> None:
        self.send_response(200)
        payload = json.dumps(
            {
                "SendQuota": {"MaxSendRate": 14, "Max24HourSend": 50000, "SentLast24Hours": 7},
                "SendingEnabled": True,
            }
        ).encode()
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def server() -> Iterator[FakeEndpoint]:
    """One for all tests: boto3 takes a tenth of a second to make a client, which is kept for the address."""
    aws._client.cache_clear()
    server = FakeEndpoint()
    threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True).start()
    yield server
    server.shutdown()
    aws._client.cache_clear()


@pytest.fixture
def endpoint(server: FakeEndpoint, settings: Any) -> FakeEndpoint:
    server.answer, server.requests = FakeEndpoint.WELL, []
    use(settings, f"http://127.0.0.1:{server.server_port}")
    return server


def use(settings: Any, url: str) -> None:
    settings.SES_ENDPOINT_URL = url
    settings.AWS_ACCESS_KEY_ID, settings.AWS_SECRET_ACCESS_KEY = "local", "local"
    settings.AWS_SES_CONFIG = Config(
        retries={"total_max_attempts": 1, "mode": "standard"}, connect_timeout=1, read_timeout=0.5
    )


def mail(**values: Any) -> EmailMessage:
    message = EmailMultiAlternatives(
        "Hi",
        "text",
        "News <news@acme.example>",
        ["ada@post.example"],
        headers={"X-SES-MESSAGE-TAGS": "delivery=1-1-ab"},
    )
    message.attach_alternative("<p>html</p>", "text/html")
    for name, value in values.items():
        setattr(message, name, value)
    return message


def error(status: int, code: str, text: str = "") -> tuple[int, dict[str, str], bytes]:
    return status, {"x-amzn-ErrorType": code}, json.dumps({"message": text}).encode()


def test_an_accepted_mail_is_one_post_of_one_recipient(endpoint: FakeEndpoint) -> None:
    assert ses.send(mail()) == Accepted("m-1")
    [(path, body)] = endpoint.requests
    assert path == "/v2/email/outbound-emails"
    assert body["Destination"] == {"ToAddresses": ["ada@post.example"]}
    assert body["FromEmailAddress"] == "News <news@acme.example>"


TABLE = [
    # status, code, message, scope (None: unknown), our code
    (429, "TooManyRequestsException", "Maximum sending rate exceeded.", Scope.THROTTLE, "throttled"),
    (429, "TooManyRequestsException", "Daily message quota exceeded.", Scope.QUOTA, "daily-quota"),
    (429, "TooManyRequestsException", "", Scope.THROTTLE, "throttled"),
    (400, "LimitExceededException", "Daily message quota exceeded.", Scope.QUOTA, "daily-quota"),
    (400, "LimitExceededException", "Maximum sending rate exceeded.", Scope.THROTTLE, "throttled"),
    (400, "LimitExceededException", "", Scope.QUOTA, "daily-quota"),
    (400, "Throttling", "Maximum sending rate exceeded.", Scope.THROTTLE, "throttled"),
    (400, "ThrottlingException", "Daily message quota exceeded.", Scope.QUOTA, "daily-quota"),
    (400, "AccountSuspendedException", "Account suspended.", Scope.ACCOUNT, "ses-suspended"),
    (400, "SendingPausedException", "Sending is paused for this account.", Scope.ACCOUNT, "ses-paused"),
    (
        400,
        "SendingPausedException",
        "Configuration set x is paused",
        Scope.CAMPAIGN,
        "configuration-set-paused",
    ),
    (400, "MailFromDomainNotVerifiedException", "", Scope.CAMPAIGN, "not-verified"),
    (
        400,
        "MessageRejected",
        "Email address is not verified. The following identities failed the check in region X: a@b.example",
        Scope.CAMPAIGN,
        "not-verified",
    ),
    (400, "MessageRejected", "Message content looks odd.", Scope.RECIPIENT, "message-rejected"),
    (400, "BadRequestException", "Missing final '@domain'", Scope.RECIPIENT, "bad-request"),
    (
        404,
        "NotFoundException",
        "Configuration set <x> does not exist.",
        Scope.CAMPAIGN,
        "configuration-set-missing",
    ),
    (404, "NotFoundException", "Template", Scope.CAMPAIGN, "not-found"),
    (403, "UnrecognizedClientException", "The security token is invalid.", Scope.ACCOUNT, "credentials"),
    (403, "InvalidClientTokenId", "", Scope.ACCOUNT, "credentials"),
    (403, "SignatureDoesNotMatch", "", Scope.ACCOUNT, "credentials"),
    (403, "InvalidSignatureException", "Signature expired", Scope.ACCOUNT, "credentials"),
    (403, "ExpiredTokenException", "", Scope.ACCOUNT, "credentials"),
    (400, "ExpiredToken", "", Scope.ACCOUNT, "credentials"),
    (
        403,
        "AccessDeniedException",
        "User is not authorized to perform ses:SendEmail",
        Scope.ACCOUNT,
        "credentials",
    ),
    (400, "TooManyRequests", "Rate exceeded", Scope.THROTTLE, "throttled"),
    (400, "TooManyRequests", "Daily message quota exceeded.", Scope.QUOTA, "daily-quota"),
    (400, "BandwidthLimitExceeded", "", Scope.THROTTLE, "throttled"),
    (400, "PriorRequestNotComplete", "A prior request is not complete", Scope.THROTTLE, "throttled"),
    (400, "RequestTimeout", "Your socket connection was not read from or written to.", None, "timeout"),
    (400, "RequestTimeoutException", "", None, "timeout"),
    (403, "SomethingNew", "", Scope.ACCOUNT, "credentials"),
    (413, "RequestEntityTooLarge", "", Scope.RECIPIENT, "too-large"),
    (429, "SomethingNew", "", Scope.THROTTLE, "throttled"),
    (422, "SomethingNew", "", Scope.RECIPIENT, "SomethingNew"),
    (408, "RequestTimeout", "", None, "http-408"),
    (500, "InternalServiceErrorException", "", None, "http-500"),
    (500, "InternalFailure", "", None, "http-500"),
    (503, "ServiceUnavailable", "", None, "http-503"),
    (502, "", "", None, "http-502"),
]


@pytest.mark.parametrize(("status", "code", "text", "scope", "ours"), TABLE)
def test_each_error_of_ses(
    endpoint: FakeEndpoint, status: int, code: str, text: str, scope: Scope | None, ours: str
) -> None:
    endpoint.answer = error(status, code, text)
    outcome = ses.send(mail())
    assert len(endpoint.requests) == 1, "one attempt is one POST"
    check(outcome, scope, ours)
    assert not text or outcome.text == text  # type: ignore[union-attr]


def check(outcome: Outcome, scope: Scope | None, ours: str) -> None:
    if scope is None:
        assert isinstance(outcome, Unknown)
    else:
        assert isinstance(outcome, Refused) and outcome.scope is scope
        assert (outcome.retry_after > 0) == (scope in (Scope.THROTTLE, Scope.QUOTA))
    assert outcome.code == ours  # type: ignore[union-attr]


@pytest.mark.parametrize("by_boto", [False, True])
@pytest.mark.parametrize(
    ("status", "payload", "scope", "ours"),
    [
        (407, b"", Scope.THROTTLE, "unreachable"),
        (400, b"<html>The plain HTTP request was sent to HTTPS port</html>", Scope.THROTTLE, "unreachable"),
        (400, b"", Scope.THROTTLE, "unreachable"),
        (403, b"<html>Blocked by your company</html>", Scope.THROTTLE, "unreachable"),
        (404, b"<html>nginx</html>", Scope.THROTTLE, "unreachable"),
        (413, b"<html>Request Entity Too Large</html>", Scope.RECIPIENT, "too-large"),
        (429, b"<html>Slow down</html>", Scope.THROTTLE, "throttled"),
    ],
)
def test_what_something_in_between_answers_is_no_word_of_ses_about_a_recipient(
    endpoint: FakeEndpoint,
    status: int,
    payload: bytes,
    scope: Scope,
    ours: str,
    by_boto: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if by_boto:
        monkeypatch.setattr(ses, "connection", lambda: aws.client("sesv2"))
    endpoint.answer = (status, {"Content-Type": "text/html"}, payload)
    check(ses.send(mail()), scope, ours)


@pytest.mark.parametrize("message_id", [None, "", 7, "x" * 130, "a\0b", "half \ud83d"])
def test_a_message_id_that_is_none_leaves_the_outcome_unknown(
    endpoint: FakeEndpoint, message_id: object
) -> None:
    endpoint.answer = (200, {}, json.dumps({"MessageId": message_id}).encode())
    outcome = ses.send(mail())
    assert isinstance(outcome, Unknown) and outcome.code == "no-message-id"


def test_the_words_of_ses_can_be_stored_whatever_they_are(endpoint: FakeEndpoint) -> None:
    endpoint.answer = error(400, "MessageRejected", "half \ud83d, nothing \0, long " + "x" * 3000)
    outcome = ses.send(mail())
    assert isinstance(outcome, Refused)
    assert outcome.text.startswith("half ?, nothing , long x") and len(outcome.text) == 2000


@pytest.mark.parametrize(
    ("answer", "ours"),
    [
        ("hang", "timeout"),
        ("reset", "connection-closed"),
        ((200, {}, b"not json"), "no-answer"),
        ((200, {}, b"{}"), "no-answer"),
        ((500, {}, b"<html>proxy</html>"), "http-500"),
    ],
)
def test_without_a_usable_answer_the_outcome_is_unknown_after_one_post(
    endpoint: FakeEndpoint, answer: Any, ours: str
) -> None:
    endpoint.answer = answer
    outcome = ses.send(mail())
    assert isinstance(outcome, Unknown) and outcome.code == ours
    assert len(endpoint.requests) == 1


def test_where_nobody_listens_nothing_was_sent(settings: Any) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    use(settings, f"http://127.0.0.1:{port}")
    outcome = ses.send(mail())
    assert isinstance(outcome, Refused) and (outcome.scope, outcome.code) == (Scope.THROTTLE, "unreachable")


@pytest.mark.parametrize(
    ("found", "scope", "ours"),
    [
        (boto.NoCredentialsError(), Scope.ACCOUNT, "credentials"),
        (boto.PartialCredentialsError(provider="env", cred_var="x"), Scope.ACCOUNT, "credentials"),
        (boto.CredentialRetrievalError(provider="x", error_msg="y"), Scope.ACCOUNT, "credentials"),
        (boto.NoRegionError(), Scope.ACCOUNT, "configuration"),
        (boto.ConnectTimeoutError(endpoint_url="x"), Scope.THROTTLE, "unreachable"),
        (boto.ProxyConnectionError(proxy_url="x"), Scope.THROTTLE, "unreachable"),
        (
            boto.SSLError(endpoint_url="x", error="CERTIFICATE_VERIFY_FAILED certificate verify failed"),
            Scope.ACCOUNT,
            "certificate",
        ),
        (boto.SSLError(endpoint_url="x", error="bad record mac"), None, "no-answer"),
        (boto.ParamValidationError(report="x"), Scope.RECIPIENT, "bad-request"),
        (boto.ReadTimeoutError(endpoint_url="x"), None, "timeout"),
        (boto.ConnectionClosedError(endpoint_url="x"), None, "connection-closed"),
        (boto.HTTPClientError(error="x"), None, "connection-broken"),
        (boto.ResponseStreamingError(error="x"), None, "connection-broken"),
        (boto.BotoCoreError(), None, "no-answer"),
    ],
)
def test_each_error_of_the_network(found: boto.BotoCoreError, scope: Scope | None, ours: str) -> None:
    check(ses.from_network_error(found), scope, ours)


def test_a_header_with_a_line_end_is_refused_before_anything_is_posted(endpoint: FakeEndpoint) -> None:
    outcome = ses.send(mail(subject="Hi\r\nBcc: evil@post.example"))
    assert isinstance(outcome, Refused) and (outcome.scope, outcome.code) == (Scope.RECIPIENT, "render-error")
    assert endpoint.requests == []


def test_the_client_is_kept_and_shared_by_threads(endpoint: FakeEndpoint) -> None:
    aws._client.cache_clear()
    clients: set[int] = set()
    threads = [threading.Thread(target=lambda: clients.add(id(aws.client("sesv2")))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(clients) == 1


def test_the_account_is_read(endpoint: FakeEndpoint) -> None:
    account = aws.get_account()
    assert (account.max_send_rate, account.max_24_hour_send, account.sent_last_24_hours) == (14, 50000, 7)
