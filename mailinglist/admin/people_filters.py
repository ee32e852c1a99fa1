"""Filters of the table of subscribers: by tag, by segment, and by the values that have few choices."""

import re
from typing import Any

from django.contrib import admin
from django.db.models import BooleanField, Exists, OuterRef, QuerySet
from django.db.models.expressions import RawSQL
from django.http import HttpRequest

from mailinglist import access
from mailinglist.admin.people_list import LONGER
from mailinglist.admin.typed_values import having
from mailinglist.models import Attribute, Segment, Subscriber, SubscriberTag, Tag
from mailinglist.segments import sql
from mailinglist.segments.rules import BadRules
from mailinglist.whole_numbers import whole_number


class TagFilter(admin.SimpleListFilter):
    title = "tag"
    parameter_name = "tag"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(str(pk), name) for pk, name in _shown(Tag, request).values_list("pk", "name")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Subscriber]) -> QuerySet[Subscriber]:
        if not self.value():
            return queryset
        tag = _shown(Tag, request).filter(pk=whole_number(self.value())).first()
        if tag is None:
            return queryset.none()
        return queryset.filter(Exists(SubscriberTag.objects.filter(subscriber=OuterRef("pk"), tag=tag)))


class SegmentFilter(admin.SimpleListFilter):
    title = "segment"
    parameter_name = "segment"

    def __init__(self, request: HttpRequest, params: Any, model: Any, model_admin: Any) -> None:
        params.pop(LONGER, None)
        super().__init__(request, params, model, model_admin)

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(str(pk), name) for pk, name in _shown(Segment, request).values_list("pk", "name")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Subscriber]) -> QuerySet[Subscriber]:
        if not self.value():
            return queryset
        segment = _shown(Segment, request).filter(pk=whole_number(self.value())).first()
        if segment is None:
            return queryset.none()
        try:
            where, values = sql.of_segment(segment)
        except BadRules:
            return queryset.none()
        # Of the table itself, not of a second look at it, so that PostgreSQL stops at the end of the page.
        where = re.sub(r"\bs\.", f"{Subscriber._meta.db_table}.", where)
        return queryset.filter(RawSQL(where, values, output_field=BooleanField()))  # noqa: S611


FILTERS = (TagFilter, SegmentFilter)


def _shown(model: type[Tag] | type[Segment], request: HttpRequest) -> QuerySet[Any]:
    """Tags and segments tell of people on any list."""
    view = f"mailinglist.view_{model._meta.model_name}"
    return access.visible(model._default_manager.all(), request.user, view)


def of_values() -> list[type[admin.SimpleListFilter]]:
    """A filter for each attribute that is yes or no, or one of several."""
    kinds = (Attribute.Kind.YES_NO, Attribute.Kind.CHOICE)
    return [_of(attribute) for attribute in Attribute.objects.filter(kind__in=kinds)]


def _of(attribute: Attribute) -> type[admin.SimpleListFilter]:
    class ValueFilter(admin.SimpleListFilter):
        title = attribute.label
        parameter_name = f"value_{attribute.pk}"

        def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
            return [(text, text) for text in attribute.choices or ("yes", "no")]

        def queryset(self, request: HttpRequest, queryset: QuerySet[Subscriber]) -> QuerySet[Subscriber]:
            text = self.value()
            return queryset.filter(having(attribute, text)) if text else queryset

    return ValueFilter
