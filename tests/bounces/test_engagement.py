"""Opens and clicks from SES's reports to the numbers of a campaign and to a person's timeline."""

import io
import itertools
import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from bounces import engagement, pipeline, timeline
from bounces.models import Event
from mailinglist import lifecycle, reports
from mailinglist.changes import SYSTEM
from mailinglist.models import Attempt, Delivery, Engagement
from tests import ses_events as ses
from tests.bounces.helpers import send_to, take
from tests.factories import make_campaign, make_list, make_readers
from tests.ses_events import T0

pytestmark = pytest.mark.django_db
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
GMAIL = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"
BODY = "[a](https://acme.example/a) [b](https://acme.example/b) [c](https://acme.example/c)"
A, B, C = (f"https://acme.example/{letter}" for letter in "abc")
TRAP = "http://127.0.0.1:8000/links/nothing-here"


def report(
    kind: str, delivery: Delivery, seconds: float, *, link: str = "", agent: str = FIREFOX, ip: str = "192.0.2.1"
) -> dict[str, Any]:  # fmt: skip
    """An Open or Click so long after the delivery."""
    body = {"timestamp": ses.stamp(T0 + timedelta(seconds=2 + seconds)), "ipAddress": ip, "userAgent": agent}
    return ses.event(kind, delivery, body | ({"link": link} if link else {}))


def opened(delivery: Delivery, seconds: float, **values: str) -> dict[str, Any]:
    return report("Open", delivery, seconds, **values)


def click(delivery: Delivery, seconds: float, link: str, **values: str) -> dict[str, Any]:
    return report("Click", delivery, seconds, link=link, **values)


def mails(people: int = 1) -> list[Delivery]:
    """The mails of one campaign with three links, delivered to so many people."""
    news = make_list()
    make_readers(news, people)
    campaign = make_campaign(news, body=BODY)
    lifecycle.start(campaign.pk, by=SYSTEM)
    found = ses.accept_all(campaign.pk)
    Attempt.objects.update(started_at=T0)
    return list(Delivery.objects.filter(pk__in=[row.pk for row in found]).order_by("pk"))


def row(delivery: Delivery) -> tuple[Any, ...]:
    found = Engagement.objects.get(pk=delivery.pk)
    return found.opened, found.clicked, found.links_person, found.links_machine


def test_people_and_programs_are_counted_apart() -> None:
    ada, bob, eve, zoe, apple = sent = mails(5)
    take(*map(ses.delivered, sent))
    take(
        opened(ada, 3600, agent=GMAIL), click(ada, 3700, A), click(ada, 3800, A),
        # A scanner at bob's, then bob himself.
        click(bob, 1, A, ip="198.51.100.1"), click(bob, 1, B, ip="198.51.100.1"), click(bob, 2, C, ip="198.51.100.1"),
        opened(bob, 900), click(bob, 910, B),
        # Only a scanner.
        opened(eve, 61), click(eve, 60, A), click(eve, 60.5, TRAP),
        click(zoe, 40, "https://acme.example/old", agent="curl/8.1"),
        opened(apple, 20, agent="Mozilla/5.0"),
    )  # fmt: skip
    found = reports.campaign_report(ada.campaign_id or 0)
    assert {key: found[key] for key in (
        "opened_by_people", "opened_unsure", "opened_by_machines", "opened_through_proxy",
        "clicked_by_people", "clicked_unsure", "clicked_by_machines", "readers", "opens", "clicks",
    )} == {
        "opened_by_people": 2, "opened_unsure": 1, "opened_by_machines": 1, "opened_through_proxy": 1,
        "clicked_by_people": 2, "clicked_unsure": 0, "clicked_by_machines": 2, "readers": 2, "opens": 4, "clicks": 9,
    }  # fmt: skip
    assert found["links"] == [
        {"link": A, "number": 1, "people": 1, "unsure": 0, "machines": 2},
        {"link": B, "number": 2, "people": 1, "unsure": 0, "machines": 0},
        {"link": "", "number": 0, "people": 0, "unsure": 0, "machines": 1},
        {"link": C, "number": 3, "people": 0, "unsure": 0, "machines": 1},
    ]


def test_no_order_of_arrival_changes_the_numbers() -> None:
    sent = mails(24)
    orders = []
    for delivery, order in zip(sent, itertools.permutations(range(4)), strict=True):
        documents = [
            ses.delivered(delivery), click(delivery, 30, A), click(delivery, 31, B), click(delivery, 32, C),
        ]  # fmt: skip
        orders.append([documents[number] for number in order])
    for together in zip(*orders, strict=True):  # one report about each mail at a time
        take(*together)
    found = {str(row(delivery)) for delivery in sent}
    assert found == {str(("", "machine", [], [1, 2, 3]))}


