"""Keeping our suppressions and the account's suppression list at SES alike, in both directions.

Called by ``sync_suppressions``, and in the background by beat and whenever an address was released. SES allows one
call a second, so every call is followed by a pause. Each step is written down when it is done: a run that was
interrupted goes on where it stopped. What a manager released here stays as a tombstone (``Suppression.released_at``):
the pull does not bring it back, and SES is asked to forget it.

- pull: what SES has on its list is suppressed here, whoever put it there, but for what it listed by itself after a bounce
  that is not the person's fault: that it is asked to forget, too;
- push: our hard bounces and complaints are put on its list, so that other programs of the account spare them too;
- delete: what was released here is taken off its list; but for a complaint that SES has heard of and we have not, which
  no release of bounces is about.

A manager's own suppressions are not pushed: SES knows no reason for them.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from functools import partial
from typing import TypeVar

from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from bounces.models import Event, Watermark
from bounces.policy import FAULTLESS
from mailinglist import addresses, aws, suppression
from mailinglist.changes import SYSTEM
from mailinglist.models import Subscriber, Suppression

Reason = Suppression.Reason
NAME = "suppression-sync"
#: Our reason → the one SES knows; a manager's decision has none.
_PUSHED = {Reason.HARD_BOUNCE: "BOUNCE", Reason.COMPLAINT: "COMPLAINT"}
_PULLED = {"BOUNCE": Reason.SES_LIST, "COMPLAINT": Reason.COMPLAINT}
#: SES lists an address within so long of the bounce that is the cause.
_CAUSE = timedelta(hours=1)
#: What SES listed so lately waits for the next reading of its list: the report that says why may still be on its way, and
#: what was not the person's fault must not keep their mail back. SES swallows mails to the address meanwhile by itself.
TOO_FRESH = timedelta(minutes=15)
#: A run in the background makes at most so many calls, so that a worker is not held for hours.
BACKGROUND_CALLS = 120
PULL_EVERY = timedelta(days=1)
#: A run that wrote nothing for so long is dead; another may go on.
DEAD_AFTER = timedelta(minutes=15)


class SesAway(RuntimeError):
    """SES did not answer, or refused; the message says what to do. What was done until then is done."""


class Busy(RuntimeError):
    """Another run is at work."""


@dataclass(slots=True)
class Synced:
    """What a run did, or would do: entries read, new here, put at SES, taken off there; ``left``: still to be told."""

    seen: int = 0
    suppressed_here: int = 0
    put: int = 0
    deleted: int = 0
    left: int = 0
    resumed: bool = False

    def as_dict(self) -> dict[str, int | bool]:
        return asdict(self)


T = TypeVar("T")
Progress = Callable[[Synced], None]


def sync(*, dry_run: bool = False, progress: Progress | None = None) -> Synced:
    """Pull the whole list, then push and delete. Raises SesAway, Busy.

    ``dry_run`` reads SES's list and changes nothing, here or there.
    """
    run = _Run(dry_run=dry_run, progress=progress)
    with _Claim(dry_run):
        run.pull()
        run.tell()
    return run.done


def run_in_background() -> None:
    """Tell SES what is open, at most BACKGROUND_CALLS of it, and read its list once a day.

    Called by beat and for each release (``receivers.tell_ses_soon``), so that a mail that is tried again soon is not
    swallowed. A message that comes while a run is at work leaves at once: that run looks again when it is done.
    """
    run = _Run(calls=BACKGROUND_CALLS)
    try:
        while run.may_call():
            with _Claim(dry_run=False) as mark:
                if mark.token or mark.finished_at is None or timezone.now() - mark.finished_at > PULL_EVERY:
                    run.pull()
                run.tell()
            if not to_delete().exists():
                return
    except (SesAway, Busy):
        return  # The sentence is in the watermark, for the dashboard and bounce_doctor.


def to_put() -> QuerySet[Suppression]:
    """Suppressions that SES has not been told of."""
    return _named(Suppression.objects.filter(released_at__isnull=True, reason__in=list(_PUSHED)))


def to_delete() -> QuerySet[Suppression]:
    """Released addresses that SES may still have on its list."""
    return _named(Suppression.objects.filter(released_at__isnull=False))


def _named(rows: QuerySet[Suppression]) -> QuerySet[Suppression]:
    """Only where the address is known: of erased people there is but a key."""
    known = Subscriber.objects.filter(suppression_key__in=rows.values("key")).values("suppression_key")
    return rows.filter(synced_at__isnull=True, key__in=known).order_by("pk")


class _Claim:
    """One run at a time, by the watermark's row; its error is the sentence for people."""

    def __init__(self, dry_run: bool) -> None:
        self._dry_run = dry_run

    def __enter__(self) -> Watermark:
        Watermark.objects.get_or_create(name=NAME)
        if not self._dry_run:
            free = Q(started_at__isnull=True) | Q(started_at__lt=timezone.now() - DEAD_AFTER)
            if not Watermark.objects.filter(free, name=NAME).update(started_at=timezone.now()):
                raise Busy("Another synchronisation is at work. Try again in some minutes.")
        return Watermark.objects.get(name=NAME)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        if not self._dry_run:
            text = str(error) if isinstance(error, SesAway) else ""
            Watermark.objects.filter(name=NAME).update(started_at=None, error=text)


