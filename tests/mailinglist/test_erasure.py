"""After an erasure the database does not know the address, the numbers are as before, and no import brings it back."""

import base64
import io
import json
from typing import Any

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from bounces import ingest, pipeline, receivers
from bounces.models import Event, Incident, Notification
from mailinglist import erasure, imports, lifecycle, person_data, subscriptions, suppression
from mailinglist.changes import SYSTEM, Actor, Kind, Noun, record
from mailinglist.models import (
    Attempt,
    Change,
    ConsentRecord,
    Delivery,
    MailingList,
    Subscriber,
    Subscription,
    Suppression,
)
from mailinglist.reports import campaign_report
from mailinglist.sending import queue
from mailinglist.sending.outcomes import Refused, Scope
from mailinglist.subscriptions import Consent, SignUp
from tests import ses_events as ses
from tests.bounces.helpers import take
from tests.factories import make_campaign, make_list, make_subscriber

pytestmark = pytest.mark.django_db
LOCAL = "Augusta.King.1815"
ADDRESS = f"{LOCAL}@Post.example"
PERSON = Actor(Kind.PERSON)

_COLUMNS = """
    SELECT c.table_name, c.column_name, c.data_type
    FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name)
    WHERE c.table_schema = 'public' AND t.table_type = 'BASE TABLE'
      AND (c.data_type IN ('text', 'character varying', 'character', 'jsonb', 'json', 'bytea', 'ARRAY'))"""


def holding(*needles: str) -> list[str]:
    """table.column of everything in the database that holds one of these, in any case."""
    found = []
    with connection.cursor() as cursor:
        cursor.execute(_COLUMNS)
        columns = cursor.fetchall()
        assert len(columns) > 80
        for table, column, kind in columns:
            shown = f"encode(\"{column}\", 'escape')" if kind == "bytea" else f'"{column}"::text'
            for needle in needles:
                cursor.execute(
                    f'SELECT count(*) FROM "{table}" WHERE strpos(lower({shown}), lower(%s)) > 0', [needle]
                )
                if cursor.fetchone()[0]:
                    found.append(f"{table}.{column}")
    return sorted(set(found))


def quarantine(raw: bytes, error: str = "It is not JSON.") -> None:
    row = ingest.Incoming(raw, Notification.Source.DSN, ingest.content_key(raw), error=error)
    ingest.store_many([row], wake=False)


def lives(news: MailingList) -> Subscriber:
    """A person with a trace in every table that can hold an address."""
    consent = Consent(timezone.now(), ip="192.0.2.7", user_agent="Firefox", text="Yes.")
    subscriptions.subscribe(news, ADDRESS, consent=consent, source="form", by=PERSON, name="Augusta")
    ada = Subscriber.objects.get(email_key=ADDRESS.lower())
    subscriptions.confirm(ada, news, ip="192.0.2.7", by=PERSON)
    suppression.suppress(ada.pk, reason=Suppression.Reason.MANUAL, by=SYSTEM, why=f"550 <{ADDRESS}> unknown")
    suppression.release(Suppression.objects.get().pk, by=SYSTEM, why=f"{ADDRESS.upper()} called.")
    delivered, bounced = mail(news, ada), mail(news, ada)
    take(
        ses.delivered(delivered),
        ses.opened(delivered),
        ses.opened(delivered, "Click"),
        ses.full(bounced),
        ses.complained(delivered, "not-spam"),
    )
    Event.objects.filter(kind="bounce").update(
        diagnostic=f"<{ADDRESS}> is full", explanation=f"{ADDRESS} is full"
    )
    refused = mail(news, ada, accept=False)
    claimed = queue.claim(9, campaign_id=refused.campaign_id, lease_seconds=60)
    hers = [row for row in claimed if row.subscriber_id == ada.pk]
    queue.finish([(row, Refused(Scope.RECIPIENT, "x", f"Bad address {ADDRESS}")) for row in hers])
    mail(news, ada, accept=False)
    user = User.objects.create_user("boss")
    LogEntry.objects.create(
        user=user,
        content_type=ContentType.objects.get_for_model(Subscriber),
        object_id=str(ada.pk),
        object_repr=ADDRESS,
        action_flag=CHANGE,
    )
    LogEntry.objects.create(user=user, object_repr="x", action_flag=CHANGE, change_message=f"For {ADDRESS}")
    Incident.objects.create(
        provider="post.example",
        kind="hard",
        started_at=consent.at,
        ended_at=consent.at,
        state="released",
        decided_at=consent.at,
        why=f"{ADDRESS} says it was an outage.",
    )
    record(
        Noun.LIST, news.pk, before="", after="x", why=f"Told {ADDRESS.upper()}.", by=SYSTEM, list_id=news.pk
    )
    quarantine(f"From: {ADDRESS.upper()}\n\nnot JSON".encode())
    quarantine(b"Content-Transfer-Encoding: base64\n\n" + _base64(f"to {ADDRESS}"))
    quarantine(b"something else", error=f"{ADDRESS} is odd")
    # Another program on the same account mailed to it, too: the report belongs to nobody.
    foreign = ses.bounced(bounced)
    foreign["mail"] |= {"tags": {}, "messageId": "0100-another"}
    take(foreign)
    stored = json.dumps(ses.event("Send", delivered, {})).encode()
    ingest.store(stored, source=Notification.Source.FILE, dedupe_key="waits", wake=False)
    return ada


