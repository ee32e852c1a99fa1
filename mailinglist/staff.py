"""What the staff pages share: who acts, the question before an act, search by address, tables that stay fast.

Used by mailinglist/admin/ and bounces/admin/. Every act is a POST from a page that said what it will do
(``ask``); a GET changes nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from django import forms
from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import BadRequest, EmptyResultSet, PermissionDenied
from django.core.paginator import Paginator
from django.db import connection, transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import NoReverseMatch, reverse
from django.utils.functional import cached_property
from unfold.admin import ModelAdmin
from unfold.views import ChangeList
from unfold.widgets import UnfoldAdminTextareaWidget

from mailinglist import access, addresses
from mailinglist.changes import Actor, Kind, Noun, record
from mailinglist.models import MailingList, Subscriber, Suppression
from mailinglist.views import visitor
from mailinglist.whole_numbers import whole_number

#: More rows than this are not counted, and not paged through: filters and search lead there faster.
COUNT_CAP = 10_000
#: A search for the beginning of an address in deliveries and events takes at most so many people.
SEARCH_CAP = 200


Row = TypeVar("Row", bound=Model)


def actor(request: HttpRequest) -> Actor:
    """The manager who is logged in, and where from, for the audit trail."""
    return Actor(Kind.USER, user=request.user, evidence={"ip": visitor.ip(request)})


def require(request: HttpRequest, *permissions: str) -> None:
    """Raise PermissionDenied unless the manager holds all of ``permissions`` (app.codename)."""
    if not request.user.has_perms(permissions):
        raise PermissionDenied


def found(request: HttpRequest, rows: QuerySet[Row] | type[Row], pk: int, *permissions: str) -> Row:
    """The row with this id, for a manager who holds ``permissions`` for it.

    Raises PermissionDenied for who does not hold them for any row, or may only look at this one; Http404 for a row that
    does not exist, or is of a list that is not the manager's.
    """
    require(request, *permissions)
    every = rows if isinstance(rows, QuerySet) else rows._default_manager.all()
    options = every.model._meta
    view = f"{options.app_label}.view_{options.model_name}"
    shown = access.visible(every, request.user, view if request.user.has_perm(view) else permissions[0])
    row = get_object_or_404(shown, pk=pk)
    # A role for another list, and a permission for another kind of row, say nothing about this one.
    if not all(access.may(request.user, permission, row) for permission in permissions):
        raise PermissionDenied
    return row


class ReasonForm(forms.Form):
    """The one question that every act against or for a person must answer."""

    why = forms.CharField(
        label="Why?",
        max_length=500,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text="Kept in the history of this person, with your name.",
    )


def ask(
    request: HttpRequest,
    *,
    title: str,
    sentences: Sequence[str],
    button: str,
    back: str,
    form: forms.Form | None = None,
    danger: bool = False,
    warnings: Sequence[str] = (),
) -> HttpResponse:
    """The page before an act: what will happen, the form, one button that POSTs, one link back."""
    context = {
        "sentences": sentences,
        "warnings": warnings,
        "button": button,
        "back": back,
        "form": form,
        "danger": danger,
    }
    return page(request, "admin/mailinglist/ask.html", title, context)


def page(request: HttpRequest, template: str, title: str, context: dict[str, Any]) -> TemplateResponse:
    """A page of our own inside the frame of the admin."""
    return TemplateResponse(
        request, template, {**admin.site.each_context(request), "title": title, **context}
    )


def recipient_url(subscriber_id: int) -> str:
    """The page that shows everything about a person; their edit page where bounces is not installed."""
    try:
        return reverse("admin:bounces_recipient", args=[subscriber_id])
    except NoReverseMatch:
        return reverse("admin:mailinglist_subscriber_change", args=[subscriber_id])


def results_url(campaign_id: int) -> str:
    """The page with a campaign's results; "" where bounces, which shows them, is not installed."""
    try:
        return reverse("admin:bounces_results", args=[campaign_id])
    except NoReverseMatch:
        return ""


def find_subscribers(term: str) -> QuerySet[Subscriber]:
    """People whose address is ``term``, or begins with it; served by an index on email_key."""
    try:
        key = addresses.normalise(term).key
    except addresses.BadAddress:
        return Subscriber.objects.filter(email_key__startswith=term.strip().lower())
    exact = Subscriber.objects.filter(email_key=key)
    return exact if exact.exists() else Subscriber.objects.filter(email_key__startswith=key)


def find_subscriber_ids(term: str) -> list[int]:
    """The same as ids, at most SEARCH_CAP: for tables that hold many rows per person."""
    return list(find_subscribers(term).order_by("email_key").values_list("pk", flat=True)[:SEARCH_CAP])


def release_sentences(row: Suppression) -> list[str]:
    """What a release means, for the page that asks."""
    return [
        f"Suppressed since {row.since:%d %b %Y %H:%M} UTC: {row.get_reason_display()}. {row.evidence}",
        "Mail may go to this address again, and earlier bounces no longer count. Subscriptions that "
        "ended stay ended: restore them one by one on the person's page.",
    ]


def release_warnings(row: Suppression) -> list[str]:
    """What speaks against a release; empty where nothing does."""
    if row.reason == Suppression.Reason.COMPLAINT:
        return ["This person reported a mail as spam. Release only if they asked you to, in writing."]
    if row.reason == Suppression.Reason.ERASED:
        return [
            "This person was erased at their wish. If they want to come back, let them sign up themselves."
        ]
    return []


