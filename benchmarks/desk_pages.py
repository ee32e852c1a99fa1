"""Every staff page, as (name, method, address, values), about bounces and all else. Runs after ``django.setup``."""

from collections.abc import Iterator

from django.contrib.auth.models import Group, User
from django.urls import reverse

from benchmarks import history_pages
from benchmarks.asking import Page
from bounces.models import Event, Policy
from mailinglist import campaign_counts
from mailinglist.models import (
    Attribute,
    Campaign,
    Change,
    Delivery,
    Import,
    MailImage,
    MailingList,
    Segment,
    Subscriber,
    Subscription,
    Suppression,
    Tag,
    Template,
)
from mailinglist.who_got_it import GROUPS

_PERSON = "person100@"


def every() -> Iterator[Page]:
    draft, made = Campaign.objects.get_or_create(name="Not started", subject="News", body="Hello")
    if made:
        draft.lists.set(MailingList.objects.all())
    yield from history_pages.every()
    yield from _dashboard()
    yield from _lists()
    yield from _forms()
    yield from _campaigns()
    yield from _results()
    yield from _people()


def _dashboard() -> Iterator[Page]:
    newest = str(MailingList.objects.order_by("-pk").values_list("pk", flat=True)[0])
    yield "overview of one list", "get", reverse("admin:index"), {"list": newest}
    yield "progress", "get", reverse("admin:bounces_progress"), {}
    yield "all providers of 90 days", "get", reverse("admin:bounces_providers"), {"days": "90"}


def _lists() -> Iterator[Page]:
    list_id = str(MailingList.objects.order_by("pk").values_list("pk", flat=True)[0])
    oldest = str(Campaign.objects.exclude(started_at=None).order_by("pk").values_list("pk", flat=True)[0])
    newest = str(_under_way().pk)
    filters: dict[str, list[dict[str, str]]] = {
        "mailinglist_campaign": [{}, {"q": "days"}, {"status__exact": "finished"}],
        "mailinglist_mailinglist": [{}, {"q": "week"}],
        "mailinglist_delivery": [
            {"p": "100"},
            {"q": _PERSON},
            {"q": "nobody"},
            *({"campaign": campaign} for campaign in (oldest, newest, "none", "0")),
            {"campaign": oldest, "p": "100"},
            *({"campaign": newest, "state__exact": state} for state in ("waiting", "delivered", "queued")),
            *({"state__exact": state} for state in Delivery.State.values),
            *(
                {"verdict": verdict}
                for verdict in ("hard", "soft", "block", "complaint", "delivered", "unknown")
            ),
            {"campaign": oldest, "verdict": "soft"},
            *({"purpose": purpose} for purpose in ("campaign", "test", "confirmation")),
        ],
        "mailinglist_subscriber": [
            {"p": "100"},
            {"q": "nobody"},
            {"list": list_id},
            *({"status": status} for status in Subscription.Status.values),
            *({"list": list_id, "status": status} for status in Subscription.Status.values),
            *({"segment": str(pk)} for pk in Segment.objects.order_by("pk").values_list("pk", flat=True)),
            *({"tag": str(pk)} for pk in Tag.objects.order_by("pk").values_list("pk", flat=True)),
            {f"value_{Attribute.objects.get(key='member').pk}": "yes"},
        ],
        "mailinglist_suppression": [
            {"state": "active"},
            {"state": "released"},
            *({"reason__exact": reason} for reason in Suppression.Reason.values),
        ],
        "mailinglist_change": [
            {"p": "100"},
            {"q": _PERSON},
            *({"noun__exact": noun} for noun in Change.Noun.values),
            *({"actor__exact": actor} for actor in Change.Actor.values),
        ],
        "mailinglist_subscription": [
            {},
            {"q": _PERSON},
            {"list__id__exact": list_id},
            {"reason": "bounces"},
            *({"reason": reason} for reason in Subscription.Reason.values if reason),
        ],
        "auth_user": [{}, {"q": "boss"}],
        "auth_group": [{}],
        "mailinglist_attribute": [{}],
        "mailinglist_tag": [{}, {"q": "pre"}],
        "mailinglist_segment": [{}, {"q": "Much"}],
        "mailinglist_template": [{}],
        "mailinglist_mailimage": [{}, {"q": "square"}],
        "mailinglist_import": [{}],
    }
    for name, asked in filters.items():
        for values in asked:
            words = " ".join(f"{key}={value}" for key, value in values.items())
            yield f"{name} {words}".strip(), "get", reverse(f"admin:{name}_changelist"), values


