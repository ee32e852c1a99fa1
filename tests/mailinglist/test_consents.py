"""The evidence of consent: every time somebody asked or agreed, and never overwritten by a stranger."""

from datetime import timedelta

import pytest
from django.utils import timezone

from mailinglist import retention, subscriptions
from mailinglist.changes import SYSTEM, Actor, Kind
from mailinglist.consents import Consent
from mailinglist.models import ConsentRecord, Delivery, MailingList, Subscriber, Subscription
from tests.factories import make_list

pytestmark = pytest.mark.django_db
PERSON = Actor(Kind.PERSON)
MINE = {"ip": "192.0.2.1", "user_agent": "Firefox", "text": "Yes.", "form": "page"}
STRANGERS = {"ip": "203.0.113.9", "user_agent": "curl", "text": "Other words.", "form": "embedded"}


@pytest.fixture
def news() -> MailingList:
    return make_list()


def sign_up(news: MailingList, *, source: str = "form", **values: str) -> None:
    Delivery.objects.update(created_at=timezone.now() - timedelta(days=2))
    consent = Consent(timezone.now(), **{**MINE, **values})  # type: ignore[arg-type]
    subscriptions.subscribe(news, "ada@post.example", consent=consent, source=source, by=PERSON)


def confirm(news: MailingList) -> Subscriber:
    ada = Subscriber.objects.get()
    assert subscriptions.confirm(ada, news, ip="192.0.2.2", by=PERSON, user_agent="Safari", text="Button")
    return ada


def in_force() -> tuple[str | None, str, str, str]:
    row = Subscription.objects.get()
    return row.consent_ip, row.consent_user_agent, row.consent_text, row.source


def history() -> list[tuple[str, ...]]:
    columns = ("kind", "ip", "user_agent", "text", "form", "source")
    return list(ConsentRecord.objects.order_by("pk").values_list(*columns))


def test_asking_and_confirming_are_two_pieces_of_evidence(news: MailingList) -> None:
    sign_up(news)
    confirm(news)
    assert history() == [
        ("asked", "192.0.2.1", "Firefox", "Yes.", "page", "form"),
        ("confirmed", "192.0.2.2", "Safari", "Button", "confirm", "form"),
    ]
    assert in_force() == ("192.0.2.1", "Firefox", "Yes.", "form")


def test_a_list_without_confirmation_has_one(news: MailingList) -> None:
    MailingList.objects.update(double_opt_in=False)
    sign_up(news)
    assert [row[0] for row in history()] == ["asked"]


def test_a_stranger_who_types_the_address_overwrites_nothing(news: MailingList) -> None:
    sign_up(news)
    ada = confirm(news)
    subscriptions.unsubscribe(ada.pk, reason=Subscription.Reason.PAGE, by=SYSTEM, why="x")
    before = Subscription.objects.values().get() | {"status": "pending"}
    sign_up(news, source="other", **STRANGERS)
    assert Subscription.objects.values().get() == before
    assert history()[-1] == ("asked", "203.0.113.9", "curl", "Other words.", "embedded", "other")


def test_what_was_asked_last_comes_into_force_when_it_is_confirmed(news: MailingList) -> None:
    sign_up(news)
    ada = confirm(news)
    subscriptions.unsubscribe(ada.pk, reason=Subscription.Reason.PAGE, by=SYSTEM, why="x")
    sign_up(news, source="other", **STRANGERS)
    confirm(news)
    assert in_force() == ("203.0.113.9", "curl", "Other words.", "other")
    assert len(history()) == 4


def test_a_sign_up_that_sends_no_mail_leaves_no_evidence(news: MailingList) -> None:
    sign_up(news)
    consent = Consent(timezone.now(), ip="203.0.113.9")
    subscriptions.subscribe(news, "ada@post.example", consent=consent, source="form", by=PERSON)
    confirm(news)
    sign_up(news)
    assert [row[0] for row in history()] == ["asked", "confirmed"]


def test_long_texts_are_cut_to_their_columns(news: MailingList) -> None:
    sign_up(news, user_agent="x" * 999, form="y" * 999)
    row = ConsentRecord.objects.get()
    assert (len(row.user_agent), len(row.form)) == (255, 200)


class TestRetention:
    def traces(self) -> list[bool]:
        rows = list(ConsentRecord.objects.values_list("ip", "user_agent"))
        rows += Subscription.objects.values_list("consent_ip", "consent_user_agent")
        rows += [(ip, "") for ip in Subscription.objects.values_list("confirmed_ip", flat=True)]
        return [bool(ip or agent) for ip, agent in rows]

    @pytest.fixture(autouse=True)
    def old(self, news: MailingList, settings: object) -> None:
        settings.CONSENT_RETENTION_DAYS = 30  # type: ignore[attr-defined]
        sign_up(news)
        confirm(news)
        ConsentRecord.objects.update(at=timezone.now() - timedelta(days=400))

    def leave(self, days: int) -> None:
        at = timezone.now() - timedelta(days=days)
        person = Subscriber.objects.get()
        subscriptions.unsubscribe(person.pk, reason=Subscription.Reason.PAGE, by=SYSTEM, why="x", at=at)

    def test_while_somebody_is_subscribed_all_of_it_stays(self) -> None:
        assert retention.prune() == 0
        assert all(self.traces())

    def test_for_a_time_after_they_left_too(self) -> None:
        self.leave(29)
        assert retention.prune() == 0
        assert all(self.traces())

    def test_then_goes_where_from_and_stays_what_and_when(self) -> None:
        self.leave(31)
        assert retention.prune() == 3
        assert not any(self.traces())
        assert [row.text for row in ConsentRecord.objects.order_by("pk")] == ["Yes.", "Button"]
        assert retention.prune() == 0

    def test_of_an_expired_sign_up_its_own_age_counts(self) -> None:
        Subscription.objects.all().delete()
        assert retention.prune() == 2
        assert not any(self.traces())

    def test_spans_of_ids_are_walked_to_their_end(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.leave(31)
        monkeypatch.setattr(retention, "BATCH", 1)
        assert retention.prune() == 3
