"""Incidents: seen, held, decided, taken back; in any order of events, and the outage of December 2020 replayed."""

import importlib
import io
import json
import random
from collections.abc import Callable
from datetime import timedelta
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from bounces import incidents, judgement, pipeline, slots
from bounces.models import Event, Incident, Policy, ProviderSlot
from mailinglist import suppression
from mailinglist.changes import Actor, Kind
from mailinglist.models import Change, Delivery, Subscriber, Subscription, Suppression
from tests import ses_events as ses
from tests.bounces.helpers import take
from tests.bounces.outage import (
    DAY,
    HOUR,
    OUTAGE,
    PEOPLE,
    deliver,
    history,
    mail_all,
    people,
    refuse,
    unapplied,
)
from tests.factories import make_list, make_readers, make_subscriber

pytestmark = [pytest.mark.django_db, pytest.mark.no_cover, pytest.mark.usefixtures("small_waves")]
#: With the numbers of the product, not with few people.
usual_waves = pytest.mark.usefixtures("usual_waves")
BY = Actor(Kind.COMMAND)


def lost() -> int:
    return Subscription.objects.filter(status="unsubscribed").count()


def blocked() -> int:
    return Suppression.objects.filter(released_at__isnull=True).count()


def apply_migration(name: str) -> None:
    """What its SQL does to the rows that are there."""
    module = importlib.import_module(f"bounces.migrations.{name}")
    with connection.cursor() as cursor:
        for operation in module.Migration.operations:
            cursor.execute(operation.sql)


def outage() -> Incident:
    """People at Gmail who took mail before, and all of them refused."""
    refuse(mail_all(history(), OUTAGE), OUTAGE)
    incidents.watch()
    return Incident.objects.get()


@usual_waves
def test_the_outage_of_december_2020_unsubscribes_nobody_who_took_mail_before() -> None:
    """Two campaigns in the six hours: the second hard bounce would have ended the hold. Two never took mail."""
    news = history(40)
    strangers = [make_subscriber(f"typo{number}@gmail.com", news) for number in range(2)]
    first = mail_all(news, OUTAGE)
    known = [row for row in first if not row.subscriber.email.startswith("typo")]
    refuse([row for row in first if row not in known], OUTAGE)
    refuse(known[:20], OUTAGE)
    incidents.watch()
    refuse(known[20:], OUTAGE + 2 * HOUR)
    incidents.watch()
    refuse(mail_all(news, OUTAGE + 4 * HOUR), OUTAGE + 4 * HOUR)
    incidents.watch()
    pipeline.apply_due_effects()

    gone = Subscription.objects.filter(status="unsubscribed").values_list("subscriber_id", flat=True)
    assert sorted(gone) == sorted(person.pk for person in strangers)
    assert blocked() == 2
    incident = Incident.objects.get()
    assert (incident.provider, incident.kind, incident.state) == ("gmail.com", "hard", "open")
    assert incident.started_at <= OUTAGE < incident.started_at + timedelta(minutes=15)
    assert incident.share > 0.9 and incident.baseline < 0.01
    held = Event.objects.filter(verdict="hard", applied_at__isnull=True)
    assert held.count() == 80
    assert set(held.values_list("effect_text", flat=True)) == {
        "The provider refuses many people it took mail for before. This bounce is held until a manager decides "
        "about the incident."
    }
    assert Change.objects.get(noun="incident").after == "open"


def test_without_incidents_the_same_outage_would_have_cost_everybody() -> None:
    refuse(mail_all(history(), OUTAGE), OUTAGE)
    assert lost() == PEOPLE


def test_what_the_bounces_did_before_the_incident_was_seen_is_taken_back() -> None:
    refuse(mail_all(history(), OUTAGE), OUTAGE)
    assert (lost(), blocked()) == (PEOPLE, PEOPLE)
    incidents.watch()
    assert (lost(), blocked(), unapplied()) == (0, 0, PEOPLE)
    assert Subscriber.objects.filter(reset_at__isnull=False).count() == 0


