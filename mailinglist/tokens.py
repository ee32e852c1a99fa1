"""Links and tags that prove what they are about: signed per purpose, no database id in an address.

``SECRET_KEY_FALLBACKS`` keeps links in old mails working after the key was changed. Unsubscribe links never expire.
"""

import hmac
from datetime import timedelta
from functools import lru_cache
from hashlib import sha256
from typing import Protocol

from django.conf import settings
from django.core import signing
from django.utils.translation import gettext_noop

from mailinglist.models import MailingList, Subscriber, Subscription

DELIVERY_HEADER = "X-Mailinglist-Delivery"
_SIGNATURE_LENGTH = 20
#: The link opens everything that is stored about a person, so it does not lie in a mailbox for long.
DATA_LINK_HOURS = 24
_TOO_OLD = {
    "confirm": gettext_noop("This link is too old. Please sign up again to get a new one."),
    "data": gettext_noop("This link is too old. Ask for a new one on the page with your preferences."),
}


class HasToken(Protocol):
    """A person or a list, as far as links name them."""

    @property
    def token(self) -> str: ...


class BadToken(ValueError):
    """The link is damaged, made for another purpose, or too old. The message is in English, and in the catalogues."""


class Tags:
    """Values of the SES tag ``delivery`` and of our header: id, attempt and 80 bits of HMAC, all [0-9a-f-]."""

    def __init__(self) -> None:
        self._key = settings.SECRET_KEY

    def sign(self, delivery_id: int, attempt: int) -> str:
        body = f"{delivery_id}-{attempt}"
        return f"{body}-{_delivery_hmac(body, self._key)}"


def sign_delivery(delivery_id: int, attempt: int) -> str:
    """One value of ``Tags``."""
    return Tags().sign(delivery_id, attempt)


def read_delivery(value: str) -> tuple[int, int] | None:
    """(delivery id, attempt number) of a signed value; None when it is not ours."""
    body, _, signature = value.rpartition("-")
    for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        if body and hmac.compare_digest(
            _delivery_hmac(body, key).encode(), signature.encode(errors="replace")
        ):
            delivery, _, attempt = body.partition("-")
            return int(delivery), int(attempt)
    return None


class Links:
    """The addresses of one list's subscribers. For mails by the thousand: settings and keys are looked up once."""

    def __init__(self, mailing_list: HasToken) -> None:
        self._tail = f".{mailing_list.token}"
        self._purposes = {
            purpose: (
                f"{settings.PUBLIC_URL}/{purpose}/",
                _derived_key(f"mailinglist.{purpose}signer", settings.SECRET_KEY),
            )
            for purpose in ("unsubscribe", "preferences")
        }

    def unsubscribe(self, subscriber: HasToken) -> str:
        """The address behind every unsubscribe link and the List-Unsubscribe header."""
        return self._signed("unsubscribe", subscriber.token)

    def preferences(self, subscriber: HasToken) -> str:
        """The page where a person sees and changes their subscriptions."""
        return self._signed("preferences", subscriber.token)

    def _signed(self, purpose: str, token: str) -> str:
        """With what ``signing.Signer(salt="mailinglist.<purpose>").sign`` gives."""
        page, key = self._purposes[purpose]
        value = token + self._tail
        return f"{page}{value}:{signing.b64_encode(hmac.digest(key, value.encode(), 'sha256')).decode()}"


def unsubscribe_url(subscriber: HasToken, mailing_list: HasToken) -> str:
    """One address of ``Links``."""
    return Links(mailing_list).unsubscribe(subscriber)


def preferences_url(subscriber: HasToken, mailing_list: HasToken) -> str:
    """One address of ``Links``."""
    return Links(mailing_list).preferences(subscriber)


def confirm_url(subscription: Subscription) -> str:
    """The link in a confirmation mail; valid for CONFIRM_TOKEN_DAYS."""
    value = f"{subscription.subscriber.token}.{subscription.list.token}"
    return _url("confirm", _timed("confirm").sign(value))


def data_url(subscriber: HasToken, mailing_list: HasToken) -> str:
    """The link that opens the page to download and erase what is stored about a person; valid for DATA_LINK_HOURS."""
    return _url("data", _timed("data").sign(f"{subscriber.token}.{mailing_list.token}"))


def _timed(purpose: str) -> signing.TimestampSigner:
    return signing.TimestampSigner(salt=f"mailinglist.{purpose}")


def read_link(purpose: str, token: str) -> tuple[Subscriber, MailingList]:
    """Who and which list a token of ``purpose`` (unsubscribe, preferences, confirm, data) names. Raises BadToken."""
    ages = {
        "confirm": timedelta(days=settings.CONFIRM_TOKEN_DAYS),
        "data": timedelta(hours=DATA_LINK_HOURS),
    }
    try:
        if purpose in ages:
            body = _timed(purpose).unsign(token, max_age=ages[purpose])
        else:
            body = signing.Signer(salt=f"mailinglist.{purpose}").unsign(token)
        person, _, where = body.partition(".")
        return Subscriber.objects.get(token=person), MailingList.objects.get(token=where)
    except signing.SignatureExpired:
        raise BadToken(_TOO_OLD[purpose]) from None
    except (signing.BadSignature, Subscriber.DoesNotExist, MailingList.DoesNotExist):
        raise BadToken(gettext_noop("This link is not complete or not valid any more.")) from None


def _url(page: str, token: str) -> str:
    return f"{settings.PUBLIC_URL}/{page}/{token}"


def _delivery_hmac(body: str, key: str) -> str:
    return hmac.digest(_derived_key("mailinglist.delivery", key), body.encode(), "sha256").hex()[
        :_SIGNATURE_LENGTH
    ]


@lru_cache(maxsize=32)
def _derived_key(salt: str, secret: str) -> bytes:
    """The key that Django's salted_hmac derives from a salt and a secret."""
    return sha256(salt.encode() + secret.encode()).digest()
