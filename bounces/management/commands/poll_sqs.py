"""manage.py poll_sqs [--once] [--json]"""

import json
import signal
import threading
from dataclasses import asdict
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from bounces import pipeline, sqs

#: What was received is stored and deleted within this time when the process is told to end.
_FINISH_SECONDS = 2.0


class Command(BaseCommand):
    help = (
        "Read SES's notifications from the SQS queue of SQS_QUEUE_URL: store them, then delete them from the queue. "
        "Runs until it is told to end (Ctrl-C or SIGTERM); workers interpret what it stores. With --once it empties "
        "the queue, interprets what was in it, and ends. Example: manage.py poll_sqs --once --json"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--once", action="store_true", help="Empty the queue, process, print the counts, end."
        )
        parser.add_argument(
            "--receivers", type=int, default=2, metavar="N", help="Threads that wait for messages (2)."
        )
        parser.add_argument("--json", action="store_true", help="Print the counts as one JSON object.")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.SQS_QUEUE_URL:
            raise CommandError(
                "SQS_QUEUE_URL is empty, so there is no queue to read. docs/operations.md says how to make one.",
                returncode=2,
            )
        if not 1 <= options["receivers"] <= 20:
            raise CommandError(f"--receivers {options['receivers']}: use 1 to 20.", returncode=2)
        reader = sqs.Reader(settings.SQS_QUEUE_URL)
        self._check(reader)
        if options["once"]:
            self._once(reader, as_json=options["json"])
        else:
            self._forever(reader, options["receivers"], as_json=options["json"])

    def _check(self, reader: sqs.Reader) -> None:
        """A wrong address, region or right is told at once, not again and again in the log."""
        try:
            problem = reader.policy_problem()
        except (BotoCoreError, ClientError) as error:
            raise CommandError(
                f"The queue {reader.url} does not answer: {error} The credentials need sqs:GetQueueAttributes, "
                "sqs:ReceiveMessage and sqs:DeleteMessage on it.",
                returncode=1,
            ) from error
        if problem:
            self.stderr.write(f"{problem} Messages without a signature will be quarantined.")

    def _once(self, reader: sqs.Reader, *, as_json: bool) -> None:
        try:
            polled = sqs.drain(reader, tell=self._progress)
        except (BotoCoreError, ClientError) as error:
            raise CommandError(f"The queue {reader.url} stopped answering: {error}", returncode=1) from error
        done = pipeline.process_everything()
        self._tell(polled, {"processed": done.processed, "events": done.events}, as_json=as_json)

    def _forever(self, reader: sqs.Reader, number: int, *, as_json: bool) -> None:
        stopping = threading.Event()
        for told in (signal.SIGINT, signal.SIGTERM):
            signal.signal(told, lambda *_: stopping.set())
        running = sqs.receivers(reader, number, stopping)
        self.stderr.write(f"Reading {reader.url}")
        stopping.wait()
        polled = sqs.Polled()
        for receiver in running:
            receiver.finish(_FINISH_SECONDS)
            polled += receiver.polled
        self._tell(polled, {}, as_json=as_json)

    def _progress(self, polled: sqs.Polled) -> None:
        if self.stderr.isatty():
            self.stderr.write(f"\r{polled.received} received", ending="")
            self.stderr.flush()

    def _tell(self, polled: sqs.Polled, done: dict[str, int], *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps(asdict(polled) | done))
            return
        self.stdout.write(
            f"{polled.received} received: {polled.stored} stored, {polled.duplicates} known before, "
            f"{polled.quarantined} in quarantine, {polled.later} left in the queue for later."
        )
        if done:
            self.stdout.write(f"{done['processed']} processed with {done['events']} events.")
