"""The inbox in the browser: the list of mails, one mail, its HTML part, its bytes.

Everything that comes from a mail is escaped. The HTML part is an answer of its own, under a policy that
runs no script and loads nothing from elsewhere, even when it is opened outside its frame. Routed by
``app.py``.
"""

import re
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from html import escape
from pathlib import Path
from urllib.parse import quote, urlencode

from aiohttp import web

from sandbox.events import decoded
from sandbox.inbox import Happened, Row
from sandbox.ses import SANDBOX

PAGE_SIZE = 50
CSS = Path(__file__).with_name("inbox.css")
PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src data:; frame-src 'self';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
#: Links of a mail open in a window of their own; nothing else is allowed.
FRAME_RIGHTS = "allow-popups allow-popups-to-escape-sandbox"
HTML_PART_HEADERS = {
    **PAGE_HEADERS,
    "Content-Security-Policy": f"sandbox {FRAME_RIGHTS}; default-src 'none'; img-src data:;"
    " style-src 'unsafe-inline'; font-src data:; form-action 'none'; frame-ancestors 'self'",
}
_LINK = re.compile(r"https?://[^\s<>\"']+[^\s<>\"'.,;:!?)\]]")
#: Events and rules that are bad news, for their colour.
_BAD = {"Bounce", "Complaint", "Reject"}
_UNSURE = {"DeliveryDelay"}


async def get_inbox(request: web.Request) -> web.Response:
    """The newest mails; ``?to=`` searches recipients, ``?before=`` pages on."""
    to, before = request.query.get("to", "").strip(), request.query.get("before", "")
    number = int(before) if before.isascii() and before.isdecimal() and len(before) < 16 else None
    rows = await request.app[SANDBOX].inbox.latest(to=to, before=number, limit=PAGE_SIZE + 1)
    shown = rows[:PAGE_SIZE]
    parts = [_search(to)]
    if shown:
        parts.append('<ol class="mails">' + "".join(map(_item, shown)) + "</ol>")
    else:
        parts.append(_empty(to))
    if len(rows) > PAGE_SIZE:
        query = urlencode({"to": to, "before": shown[-1].number})
        parts.append(f'<p class="more"><a href="/?{escape(query)}">Older mails</a></p>')
    return _page("Inbox", "".join(parts))


async def get_mail(request: web.Request) -> web.Response:
    row, raw = await _found(request)
    message = _parsed(raw)
    text, html = _part(message, "plain"), _part(message, "html")
    address = f"/mails/{quote(row.message_id)}"
    parts = [
        '<p><a href="/">← All mails</a></p>',
        f"<h1>{escape(row.subject) or 'No subject'}</h1>",
        f'<p class="facts"><b>{escape(row.recipients)}</b> from {escape(row.sender)} · {_time(row.at)}</p>',
        _events(row),
    ]
    if html is not None:
        parts.append(
            f'<h2>HTML</h2><iframe sandbox="{FRAME_RIGHTS}" referrerpolicy="no-referrer"'
            f' title="HTML part of the mail" src="{address}/html"></iframe>'
        )
    if text is not None:
        parts.append(f'<h2>Text</h2><pre class="text">{_linked(text)}</pre>')
    if html is None and text is None:
        parts.append("<p>This mail has no text that can be shown. Download it to see what it holds.</p>")
    fields = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in _fields(message))
    parts.append(f'<h2>Headers</h2><dl class="fields">{fields}</dl>')
    parts.append(f'<p><a class="button" href="{address}/raw" download>Download the mail</a></p>')
    return _page(row.subject or "No subject", "".join(parts))


async def get_html(request: web.Request) -> web.Response:
    """The HTML part alone; links get a window of their own, since the frame may not navigate."""
    _, raw = await _found(request)
    html = _part(_parsed(raw), "html")
    if html is None:
        raise web.HTTPNotFound
    base = '<base target="_blank">'
    with_base = re.sub(
        r"(<head(?:\s[^>]*)?>)", lambda head: head[1] + base, html, count=1, flags=re.IGNORECASE
    )
    text = with_base if with_base != html else base + html
    body = text.encode("utf-8", "replace")
    return web.Response(body=body, content_type="text/html", charset="utf-8", headers=HTML_PART_HEADERS)


