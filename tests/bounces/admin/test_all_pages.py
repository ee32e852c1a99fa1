"""Every staff page: empty and full, with hostile data, and with many rows. For whom: test_role_matrix.py."""

from html.parser import HTMLParser
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import Permission, User
from django.db import DatabaseError, transaction
from django.db.models import CharField, TextField
from django.test import Client
from django.urls import resolve, reverse
from django.utils import timezone

from bounces.models import Event, Incident, Notification, Policy, ProviderSlot
from mailinglist import images, subscriptions, writing
from mailinglist.changes import Actor, Kind
from mailinglist.models import (
    Campaign,
    Change,
    Delivery,
    LinkCheck,
    MailImage,
    MailingList,
    Subscriber,
    Subscription,
    Suppression,
    Template,
)
from tests import logos
from tests.factories import make_campaign, make_list, make_readers, make_subscriber
from tests.staff import (
    NASTY,
    make_delivery,
    make_event,
    make_quarantined,
    make_started,
    make_story,
    make_suppressed,
)
from tests.test_get_changes_nothing import Watch, addresses, cast

pytestmark = [pytest.mark.django_db, pytest.mark.no_cover]
LISTS = [
    "mailinglist_campaign",
    "mailinglist_template",
    "mailinglist_mailimage",
    "mailinglist_delivery",
    "mailinglist_subscriber",
    "mailinglist_mailinglist",
    "mailinglist_suppression",
    "mailinglist_change",
    "bounces_event",
    "bounces_notification",
    "bounces_policy",
    "bounces_incident",
    "mailinglist_subscription",
    "auth_user",
    "auth_group",
]
MACHINE_OWNED = [
    "mailinglist_delivery",
    "mailinglist_change",
    "mailinglist_subscription",
    "bounces_event",
    "bounces_notification",
    "bounces_incident",
]


def changelists() -> list[str]:
    return [reverse(f"admin:{name}_changelist") for name in LISTS]


def every_page() -> list[str]:
    """The address of every page there is, for the rows there are."""
    pages = [reverse("admin:index"), reverse("admin:bounces_restore"), *changelists()]
    pages += [reverse("admin:bounces_providers"), reverse("admin:bounces_policy_simulate")]
    pages.append(reverse("admin:bounces_compare"))
    pages += [
        f"{reverse('admin:bounces_policy_simulate')}?mailing_list={row.pk}"
        for row in MailingList.objects.all()
    ]
    for slot in ProviderSlot.objects.all()[:3]:
        pages.append(reverse("admin:bounces_provider", args=[slot.provider]))
    for incident in Incident.objects.all():
        pages += [
            reverse(f"admin:bounces_incident_{tail}", args=[incident.pk]) for tail in ("confirm", "release")
        ]
    for event in Event.objects.exclude(subscriber=None)[:3]:
        pages += [
            reverse(f"admin:bounces_recipient_{tail}", args=[event.subscriber_id, event.pk])
            for tail in ("leave_alone", "let_count")
        ]
    pages += [reverse(f"admin:{name}_add") for name in LISTS if name not in MACHINE_OWNED]
    for model in (
        MailingList,
        Subscriber,
        Campaign,
        Template,
        MailImage,
        Delivery,
        Change,
        Suppression,
        Event,
        Notification,
        Policy,
        Incident,
        Subscription,
    ):
        label = f"{model._meta.app_label}_{model._meta.model_name}"
        pages += [reverse(f"admin:{label}_change", args=[row.pk]) for row in model._default_manager.all()[:3]]
    for campaign in Campaign.objects.all()[:3]:
        tails = (
            "start",
            "schedule",
            "unschedule",
            "pause",
            "resume",
            "cancel",
            "test",
            "duplicate",
            "preview",
            "versions",
            "check",
            "throw_away",
        )
        pages += [reverse(f"admin:mailinglist_campaign_{tail}", args=[campaign.pk]) for tail in tails]
        pages.append(reverse("admin:mailinglist_campaign_preview_html", args=[campaign.pk]))
        pages += [
            reverse(f"admin:bounces_{name}", args=[campaign.pk]) for name in ("results", "results_people")
        ]
    for template in Template.objects.all()[:3]:
        pages += [
            reverse(f"admin:mailinglist_template_{tail}", args=[template.pk])
            for tail in ("preview", "preview_html", "duplicate")
        ]
    for person in Subscriber.objects.all()[:3]:
        pages.append(reverse("admin:bounces_recipient", args=[person.pk]))
        pages += [
            reverse(f"admin:bounces_recipient_{tail}", args=[person.pk])
            for tail in ("unsubscribe", "suppress", "release", "take_back")
        ]
        pages += [
            reverse("admin:bounces_recipient_restore", args=[person.pk, row.pk])
            for row in person.subscriptions.all()
        ]
        pages += [
            reverse("admin:bounces_recipient_resend", args=[person.pk, row.pk])
            for row in person.deliveries.all()
        ]
        pages += [
            reverse("admin:bounces_recipient_try_now", args=[person.pk, row.pk])
            for row in person.deliveries.all()
        ]
    pages += [
        reverse("admin:mailinglist_suppression_release", args=[row.pk]) for row in Suppression.objects.all()
    ]
    return pages


