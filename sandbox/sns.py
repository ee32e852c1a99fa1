"""SNS messages of our topic: envelopes built and signed, and the POST that carries one to the hook.

Shape and headers as in the SNS developer guide, "Parsing Amazon SNS message formats". Used by
``subscription.py`` for the handshake and by ``pushes.py`` for the events.
"""

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from urllib.parse import urlencode

import aiohttp

from sandbox.events import Account, iso
from sandbox.faults import Config
from sandbox.planning import SNS_COPY
from sandbox.signing import Signer

SUBJECT = "Amazon SES Email Event Notification"
TIMEOUT = aiohttp.ClientTimeout(total=15)


class Posted(Enum):
    DELIVERED = "delivered"
    #: 4xx: SNS does not repeat what the receiver calls a mistake of the sender.
    LOST = "lost"
    FAILED = "failed"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True)
class Topic:
    """``base_url`` is how others reach this process: the host of certificate and confirmation URLs."""

    arn: str
    hook: str
    base_url: str
    signer: Signer
    config: Callable[[], Config]

    @property
    def account(self) -> Account:
        _, _, _, region, account_id, _ = self.arn.split(":", 5)
        return Account(account_id=account_id, region=region)

    def notification(
        self, message: str, *, message_id: str, subscription_arn: str, now: float, with_subject: bool
    ) -> dict[str, str]:
        subject = {"Subject": SUBJECT} if with_subject else {}
        head = {"Type": "Notification", "MessageId": message_id, "TopicArn": self.arn, **subject}
        query = urlencode({"Action": "Unsubscribe", "SubscriptionArn": subscription_arn})
        return self._signed(
            {**head, "Message": message, "Timestamp": iso(now)}, UnsubscribeURL=f"{self.base_url}/?{query}"
        )

    def confirmation(self, token: str, *, message_id: str, now: float) -> dict[str, str]:
        query = urlencode({"Action": "ConfirmSubscription", "TopicArn": self.arn, "Token": token})
        return self._signed(
            {
                "Type": "SubscriptionConfirmation",
                "MessageId": message_id,
                "Token": token,
                "TopicArn": self.arn,
                "Message": f"You have chosen to subscribe to the topic {self.arn}.\n"
                "To confirm the subscription, visit the SubscribeURL included in this message.",
                "SubscribeURL": f"{self.base_url}/?{query}",
                "Timestamp": iso(now),
            }
        )

    def _signed(self, message: dict[str, str], **unsigned: str) -> dict[str, str]:
        message = {**message, "SignatureVersion": self.config().signature_version}
        return {
            **message,
            "Signature": self.signer.signature(message),
            "SigningCertURL": self.base_url + self.signer.certificate_path,
            **unsigned,
        }


def sns_message_id(event_id: str) -> str:
    """The MessageId of an event's notification: the same on every try, and for a copy that SNS makes."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, event_id.partition(SNS_COPY)[0]))


async def post(
    session: aiohttp.ClientSession, hook: str, envelope: dict[str, str], *, subscription_arn: str | None
) -> Posted:
    """POST one envelope to the hook and say how it went; network trouble is an answer, not an exception."""
    headers = {
        "x-amz-sns-message-type": envelope["Type"],
        "x-amz-sns-message-id": envelope["MessageId"],
        "x-amz-sns-topic-arn": envelope["TopicArn"],
        "Content-Type": "text/plain; charset=UTF-8",
        "User-Agent": "Amazon Simple Notification Service Agent",
    }
    if subscription_arn:
        headers["x-amz-sns-subscription-arn"] = subscription_arn
    body = json.dumps(envelope, ensure_ascii=False, indent=2).encode("utf-8", "replace")
    try:
        async with session.post(
            hook, data=body, headers=headers, allow_redirects=False, timeout=TIMEOUT
        ) as answer:
            await answer.read()
            return _meaning(answer.status)
    except TimeoutError:
        return Posted.FAILED
    except aiohttp.ClientError:
        return Posted.UNREACHABLE


def _meaning(status: int) -> Posted:
    if 200 <= status < 300:
        return Posted.DELIVERED
    return Posted.LOST if 400 <= status < 500 else Posted.FAILED
