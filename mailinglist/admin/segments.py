"""Segments: put together from rules, with the number of people and some of them beside it."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextInputWidget

from mailinglist.admin.segment_builder import Builder
from mailinglist.models import Segment
from mailinglist.segments import people, rules, store, words
from mailinglist.segments.rules import BadRules
from mailinglist.staff import FirstStep, PlainAdmin, actor, ask, page, recipient_url, require
from mailinglist.whole_numbers import whole_number


class NameForm(forms.ModelForm):
    class Meta:
        model = Segment
        fields = ("name",)
        widgets = {"name": UnfoldAdminTextInputWidget()}


@admin.register(Segment)
class SegmentAdmin(PlainAdmin):
    list_display = ("name", "who", "updated_at")
    search_fields = ("name",)
    ordering = ("name",)
    empty_text = (
        "A segment is a question about your subscribers, such as: lives in Rome and opened a mail of the last 90 days. "
        "A campaign can go to the people of a segment only, or leave them out."
    )
    first_step = FirstStep(
        "Put one together from rules; you see at once how many people it has.",
        "Make a segment",
        "mailinglist_segment_add",
        "mailinglist.add_segment",
    )

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        return {}

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        require(request, "mailinglist.add_segment")
        return _edit(request, Segment(), Builder.new(), may_save=True)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        require(request, "mailinglist.view_segment")
        segment = get_object_or_404(Segment, pk=whole_number(object_id))
        try:
            builder = Builder.of(rules.read(segment.rules))
        except BadRules as bad:
            messages.error(request, f"These rules cannot be used any more: {bad} Put them together anew.")
            builder = Builder.new()
        return _edit(request, segment, builder, may_save=request.user.has_perm("mailinglist.change_segment"))

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        require(request, "mailinglist.delete_segment")
        segment = get_object_or_404(Segment, pk=whole_number(object_id))
        if request.method == "POST":
            try:
                store.remove(segment, by=actor(request))
            except store.InUse as refusal:
                messages.error(request, str(refusal))
                return HttpResponseRedirect(_url(segment))
            messages.success(request, "The segment is gone. Nothing changed for its people.")
            return HttpResponseRedirect(reverse("admin:mailinglist_segment_changelist"))
        return ask(
            request,
            title=f"Delete the segment “{segment}”",
            sentences=[
                "Only the question is deleted: nobody is unsubscribed, and nothing of a person changes."
            ],
            button="Delete",
            danger=True,
            back=_url(segment),
        )

    @display(description="Who")
    def who(self, row: Segment) -> str:
        try:
            return words.sentence(rules.read(row.rules))
        except BadRules as bad:
            return f"Cannot be used any more: {bad}"


def _edit(request: HttpRequest, segment: Segment, builder: Builder, *, may_save: bool) -> HttpResponse:
    """``act=check``: 204 where a save would be taken, so that the script need not leave the page for one that is not."""
    posted = request.method == "POST"
    act = request.POST.get("act", "save") if posted else ""
    saving = act in ("save", "check")
    form = NameForm(request.POST if saving else None, instance=segment)
    if posted:
        builder = Builder.typed(request.POST)
        _apply(builder, act)
    tree, problem = None, ""
    try:
        tree = builder.read()
    except BadRules as bad:
        problem = str(bad)
    if saving and form.is_valid() and tree is not None:
        if act == "check":
            return HttpResponse(status=204)
        require(request, "mailinglist.change_segment" if segment.pk else "mailinglist.add_segment")
        store.save(form.instance, tree, by=actor(request))
        messages.success(request, f"The segment “{segment}” is saved.")
        return HttpResponseRedirect(_url(segment))
    if not saving:
        for node in builder.nodes.values():
            node.error = ""  # while it is being typed nothing is wrong yet
    found = people.find(tree, quick=not posted) if tree else None
    return page(
        request,
        "admin/mailinglist/segment/edit.html",
        f"Segment “{segment.name}”" if segment.pk else "New segment",
        {
            "segment": segment,
            "form": form,
            "typed_name": request.POST.get("name", segment.name),
            "root": builder.root,
            "subjects": builder.subjects,
            "problem": problem if saving else "",
            "found": found,
            "counting": not posted and found is not None and found.number is None,
            "sample": [(recipient_url(row.pk), row) for row in found.sample] if found else [],
            "sentence": words.sentence(tree) if tree else "",
            "may_save": may_save,
            "may_see": request.user.has_perm("mailinglist.view_subscriber"),
            "back": reverse("admin:mailinglist_segment_changelist"),
        },
    )


def _apply(builder: Builder, act: str) -> None:
    what, _, number = act.partition(":")
    node = whole_number(number) if number else None
    if node is None:
        return
    if what in ("add-rule", "add-group"):
        builder.add(node, nested=what == "add-group")
    elif what == "remove":
        builder.remove(node)


def _url(segment: Segment) -> str:
    return reverse("admin:mailinglist_segment_change", args=[segment.pk])