def fill(text: str = "The mailbox is full.") -> Subscriber:
    ada = make_story(text=text, name=text)
    make_suppressed(ada, why=text)
    make_campaign(MailingList.objects.get(slug="news"), name=text[:100], subject=text[:100], body=text)
    written = Campaign.objects.latest("pk")
    writing.keep(written, by=Actor(Kind.SYSTEM))
    LinkCheck.objects.create(campaign=written, address=text, says=text[:200], asked_at=timezone.now())
    images.store(logos.PNG, name=text[:100], alt=text[:100], by=Actor(Kind.SYSTEM))
    Template.objects.create(
        name=text[:100], description=text[:100], format="html", source=f"{text}{{{{ content }}}}"
    )
    make_quarantined(raw=text.encode(), error=text)
    ProviderSlot.objects.create(provider="post.example", starts_at=timezone.now(), delivered=3, hard=1)
    Incident.objects.create(
        provider="post.example", kind="hard", started_at=timezone.now(), ended_at=timezone.now(), why=text
    )
    Event.objects.filter(verdict="soft").update(effect="unsubscribe-all", effect_text=text)
    subscriptions.unsubscribe(
        make_subscriber("gone@post.example", MailingList.objects.get(slug="news")).pk,
        reason=Subscription.Reason.HARD_BOUNCE,
        by=Actor(Kind.RULE),
        why=text,
    )
    Policy.objects.get_or_create(list=None, defaults={"soft_retry_days": [1, 2, 4]})
    return ada


def test_the_first_page_of_a_new_installation_tells_the_first_steps(staff: Client) -> None:
    assert "Make a list" in staff.get(reverse("admin:index")).content.decode()


LESSONS = {
    "mailinglist_subscriber": "when they sign up on a list",
    "mailinglist_delivery": "every recipient gets a row here",
    "bounces_notification": "/hooks/ses/",
    "bounces_event": "once SES publishes its events",
    "mailinglist_suppression": "fingerprint",
    "mailinglist_campaign": "Write one",
}


@pytest.mark.parametrize("name", LISTS)
def test_an_empty_table_renders_and_says_what_appears_there(staff: Client, name: str) -> None:
    page = staff.get(reverse(f"admin:{name}_changelist"))
    assert page.status_code == 200
    assert LESSONS.get(name, "") in page.content.decode()


def test_a_search_without_hits_does_not_teach(staff: Client) -> None:
    page = staff.get(reverse("admin:mailinglist_subscriber_changelist"), {"q": "nobody"}).content.decode()
    assert "when they sign up on a list" not in page


def test_every_page_renders_hostile_text_as_text_and_changes_nothing(staff: Client) -> None:
    ada = fill(NASTY)
    MailingList.objects.update(name=NASTY, from_name=NASTY, description=NASTY, postal_address=NASTY)
    Event.objects.update(diagnostic=NASTY, mta=NASTY, recipient=NASTY, effect_text=NASTY)
    # Of what has words for its codes, one with an unknown code; the others keep theirs.
    Event.objects.filter(verdict="soft").update(reason="<i>x</i>")
    Delivery.objects.filter(state="waiting").update(reason="<b>x</b>:<i>y</i>")
    Change.objects.update(before="<b>", why=NASTY, evidence={"x": NASTY})
    ada.subscriptions.update(consent_text=NASTY, consent_user_agent=NASTY, source="<b>form</b>")
    pages = [*every_page(), f"{reverse('admin:mailinglist_subscriber_changelist')}?q={NASTY}"]
    watch, broken, leaking = Watch(), {}, []
    for page in pages:
        answer = staff.get(page)
        if answer.status_code not in (200, 302):
            broken[page] = answer.status_code
        # The frame of a preview shows what the manager wrote, in an origin of its own.
        if "/preview/html/" not in page and leaks(
            staff.get(page, follow=True) if answer.status_code == 302 else answer
        ):
            leaking.append(page)
    assert (broken, leaking) == ({}, [])
    assert watch.changed() == set() and watch.agrees()


