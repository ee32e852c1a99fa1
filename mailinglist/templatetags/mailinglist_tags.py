"""Small pieces of the staff pages: badges, and codes in plain words. Everything is escaped."""

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from mailinglist import forms, words
from mailinglist.models import MailingList

register = template.Library()


@register.simple_tag
def badge(text: str, code: str = "") -> SafeString:
    """``text`` in the colour of ``code`` (a state, status or verdict), or in a tone named by it."""
    tone = code if code in ("success", "info", "warning", "danger", "default") else words.tone(code or text)
    return format_html('<span class="ml-badge ml-badge--{}">{}</span>', tone, text)


@register.filter
def in_words(code: str) -> str:
    """A reason code as a phrase."""
    return words.reason(code)


@register.filter
def verdict_words(code: str) -> str:
    return words.verdict(code)


@register.filter
def share(part: float | None, whole: float | None) -> str:
    """``part`` of ``whole`` in per cent with one decimal; a dash without a whole."""
    return f"{100 * (part or 0) / whole:.1f} %" if whole else "–"


@register.filter
def thousands(number: float | None) -> str:
    """A number without its fraction, with commas."""
    return f"{number or 0:,.0f}"


@register.filter
def tracking_text(mailing_list: MailingList) -> str:
    """The box about opens and clicks of a list; "" where it does not ask."""
    return forms.tracking_text(mailing_list)
