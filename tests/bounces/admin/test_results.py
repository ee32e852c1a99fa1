"""A campaign's results: every number agrees with the report and with the rows, and leads to the people behind it."""

import csv
import io
import json
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth.models import Permission, User
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from bounces import campaign_course
from bounces.admin import results_people
from bounces.models import CampaignCourse, Event
from mailinglist import campaign_counts, subscriptions
from mailinglist.changes import Actor, Kind
from mailinglist.models import (
    Attempt,
    Campaign,
    CampaignVersion,
    Change,
    Delivery,
    Engagement,
    MailingList,
    Subscription,
)
from mailinglist.who_got_it import GROUPS, sentence
from tests import lasting
from tests.factories import make_campaign, make_list, make_subscriber
from tests.staff import NASTY, T0, make_delivery, make_event, make_started

pytestmark = pytest.mark.django_db
LINKS = '<p><a href="https://acme.example/one">1</a> <a href="https://acme.example/two">2</a></p>'
#: (address, state, reason, verdicts of the attempts in their order)
CAST: tuple[tuple[str, str, str, tuple[tuple[str, str], ...]], ...] = (
    ("ok@gmail.com", "delivered", "", (("delivered", ""),)),
    ("reader@gmail.com", "delivered", "", (("delivered", ""),)),
    ("clicker@gmx.de", "delivered", "", (("delivered", ""),)),
    ("robot@corp.example", "delivered", "", (("delivered", ""),)),
    ("again@gmx.de", "delivered", "", (("soft", "mailbox-full"), ("delivered", ""))),
    ("hard@gmail.com", "bounced", "hard:no-such-user", (("hard", "no-such-user"),)),
    ("hard2@googlemail.com", "bounced", "hard:no-such-user", (("hard", "no-such-user"),)),
    ("block@gmx.net", "bounced", "block:spam", (("block", "spam"),)),
    ("wait@gmx.de", "waiting", "soft:mailbox-full", (("soft", "mailbox-full"),)),
    ("late@gmx.de", "expired", "soft:mailbox-full", (("soft", "mailbox-full"), ("soft", "mailbox-full"))),
    ("angry@gmail.com", "complained", "", (("complaint", "abuse"),)),
    ("big@corp.example", "failed", "message-rejected", (("message", "too-large"),)),
    ("gone@corp.example", "skipped", "suppressed", ()),
    ("break@corp.example", "skipped", "paused", ()),
    ("queue@corp.example", "queued", "", ()),
    ("stop@corp.example", "cancelled", "cancelled", ()),
    ("doubt@corp.example", "unknown", "held", ()),
    ("twice@corp.example", "delivered", "", (("delivered", ""), ("delivered", ""))),
    ("perhaps@corp.example", "delivered", "", (("", ""), ("delivered", ""))),
)


@pytest.fixture(scope="module")
def campaign_id(django_db_setup: None, django_db_blocker: Any) -> Iterator[int]:
    with lasting.rows(django_db_blocker, lambda: one_of_every_outcome().pk) as pk:
        yield pk


@pytest.fixture
def campaign(campaign_id: int, db: None) -> Campaign:
    """One of every outcome."""
    return Campaign.objects.get(pk=campaign_id)


def one_of_every_outcome() -> Campaign:
    news = make_list()
    found = make_started(news)
    CampaignVersion.objects.filter(pk=found.version_id).update(html=LINKS)
    for email, state, reason, verdicts in CAST:
        mail = make_delivery(found, make_subscriber(email, news), state, reason=reason)
        for number, (verdict, why) in enumerate(verdicts, start=1):
            values = {
                "verdict": verdict,
                "reason": why,
                "started_at": T0 + timedelta(hours=30 * (number - 1)),
                "result": "unknown" if (email[:7], number) == ("perhaps", 1) else "accepted",
                "message_id": f"m-{mail.pk}-{number}",
                "possible_duplicate": (email[:7], number) == ("perhaps", 2),
            }
            Attempt.objects.update_or_create(delivery=mail, number=number, defaults=values)
            if verdict in ("delivered", "hard", "soft", "block"):
                at = T0 + timedelta(hours=30 * (number - 1), minutes=5)
                make_event(mail, verdict, "", kind="bounce", occurred_at=at, attempt_number=number)
        if state == "cancelled":
            mail.attempt_set.all().delete()
        Delivery.objects.filter(pk=mail.pk).update(attempts=mail.attempt_set.count())
    engage(found, "reader@gmail.com", opened="person", opens=2)
    engage(found, "clicker@gmx.de", opened="unsure", clicked="person", opens=1, clicks=1, links_person=[2])
    engage(
        found,
        "robot@corp.example",
        opened="machine",
        clicked="machine",
        opens=1,
        clicks=2,
        links_machine=[1, 2],
    )
    leave("ok@gmail.com", news, "too-often")
    leave("reader@gmail.com", news)
    return found


