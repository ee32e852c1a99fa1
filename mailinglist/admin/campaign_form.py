"""The form that campaigns are written in: what cannot be compiled is said at the field, with its line."""

from typing import Any

from django import forms
from django.urls import reverse
from unfold.widgets import UnfoldAdminTextareaWidget

from mailinglist.composing import body
from mailinglist.models import Campaign


class ComposeArea(UnfoldAdminTextareaWidget):
    """The text of a mail; compose.js makes an editor of it while the select ``format_id`` says Markdown."""

    class Media:
        css = {
            "all": ("mailinglist/vendor/easymde/easymde.min.css", "mailinglist/compose.css"),
        }
        js = (
            "mailinglist/vendor/easymde/easymde.min.js",
            "mailinglist/pictures.js",
            "mailinglist/compose.js",
        )

    def __init__(self, format_id: str) -> None:
        super().__init__(
            attrs={"rows": 22, "spellcheck": "true", "data-compose": "", "data-format": format_id}
        )

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        pictures = {
            "data-pictures": reverse("admin:mailinglist_mailimage_pick"),
            "data-upload": reverse("admin:mailinglist_mailimage_upload"),
        }
        context: dict[str, Any] = super().get_context(name, value, {**(attrs or {}), **pictures})
        return context


class CampaignForm(forms.ModelForm):
    instance: Campaign

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        if "body" in values and "body_format" in values and values["body"].strip():
            try:
                body.check(values["body"], values["body_format"])
            except body.CannotCompile as bad:
                self.add_error("body", bad.sentences)
        if values.get("body_format") == Campaign.Format.MJML and values.get("template"):
            self.add_error("template", "MJML is a whole mail. Choose no template, or write Markdown or HTML.")
        return values
