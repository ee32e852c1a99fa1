"""The headers that mail programs and providers ask of list mail: the same for all mails of a list and campaign.

Called by messages.py. RFC 8058 and 2369 (List-Unsubscribe and its relatives), RFC 2919 (List-Id), Precedence for
automatic answers, Feedback-ID for the provider's own statistics. What all recipients share is made once, also as
bytes; only List-Unsubscribe is each person's own.
"""

from dataclasses import dataclass
from functools import cached_property
from urllib.parse import quote

from django.conf import settings

from mailinglist import addresses
from mailinglist.composing import mime
from mailinglist.models import MailingList

Headers = tuple[tuple[str, str], ...]
#: What Gmail asks of the last part of Feedback-ID: the sender, in 5 to 15 characters.
_SENDER_ID = "mailinglist"
#: What RFC 6068 lets stand in the address of a mailto.
_IN_MAILTO = "@!$'*+,;:-._~"


@dataclass(frozen=True)
class Shared:
    """Headers that mails share."""

    headers: Headers

    @cached_property
    def fields(self) -> bytes:
        """The header fields with their CRLFs. Raises mime.Unencodable."""
        return b"".join(mime.header(name, value) for name, value in self.headers)


def shared(mailing_list: MailingList, *, campaign_id: int | None, purpose: str) -> Shared:
    """All list headers but List-Unsubscribe."""
    slug = mailing_list.slug
    headers = [
        ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
        ("List-Id", f"<{list_id(mailing_list)}>"),
    ]
    if mailing_list.is_public:
        headers.append(("List-Subscribe", f"<{settings.PUBLIC_URL}/lists/{slug}/subscribe>"))
    if mailing_list.reply_to:
        headers.append(("List-Help", f"<mailto:{_quoted(mailing_list.reply_to)}?subject=help>"))
    headers += [
        ("Precedence", "bulk"),
        ("Feedback-ID", f"{campaign_id or 0}:{slug}:{purpose}:{_SENDER_ID}"),
    ]
    return Shared(tuple(headers))


def list_id(mailing_list: MailingList) -> str:
    """What names the list for good (RFC 2919): its slug in the sender's domain, in ASCII."""
    try:
        sender = addresses.normalise(mailing_list.from_email).key
    except addresses.BadAddress:
        sender = mailing_list.from_email
    return f"{mailing_list.slug}.{sender.rpartition('@')[2]}".lower()


def mailto_start() -> str:
    """What stands before the token in the mailto address of List-Unsubscribe; "" where no mailbox is set."""
    if not settings.UNSUBSCRIBE_MAILTO:
        return ""
    return f", <mailto:{_quoted(settings.UNSUBSCRIBE_MAILTO)}?subject=unsubscribe%20"


def unsubscribe(url: str, mailto: str) -> str:
    """The value of List-Unsubscribe: the address that mail programs post to first, then the mailbox.

    ``mailto``: mailto_start(). The token is the last part of ``url``, made of characters that stand in both as they
    are.
    """
    return f"<{url}>{mailto}{url.rpartition('/')[2]}>" if mailto else f"<{url}>"


def _quoted(address: str) -> str:
    return quote(address, safe=_IN_MAILTO)
