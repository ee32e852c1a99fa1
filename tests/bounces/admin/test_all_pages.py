"""Every staff page: empty and full, for strangers, with hostile data, and with many rows."""

from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
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
from tests.factories import make_campaign, make_list, make_subscriber
from tests.staff import (
    NASTY,
    make_delivery,
    make_event,
    make_quarantined,
    make_started,
    make_story,
    make_suppressed,
)

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


@pytest.mark.parametrize("name", LISTS)
def test_an_empty_page_renders(staff: Client, name: str) -> None:
    assert staff.get(reverse(f"admin:{name}_changelist")).status_code == 200


def test_the_first_page_of_a_new_installation_tells_the_first_steps(staff: Client) -> None:
    assert "Make a list" in staff.get(reverse("admin:index")).content.decode()


@pytest.mark.parametrize(
    ("name", "lesson"),
    [
        ("mailinglist_subscriber", "when they sign up on a list"),
        ("mailinglist_delivery", "every recipient gets a row here"),
        ("bounces_notification", "/hooks/ses/"),
        ("bounces_event", "once SES publishes its events"),
        ("mailinglist_suppression", "fingerprint"),
        ("mailinglist_campaign", "Write one"),
    ],
)
def test_an_empty_table_says_what_appears_there(staff: Client, name: str, lesson: str) -> None:
    assert lesson in staff.get(reverse(f"admin:{name}_changelist")).content.decode()


def test_a_search_without_hits_does_not_teach(staff: Client) -> None:
    page = staff.get(reverse("admin:mailinglist_subscriber_changelist"), {"q": "nobody"}).content.decode()
    assert "when they sign up on a list" not in page


def test_every_page_renders_with_data(staff: Client) -> None:
    fill()
    broken = {
        page: status for page in every_page() if (status := staff.get(page).status_code) not in (200, 302)
    }
    assert broken == {}


def test_no_get_changes_anything(staff: Client) -> None:
    fill()

    def everything() -> list[Any]:
        models = (
            MailingList,
            Subscriber,
            Campaign,
            Delivery,
            Change,
            Suppression,
            Event,
            Notification,
            Policy,
            Incident,
            ProviderSlot,
            Subscription,
        )
        return [sorted(map(str, model._default_manager.values_list())) for model in models]

    before = everything()
    for page in every_page():
        staff.get(page)
    assert everything() == before


def test_strangers_are_sent_to_the_login(client: Client, boss: User) -> None:
    fill()
    open_doors = [page for page in every_page() if "/login/" not in client.get(page).get("Location", "")]
    assert open_doors == []
    assert [page for page in every_page() if "/login/" not in client.post(page).get("Location", "")] == []


def test_staff_without_rights_see_and_do_nothing(client: Client) -> None:
    fill()
    client.force_login(User.objects.create_user("intern", password="x", is_staff=True))
    pages = [page for page in every_page() if page != reverse("admin:index")]
    assert [page for page in pages if client.get(page).status_code != 403] == []
    assert [page for page in pages if client.post(page, {"why": "x"}).status_code != 403] == []
    assert client.get(reverse("admin:index")).status_code == 200


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


def test_hostile_text_is_escaped_on_every_page(staff: Client) -> None:
    ada = fill(NASTY)
    MailingList.objects.update(name=NASTY, from_name=NASTY, description=NASTY, postal_address=NASTY)
    Event.objects.update(diagnostic=NASTY, mta=NASTY, reason="<i>x</i>", recipient=NASTY, effect_text=NASTY)
    Delivery.objects.update(reason="<b>x</b>:<i>y</i>")
    Change.objects.update(before="<b>", why=NASTY, evidence={"x": NASTY})
    ada.subscriptions.update(consent_text=NASTY, consent_user_agent=NASTY, source="<b>form</b>")
    pages = [page for page in every_page() if "/preview/html/" not in page]
    pages += [f"{reverse('admin:mailinglist_subscriber_changelist')}?q={NASTY}"]
    leaking = [page for page in pages if leaks(staff.get(page, follow=True).content.decode())]
    assert leaking == []


def leaks(html: str) -> bool:
    return any(nasty in html for nasty in ("<script>alert", "<img src=x", "<i>x</i>", "<b>x</b>", "<b>form"))


def test_a_page_of_fifty_rows_takes_few_queries(staff: Client, django_assert_max_num_queries: Any) -> None:
    many()
    for name in LISTS:
        with django_assert_max_num_queries(15, info=name):
            page = staff.get(reverse(f"admin:{name}_changelist"))
        assert page.status_code == 200, name


def many() -> None:
    news = make_list("news")
    campaign = make_started(news)
    for number in range(50):
        person = make_subscriber(f"p{number}@post.example", news)
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


def test_the_campaign_page_takes_few_queries(staff: Client, django_assert_max_num_queries: Any) -> None:
    many()
    with django_assert_max_num_queries(15):
        staff.get(
            reverse(
                "admin:mailinglist_campaign_change", args=[Campaign.objects.exclude(started_at=None)[0].pk]
            )
        )


def test_big_tables_are_counted_no_further_than_needed(
    staff: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    many()
    monkeypatch.setattr("mailinglist.staff.COUNT_CAP", 20)
    page = staff.get(reverse("admin:mailinglist_delivery_changelist"))
    assert page.context["cl"].result_count == 20
