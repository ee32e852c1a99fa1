"""The sign-up form on other sites: what to paste there, and what the script asks us for.

Called by views/embedding.py (form.json, the preview) and admin/list_embedding.py (the page to copy from).
Everything is in the language of the list, where there is a catalogue of it. Changes nothing.
"""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from mailinglist import languages, origins
from mailinglist.forms import SignUpForm, consent_text
from mailinglist.models import MailingList


@dataclass(frozen=True, slots=True)
class Way:
    """One way to put the form on a site: the heading and sentence for the manager, and whether it has the script."""

    name: str
    title: str
    about: str
    has_script: bool


WAYS = (
    Way(
        "html",
        "Form without script",
        "Works on every site that lets you paste HTML. The button leads to the sign-up page here, filled in; one more "
        "press there signs up.",
        has_script=False,
    ),
    Way(
        "script",
        "Form with script",
        "Visitors stay on your page. Without JavaScript, and on a site that is not allowed, it works like the form "
        "without script.",
        has_script=True,
    ),
    Way(
        "short",
        "Short form with script",
        "The script makes the form, always with the newest fields and words. Where it cannot, the link stays.",
        has_script=True,
    ),
)


def snippet(mailing_list: MailingList, way: Way, *, site: str | None = None) -> SafeString:
    """The HTML to paste. ``site`` begins its addresses: ours by default, "" on a page of our own."""
    site = settings.PUBLIC_URL if site is None else site
    with languages.spoken(mailing_list.language):
        words = texts(mailing_list)
        context = {
            "list": mailing_list,
            "way": way,
            "form": SignUpForm(mailing_list=mailing_list, auto_id=f"mailinglist-{mailing_list.slug}-%s"),
            "action": site + reverse("subscribe", args=[mailing_list.slug]),
            "script": site + reverse("embed-script"),
            **{name: words[name] for name in ("consent", "optional", "button")},
        }
        return render_to_string(f"mailinglist/embed/{way.name}.html", context)


def own_origin() -> str:
    """The origin of this installation, as browsers write it."""
    return origins.page(settings.PUBLIC_URL).rstrip("/")


def texts(mailing_list: MailingList) -> dict[str, Any]:
    """What the script shows, for form.json; docs/embedding.md is the contract."""
    with languages.spoken(mailing_list.language) as language:
        return {
            "list": mailing_list.name,
            "language": language,
            "action": settings.PUBLIC_URL + reverse("subscribe", args=[mailing_list.slug]),
            "fields": [_field(field) for field in SignUpForm(mailing_list=mailing_list)],
            "consent": consent_text(mailing_list),
            "optional": gettext("(optional)"),
            "button": gettext("Subscribe"),
            "invalid": gettext("That did not work yet. Please look at the field marked below."),
            "sending": gettext("One moment …"),
        }


def thanks() -> str:
    """The one answer to every address that can exist, in the language that is active."""
    return gettext(
        "Thank you. If your address still has to be confirmed, a mail with a link is on its way. Open it and press "
        "the button on the page behind the link."
    )


def _field(bound: forms.BoundField) -> dict[str, Any]:
    field = bound.field
    return {
        "name": bound.name,
        "label": str(bound.label),
        "help": str(bound.help_text),
        "type": getattr(field.widget, "input_type", "text"),
        "value": bound.value() or "",
        "required": field.required,
        "autocomplete": field.widget.attrs.get("autocomplete", ""),
        "trap": bound.name == SignUpForm.TRAP,
    }
