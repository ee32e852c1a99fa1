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

from mailinglist.models import MailingList, Subscriber, Subscription

DELIVERY_HEADER = "X-Mailinglist-Delivery"
_SIGNATURE_LENGTH = 20


class HasToken(Protocol):
    """A person or a list, as far as links name them."""

    @property
    def token(self) -> str: ...


class BadToken(ValueError):
    """The link is damaged, made for another purpose, or too old."""


def sign_delivery(delivery_id: int, attempt: int) -> str:
    """The value of the SES tag ``delivery`` and of our header: id, attempt and 80 bits of HMAC, all [0-9a-f-]."""
    return f"{delivery_id}-{attempt}-{_delivery_hmac(f'{delivery_id}-{attempt}', settings.SECRET_KEY)}"


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


def unsubscribe_url(subscriber: HasToken, mailing_list: HasToken) -> str:
    """The address behind every unsubscribe link and the List-Unsubscribe header."""
    return _url("unsubscribe", _sign("unsubscribe", subscriber, mailing_list))


def preferences_url(subscriber: HasToken, mailing_list: HasToken) -> str:
    """The page where a person sees and changes their subscriptions."""
    return _url("preferences", _sign("preferences", subscriber, mailing_list))


def confirm_url(subscription: Subscription) -> str:
    """The link in a confirmation mail; valid for CONFIRM_TOKEN_DAYS."""
    signer = signing.TimestampSigner(salt="mailinglist.confirm")
    return _url("confirm", signer.sign(f"{subscription.subscriber.token}.{subscription.list.token}"))


def read_link(purpose: str, token: str) -> tuple[Subscriber, MailingList]:
    """Who and which list a token of ``purpose`` (unsubscribe, preferences, confirm) names. Raises BadToken."""
    try:
        if purpose == "confirm":
            max_age = timedelta(days=settings.CONFIRM_TOKEN_DAYS)
            body = signing.TimestampSigner(salt="mailinglist.confirm").unsign(token, max_age=max_age)
        else:
            body = signing.Signer(salt=f"mailinglist.{purpose}").unsign(token)
        person, _, where = body.partition(".")
        return Subscriber.objects.get(token=person), MailingList.objects.get(token=where)
    except signing.SignatureExpired:
        raise BadToken("This link is too old. Please sign up again to get a new one.") from None
    except (signing.BadSignature, Subscriber.DoesNotExist, MailingList.DoesNotExist):
        raise BadToken("This link is not complete or not valid any more.") from None


def _sign(purpose: str, subscriber: HasToken, mailing_list: HasToken) -> str:
    """What ``signing.Signer(salt="mailinglist.<purpose>").sign`` gives, with the derived key kept: one HMAC per link."""
    value = f"{subscriber.token}.{mailing_list.token}"
    key = _derived_key(f"mailinglist.{purpose}signer", settings.SECRET_KEY)
    signature = signing.b64_encode(hmac.digest(key, value.encode(), "sha256")).decode()
    return f"{value}:{signature}"


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
