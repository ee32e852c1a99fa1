"""The loop that sends: permits → claim → build → post → finish.

Called by tasks.send_campaign, tasks.send_mail and ``send_campaign --wait``. This thread talks to PostgreSQL and builds
mails; ``sender.py`` posts them in a thread of its own that never touches the database. Claims no more rows than it posts
at once, so that a crash leaves no more than that in doubt. Writes nothing about the campaign: the caller hands the
result to lifecycle.settle.
"""

import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings

from mailinglist import places
from mailinglist.models import Campaign
from mailinglist.sending import home, messages, pacing, queue
from mailinglist.sending.ahead import LEAST, Ahead
from mailinglist.sending.failpoints import reach
from mailinglist.sending.outcomes import NOT_POSTED, Accepted, Outcome, Refused, Scope, Unknown
from mailinglist.sending.queue import Claimed
from mailinglist.sending.sender import Call, Results, Sender
from mailinglist.sending.transport import Raw, Transport
from mailinglist.sending.writing_down import AWAY, WritingDown

logger = logging.getLogger(__name__)

#: Runs of one campaign at the same time, over all workers; further ones end at once.
RUNS_PER_CAMPAIGN = 4
#: Posts without any answer in a row after which SES is left alone for a while.
BREAKER, BREAKER_SECONDS = 10, 15.0
#: Refused recipients in a row after which the campaign is stopped: it is not the recipients.
REFUSED_IN_A_ROW = 20
#: Outcomes are gathered for so many seconds before they are written down together.
GATHER_SECONDS = 0.02
#: A campaign's run looks so often, in seconds, whether the campaign may still go, and for people who wait for a mail and
#: find no worker free.
LOOK_SECONDS = 1.0
#: SendBulkEmail calls in hand per process, of 50 rows each: with hundreds in one statement a row costs much less.
BULK_CALLS = 32

BUSY, TIME_UP, LATER, RESTORED = "busy", "", "later", "restored"

#: Set when the process is asked to end: a run stops claiming and finishes what is in flight.
stopping = threading.Event()

STOP_SENTENCES = {
    "ses-paused": "Amazon SES has paused sending for the account.",
    "ses-suspended": "Amazon SES has suspended the account.",
    "configuration-set-paused": "Sending is paused for the SES configuration set.",
    "configuration-set-missing": "The SES configuration set does not exist.",
    "not-verified": "The sender's address or domain (in the SES sandbox also the recipient's) is not verified.",
    "not-found": "Something that the mail refers to does not exist in Amazon SES.",
    "credentials": "Amazon SES does not accept the credentials, or they may not send.",
    "certificate": "The certificate of the SES endpoint is not trusted.",
    "configuration": "The settings for Amazon SES are not complete.",
    "refusals": f"{REFUSED_IN_A_ROW} mails in a row were refused; the cause is hardly the recipients.",
}


@dataclass(frozen=True, slots=True)
class Drained:
    """Nothing is left that this campaign may send now."""


@dataclass(frozen=True, slots=True)
class More:
    """There is more to send, not before ``after_seconds``. ``why``: quota, ses-unavailable, rate, busy,
    later, restored, ''.
    """

    after_seconds: float
    why: str = ""


@dataclass(frozen=True, slots=True)
class Stopped:
    """SES takes nothing of this campaign until somebody acts. ``text`` says what and why, for people."""

    reason: str
    text: str


Result = Drained | More | Stopped


def run(
    campaign_id: int | None, *, transport: Transport | None = None, seconds: float = 15, concurrency: int = 0
) -> Result:
    """Send what is due of a campaign (None: mail without one) for up to about ``seconds``.

    ``concurrency``: the most rows in hand, by default SEND_CONCURRENCY; whole calls for a bulk transport.
    """
    with places.place(places.SENDING, campaign_id or 0, RUNS_PER_CAMPAIGN) as free:
        if not free:
            return More(settings.SWEEP_SECONDS, BUSY)
        if home.has_moved():  # the next sweep decides what becomes of it
            return More(settings.SWEEP_SECONDS, RESTORED)
        return _Run(campaign_id, transport or _transport(campaign_id), seconds, concurrency).go()


def _transport(campaign_id: int | None) -> Transport:
    """Campaigns go the way that SEND_TRANSPORT says; mail that a person waits for goes by itself."""
    if campaign_id is None or settings.SEND_TRANSPORT != "bulk":
        return Raw()
    from mailinglist.sending.bulk import Bulk  # slow, see transport.py

    return Bulk()