@pytest.mark.parametrize("seed", range(4))
def test_any_order_of_events_and_looks_ends_in_the_same_state(seed: int) -> None:
    news = history()
    documents = [
        ses.bounced(row, "Permanent", "General", "5.1.1", "smtp; 550 5.1.1 user unknown", at=at)
        for at in (OUTAGE, OUTAGE + 3 * HOUR)
        for row in mail_all(news, at)
    ]
    shuffle = random.Random(seed)
    shuffle.shuffle(documents)
    while documents:
        size = shuffle.randint(1, 7)
        take(*documents[:size])
        documents = documents[size:]
        if shuffle.random() < 0.5:
            incidents.watch()
    incidents.watch()
    incident = Incident.objects.get()
    assert (lost(), blocked(), unapplied(), incident.started_at) == (0, 0, 2 * PEOPLE, OUTAGE)
    assert incident.ended_at == OUTAGE + 9 * HOUR + timedelta(minutes=15)


def test_confirmed_everything_takes_effect_at_once() -> None:
    incident = outage()
    done = incidents.confirm(incident.pk, by=BY, why="The company is gone.")
    assert (done.people, done.subscriptions, done.suppressions) == (PEOPLE, PEOPLE, PEOPLE)
    assert (lost(), blocked(), unapplied()) == (PEOPLE, PEOPLE, 0)
    with pytest.raises(incidents.CannotDecide, match="believed"):
        incidents.confirm(incident.pk, by=BY, why="Again.")


def test_released_nothing_counts_and_ses_is_asked_to_forget_the_addresses() -> None:
    user = User.objects.create_user("boss")
    incident = outage()
    done = incidents.release(incident.pk, by=Actor(Kind.USER, user=user), why="Gmail says so.")
    incident.refresh_from_db()
    assert (done.people, incident.state, incident.decided_by, incident.why) == (
        PEOPLE,
        "released",
        user,
        "Gmail says so.",
    )
    assert (lost(), blocked()) == (0, 0)
    assert set(Event.objects.filter(verdict="hard").values_list("effect", flat=True)) == {""}
    assert Suppression.objects.filter(released_at__isnull=False, synced_at__isnull=True).count() == PEOPLE
    assert Subscriber.objects.filter(reset_at__isnull=True).count() == 0
    assert Change.objects.filter(noun="incident").latest("pk").why == "Gmail says so."


def test_the_command_takes_an_incident_back_after_it_has_counted() -> None:
    incident = outage()
    incidents.confirm(incident.pk, by=BY, why="Gmail means it.")
    counts = {"people": PEOPLE, "subscriptions": PEOPLE, "suppressions": PEOPLE}
    for arguments in (["--dry-run"], ["--dry-run"], []):
        assert (lost(), blocked(), Incident.objects.get().state) == (PEOPLE, PEOPLE, "confirmed")
        out = io.StringIO()
        call_command("restore_bounced", "--incident", str(incident.pk), "--json", *arguments, stdout=out)
        assert json.loads(out.getvalue()) == counts
    assert (lost(), blocked(), Incident.objects.get().state) == (0, 0, "released")
    out = io.StringIO()
    call_command("restore_bounced", "--incident", str(incident.pk), stdout=out)
    assert f"{PEOPLE} people: 0 subscriptions were restored" in out.getvalue()


def test_a_released_bounce_is_no_first_one_and_later_ones_follow_the_policy() -> None:
    incident = outage()
    incidents.release(incident.pk, by=BY, why="An outage.")
    person = Subscriber.objects.order_by("pk")[0]
    later = next(
        row
        for row in mail_all(Subscription.objects.all()[0].list, OUTAGE + 400 * DAY * 6)
        if row.subscriber == person
    )
    refuse([later], OUTAGE + 400 * DAY * 6)
    event = Event.objects.filter(subscriber=person, verdict="hard").latest("occurred_at")
    assert event.effect == "unsubscribe-and-suppress" and "6 hours" in event.effect_text