class _Hostile(HTMLParser):
    """What of a page is an element, or does something, and came out of a column."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [
            name for name, value in attrs if name.startswith("on") or (value or "").startswith("javascript:")
        ]
        if tag == "plaintext" or names:
            self.found.append(self.get_starttag_text() or tag)


#: Columns of codes of ours that only we write.
CODES = {"encoding"}
#: Ends an attribute, an element, a script and a comment, and begins something of its own.
PAYLOAD = "\"'--><plaintext></script></textarea><img src=x onerror=alert(1)><a href='javascript:alert(2)'>"


def poison() -> int:
    """Write the payload into every column for text that takes it, of every row; into how many."""
    columns = 0
    for model in apps.get_models():
        for field in model._meta.get_fields():
            if model._meta.app_label not in ("mailinglist", "bounces") or not isinstance(
                field, CharField | TextField
            ):
                continue
            is_key = field.choices or field.unique or field.name in CODES
            for text in () if is_key else (PAYLOAD, "<plaintext>"):
                if field.max_length and len(text) > field.max_length:
                    continue
                try:
                    with transaction.atomic():
                        model._default_manager.update(**{field.name: text})
                except DatabaseError:  # a CHECK or a trigger lets nothing like this in
                    continue
                columns += 1
                break
    return columns


def test_what_stands_in_any_column_is_text_on_every_other_page(staff: Client) -> None:
    values = cast()
    asked = {resolve(page).view_name for page in every_page()}
    assert poison() > 80
    hostile, seen = [], 0
    for name, path in dict(addresses(values)).items():
        if not name.startswith("admin:") or name in asked or name.endswith("_html"):
            continue
        answer = staff.get(path)
        assert answer.status_code < 500, path
        if answer["Content-Type"].startswith("text/html"):
            page = answer.content.decode()
            seen += "plaintext" in page
            hostile += [(path, found)] if (found := _Hostile(page).found) else []
    assert hostile == []
    assert seen > 20
    for path in (reverse("admin:bounces_progress"), reverse("admin:mailinglist_mailimage_pick")):
        assert staff.get(path)["Content-Type"] == "application/json"  # their scripts write it as text


def test_who_may_only_look_gets_no_buttons(client: Client) -> None:
    ada = fill()
    viewer = User.objects.create_user("viewer", password="x", is_staff=True)
    viewer.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    client.force_login(viewer)
    page = client.get(reverse("admin:bounces_recipient", args=[ada.pk]))
    assert page.status_code == 200
    assert "Unsubscribe" not in page.content.decode()
    assert (
        client.post(reverse("admin:bounces_recipient_unsubscribe", args=[ada.pk]), {"why": "x"}).status_code
        == 403
    )


def test_machine_owned_rows_are_not_written_by_hand(staff: Client) -> None:
    fill()
    for name in MACHINE_OWNED:
        model = apps.get_model(*name.split("_"))
        row: Any = model._default_manager.first()
        assert staff.get(reverse(f"admin:{name}_add")).status_code == 403, name
        assert staff.get(reverse(f"admin:{name}_delete", args=[row.pk])).status_code == 403, name
        assert staff.post(reverse(f"admin:{name}_change", args=[row.pk]), {}).status_code == 403, name


def leaks(answer: Any) -> bool:
    html = answer.content.decode()
    return any(nasty in html for nasty in ("<script>alert", "<img src=x", "<i>x</i>", "<b>x</b>", "<b>form"))


def test_pages_of_fifty_rows_take_few_queries_and_count_no_further_than_needed(
    staff: Client, django_assert_max_num_queries: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    many()
    for name in LISTS:
        with django_assert_max_num_queries(15, info=name):
            page = staff.get(reverse(f"admin:{name}_changelist"))
        assert page.status_code == 200, name
    campaign = Campaign.objects.exclude(started_at=None)[0]
    with django_assert_max_num_queries(15):
        staff.get(reverse("admin:mailinglist_campaign_change", args=[campaign.pk]))
    monkeypatch.setattr("mailinglist.staff.COUNT_CAP", 20)
    page = staff.get(reverse("admin:mailinglist_delivery_changelist"))
    assert page.context["cl"].result_count == 20


def many() -> None:
    news = make_list("news")
    campaign = make_started(news)
    for number, person in enumerate(make_readers(news, 50)):
        delivery = make_delivery(campaign, person, "bounced", reason="hard:no-such-user")
        make_event(delivery, "hard", "The address does not exist.")
        make_suppressed(person)
        make_campaign(news, name=f"Draft {number}")


def test_the_recipient_page_takes_few_queries(staff: Client, django_assert_max_num_queries: Any) -> None:
    ada = make_story()
    news = MailingList.objects.get(slug="news")
    for number in range(50):
        delivery = make_delivery(make_started(news, name=f"Week {number}"), ada, "delivered")
        make_event(delivery, "delivered", "Delivered.", kind="delivery")
    with django_assert_max_num_queries(15):
        staff.get(reverse("admin:bounces_recipient", args=[ada.pk]))