def _base64(text: str) -> bytes:
    return base64.b64encode(text.encode())


def mail(news: MailingList, who: Subscriber, *, accept: bool = True) -> Delivery:
    campaign = make_campaign(news)
    lifecycle.start(campaign.pk, by=SYSTEM)
    if accept:
        ses.accept_all(campaign.pk)
    return Delivery.objects.get(campaign=campaign, subscriber=who)


def test_no_column_of_no_table_knows_the_address_afterwards() -> None:
    news = make_list()
    make_subscriber("bob@post.example", news)
    ada = lives(news)
    before = holding(ADDRESS, LOCAL)
    assert {
        "bounces_event.recipient", "bounces_event.diagnostic", "bounces_event.explanation", "bounces_incident.why",
        "bounces_notification.raw", "bounces_notification.error", "django_admin_log.object_repr",
        "django_admin_log.change_message", "mailinglist_attempt.error_text", "mailinglist_change.why",
        "mailinglist_subscriber.email", "mailinglist_subscriber.email_key", "mailinglist_suppression.evidence",
    } <= set(before)  # fmt: skip
    erasure.forget(ada.pk, by=PERSON, why="Erased at their own wish.")
    assert holding(ADDRESS, LOCAL, "192.0.2.7", "Augusta", ada.token, "192.0.2.1") == []
    pipeline.process_everything()
    assert holding(ADDRESS, LOCAL) == []
    assert Subscriber.objects.get().email == "bob@post.example"


def test_the_numbers_of_a_campaign_stay_but_for_what_was_not_sent() -> None:
    news = make_list()
    ada, bob = make_subscriber(ADDRESS, news), make_subscriber("bob@post.example", news)
    mine = [mail(news, ada) for _ in range(4)]
    take(ses.delivered(mine[0]), ses.bounced(mine[1]), ses.complained(mine[2], "not-spam"))
    before = {row.campaign_id: campaign_report(row.campaign_id or 0) for row in mine}
    assert erasure.forget(ada.pk, by=PERSON, why="x").mails == 4
    assert {row.campaign_id: campaign_report(row.campaign_id or 0) for row in mine} == before
    assert Delivery.objects.filter(subscriber=bob).count() == 4
    assert not Delivery.objects.filter(subscriber=ada.pk).exists()


@pytest.mark.parametrize("state", ["queued", "sending", "unknown", "waiting"])
def test_what_is_not_sent_never_is(state: str) -> None:
    news = make_list()
    ada = make_subscriber(ADDRESS, news)
    row = mail(news, ada, accept=False)
    times = {"waiting": {"next_attempt_at": row.created_at}, "sending": {"lease_until": row.created_at}}
    Delivery.objects.filter(pk=row.pk).update(state=state, **times.get(state, {}))
    erasure.forget(ada.pk, by=PERSON, why="x")
    row.refresh_from_db()
    assert (row.state, row.reason, row.subscriber_id) == ("skipped", "erased", None)
    with pytest.raises(queue.CannotResend, match="erased"):
        queue.resend(row.pk, by=SYSTEM)
    with pytest.raises(IntegrityError, match="delivery_to_send_has_person"), transaction.atomic():
        Delivery.objects.filter(pk=row.pk).update(state="queued")


