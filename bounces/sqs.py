"""Reading the SQS queue that is subscribed to our topics: receive, prove, store, and only then delete.

Called by ``poll_sqs``. A message is deleted after the commit that keeps it, so that a crash at any point brings it
again, and what comes again is counted as a copy. What cannot be proven goes to the quarantine and acts on nobody.
What cannot be checked now (no certificate, no database) stays in the queue and comes back after its visibility
time-out.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection

from bounces import ingest, queue_policy, sns
from bounces.models import Notification
from bounces.ses_json import Wrong, loads
from bounces.trust import verifier
from mailinglist import aws

logger = logging.getLogger(__name__)

#: SQS gives and deletes ten messages a call at most. As long as calls come back full, their messages are kept
#: together up to GATHERED, so that a storm is stored by fewer statements.
CALL, GATHERED = 10, 100
LONG_POLL_SECONDS = 20
#: How long an answer about the queue's policy is believed.
_POLICY_SECONDS = 300.0
#: Pauses after failures, in seconds.
_FIRST_PAUSE, _LAST_PAUSE = 1.0, 60.0


@dataclass(slots=True)
class Polled:
    """Messages ``received``; of them ``stored`` new, ``duplicates``, ``quarantined`` (among the stored), ``later``:
    left in the queue; ``undeleted``: kept, but SQS did not delete them, so they come once more.
    """

    received: int = 0
    stored: int = 0
    duplicates: int = 0
    quarantined: int = 0
    later: int = 0
    undeleted: int = 0

    def __iadd__(self, other: "Polled") -> "Polled":
        for field in fields(self):
            setattr(self, field.name, getattr(self, field.name) + getattr(other, field.name))
        return self


class Reader:
    """Reads one queue. Threads may share it; each uses its own database connection."""

    def __init__(self, queue_url: str) -> None:
        self.url = queue_url
        self._sqs = aws.client("sqs", region=_region(queue_url))
        self._policy_lock = threading.Lock()
        self._policy_problem, self._policy_until = "", 0.0

    def poll(self, *, wait: int = LONG_POLL_SECONDS) -> Polled:
        """Take what is there, up to GATHERED; wait for the first message so many seconds.

        Raises botocore's errors when the queue does not answer, and Django's when the database does not.
        """
        return self.keep(self.receive(wait=wait))

    def receive(self, *, wait: int) -> list[dict[str, Any]]:
        """Messages as SQS gives them. Raises botocore's errors for the first call; later ones end the gathering."""
        found = self._call(wait)
        full = len(found) == CALL
        while full and len(found) < GATHERED:
            try:
                more = self._call(0)
            except (BotoCoreError, ClientError) as error:
                logger.warning("The queue gave no more messages: %s", error)
                break
            found += more
            full = len(more) == CALL
        return found

    def keep(self, messages: Sequence[dict[str, Any]]) -> Polled:
        """Store these messages in one transaction, then delete from the queue what is kept."""
        rows, receipts, confirmed, later = [], [], [], 0
        for message in messages:
            try:
                row = self._incoming(message)
            except Exception as fault:
                # One message must not hold up the others, whatever is wrong with it or with us.
                known = isinstance(fault, (sns.Retry, BotoCoreError, ClientError))
                logger.error(
                    "Cannot check a message of the queue now; it stays there: %s", fault, exc_info=not known
                )
                later += 1
                continue
            if row is None:
                confirmed.append(message["ReceiptHandle"])
            else:
                rows.append(row)
                receipts.append(message["ReceiptHandle"])
        stored = ingest.store_many(rows) if rows else []
        return Polled(
            received=len(messages),
            stored=sum(each.created for each in stored),
            duplicates=sum(not each.created for each in stored),
            quarantined=sum(each.created and bool(row.error) for each, row in zip(stored, rows, strict=True)),
            later=later,
            undeleted=self._delete([*receipts, *confirmed]),
        )

    def policy_problem(self) -> str:
        """Why a message without a signature is not believed; "" when it is. Asks SQS every five minutes."""
        with self._policy_lock:
            if time.monotonic() >= self._policy_until:
                answer = self._sqs.get_queue_attributes(
                    QueueUrl=self.url, AttributeNames=["Policy", "QueueArn"]
                )
                found = answer.get("Attributes", {})
                self._policy_problem = queue_policy.problem(
                    found.get("Policy", ""), queue_arn=found["QueueArn"], topics=settings.SNS_TOPIC_ARNS
                )
                self._policy_until = time.monotonic() + _POLICY_SECONDS
            return self._policy_problem

    def _call(self, wait: int) -> list[dict[str, Any]]:
        answer = self._sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=CALL, WaitTimeSeconds=wait)
        found: list[dict[str, Any]] = answer.get("Messages", [])
        return found

    def _incoming(self, message: dict[str, Any]) -> ingest.Incoming | None:
        """What is to be stored; None for a confirmation, which is answered. Raises Retry or botocore's errors."""
        body = message["Body"].encode(errors="replace")
        if not _is_enveloped(body):
            return self._raw(body, message["MessageId"])
        try:
            envelope = verifier().verify(body, {})
        except (sns.Forged, sns.Unreadable, sns.TooLarge) as refusal:
            return _unproven(body, message["MessageId"], f"The message of the queue is not proven: {refusal}")
        if envelope.type == "SubscriptionConfirmation":
            aws.confirm_subscription(envelope.topic_arn, envelope.token)
            logger.info("Confirmed the subscription of the queue to %s.", envelope.topic_arn)
            return None
        return ingest.Incoming(
            envelope.message.encode(),
            Notification.Source.SQS,
            f"sns:{envelope.message_id}",
            topic_arn=envelope.topic_arn,
            published_at=envelope.timestamp,
        )

    def _raw(self, body: bytes, message_id: str) -> ingest.Incoming:
        """A message without a signature: SQS itself is the proof, if only SNS may send to the queue."""
        if problem := self.policy_problem():
            return _unproven(
                body,
                message_id,
                f"It came without a signature, and who sent it is not proven. {problem} Turn raw message delivery "
                "off, or let only SNS send; then process it again with --vouch if it is real.",
            )
        return ingest.Incoming(body, Notification.Source.SQS, ingest.content_key(body))

    def _delete(self, receipts: Sequence[str]) -> int:
        """Delete what is kept; how many SQS did not delete. They come again and are known then."""
        left = 0
        for start in range(0, len(receipts), CALL):
            entries = [
                {"Id": str(number), "ReceiptHandle": receipt}
                for number, receipt in enumerate(receipts[start : start + CALL])
            ]
            try:
                failed = self._sqs.delete_message_batch(QueueUrl=self.url, Entries=entries).get("Failed", [])
            except (BotoCoreError, ClientError) as error:
                logger.warning("Messages that are stored could not be deleted from the queue: %s", error)
                failed = entries
            left += len(failed)
        return left