def engage(campaign: Campaign, email: str, **values: Any) -> None:
    mail = campaign.deliveries.get(subscriber__email_key=email)
    Engagement.objects.create(delivery=mail, campaign=campaign, **values)
    for kind, number in (("open", values.get("opens", 0)), ("click", values.get("clicks", 0))):
        for after in range(number):
            make_event(mail, "not-a-bounce", "", kind=kind, occurred_at=T0 + timedelta(hours=2 + after))


def leave(email: str, mailing_list: MailingList, because: str = "") -> None:
    person = make_subscriber(email)
    subscriptions.unsubscribe(
        person.pk, reason=Subscription.Reason.PAGE, by=Actor(Kind.PERSON), why="x", list_ids=[mailing_list.pk]
    )
    Subscription.objects.filter(subscriber=person).update(left_because=because)


def page(client: Client, campaign: Campaign, **query: Any) -> Any:
    return client.get(reverse("admin:bounces_results", args=[campaign.pk]), query)


def people(client: Client, campaign: Campaign, **query: Any) -> Any:
    return client.get(reverse("admin:bounces_results_people", args=[campaign.pk]), query)


def who(answer: Any) -> set[str]:
    return {row["mail"].subscriber.email for row in answer.context["rows"]}


def numbers(context: Any) -> list[Any]:
    """Every line of the page that leads somewhere."""
    found = [*context["funnel"], context["readers"], context["recovered"], context["retried"]]
    found += [context["complaints"], context["left"], *context["left_because"], *context["duplicates"]]
    found += [line for _, *lines in context["read_lines"] for line in lines]
    for _, line, parts in [("", *kind) for kind in context["kinds"]] + context["without"]:
        found += [line, *parts]
    found += [line for row in context["by_provider"] for line in row["lines"]]
    return found


def one(sql: str, campaign: Campaign) -> int:
    with connection.cursor() as cursor:
        cursor.execute(sql, [campaign.pk])
        return int(cursor.fetchone()[0])


def test_the_page_shows_what_the_command_prints(staff: Client, campaign: Campaign) -> None:
    out = StringIO()
    call_command("campaign_report", str(campaign.pk), "--json", stdout=out)
    report = json.loads(out.getvalue())
    context = page(staff, campaign).context
    assert json.loads(json.dumps(context["report"])) == report
    states = report["by_state"]
    assert [line.number for line in context["funnel"]] == [
        report["recipients"],
        sum(states[state] for state in ("sent", "waiting", "delivered", "bounced", "complained", "expired")),
        states["delivered"],
        report["opened_by_people"],
        report["clicked_by_people"],
    ]
    shown = {line.label: line.number for line, _ in context["kinds"]}
    assert shown == {"hard bounce": 2, "soft bounce": 3, "blocked": 1, "message refused": 1}
    assert {line.label: line.number for _, line, _ in context["without"]} == {
        Delivery.State(state).label: count
        for state, count in states.items()
        if count and state != "delivered"
    }
    assert (
        (context["recovered"].number, context["left"].number)
        == (report["recovered"], report["left"])
        == (1, 2)
    )
    assert [line.number for line in context["duplicates"]] == [1, 1]