class _Run:
    """The state of one run: what it did, how many calls it may still make."""

    def __init__(
        self, *, dry_run: bool = False, calls: int | None = None, progress: Progress | None = None
    ) -> None:
        self.done = Synced()
        self._dry_run = dry_run
        self._calls = calls
        self._progress = progress
        #: Keys that a dry run found at SES, or would take off there: a real run would have written that down.
        self._found: set[str] = set()
        self._forgotten: set[str] = set()

    def pull(self) -> None:
        """Read SES's list page by page; the token of the next page is kept in the watermark."""
        mark = Watermark.objects.get(name=NAME)
        token = "" if self._dry_run else mark.token
        self.done.resumed = bool(token)
        while self.may_call():
            try:
                rows, token = self._call(partial(aws.list_suppressed, token=token))
            except SesAway:
                # A token that SES no longer takes: begin anew next time.
                Watermark.objects.filter(name=NAME).update(token="")
                raise
            if self._calls is not None:  # nobody waits for this run
                rows = [row for row in rows if row.since < timezone.now() - TOO_FRESH]
            without_fault = _listed_without_fault(rows)
            for row in rows:
                self._mirror(row, without_fault.get(row.email))
            self._report()
            if not self._dry_run:
                finished = {"finished_at": timezone.now()} if not token else {}
                Watermark.objects.filter(name=NAME).update(token=token, started_at=timezone.now(), **finished)
            if not token:
                return

    def tell(self) -> None:
        """Take off SES's list what was released here, then put on it what was suppressed here."""
        if self._calls is not None and to_delete().exists():
            self._read_complaints()
        for row, email in _with_emails(to_delete()):
            if not self.may_call():
                break
            if row.key not in self._forgotten:
                self._delete(row.pk, email)
        for row, email in _with_emails(to_put()):
            if not self.may_call():
                break
            if row.key in self._found:
                continue
            if not self._dry_run:
                self._call(partial(aws.put_suppressed, email, _PUSHED[Reason(row.reason)]))
                suppression.told_ses(row.pk, released=False)
            self.done.put += 1
            self._report()
        self.done.left = 0 if self._dry_run else to_delete().count() + to_put().count()

    def _read_complaints(self) -> None:
        """What SES listed for complaints since the whole list was read last, before anything is taken off there."""
        mark = Watermark.objects.get(name=NAME)
        since, token = mark.finished_at and mark.finished_at - PULL_EVERY, ""
        while self.may_call():
            ask = partial(aws.list_suppressed, token=token, reason="COMPLAINT", since=since)
            rows, token = self._call(ask)
            for row in rows:
                self._mirror(row, None)
            if not token:
                return

    def _mirror(self, row: aws.SuppressedAtSes, without_fault: int | None) -> None:
        """One entry of SES's list; ``without_fault``: the subscriber whom SES listed for what is not their fault."""
        self.done.seen += 1
        since = f"since {row.since:%d %b %Y %H:%M} UTC"
        with transaction.atomic():
            if without_fault:
                suppression.unlist(
                    without_fault,
                    at=row.since,
                    by=SYSTEM,
                    why=f"SES has it on the suppression list of the account {since}, for a bounce that is not the "
                    "person's fault. It is taken off there.",
                )
            found = suppression.mirror(
                row.email,
                reason=_PULLED.get(row.reason, Reason.SES_LIST),
                since=row.since,
                by=SYSTEM,
                why=f"SES has it on the suppression list of the account {since}, because of a {row.reason.lower()}.",
            )
            if self._dry_run:
                transaction.set_rollback(True)
        self.done.suppressed_here += found == "new"
        if found == "released":
            self._forget(row.email)
        elif found and self._dry_run:
            self._found.add(suppression.key_for(addresses.normalise(row.email).key))

    def _forget(self, email: str) -> None:
        """Released here: mark it to be deleted, or delete it at once where only SES still knows the address."""
        key = suppression.key_for(addresses.normalise(email).key)
        if self._dry_run:
            self._forgotten.add(key)
            self._delete(0, email)
            return
        for row in Suppression.objects.filter(key=key):
            if row.synced_at is not None:
                suppression.untold_ses(row.pk)
            if not Subscriber.objects.filter(suppression_key=row.key).exists():
                self._delete(row.pk, email)

    def _delete(self, pk: int, email: str) -> None:
        if not self._dry_run:
            self._call(partial(aws.delete_suppressed, email))
            suppression.told_ses(pk, released=True)
        self.done.deleted += 1
        self._report()

    def may_call(self) -> bool:
        return self._calls is None or self._calls > 0

    def _call(self, ask: Callable[[], T]) -> T:
        """One call to SES and its pause; botocore's errors become SesAway."""
        if self._calls is not None:
            self._calls -= 1
        try:
            return ask()
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
            raise SesAway(
                f"SES refused ({code}): {error}. The credentials need ses:ListSuppressedDestinations, "
                "ses:PutSuppressedDestination and ses:DeleteSuppressedDestination."
            ) from error
        except BotoCoreError as error:
            raise SesAway(f"SES does not answer: {error}. Try again later; nothing is lost.") from error
        finally:
            time.sleep(settings.SUPPRESSION_SYNC_PAUSE)

    def _report(self) -> None:
        if self._progress:
            self._progress(self.done)