def receivers(reader: Reader, number: int, stopping: threading.Event) -> "list[Receiver]":
    """So many threads that read until ``stopping``."""
    found = [Receiver(reader, stopping) for _ in range(number)]
    for receiver in found:
        receiver.start()
    return found


class Receiver(threading.Thread):
    """One thread that polls for ever. A failure of the queue or the database costs a pause, never a message."""

    def __init__(self, reader: Reader, stopping: threading.Event) -> None:
        # A long poll cannot be interrupted; what it would still bring stays in the queue when the process ends.
        super().__init__(name="sqs-receiver", daemon=True)
        self._reader, self._stopping = reader, stopping
        self.polled = Polled()
        #: Free while nothing received is waiting to be stored and deleted.
        self.busy = threading.Lock()

    def run(self) -> None:
        pause = _FIRST_PAUSE
        while not self._stopping.is_set():
            try:
                messages = self._reader.receive(wait=LONG_POLL_SECONDS)
                with self.busy:
                    self.polled += self._reader.keep(messages)
                pause = _FIRST_PAUSE
            except Exception as fault:
                self._complain(fault, pause)
                connection.close()
                self._stopping.wait(pause)
                pause = min(pause * 2, _LAST_PAUSE)

    def _complain(self, fault: Exception, pause: float) -> None:
        if isinstance(fault, (BotoCoreError, ClientError, DatabaseError, InterfaceError)):
            logger.error("Reading the queue failed; trying again in %.0f s: %s", pause, fault)
        else:
            logger.exception("Reading the queue failed; trying again in %.0f s.", pause)

    def finish(self, seconds: float) -> bool:
        """Wait until what was received is stored and deleted. False when that took longer."""
        if done := self.busy.acquire(timeout=seconds):
            self.busy.release()
        return done


def drain(reader: Reader, *, wait: int = 1, tell: Callable[[Polled], None] = lambda polled: None) -> Polled:
    """Read until the queue gives nothing more. Raises botocore's and Django's errors."""
    total = Polled()
    while (polled := reader.poll(wait=wait)).received:
        total += polled
        tell(total)
    return total


def _unproven(body: bytes, message_id: str, error: str) -> ingest.Incoming:
    # By SQS's id: a forgery must not take the place of the real message with the same content.
    return ingest.Incoming(body, Notification.Source.SQS, f"sqs:{message_id}", error=error, trusted=False)


def _is_enveloped(body: bytes) -> bool:
    """Whether it claims to be a message of SNS; else it is a raw one."""
    try:
        found = loads(body)
    except Wrong:
        return False
    return "Signature" in found or found.get("Type") in sns.SIGNED_FIELDS


def _region(queue_url: str) -> str:
    """https://sqs.eu-central-1.amazonaws.com/123456789012/name → eu-central-1; "" for another host."""
    host = queue_url.partition("://")[2].partition("/")[0]
    parts = host.split(".")
    return parts[1] if parts[0] == "sqs" and ".amazonaws." in host else ""
