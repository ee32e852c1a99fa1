"""The public archive: index, one page per campaign, its mail in a sealed frame, and a feed.

What archive.py shows is the same for everybody, so answers have an ETag and a Last-Modified and may be kept. The mail
is an answer of its own, whose Content-Security-Policy sandboxes it even when it is opened directly: no scripts, forms,
cookies or origin of ours. Its links open in a window of their own.
"""

from collections.abc import Callable
from functools import wraps

from django.conf import settings
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.cache import patch_vary_headers
from django.utils.feedgenerator import Atom1Feed
from django.utils.http import http_date
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import conditional_page, require_safe

from mailinglist import archive, languages, links
from mailinglist.models import Campaign, MailingList
from mailinglist.signs import visible
from mailinglist.views.pages import show

ON_A_PAGE = 20
#: Lines of about seventy letters up to which a mail gets a low or a middling frame.
LOW, MIDDLING = 24, 60
ArchiveView = Callable[..., HttpResponse]


def archive_page(view: ArchiveView) -> ArchiveView:
    """Decorator: finds the list by its slug; 404 without an archive; headers for caches and search engines."""

    @require_safe
    @conditional_page
    @wraps(view)
    def page(request: HttpRequest, slug: str, **parts: str) -> HttpResponse:
        mailing_list = get_object_or_404(MailingList, slug=slug, has_archive=True)
        languages.speak(languages.of_browser(request), mailing_list.language)
        response = view(request, mailing_list, **parts)
        response["Last-Modified"] = http_date(archive.changed_at(mailing_list).timestamp())
        response["Cache-Control"] = "public, max-age=60"
        if "Content-Language" not in response:
            patch_vary_headers(
                response, ["Accept-Language"]
            )  # also of the short answer to who has the page already
        if not mailing_list.archive_in_search:
            response["X-Robots-Tag"] = "noindex"
        return response

    return page


@archive_page
def index(request: HttpRequest, mailing_list: MailingList) -> HttpResponse:
    """Newest first, twenty on a page."""
    found = archive.issues(mailing_list)
    page = Paginator(found, ON_A_PAGE).get_page(request.GET.get("page"))
    issues = [archive.named(campaign, mailing_list) for campaign in page]
    return show(request, "archive", list=mailing_list, issues=issues, page=page)


@archive_page
def issue(request: HttpRequest, mailing_list: MailingList, public_id: str) -> HttpResponse:
    """One campaign: the mail as most people see it, and as plain text."""
    campaign = _campaign(mailing_list, public_id)
    mail = archive.mail(campaign, mailing_list)
    neighbours = archive.neighbours(campaign, mailing_list)
    older, newer = (archive.named(found, mailing_list) if found else None for found in neighbours)
    return show(
        request,
        "archive_issue",
        list=mailing_list,
        issue=archive.named(campaign, mailing_list),
        text=mail.text.strip(),
        height=_height(mail.html, mail.text),
        older=older,
        newer=newer,
    )


@archive_page
@xframe_options_sameorigin
def mail(request: HttpRequest, mailing_list: MailingList, public_id: str) -> HttpResponse:
    """The HTML part alone, sandboxed."""
    html = archive.mail(_campaign(mailing_list, public_id), mailing_list).html
    return HttpResponse(
        html.replace("<head>", '<head><base target="_blank">', 1),
        content_type="text/html; charset=utf-8",
        headers={
            "Content-Language": mailing_list.language,
            "Content-Security-Policy": _policy(),
            "Referrer-Policy": "no-referrer",
            "X-Robots-Tag": "noindex",
        },
    )


@archive_page
def feed(request: HttpRequest, mailing_list: MailingList) -> HttpResponse:
    """The newest issues as Atom (RFC 4287), with what inboxes show of each."""
    found = Atom1Feed(
        title=mailing_list.name,
        link=links.archive_index(mailing_list),
        description=visible(mailing_list.description),
        language=mailing_list.language,
        author_name=mailing_list.from_name,
        feed_url=links.archive_feed(mailing_list),
        feed_guid=links.archive_index(mailing_list),
    )
    for campaign in archive.issues(mailing_list)[:ON_A_PAGE]:
        named, address = archive.named(campaign, mailing_list), links.archived(campaign, mailing_list)
        found.add_item(
            title=named.subject,
            link=address,
            unique_id=address,
            description=named.preheader,
            pubdate=campaign.started_at,
            updateddate=campaign.started_at,
        )
    return HttpResponse(
        found.writeString("utf-8"),
        content_type="application/atom+xml; charset=utf-8",
        headers={"Content-Language": mailing_list.language},
    )


def _campaign(mailing_list: MailingList, public_id: str) -> Campaign:
    campaign = archive.issue(mailing_list, public_id)
    if campaign is None:
        raise Http404("No such campaign in this archive.")
    return campaign


def _policy() -> str:
    """Our pictures are named too: on this machine they are not behind https."""
    return (
        "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; "
        f"img-src https: data: {settings.PUBLIC_URL}/images/; style-src 'unsafe-inline'; font-src https: data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
    )


def _height(html: str, text: str) -> str:
    """How high the frame is to be, as a word: no script may measure the mail."""
    lines = sum(len(line) // 70 + 1 for line in text.splitlines()) + 8 * html.count("<img")
    return "low" if lines <= LOW else "middling" if lines <= MIDDLING else "high"
