"""Subscriptions that ended, and why: to be looked through, and brought back where a bounce ended them."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import action, display

from bounces import undo
from bounces.admin.selection import ask_and_act
from mailinglist.models import Subscription
from mailinglist.staff import (
    FirstStep,
    MachineOwnedAdmin,
    OwnListsFilter,
    actor,
    find_subscriber_ids,
    recipient_url,
    require,
)
from mailinglist.templatetags.mailinglist_tags import badge

PERMISSIONS = ("mailinglist.change_subscriber", "mailinglist.change_suppression")


class ReasonFilter(admin.SimpleListFilter):
    title = "reason"
    parameter_name = "reason"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        reasons = [(value, str(label)) for value, label in Subscription.Reason.choices if value]
        return [("bounces", "any bounce"), *reasons]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Subscription]) -> QuerySet[Subscription]:
        if self.value() == "bounces":
            return queryset.filter(unsubscribe_reason__in=undo.REASONS)
        return queryset.filter(unsubscribe_reason=self.value()) if self.value() else queryset


@admin.register(Subscription)
class EndedAdmin(MachineOwnedAdmin):
    list_display = ("unsubscribed_at", "person", "list", "why", "kept")
    list_display_links = None
    list_filter = (ReasonFilter, ("list", OwnListsFilter), "unsubscribed_at")
    list_filter_sheet = False
    list_select_related = ("subscriber", "list")
    search_fields = ("subscriber__email_key",)
    search_help_text = "An address, or the beginning of one"
    actions = ("restore_chosen",)
    empty_text = (
        "No subscription has ended yet. Whoever leaves, and whoever is lost to a bounce, appears here."
    )
    first_step = FirstStep(
        "Nothing is to be done here until then. What bounces end is ruled by the bounce policies.",
        "Bounce policies",
        "bounces_policy_changelist",
        "bounces.view_policy",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Subscription]:
        found: QuerySet[Subscription] = super().get_queryset(request)
        return found.exclude(unsubscribe_reason=Subscription.Reason.NONE)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Subscription], search_term: str
    ) -> tuple[QuerySet[Subscription], bool]:
        if not search_term:
            return queryset, False
        return queryset.filter(subscriber_id__in=find_subscriber_ids(search_term)), False

    def has_restore_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perms(PERMISSIONS))

    @action(description="Restore: bring back what bounces ended …", permissions=["restore"])
    def restore_chosen(self, request: HttpRequest, queryset: QuerySet[Subscription]) -> HttpResponse | None:
        require(request, *PERMISSIONS)

        def act(ids: list[int], why: str) -> str:
            done = undo.restore_subscriptions(ids, by=actor(request), why=why)
            left = len(ids) - done.subscriptions
            kept = f" {left} were left alone: no bounce had ended them." if left else ""
            return (
                f"{done.subscriptions} subscriptions are back, {done.suppressions} addresses released.{kept}"
            )

        return ask_and_act(
            request,
            queryset,
            action="restore_chosen",
            title="Restore subscriptions",
            sentences=[
                "These people get campaigns again, and earlier bounces no longer count. Their addresses are "
                "released, here and at SES.",
                "Nobody who left by their own choice, and nobody who complained, is brought back.",
            ],
            button="Restore",
            act=act,
        )

    @display(description="Person")
    def person(self, row: Subscription) -> SafeString:
        return format_html('<a href="{}">{}</a>', recipient_url(row.subscriber_id), row.subscriber.email)

    @display(description="Because of")
    def why(self, row: Subscription) -> str:
        reason = str(row.get_unsubscribe_reason_display())
        asked = row.status == Subscription.Status.PENDING
        return f"{reason}; asked to come back, not confirmed" if asked else reason

    @display(description="Can be restored")
    def kept(self, row: Subscription) -> SafeString:
        return badge("yes", "info") if row.unsubscribe_reason in undo.REASONS else badge("no", "default")
