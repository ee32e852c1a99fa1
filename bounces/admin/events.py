"""What notifications said about recipients, read-only."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import action, display

from bounces import incidents, undo
from bounces.admin import endings
from bounces.admin.event_filters import EffectFilter, MailingListFilter, ProviderFilter
from bounces.admin.selection import ask_and_act
from bounces.history import JUDGED
from bounces.models import Event
from mailinglist import access, words
from mailinglist.staff import FirstStep, MachineOwnedAdmin, actor, find_subscriber_ids, recipient_url, require
from mailinglist.templatetags.mailinglist_tags import badge


class VerdictFilter(admin.SimpleListFilter):
    title = "verdict"
    parameter_name = "verdict"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("bounces", "any bounce or complaint"), *words.VERDICTS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Event]) -> QuerySet[Event]:
        if self.value() == "bounces":
            return queryset.filter(verdict__in=JUDGED)
        return queryset.filter(verdict=self.value()) if self.value() else queryset


class KindFilter(admin.SimpleListFilter):
    title = "kind"
    parameter_name = "kind"
    KINDS = (
        "send",
        "delivery",
        "delay",
        "bounce",
        "complaint",
        "reject",
        "open",
        "click",
        "rendering-failure",
        "subscription",
    )

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(kind, words.spaced(kind)) for kind in self.KINDS]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Event]) -> QuerySet[Event]:
        return queryset.filter(kind=self.value()) if self.value() else queryset


class WhoseFilter(admin.SimpleListFilter):
    title = "recipient"
    parameter_name = "whose"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("ours", "one of our mails"), ("foreign", "matches no mail of ours")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Event]) -> QuerySet[Event]:
        if self.value() in ("ours", "foreign"):
            return queryset.filter(delivery__isnull=self.value() == "foreign")
        return queryset


class ReasonFilter(admin.SimpleListFilter):
    """Reached from links and by hand in the address; a list of all codes would need a walk over the table."""

    title = "reason"
    parameter_name = "reason"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        shown = access.visible(Event.objects.all(), request.user, "bounces.view_event")
        newest = shown.exclude(reason="").order_by("-pk").values_list("reason", flat=True)[:500]
        return sorted((code, words.spaced(code)) for code in set(newest))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Event]) -> QuerySet[Event]:
        return queryset.filter(reason=self.value()) if self.value() else queryset


@admin.register(Event)
class EventAdmin(MachineOwnedAdmin):
    list_display = ("occurred_at", "person", "kind_words", "verdict_badge", "explanation", "what_it_did")
    list_filter = (
        VerdictFilter,
        ReasonFilter,
        ProviderFilter,
        MailingListFilter,
        EffectFilter,
        KindFilter,
        WhoseFilter,
        "occurred_at",
    )
    list_filter_sheet = False
    list_select_related = ("subscriber",)
    search_fields = ("subscriber__email_key",)
    search_help_text = "An address, or the beginning of one"
    actions = ("take_back", "leave_alone", "let_count")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "person",
                    "verdict_badge",
                    "explanation",
                    "reason",
                    "what_it_did",
                    "effect_at",
                    "applied_at",
                )
            },
        ),
        (
            "As reported",
            {
                "fields": (
                    "occurred_at",
                    "kind",
                    "type",
                    "subtype",
                    "recipient",
                    "action",
                    "status",
                    "diagnostic",
                    "mta",
                    "message_id",
                    "mail",
                    "evidence",
                    "extra",
                )
            },
        ),
    )
    empty_text = (
        "Nothing has come back from SES yet. Deliveries, bounces and complaints appear here within seconds "
        "of a mail, once SES publishes its events to this installation."
    )
    first_step = FirstStep(
        "Start a campaign or send a test; SES reports within seconds. If nothing comes, look at what was received.",
        "Notifications",
        "bounces_notification_changelist",
        "bounces.view_notification",
    )

    def has_undo_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perms(endings.PERMISSIONS))

    @action(description="Take back what these bounces did …", permissions=["undo"])
    def take_back(self, request: HttpRequest, queryset: QuerySet[Event]) -> HttpResponse | None:
        require(request, *endings.PERMISSIONS)

        def act(ids: list[int], why: str) -> str:
            done = undo.restore_events(ids, by=actor(request), why=why)
            return (
                f"{done.subscribers} people: {done.subscriptions} subscriptions are back, {done.suppressions} "
                "addresses released."
            )

        return ask_and_act(
            request,
            queryset,
            action="take_back",
            title="Take back bounces",
            sentences=[
                "Subscriptions that these reports ended come back, suppressions that they made are released, here "
                "and at SES. Earlier bounces of these people no longer count.",
                "Complaints, and what people chose themselves, stay as they are.",
            ],
            button="Take back",
            act=act,
        )

    def has_rule_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perms(endings.PERMISSIONS))

    @action(description="Leave alone: these bounces never count", permissions=["rule"])
    def leave_alone(self, request: HttpRequest, queryset: QuerySet[Event]) -> None:
        self._rule(request, queryset, Event.Ruling.LEAVE)

    @action(description="Let these bounces count now, without a hold", permissions=["rule"])
    def let_count(self, request: HttpRequest, queryset: QuerySet[Event]) -> None:
        self._rule(request, queryset, Event.Ruling.APPLY)

    def _rule(self, request: HttpRequest, queryset: QuerySet[Event], ruling: Event.Ruling) -> None:
        require(request, *endings.PERMISSIONS)
        chosen = list(queryset.values_list("pk", flat=True))
        ruled = incidents.rule(chosen, ruling, by=actor(request), why="Chosen in the list of events.")
        if ruled:
            messages.success(request, f"{ruled} bounces: {ruling.label}. It stands on each person's page.")
        if skipped := len(chosen) - ruled:
            messages.info(
                request, f"{skipped} had taken effect before, or are no bounces; nothing was done about them."
            )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Event], search_term: str
    ) -> tuple[QuerySet[Event], bool]:
        if not search_term:
            return queryset, False
        return queryset.filter(subscriber_id__in=find_subscriber_ids(search_term)), False

    @display(description="Recipient")
    def person(self, event: Event) -> SafeString | str:
        if event.subscriber is None:
            return event.recipient or "–"
        return format_html('<a href="{}">{}</a>', recipient_url(event.subscriber.pk), event.subscriber.email)

    @display(description="Kind")
    def kind_words(self, event: Event) -> str:
        return words.spaced(event.kind)

    @display(description="Verdict")
    def verdict_badge(self, event: Event) -> SafeString | str:
        if event.verdict == "not-a-bounce":
            return "–"
        return badge(words.verdict(event.verdict), event.verdict)

    @display(description="What it did")
    def what_it_did(self, event: Event) -> str:
        return event.effect_text or "–"

    @display(description="Mail")
    def mail(self, event: Event) -> SafeString | str:
        if event.delivery_id is None:
            return "matches no mail of ours"
        address = reverse("admin:mailinglist_delivery_change", args=[event.delivery_id])
        return format_html(
            '<a href="{}">delivery {}, attempt {}</a>', address, event.delivery_id, event.attempt_number
        )

    @display(description="Raw notification")
    def evidence(self, event: Event) -> SafeString:
        address = reverse("admin:bounces_notification_change", args=[event.notification_id])
        return format_html('<a href="{}">as it was received</a>', address)