@pytest.mark.parametrize(
    ("label", "sql"),
    [
        ("Recipients", "SELECT count(*) FROM mailinglist_delivery WHERE campaign_id = %s"),
        (
            "Sent",
            "SELECT count(*) FROM mailinglist_delivery WHERE campaign_id = %s AND state NOT IN"
            " ('queued', 'sending', 'unknown', 'failed', 'skipped', 'cancelled')",
        ),
        (
            "Delivered",
            "SELECT count(*) FROM mailinglist_delivery WHERE campaign_id = %s AND state = 'delivered'",
        ),
        (
            "Opened",
            "SELECT count(*) FROM mailinglist_engagement WHERE campaign_id = %s AND opened = 'person'",
        ),
        (
            "Followed a link",
            "SELECT count(*) FROM mailinglist_engagement WHERE campaign_id = %s AND clicked = 'person'",
        ),
    ],
)
def test_the_funnel_agrees_with_the_rows(staff: Client, campaign: Campaign, label: str, sql: str) -> None:
    shown = {line.label: line.number for line in page(staff, campaign).context["funnel"]}
    assert shown[label] == one(sql, campaign) > 0


def test_every_number_leads_to_as_many_people(staff: Client, campaign: Campaign) -> None:
    lines = [line for line in numbers(page(staff, campaign).context) if line.link]
    assert len(lines) > 35
    for line in lines:
        query = {
            name: found[0]
            for name, found in parse_qs(urlsplit(line.link).query, keep_blank_values=True).items()
        }
        rows = people(staff, campaign, **query).context["rows"]
        assert len(rows) == line.number, line


def test_the_groups_hold_whom_they_should(staff: Client, campaign: Campaign) -> None:
    wanted = {
        "recovered": {"again@gmx.de"},
        "retried": {"again@gmx.de", "late@gmx.de"},
        "got": {email for email, state, *_ in CAST if state in ("delivered", "complained")},
        "without": {
            email
            for email, state, *_ in CAST
            if state in ("bounced", "failed", "skipped", "expired", "cancelled")
        },
        "moving": {"queue@corp.example", "wait@gmx.de"},
        "duplicates": {"twice@corp.example"},
        "possible-duplicates": {"perhaps@corp.example"},
        "readers": {"reader@gmail.com", "clicker@gmx.de"},
        "left": {"ok@gmail.com", "reader@gmail.com"},
        "clicked-machine": {"robot@corp.example"},
    }
    for code, names in wanted.items():
        assert who(people(staff, campaign, who=code)) == names, code
    assert who(people(staff, campaign, who="clicked", link=2)) == {"clicker@gmx.de"}
    assert who(people(staff, campaign, who="clicked", link=1)) == set()
    assert who(people(staff, campaign, who="verdict-hard", provider="gmail.com")) == {
        "hard@gmail.com",
        "hard2@googlemail.com",
    }
    assert who(people(staff, campaign, who="left", reason="")) == {"reader@gmail.com"}
    assert who(people(staff, campaign, reason="paused")) == {"break@corp.example"}
    assert who(people(staff, campaign, who="opened", reason="paused")) == set()
    others = GROUPS.keys() - wanted.keys()
    assert all(people(staff, campaign, who=code).status_code == 200 for code in others)
    assert GROUPS["sent"].label == "Accepted by SES"


def test_each_person_has_a_reason_in_words(staff: Client, campaign: Campaign) -> None:
    rows = people(staff, campaign).context["rows"]
    said = {row["mail"].subscriber.email: row["why"] for row in rows}
    assert len(said) == len(CAST)
    assert said["gone@corp.example"] == "It was not sent: the address is suppressed."
    assert said["again@gmx.de"] == "The receiving server took it, at the second attempt."
    assert said["hard@gmail.com"] == "It came back and is not tried again: hard bounce: no such user."
    assert sentence("skipped", "superseded", 1) == (
        "It was not sent again: a newer mail to the same person took its place. It had been given to SES once."
    )
    assert said["stop@corp.example"] == "The campaign was cancelled before it was sent."
    assert said["doubt@corp.example"].endswith("SES never answered; a manager decides.")


