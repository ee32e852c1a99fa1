"""Tags: their names. They are put on people in the table of subscribers."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import display

from mailinglist import tags
from mailinglist.models import Tag
from mailinglist.staff import FirstStep, PlainAdmin, actor, ask, require
from mailinglist.whole_numbers import whole_number


@admin.register(Tag)
class TagAdmin(PlainAdmin):
    list_display = ("name", "who", "created_at")
    search_fields = ("name",)
    ordering = ("name",)
    fields = ("name",)
    empty_text = "A tag is a word that you put on people, such as “press” or “fair 2026”."
    first_step = FirstStep(
        "Choose people in the table of subscribers, then “Tag …”.",
        "Subscribers",
        "mailinglist_subscriber_changelist",
        "mailinglist.view_subscriber",
    )

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        return {}

    def save_model(self, request: HttpRequest, obj: Tag, form: forms.ModelForm, change: bool) -> None:
        if change:
            tags.rename(obj, before=form.initial["name"], by=actor(request))
        else:
            obj.pk = tags.make(obj.name, by=actor(request)).pk

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        require(request, "mailinglist.delete_tag")
        tag = get_object_or_404(Tag, pk=whole_number(object_id))
        table = reverse("admin:mailinglist_tag_changelist")
        if request.method == "POST":
            try:
                tags.remove(tag, by=actor(request))
                messages.success(request, f"The tag “{tag}” is gone from everybody.")
            except tags.InUse as refusal:
                messages.error(request, str(refusal))
            return HttpResponseRedirect(table)
        return ask(
            request,
            title=f"Delete the tag “{tag}”",
            sentences=["It is taken off everybody who has it. This cannot be undone."],
            button="Delete",
            danger=True,
            back=table,
        )

    @display(description="Who has it")
    def who(self, row: Tag) -> SafeString:
        return format_html(
            '<a href="{}?tag={}">Show them</a>', reverse("admin:mailinglist_subscriber_changelist"), row.pk
        )