def test_a_delivery_that_is_reported_late_reveals_who_was_too_quick() -> None:
    [ada] = mails()
    take(opened(ada, 1))
    assert row(ada)[0] == "person"
    take(ses.delivered(ada))
    assert row(ada)[0] == "machine"


def test_the_honeypot_takes_back_what_looked_like_a_person() -> None:
    [ada] = mails()
    take(ses.delivered(ada), click(ada, 30, A))
    assert row(ada) == ("", "person", [1], [])
    take(click(ada, 50, TRAP))
    assert row(ada) == ("", "machine", [], [1])


def test_a_report_that_comes_twice_counts_once() -> None:
    [ada] = mails()
    take(ses.delivered(ada), opened(ada, 60))
    take(opened(ada, 60) | {"copy": 2})
    assert Engagement.objects.get().opens == 1


def test_events_that_came_before_the_answer_of_ses_are_counted_when_they_are_matched() -> None:
    [ada] = mails()
    document = opened(ada, 60)
    document["mail"]["tags"] = {}
    Attempt.objects.update(message_id="not known yet")
    take(document)
    assert not Engagement.objects.exists()
    Attempt.objects.update(message_id=ses.message_id(ada))
    pipeline.rematch()
    assert row(ada)[0] == "person"


def test_whoever_loads_a_picture_without_end_fills_no_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(engagement.MOST, "open", 5)
    [ada] = mails()
    take(ses.delivered(ada), *(opened(ada, 60 + number) for number in range(8)))
    take(*(opened(ada, 600 + number) for number in range(8)), click(ada, 900, A))
    assert Event.objects.filter(kind="open").count() == 5
    assert (Engagement.objects.get().opens, Engagement.objects.get().clicks) == (5, 1)


def test_another_programs_mails_and_tests_count_nowhere() -> None:
    [ada] = mails()
    foreign = opened(ada, 60)
    foreign["mail"] |= {"tags": {}, "messageId": "0100-of-another-program"}
    take(foreign)
    Delivery.objects.update(campaign=None, purpose="test")
    take(opened(ada, 70))
    assert not Engagement.objects.exists()


def test_the_rules_of_an_update_reach_old_events(monkeypatch: pytest.MonkeyPatch) -> None:
    [ada] = mails()
    take(ses.delivered(ada), opened(ada, 60))
    Engagement.objects.update(opened="machine")
    out = io.StringIO()
    call_command("rebuild_engagement", "--json", stdout=out)
    assert json.loads(out.getvalue()) == {"mails": 1}
    assert row(ada)[0] == "person"


def test_the_timeline_says_who_it_was() -> None:
    ada = send_to("ada@post.example")
    take(ses.delivered(ada), opened(ada, 2), opened(ada, 300, agent=GMAIL), click(ada, 400, TRAP))
    take(click(ada, 4000, "https://www.example.org/", agent="<script>alert(1)</script>"))
    told = [
        entry.headline
        for entry in timeline.page(ada.subscriber_id).entries
        if entry.label in ("open", "click")
    ]
    assert told == [
        "A link in the mail was followed.",
        "A link in the mail was followed by a program: people cannot see the link that it followed.",
        "The mail was opened by the person, through the picture proxy of the mail provider.",
        "The mail was opened by a program of the receiving side, 2 s after delivery.",
    ]


def test_the_pages_show_it_and_no_program_gets_its_markup_in(admin_client: Client) -> None:
    [ada] = mails()
    take(
        ses.delivered(ada), opened(ada, 60, agent=GMAIL), click(ada, 90, A, agent="<script>alert(1)</script>")
    )
    page = admin_client.get(f"/admin/mailinglist/campaign/{ada.campaign_id}/change/").content.decode()
    assert "Opened or followed by 1 person" in page and A in page
    assert "1 of those opened by people is known through a picture proxy" in " ".join(page.split())
    story = admin_client.get(reverse("admin:bounces_recipient", args=[ada.subscriber_id])).content.decode()
    assert "&lt;script&gt;alert(1)" in story and "<script>alert(1)" not in story


def test_without_opens_the_page_says_nothing_about_them(admin_client: Client) -> None:
    [ada] = mails()
    page = admin_client.get(f"/admin/mailinglist/campaign/{ada.campaign_id}/change/").content.decode()
    assert "Opened or followed" not in page


def test_a_batch_costs_the_same_number_of_statements_however_many_mails(
    django_assert_max_num_queries: Any,
) -> None:
    sent = mails(30)
    take(*map(ses.delivered, sent))
    with django_assert_max_num_queries(130):  # 120 of them store the notifications one by one
        take(*(event for row in sent for event in (opened(row, 60), click(row, 70, A))))
    assert Engagement.objects.filter(clicked="person").count() == 30