def test_a_mail_that_is_being_posted_right_now_keeps_its_attempt_and_no_person() -> None:
    news = make_list()
    ada = make_subscriber(ADDRESS, news)
    row = mail(news, ada, accept=False)
    claimed = queue.claim(9, campaign_id=row.campaign_id, lease_seconds=60)
    erasure.forget(ada.pk, by=PERSON, why="x")
    queue.finish([(claimed[0], Refused(Scope.THROTTLE, "throttled", "Slow down."))])
    row.refresh_from_db()
    assert (row.state, row.reason) == ("skipped", "erased")
    assert Attempt.objects.get().result == "refused"


def test_reports_that_come_later_keep_neither_the_address_nor_the_words() -> None:
    news = make_list()
    ada = make_subscriber(ADDRESS, news)
    row = mail(news, ada)
    late = [ses.full(row), ses.delivered(row), ses.complained(row), ses.opened(row), ses.opened(row, "Click")]
    erasure.forget(ada.pk, by=PERSON, why="x")
    assert take(*late).processed == 5
    assert holding(ADDRESS, "192.0.2.1") == []
    assert sorted(Event.objects.values_list("kind", flat=True)) == ["bounce", "complaint", "delivery"]
    assert set(Event.objects.values_list("delivery_id", "subscriber_id")) == {(row.pk, None)}
    assert set(Notification.objects.values_list("raw", flat=True)) == {None}
    row.refresh_from_db()
    assert row.state == "sent"


def test_a_report_that_found_its_mail_only_after_the_erasure_is_emptied() -> None:
    news = make_list()
    ada = make_subscriber(ADDRESS, news)
    row = mail(news, ada)
    Attempt.objects.update(message_id=None, result="unknown")
    early = ses.full(row)
    early["mail"]["tags"] = {}
    take(early)
    erased_id = erasure.forget(ada.pk, by=PERSON, why="x")
    assert erased_id.people == 1
    Event.objects.update(recipient=ADDRESS)
    Attempt.objects.update(message_id=ses.message_id(row))
    assert pipeline.rematch() == 1
    assert holding(ADDRESS) == []


def test_an_import_does_not_bring_an_erased_person_back_and_counts_them() -> None:
    news = make_list()
    erasure.forget(make_subscriber(ADDRESS, news).pk, by=PERSON, why="x")
    file = io.BytesIO(f"email\n{ADDRESS.upper()}\nbob@post.example\n".encode())
    report = imports.import_csv(news.pk, file, by=SYSTEM)
    assert (report.suppressed, report.new_subscriptions) == (1, 1)
    assert not Subscriber.objects.exclude(email="bob@post.example").exists()


def test_a_stronger_block_stays_and_loses_its_words() -> None:
    ada = make_subscriber(ADDRESS)
    suppression.suppress(ada.pk, reason=Suppression.Reason.COMPLAINT, by=SYSTEM, why=f"{ADDRESS} complained")
    erasure.forget(ada.pk, by=PERSON, why="x")
    row = Suppression.objects.get()
    assert (row.reason, row.active, row.evidence) == ("complaint", True, suppression.SAYS_ERASED)


