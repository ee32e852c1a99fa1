"""Small pieces of the public pages: the look of a list, and dates in its language. Everything is escaped."""

from datetime import datetime

from django import template
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString

from mailinglist import looks
from mailinglist.models import MailingList

register = template.Library()


@register.filter
def look_version(lists: MailingList | list[MailingList]) -> str:
    """The version of a list's style sheet, or of that of several; empty where no list has a colour."""
    several = [lists] if isinstance(lists, MailingList) else lists
    return looks.version(several) if any(found.accent for found in several) else ""


@register.filter
def look_class(mailing_list: MailingList) -> str:
    """The class that gives an element the list's colours; empty without a colour of its own."""
    return f"look-{mailing_list.slug}" if getattr(mailing_list, "accent", "") else ""


@register.simple_tag
def logo(mailing_list: MailingList) -> SafeString | str:
    """The picture of a list, named as the list; nothing where it has none."""
    if not mailing_list or not mailing_list.logo_version:
        return ""
    width, height = looks.shown_size(mailing_list)
    return format_html(
        '<img class="logo" src="{}?v={}" alt="{}" width="{}" height="{}">',
        reverse("list-logo", args=[mailing_list.slug]),
        mailing_list.logo_version,
        mailing_list.name,
        width,
        height,
    )


@register.simple_tag
def date_of(at: datetime, language: str) -> SafeString:
    """A day, written as people of that language write it; in the page's language where nobody knows how."""
    if not translation.check_for_language(language):
        language = translation.get_language() or "en"
    with translation.override(language):
        words = date_format(timezone.localtime(at), "DATE_FORMAT")
    return format_html('<time datetime="{}" lang="{}">{}</time>', at.date().isoformat(), language, words)
