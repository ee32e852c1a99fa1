"""SendBulkEmail: results in the order of the entries, each by the rules of SendEmail."""

import json
from typing import Any

import pytest

from sandbox.testing import RunningSandbox
from tests.sandbox.aws import SENDER
from tests.sandbox.hook import Hook

CONTENT = {"Subject": "Hello {{name}}", "Text": "Dear {{ name }}, {{word}}", "Html": "<p>Dear {{name}}"}


def entry(to: str, *, tags: dict[str, str] | None = None, **values: str) -> dict[str, Any]:
    return {
        "Destination": {"ToAddresses": [to]},
        "ReplacementTags": [{"Name": name, "Value": value} for name, value in (tags or {}).items()],
        "ReplacementHeaders": [
            {"Name": "List-Unsubscribe", "Value": f"<https://x.example/{values.get('name')}>"}
        ],
        "ReplacementEmailContent": {"ReplacementTemplate": {"ReplacementTemplateData": json.dumps(values)}},
    }


def bulk(
    sesv2: Any, *entries: dict[str, Any], template: dict[str, Any] | None = None, **more: Any
) -> list[Any]:
    template = template or {"TemplateContent": CONTENT, "TemplateData": json.dumps({"word": "hello"})}
    answer = sesv2.send_bulk_email(
        FromEmailAddress=SENDER,
        DefaultEmailTags=[{"Name": "campaign", "Value": "9"}, {"Name": "attempt", "Value": "1"}],
        DefaultContent={"Template": template},
        BulkEmailEntries=list(entries),
        **more,
    )
    return list(answer["BulkEmailEntryResults"])


def statuses(results: list[Any]) -> list[str]:
    return [result["Status"] for result in results]


def test_results_stand_in_the_order_of_the_entries(ses: RunningSandbox, sesv2: Any) -> None:
    results = bulk(
        sesv2,
        entry("a@example.com", name="A"),
        entry("refused@example.com", name="R"),
        entry("no-domain", name="N"),
        entry("missing@example.com"),
        entry("b@example.com", name="B"),
    )
    assert statuses(results) == [
        "SUCCESS",
        "MESSAGE_REJECTED",
        "INVALID_PARAMETER",
        "INVALID_PARAMETER",
        "SUCCESS",
    ]
    assert "'name'" in results[3]["Error"] and "MessageId" not in results[1]
    written = {line["message_id"]: line["recipient"] for line in ses.ledger()}
    assert written == {results[0]["MessageId"]: "a@example.com", results[4]["MessageId"]: "b@example.com"}


def test_content_headers_and_tags_are_those_of_the_entry(sesv2: Any, ses: RunningSandbox, hook: Hook) -> None:
    bulk(sesv2, entry("a@example.com", tags={"delivery": "d1", "attempt": "2"}, name="A{{word}}"))
    ses.wait_for_pushes()
    (sent,) = hook.events("Send")
    mail = sent["mail"]
    assert mail["commonHeaders"]["subject"] == "Hello A{{word}}"
    assert {"name": "List-Unsubscribe", "value": "<https://x.example/A{{word}}>"} in mail["headers"]
    assert {name: mail["tags"][name] for name in ("campaign", "attempt", "delivery", "ses:operation")} == {
        "campaign": ["9"],
        "attempt": ["2"],
        "delivery": ["d1"],
        "ses:operation": ["SendBulkEmail"],
    }
    assert ses.ledger()[0]["delivery"] == "d1"


@pytest.mark.parametrize(
    ("switches", "status"),
    [
        ({"account_suspended": True}, "ACCOUNT_SUSPENDED"),
        ({"sending_paused": True}, "ACCOUNT_SENDING_PAUSED"),
        ({"throttle_all": True}, "ACCOUNT_THROTTLED"),
        ({"quota": 0}, "ACCOUNT_DAILY_QUOTA_EXCEEDED"),
        ({"mail_from_not_verified": True}, "MAIL_FROM_DOMAIN_NOT_VERIFIED"),
        ({"from_not_verified": True}, "MESSAGE_REJECTED"),
        ({"configuration_sets": ["other"]}, "CONFIGURATION_SET_NOT_FOUND"),
        ({"error_500_before": 1}, "TRANSIENT_FAILURE"),
    ],
)
def test_switches_become_the_status_of_every_entry(
    ses: RunningSandbox, sesv2: Any, switches: dict[str, Any], status: str
) -> None:
    ses.config(**switches)
    entries = (entry("a@example.com", name="A"), entry("b@example.com", name="B"))
    assert statuses(bulk(sesv2, *entries, ConfigurationSetName="mailinglist")) == [status, status]
    assert ses.ledger() == []


def test_rate_and_quota_end_within_a_call(ses: RunningSandbox, sesv2: Any) -> None:
    entries = [entry(f"p{i}@example.com", name="P") for i in range(4)]
    ses.config(quota=2)
    assert statuses(bulk(sesv2, *entries)) == ["SUCCESS"] * 2 + ["ACCOUNT_DAILY_QUOTA_EXCEEDED"] * 2
    ses.config(quota=-1, max_send_rate=1)
    assert statuses(bulk(sesv2, *entries)).count("ACCOUNT_THROTTLED") >= 3


def test_a_stored_template_is_not_found_and_too_many_entries_are_refused(
    ses: RunningSandbox, sesv2: Any
) -> None:
    stored = bulk(
        sesv2, entry("a@example.com", name="A"), template={"TemplateName": "t", "TemplateData": "{}"}
    )
    assert statuses(stored) == ["TEMPLATE_NOT_FOUND"]
    with pytest.raises(sesv2.exceptions.BadRequestException, match="51"):
        bulk(sesv2, *[entry(f"p{i}@example.com", name="P") for i in range(51)])
    assert ses.ledger() == []


def test_fifty_entries_are_fifty_mails(ses: RunningSandbox, sesv2: Any) -> None:
    results = bulk(sesv2, *[entry(f"p{i}@example.com", name="P") for i in range(50)])
    assert [line["message_id"] for line in ses.ledger()] == [result["MessageId"] for result in results]