def _listed_without_fault(rows: Sequence[aws.SuppressedAtSes]) -> dict[str, int]:
    """Address → subscriber, where the bounce that made SES list it says nothing against the person."""
    since = {row.email: row.since for row in rows if _PULLED.get(row.reason) == Reason.SES_LIST}
    keys = {email: key for email in since if (key := _key(email))}
    people = dict(
        Subscriber.objects.filter(suppression_key__in=keys.values()).values_list("suppression_key", "pk")
    )
    listing = Event.objects.filter(
        subscriber_id__in=people.values(), kind="bounce", type="Permanent"
    ).exclude(verdict="suppressed")
    of = {people[key]: email for email, key in keys.items() if key in people}
    found: dict[str, int] = {}
    for person, verdict, at in listing.order_by("occurred_at", "dedupe_key").values_list(
        "subscriber_id", "verdict", "occurred_at"
    ):
        email = of[person]
        if abs(since[email] - at) > _CAUSE:
            continue
        if verdict in FAULTLESS:
            found[email] = person
        else:
            found.pop(email, None)
    return found


def _key(email: str) -> str:
    try:
        return suppression.key_for(addresses.normalise(email).key)
    except addresses.BadAddress:
        return ""


def _with_emails(rows: QuerySet[Suppression]) -> list[tuple[Suppression, str]]:
    found = list(rows[:100_000])
    people = Subscriber.objects.filter(suppression_key__in=[row.key for row in found])
    emails = dict(people.values_list("suppression_key", "email"))
    return [(row, emails[row.key]) for row in found if row.key in emails]