def test_a_confirmed_incident_can_be_restored_with_one_action() -> None:
    incident = outage()
    incidents.confirm(incident.pk, by=BY, why="It looks true.")
    done = incidents.release(incident.pk, by=BY, why="It was not.")
    assert (done.people, done.subscriptions, done.suppressions) == (PEOPLE, PEOPLE, PEOPLE)
    assert (lost(), blocked()) == (0, 0)
    for _ in range(2):
        judgement.settle(subscriber_ids=list(Subscriber.objects.values_list("pk", flat=True)))
        incidents.watch()
    assert (lost(), Incident.objects.count()) == (0, 1)


def test_a_restore_that_was_interrupted_is_completed_by_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    incident = outage()
    incidents.confirm(incident.pk, by=BY, why="It looks true.")
    monkeypatch.setattr(incidents, "BATCH", 3)
    calls = []

    def fails(people: list[int], **kwargs: Any) -> None:
        calls.append(people)
        if len(calls) == 2:
            raise ConnectionError("the database went away")
        original(subscriber_ids=people)

    original = judgement.settle
    monkeypatch.setattr(judgement, "settle", lambda *, subscriber_ids: fails(subscriber_ids))
    with pytest.raises(ConnectionError):
        incidents.release(incident.pk, by=BY, why="It was not.")
    assert lost() == PEOPLE - 3
    incidents.release(incident.pk, by=BY, why="It was not.")
    assert lost() == 0


def test_what_somebody_asked_for_in_the_meantime_stays() -> None:
    refuse(mail_all(history(), OUTAGE), OUTAGE)
    person = Subscriber.objects.order_by("pk")[0]
    delivery = person.deliveries.latest("pk")
    take(ses.complained(delivery))
    incidents.watch()
    incidents.release(Incident.objects.get().pk, by=BY, why="An outage.")
    assert (lost(), blocked()) == (1, 1)
    assert person.subscriptions.get().unsubscribe_reason == "complaint"


def test_mails_that_ses_swallowed_after_the_outage_are_taken_back_too() -> None:
    incident = outage()
    deliveries = mail_all(Subscription.objects.all()[0].list, OUTAGE + HOUR)
    take(
        *(
            ses.bounced(row, subtype="OnAccountSuppressionList", action="", at=OUTAGE + HOUR)
            for row in deliveries
        )
    )
    assert blocked() == PEOPLE
    incidents.release(incident.pk, by=BY, why="An outage.")
    assert blocked() == 0


def domain_gone() -> Subscriber:
    """Somebody whose domain was not found two days before the outage, and again in it, as it seemed, at the provider."""
    news = history()
    person = make_subscriber("eve@gmail.com", news)
    for at, back in ((OUTAGE - 7 * DAY, "delivered"), (OUTAGE - 2 * DAY, "gone"), (OUTAGE, "gone")):
        (mail,) = [row for row in mail_all(news, at) if row.subscriber == person]
        gone = ("Permanent", "General", "5.4.4", "smtp; 550 5.4.4 Invalid domain: host not found")
        take(ses.delivered(mail, at=at) if back == "delivered" else ses.bounced(mail, *gone, at=at))
    refuse(list(Delivery.objects.filter(campaign=mail.campaign).exclude(subscriber=person)), OUTAGE)
    return person


@pytest.mark.parametrize("act", [incidents.confirm, incidents.release])
def test_a_domain_that_was_not_found_twice_is_decided_with_the_incident(act: Callable[..., Any]) -> None:
    person = domain_gone()
    assert (lost(), suppression.is_suppressed(person)) == (PEOPLE + 1, True)
    incidents.watch()
    incident = Incident.objects.get()
    assert (lost(), blocked(), len(incidents.held_people(incident))) == (0, 0, PEOPLE + 1)
    act(incident.pk, by=BY, why="So it is.")
    end = PEOPLE + 1 if act is incidents.confirm else 0
    assert (lost(), blocked(), suppression.is_suppressed(person)) == (end, end, bool(end))
    incidents.release(incident.pk, by=BY, why="It was an outage.")
    assert (lost(), blocked()) == (0, 0)


