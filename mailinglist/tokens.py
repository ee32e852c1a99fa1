"""Links and tags that prove what they are about: signed per purpose, no database id in an address.

``SECRET_KEY_FALLBACKS`` keeps links in old mails working after the key was changed. Unsubscribe links never expire.
"""

import hmac

from django.conf import settings
from django.core import signing
from django.utils.crypto import salted_hmac

from mailinglist.models import MailingList, Subscriber, Subscription

DELIVERY_HEADER = "X-Mailinglist-Delivery"
_SIGNATURE_LENGTH = 20


class BadToken(ValueError):
    """The link is damaged, made for another purpose, or too old."""


def sign_delivery(delivery_id: int, attempt: int) -> str:
    """The value of the SES tag ``delivery`` and of our header: id, attempt and 80 bits of HMAC, all [0-9a-f-]."""
    return f"{delivery_id}-{attempt}-{_delivery_hmac(f'{delivery_id}-{attempt}', settings.SECRET_KEY)}"


def read_delivery(value: str) -> tuple[int, int] | None:
    """(delivery id, attempt number) of a signed value; None when it is not ours."""
    body, _, signature = value.rpartition("-")
    for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        if body and hmac.compare_digest(_delivery_hmac(body, key).encode(), signature.encode(errors="replace")):
            delivery, _, attempt = body.partition("-")
            return int(delivery), int(attempt)
    return None


def unsubscribe_url(subscriber: Subscriber, mailing_list: MailingList) -> str:
    """The address behind every unsubscribe link and the List-Unsubscribe header."""
    return _url("unsubscribe", _sign("unsubscribe", subscriber, mailing_list))


def preferences_url(subscriber: Subscriber, mailing_list: MailingList) -> str:
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
            max_age = settings.CONFIRM_TOKEN_DAYS * 86400
            body = signing.TimestampSigner(salt="mailinglist.confirm").unsign(token, max_age=max_age)
        else:
            body = signing.Signer(salt=f"mailinglist.{purpose}").unsign(token)
        person, _, where = body.partition(".")
        return Subscriber.objects.get(token=person), MailingList.objects.get(token=where)
    except signing.SignatureExpired:
        raise BadToken("This link is too old. Please sign up again to get a new one.") from None
    except (signing.BadSignature, Subscriber.DoesNotExist, MailingList.DoesNotExist):
        raise BadToken("This link is not complete or not valid any more.") from None


def _sign(purpose: str, subscriber: Subscriber, mailing_list: MailingList) -> str:
    return signing.Signer(salt=f"mailinglist.{purpose}").sign(f"{subscriber.token}.{mailing_list.token}")


def _url(page: str, token: str) -> str:
    return f"{settings.PUBLIC_URL}/{page}/{token}"


def _delivery_hmac(body: str, key: str) -> str:
    return salted_hmac("mailinglist.delivery", body, secret=key, algorithm="sha256").hexdigest()[:_SIGNATURE_LENGTH]
