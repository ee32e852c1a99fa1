"""Deliveries: who got which mail, and what became of it. Read-only, but a mail in doubt can be sent again."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import TabularInline
from unfold.decorators import action, display

from mailinglist import access, campaign_counts, words
from mailinglist.admin import exports
from mailinglist.models import Attempt, Campaign, Delivery
from mailinglist.sending import queue
from mailinglist.staff import (
    COUNT_CAP,
    FirstStep,
    MachineOwnedAdmin,
    actor,
    find_subscriber_ids,
    recipient_url,
)
from mailinglist.templatetags.mailinglist_tags import badge
from mailinglist.whole_numbers import whole_number

#: Campaigns that the filter names; older ones are reached from their own page.
NAMED_CAMPAIGNS = 15


class CampaignFilter(admin.SimpleListFilter):
    title = "campaign"
    parameter_name = "campaign"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        newest = (
            access.visible(
                Campaign.objects.exclude(started_at=None), request.user, "mailinglist.view_campaign"
            )
            .order_by("-pk")
            .values_list("pk", "name")[:NAMED_CAMPAIGNS]
        )
        return [*((str(pk), name) for pk, name in newest), ("none", "no campaign (confirmations, tests)")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> QuerySet[Delivery]:
        chosen = self.value() or ""
        if chosen == "none":
            return queryset.filter(campaign__isnull=True)
        if not chosen:
            return queryset
        pk = whole_number(chosen)
        return queryset.filter(campaign_id=pk, pk__range=campaign_counts.span(pk))


class VerdictFilter(admin.SimpleListFilter):
    title = "what came back"
    parameter_name = "verdict"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(code, label) for code, label in words.VERDICTS.items() if code != "not-a-bounce"]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> QuerySet[Delivery]:
        """By the index of attempts. No more of them are read than the table has rows, unless another filter chooses."""
        if not self.value():
            return queryset
        judged = Attempt.objects.filter(verdict=self.value())
        if campaign := whole_number(request.GET.get(CampaignFilter.parameter_name)):
            first, last = campaign_counts.span(campaign)
            judged = judged.filter(delivery_id__gte=first, delivery_id__lte=last)
        if not set(request.GET) - {self.parameter_name, CampaignFilter.parameter_name, "p"}:
            judged = judged.order_by("-delivery_id")[:COUNT_CAP]
        return queryset.filter(pk__in=judged.values("delivery_id"))


class PurposeFilter(admin.SimpleListFilter):
    title = "purpose"
    parameter_name = "purpose"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(value, str(label)) for value, label in Delivery.Purpose.choices]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> QuerySet[Delivery]:
        if not self.value():
            return queryset
        # Only mail of campaigns has one; said so that the index of the others is used.
        of_none = self.value() != Delivery.Purpose.CAMPAIGN
        return queryset.filter(purpose=self.value(), campaign__isnull=of_none)


class AttemptInline(TabularInline):
    model = Attempt
    fields = (
        "number",
        "started_at",
        "finished_at",
        "result",
        "came_back",
        "message_id",
        "error",
        "possible_duplicate",
    )
    readonly_fields = ("came_back", "error")
    ordering = ("number",)
    extra = 0
    can_delete = False
    verbose_name_plural = "Attempts: every time it was given to SES"

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @display(description="What came back")
    def came_back(self, row: Attempt) -> SafeString | str:
        if not row.verdict:
            return "–"
        return format_html("{} {}", badge(words.verdict(row.verdict), row.verdict), words.reason(row.reason))

    @display(description="Error")
    def error(self, row: Attempt) -> str:
        return f"{row.error_code} {row.error_text}".strip() or "–"


@admin.register(Delivery)
class DeliveryAdmin(MachineOwnedAdmin):
    list_display = ("person", "mail", "state_badge", "why", "attempts", "next_attempt_at", "changed_at")
    list_display_links = ("state_badge",)  # the other cells are links themselves
    list_filter = (CampaignFilter, "state", VerdictFilter, PurposeFilter)
    list_filter_sheet = False
    list_select_related = ("subscriber", "campaign")
    search_fields = ("subscriber__email_key",)
    search_help_text = "An address, or the beginning of one"
    actions = ("send_again",)
    inlines = (AttemptInline,)
    fields = (
        "person",
        "mail",
        "list",
        "state_badge",
        "why",
        "attempts",
        "next_attempt_at",
        "crashes",
        "created_at",
        "changed_at",
    )
    empty_text = (
        "When a campaign starts, every recipient gets a row here; its state tells what became of their mail."
    )
    first_step = FirstStep(
        "First write a campaign and start it.",
        "Campaigns",
        "mailinglist_campaign_changelist",
        "mailinglist.view_campaign",
    )

    def get_urls(self) -> list[URLPattern]:
        export = path(
            "of-campaign/<int:campaign_id>/export/",
            self.admin_site.admin_view(exports.recipients),
            name="mailinglist_delivery_export",
        )
        return [export, *super().get_urls()]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Delivery], search_term: str
    ) -> tuple[QuerySet[Delivery], bool]:
        if not search_term:
            return queryset, False
        return queryset.filter(subscriber_id__in=find_subscriber_ids(search_term)), False

    def has_resend_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("mailinglist.change_delivery"))

    @action(
        description="Send again (failed or in doubt; a mail in doubt may arrive twice)",
        permissions=["resend"],
    )
    def send_again(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> None:
        sent, refusals = 0, []
        queryset = access.visible(queryset, request.user, "mailinglist.change_delivery")
        for pk in queryset.order_by("pk").values_list("pk", flat=True):
            try:
                queue.resend(pk, by=actor(request))
                sent += 1
            except queue.CannotResend as refusal:
                refusals.append(str(refusal))
        if sent:
            messages.success(request, f"{sent} {'mail' if sent == 1 else 'mails'} will be sent again.")
        if refusals:
            messages.warning(request, f"{len(refusals)} left alone. {refusals[0]}")

    @display(description="Recipient")
    def person(self, row: Delivery) -> SafeString | str:
        if row.subscriber is None:
            return "a person who was erased"
        return format_html('<a href="{}">{}</a>', recipient_url(row.subscriber.pk), row.subscriber.email)

    @display(description="Mail")
    def mail(self, row: Delivery) -> SafeString | str:
        if row.campaign is None:
            return row.get_purpose_display()
        address = reverse("admin:mailinglist_campaign_change", args=[row.campaign.pk])
        return format_html('<a href="{}">{}</a>', address, row.campaign.name)

    @display(description="State")
    def state_badge(self, row: Delivery) -> SafeString:
        return badge(row.get_state_display(), row.state)

    @display(description="Why")
    def why(self, row: Delivery) -> str:
        return words.reason(row.reason) or "–"
