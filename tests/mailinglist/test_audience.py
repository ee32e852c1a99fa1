"""Who gets a campaign: the count before, the snapshot, and a campaign to those whom another one missed."""

import random
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from mailinglist import copies, lifecycle, tags
from mailinglist.changes import SYSTEM
from mailinglist.models import (
    Attempt,
    Campaign,
    Change,
    Delivery,
    MailingList,
    Segment,
    Subscriber,
    Subscription,
)
from mailinglist.segments import people, rules, store, uses
from mailinglist.sending import audience, audience_preview, chosen, queue
from mailinglist.timeouts import TookTooLong, within
from tests.factories import make_campaign, make_list, make_readers, make_subscriber
from tests.staff import T0, make_delivery, make_started, make_suppressed

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("rung")]
SLOW = {"match": "all", "parts": [{"rule": "activity", "ask": "never-opened"}]}


@pytest.fixture
def news(db: None) -> MailingList:
    return make_list("news")


def make_segment(name: str, *parts: dict[str, Any], match: str = "all") -> Segment:
    segment = Segment(name=name)
    store.save(segment, rules.read({"match": match, "parts": list(parts)}), by=SYSTEM)
    return segment


def city(name: str) -> dict[str, Any]:
    return {"rule": "attribute-text", "ask": "is", "key": "city", "value": name}


def got(campaign: Campaign) -> set[str]:
    rows = campaign.deliveries.filter(state="queued")
    return set(rows.values_list("subscriber__email", flat=True))


@pytest.mark.parametrize("seed", range(5))
def test_the_count_and_the_snapshot_agree_whatever_is_chosen(news: MailingList, seed: int) -> None:
    dice = random.Random(seed)
    tips, other = make_list("tips"), make_list("other")
    press = tags.make("press", by=SYSTEM)
    earlier = make_started(news, name="Earlier")
    for number in range(40):
        person = make_subscriber(
            f"p{number}@post.example", attributes={"city": dice.choice(["Rome", "Ulm", ""])}
        )
        for mailing_list in (news, tips, other):
            status = dice.choice(["confirmed", "confirmed", "pending", "unsubscribed", ""])
            if status:
                Subscription.objects.create(
                    list=mailing_list,
                    subscriber=person,
                    status=status,
                    source="test",
                    unsubscribe_reason="page" if status == "unsubscribed" else "",
                )
        if dice.random() < 0.1:
            make_suppressed(person)
        if dice.random() < 0.1:
            Subscriber.objects.filter(pk=person.pk).update(paused_until=timezone.now() + timedelta(days=9))
        if dice.random() < 0.2:
            tags.put(press, Subscriber.objects.filter(pk=person.pk), by=SYSTEM)
        if dice.random() < 0.4:
            make_delivery(
                earlier, person, dice.choice(["queued", "sent", "delivered", "failed", "skipped", "bounced"])
            )
    campaign = make_campaign(news, tips)
    # The first has no choice at all: as fast as ever, and counted in the same way.
    if seed:
        chosen_ones: list[tuple[Any, list[Any]]] = [
            (
                campaign.include_segments,
                [make_segment("Rome", city("Rome")), make_segment("Ulm", city("Ulm"))],
            ),
            (campaign.exclude_segments, [make_segment("Nowhere", city("Ulm"))]),
            (campaign.exclude_tags, [press]),
            (campaign.exclude_lists, [other]),
            (campaign.exclude_campaigns, [earlier]),
        ]
        for field, values in dice.sample(chosen_ones, k=min(seed + 1, 5)):
            field.set(values)
    before = audience_preview.preview(campaign)
    on_lists = Subscriber.objects.filter(subscriptions__list__in=[news, tips]).distinct().count()
    left_out = sum(number for _, number in before.left_out)
    counted = [
        before.to_send,
        before.suppressed,
        before.paused,
        left_out,
        before.pending,
        before.unsubscribed,
    ]
    assert sum(filter(None, counted)) == on_lists
    assert audience_preview.reaches_anybody(campaign) and before.to_send
    lifecycle.start(campaign.pk, by=SYSTEM)
    states = list(campaign.deliveries.values_list("state", "reason"))
    assert states.count(("queued", "")) == before.to_send
    assert states.count(("skipped", "suppressed")) == before.suppressed
    assert states.count(("skipped", "paused")) == before.paused
    assert len(states) == before.to_send + before.suppressed + before.paused
    mails = Subscription.objects.filter(
        list__in=[news, tips],
        status="confirmed",
        subscriber__in=campaign.deliveries.filter(state="queued").values("subscriber"),
    )
    assert mails.count() - before.to_send == before.duplicates


