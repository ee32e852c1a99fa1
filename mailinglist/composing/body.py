"""Compiling a campaign: what the manager wrote → subject, HTML and text that hold merge tags only.

Called by lifecycle (once per version), the admin's preview and problems.py. The result is wrapped in
one mail layout with the sender's postal address, the reason why people get it, and links to unsubscribe and
to the preferences, so that no campaign can go out without them. Nothing is fetched from anywhere.
"""

import re
from dataclasses import dataclass
from typing import Protocol

import css_inline
from django.conf import settings
from django.template.loader import render_to_string

from mailinglist import images, merge
from mailinglist.composing import design, frame, links, markup, mjml, plain
from mailinglist.models import Campaign

_inliner = css_inline.CSSInliner(load_remote_stylesheets=False, keep_at_rules=True, keep_style_tags=False)
# Links of our own are not rewritten by SES's click tracking: they must work for ever and tell nobody else.
_OWN_LINK = re.compile(r'<a (?![^>]*ses:no-track)(?=[^>]*href="\{\{ (?:unsubscribe|preferences)_url \}\}")')


class Written(Protocol):
    """What ``compile`` needs of a campaign."""

    subject: str
    preheader: str
    body_format: str
    body: str

    @property
    def template(self) -> design.Design | None: ...


class CannotCompile(ValueError):
    """No mail can be made of it. ``field`` of the campaign, and sentences that name lines."""

    def __init__(self, field: str, sentences: list[str]) -> None:
        super().__init__(" ".join(sentences[:3]))
        self.field, self.sentences = field, sentences


@dataclass(frozen=True, slots=True)
class Compiled:
    """The parts of a CampaignVersion."""

    subject: str
    preheader: str
    html: str
    text: str


def compile(campaign: Written) -> Compiled:
    """Compile what was written. Deterministic; the tags of the result are filled by merge.py.

    Raises CannotCompile.
    """
    subject, preheader = merge.one_line(campaign.subject), merge.one_line(campaign.preheader)
    template = campaign.template
    carrier = markup.TagCarrier(subject, preheader, campaign.body, template.source if template else "")
    content = _content(campaign, carrier)
    page = render_to_string(
        "mailinglist/email/campaign.html",
        {
            "subject": carrier.carry(subject),
            "preheader": carrier.carry(preheader),
            "content": content,
            # What brings its own layout gets a frame as wide as the window.
            "has_layout": template is not None or campaign.body_format == Campaign.Format.MJML,
            "honeypot": f"{settings.PUBLIC_URL}{links.HONEYPOT_PATH}" if settings.HONEYPOT_LINK else "",
        },
    )
    html = carrier.restore(_inliner.inline(page), in_html=True)
    html = _OWN_LINK.sub("<a ses:no-track ", html).replace('ses:no-track=""', "ses:no-track")
    text = carrier.restore(plain.from_html(carrier.without_comments(content)), in_html=False)
    return Compiled(subject, preheader, html, f"{text}{frame.TEXT}")


def check(text: str, written_as: str) -> None:
    """Raises CannotCompile where a text in one of Campaign.Format cannot be compiled."""
    carrier = markup.TagCarrier(text)
    _body(text, written_as, carrier)


def _content(campaign: Written, carrier: markup.TagCarrier) -> str:
    """What stands in the frame: safe HTML with the carrier's words in place of tags."""
    html = markup.sanitise(_body(campaign.body, campaign.body_format, carrier))
    if campaign.template is None:
        return images.with_sizes(html)
    if wrong := design.mistakes(campaign.template):
        raise CannotCompile("template", [f"The template: {sentence}" for sentence in wrong])
    return images.with_sizes(markup.sanitise(design.fill(campaign.template, html, carrier)))


def _body(text: str, written_as: str, carrier: markup.TagCarrier) -> str:
    try:
        return markup.to_html(carrier.carry(text), written_as, carrier)
    except mjml.BadMjml as bad:
        raise CannotCompile("body", [str(mistake) for mistake in bad.mistakes]) from bad