def capped_counts(tables: Sequence[QuerySet[Any]]) -> list[int]:
    """How many rows each of them has, to COUNT_CAP and no further; one statement for all."""
    if not tables:
        return []
    parts: list[str] = []
    values: list[Any] = []
    for rows in tables:
        try:
            sql, parameters = rows.order_by().values("pk")[:COUNT_CAP].query.sql_with_params()
        except EmptyResultSet:
            sql, parameters = "SELECT 1 WHERE false", ()
        parts.append(f"(SELECT count(*) FROM ({sql}) first_ones)")  # noqa: S608
        values += parameters
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(parts)}", values)
        return list(cursor.fetchone())


class CappedPaginator(Paginator):
    """Counts to COUNT_CAP and no further, so that no page reads a whole table for a number nobody needs."""

    @cached_property
    def count(self) -> int:
        rows = self.object_list
        if isinstance(rows, QuerySet):
            # Without what was only annotated to be shown: it would be made for each row that is counted.
            return rows.order_by().values("pk")[:COUNT_CAP].count()
        return len(rows)


class BigChangeList(ChangeList):
    """No "show all" link where nothing is filtered away; what an empty page offers to this manager; and no question but
    those of its filters.
    """

    def get_filters(self, request: HttpRequest) -> tuple[Any, ...]:
        """Django would answer for any column that the address names: hidden ones could be read sign by sign."""
        found: tuple[Any, ...] = super().get_filters(request)
        if others := found[2]:
            raise BadRequest(f"{', '.join(others)}: no filter of this table. Use those beside it.")
        return found

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        if not self.query and not self.has_active_filters:
            self.full_result_count = self.result_count
        step: FirstStep | None = getattr(self.model_admin, "first_step", None)
        self.may_add = self.model_admin.has_add_permission(request)
        self.step_link = (
            reverse(f"admin:{step.page}") if step and request.user.has_perm(step.permission) else ""
        )


class ChosenRows(ModelAdmin):
    """For every table with actions: rows that are chosen by anything but a number are a request to refuse."""

    def response_action(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse | None:
        chosen = request.POST.getlist(ACTION_CHECKBOX_NAME)
        if not all(map(whole_number, chosen)):
            raise BadRequest(f"{ACTION_CHECKBOX_NAME} holds what is no number of a row. Nothing was done.")
        response: HttpResponse | None = super().response_action(request, queryset)
        return response


@dataclass(frozen=True, slots=True)
class FirstStep:
    """What to do while a table is empty: a sentence, and the page where it is done, for managers who may."""

    sentence: str
    title: str
    #: The name of its address under ``admin:``, and the right (app.codename) that it takes.
    page: str
    permission: str


class OwnListsFilter(admin.RelatedFieldListFilter):
    """By list, of which a manager is offered their own only."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> Any:
        lists = access.mailing_lists(request.user, "mailinglist.view_mailinglist").order_by("name")
        return list(lists.values_list("pk", "name"))


class PlainAdmin(ChosenRows):
    """What all tables share: only the rows of the manager's lists, no count of everything, words where there is nothing
    yet.
    """

    show_full_result_count = False
    list_per_page = 50
    #: Shown instead of an empty table where nothing is filtered: what this page shows, and how it gets here.
    empty_text = ""
    #: What to do first, and where.
    first_step: FirstStep | None = None
    #: What the history calls a row, where Django's own page deletes it.
    noun: Noun | None = None

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """Delete a row, and write down who did."""
        assert self.noun is not None, f"{self} has no name in the history."
        with transaction.atomic():
            record(
                self.noun,
                obj.pk,
                before=str(self.opts.verbose_name),
                after="removed",
                why=f"“{obj}” deleted.",
                by=actor(request),
            )
            super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for row in queryset:
            self.delete_model(request, row)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return BigChangeList

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return access.visible(super().get_queryset(request), request.user, self._permission("view"))

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        allowed = bool(super().has_view_permission(request, obj))
        return allowed and (obj is None or access.may(request.user, self._permission("view"), obj))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        allowed = bool(super().has_change_permission(request, obj))
        return allowed and (obj is None or access.may(request.user, self._permission("change"), obj))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        allowed = bool(super().has_delete_permission(request, obj))
        return allowed and (obj is None or access.may(request.user, self._permission("delete"), obj))

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        return super().formfield_for_foreignkey(
            db_field, request, **self._own_lists(db_field, request, kwargs)
        )

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        return super().formfield_for_manytomany(
            db_field, request, **self._own_lists(db_field, request, kwargs)
        )

    def _own_lists(self, db_field: Any, request: HttpRequest, kwargs: dict[str, Any]) -> dict[str, Any]:
        """A choice of lists offers those that the manager may do this with, another choice what they may see."""
        model = db_field.related_model
        if model is MailingList:
            permission = self._permission("change")
            kwargs["queryset"] = access.mailing_lists(request.user, permission)
            may_be_empty = db_field.many_to_many and db_field.blank
            if access.lists_for(request.user, permission) is not None and not may_be_empty:
                kwargs["required"] = True
        elif model._meta.app_label == self.opts.app_label:
            view = f"{model._meta.app_label}.view_{model._meta.model_name}"
            kwargs.setdefault("queryset", access.visible(model._default_manager.all(), request.user, view))
        return kwargs

    def _permission(self, act: str) -> str:
        return f"{self.opts.app_label}.{act}_{self.opts.model_name}"


class FastAdmin(PlainAdmin):
    """For tables that grow with every mail: a capped count, and order by id only."""

    sortable_by: Sequence[str] = ()
    ordering: Sequence[str] = ("-pk",)
    paginator = CappedPaginator

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        return {
            name: found for name, found in super().get_actions(request).items() if name != "delete_selected"
        }


class MachineOwnedAdmin(FastAdmin):
    """For rows that only the engine writes: to be read, never added, changed or deleted by hand."""

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False