def test_many_people_are_told_from_a_sample_unless_it_tells_little(
    news: MailingList, monkeypatch: pytest.MonkeyPatch
) -> None:
    tips = make_list("tips")
    for number in range(60):
        make_subscriber(f"p{number}@post.example", news, *([tips] if number % 2 else []))
    campaign, tree = make_campaign(news, tips), rules.read(SLOW)
    monkeypatch.setattr(people, "EXACT_MOST", 20)
    monkeypatch.setattr(people, "SAMPLED", 2)
    exact = audience_preview.preview(campaign)
    assert (exact.to_send, exact.about, exact.duplicates) == (60, False, 30)
    assert people.find(tree).number == 60
    monkeypatch.setattr(people, "FEW", 0)
    about = audience_preview.preview(campaign)
    assert about.about and 30 <= about.to_send <= 90  # type: ignore[operator]
    assert people.find(tree).number == about.to_send and people.find(tree).about


def test_who_only_got_test_mails_is_in_no_segment(news: MailingList, monkeypatch: pytest.MonkeyPatch) -> None:
    ada = make_subscriber("ada@post.example", news)
    make_subscriber("bob@post.example")  # known by an import or a suppression, say
    tested = ["me@acme.example", ada.email]
    lifecycle.send_test(make_campaign(news).pk, tested, by=SYSTEM)
    assert Subscriber.objects.count() == 3
    for _ in "all", "a sample of all":
        found = people.find(rules.read(SLOW))
        assert (found.number, [row.email for row in found.sample]) == (2, ["bob@post.example", ada.email])
        monkeypatch.setattr(people, "EXACT_MOST", 0)
        monkeypatch.setattr(people, "SAMPLED", 1)


def test_a_campaign_without_a_choice_asks_the_same_statement_as_ever(news: MailingList) -> None:
    make_subscriber("ada@post.example", news)
    assert chosen.condition(chosen.left_out(make_campaign(news))) == ("", [])


def test_local_time_and_the_history_know_the_choice(news: MailingList) -> None:
    make_subscriber("ada@post.example", news, attributes={"city": "Rome"}, time_zone="Asia/Tokyo")
    make_subscriber("bob@post.example", news, attributes={"city": "Ulm"}, time_zone="America/New_York")
    campaign = make_campaign(news)
    campaign.include_segments.set([make_segment("Romans", city("Rome"))])
    at = timezone.now() + timedelta(days=2)
    assert set(audience.turns(campaign, at.replace(tzinfo=None))) == {"Asia/Tokyo"}
    lifecycle.start(campaign.pk, by=SYSTEM)
    assert got(campaign) == {"ada@post.example"}
    told = Change.objects.get(noun="campaign", object_id=campaign.pk, after="sending").evidence
    assert told == {"audience": {"only_in": ["Romans: city is exactly “Rome”."]}}


def test_a_choice_that_is_kept_at_hand_for_a_page_is_the_one_that_was_made(news: MailingList) -> None:
    campaign = make_campaign(news)
    campaign.include_segments.set([make_segment("Romans", city("Rome")), make_segment("Ulmers", city("Ulm"))])
    campaign.exclude_segments.set([make_segment("Viennese", city("Wien"))])
    campaign.exclude_tags.add(tags.make("press", by=SYSTEM))
    now, kept = timezone.now(), Campaign.objects.get(pk=campaign.pk)
    chosen.prefetch(kept)
    assert [str(row) for row in kept.include_segments.all()] == ["Romans", "Ulmers"]
    assert chosen.left_out(kept, now) == chosen.left_out(campaign, now)
    assert len(chosen.left_out(kept, now)) == 3