@usual_waves
def test_an_old_list_is_no_incident() -> None:
    """Addresses that never took a mail bounce in any number."""
    refuse(mail_all(people(40), OUTAGE), OUTAGE)
    assert incidents.watch() == []
    assert (lost(), Incident.objects.count()) == (40, 0)


@usual_waves
def test_a_few_bounces_among_many_deliveries_are_no_incident() -> None:
    news = history(60)
    sent = mail_all(news, OUTAGE)
    deliver(sent[19:], OUTAGE)
    refuse(sent[:19], OUTAGE)
    incidents.watch()
    assert Incident.objects.count() == 0


def test_only_the_provider_of_the_incident_is_held() -> None:
    news = history()
    other = make_subscriber("ada@post.example", news)
    deliver([row for row in mail_all(news, OUTAGE - DAY) if row.subscriber == other], OUTAGE - DAY)
    refuse(mail_all(news, OUTAGE), OUTAGE)
    incidents.watch()
    ended = Subscription.objects.filter(status="unsubscribed")
    assert [row.subscriber for row in ended] == [other]


@usual_waves
def test_all_domains_of_a_provider_are_one_incident() -> None:
    news = history(15)
    for number in range(15):
        make_subscriber(f"q{number}@googlemail.com", news)
    deliver(mail_all(news, OUTAGE - 3 * DAY), OUTAGE - 3 * DAY)
    refuse(mail_all(news, OUTAGE), OUTAGE)
    incidents.watch()
    assert (Incident.objects.get().provider, lost()) == ("gmail.com", 0)


def wave_of_blocks() -> tuple[Incident, Event]:
    """Many mails are blocked, and one address of them bounces hard in the same minute, within its hold."""
    now = timezone.now()
    sent = mail_all(history(PEOPLE + 1), now)
    take(*(ses.blocked(row, at=now) for row in sent[:PEOPLE]))
    refuse(sent[PEOPLE:], now)
    incidents.watch()
    incident = Incident.objects.get()
    assert incident.kind == "block"
    return incident, Event.objects.get(verdict="hard")


def test_a_wave_of_blocks_is_shown_and_leaves_the_hard_bounces_to_their_own_rules() -> None:
    incident, event = wave_of_blocks()
    held_until = event.occurred_at + 6 * HOUR
    assert event.effect_at == held_until
    incidents.confirm(incident.pk, by=BY, why="They block us.")
    event.refresh_from_db()
    assert (lost(), event.effect_at, event.applied_at) == (0, held_until, None)
    with pytest.raises(incidents.CannotDecide, match="nothing to take back"):
        incidents.release(incident.pk, by=BY, why="They were wrong.")
    with pytest.raises(CommandError, match="nothing to take back"):
        call_command("restore_bounced", "--incident", str(incident.pk))
    event.refresh_from_db()
    assert (event.effect, event.effect_at) == ("unsubscribe-and-suppress", held_until)


def test_what_a_wave_of_blocks_held_before_an_update_is_judged_anew() -> None:
    _, event = wave_of_blocks()
    Event.objects.filter(pk=event.pk).update(effect_at=None)
    apply_migration("0025_judge_held_anew")
    pipeline.apply_due_effects()
    event.refresh_from_db()
    assert (event.effect_at, event.applied_at) == (event.occurred_at + 6 * HOUR, None)


def test_what_an_incident_of_hard_bounces_holds_stays_held_after_an_update() -> None:
    outage()
    apply_migration("0025_judge_held_anew")
    assert pipeline.apply_due_effects() == PEOPLE
    assert (lost(), unapplied()) == (0, PEOPLE)
    assert not Event.objects.filter(verdict="hard", effect_at__isnull=False).exists()


