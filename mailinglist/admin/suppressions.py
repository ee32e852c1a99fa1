"""Addresses that get no mail: looked up by the address typed in, added by hand, released with a reason."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminEmailInputWidget

from mailinglist import addresses, subscriptions, suppression
from mailinglist.models import Subscriber, Suppression
from mailinglist.staff import (
    FastAdmin,
    FirstStep,
    ReasonForm,
    actor,
    ask,
    recipient_url,
    release_sentences,
    release_warnings,
    require,
)
from mailinglist.templatetags.mailinglist_tags import badge

#: So many addresses are released by one action.
RELEASED_AT_ONCE = 1000


class ActiveFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("active", "suppressed now"), ("released", "released")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Suppression]) -> QuerySet[Suppression]:
        if self.value() in ("active", "released"):
            return queryset.filter(released_at__isnull=self.value() == "active")
        return queryset


class SuppressForm(ReasonForm):
    email = forms.CharField(label="Address", max_length=254, widget=UnfoldAdminEmailInputWidget())
    field_order = ["email", "why"]

    def clean_email(self) -> str:
        try:
            return addresses.normalise(self.cleaned_data["email"]).as_written
        except addresses.BadAddress as bad:
            raise forms.ValidationError(str(bad)) from bad


@admin.register(Suppression)
class SuppressionAdmin(FastAdmin):
    list_display = ("person", "state", "because", "since", "evidence", "told_ses", "release_link")
    list_display_links = None
    list_filter = (ActiveFilter, "reason")
    list_filter_sheet = False
    search_fields = ("key",)
    search_help_text = "The whole address"
    fields = ("person", "state", "because", "since", "evidence", "told_ses", "released_at", "synced_at")
    actions = ("release_chosen",)
    empty_text = (
        "Addresses that get no mail, whatever list they are on: hard bounces, complaints, and those you add. "
        "Only a fingerprint of the address is kept, so that it stays blocked after the person was erased."
    )
    first_step = FirstStep(
        "Nothing is to be done: bounces and complaints bring addresses here by themselves.",
        "Suppress an address",
        "mailinglist_suppression_add",
        "mailinglist.add_suppression",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Suppression]:
        found: QuerySet[Suppression] = super().get_queryset(request)
        people = Subscriber.objects.filter(suppression_key=OuterRef("key"))
        return found.annotate(
            subscriber_id=Subquery(people.values("pk")[:1]), email=Subquery(people.values("email")[:1])
        )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Suppression], search_term: str
    ) -> tuple[QuerySet[Suppression], bool]:
        if not search_term:
            return queryset, False
        try:
            key = suppression.key_for(addresses.normalise(search_term).key)
        except addresses.BadAddress as bad:
            messages.warning(request, f"Only whole addresses can be looked up here. {bad}")
            return queryset.none(), False
        return queryset.filter(key=key), False

    def get_urls(self) -> list[URLPattern]:
        release = path(
            "<int:suppression_id>/release/",
            self.admin_site.admin_view(self.release_view),
            name="mailinglist_suppression_release",
        )
        return [release, *super().get_urls()]

    def has_release_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("mailinglist.change_suppression"))

    @action(description="Release the chosen addresses", permissions=["release"])
    def release_chosen(self, request: HttpRequest, queryset: QuerySet[Suppression]) -> None:
        """Complaints and erasures are left: each of them wants the person's own word, and a page of its own."""
        require(request, "mailinglist.change_suppression")
        chosen = list(queryset.filter(released_at__isnull=True).order_by("pk")[:RELEASED_AT_ONCE])
        done = 0
        for row in chosen:
            if row.reason not in (Suppression.Reason.COMPLAINT, Suppression.Reason.ERASED):
                done += suppression.release(
                    row.pk, by=actor(request), why="Chosen in the list of suppressions."
                )
        messages.success(request, f"{done} addresses released: mail may go to them again.")
        if left := len(chosen) - done:
            messages.info(
                request, f"{left} complaints and erasures were left alone. Release them one by one."
            )

    def has_change_permission(self, request: HttpRequest, obj: Suppression | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Suppression | None = None) -> bool:
        return False

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        require(request, "mailinglist.add_suppression")
        form = SuppressForm(request.POST or None)
        back = reverse("admin:mailinglist_suppression_changelist")
        if request.method == "POST" and form.is_valid():
            subscriber = subscriptions.get_or_create_subscriber(form.cleaned_data["email"])
            changed = suppression.suppress(
                subscriber.pk,
                reason=Suppression.Reason.MANUAL,
                by=actor(request),
                why=form.cleaned_data["why"],
            )
            text = "gets no mail any more." if changed else "was suppressed already; nothing changed."
            messages.success(request, f"{subscriber.email} {text}")
            return HttpResponseRedirect(back)
        return ask(
            request,
            title="Suppress an address",
            sentences=[
                "The address gets no mail from any list until somebody releases it. Subscriptions stay."
            ],
            form=form,
            button="Suppress",
            back=back,
        )

    def release_view(self, request: HttpRequest, suppression_id: int) -> HttpResponse:
        require(request, "mailinglist.change_suppression")
        row = get_object_or_404(self.get_queryset(request), pk=suppression_id)
        back = reverse("admin:mailinglist_suppression_changelist")
        if not row.active:
            messages.info(request, "This address was released before.")
            return HttpResponseRedirect(back)
        form = ReasonForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            suppression.release(row.pk, by=actor(request), why=form.cleaned_data["why"])
            messages.success(request, "Released: mail may go to this address again.")
            return HttpResponseRedirect(back)
        return ask(
            request,
            title="Release an address",
            sentences=release_sentences(row),
            warnings=release_warnings(row),
            form=form,
            button="Release",
            back=back,
        )

    @display(description="Address")
    def person(self, row: Any) -> SafeString | str:
        if row.subscriber_id is None:
            return "erased (fingerprint only)"
        return format_html('<a href="{}">{}</a>', recipient_url(row.subscriber_id), row.email)

    @display(description="State")
    def state(self, row: Suppression) -> SafeString:
        return badge("suppressed", "danger") if row.active else badge("released", "default")

    @display(description="Because of")
    def because(self, row: Suppression) -> str:
        return row.get_reason_display()

    @display(description="At SES")
    def told_ses(self, row: Suppression) -> str:
        return row.at_ses or "–"

    @display(description="Release")
    def release_link(self, row: Suppression) -> SafeString | str:
        if not row.active:
            return ""
        return format_html(
            '<a href="{}">Release …</a>', reverse("admin:mailinglist_suppression_release", args=[row.pk])
        )
