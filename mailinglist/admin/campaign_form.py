"""The form that campaigns are written in: what cannot be compiled is said at the field, with its line, and what somebody
else saved meanwhile is not written over unseen.
"""

from collections.abc import Sequence
from typing import Any, cast

from django import forms
from django.contrib.admin.widgets import AutocompleteSelectMultiple
from django.db.models import Model
from django.http import QueryDict
from django.urls import reverse
from django.utils.html import format_html
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldBooleanSwitchWidget

from mailinglist import writing
from mailinglist.admin import campaign_versions
from mailinglist.changes import Actor
from mailinglist.composing import body
from mailinglist.models import Campaign

#: Fields that offer the same rows, which are read once.
SAME_CHOICES = (("lists", "exclude_lists"), ("include_segments", "exclude_segments"))
#: Too many to be offered all.
SEARCHED = ("exclude_tags", "exclude_campaigns")


class ComposeArea(UnfoldAdminTextareaWidget):
    """The text of a mail; compose.js makes an editor of it while the select ``format_id`` says Markdown."""

    class Media:
        css = {
            "all": ("mailinglist/vendor/easymde/easymde.min.css", "mailinglist/compose.css"),
        }
        js = (
            "mailinglist/vendor/easymde/easymde.min.js",
            "mailinglist/session.js",
            "mailinglist/pictures.js",
            "mailinglist/compose.js",
            "mailinglist/autosave.js",
        )

    def __init__(self, format_id: str) -> None:
        super().__init__(
            attrs={"rows": 22, "spellcheck": "true", "data-compose": "", "data-format": format_id}
        )

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        addresses = {
            "data-logged-in": reverse("admin:logged_in"),
            "data-pictures": reverse("admin:mailinglist_mailimage_pick"),
            "data-upload": reverse("admin:mailinglist_mailimage_upload"),
        }
        context: dict[str, Any] = super().get_context(name, value, {**(attrs or {}), **addresses})
        return context


class SearchedRows(AutocompleteSelectMultiple):
    """A choice that is searched for; shows what was chosen before from what the page has read already."""

    #: The rows that a form begins with; None: they are asked for.
    at_hand: list[Model] | None = None

    def optgroups(self, name: str, value: Sequence[str], attr: Any = None) -> Any:
        if self.at_hand is None:
            return super().optgroups(name, value, attr)
        options = [
            self.create_option(name, str(row.pk), str(row), True, index)
            for index, row in enumerate(self.at_hand)
        ]
        return [(None, options, 0)]


class CampaignForm(forms.ModelForm):
    #: The revision that the text on the page was made from.
    base = forms.IntegerField(required=False, min_value=0, max_value=2**31 - 1, widget=forms.HiddenInput())
    write_over = forms.BooleanField(
        label="Replace theirs with mine",
        required=False,
        widget=forms.HiddenInput(),
        help_text="What they saved stays among the versions.",
    )
    #: The mark of what this page has kept as a draft.
    kept = forms.CharField(required=False, max_length=40, widget=forms.HiddenInput())
    #: Who writes; set by the admin for each request.
    manager: Actor

    instance: Campaign

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        campaign = self.instance if self.instance.pk else None
        self.initial["base"] = self.instance.revision
        self.initial["write_over"] = False
        tail = "mailinglist_campaign_typed"
        address = reverse(f"admin:{tail}", args=[campaign.pk]) if campaign else reverse(f"admin:{tail}_new")
        for one, other in SAME_CHOICES:
            if one in self.fields and other in self.fields:
                same = list(iter(self.fields[one].choices))  # type: ignore[attr-defined]
                self.fields[one].choices = self.fields[other].choices = same  # type: ignore[attr-defined]
        if "include_segments" in self.fields and not self.fields["include_segments"].choices:  # type: ignore[attr-defined]
            self.fields["include_segments"].help_text = format_html(
                'There is no segment yet. <a class="ml-link" href="{}">Make one from rules</a>, such as: opened a mail '
                "of the last 90 days.",
                reverse("admin:mailinglist_segment_add"),
            )
            self.fields["exclude_segments"].help_text = "Segments can be left out as well."
        if campaign and not self.is_bound:
            for name in (name for name in SEARCHED if name in self.fields):
                _inner(self.fields[name].widget).at_hand = list(getattr(campaign, name).all())
        if "body" in self.fields:
            attributes = self.fields["body"].widget.attrs
            attributes["data-typed"] = address
            if campaign:
                preview = reverse("admin:mailinglist_campaign_preview", args=[campaign.pk])
                attributes["data-preview"] = f"{preview}?draft=1"

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        if "body" in values and "body_format" in values and values["body"].strip():
            try:
                body.check(values["body"], values["body_format"])
            except body.CannotCompile as bad:
                self.add_error("body", bad.sentences)
        if values.get("body_format") == Campaign.Format.MJML and values.get("template"):
            self.add_error("template", "MJML is a whole mail. Choose no template, or write Markdown or HTML.")
        self._refuse_to_write_over(values)
        return values

    def _refuse_to_write_over(self, values: dict[str, Any]) -> None:
        base = values.get("base")
        if not self.instance.pk or base is None or values.get("write_over"):
            return
        newer = writing.newer(self.instance, base)
        if newer is None:
            return
        kept = campaign_versions.keep_refused(self.instance, self.data, base=base, by=self.manager)
        shown = cast(QueryDict, self.data).copy()
        shown["kept"] = kept or values.get("kept", "")
        self.data = shown
        self.fields["write_over"].widget = UnfoldBooleanSwitchWidget()
        versions = reverse("admin:mailinglist_campaign_versions", args=[self.instance.pk])
        says = format_html(
            '{} <a class="ml-link" href="{}?number={}#difference" target="_blank">What they changed</a>',
            campaign_versions.conflict(newer, kept=bool(kept)),
            versions,
            newer.number,
        )
        self.add_error("write_over", says)


def _inner(widget: Any) -> Any:
    """The widget in the one with the buttons for related rows that the admin puts around it."""
    return getattr(widget, "widget", widget)
