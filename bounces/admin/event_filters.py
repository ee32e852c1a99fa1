"""Filters of the list of events that ask other tables: provider, list, and what became of the bounce."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from bounces import provider_rates
from bounces.history import JUDGED
from bounces.list_events import of_list
from bounces.models import Event
from mailinglist import access
from mailinglist.whole_numbers import whole_number


class ProviderFilter(admin.SimpleListFilter):
    """The providers with most mails lately; any other one by ?provider= (linked from the provider pages).

    Only bounces: of them there is an index by provider.
    """

    title = "provider (bounces only)"
    parameter_name = "provider"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        all_lists = request.user.has_perm("bounces.view_providerslot")
        names = [name for name, _ in provider_rates.largest(30)[:12]] if all_lists else []
        asked = request.GET.get(self.parameter_name, "")[:253]
        return [(name, name) for name in dict.fromkeys([*names, *([asked] if asked else [])])]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Event]) -> QuerySet[Event]:
        if not self.value():
            return queryset
        at = Event.objects.at(self.value() or "").filter(verdict__in=JUDGED)
        return queryset & at


class MailingListFilter(admin.SimpleListFilter):
    title = "list"
    parameter_name = "list"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        lists = access.mailing_lists(request.user, "bounces.view_event").order_by("name")
        return [(str(pk), name) for pk, name in lists.values_list("pk", "name")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Event]) -> QuerySet[Event]:
        value = self.value() or ""
        if not value:
            return queryset
        return of_list(queryset, whole_number(value))


class EffectFilter(admin.SimpleListFilter):
    title = "what it did"
    parameter_name = "effect"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("held", "held, nothing yet"), ("applied", "took effect"), ("ruled", "decided by a manager")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Event]) -> QuerySet[Event]:
        match self.value():
            case "held":
                return queryset.filter(applied_at__isnull=True).exclude(effect="")
            case "applied":
                return queryset.filter(applied_at__isnull=False)
            case "ruled":
                return queryset.exclude(ruling="")
        return queryset