def _forms() -> Iterator[Page]:
    for name in (
        "mailinglist_campaign",
        "mailinglist_mailinglist",
        "mailinglist_subscriber",
        "mailinglist_suppression",
        "bounces_policy",
        "auth_user",
        "auth_group",
    ):
        yield f"add {name}", "get", reverse(f"admin:{name}_add"), {}
    ended = Subscription.objects.exclude(unsubscribe_reason="")
    rows = [
        model._default_manager.all() for model in (MailingList, Subscriber, Delivery, Change, Suppression)
    ]
    every = Import.objects.all(), Segment.objects.all(), Attribute.objects.all(), Tag.objects.all()
    some = Template.objects.all(), MailImage.objects.all(), Group.objects.all()
    for found in (*rows, ended, Policy.objects.all(), User.objects.all(), *some):
        name = f"{found.model._meta.app_label}_{found.model._meta.model_name}"
        for row in found.order_by("-pk")[:1]:
            yield f"change {name}", "get", reverse(f"admin:{name}_change", args=[row.pk]), {}
    for found in every:
        name = f"{found.model._meta.app_label}_{found.model._meta.model_name}"
        for row in found.order_by("pk"):
            yield f"change {name}: {row}", "get", reverse(f"admin:{name}_change", args=[row.pk]), {}
    first = MailingList.objects.order_by("pk")[0]
    for tail in ("change", "embed", "sign_ups"):
        yield f"list: {tail}", "get", reverse(f"admin:mailinglist_mailinglist_{tail}", args=[first.pk]), {}


def _campaigns() -> Iterator[Page]:
    running = _under_way()
    ended = Campaign.objects.filter(status="finished").order_by("-pk")[0]
    plain, chosen = Campaign.objects.filter(status="draft").order_by("-pk")[:2]
    planned, stoppable = Campaign.objects.filter(status="scheduled").order_by("pk")
    paused = Campaign.objects.filter(status="paused").order_by("-pk")[0]
    draft_pages = ("change", "start", "schedule", "test", "preview", "check", "audience", "versions")
    tails = {
        running: ("pause", "cancel", "audience"),
        ended: ("change", "preview", "preview_html", "duplicate", "follow_up", "unarchive"),
        plain: draft_pages,
        chosen: (*draft_pages, "ask_approval"),
        planned: ("change", "unschedule", "schedule"),
        stoppable: ("change",),
        paused: ("change", "resume"),
    }
    for campaign, names in tails.items():
        for tail in names:
            address = reverse(f"admin:mailinglist_campaign_{tail}", args=[campaign.pk])
            yield f"{campaign}: {tail}", "get", address, {}


def _results() -> Iterator[Page]:
    newest = _under_way()
    results = reverse("admin:bounces_results", args=[newest.pk])
    yield "results", "get", results, {}
    yield "results by days", "get", results, {"step": "days", "provider": "gmail.com"}
    people = reverse("admin:bounces_results_people", args=[newest.pk])
    for code in GROUPS:
        yield f"results: {code}", "get", people, {"who": code}
    middle = str(sum(campaign_counts.span(newest.pk)) // 2)
    for values in (
        {"q": _PERSON},
        {"q": "person100@city100.example"},
        {"before": middle},
        {"who": "without", "before": middle},
        {"who": "verdict-soft", "provider": "yahoo.com"},
        {"who": "verdict-soft", "reason": "none-such"},
        {"who": "clicked", "link": "7"},
    ):
        yield f"results: {values}", "get", people, values
    yield "compare: choose", "get", reverse("admin:bounces_compare"), {}
    chosen = Campaign.objects.exclude(started_at=None).order_by("-pk").values_list("pk", flat=True)[:5]
    asked = "&".join(f"c={pk}" for pk in chosen)
    yield "compare five", "get", f"{reverse('admin:bounces_compare')}?{asked}", {}


def _under_way() -> Campaign:
    """The newest of the large ones."""
    return Campaign.objects.filter(status="sending").order_by("-pk")[0]


def _people() -> Iterator[Page]:
    suppressed = (
        Event.objects.filter(verdict="hard", applied_at__isnull=False).order_by("-pk")[0].subscriber_id
    )
    person = Subscriber.objects.filter(email_key__startswith=_PERSON)[0].pk
    for pk, tails in ((person, ("unsubscribe", "suppress")), (suppressed, ("release", "take_back"))):
        for tail in tails:
            yield f"recipient: {tail}", "get", reverse(f"admin:bounces_recipient_{tail}", args=[pk]), {}
    for tail in ("data", "erase"):
        yield f"subscriber: {tail}", "get", reverse(f"admin:mailinglist_subscriber_{tail}", args=[person]), {}
    row = Suppression.objects.filter(released_at__isnull=True).order_by("-pk")[0]
    yield "suppression: release", "get", reverse("admin:mailinglist_suppression_release", args=[row.pk]), {}
