"""The history of all changes, read-only."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import display

from mailinglist.models import Change
from mailinglist.staff import FirstStep, MachineOwnedAdmin, find_subscriber_ids, recipient_url
from mailinglist.whole_numbers import whole_number

#: So many managers are offered by the filter.
NAMED_MANAGERS = 50


class WhoFilter(admin.SimpleListFilter):
    """By manager, for who may see the accounts."""

    title = "manager"
    parameter_name = "who"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        if not request.user.has_perm("auth.view_user"):
            return []
        people = User.objects.filter(is_staff=True).order_by("username")
        return [(str(pk), name) for pk, name in people.values_list("pk", "username")[:NAMED_MANAGERS]]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Change]) -> QuerySet[Change]:
        return queryset.filter(user_id=whole_number(self.value())) if self.value() else queryset


@admin.register(Change)
class ChangeAdmin(MachineOwnedAdmin):
    list_display = ("at", "what", "person", "step", "who", "where", "why")
    list_filter = ("noun", WhoFilter, "actor", "at")
    list_filter_sheet = False
    list_select_related = ("subscriber", "user", "list")
    search_fields = ("subscriber__email_key",)
    search_help_text = "An address, or the beginning of one"
    fields = ("at", "what", "person", "list", "step", "who", "where", "why", "evidence")
    empty_text = (
        "Every change of a subscription, suppression or campaign is written here, with who made it and why."
    )
    first_step = FirstStep(
        "Nothing is to be done: the first list that you make is the first line.",
        "Lists",
        "mailinglist_mailinglist_changelist",
        "mailinglist.view_mailinglist",
    )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Change], search_term: str
    ) -> tuple[QuerySet[Change], bool]:
        if not search_term:
            return queryset, False
        return queryset.filter(subscriber_id__in=find_subscriber_ids(search_term)), False

    @display(description="What")
    def what(self, change: Change) -> str:
        return f"{change.get_noun_display()}{f' · {change.list}' if change.list else ''}"

    @display(description="Person")
    def person(self, change: Change) -> SafeString | str:
        if change.subscriber is None:
            return "–"
        return format_html(
            '<a href="{}">{}</a>', recipient_url(change.subscriber.pk), change.subscriber.email
        )

    @display(description="From → to")
    def step(self, change: Change) -> str:
        return f"{change.before or '–'} → {change.after}"

    @display(description="Who")
    def who(self, change: Change) -> str:
        named: Any = change.user
        return str(named) if named else change.get_actor_display()

    @display(description="From where")
    def where(self, change: Change) -> str:
        return str(change.evidence.get("ip") or "–") if isinstance(change.evidence, dict) else "–"