def test_a_segment_that_cannot_be_used_stops_the_start_and_says_so(news: MailingList) -> None:
    make_subscriber("ada@post.example", news)
    campaign = make_campaign(news)
    campaign.exclude_segments.set([make_segment("Old", SLOW["parts"][0])])
    Segment.objects.update(rules={"match": "all", "parts": [{"rule": "moon", "ask": "is"}]})
    with pytest.raises(lifecycle.CampaignNotReady, match="“Old” cannot be used"):
        lifecycle.start(campaign.pk, by=SYSTEM)
    assert not Delivery.objects.exists()


class TestTimeLimit:
    def test_a_statement_ends_and_the_transaction_around_goes_on_with_its_own_limit(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('statement_timeout')")
            before = cursor.fetchone()
            with pytest.raises(TookTooLong), within(0.05):
                cursor.execute("SELECT pg_sleep(5)")
            with within(5):
                cursor.execute("SELECT 1")
            cursor.execute("SELECT current_setting('statement_timeout')")
            assert cursor.fetchone() == before

    def test_a_count_that_takes_too_long_is_none_and_a_start_is_refused(
        self, news: MailingList, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        make_subscriber("ada@post.example", news)
        campaign = make_campaign(news)
        campaign.include_segments.set([make_segment("Slow", SLOW["parts"][0])])
        for module in (people, audience_preview, audience):
            monkeypatch.setattr(module, "PATIENCE", 0.05)
        monkeypatch.setattr(
            "mailinglist.segments.sql.condition", lambda tree, now: ("(SELECT true FROM pg_sleep(0.2))", [])
        )
        assert people.find(rules.read(SLOW)) == people.Found(None, False, [])
        assert audience_preview.preview(campaign).to_send is None
        assert audience_preview.reaches_anybody(campaign)
        with pytest.raises(lifecycle.CampaignNotReady, match="took longer"):
            lifecycle.start(campaign.pk, by=SYSTEM)


class TestTimeToStop:
    @pytest.fixture
    def campaign(self, news: MailingList) -> Campaign:
        MailingList.objects.update(stop_seconds=60)
        make_readers(news, 3)
        return make_campaign(news)

    def over(self) -> None:
        Campaign.objects.filter(status="scheduled").update(scheduled_at=timezone.now() - timedelta(seconds=1))

    def test_nothing_leaves_before_it_is_over_and_the_sweep_starts_it_then(self, campaign: Campaign) -> None:
        assert lifecycle.confirm(campaign.pk, number=3, about=False, by=SYSTEM)
        campaign.refresh_from_db()
        assert campaign.status == "scheduled" and campaign.confirmed_for == 3
        assert 55 < (campaign.scheduled_at - timezone.now()).total_seconds() <= 60  # type: ignore[operator]
        assert lifecycle.start_due() == [] and not Delivery.objects.exists()
        assert lifecycle.confirm(campaign.pk, number=3, about=False, by=SYSTEM) is False
        self.over()
        assert lifecycle.start_due() == [campaign.pk] and len(got(campaign)) == 3
        campaign.refresh_from_db()
        assert campaign.confirmed_for is None

    def test_stopped_it_is_a_draft_and_never_starts(self, campaign: Campaign) -> None:
        lifecycle.confirm(campaign.pk, number=3, about=False, by=SYSTEM)
        assert lifecycle.unschedule(campaign.pk, by=SYSTEM, why="Stopped.")
        self.over()
        campaign.refresh_from_db()
        assert lifecycle.start_due() == [] and (campaign.status, campaign.confirmed_for) == ("draft", None)

    def test_an_audience_that_became_another_one_meanwhile_is_not_mailed(
        self, campaign: Campaign, news: MailingList
    ) -> None:
        lifecycle.confirm(campaign.pk, number=3, about=False, by=SYSTEM)
        make_subscriber("new@post.example", news)
        self.over()
        assert lifecycle.start_due() == [] and not Delivery.objects.exists()
        campaign.refresh_from_db()
        assert campaign.status == "draft"
        said = Change.objects.filter(noun="campaign", object_id=campaign.pk).latest("pk").why
        assert "confirmed for 3 people, and would go to 4 now" in said

    def test_a_new_time_is_a_schedule_again(self, campaign: Campaign) -> None:
        lifecycle.confirm(campaign.pk, number=3, about=False, by=SYSTEM)
        lifecycle.schedule(campaign.pk, at=timezone.now() + timedelta(days=1), by=SYSTEM)
        campaign.refresh_from_db()
        assert campaign.confirmed_for is None and campaign.planned_at

    def test_other_rules_of_its_segment_take_a_schedule_back(self, campaign: Campaign) -> None:
        Subscriber.objects.update(attributes={"city": "Rome"})
        segment = make_segment("Romans", city("Rome"))
        campaign.include_segments.add(segment)
        lifecycle.schedule(campaign.pk, at=timezone.now() + timedelta(days=1), number=3, by=SYSTEM)
        store.save(segment, rules.read(segment.rules), by=SYSTEM)
        campaign.refresh_from_db()
        assert campaign.status == "scheduled"
        store.save(segment, rules.read({"match": "any", "parts": [city("Rome"), city("Oslo")]}), by=SYSTEM)
        campaign.refresh_from_db()
        assert (campaign.status, campaign.confirmed_for) == ("draft", None)
        assert "“Romans”" in Change.objects.filter(noun="campaign").latest("pk").why

    def test_without_a_time_to_stop_it_starts_at_once(self, campaign: Campaign) -> None:
        MailingList.objects.update(stop_seconds=0)
        assert lifecycle.confirm(campaign.pk, number=3, about=False, by=SYSTEM)
        assert len(got(campaign)) == 3


class TestThoseWhoDidNotGetIt:
    @pytest.fixture
    def first(self, news: MailingList) -> Campaign:
        campaign = make_started(news)
        for state in ("failed", "expired", "delivered", "complained", "unknown", "waiting", "skipped"):
            make_delivery(campaign, make_subscriber(f"{state}@post.example", news), state)
        for verdict in ("hard", "block", "soft"):
            person = make_subscriber(f"{verdict}@post.example", news)
            bounced = make_delivery(campaign, person, "bounced", reason=f"{verdict}:x")
            bounced.attempt_set.update(verdict=verdict, reason="x")
        Campaign.objects.update(status="finished")
        campaign.refresh_from_db()
        make_subscriber("new@post.example", news)
        return campaign

    #: The policy left these subscribed, and their mail is not tried any more.
    MISSED = frozenset({f"{name}@post.example" for name in ("failed", "expired", "block", "soft")})

    def test_goes_to_those_whom_it_did_not_reach_and_to_nobody_else(self, first: Campaign) -> None:
        again = copies.follow_up(first, newcomers=False, by=SYSTEM)
        assert (again.status, again.body, again.follows) == ("draft", first.body, first)
        counted = audience_preview.preview(again)
        assert counted.to_send == 4
        assert counted.left_out == (
            ("bounced hard, or reported it as spam", 2),
            ("got it, may still get it, or were not sent it", 5),
        )
        lifecycle.start(again.pk, by=SYSTEM)
        assert got(again) == self.MISSED

    def test_new_subscribers_too_where_that_was_chosen(self, first: Campaign) -> None:
        again = copies.follow_up(first, newcomers=True, by=SYSTEM)
        _, others = audience_preview.preview(again).left_out
        assert others == ("got it, may still get it, or were not sent it and did not subscribe since", 4)
        lifecycle.start(again.pk, by=SYSTEM)
        assert got(again) == self.MISSED | {"new@post.example"}

    @pytest.mark.parametrize(("minutes", "reached"), [(1, True), (-1, False), (None, False)])
    def test_a_hard_bounce_counts_until_it_is_taken_back(
        self, first: Campaign, minutes: int | None, reached: bool
    ) -> None:
        reset_at = None if minutes is None else T0 + timedelta(minutes=minutes)
        Subscriber.objects.filter(email="hard@post.example").update(reset_at=reset_at)
        again = copies.follow_up(first, newcomers=False, by=SYSTEM)
        lifecycle.start(again.pk, by=SYSTEM)
        assert ("hard@post.example" in got(again)) is reached

    def test_a_hard_bounce_of_a_later_one_counts_too(self, first: Campaign) -> None:
        """Of any attempt, whatever the mail was first said to have ended by."""
        again = copies.follow_up(first, newcomers=False, by=SYSTEM)
        lifecycle.start(again.pk, by=SYSTEM)
        for mail in again.deliveries.filter(subscriber__email="failed@post.example"):
            Attempt.objects.create(delivery=mail, number=1, started_at=T0, verdict="hard", reason="x")
        again.deliveries.update(state="bounced", reason="block:x")
        Campaign.objects.update(status="finished")
        third = copies.follow_up(first, newcomers=False, by=SYSTEM)
        lifecycle.start(third.pk, by=SYSTEM)
        assert got(third) == self.MISSED - {"failed@post.example"}

    def test_two_of_them_bring_it_once(self, first: Campaign) -> None:
        one, two = (copies.follow_up(first, newcomers=True, by=SYSTEM) for _ in range(2))
        lifecycle.start(one.pk, by=SYSTEM)
        with pytest.raises(lifecycle.CampaignNotReady, match="Nobody"):
            lifecycle.start(two.pk, by=SYSTEM)
        Delivery.objects.filter(campaign=one, subscriber__email="failed@post.example").update(state="failed")
        Campaign.objects.filter(pk=one.pk).update(status="finished")
        three = copies.follow_up(Campaign.objects.get(pk=one.pk), newcomers=False, by=SYSTEM)
        assert three.follows == first
        lifecycle.start(three.pk, by=SYSTEM)
        assert got(three) == {"failed@post.example"}

    def test_what_the_later_one_brings_is_not_sent_again_by_the_first(self, first: Campaign) -> None:
        failed = Delivery.objects.get(campaign=first, state="failed")
        again = copies.follow_up(first, newcomers=False, by=SYSTEM)
        lifecycle.start(again.pk, by=SYSTEM)
        with pytest.raises(queue.CannotResend, match="later campaign"):
            queue.resend(failed.pk, by=SYSTEM)
        Delivery.objects.filter(campaign=again).update(state="failed")
        queue.resend(failed.pk, by=SYSTEM)
        failed.refresh_from_db()
        assert failed.state == "queued"

    def test_what_is_sent_again_by_hand_is_not_brought_by_a_later_one(self, first: Campaign) -> None:
        queue.resend(Delivery.objects.get(campaign=first, state="failed").pk, by=SYSTEM)
        again = copies.follow_up(first, newcomers=False, by=SYSTEM)
        lifecycle.start(again.pk, by=SYSTEM)
        assert got(again) == self.MISSED - {"failed@post.example"}

    def test_not_before_it_is_over(self, news: MailingList) -> None:
        with pytest.raises(copies.CannotFollow, match="not over yet"):
            copies.follow_up(make_started(news), newcomers=False, by=SYSTEM)


class TestTags:
    def test_each_change_is_in_the_history_of_the_person_and_no_more(self, news: MailingList) -> None:
        people = [make_subscriber(f"p{number}@post.example", news) for number in range(3)]
        press = tags.make("Press", by=SYSTEM)
        assert tags.make(" press ", by=SYSTEM) == press
        everybody = Subscriber.objects.all()
        assert tags.put(press, everybody.filter(pk=people[0].pk), by=SYSTEM) == 1
        assert tags.put(press, everybody, by=SYSTEM) == 2
        assert tags.put(press, everybody.none(), by=SYSTEM) == 0
        assert tags.take(press, everybody.filter(pk=people[1].pk), by=SYSTEM) == 1
        told = Change.objects.filter(noun="subscriber", subscriber=people[1]).order_by("pk")
        assert [(row.after, row.why) for row in told] == [
            ("tagged", "Tagged “Press”."),
            ("untagged", "“Press” taken off."),
        ]
        assert Change.objects.filter(subscriber=people[0], after="tagged").count() == 1

    def test_what_decides_something_cannot_be_deleted(self, news: MailingList) -> None:
        press = tags.make("press", by=SYSTEM)
        segment = make_segment("The press", {"rule": "tag", "ask": "has", "value": press.pk})
        assert uses.segments_with("tag", press.pk) == ["The press"]
        with pytest.raises(tags.InUse, match="The press"):
            tags.remove(press, by=SYSTEM)
        campaign = make_campaign(news)
        campaign.include_segments.set([segment])
        with pytest.raises(store.InUse, match="Week 47"):
            store.remove(segment, by=SYSTEM)
        campaign.include_segments.clear()
        store.remove(segment, by=SYSTEM)
        tags.remove(press, by=SYSTEM)
        assert Change.objects.filter(after="removed").count() == 2