def is_running(campaign_id: int | None) -> bool:
    """Whether any process is sending this campaign (None: mail without one) now."""
    return places.is_taken(places.SENDING, campaign_id or 0, RUNS_PER_CAMPAIGN)


class _Run:
    """One run: its rows in hand and what the outcomes so far mean."""

    def __init__(
        self, campaign_id: int | None, transport: Transport, seconds: float, concurrency: int
    ) -> None:
        self.campaign_id, self.transport = campaign_id, transport
        usual = settings.SEND_CONCURRENCY if transport.size == 1 else transport.size * BULK_CALLS
        self.most = concurrency or usual
        self.ends_at = time.monotonic() + seconds
        self.in_hand = 0
        self.ahead = Ahead(max(LEAST, transport.size), -(-self.most // 2), time.monotonic())
        self.builder = messages.Builder()
        self.sender = Sender(transport, most_open=-(-self.most // transport.size))
        self.result: Result | None = None
        self.unanswered = self.refused = 0
        self.look_at = self.status_at = time.monotonic() + LOOK_SECONDS
        #: The lease of what was claimed last is over then.
        self.lease_ends = 0.0
        self.writing = WritingDown(stopping, away=lambda: self._end(More(0, TIME_UP)))

    def go(self) -> Result:
        with self.sender:
            try:
                while self.result is None:
                    self._round()
            finally:
                # Also when the database failed above: what is in flight has an answer that must be written
                # down.
                self._drain()
        if self.writing.error:
            raise self.writing.error
        return self.result

    def _drain(self) -> None:
        """Await what is in hand, whatever happens, and no longer than its lease."""
        while self.in_hand:
            found = False
            try:
                found = self._collect()
            except Exception:  # of what an outcome means to others; the outcome itself is written down
                logger.exception("The end of a run failed in an unforeseen way; it goes on.")
                self.sender.stop()
            if not found and time.monotonic() > self.lease_ends:
                logger.error("%d posts never came to an end; they become unknown.", self.in_hand)
                return

    def _round(self) -> None:
        if stopping.is_set() or time.monotonic() >= self.ends_at or self._somebody_waits():
            self.result = More(0, TIME_UP)
            return
        free = self._room()
        if free < max(1, self.ahead.rows // 4):
            self._collect()
            return
        permit = pacing.take(free, campaign_id=self.campaign_id, urgent=self.campaign_id is None)
        if not permit.granted:
            if self.in_hand:
                self._collect()
            else:
                self._wait(permit.wait_seconds, permit.why)
            return
        started = time.monotonic()
        reach("before-claim")
        claimed = queue.claim(
            permit.granted,
            campaign_id=self.campaign_id,
            lease_seconds=settings.LEASE_SECONDS,
            slowed=permit.slowed,
            alone=not self.in_hand,
        )
        reach("after-claim")
        pacing.give_back(permit.granted - len(claimed), self.campaign_id)
        if claimed:
            self.status_at = started + LOOK_SECONDS
            self._post(claimed, permit.delays, started)
            if claimed[0].crashes:
                self._drain()
        elif self.in_hand:
            self._collect()
        else:
            self._look_ahead()

    def _room(self) -> int:
        """How many more rows may be taken in hand: so many may wait for a request (ahead.py), and what is open at SES
        comes on top. So a far SES does not idle, and a slow one leaves no more in doubt than it has to.
        """
        waiting = self.in_hand - self.sender.open_rows
        return min(self.ahead.rows - waiting, self.most - self.in_hand)

    def _post(self, claimed: list[Claimed], delays: Sequence[float], started: float) -> None:
        self.lease_ends = started + settings.LEASE_SECONDS
        self.in_hand += len(claimed)
        try:
            calls, unbuilt = self._build(claimed, delays, started)
        except Exception:  # such as a database that went away: the rows are in hand, and no call has them
            self._record([(row, NOT_POSTED) for row in claimed])
            raise
        self.sender.submit(calls)
        self._record(unbuilt)

    def _build(
        self, claimed: list[Claimed], delays: Sequence[float], started: float
    ) -> tuple[list[Call], Results]:
        """The calls for these rows, and the rows of which no mail can be made."""
        # Three quarters of the lease: a process that was frozen must not post what others may have taken
        # over.
        not_after = started + settings.LEASE_SECONDS * 0.75
        rows: list[Claimed] = []
        mails: list[messages.Mail] = []
        unbuilt: Results = []
        for row, built in self.builder.build(claimed):
            if isinstance(built, Refused):
                unbuilt.append((row, built))
            else:
                rows.append(row)
                mails.append(built)
        calls = [
            Call(
                rows=[rows[i] for i in group],
                mails=[mails[i] for i in group],
                not_before=started + delays[group[-1]],
                not_after=not_after,
            )
            for group in self.transport.group(mails)
        ]
        return calls, unbuilt

    def _collect(self) -> bool:
        """Write down the outcomes of posts that are done; waits a moment for some to come together. False: none came."""
        if stopping.is_set():
            self.sender.stop()
            self.writing.hurry()
        elif self._is_off():
            self._end(Drained())
        found = self.sender.results(0.5)
        until = time.monotonic() + GATHER_SECONDS
        while found and len(found) < self.in_hand and len(found) < self.most // 4:
            left = until - time.monotonic()
            if left <= 0:
                break
            # Woken by every answer, this thread would take the processor from the one that posts.
            time.sleep(min(left, GATHER_SECONDS / 5))
            found += self.sender.results(0)
        self._record(found)
        return bool(found)

    def _record(self, results: Results) -> None:
        if not results:
            return
        reach("before-write-back")
        try:
            self.writing.write(results)
        finally:
            self.in_hand -= len(results)
            self.ahead.answered(len(results), time.monotonic())
        reach("after-write-back")
        for _, outcome in results:
            self._judge(outcome)

    def _judge(self, outcome: Outcome) -> None:
        match outcome:
            case Accepted():
                self.unanswered = self.refused = 0
            case Unknown() | Refused(code="unreachable"):
                self.unanswered += 1
                if self.unanswered == BREAKER:
                    pacing.hold(BREAKER_SECONDS)
                    self._end(More(BREAKER_SECONDS, pacing.UNAVAILABLE))
            case Refused(scope=Scope.THROTTLE, code=code) if code != NOT_POSTED.code:
                pacing.throttled()
            case Refused(scope=Scope.QUOTA):
                pacing.refused_for_quota()
                self._end(More(pacing.QUOTA_SECONDS, pacing.QUOTA))
            case Refused(scope=Scope.RECIPIENT, text=text):
                self.refused += 1
                if self.refused == REFUSED_IN_A_ROW and self.campaign_id is not None:
                    self._end(_stopped("refusals", text))
            case Refused(scope=Scope.CAMPAIGN | Scope.ACCOUNT as scope, code=code, text=text):
                # Mail without a campaign is of many lists: what stops one of them does not stop the others.
                if scope is Scope.ACCOUNT or self.campaign_id is not None:
                    self._end(_stopped(code, text))

    def _end(self, result: Result) -> None:
        self.sender.stop()
        if not isinstance(self.result, Stopped):
            self.result = result

    def _look_ahead(self) -> None:
        """Nothing was claimed and nothing is in flight: is there more, now or later?"""
        seconds = queue.next_due_in(self.campaign_id)
        if seconds is None:
            self.result = Drained()
        else:  # rows that another worker holds are due and yet not ours: do not spin on them
            self._wait(max(seconds, 0.05), LATER)

    def _somebody_waits(self) -> bool:
        """Whether a confirmation finds no worker free: then this one ends its run, and takes that message next."""
        if self.campaign_id is None or time.monotonic() < self.look_at:
            return False
        self.look_at = time.monotonic() + LOOK_SECONDS
        return queue.next_due_in(None) == 0 and not is_running(None)

    def _is_off(self) -> bool:
        """Whether the campaign was paused or cancelled since the last claim. A claim looks too, but where SES is slow
        none may come for long.
        """
        if self.campaign_id is None or time.monotonic() < self.status_at:
            return False
        self.status_at = time.monotonic() + LOOK_SECONDS
        status = Campaign.Status
        try:
            return not Campaign.objects.filter(
                pk=self.campaign_id, status__in=(status.SENDING, status.FINISHED)
            ).exists()
        except AWAY:  # the outcomes are written down first, or wait
            return False

    def _wait(self, seconds: float, why: str) -> None:
        if time.monotonic() + seconds >= self.ends_at:
            self.result = More(seconds, why)
        else:
            stopping.wait(min(seconds, LOOK_SECONDS))


def _stopped(code: str, text: str) -> Stopped:
    sentence = STOP_SENTENCES.get(code, "Amazon SES refuses the mails of this campaign.")
    return Stopped(code, f"{sentence} SES says: {text}")