class TestComingBack:
    @pytest.fixture
    def news(self) -> MailingList:
        news = make_list(double_opt_in=False)
        erasure.forget(make_subscriber(ADDRESS, news).pk, by=PERSON, why="x")
        return news

    def sign_up(self, news: MailingList, by: Actor = PERSON) -> SignUp:
        consent = Consent(timezone.now())
        return subscriptions.subscribe(news, ADDRESS, consent=consent, source="form", by=by)

    def test_the_person_alone_comes_back_and_always_by_a_confirmation(self, news: MailingList) -> None:
        assert self.sign_up(news) == SignUp.CONFIRMATION_SENT
        assert Suppression.objects.get().active
        assert len(queue.claim(9, campaign_id=None, lease_seconds=60)) == 1
        ada = Subscriber.objects.get()
        assert subscriptions.confirm(ada, news, ip=None, by=PERSON)
        assert not Suppression.objects.exists()
        assert Change.objects.filter(noun="suppression", after="released").exists()

    def test_nobody_else_brings_them_back(self, news: MailingList) -> None:
        assert self.sign_up(news, by=Actor(Kind.USER)) == SignUp.SUPPRESSED
        assert self.sign_up(news, by=SYSTEM) == SignUp.SUPPRESSED

    def test_until_then_no_other_mail_goes_to_the_address(self, news: MailingList) -> None:
        self.sign_up(news)
        ada = Subscriber.objects.get()
        person_data.ask(ada, news, by=PERSON)
        claimed = queue.claim(9, campaign_id=None, lease_seconds=60)
        assert [row.purpose for row in claimed] == ["confirmation"]

    def test_what_ses_says_of_the_address_is_stronger(self, news: MailingList) -> None:
        at = timezone.now()
        listed = suppression.mirror(
            ADDRESS, reason=Suppression.Reason.COMPLAINT, since=at, by=SYSTEM, why="SES has it."
        )
        assert listed == "new"
        assert self.sign_up(news) == SignUp.SUPPRESSED


def test_changes_stay_without_the_person_and_one_says_what_happened() -> None:
    news = make_list()
    ada = lives(news)
    before = Change.objects.count()
    erasure.forget(ada.pk, by=PERSON, why="Erased at their own wish.")
    assert Change.objects.count() == before + 1
    last = Change.objects.order_by("pk").last()
    assert last and (last.noun, last.object_id, last.after, last.actor) == (
        "subscriber",
        ada.pk,
        "erased",
        "person",
    )
    assert not Change.objects.exclude(subscriber=None).exists()


def test_erased_twice_is_erased_once() -> None:
    ada = make_subscriber(ADDRESS)
    assert erasure.forget(ada.pk, by=PERSON, why="x").people == 1
    assert erasure.forget(ada.pk, by=PERSON, why="x").as_dict() == erasure.Forgotten().as_dict()
    assert Change.objects.filter(after="erased").count() == 1


def test_others_keep_what_is_theirs() -> None:
    news = make_list()
    bob = make_subscriber(f"x{ADDRESS}", news)
    take(ses.full(mail(news, bob)))
    erasure.forget(make_subscriber(ADDRESS, news).pk, by=PERSON, why="x")
    assert Subscription.objects.get().subscriber == bob
    assert Event.objects.get().recipient == bob.email
    assert ConsentRecord.objects.count() == 0


def command(*arguments: str, **options: Any) -> dict[str, int]:
    out = io.StringIO()
    call_command("erase_subscriber", *arguments, stdout=out, **options)
    found: dict[str, int] = json.loads(out.getvalue())
    return found


def test_the_command_erases_and_says_what() -> None:
    make_subscriber(ADDRESS, make_list())
    assert command(ADDRESS.lower(), "--yes", "--json")["subscriptions"] == 1
    assert not Subscriber.objects.exists()


@pytest.mark.parametrize(
    ("address", "status"), [(ADDRESS, 2), ("nobody@post.example", 2), ("no address", 2)], ids=str
)
def test_the_command_wants_a_known_address_and_a_yes(address: str, status: int) -> None:
    make_subscriber(ADDRESS)
    with pytest.raises(CommandError) as refused:
        command(address)
    assert refused.value.returncode == status
    assert Subscriber.objects.exists()


def test_an_index_leads_to_the_reports_that_belong_to_nobody() -> None:
    raw = Notification.objects.create(source="sns", dedupe_key="sns:1", state="processed")
    nobodys = {"notification": raw, "kind": "bounce", "occurred_at": timezone.now(), "verdict": "hard"}
    Event.objects.bulk_create(
        Event(recipient=f"p{number}@post.example", dedupe_key=str(number), **nobodys)
        for number in range(2000)
    )
    values = {"ids": [1], "keys": ["ada@post.example"], "says": "", "shared": []}
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE bounces_event")
        cursor.execute("EXPLAIN " + receivers._BLANK_EVENTS, values)
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "event_of_nobody" in plan  # a scan of it, or of its bitmap
