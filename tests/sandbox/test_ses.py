"""SendEmail and its neighbours through the real boto3."""

import hashlib
import http.client
import json
import time
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError

from sandbox.testing import RunningSandbox
from tests.sandbox.aws import SENDER, client, raw, send

TAGS = "X-SES-MESSAGE-TAGS: delivery=d-7, attempt=2, campaign=31\nX-Mailinglist-Delivery: signed-d-7"


def error_of(sesv2: Any, to: str = "ada@example.com", **parts: Any) -> tuple[str, int, str, str]:
    with pytest.raises(ClientError) as caught:
        send(sesv2, to, **parts)
    answer = caught.value.response
    return (
        answer["Error"]["Code"],
        answer["ResponseMetadata"]["HTTPStatusCode"],
        type(caught.value).__name__,
        answer["Error"]["Message"],
    )


def test_the_ledger_tells_all_of_an_accepted_mail(ses: RunningSandbox, sesv2: Any) -> None:
    data = raw("Ada@example.com", extra=TAGS, subject="=?utf-8?q?Gr=C3=BC=C3=9Fe?=")
    answer = sesv2.send_email(
        Destination={"ToAddresses": ["Ada@example.com"]}, Content={"Raw": {"Data": data}}
    )
    (entry,) = ses.ledger()
    at = entry.pop("at")
    kept = data.replace(TAGS.splitlines()[0].encode() + b"\r\n", b"")
    assert entry == {
        "message_id": answer["MessageId"],
        "recipient": "Ada@example.com",
        "delivery": "d-7",
        "attempt": "2",
        "campaign": "31",
        "x_mailinglist_delivery": "signed-d-7",
        "rule": "success",
        "sha256": hashlib.sha256(kept).hexdigest(),
        "subject": "Grüße",
        "size": len(kept),
    }
    assert ses.ledger(since=at) and not ses.ledger(since="2999-01-01T00:00:00Z")
    assert ses.ledger(recipient="ADA@example.com") and not ses.ledger(recipient="bob@example.com")


def test_simple_content_with_several_recipients_makes_one_line_each(ses: RunningSandbox, sesv2: Any) -> None:
    body = {"Text": {"Data": "Hi"}, "Html": {"Data": "<p>Hi"}}
    sesv2.send_email(
        FromEmailAddress=SENDER,
        Destination={"ToAddresses": ["a@example.com"], "BccAddresses": ["b@example.com"]},
        Content={"Simple": {"Subject": {"Data": "Two"}, "Body": body}},
    )
    assert [(entry["recipient"], entry["subject"]) for entry in ses.ledger()] == [
        ("a@example.com", "Two"),
        ("b@example.com", "Two"),
    ]