async def get_raw(request: web.Request) -> web.Response:
    row, raw = await _found(request)
    headers = {**PAGE_HEADERS, "Content-Disposition": f'attachment; filename="{row.message_id}.eml"'}
    return web.Response(body=raw, content_type="message/rfc822", headers=headers)


async def get_css(request: web.Request) -> web.Response:
    return web.Response(text=CSS.read_text(encoding="utf-8"), content_type="text/css")


async def _found(request: web.Request) -> tuple[Row, bytes]:
    found = await request.app[SANDBOX].inbox.mail(request.match_info["message_id"])
    if found is None:
        raise web.HTTPNotFound
    return found


def _item(row: Row) -> str:
    return (
        f'<li><a href="/mails/{quote(row.message_id)}">{escape(row.subject) or "No subject"}</a>'
        f'<span class="to">{escape(row.recipients)}</span><span class="when">{_time(row.at)}</span>'
        f'<span class="chips"><span class="rule">{escape(row.rules)}</span>'
        f"{''.join(map(_chip, row.events))}</span></li>"
    )


def _chip(event: Happened) -> str:
    kind = "bad" if event.event_type in _BAD else "unsure" if event.event_type in _UNSURE else "good"
    return f'<span class="{kind}">{escape(_told(event))}</span>'


def _told(event: Happened) -> str:
    return f"{event.event_type} {event.detail}" if event.detail else event.event_type


def _events(row: Row) -> str:
    if not row.events:
        return f"<p>Rule <b>{escape(row.rules)}</b>. Nothing has happened to it yet.</p>"
    items = "".join(
        f"<li>{_chip(event)} {escape(event.recipients)} {_time(event.at)}</li>" for event in row.events
    )
    return f'<p>Rule <b>{escape(row.rules)}</b>. What happened:</p><ul class="events">{items}</ul>'


def _search(to: str) -> str:
    everything = '<a href="/">Show all</a>' if to else ""
    return (
        '<h1>Inbox</h1><form action="/" method="get" role="search"><label for="to">Recipient</label>'
        f'<input id="to" name="to" type="search" value="{escape(to)}" placeholder="ada@example.com">'
        f"<button>Search</button>{everything}</form>"
    )


def _empty(to: str) -> str:
    if to:
        return f'<p class="empty">No mail to a recipient like <b>{escape(to)}</b>.</p>'
    return (
        '<p class="empty">No mail yet. What the application sends through this SES appears here;'
        " nothing leaves this machine.</p>"
    )


def _time(at: float) -> str:
    moment = datetime.fromtimestamp(at, UTC)
    return f'<time datetime="{moment.isoformat()}">{moment:%d %b %H:%M:%S} UTC</time>'


def _linked(text: str) -> str:
    """Escaped text in which web addresses are links."""
    parts, end = [], 0
    for link in _LINK.finditer(text):
        target = escape(link[0])
        parts.append(escape(text[end : link.start()]))
        parts.append(f'<a href="{target}" target="_blank" rel="noopener noreferrer">{target}</a>')
        end = link.end()
    return "".join([*parts, escape(text[end:])])


def _parsed(raw: bytes) -> EmailMessage:
    message = message_from_bytes(raw, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def _part(message: EmailMessage, subtype: str) -> str | None:
    """The mail's text of that kind; None when there is none or it cannot be read."""
    try:
        part = message.get_body((subtype,))
        return None if part is None else str(part.get_content())
    except (LookupError, ValueError, AttributeError):  # a broken mail is shown as far as it goes
        return None


def _fields(message: EmailMessage) -> list[tuple[str, str]]:
    return [(name, decoded(re.sub(r"\r?\n(?=[ \t])", "", str(value)))) for name, value in message.raw_items()]


def _page(title: str, content: str) -> web.Response:
    text = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f"<title>{escape(title)} · Local SES</title>"
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme"'
        ' content="light dark"><link rel="stylesheet" href="/inbox.css">'
        '<link rel="icon" href="data:,"></head><body><header><a href="/">Local SES</a>'
        "<span>Nothing here was sent to anybody.</span></header>"
        f"<main>{content}</main></body></html>"
    )
    body = text.encode("utf-8", "replace")
    return web.Response(body=body, content_type="text/html", charset="utf-8", headers=PAGE_HEADERS)
