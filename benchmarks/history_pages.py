"""The staff pages about bounces with every filter, as (name, method, address, values). Runs after ``django.setup``."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from django.urls import reverse

from benchmarks import history_rows
from benchmarks.asking import Page
from bounces.models import Event, Incident, Notification
from mailinglist.models import Campaign, MailingList, Subscriber

_PERSON = "person100@"


def every() -> Iterator[Page]:
    yield "overview", "get", reverse("admin:index"), {}
    yield from _lists()
    yield from _single()
    now = datetime.now(UTC)
    span = {
        "domain": history_rows.LARGEST,
        "start": (now - timedelta(days=90)).strftime("%Y-%m-%dT%H:%M"),
        "end": now.strftime("%Y-%m-%dT%H:%M"),
        "why": "An outage.",
    }
    yield "take back", "get", reverse("admin:bounces_restore"), {}
    yield "take back: counted", "post", reverse("admin:bounces_restore"), span
    simulate = reverse("admin:bounces_policy_simulate")
    yield "what if", "get", simulate, {}
    list_id = str(MailingList.objects.values_list("pk", flat=True)[0])
    yield "what if: compared", "get", simulate, {"mailing_list": list_id, "hold_hours": "12"}


def _lists() -> Iterator[Page]:
    list_id = str(MailingList.objects.values_list("pk", flat=True)[0])
    now = datetime.now(UTC)
    day = (now - timedelta(days=7)).isoformat(sep=" ")
    filters: dict[str, list[dict[str, str]]] = {
        "bounces_event": [
            {},
            {"p": "100"},
            {"q": _PERSON},
            {"q": "nobody"},
            *(
                {"verdict": verdict}
                for verdict in ("bounces", "hard", "soft", "complaint", "unknown", "delivered")
            ),
            {"reason": "mailbox-full"},
            {"reason": "no-such-reason"},
            {"provider": history_rows.LARGEST},
            {"provider": history_rows.LARGEST, "verdict": "complaint"},
            {"provider": "city7.example"},
            {"list": list_id},
            {"list": list_id, "verdict": "hard"},
            {"list": "0"},
            *({"effect": effect} for effect in ("held", "applied", "ruled")),
            *({"kind": kind} for kind in ("send", "delivery", "bounce", "reject", "click", "subscription")),
            *({"whose": whose} for whose in ("ours", "foreign")),
            {"occurred_at__gte": day},
            {"occurred_at__gte": day, "verdict": "block", "list": list_id, "effect": "held"},
        ],
        "bounces_notification": [
            {},
            {"p": "100"},
            *({"state__exact": state} for state in Notification.State.values),
            *({"source__exact": source} for source in Notification.Source.values),
        ],
        "bounces_incident": [{}, {"state__exact": "open"}],
        "mailinglist_suppression": [{}, {"q": _PERSON}],
        "mailinglist_delivery": [{}, {"state__exact": "bounced"}, {"state__exact": "waiting"}],
        "mailinglist_change": [{}],
        "mailinglist_subscriber": [{}, {"q": _PERSON}],
        "bounces_policy": [{}],
    }
    for name, asked in filters.items():
        for values in asked:
            words = " ".join(f"{key}={value}" for key, value in values.items())
            yield f"{name} {words}".strip(), "get", reverse(f"admin:{name}_changelist"), values


def _single() -> Iterator[Page]:
    bounced = Event.objects.filter(verdict="hard", subscriber__isnull=False).order_by("pk")[0]
    yield "recipient", "get", reverse("admin:bounces_recipient", args=[bounced.subscriber_id]), {}
    person = Subscriber.objects.filter(email_key__startswith=_PERSON)[0]
    yield "recipient without bounces", "get", reverse("admin:bounces_recipient", args=[person.pk]), {}
    yield "event", "get", reverse("admin:bounces_event_change", args=[bounced.pk]), {}
    notification = reverse("admin:bounces_notification_change", args=[bounced.notification_id])
    yield "notification", "get", notification, {}
    yield "providers", "get", reverse("admin:bounces_providers"), {}
    for provider in (history_rows.LARGEST, "city7.example"):
        yield f"provider {provider}", "get", reverse("admin:bounces_provider", args=[provider]), {}
    for incident in Incident.objects.order_by("-pk")[:1]:
        for tail in ("change", "confirm", "release"):
            yield (
                f"incident: {tail}",
                "get",
                reverse(f"admin:bounces_incident_{tail}", args=[incident.pk]),
                {},
            )
    campaign = Campaign.objects.order_by("-pk")[0]
    yield "campaign", "get", reverse("admin:mailinglist_campaign_change", args=[campaign.pk]), {}
