"""Taking back what bounces did at one domain in a span of time: first the count, then the act."""

from datetime import UTC, datetime
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from unfold.widgets import UnfoldAdminTextInputWidget

from bounces import undo
from mailinglist import addresses
from mailinglist.staff import ReasonForm, actor, page, require

PERMISSIONS = ("mailinglist.change_subscriber", "mailinglist.change_suppression")
#: So many people are counted before the act; it restores all of them, however many.
COUNTED_MOST = 500


def _moment(label: str) -> forms.DateTimeField:
    widget = UnfoldAdminTextInputWidget(attrs={"type": "datetime-local"})
    widget.input_type = "datetime-local"
    return forms.DateTimeField(label=label, widget=widget, help_text="UTC")


class RestoreForm(ReasonForm):
    domain = forms.CharField(
        max_length=253,
        widget=UnfoldAdminTextInputWidget(attrs={"placeholder": "example.com"}),
        help_text="The part after the @. Subdomains are not meant.",
    )
    start = _moment("From")
    end = _moment("To")
    field_order = ["domain", "start", "end", "why"]

    def clean_domain(self) -> str:
        domain: str = self.cleaned_data["domain"].strip().lstrip("@")
        try:
            return addresses.normalise(f"x@{domain}").domain
        except addresses.BadAddress as bad:
            raise forms.ValidationError("This is not a domain name.") from bad

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        start, end = values.get("start"), values.get("end")
        if start and end and start >= end:
            self.add_error("end", "The end must be later than the start.")
        if start and start > datetime.now(UTC):
            self.add_error("start", "This is in the future.")
        return values


def urls() -> list[URLPattern]:
    return [path("bounces/restore/", admin.site.admin_view(restore), name="bounces_restore")]


def restore(request: HttpRequest) -> HttpResponse:
    """POST without ``do`` counts and changes nothing; POST with ``do`` restores."""
    require(request, *PERMISSIONS)
    form = RestoreForm(request.POST or None)
    found = None
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        do = "do" in request.POST
        found = undo.restore_bounced(
            values["domain"],
            start=values["start"],
            end=values["end"],
            by=actor(request),
            why=values["why"],
            dry_run=not do,
            most=COUNTED_MOST,
        )
        if do:
            messages.success(
                request,
                f"{found.subscribers} people at {values['domain']}: {found.subscriptions} subscriptions "
                f"restored, {found.suppressions} suppressions released.",
            )
            return HttpResponseRedirect(reverse("admin:bounces_restore"))
    context = {"form": form, "found": found, "more": bool(found and found.subscribers >= COUNTED_MOST)}
    return page(request, "admin/bounces/restore.html", "Take back bounces", context)
