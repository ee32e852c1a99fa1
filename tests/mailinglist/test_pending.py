"""Sign-ups that nobody confirms: one reminder, then they are gone, and with them whoever was only that."""

import io
import json
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from mailinglist import pending, subscriptions, suppression
from mailinglist.changes import SYSTEM, Actor, Kind, Noun, record
from mailinglist.models import (
    AskedAddress,
    Change,
    ConsentRecord,
    Delivery,
    MailingList,
    Subscriber,
    Subscription,
    Suppression,
)
from mailinglist.pending import Tidied
from mailinglist.sending import queue
from mailinglist.subscriptions import Consent
from tests.factories import make_campaign, make_list, make_subscriber
from tests.mailinglist.sending.helpers import FakeSES

pytestmark = pytest.mark.django_db
PERSON = Actor(Kind.PERSON)


@pytest.fixture
def news() -> MailingList:
    return make_list()


def sign_up(
    news: MailingList, email: str = "ada@post.example", *, days: float = 0, state: str = "delivered"
) -> None:
    """Somebody typed the address so many days ago; the mail is in ``state`` since."""
    at = timezone.now() - timedelta(days=days)
    subscriptions.subscribe(news, email, consent=Consent(at, ip="192.0.2.1"), source="form", by=PERSON)
    queued = Delivery.objects.filter(subscriber__email=email, list=news).order_by("-pk")[0]
    due = {"next_attempt_at": at} if state == "waiting" else {}
    Delivery.objects.filter(pk=queued.pk).update(created_at=at, state=state, **due)


def reminded_people() -> list[str]:
    return sorted(Delivery.objects.filter(purpose="reminder").values_list("subscriber__email", flat=True))


@pytest.mark.parametrize(
    ("days", "state", "reminded"),
    [
        (2.9, "delivered", 0),
        (3.1, "delivered", 1),
        (3.1, "sent", 1),
        (6.9, "delivered", 1),
        (7.1, "delivered", 0),
        (3.1, "bounced", 0),
        (3.1, "failed", 0),
        (3.1, "skipped", 0),
        (3.1, "queued", 0),
        (3.1, "unknown", 0),
    ],
)
def test_who_had_the_mail_and_did_nothing_is_reminded_once(
    news: MailingList, days: float, state: str, reminded: int
) -> None:
    sign_up(news, days=days, state=state)
    assert pending.tidy().reminded == reminded
    assert pending.tidy() == Tidied()
    assert len(reminded_people()) == reminded


def test_once_is_once_however_long_the_sign_up_lives(news: MailingList) -> None:
    sign_up(news, days=6)
    pending.tidy()
    days_ago = timezone.now() - timedelta(days=4)
    Delivery.objects.filter(purpose="reminder").update(state="delivered", created_at=days_ago)
    assert pending.tidy() == Tidied()


def test_nobody_else_is_reminded(news: MailingList) -> None:
    make_subscriber("bob@post.example", news)
    sign_up(news, "eve@post.example", days=4)
    eve = Subscriber.objects.get(email="eve@post.example")
    suppression.suppress(eve.pk, reason=Suppression.Reason.MANUAL, by=SYSTEM, why="x")
    sign_up(news, "dan@post.example", days=4)
    subscriptions.confirm(Subscriber.objects.get(email="dan@post.example"), news, ip=None, by=PERSON)
    assert pending.tidy() == Tidied()


def test_the_setting_0_reminds_nobody(news: MailingList, settings: object) -> None:
    settings.REMIND_AFTER_DAYS = 0  # type: ignore[attr-defined]
    sign_up(news, days=4)
    assert pending.tidy() == Tidied()


def test_the_reminder_has_a_working_link_and_says_that_it_is_the_last(news: MailingList) -> None:
    from mailinglist.sending.messages import Builder

    sign_up(news, days=4)
    pending.tidy()
    claimed = queue.claim(9, campaign_id=None, lease_seconds=60)
    _, mail = Builder().build(claimed)[0]
    text = mail.as_bytes().decode()  # type: ignore[union-attr]
    assert "only reminder" in text and "/confirm/" in text and "Auto-Submitted: auto-generated" in text
    assert FakeSES()(mail)  # type: ignore[arg-type]


def test_a_reminder_that_was_confirmed_meanwhile_is_not_sent(news: MailingList) -> None:
    sign_up(news, days=4)
    pending.tidy()
    subscriptions.confirm(Subscriber.objects.get(), news, ip=None, by=PERSON)
    assert queue.claim(9, campaign_id=None, lease_seconds=60) == []
    assert Delivery.objects.get(purpose="reminder").reason == "not-pending"


def test_a_sign_up_expires_a_day_after_its_link_with_all_that_it_brought(news: MailingList) -> None:
    sign_up(news, days=7.9)
    assert pending.tidy() == Tidied()
    Delivery.objects.update(created_at=timezone.now() - timedelta(days=8.1))
    assert pending.tidy() == Tidied(removed=1, forgotten=1)
    assert not Subscriber.objects.exists() and not Subscription.objects.exists()
    assert not ConsentRecord.objects.exists() and not Suppression.objects.exists()
    assert "1 sign-ups" in Change.objects.get(after="sign-ups expired").why
    assert Change.objects.filter(after="expired", subscriber=None).count() == 1


