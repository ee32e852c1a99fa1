"""Notifications as received: read-only, with the raw body, and a second try for the quarantined ones."""

import json
from contextlib import suppress

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.decorators import action, display

from bounces import pipeline
from bounces.models import Notification
from mailinglist import words
from mailinglist.staff import FirstStep, MachineOwnedAdmin, recipient_url, require
from mailinglist.templatetags.mailinglist_tags import badge

#: More of a body than this is not shown; the command line has the rest.
SHOWN = 100_000


@admin.register(Notification)
class NotificationAdmin(MachineOwnedAdmin):
    list_display = ("received_at", "source", "state_badge", "error", "copies", "tries")
    list_filter = ("state", "source", "received_at")
    list_filter_sheet = False
    actions = ("process_again",)
    fieldsets = (
        (None, {"fields": ("state_badge", "error", "events_in_it", "received_at", "processed_at", "tries")}),
        ("Where from", {"fields": ("source", "topic_arn", "published_at", "dedupe_key", "copies")}),
        ("As it was received", {"fields": ("body",)}),
    )
    empty_text = (
        "Nothing was received yet. SES must publish its events to an SNS topic, and the topic must be "
        "subscribed to this installation's address /hooks/ses/."
    )
    first_step = FirstStep(
        "manage.py bounce_doctor says what is missing, and how to mend it. Then send a test.",
        "Campaigns",
        "mailinglist_campaign_changelist",
        "mailinglist.view_campaign",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Notification]:
        found: QuerySet[Notification] = super().get_queryset(request)
        match = request.resolver_match
        return found.defer("raw") if match and match.url_name == "bounces_notification_changelist" else found

    def has_process_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("bounces.change_notification"))

    @action(description="Process again (quarantined only)", permissions=["process"])
    def process_again(self, request: HttpRequest, queryset: QuerySet[Notification]) -> None:
        require(request, "bounces.change_notification")
        chosen = list(queryset.values_list("pk", "state"))
        quarantined = [pk for pk, state in chosen if state == Notification.State.QUARANTINED]
        if not quarantined:
            messages.warning(request, "None of the chosen notifications is quarantined, so nothing was done.")
            return
        pipeline.replay(quarantined)
        still = Notification.objects.filter(pk__in=quarantined, state=Notification.State.QUARANTINED).count()
        messages.success(request, f"{len(quarantined) - still} processed, {still} still quarantined.")
        if skipped := len(chosen) - len(quarantined):
            messages.info(request, f"{skipped} were not quarantined and were left alone.")

    @display(description="State")
    def state_badge(self, row: Notification) -> SafeString:
        return badge(row.get_state_display(), row.state)

    @display(description="What it says")
    def events_in_it(self, row: Notification) -> SafeString | str:
        events = row.events.select_related("subscriber").order_by("pk")[:100]
        lines = [
            (recipient_url(event.subscriber.pk), event.subscriber.email, _said(event.kind, event.verdict))
            if event.subscriber
            else ("", event.recipient, _said(event.kind, event.verdict))
            for event in events
        ]
        linked = [
            format_html('<a href="{}">{}</a>: {}', *line) if line[0] else format_html("{}: {}", *line[1:])
            for line in lines
        ]
        return (
            format_html_join("", "<div>{}</div>", ((line,) for line in linked)) or "nothing about a recipient"
        )

    @display(description="Raw")
    def body(self, row: Notification) -> SafeString:
        return format_html('<pre class="ml-raw" tabindex="0">{}</pre>', readable(row.raw))


def readable(raw: bytes | memoryview | None) -> str:
    """A body for people: JSON indented, other text as it is, at most SHOWN characters."""
    if raw is None:
        return "The body was removed when its time of retention was over. What it said is kept in the events."
    text = bytes(raw).decode("utf-8", "replace")
    with suppress(ValueError, RecursionError):
        text = json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}\n… {len(text) - SHOWN:,} more characters"


def _said(kind: str, verdict: str) -> str:
    return (
        words.spaced(kind)
        if verdict in ("", "not-a-bounce")
        else f"{words.spaced(kind)}, {words.verdict(verdict)}"
    )
