"""The parts of one sandbox held together: accept a mail, keep it, let its events happen; start, reset, stop.

Made by ``__main__.py``, used by the handlers. What is promised: when ``keep`` returns, ledger and journal
are on the disk. The journal is written first; an event whose mail did not reach the ledger was never
acknowledged and is forgotten at the next start.
"""

import asyncio
import fcntl
import logging
import time
from collections.abc import Coroutine, Iterable
from dataclasses import dataclass
from datetime import datetime
from email.utils import formatdate
from pathlib import Path
from typing import IO

import aiohttp

from sandbox import acceptance
from sandbox.acceptance import Accepted
from sandbox.batches import BatchWriter
from sandbox.errors import SesError
from sandbox.faults import Config
from sandbox.inbox import Inbox
from sandbox.journal import Journal, PushEvent
from sandbox.ledger import Entry, Ledger
from sandbox.limits import SendLimits
from sandbox.mails import Mail
from sandbox.outcomes import outcome, rule_for
from sandbox.planning import Fate
from sandbox.pushes import Pushes
from sandbox.signing import load_or_make
from sandbox.sns import Topic
from sandbox.stats import Stats
from sandbox.subscription import Subscription
from sandbox.suppression import SuppressionList

log = logging.getLogger(__name__)
#: They hold addresses and links; an earlier version left them for everybody to read. New ones are private by the umask.
_PRIVATE = (
    "ledger.jsonl", "journal.jsonl", "suppression.jsonl", "inbox.sqlite3", "inbox.sqlite3-wal", "inbox.sqlite3-shm",
)  # fmt: skip


