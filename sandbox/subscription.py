"""The subscription of the hook to the topic: confirmation first, events after, as SNS does it.

A signed SubscriptionConfirmation goes to the hook until it answers 2xx; the subscription counts only when
ConfirmSubscription came back with the right token, by API call or by the SubscribeURL. Then SES says once that
the topic works. Confirmed subscriptions are remembered in ``subscription.json``.
"""

import asyncio
import json
import secrets
import time
import uuid
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import aiohttp

from sandbox.sns import Posted, Topic, post

VALIDATED = "Successfully validated SNS topic for Amazon SES event publishing."
#: A receiver that took the confirmation and died before it confirmed gets another one.
REPEAT_AFTER_SECONDS = 10.0


class TokenRefused(Exception):
    """ConfirmSubscription with a token that was not handed out; the docstring of SNS: InvalidParameter."""


class TopicUnknown(Exception):
    """ConfirmSubscription for another topic than ours; SNS: NotFound."""


@dataclass(frozen=True, slots=True)
class _State:
    hook: str
    topic_arn: str
    arn: str
    token: str
    confirmed: bool = False
    announced: bool = False


class Subscription:
    def __init__(self, path: Path, topic: Topic, *, confirmed: bool) -> None:
        self._path = path
        self._topic = topic
        self._state = _load(path, topic) or _State(
            topic.hook, topic.arn, f"{topic.arn}:{uuid.uuid4()}", secrets.token_hex(32)
        )
        if confirmed and not self._state.confirmed:
            self._change(confirmed=True, announced=True)
        self._save()
        self._confirmed = asyncio.Event()
        if self._state.confirmed:
            self._confirmed.set()

    @property
    def arn(self) -> str:
        return self._state.arn

    @property
    def confirmed(self) -> bool:
        return self._state.confirmed

    async def wait_until_confirmed(self) -> None:
        await self._confirmed.wait()

    def confirm(self, *, topic_arn: str, token: str) -> str:
        """The subscription's ARN when the token is right; raises TopicUnknown or TokenRefused. Repeatable."""
        if topic_arn != self._topic.arn:
            raise TopicUnknown(topic_arn)
        if not secrets.compare_digest(token.encode(), self._state.token.encode()):
            raise TokenRefused(token)
        if not self._state.confirmed:
            self._change(confirmed=True)
            self._confirmed.set()
        return self.arn

    async def run(self, session: aiohttp.ClientSession) -> None:
        """The handshake; ends when the subscription is confirmed and SES has said so."""
        while not self.confirmed:
            message_id = str(uuid.uuid4())
            envelope = self._topic.confirmation(self._state.token, message_id=message_id, now=time.time())
            posted = await post(session, self._topic.hook, envelope, subscription_arn=None)
            retry = self._topic.config().retry_seconds
            await self._confirmed_within(REPEAT_AFTER_SECONDS if posted is Posted.DELIVERED else retry)
        while not self._state.announced:
            await self._announce(session)

    async def _announce(self, session: aiohttp.ClientSession) -> None:
        envelope = self._topic.notification(
            VALIDATED,
            message_id=str(uuid.uuid4()),
            subscription_arn=self.arn,
            now=time.time(),
            with_subject=False,
        )
        posted = await post(session, self._topic.hook, envelope, subscription_arn=self.arn)
        if posted in (Posted.DELIVERED, Posted.LOST):
            self._change(announced=True)
        else:
            await asyncio.sleep(self._topic.config().retry_seconds)

    async def _confirmed_within(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._confirmed.wait(), seconds)
        except TimeoutError:
            return

    def _change(self, *, confirmed: bool | None = None, announced: bool | None = None) -> None:
        self._state = replace(
            self._state,
            confirmed=self._state.confirmed if confirmed is None else confirmed,
            announced=self._state.announced if announced is None else announced,
        )
        self._save()

    def _save(self) -> None:
        temporary = self._path.with_suffix(".new")
        temporary.write_text(json.dumps(asdict(self._state), indent=2) + "\n")
        temporary.replace(self._path)


def _load(path: Path, topic: Topic) -> _State | None:
    """What was remembered, if it was for the same hook and topic."""
    if not path.exists():
        return None
    state = _State(**json.loads(path.read_text()))
    return state if (state.hook, state.topic_arn) == (topic.hook, topic.arn) else None
