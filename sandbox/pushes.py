"""Events on their way to the hook: they happen when they are due, and are pushed until the hook has spoken.

An event *happens* at its time whatever the hook does: the suppression list and the inbox learn of it. It is
*pushed* once the subscription is confirmed and pushes are not held; up to eight at a time, so that the
order of arrival is only roughly that of the events, as with SNS. 2xx ends it, 4xx loses it (counted), 5xx
and time-outs come again with the same MessageId and signature. While nobody listens at the hook, nothing is
tried but one round per retry time.
"""

import asyncio
import heapq
import itertools
import time
from collections.abc import Callable, Iterable
from typing import Any

import aiohttp

from sandbox.events import document
from sandbox.journal import PushEvent
from sandbox.planning import SNS_COPY
from sandbox.sns import Posted, Topic, post, sns_message_id
from sandbox.stats import Stats
from sandbox.subscription import Subscription

AT_ONCE = 8
#: Envelopes remembered so that a copy which SNS makes is the same to the byte; a copy follows within 50 ms.
REMEMBERED = 1_000


class Pushes:
    """``happened`` is told of every event at its time, ``finished`` of every id that needs no more push."""

    def __init__(
        self,
        topic: Topic,
        subscription: Subscription,
        stats: Stats,
        *,
        happened: Callable[[PushEvent], None],
        finished: Callable[[str], None],
    ) -> None:
        self._topic = topic
        self._subscription = subscription
        self._stats = stats
        self._happened = happened
        self._finished = finished
        self._timed: list[tuple[float, int, PushEvent]] = []
        self._number = itertools.count()
        self._ready: asyncio.Queue[PushEvent] = asyncio.Queue()
        self._wake = asyncio.Event()
        self._released = asyncio.Event()
        self._quiet_until = 0.0
        self._open = 0
        self._in_flight = 0
        self._envelopes: dict[str, dict[str, str]] = {}
        self.config_changed()

    def add(self, events: Iterable[PushEvent]) -> None:
        """Take events into care; the caller has journalled them."""
        for event in events:
            self._open += 1
            self._at(event.due, event)

    def config_changed(self) -> None:
        """Look at the switch ``pushes`` again."""
        if self._topic.config().pushes == "on":
            self._released.set()
        else:
            self._released.clear()

    def as_json(self) -> dict[str, Any]:
        """Open events: not yet due or waiting for another try, waiting for a push, being posted."""
        later = len(self._timed)
        return {
            "open": self._open,
            "later": later,
            "waiting": self._open - later - self._in_flight,
            "in_flight": self._in_flight,
            "pushes": self._topic.config().pushes,
            "confirmed": self._subscription.confirmed,
        }

    async def run(self, session: aiohttp.ClientSession) -> None:
        """Push until cancelled; what is open then stays in the journal."""
        async with asyncio.TaskGroup() as group:
            for _ in range(AT_ONCE):
                group.create_task(self._push_all(session))
            group.create_task(self._let_happen())

    async def _let_happen(self) -> None:
        while True:
            now = time.time()
            while self._timed and self._timed[0][0] <= now:
                event = heapq.heappop(self._timed)[2]
                if event.tries == 0:
                    self._count(event)
                    self._happened(event)
                self._ready.put_nowait(event)
            self._wake.clear()
            try:
                await asyncio.wait_for(self._wake.wait(), self._timed[0][0] - now if self._timed else None)
            except TimeoutError:
                continue

    async def _push_all(self, session: aiohttp.ClientSession) -> None:
        while True:
            event = await self._ready.get()
            await self._subscription.wait_until_confirmed()
            await self._released.wait()
            while (quiet := self._quiet_until - time.time()) > 0:
                await asyncio.sleep(quiet)
            self._in_flight += 1
            try:
                posted = await post(
                    session, self._topic.hook, self._envelope(event), subscription_arn=self._subscription.arn
                )
            finally:
                self._in_flight -= 1
            self._settle(event, posted)

    def _settle(self, event: PushEvent, posted: Posted) -> None:
        config = self._topic.config()
        if posted is Posted.DELIVERED:
            self._stats.pushed += 1
        elif posted is Posted.LOST or event.tries >= config.retry_limit:
            self._stats.lost += 1
        else:
            event.tries += 1
            self._stats.retried += 1
            again = time.time() + config.retry_seconds
            if posted is Posted.UNREACHABLE:
                self._quiet_until = again
            self._at(again, event)
            return
        self._open -= 1
        self._finished(event.event_id)

    def _at(self, when: float, event: PushEvent) -> None:
        heapq.heappush(self._timed, (when, next(self._number), event))
        if self._timed[0][2] is event:
            self._wake.set()

    def _count(self, event: PushEvent) -> None:
        if event.is_copy:
            self._stats.copies += 1
        else:
            self._stats.events[event.detail.event_type] += 1

    def _envelope(self, event: PushEvent) -> dict[str, str]:
        """Signed at the first try. Its time is the event's: SES publishes then, however late SNS delivers."""
        if event.envelope is None:
            message_id = sns_message_id(event.event_id)
            known = self._envelopes.get(message_id) if SNS_COPY in event.event_id else None
            event.envelope = known or self._topic.notification(
                document(event.detail, event.mail),
                message_id=message_id,
                subscription_arn=self._subscription.arn,
                now=event.due,
                with_subject=self._topic.config().with_subject,
            )
            self._envelopes[message_id] = event.envelope
            if len(self._envelopes) > REMEMBERED:
                del self._envelopes[next(iter(self._envelopes))]
        return event.envelope