def test_pages_go_on_where_the_last_one_ended(
    staff: Client, campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results_people, "PER_PAGE", 4)
    for code in ("all", "without", "got"):
        seen, query = [], f"?who={code}"
        while query:
            answer = staff.get(reverse("admin:bounces_results_people", args=[campaign.pk]) + query)
            seen += [row["mail"].pk for row in answer.context["rows"]]
            query = answer.context["older"]
        assert seen == sorted(set(seen), reverse=True)
        assert len(seen) == {"all": len(CAST), "without": 8, "got": 8}[code]


class TestOneAddress:
    def said(self, client: Client, campaign: Campaign, email: str) -> str:
        answer = people(client, campaign, q=email)
        return " ".join(answer.context["answer"].sentences)

    def test_a_recipient(self, staff: Client, campaign: Campaign) -> None:
        assert "mailbox full" in self.said(staff, campaign, "WAIT@gmx.de")
        assert "Next attempt" in self.said(staff, campaign, "wait@gmx.de")

    def test_people_who_were_not_in_the_audience(self, staff: Client, campaign: Campaign) -> None:
        news = campaign.lists.get()
        before, after = T0 - timedelta(days=3), T0 + timedelta(days=1)
        assert "Nobody with this address is known" in self.said(staff, campaign, "who@post.example")
        make_subscriber("elsewhere@post.example", make_list("tips"))
        assert "on none of its lists (News)" in self.said(staff, campaign, "elsewhere@post.example")
        for email, values, told in (
            ("new", {"created_at": after}, "after the campaign had started"),
            ("shy", {"created_at": before, "status": "pending"}, "had not confirmed"),
            (
                "left",
                {
                    "created_at": before,
                    "status": "unsubscribed",
                    "unsubscribed_at": before,
                    "unsubscribe_reason": "page",
                },
                "had left on 17 Nov 2025",
            ),
            ("other", {"created_at": before, "confirmed_at": before}, "were not among the people it was for"),
        ):
            person = make_subscriber(f"{email}@post.example", news)
            Subscription.objects.filter(subscriber=person).update(**values)
            assert told in self.said(staff, campaign, f"{email}@post.example"), email

    def test_the_history_says_where_they_stood_at_the_start(self, staff: Client, campaign: Campaign) -> None:
        person = make_subscriber("back@post.example", campaign.lists.get())
        row = Subscription.objects.get(subscriber=person)
        Subscription.objects.filter(pk=row.pk).update(created_at=T0 - timedelta(days=30))
        for days, after in ((-20, "confirmed"), (-10, "unsubscribed"), (2, "confirmed")):
            Change.objects.create(
                at=T0 + timedelta(days=days),
                actor="person",
                noun="subscription",
                object_id=row.pk,
                after=after,
            )
        assert "had left on 10 Nov 2025" in self.said(staff, campaign, "back@post.example")

    def test_an_erased_one_a_bad_one_and_a_beginning(self, staff: Client, campaign: Campaign) -> None:
        from mailinglist import erasure

        erasure.forget(make_subscriber("ok@gmail.com").pk, by=Actor(Kind.PERSON), why="x")
        assert "was erased" in self.said(staff, campaign, "ok@gmail.com")
        assert b"a person who was erased" in people(staff, campaign).content
        assert people(staff, campaign, q="a b@x").context["bad_address"]
        assert who(people(staff, campaign, q="hard")) == {"hard@gmail.com", "hard2@googlemail.com"}
        assert who(people(staff, campaign, q="hard", who="delivered")) == set()

    def test_a_draft_says_that_it_has_not_started(self, staff: Client) -> None:
        news = make_list("plans")
        make_subscriber("ada@post.example", news)
        draft = make_campaign(news)
        assert "has not started" in self.said(staff, draft, "ada@post.example")
        assert b"It has not started" in page(staff, draft).content
        assert b"nobody got it yet" in people(staff, draft).content


def test_who_left_counts_for_the_last_mail_only_and_not_once_they_came_back(campaign: Campaign) -> None:
    news = campaign.lists.get()
    later = make_started(news, name="Week 48")
    for email in ("again@gmx.de", "twice@corp.example"):
        make_delivery(later, make_subscriber(email), "delivered")
    make_delivery(make_started(news, name="Week 49"), make_subscriber("again@gmx.de"), "queued")
    leave("again@gmx.de", news)
    row = Subscription.objects.get(subscriber__email_key="again@gmx.de")
    assert row.left_after == later
    assert subscriptions.rejoin(row.subscriber, [news.pk], by=Actor(Kind.PERSON)) == 1
    row.refresh_from_db()
    assert row.left_after is None
    person = make_subscriber("twice@corp.example")
    subscriptions.unsubscribe(person.pk, reason=Subscription.Reason.HARD_BOUNCE, by=Actor(Kind.RULE), why="x")
    assert Subscription.objects.get(subscriber=person).left_after is None