@pytest.mark.parametrize("turned", [False, True])
def test_an_incident_left_open_does_not_swallow_what_comes_before_the_next_wave(turned: bool) -> None:
    """Waves twenty days apart, and between them one bounce that is nobody's fault but the person's."""
    news = history(PEOPLE + 1)
    months = [mail_all(news, OUTAGE + days * DAY) for days in (0, 10, 20)]
    last = months[0].pop()
    deliver([last], OUTAGE)
    months[1] = [row for row in months[1] if row.subscriber == last.subscriber]
    months[2] = [row for row in months[2] if row.subscriber != last.subscriber]
    looks = list(zip(months, (0, 10, 20), strict=True))
    for deliveries, days in reversed(looks) if turned else looks:
        refuse(deliveries, OUTAGE + days * DAY)
        incidents.watch()
    first, second = Incident.objects.filter(state="open").order_by("started_at")
    assert first.ended_at < OUTAGE + DAY and second.started_at == OUTAGE + 20 * DAY
    ended = Subscription.objects.filter(status="unsubscribed")
    assert [row.subscriber for row in ended] == [last.subscriber]
    incidents.release(first.pk, by=BY, why="An outage.")
    assert (lost(), blocked(), Incident.objects.get(state="open")) == (1, 1, second)


def test_a_wave_between_two_open_incidents_makes_them_one() -> None:
    news = history()
    sent = {hours: mail_all(news, OUTAGE + hours * HOUR) for hours in (0, 5, 10)}
    for hours in (0, 10):
        refuse(sent[hours], OUTAGE + hours * HOUR)
        incidents.watch()
    first, second = Incident.objects.order_by("started_at")
    refuse(sent[5], OUTAGE + 5 * HOUR)
    incidents.watch()
    incident = Incident.objects.get()
    assert (incident.pk, incident.started_at) == (first.pk, OUTAGE)
    assert incident.ended_at == OUTAGE + 16 * HOUR + timedelta(minutes=15)
    assert (incident.bounced, lost(), unapplied()) == (3 * PEOPLE, 0, 3 * PEOPLE)
    assert Change.objects.get(noun="incident", object_id=second.pk, before="open").why.startswith(
        "A wave between"
    )
    with pytest.raises(incidents.CannotDecide, match="became part of another"):
        incidents.confirm(second.pk, by=BY, why="I saw it before.")


def test_a_wave_that_goes_on_after_the_decision_is_an_incident_of_its_own() -> None:
    incident = outage()
    Incident.objects.filter(pk=incident.pk).update(ended_at=OUTAGE + HOUR)
    incidents.release(incident.pk, by=BY, why="An outage.")
    refuse(mail_all(Subscription.objects.all()[0].list, OUTAGE + 2 * HOUR), OUTAGE + 2 * HOUR)
    incidents.watch()
    newer = Incident.objects.get(state="open")
    assert newer.started_at >= OUTAGE + HOUR
    assert lost() == 0


@pytest.mark.parametrize("act", [incidents.confirm, incidents.release])
def test_a_decision_in_the_midst_of_a_wave_is_asked_again_only_when_more_comes(
    act: Callable[..., Any],
) -> None:
    now = timezone.now()
    news = history(PEOPLE + 2)
    sent = mail_all(news, now - HOUR)
    refuse(sent[:PEOPLE], now - timedelta(minutes=20))  # a decision is about a whole slot at least
    incidents.watch()
    act(Incident.objects.get().pk, by=BY, why="I know.")
    deliver(sent[PEOPLE : PEOPLE + 1], timezone.now())
    assert incidents.watch() == [] and Incident.objects.count() == 1
    refuse(sent[PEOPLE + 1 :], timezone.now() + timedelta(seconds=2))  # SES's times have whole thousandths
    (newer,) = incidents.watch()
    assert (newer.state, newer.bounced >= 1, newer.seen >= newer.bounced) == ("open", True, True)
    event = Event.objects.get(delivery=sent[PEOPLE + 1])
    assert (event.effect_at, event.applied_at, incidents.held_people(newer)) == (
        None,
        None,
        [event.subscriber_id],
    )


