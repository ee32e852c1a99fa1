"""The history of all changes, read-only."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import display

from mailinglist.models import Change
from mailinglist.staff import FirstStep, MachineOwnedAdmin, find_subscriber_ids, recipient_url


@admin.register(Change)
class ChangeAdmin(MachineOwnedAdmin):
    list_display = ("at", "what", "person", "step", "who", "why")
    list_filter = ("noun", "actor", "at")
    list_filter_sheet = False
    list_select_related = ("subscriber", "user", "list")
    search_fields = ("subscriber__email_key",)
    search_help_text = "An address, or the beginning of one"
    fields = ("at", "what", "person", "list", "step", "who", "why", "evidence")
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
