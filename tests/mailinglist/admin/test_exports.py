"""Downloads of subscribers and recipients: complete, harmless to spreadsheets, allowed to few, and written down."""

import csv
import io
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from mailinglist.changes import SYSTEM
from mailinglist.imports import import_csv
from mailinglist.models import Change, Delivery, Engagement
from tests.factories import make_list, make_subscriber
from tests.staff import make_delivery, make_started

SUBSCRIBERS = "admin:mailinglist_subscriber_export"
RECIPIENTS = "admin:mailinglist_delivery_export"
FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "＝1"]


def rows(answer: Any) -> list[dict[str, str]]:
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/csv")
    text = b"".join(answer.streaming_content).decode()
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_the_subscribers_of_a_list_come_with_the_filters_of_the_table(staff: Client, boss: User) -> None:
    news = make_list()
    for name in ("ada", "bob"):
        make_subscriber(f"{name}@post.example", news)
    news.subscriptions.filter(subscriber__email_key="bob@post.example").update(
        status="unsubscribed", unsubscribe_reason="page"
    )
    table = staff.get(
        reverse("admin:mailinglist_subscriber_changelist"), {"list": news.pk, "status": "confirmed"}
    )
    assert f"{reverse(SUBSCRIBERS)}?list={news.pk}&amp;status=confirmed" in table.content.decode()
    form = staff.get(reverse(SUBSCRIBERS), {"list": news.pk, "status": "confirmed"})
    assert form.context["form"]["status"].value() == ["confirmed"]
    assert not Change.objects.filter(after="exported").exists(), "looking is no export"

    found = rows(staff.post(reverse(SUBSCRIBERS), {"mailing_list": news.pk, "status": ["confirmed"]}))
    assert [row["email"] for row in found] == ["ada@post.example"]
    assert len(rows(staff.post(reverse(SUBSCRIBERS), {"mailing_list": news.pk}))) == 2
    noted = Change.objects.filter(after="exported").earliest("pk")
    assert (noted.user, noted.list, noted.why) == (
        boss,
        news,
        "Downloaded the subscribers (confirmed) of “News”.",
    )


def test_no_cell_is_a_formula_and_an_import_gives_back_what_was_exported(staff: Client) -> None:
    news, other = make_list(), make_list("other")
    for number, formula in enumerate(FORMULAS):
        make_subscriber(f"p{number}@post.example", news, name=formula.strip(), attributes={"note": formula})
    make_subscriber("=cmd@post.example", news)
    answer = staff.post(reverse(SUBSCRIBERS), {"mailing_list": news.pk})
    text = b"".join(answer.streaming_content).decode()
    cells = [cell for row in csv.reader(io.StringIO(text, newline="")) for cell in row]
    assert [cell for cell in cells if cell[:1] in ("=", "+", "-", "@", "\t", "\r", "＝")] == []
    report = import_csv(other.pk, io.BytesIO(text.encode()), by=SYSTEM, update=True)
    assert (report.new_subscriptions, report.updated, report.bad_total) == (len(FORMULAS) + 1, 0, 0)


def test_the_recipients_of_a_campaign_come_with_what_became_of_their_mail(staff: Client) -> None:
    news = make_list()
    campaign = make_started(news)
    ada = make_delivery(campaign, make_subscriber("ada@post.example", news), "delivered")
    make_delivery(campaign, make_subscriber("bob@post.example", news), "bounced", reason="hard:unknown-user")
    gone = make_delivery(campaign, make_subscriber("eve@post.example", news), "delivered")
    Delivery.objects.filter(pk=gone.pk).update(subscriber=None)
    Engagement.objects.create(delivery=ada, campaign=campaign, opened="person", opens=1)
    page = staff.get(reverse("admin:mailinglist_campaign_change", args=[campaign.pk])).content.decode()
    export = reverse(RECIPIENTS, args=[campaign.pk])
    assert export in page

    found = rows(staff.post(export))
    assert [(row["email"], row["state"], row["reason"], row["opened"]) for row in found] == [
        ("ada@post.example", "delivered", "", "person"),
        ("bob@post.example", "bounced", "hard:unknown-user", ""),
        ("", "delivered", "", ""),
    ]
    assert [row["email"] for row in rows(staff.post(export, {"state": ["bounced"]}))] == ["bob@post.example"]
    noted = Change.objects.filter(noun="campaign", object_id=campaign.pk, after="exported").earliest("pk")
    assert noted.why == "Downloaded the recipients (all) of “Week 47”."


@pytest.mark.parametrize("permissions", [(), ("view_subscriber", "view_delivery"), ("export_subscriber",)])
def test_who_may_not_export_gets_nothing(client: Client, db: Any, permissions: tuple[str, ...]) -> None:
    eve = User.objects.create_user("eve", password="x", is_staff=True)
    eve.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client.force_login(eve)
    news = make_list()
    campaign = make_started(news)
    for address in (reverse(SUBSCRIBERS), reverse(RECIPIENTS, args=[campaign.pk])):
        assert client.get(address).status_code == 403
        assert client.post(address, {"mailing_list": news.pk}).status_code == 403
    assert not Change.objects.filter(after="exported").exists()
    if "view_subscriber" in permissions:
        table = client.get(reverse("admin:mailinglist_subscriber_changelist")).content.decode()
        assert reverse(SUBSCRIBERS) not in table