def test_an_earlier_outage_does_not_raise_what_is_usual() -> None:
    incident = outage()
    incidents.release(incident.pk, by=BY, why="An outage.")
    assert incidents.usual_share("gmail.com", "hard", OUTAGE + 10 * DAY) < 0.01


def test_a_manager_can_leave_one_held_bounce_alone_or_believe_it() -> None:
    Policy.objects.create(soft_retry_days=[1])
    outage()
    first, second = Event.objects.filter(verdict="hard").order_by("pk")[:2]
    assert incidents.rule([first.pk], Event.Ruling.LEAVE, by=BY, why="She called.") == 1
    assert incidents.rule([second.pk], Event.Ruling.APPLY, by=BY, why="He left.") == 1
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.effect, first.applied_at) == ("", None)
    assert second.applied_at is not None
    assert (lost(), blocked()) == (1, 1)
    assert suppression.is_suppressed(second.subscriber)
    assert incidents.rule([second.pk], Event.Ruling.LEAVE, by=BY, why="x") == 0
    assert {"She called.", "He left."} <= set(Change.objects.values_list("why", flat=True))


def test_slots_are_counted_again_and_not_twice() -> None:
    refuse(mail_all(history(), OUTAGE), OUTAGE)
    slots.refresh()
    before = list(ProviderSlot.objects.order_by("pk").values())
    assert sum(row["known_hard"] for row in before) == PEOPLE
    assert slots.refresh().times == set()
    slots.Watermark.objects.update(position=0)
    slots.refresh()
    assert list(ProviderSlot.objects.order_by("pk").values()) == before


def test_praise_is_counted_as_no_complaint_and_taken_out_of_what_was_counted_before() -> None:
    first, second = mail_all(people(2), OUTAGE)
    at = OUTAGE + timedelta(minutes=5)
    for praised in (first, second):
        take(ses.delivered(praised, at=at), ses.complained(praised, "not-spam", at=at))
    take(ses.complained(second, at=at))
    slots.refresh()
    row = ProviderSlot.objects.get(delivered__gt=0)
    assert row.complaint == 1

    ProviderSlot.objects.update(complaint=3)  # as it was counted before
    import_module("bounces.migrations.0027_no_praise_among_complaints").take_out(apps, None)
    row.refresh_from_db()
    assert row.complaint == 1


def test_an_event_whose_transaction_committed_late_is_counted_too() -> None:
    """Ids are given before the commit: a smaller one can appear after a larger one was read."""
    sent = mail_all(people(3), OUTAGE)
    refuse(sent[:1], OUTAGE)
    late = Event.objects.get()
    Event.objects.update(verdict="send")
    refuse(sent[1:2], OUTAGE)
    slots.refresh()
    assert sum(ProviderSlot.objects.values_list("hard", flat=True)) == 1
    Event.objects.filter(pk=late.pk).update(verdict="hard", occurred_at=OUTAGE + DAY)
    refuse(sent[2:], OUTAGE)
    slots.refresh()
    assert ProviderSlot.objects.filter(starts_at__gte=OUTAGE + DAY, hard=1).exists()


def test_an_empty_database_has_no_incident() -> None:
    assert incidents.watch() == []


def test_a_list_of_another_policy_without_a_hold_is_held_too() -> None:
    news = make_list("own")
    Policy.objects.create(list=news, soft_retry_days=[], hold_hours=0)
    make_readers(news, PEOPLE, domain="gmail.com")
    deliver(mail_all(news, OUTAGE - 7 * DAY), OUTAGE - 7 * DAY)
    refuse(mail_all(news, OUTAGE), OUTAGE)
    incidents.watch()
    assert lost() == 0
