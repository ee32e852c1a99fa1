"""The SNS webhook: read, verify, store, answer.

What the answers mean, to SNS: 200 the notification is stored (or was before) · 403 a proven forgery or a
topic that is not ours, nothing stored · 400 or 413 not readable as an SNS message, nothing stored · 405 not a
POST · 500 our own fault, including a certificate that could not be fetched, and 503 while the database is away:
SNS tries again. A 200 is sent after the COMMIT only.
"""

import logging
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from bounces import ingest
from bounces.models import Notification
from bounces.trust import verifier
from mailinglist import aws

if TYPE_CHECKING:
    from bounces import sns

logger = logging.getLogger(__name__)


@csrf_exempt
@require_POST
def ses_webhook(request: HttpRequest) -> HttpResponse:
    """POST /hooks/ses/ from Amazon SNS (or the local SES)."""
    from bounces import sns  # cryptography is slow to import, and few processes verify anything

    try:
        length = int(request.headers.get("Content-Length") or 0)
    except ValueError:
        return _answer(400, "The Content-Length header is not a number.")
    if length > sns.MAX_BODY:
        return _answer(413, f"The body is larger than {sns.MAX_BODY} bytes.")
    try:
        envelope = verifier().verify(request.read(sns.MAX_BODY + 1), request.headers)
    except sns.Forged as refusal:
        logger.warning("Refused a notification: %s", refusal)
        return _answer(403, "Not accepted.")
    except sns.TooLarge as refusal:
        return _answer(413, str(refusal))
    except sns.Unreadable as refusal:
        return _answer(400, str(refusal))
    except sns.Retry as fault:
        logger.error("Cannot check a notification now: %s", fault)
        return _answer(500, "Cannot check the signature now; try again.")
    if envelope.type == "SubscriptionConfirmation":
        return _confirm(envelope)
    if envelope.type == "UnsubscribeConfirmation":
        # Stored like a notification: being no event, it shows in the quarantine until somebody has seen it.
        logger.error("Our subscription to %s was ended. Subscribe again to see bounces.", envelope.topic_arn)
    try:
        ingest.store_surely(
            envelope.message.encode(),
            source=Notification.Source.SNS,
            dedupe_key=f"sns:{envelope.message_id}",
            topic_arn=envelope.topic_arn,
            published_at=envelope.timestamp,
        )
    except (OperationalError, InterfaceError) as fault:
        logger.error("Cannot store a notification now: %s", fault)
        return _answer(503, "Cannot store it now; try again.")
    return _answer(200, "Stored.")


def _confirm(envelope: "sns.Envelope") -> HttpResponse:
    """Through the API, with the topic of our own allow-list: the message's SubscribeURL is never fetched."""
    try:
        aws.confirm_subscription(envelope.topic_arn, envelope.token)
    except (BotoCoreError, ClientError) as error:
        logger.error("Could not confirm the subscription to %s: %s", envelope.topic_arn, error)
        return _answer(500, "Could not confirm now; try again.")
    logger.info("Confirmed the subscription to %s.", envelope.topic_arn)
    return _answer(200, "Confirmed.")


def _answer(status: int, text: str) -> HttpResponse:
    return HttpResponse(text + "\n", status=status, content_type="text/plain; charset=utf-8")
