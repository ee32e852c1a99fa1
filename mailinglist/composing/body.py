"""Compiling a campaign: what the manager wrote → subject, HTML and text that hold merge tags only.

Called by lifecycle (once per version), the admin's preview and the list of problems. The result is wrapped in
one mail layout with the sender's postal address, the reason why people get it, and links to unsubscribe and
to the preferences, so that no campaign can go out without them. Nothing is fetched from anywhere.
"""

import re
from dataclasses import dataclass
from typing import Protocol

import css_inline
from django.conf import settings
from django.template.loader import render_to_string

from mailinglist import merge
from mailinglist.composing import frame, links, plain
from mailinglist.composing.markup import TO_HTML, TagCarrier
from mailinglist.models import Campaign, MailingList, Subscriber
from mailinglist.sending import audience_preview
from mailinglist.sending.messages import VALUE_NAMES

#: Gmail shows no more of a mail than this without a click, and hides the unsubscribe link with the rest.
CLIPPED_AT = 102 * 1024

_inliner = css_inline.CSSInliner(load_remote_stylesheets=False, keep_at_rules=True, keep_style_tags=False)
# Links of our own are not rewritten by SES's click tracking: they must work for ever and tell nobody else.
_OWN_LINK = re.compile(r'<a (?![^>]*ses:no-track)(?=[^>]*href="\{\{ (?:unsubscribe|preferences)_url \}\}")')


class Written(Protocol):
    """What ``compile`` needs of a campaign."""

    subject: str
    preheader: str
    body_format: str
    body: str


@dataclass(frozen=True, slots=True)
class Compiled:
    """The parts of a CampaignVersion."""

    subject: str
    preheader: str
    html: str
    text: str


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a campaign is not ready (blocking), or what its manager should know."""

    field: str
    message: str
    blocking: bool = True


def compile(campaign: Written) -> Compiled:
    """Compile what was written. Deterministic; the tags of the result are filled by merge.py."""
    subject, preheader = merge.one_line(campaign.subject), merge.one_line(campaign.preheader)
    carrier = TagCarrier(subject, preheader, campaign.body)
    content = TO_HTML[campaign.body_format](carrier.carry(campaign.body))
    page = render_to_string(
        "mailinglist/email/campaign.html",
        {
            "subject": carrier.carry(subject),
            "preheader": carrier.carry(preheader),
            "content": content,
            "honeypot": f"{settings.PUBLIC_URL}{links.HONEYPOT_PATH}" if settings.HONEYPOT_LINK else "",
        },
    )
    html = carrier.restore(_inliner.inline(page), in_html=True)
    html = _OWN_LINK.sub("<a ses:no-track ", html).replace('ses:no-track=""', "ses:no-track")
    text = carrier.restore(plain.from_html(content), in_html=False)
    return Compiled(subject, preheader, html, f"{text}{frame.TEXT}")


def problems(campaign: Campaign) -> list[Problem]:
    """Everything that speaks against starting the campaign now; empty of blocking ones means it can start."""
    lists = list(campaign.lists.order_by("pk"))
    found = [*_written_problems(campaign), *_list_problems(campaign, lists)]
    compiled = compile(campaign)
    found += _tag_problems(campaign, [mailing_list.pk for mailing_list in lists])
    found += _archive_problems(campaign, compiled, lists)
    for part, text in (("HTML", compiled.html), ("text", compiled.text)):
        if "unsubscribe_url" not in merge.tags(text):
            found.append(Problem("body", f"The {part} part has no unsubscribe link."))
    if len(compiled.html.encode()) > CLIPPED_AT:
        size = len(compiled.html.encode()) // 1024
        message = (
            f"The mail has {size} kB. Gmail cuts off what is over 102 kB, and with it the unsubscribe link."
        )
        found.append(Problem("body", message, blocking=False))
    return found


def _written_problems(campaign: Written) -> list[Problem]:
    found = []
    if not campaign.subject.strip():
        found.append(Problem("subject", "Write a subject."))
    if not campaign.body.strip():
        found.append(Problem("body", "Write something: the body is empty."))
    return found


def _list_problems(campaign: Campaign, lists: list[MailingList]) -> list[Problem]:
    if not lists:
        return [Problem("lists", "Choose a list.")]
    found = []
    for mailing_list in lists:
        if not mailing_list.from_email:
            found.append(Problem("lists", f"The list “{mailing_list}” has no sender address."))
        if not mailing_list.postal_address.strip():
            found.append(Problem("lists", f"The list “{mailing_list}” has no postal address."))
    if nobody := audience_preview.trouble(campaign):
        found.append(Problem("lists", nobody))
    return found


def _archive_problems(campaign: Campaign, compiled: Compiled, lists: list[MailingList]) -> list[Problem]:
    if "archive_url" not in merge.tags(compiled.html + compiled.text):
        return []
    without = [found.name for found in lists if not (found.has_archive and campaign.in_archive)]
    return [
        Problem(
            "body",
            f"There is no public archive for this campaign on the list “{name}”: {{{{ archive_url }}}} is empty there.",
            blocking=False,
        )
        for name in without
    ]


def _tag_problems(campaign: Written, list_ids: list[int]) -> list[Problem]:
    found = []
    for field, text in (
        ("subject", campaign.subject),
        ("preheader", campaign.preheader),
        ("body", campaign.body),
    ):
        known = VALUE_NAMES | {
            name for name in merge.tags(text) - VALUE_NAMES if _is_attribute(name, list_ids)
        }
        for tag in merge.unknown_tags(text, known):
            names = ", ".join(sorted(VALUE_NAMES))
            message = (
                f"{tag} is no merge tag. There are {names}, and the attributes of the list's subscribers."
            )
            found.append(Problem(field, message))
    return found


def _is_attribute(name: str, list_ids: list[int]) -> bool:
    return Subscriber.objects.filter(subscriptions__list__in=list_ids, attributes__has_key=name).exists()
