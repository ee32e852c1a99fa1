"""What a provider says about too many mails reaches the pace of sending, and only that."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from mailinglist.models import ProviderPace
from mailinglist.sending import providers
from tests import ses_events as ses
from tests.bounces.helpers import send_to, take
from tests.factories import make_list

pytestmark = [pytest.mark.django_db]


@pytest.fixture
def commit(django_capture_on_commit_callbacks: Any) -> Any:
    return lambda: django_capture_on_commit_callbacks(execute=True)


def delay(email: str, kind: str, minutes: int = 0) -> dict[str, Any]:
    at = timezone.now() - timedelta(minutes=minutes)
    delivery = send_to(email, make_list(email.partition("@")[0]), at=at)
    return ses.event(
        "DeliveryDelay",
        delivery,
        {
            "timestamp": ses.stamp(at),
            "delayType": kind,
            "delayedRecipients": [
                {"emailAddress": email, "status": "4.4.1", "diagnosticCode": "smtp; 421 4.4.1 later"}
            ],
        },
        key="deliveryDelay",
    )


def slowed() -> list[str]:
    return [row.provider for row in providers.slowed()]


def test_a_sending_deferral_slows_the_provider_at_once(commit: Any) -> None:
    with commit():
        take(delay("a@googlemail.com", "SendingDeferral"))
    assert slowed() == ["gmail.com"]
    row = ProviderPace.objects.get()
    assert (
        "googlemail.com" in row.domains
        and row.why == "The receiving server takes only so many mails at a time."
    )


@pytest.mark.parametrize(
    ("kind", "expected"), [("TransientCommunicationFailure", ["post.example"]), ("MailboxFull", [])]
)
def test_three_delays_slow_it_unless_they_are_about_mailboxes(
    kind: str, expected: list[str], commit: Any
) -> None:
    with commit():
        take(*[delay(f"{name}@post.example", kind) for name in "ab"])
    assert slowed() == []
    with commit():
        take(delay("c@post.example", kind))
    assert slowed() == expected


def test_delays_of_long_ago_slow_nobody(commit: Any) -> None:
    with commit():
        take(*[delay(f"{name}@post.example", "SendingDeferral", minutes=11) for name in "abc"])
    assert ProviderPace.objects.count() == 0


def test_bounces_of_other_reasons_slow_nobody(commit: Any) -> None:
    mails = [send_to(f"{name}@post.example", make_list(name), at=timezone.now()) for name in "abc"]
    with commit():
        take(*[ses.bounced(mail, at=timezone.now()) for mail in mails])
    assert ProviderPace.objects.count() == 0
