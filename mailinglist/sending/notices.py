"""Mails to one person about themselves: the confirmation of a sign-up, its one reminder, the link to their data.

Called by messages.py. Nothing in them was typed by a visitor: the form must not be a way to send words to strangers.
Each has three templates in templates/mailinglist/email/, and is in the person's language, else the list's.
"""

from collections.abc import Callable
from typing import Any, Protocol

from django.conf import settings
from django.template.loader import render_to_string

from mailinglist import languages, merge, tokens
from mailinglist.models import Delivery, MailingList, Subscriber, Subscription

Purpose = Delivery.Purpose


class Person(tokens.HasToken, Protocol):
    """Whom a notice is for: a Subscriber, or the person's columns in a Claimed."""

    @property
    def language(self) -> str: ...


def is_notice(purpose: str) -> bool:
    """Whether mails of this purpose are written here."""
    return purpose in _WRITTEN


def write(purpose: str, person: Person, mailing_list: MailingList) -> tuple[str, str, str]:
    """Subject (one line), HTML and text of a notice to one person."""
    name, values = _WRITTEN[purpose]
    context = {"list": mailing_list, **values(person, mailing_list)}
    with languages.spoken(person.language, mailing_list.language):
        subject, html, text = (
            render_to_string(f"mailinglist/email/{name}-{part}", context)
            for part in ("subject.txt", "body.html", "body.txt")
        )
    return merge.one_line(subject), html, text


def _to_confirm(person: tokens.HasToken, mailing_list: MailingList) -> dict[str, Any]:
    subscription = Subscription(subscriber=Subscriber(token=person.token), list=mailing_list)
    return {"confirm_url": tokens.confirm_url(subscription), "days": int(settings.CONFIRM_TOKEN_DAYS)}


def _to_data(person: tokens.HasToken, mailing_list: MailingList) -> dict[str, Any]:
    return {"data_url": tokens.data_url(person, mailing_list), "hours": tokens.DATA_LINK_HOURS}


#: Purpose → name of its templates, and what they are told.
_WRITTEN: dict[str, tuple[str, Callable[[tokens.HasToken, MailingList], dict[str, Any]]]] = {
    Purpose.CONFIRMATION: ("confirm", _to_confirm),
    Purpose.REMINDER: ("remind", _to_confirm),
    Purpose.DATA: ("data", _to_data),
}