def test_a_reminder_gives_the_sign_up_a_link_and_so_a_life_of_its_own(news: MailingList) -> None:
    sign_up(news, days=6.5)
    pending.tidy()
    Delivery.objects.filter(purpose="reminder").update(state="delivered")
    Delivery.objects.filter(purpose="confirmation").update(created_at=timezone.now() - timedelta(days=9))
    assert pending.tidy() == Tidied()
    Delivery.objects.filter(purpose="reminder").update(created_at=timezone.now() - timedelta(days=8.1))
    assert pending.tidy().removed == 1


def test_who_had_left_before_has_left_again_for_the_old_reason(news: MailingList) -> None:
    ada, at = make_subscriber("ada@post.example", news), timezone.now() - timedelta(days=30)
    subscriptions.unsubscribe(ada.pk, reason=Subscription.Reason.PAGE, by=SYSTEM, why="x", at=at)
    sign_up(news, days=9)
    assert pending.tidy() == Tidied(left_again=1)
    row = Subscription.objects.get()
    assert (row.status, row.unsubscribe_reason, row.unsubscribed_at) == ("unsubscribed", "page", at)
    assert Change.objects.filter(before="pending", after="unsubscribed", subscriber=ada).count() == 1


def known_on_another_list(who: Subscriber) -> None:
    Subscription.objects.create(list=make_list("other"), subscriber=who, status="confirmed", source="test")


def known_by_values(who: Subscriber) -> None:
    Subscriber.objects.filter(pk=who.pk).update(attributes={"city": "London"})


def known_by_a_campaign(who: Subscriber) -> None:
    campaign = make_campaign(make_list("other"))
    version = campaign.versions.create(number=1, subject="s", html="h", text="t")
    Delivery.objects.create(
        campaign=campaign, version=version, list=make_list("third"), subscriber=who, state="delivered"
    )


def known_by_a_manager(who: Subscriber) -> None:
    by = Actor(Kind.USER)
    record(Noun.SUBSCRIBER, who.pk, before="", after="added", why="x", by=by, subscriber_id=who.pk)


@pytest.mark.parametrize(
    "known", [known_on_another_list, known_by_values, known_by_a_campaign, known_by_a_manager]
)
def test_a_person_of_whom_more_is_known_stays_without_the_sign_up(news: MailingList, known) -> None:  # type: ignore[no-untyped-def]
    sign_up(news, days=9)
    ada = Subscriber.objects.get()
    known(ada)
    assert pending.tidy() == Tidied(removed=1)
    assert Subscriber.objects.get() == ada
    assert not Subscription.objects.filter(list=news).exists()


@pytest.mark.parametrize("state", ["queued", "waiting"])
def test_a_mail_that_is_still_on_its_way_keeps_the_sign_up(news: MailingList, state: str) -> None:
    sign_up(news, days=20, state=state)
    assert pending.tidy() == Tidied()


def test_pending_people_of_an_import_stay(news: MailingList) -> None:
    ada = make_subscriber("ada@post.example")
    Subscription.objects.create(list=news, subscriber=ada, status="pending", source="import")
    assert pending.tidy() == Tidied()


def test_a_block_from_a_bounce_outlives_the_person(news: MailingList) -> None:
    sign_up(news, days=9, state="bounced")
    ada = Subscriber.objects.get()
    why = "550 ada@post.example unknown"
    suppression.suppress(ada.pk, reason=Suppression.Reason.HARD_BOUNCE, by=SYSTEM, why=why)
    assert pending.tidy().forgotten == 1
    assert Suppression.objects.get().active and "ada" not in Suppression.objects.get().evidence


def test_many_go_in_sets(news: MailingList, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pending, "BATCH", 2)
    for i in range(5):
        sign_up(news, f"p{i}@post.example", days=9)
        sign_up(news, f"r{i}@post.example", days=4)
    assert pending.tidy() == Tidied(reminded=5, removed=5, forgotten=5)


def test_the_command_tells_first_and_then_does_it(news: MailingList) -> None:
    sign_up(news, days=9)
    sign_up(news, "bob@post.example", days=4)
    expected = {"reminded": 1, "removed": 1, "left_again": 0, "forgotten": 1}
    for arguments, people in ((("--dry-run",), 2), ((), 1)):
        out = io.StringIO()
        call_command("expire_sign_ups", "--json", *arguments, stdout=out)
        assert json.loads(out.getvalue()) == expected
        assert Subscriber.objects.count() == people
    out = io.StringIO()
    call_command("expire_sign_ups", stdout=out)
    assert "0 people reminded; 0 sign-ups removed" in out.getvalue()


def test_a_mailbox_that_was_asked_today_for_something_else_is_not_reminded_today(news: MailingList) -> None:
    sign_up(news, days=3.1)
    consent = Consent(timezone.now())
    other = make_list("other")
    subscriptions.subscribe(other, "ada+2@post.example", consent=consent, source="form", by=PERSON)
    assert pending.tidy().reminded == 0
    AskedAddress.objects.update(last_at=timezone.now() - timedelta(days=1.1))
    assert pending.tidy().reminded == 1
    assert AskedAddress.objects.get().last_at > timezone.now() - timedelta(minutes=1)
