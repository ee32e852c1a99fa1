"""Opens and clicks: noted of everybody, of those who agreed, or of nobody; in the mail and in what comes back."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from bounces import cleanup
from bounces.models import Event, Notification
from mailinglist import lifecycle, subscriptions, tracking
from mailinglist.changes import SYSTEM, Actor, Kind
from mailinglist.consents import Consent
from mailinglist.models import (
    Campaign,
    Change,
    ConsentRecord,
    Delivery,
    MailingList,
    Subscriber,
    Subscription,
)
from mailinglist.sending import bulk, queue
from mailinglist.sending.messages import Builder, Mail
from tests import ses_events as ses
from tests.bounces.helpers import take
from tests.factories import make_campaign, make_list, make_subscriber

pytestmark = pytest.mark.django_db
PERSON = Actor(Kind.PERSON)
BODY = "[Read on](https://www.acme.example/read)\n"


def started(news: MailingList) -> Campaign:
    campaign = make_campaign(news, body=BODY)
    lifecycle.start(campaign.pk, by=SYSTEM)
    return campaign


def mails(news: MailingList) -> dict[str, Mail]:
    claimed = queue.claim(99, campaign_id=started(news).pk, lease_seconds=60)
    return {row.email: mail for row, mail in Builder().build(claimed) if isinstance(mail, Mail)}


def people(news: MailingList) -> None:
    for name, agreed in (("yes", True), ("no", False)):
        make_subscriber(f"{name}@post.example", news)
        Subscription.objects.filter(subscriber__email__startswith=name).update(tracking_consent=agreed)


LEFT_ALONE = {
    "on": set(),
    "consent": {"no@post.example"},
    "off": {"no@post.example", "yes@post.example"},
}


@pytest.mark.parametrize("mode", LEFT_ALONE)
def test_mails_leave_without_tracking_where_it_is_not_allowed(mode: str, settings: object) -> None:
    settings.SES_UNTRACKED_CONFIGURATION_SET = "quiet"  # type: ignore[attr-defined]
    news = make_list(tracking=mode, configuration_set="loud")
    people(news)
    built = mails(news)
    assert set(built) == LEFT_ALONE["off"]
    for email, mail in built.items():
        text = mail.as_bytes().decode()
        quiet = email in LEFT_ALONE[mode]
        assert ('ses:no-track href=3D"https://www.acme' in text.replace("=\r\n", "")) == quiet
        assert f"X-SES-CONFIGURATION-SET: {'quiet' if quiet else 'loud'}" in text


def test_both_kinds_of_a_campaign_go_in_calls_of_their_own() -> None:
    news = make_list(tracking="consent", untracked_configuration_set="quiet", configuration_set="loud")
    people(news)
    built = list(mails(news).values())
    groups = bulk.Bulk().group(built)
    assert sorted(map(len, groups)) == [1, 1]
    sent = [json.loads(bulk.body([built[position] for position in group])) for group in groups]
    assert {call["ConfigurationSetName"] for call in sent} == {"quiet", "loud"}


def test_a_list_that_notes_everything_costs_no_query_more(django_assert_num_queries: object) -> None:
    news = make_list()
    people(news)
    claimed = queue.claim(99, campaign_id=started(news).pk, lease_seconds=60)
    builder = Builder()
    builder.build(claimed)
    with django_assert_num_queries(0):  # type: ignore[operator]
        builder.build(claimed)
    MailingList.objects.update(tracking="consent")
    builder = Builder()
    builder.build(claimed)
    with django_assert_num_queries(1):  # type: ignore[operator]
        builder.build(claimed)


@pytest.mark.parametrize("mode", LEFT_ALONE)
def test_what_ses_tells_all_the_same_is_thrown_away(mode: str) -> None:
    news = make_list(tracking=mode)
    people(news)
    for row in ses.accept_all(started(news).pk):
        done = take(ses.delivered(row), ses.opened(row), ses.opened(row, "Click"))
        assert done.processed == 3
    noted = Event.objects.filter(kind__in=["open", "click"]).values_list("subscriber__email", flat=True)
    assert set(noted) == LEFT_ALONE["off"] - LEFT_ALONE[mode]
    kept = [bytes(raw).decode() for raw in Notification.objects.values_list("raw", flat=True) if raw]
    assert len(kept) == 6 - 2 * len(LEFT_ALONE[mode])
    assert not any('"Click"' in raw and address in raw for raw in kept for address in LEFT_ALONE[mode])
    assert Delivery.objects.filter(state="delivered").count() == 2


class TestChoosing:
    @pytest.fixture
    def news(self) -> MailingList:
        return make_list(tracking="consent")

    def choose(self, news: MailingList, answer: bool) -> int:
        ada = Subscriber.objects.get()
        consent = Consent(timezone.now(), "192.0.2.1", "Firefox", form="preferences")
        return tracking.choose(ada, {news.pk: answer}, texts={news.pk: "May?"}, consent=consent, by=PERSON)

    def test_a_choice_is_kept_with_its_wording_and_written_down(self, news: MailingList) -> None:
        make_subscriber("ada@post.example", news)
        assert self.choose(news, True) == 1
        assert self.choose(news, True) == 0
        row = ConsentRecord.objects.get()
        assert (row.kind, row.tracking, row.text, row.form) == ("tracking", True, "May?", "preferences")
        assert self.choose(news, False) == 1
        assert not Subscription.objects.get().tracking_consent
        assert list(Change.objects.order_by("pk").values_list("after", flat=True)) == [
            "tracking allowed",
            "tracking refused",
        ]

    @pytest.mark.parametrize("mode", ["on", "off"])
    def test_a_list_that_does_not_ask_takes_no_answer(self, mode: str) -> None:
        news = make_list(tracking=mode)
        make_subscriber("ada@post.example", news)
        assert self.choose(news, True) == 0

    def test_a_stranger_who_signs_an_address_up_again_allows_nothing(self, news: MailingList) -> None:
        ada = make_subscriber("ada@post.example", news)
        subscriptions.unsubscribe(ada.pk, reason=Subscription.Reason.PAGE, by=SYSTEM, why="x")
        consent = Consent(timezone.now(), tracking=True)
        subscriptions.subscribe(news, ada.email, consent=consent, source="form", by=PERSON)
        assert not Subscription.objects.get().tracking_consent
        subscriptions.confirm(ada, news, ip=None, by=PERSON)
        assert Subscription.objects.get().tracking_consent


def test_the_address_and_program_of_opens_and_clicks_go_after_a_time(settings: object) -> None:
    settings.TRACKING_RETENTION_DAYS = 30  # type: ignore[attr-defined]
    news = make_list()
    make_subscriber("ada@post.example", news)
    row = ses.accept_all(started(news).pk)[0]
    now = timezone.now()
    take(
        ses.opened(row, "Click", at=now - timedelta(days=31)),
        ses.opened(row, "Click", at=now - timedelta(days=29)),
    )
    assert cleanup.prune_behaviour() == 1
    old, new = Event.objects.order_by("occurred_at")
    assert old.extra == {"link": "https://www.example.org/"}
    assert new.extra["ipAddress"] == "192.0.2.1"
    assert cleanup.prune_behaviour() == 0