class DirectoryBusy(Exception):
    """Another sandbox works in this state directory."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """How the process was started; ``bare`` accepts and counts only (see ``bare.py``)."""

    directory: Path
    base_url: str
    hook: str
    topic_arn: str
    config: Config
    confirmed: bool = False
    bare: bool = False


@dataclass(frozen=True, slots=True)
class _Pushed:
    """An event that needs no more push."""

    event_id: str


#: What the writing thread is handed: a mail with its events, ledger lines alone, or the end of an event.
_Item = Accepted | list[Entry] | _Pushed


class Sandbox:
    def __init__(self, options: Options) -> None:
        """Open the state directory; raises DirectoryBusy and OSError."""
        directory = options.directory
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = _locked(directory / "lock")
        for kept in map(directory.joinpath, _PRIVATE):
            if kept.exists():
                kept.chmod(0o600)
        self.options = options
        self.config = options.config
        self.topic = Topic(
            arn=options.topic_arn,
            hook=options.hook,
            base_url=options.base_url,
            signer=load_or_make(directory),
            config=lambda: self.config,
        )
        self.ledger = Ledger(directory / "ledger.jsonl")
        self.suppression = SuppressionList(directory / "suppression.jsonl")
        self.subscription = Subscription(
            directory / "subscription.json", self.topic, confirmed=options.confirmed
        )
        self.inbox = Inbox(directory / "inbox.sqlite3")
        self.ids = acceptance.MessageIds()
        self._journal = Journal(directory / "journal.jsonl")
        self._writer: BatchWriter[_Item] = BatchWriter(self._write, name="ledger")
        self._renew()
        for entry in self.ledger.read():
            at = datetime.fromisoformat(entry["at"]).timestamp()
            self.limits.record(acceptance.counted_for_quota([entry["recipient"]]), at=at)

    async def start(self) -> None:
        """Begin with the handshake and the pushes; nothing of that in bare mode."""
        self._session = aiohttp.ClientSession()
        known = self.ledger.message_ids
        self.pushes.add(event for event in self._journal.recovered if event.mail["messageId"] in known)
        forgotten = [e.event_id for e in self._journal.recovered if e.mail["messageId"] not in known]
        for event_id in forgotten:
            self._writer.put_soon(_Pushed(event_id))
        known.clear()
        self._journal.recovered.clear()
        self._begin()

    async def stop(self) -> None:
        """Write what was accepted and close; events that are still open wait in the journal."""
        await self._end_tasks()
        await self._session.close()
        await self._writer.close()
        await self.inbox.close()
        self._journal.close()
        self.ledger.close()
        self.suppression.close()
        self._lock.close()

    def change(self, config: Config) -> None:
        self.config = config
        self.pushes.config_changed()

    async def reset(self) -> None:
        """As after the first start with the same options; the subscription and the certificates stay."""
        await self._end_tasks()
        self.config = self.options.config
        await self._writer.run(self._clear_files)
        await self.inbox.clear()
        self.suppression.clear()
        self._renew()
        self._begin()

    def admit(self, mail: Mail, *, source_ip: str, operation: str) -> Accepted:
        """Decide on a mail now; raises the SesError that refuses it. Nothing is kept yet."""
        now, config = time.time(), self.config
        acceptance.refuse_where_due(mail, config, self.topic.account)
        counted = acceptance.counted_for_quota(mail.recipients)
        self.limits.take(len(mail.recipients), counted=counted, now=now, config=config)
        message_id = self.ids.next(now)
        fates = tuple(self._fate(recipient) for recipient in mail.recipients)
        events = acceptance.planned_events(
            message_id,
            mail,
            fates,
            at=now,
            config=config,
            account=self.topic.account,
            source_ip=source_ip,
            operation=operation,
        )
        return Accepted(message_id, now, mail, fates, events)

    async def keep(self, accepted: Accepted) -> None:
        """Put an admitted mail on the disk; its events begin after that."""
        await self._writer.put(accepted)
        self.stats.accepted += 1
        self.stats.recipients_accepted += len(accepted.fates)
        self.inbox.keep(accepted, date=formatdate(accepted.at))
        self.pushes.add(accepted.events)

    def keep_soon(self, entries: list[Entry]) -> None:
        """Ledger lines that nobody waits for: the bare mode."""
        self._writer.put_soon(entries)

    def refused(self, error: SesError) -> None:
        self.stats.refused[error.code] += 1

    async def written(self) -> None:
        """Return when all that was kept so far is on the disk."""
        await self._writer.drain()

    def _begin(self) -> None:
        work = (
            []
            if self.options.bare
            else [self.subscription.run(self._session), self.pushes.run(self._session)]
        )
        self._tasks = [_watched(part) for part in work]

    def _renew(self) -> None:
        self.stats = Stats()
        self.limits = SendLimits()
        self.pushes = Pushes(
            self.topic, self.subscription, self.stats, happened=self._happened, finished=self._finished
        )

    def _fate(self, recipient: str) -> Fate:
        key = recipient.lower()
        self.ledger.accepted_to[key] += 1
        nth = self.ledger.accepted_to[key]
        rule = rule_for(recipient, seed=self.config.seed, mix=self.config.mix)
        return Fate(
            recipient, outcome(rule, recipient, nth=nth, suppressed=recipient in self.suppression), nth
        )

    def _happened(self, event: PushEvent) -> None:
        if event.is_copy:
            return
        if self.config.suppress_bounces:
            self.suppression.learn(event.detail, message_id=event.mail["messageId"])
        self.inbox.note(event)

    def _finished(self, event_id: str) -> None:
        self._writer.put_soon(_Pushed(event_id))

    def _write(self, items: Iterable[_Item]) -> None:
        entries: list[Entry] = []
        pushed: list[str] = []
        for item in items:
            if isinstance(item, Accepted):
                self._journal.add(item.events)
                entries += acceptance.ledger_entries(item)
            elif isinstance(item, _Pushed):
                pushed.append(item.event_id)
            else:
                entries += item
        if entries:
            self.ledger.append(entries)
        self._journal.done(pushed)

    def _clear_files(self) -> None:
        self.ledger.clear()
        self._journal.clear()

    async def _end_tasks(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def _watched(work: Coroutine[None, None, None]) -> asyncio.Task[None]:
    """A task that says so when it ends by an error, instead of ending silently."""
    task = asyncio.get_running_loop().create_task(work)
    task.add_done_callback(_log_error)
    return task


def _log_error(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()):
        log.error("A background task of the sandbox ended", exc_info=error)


def _locked(path: Path) -> IO[str]:
    file = path.open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.close()
        raise DirectoryBusy(f"Another sandbox is using the state directory {path.parent}.") from error
    return file
