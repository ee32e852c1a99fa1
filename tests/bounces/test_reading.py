"""Mailed reports: they act where they return our signed header, and nowhere else."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from bounces import ingest, pipeline, reading, timeline
from bounces.models import Event, Notification
from mailinglist import suppression
from mailinglist.models import Attempt, Change, Delivery
from tests import ses_events as ses
from tests.bounces import mailed
from tests.bounces.helpers import DAY, send_to, state_of, subscription, take
from tests.bounces.sns_signing import PAYLOADS
from tests.ses_events import T0

NOW = datetime(2026, 11, 21, tzinfo=UTC)


@pytest.fixture
def delivery(db: None) -> Delivery:
    return send_to("ada@post.example")


def take_mail(*mails: bytes) -> pipeline.Done:
    rows = [ingest.Incoming(raw, Notification.Source.DSN, ingest.content_key(raw)) for raw in mails]
    return pipeline.process([row.notification_id for row in ingest.store_many(rows, wake=False)])


def test_a_mailed_bounce_with_our_header_acts_as_an_event_of_ses_does(delivery: Delivery) -> None:
    done = take_mail(mailed.dsn("ada@post.example", header=mailed.header_of(delivery)))
    assert (done.processed, done.events) == (1, 1)
    assert state_of(delivery) == "bounced"
    assert subscription(delivery).unsubscribe_reason == "hard-bounce"
    assert suppression.is_suppressed(delivery.subscriber)
    event = Event.objects.get()
    assert (event.kind, event.verdict, event.status, event.occurred_at) == ("bounce", "hard", "5.1.1", T0)
    assert Change.objects.filter(evidence__event=event.pk).exists()


def test_a_bounce_that_is_written_for_people_acts_with_our_header_in_its_text(delivery: Delivery) -> None:
    take_mail(mailed.qmail(mailed.header_of(delivery)))
    assert subscription(delivery).status == "unsubscribed"


def test_a_soft_bounce_by_mail_is_retried_and_a_complaint_unsubscribes(delivery: Delivery) -> None:
    header = mailed.header_of(delivery)
    take_mail(
        mailed.dsn("ada@post.example", header=header, status="5.2.2", diagnostic="smtp; 552 5.2.2 over quota")
    )
    assert state_of(delivery) == "waiting" and subscription(delivery).status == "confirmed"
    take_mail(mailed.arf(header))
    assert state_of(delivery) == "complained" and subscription(delivery).unsubscribe_reason == "complaint"


def test_a_person_who_quotes_a_bounce_with_our_header_acts_on_nobody(delivery: Delivery) -> None:
    lines = ["Final-Recipient: rfc822; ada@post.example", "Action: failed", "Status: 5.1.1"]
    quoted = "".join(f"> {line}\n" for line in [*lines, "", mailed.header_of(delivery)])
    take_mail(mailed.plain("Ann <ann@c.example>", "Fwd: Undelivered Mail Returned to Sender", text=quoted))
    event = Event.objects.get()
    assert (event.verdict, event.delivery) == ("hard", None)
    assert subscription(delivery).status == "confirmed"


@pytest.mark.parametrize("kind", ["auth-failure", "dmarc", "brand-new"])
def test_a_report_that_is_no_complaint_of_the_reader_is_shown_and_changes_nothing(
    delivery: Delivery, kind: str
) -> None:
    take(ses.delivered(delivery))
    take_mail(mailed.arf(mailed.header_of(delivery), kind=kind))
    assert (state_of(delivery), subscription(delivery).status) == ("delivered", "confirmed")
    assert not suppression.is_suppressed(delivery.subscriber)
    event = Event.objects.get(kind="complaint")
    assert (event.verdict, event.subscriber, event.effect) == ("not-a-bounce", delivery.subscriber, "")
    shown = next(
        entry for entry in timeline.page(event.subscriber_id or 0).entries if entry.label == "report"
    )
    assert "omplain" in shown.headline and "changes" in shown.headline


@pytest.mark.django_db
@pytest.mark.parametrize("days", [-9, -4000, 4000])
def test_the_date_of_a_mailed_bounce_neither_ends_its_hold_nor_dates_it_before_its_mail(days: int) -> None:
    """The mail is two days old, and so would be its bounce by the earliest date that can be true."""
    now = timezone.now()
    take(ses.delivered(send_to("ada@post.example", at=now - 5 * DAY), at=now - 5 * DAY))
    delivery = send_to("ada@post.example", at=now - 2 * DAY)
    raw = mailed.dsn("ada@post.example", header=mailed.header_of(delivery), at=now + days * DAY)
    take_mail(raw)
    event = Event.objects.get(verdict="hard")
    assert event.occurred_at == event.notification.received_at
    assert (event.effect_at, event.applied_at) == (event.occurred_at + timedelta(hours=6), None)
    assert subscription(delivery).status == "confirmed"
    assert take_mail(raw).events == 0


def test_the_date_of_a_mailed_bounce_is_believed_from_its_mail_on(delivery: Delivery) -> None:
    sent_at = Attempt.objects.get().started_at
    header = mailed.header_of(delivery)
    for number, (seconds, after) in enumerate([(-2, 0), (0, 0), (3, 3)]):
        at = sent_at + timedelta(seconds=seconds)
        take_mail(mailed.dsn("ada@post.example", header=header, at=at, number=number))
        assert Event.objects.latest("pk").occurred_at == sent_at + timedelta(seconds=after)


@pytest.mark.django_db
@pytest.mark.parametrize("days", [-9, 9])
def test_an_event_of_ses_that_came_by_mail_is_neither_of_tomorrow_nor_of_before_its_mail(days: int) -> None:
    now = timezone.now()
    take(ses.delivered(send_to("ada@post.example", at=now - 5 * DAY), at=now - 5 * DAY))
    delivery = send_to("ada@post.example", at=now)
    document = json.dumps(ses.bounced(delivery, at=now + days * DAY))
    take_mail(mailed.plain("no-reply@sns.amazonaws.com", "Notification", text=document))
    event = Event.objects.get(verdict="hard")
    assert now <= event.occurred_at <= timezone.now()
    assert subscription(delivery).status == "confirmed"


@pytest.mark.parametrize(
    "header", ["", "X-Mailinglist-Delivery: {pk}-1-00000000000000000000", "X-Other: {signed}"]
)
@pytest.mark.parametrize("kind", ["dsn", "arf", "qmail"])
def test_without_our_header_a_report_is_shown_and_acts_on_nobody(
    delivery: Delivery, header: str, kind: str
) -> None:
    signed = mailed.header_of(delivery).partition(": ")[2]
    line = header.format(pk=delivery.pk, signed=signed)
    raw = mailed.dsn("ada@post.example", header=line) if kind == "dsn" else getattr(mailed, kind)(line)
    assert take_mail(raw).events == 1
    event = Event.objects.get()
    assert event.recipient == "ada@post.example" and event.verdict in ("hard", "complaint")
    assert event.delivery is None and event.subscriber is None
    assert state_of(delivery) == "sent" and subscription(delivery).status == "confirmed"


def test_the_header_of_another_attempt_or_of_a_mail_that_is_not_there_is_nobodys(delivery: Delivery) -> None:
    take_mail(mailed.dsn("ada@post.example", header=mailed.header_of(delivery, attempt=2)))
    assert Event.objects.get().delivery is None
    assert subscription(delivery).status == "confirmed"


@pytest.mark.parametrize(
    ("raw", "kind", "verdict"),
    [
        (mailed.dsn("ada@post.example", header="{}", action="delayed", status="4.4.1"), "delay", "delayed"),
        (mailed.dsn("ada@post.example", header="{}", action="relayed", status="2.0.0"), "delivery", "delivered"),
        (
            mailed.plain("ada@post.example", "Out of office", extra="Auto-Submitted: auto-replied\n{}"),
            "auto-reply", "auto-reply",
        ),
        (
            mailed.plain("ada@post.example", "Please confirm (Action Required)", extra="{}"),
            "challenge", "not-a-bounce",
        ),
        (
            mailed.plain("ada@post.example", "Re: News", extra="{}", text="550 5.1.1 User unknown? Really?"),
            "ordinary", "not-a-bounce",
        ),
    ],
)  # fmt: skip
def test_what_is_no_bounce_has_its_verdict_and_acts_on_nobody_whatever_it_returns(
    delivery: Delivery, raw: bytes, kind: str, verdict: str
) -> None:
    before = list(Delivery.objects.values()), list(Attempt.objects.values())
    take_mail(raw.replace(b"{}", mailed.header_of(delivery).encode()))
    event = Event.objects.get()
    assert (event.kind, event.verdict, event.recipient) == (kind, verdict, "ada@post.example")
    assert (list(Delivery.objects.values()), list(Attempt.objects.values())) == before
    assert subscription(delivery).status == "confirmed" and not Change.objects.filter(actor="rule").exists()


def test_of_several_people_behind_an_address_only_the_one_we_mailed_is_meant(delivery: Delivery) -> None:
    header = mailed.header_of(delivery)
    take_mail(mailed.dsn("eve@post.example", "bob@post.example", header=header))
    assert Event.objects.filter(delivery__isnull=True).count() == 2
    assert subscription(delivery).status == "confirmed"
    take_mail(mailed.dsn("eve@post.example", "Ada@Post.Example", header=header, number=2))
    assert Event.objects.get(delivery=delivery).recipient == "Ada@Post.Example"
    assert subscription(delivery).status == "unsubscribed"


def test_an_alias_alone_is_the_person_we_mailed(delivery: Delivery) -> None:
    take_mail(mailed.dsn("ada.l@inside.post.example", header=mailed.header_of(delivery)))
    assert Event.objects.get().recipient == "ada.l@inside.post.example"
    assert subscription(delivery).status == "unsubscribed"


def test_the_same_report_twice_and_by_ses_too_has_one_effect(delivery: Delivery) -> None:
    raw = mailed.dsn("ada@post.example", header=mailed.header_of(delivery))
    take_mail(raw)
    take_mail(b"Received: from elsewhere\n" + raw)
    assert Event.objects.count() == 1
    take(ses.bounced(delivery))
    assert Event.objects.count() == 2
    assert Change.objects.filter(noun="suppression").count() == 1


def test_what_cannot_be_read_goes_to_the_quarantine_and_its_neighbour_is_processed(
    delivery: Delivery,
) -> None:
    bomb = b"From: a@b.example\nContent-Type: multipart/mixed; boundary=x\n\n" + b"boundary=\n" * 300
    done = take_mail(bomb, mailed.dsn("ada@post.example", header=mailed.header_of(delivery)))
    assert (done.processed, done.quarantined) == (1, 1)
    assert "nested parts" in Notification.objects.get(state="quarantined").error
    assert state_of(delivery) == "bounced"


def test_an_event_of_ses_that_came_as_mail_acts_by_our_tag_and_not_by_its_message_id(
    delivery: Delivery,
) -> None:
    document = ses.bounced(delivery)
    del document["mail"]["tags"]
    sns = {"Type": "Notification", "MessageId": "m", "TopicArn": "t", "Message": json.dumps(document)}
    take_mail(mailed.plain("no-reply@sns.amazonaws.com", "Notification", text=json.dumps(sns)))
    assert Event.objects.get().delivery is None and subscription(delivery).status == "confirmed"
    sns["Message"] = json.dumps(ses.bounced(delivery))
    take_mail(mailed.plain("no-reply@sns.amazonaws.com", "Notification", text=json.dumps(sns)))
    assert subscription(delivery).status == "unsubscribed"


@pytest.mark.parametrize(
    ("date", "at"),
    [(T0, T0), (NOW + timedelta(days=400), NOW), (datetime(1970, 1, 1, tzinfo=UTC), NOW)],
)
def test_a_report_is_as_old_as_its_date_unless_that_is_no_date_of_a_mail(
    date: datetime, at: datetime
) -> None:
    (found,) = reading.of_mail(mailed.dsn("a@b.example", at=date), received_at=NOW).judged
    assert found.fact.occurred_at == at


@pytest.mark.parametrize(
    "date", [b"Date: \n", b"Date: yesterday\n", b"Date: Fri, 99 Nov 2026 99:00:00 +9999\n", b""]
)
def test_a_report_without_a_date_is_as_old_as_its_arrival(date: bytes) -> None:
    raw = mailed.dsn("a@b.example")
    start = raw.index(b"Date: ")
    raw = raw[:start] + date + raw[raw.index(b"\n", start) + 1 :]
    (found,) = reading.of_mail(raw, received_at=NOW).judged
    assert found.fact.occurred_at == NOW


def test_every_sample_mail_becomes_events_that_fit_their_columns(db: None) -> None:
    files = sorted((PAYLOADS / "mails").glob("*.eml"))
    done = take_mail(*(file.read_bytes() for file in files))
    assert (done.processed, done.failed) == (len(files), 0)
    for file in files:
        assert reading.of_mail(file.read_bytes(), received_at=NOW).judged, file.name


def test_a_report_that_came_twice_by_different_ways_has_the_same_key() -> None:
    raw = mailed.dsn("a@b.example")
    found: Any = reading.of_mail(raw, received_at=NOW).judged
    again: Any = reading.of_mail(b"Received: x\n" + raw, received_at=NOW + timedelta(days=1)).judged
    assert [each.fact.dedupe_key for each in found] == [each.fact.dedupe_key for each in again]