@pytest.mark.parametrize(
    ("switches", "code", "status"),
    [
        ({"account_suspended": True}, "AccountSuspendedException", 400),
        ({"sending_paused": True}, "SendingPausedException", 400),
        ({"mail_from_not_verified": True}, "MailFromDomainNotVerifiedException", 400),
        ({"from_not_verified": True}, "MessageRejected", 400),
        ({"throttle_all": True}, "TooManyRequestsException", 429),
        ({"quota": 0}, "LimitExceededException", 400),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else None,
)
def test_switches_give_the_errors_that_boto3_knows(
    ses: RunningSandbox, sesv2: Any, switches: dict[str, Any], code: str, status: int
) -> None:
    ses.config(**switches)
    found, found_status, class_name, _ = error_of(sesv2)
    assert (found, found_status, class_name) == (code, status, code)
    assert ses.ledger() == [] and ses.stats()["refused"] == {code: 1}


@pytest.mark.parametrize(
    ("to", "parts", "code"),
    [
        ("refused@example.com", {}, "MessageRejected"),
        ("nobody", {}, "BadRequestException"),
        ("ada@example.com", {"extra": "Subject: again"}, "BadRequestException"),
        ("ada@example.com", {"body": "x" * 1001}, "BadRequestException"),
        ("ada@example.com", {"extra": "X-SES-CONFIGURATION-SET: other"}, "NotFoundException"),
    ],
)
def test_a_bad_mail_is_refused_by_itself(
    ses: RunningSandbox, sesv2: Any, to: str, parts: dict[str, str], code: str
) -> None:
    ses.config(configuration_sets=["mailinglist"])
    assert error_of(sesv2, to, **parts)[0] == code
    send(sesv2, "ada@example.com", extra="X-SES-CONFIGURATION-SET: mailinglist")
    assert len(ses.ledger()) == 1


def test_a_500_before_accepts_nothing_and_a_500_after_accepts(ses: RunningSandbox, sesv2: Any) -> None:
    ses.config(error_500_before=1)
    assert error_of(sesv2)[:2] == ("InternalServiceErrorException", 500)
    assert ses.ledger() == []
    ses.config(error_500_before=0, error_500_after=1)
    assert error_of(sesv2)[:2] == ("InternalServiceErrorException", 500)
    assert len(ses.ledger()) == 1
    assert ses.stats()["faults"] == {"error_500_before": 1, "error_500_after": 1}


@pytest.mark.parametrize(("fault", "accepted"), [("reset_before", 0), ("reset_after", 1)])
def test_a_reset_leaves_the_caller_in_doubt(
    ses: RunningSandbox, sesv2: Any, fault: str, accepted: int
) -> None:
    ses.config(**{fault: 1})
    with pytest.raises(ConnectionClosedError):
        send(sesv2, "ada@example.com")
    assert len(ses.ledger()) == accepted


def test_hanging_after_acceptance_lets_the_caller_time_out(ses: RunningSandbox) -> None:
    ses.config(hang_after=1, hang_seconds=1)
    impatient = client(ses, config=Config(retries={"total_max_attempts": 1}, read_timeout=0.2))
    with pytest.raises(ReadTimeoutError):
        send(impatient, "ada@example.com")
    assert len(ses.ledger()) == 1


def test_latency_and_the_slow_rule_keep_the_caller_waiting(ses: RunningSandbox, sesv2: Any) -> None:
    ses.config(latency=[200, 200])
    began = time.monotonic()
    send(sesv2, "slow+0@example.com")
    assert 0.2 <= time.monotonic() - began < 1.5


def test_the_rate_is_counted_in_recipients_and_refills(ses: RunningSandbox, sesv2: Any) -> None:
    ses.config(max_send_rate=3)
    two = {"ToAddresses": ["a@example.com", "b@example.com"]}
    sesv2.send_email(
        FromEmailAddress=SENDER, Destination=two, Content={"Raw": {"Data": raw("a@example.com")}}
    )
    with pytest.raises(sesv2.exceptions.TooManyRequestsException, match="Maximum sending rate exceeded"):
        sesv2.send_email(
            FromEmailAddress=SENDER, Destination=two, Content={"Raw": {"Data": raw("a@example.com")}}
        )
    time.sleep(0.7)
    send(sesv2, "c@example.com")
    assert len(ses.ledger()) == 3


def test_the_quota_counts_recipients_but_not_the_simulator(ses: RunningSandbox, sesv2: Any) -> None:
    ses.config(quota=2)
    for to in ("success@simulator.amazonses.com", "a@example.com", "b@example.com"):
        send(sesv2, to)
    assert sesv2.get_account()["SendQuota"] == {
        "Max24HourSend": 2.0,
        "MaxSendRate": 1000.0,
        "SentLast24Hours": 2.0,
    }
    code, _, _, message = error_of(sesv2, "c@example.com")
    assert (code, message) == ("LimitExceededException", "Daily message quota exceeded.")


def test_get_account_tells_of_a_suspended_account(ses: RunningSandbox, sesv2: Any) -> None:
    account = sesv2.get_account()
    assert (account["EnforcementStatus"], account["SendingEnabled"]) == ("HEALTHY", True)
    assert account["ProductionAccessEnabled"] is True
    ses.config(account_suspended=True)
    account = sesv2.get_account()
    assert (account["EnforcementStatus"], account["SendingEnabled"]) == ("SHUTDOWN", False)


def test_an_identity_is_verified_until_it_is_not(ses: RunningSandbox, sesv2: Any) -> None:
    identity = sesv2.get_email_identity(EmailIdentity="example.com")
    assert (identity["IdentityType"], identity["VerifiedForSendingStatus"]) == ("DOMAIN", True)
    assert identity["MailFromAttributes"]["MailFromDomainStatus"] == "SUCCESS"
    ses.config(from_not_verified=True)
    identity = sesv2.get_email_identity(EmailIdentity="ada@example.com")
    assert (identity["IdentityType"], identity["VerificationStatus"]) == ("EMAIL_ADDRESS", "PENDING")


def test_the_suppression_list_is_kept_paged_and_filtered(ses: RunningSandbox, sesv2: Any) -> None:
    for address, reason in (
        ("a@x.example", "BOUNCE"),
        ("B+1@x.example", "COMPLAINT"),
        ("c@x.example", "BOUNCE"),
    ):
        sesv2.put_suppressed_destination(EmailAddress=address, Reason=reason)
    assert sesv2.get_suppressed_destination(EmailAddress="b+1@X.example")["SuppressedDestination"][
        "Reason"
    ] == ("COMPLAINT")
    first = sesv2.list_suppressed_destinations(PageSize=2)
    second = sesv2.list_suppressed_destinations(PageSize=2, NextToken=first["NextToken"])
    pages = [
        [row["EmailAddress"] for row in page["SuppressedDestinationSummaries"]] for page in (first, second)
    ]
    assert pages == [["a@x.example", "b+1@x.example"], ["c@x.example"]] and "NextToken" not in second
    bounced = sesv2.list_suppressed_destinations(Reasons=["BOUNCE"])["SuppressedDestinationSummaries"]
    assert [row["EmailAddress"] for row in bounced] == ["a@x.example", "c@x.example"]
    sesv2.delete_suppressed_destination(EmailAddress="a@x.example")
    for call in (sesv2.delete_suppressed_destination, sesv2.get_suppressed_destination):
        with pytest.raises(sesv2.exceptions.NotFoundException):
            call(EmailAddress="a@x.example")
    with pytest.raises(sesv2.exceptions.InvalidNextTokenException):
        sesv2.list_suppressed_destinations(NextToken="%%%")


def test_every_answer_has_a_request_id_and_unknown_calls_an_aws_error(ses: RunningSandbox) -> None:
    connection = http.client.HTTPConnection(urlsplit(ses.url).netloc)
    seen = set()
    for method, path, status in (
        ("GET", "/v2/email/account", 200),
        ("POST", "/v2/email/outbound-emails", 400),
        ("GET", "/v2/email/templates", 404),
        ("GET", "/nowhere", 404),
        ("GET", "/", 200),
    ):
        connection.request(method, path, body=b"{" if method == "POST" else None)
        answer = connection.getresponse()
        body = answer.read()
        assert answer.status == status
        seen.add(answer.headers["x-amzn-RequestId"])
        if status >= 400 and path.startswith("/v2/"):
            assert answer.headers["x-amzn-ErrorType"] and json.loads(body)["message"]
    assert len(seen) == 5 and None not in seen


def test_foreign_pages_and_names_may_not_call(ses: RunningSandbox) -> None:
    connection = http.client.HTTPConnection(urlsplit(ses.url).netloc)
    for headers in ({"Host": "evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        connection.request("POST", "/_sandbox/reset", headers=headers)
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 403