class TestTracking:
    @pytest.mark.parametrize(
        ("mode", "text"),
        [
            ("off", "Opens and clicks are not noted for “News”"),
            ("consent", "only of people who allowed it"),
            ("on", "No open and no click was reported"),
        ],
    )
    def test_it_says_why_there_are_none(self, staff: Client, mode: str, text: str) -> None:
        campaign = make_started(make_list("tips", name="News", tracking=mode))
        make_delivery(campaign, make_subscriber(), "delivered")
        answer = page(staff, campaign)
        assert text in answer.content.decode()
        assert (answer.context["funnel"][3].number is None) is (mode == "off")


class TestCourse:
    def test_hours_days_and_providers(self, staff: Client, campaign: Campaign) -> None:
        course = campaign_course.of(campaign)
        assert course
        hours = course.hours()
        assert [hours[0].counts[what] for what in ("delivered", "hard", "soft", "block")] == [5, 2, 3, 1]
        assert hours[2].counts["opened"] == 1 and hours[2].counts["clicked"] == 1
        assert len(hours) == 31 and hours[30].counts["soft"] == 1 and not hours[1].counts
        assert (
            sum(day.counts["delivered"] for day in course.days())
            == Event.objects.filter(verdict="delivered").count()
        )
        assert next((name, dict(counts)) for name, counts in course.by_provider()) == (
            "gmx.net",
            {"soft": 3, "delivered": 2, "block": 1},
        )
        answer = page(staff, campaign, step="days", provider="gmail.com")
        assert [each.counts["hard"] for each in answer.context["bounce_steps"]] == [2]
        assert answer.content.decode().count('role="img"') == 2
        assert answer.content.decode().count('id="chart-title') == 2

    def test_few_providers_are_named(self, campaign: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(campaign_course, "PROVIDERS", 1)
        course = campaign_course.of(campaign)
        assert course and [name for name, _ in course.by_provider()] == ["gmx.net", "all others"]

    def test_a_big_one_is_counted_by_the_task_after_its_numbers(
        self, staff: Client, campaign: Campaign, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        live = campaign_course.of(campaign)
        monkeypatch.setattr(campaign_counts, "LIVE_MOST", 3)
        assert "being_counted" in page(staff, campaign).context and campaign_course.refresh() == 0
        campaign_counts.refresh()
        assert page(staff, campaign).context["course_being_counted"]
        assert campaign_course.refresh() == 1 and campaign_course.refresh() == 0
        kept = campaign_course.of(campaign)
        assert kept and live and kept.counted_at and kept.rows == live.rows
        CampaignCourse.objects.update(counted_at=T0, seconds=1.0)
        assert campaign_course.refresh() == 1
        with CaptureQueriesContext(connection) as queries:
            assert page(staff, campaign).status_code == 200
        assert len(queries) <= 15


class TestCompare:
    def test_rates_of_several_campaigns(self, staff: Client, campaign: Campaign) -> None:
        other = make_started(make_list("tips", tracking="off"), name="Tips")
        make_delivery(other, make_subscriber("ok@gmail.com"), "delivered")
        make_delivery(other, make_subscriber("queue@corp.example"), "queued")
        with CaptureQueriesContext(connection) as queries:
            answer = staff.get(reverse("admin:bounces_compare"), {"c": [campaign.pk, other.pk]})
        assert len(queries) <= 15
        table = {rate.label: cells for rate, cells in answer.context["rates"]}
        assert [(cell["count"], cell["whole"]) for cell in table["Sent"]] == [(13, 19), (1, 2)]
        assert [cell["count"] for cell in table["Left after it"]] == [2, 0]
        assert [cell["off"] for cell in table["Opened"]] == [False, True]
        assert table["Sent"][0]["bar"].value == 240 > table["Sent"][1]["bar"].value

    def test_two_to_five(self, staff: Client, campaign: Campaign) -> None:
        more = [make_started(campaign.lists.get(), name=f"Week {week}").pk for week in range(5)]
        for chosen, text in (([campaign.pk], "Choose at least one more"), ([campaign.pk, *more], "too many")):
            answer = staff.get(reverse("admin:bounces_compare"), {"c": chosen})
            assert text in answer.content.decode() and "rates" not in answer.context
        found = staff.get(
            reverse("admin:bounces_compare"), {"q": "week 3", "c": ["x", "99999999999999999999"]}
        )
        assert [row.name for row in found.context["offered"]] == ["Week 3"]


class TestExport:
    def rows(self, answer: Any) -> list[dict[str, str]]:
        text = b"".join(answer.streaming_content).decode()
        return list(csv.DictReader(io.StringIO(text, newline="")))

    def test_a_group_is_exported_as_it_was_shown(self, staff: Client, campaign: Campaign, boss: User) -> None:
        for query, names in (
            ({"who": "recovered"}, {"again@gmx.de"}),
            ({"who": "clicked", "link": 2}, {"clicker@gmx.de"}),
            ({"who": "verdict-hard", "provider": "gmail.com"}, {"hard@gmail.com", "hard2@googlemail.com"}),
            ({"who": "left", "reason": ""}, {"reader@gmail.com"}),
            ({"who": "skipped", "reason": "paused"}, {"break@corp.example"}),
        ):
            address = people(staff, campaign, **query).context["export"]
            form = staff.get(address).context["form"]
            chosen = {
                name: form[name].value() for name in form.fields if form[name].value() not in (None, "")
            }
            found = self.rows(staff.post(urlsplit(address).path, chosen))
            assert {row["email"] for row in found} == names, query
        assert "recovered" in Change.objects.filter(after="exported", user=boss).earliest("pk").why
        [row] = found
        assert (row["outcome"], row["why"]) == (
            "not sent",
            "It was not sent: the person had paused all mails.",
        )

    def test_only_for_those_who_may(self, client: Client, campaign: Campaign) -> None:
        clerk = User.objects.create_user("clerk", is_staff=True)
        client.force_login(clerk)
        assert page(client, campaign).status_code == people(client, campaign).status_code == 403
        assert client.get(reverse("admin:bounces_compare")).status_code == 403
        clerk.user_permissions.set(Permission.objects.filter(codename="view_campaign"))
        shown = page(client, campaign)
        assert shown.status_code == 200 and people(client, campaign).status_code == 403
        assert b"/people/" not in shown.content and b"/export/" not in shown.content
        clerk.user_permissions.set(Permission.objects.filter(codename__in=["view_campaign", "view_delivery"]))
        assert people(client, campaign).context["export"] == ""


def test_campaign_list_and_first_page_lead_to_the_results(staff: Client, campaign: Campaign) -> None:
    address = reverse("admin:bounces_results", args=[campaign.pk])
    for name, values in (
        ("mailinglist_campaign_changelist", []),
        ("mailinglist_campaign_change", [campaign.pk]),
        ("index", []),
    ):
        assert address in staff.get(reverse(f"admin:{name}", args=values)).content.decode(), name


def test_nothing_hostile_reaches_a_page_unescaped(staff: Client) -> None:
    campaign = make_started(make_list("tips"), name=NASTY[:100], subject=NASTY)
    make_delivery(campaign, make_subscriber(name=NASTY), "failed", reason=NASTY[:60])
    for answer in (
        page(staff, campaign, provider=NASTY),
        people(staff, campaign, q=NASTY, who=NASTY, reason=NASTY, provider=NASTY, link=NASTY),
        people(staff, campaign, who="clicked", link="99999999", before="²"),
        staff.get(reverse("admin:bounces_compare"), {"c": [campaign.pk, NASTY], "q": NASTY}),
    ):
        assert (
            answer.status_code == 200
            and b"<script>alert" not in answer.content
            and b"<img src=x" not in answer.content
        )
