"""The life of a campaign: the only writer of Campaign.status.

Called by the admin, the commands and the tasks. Every move is one transaction that locks the campaign, checks
Campaign.ALLOWED and writes a Change; called twice, the second call finds nothing to do. What SES and the
engine found out arrives in ``settle``.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

from celery import signature
from django.conf import settings
from django.db import connection, transaction
from django.db.models.functions import Now

from mailinglist import approvals, deciding, doorbell, reputation, subscriptions, waits, zones
from mailinglist.changes import SYSTEM, Actor, Noun, record
from mailinglist.composing import body, problems
from mailinglist.composing.problems import Problem
from mailinglist.models import Campaign, CampaignVersion, Delivery, SendBudget
from mailinglist.sending import audience, queue
from mailinglist.sending.engine import BUSY, Drained, More, Result, Stopped

Status = Campaign.Status
_Decided = TypeVar("_Decided")

#: Fields of a campaign that is not scheduled.
UNCONFIRMED: dict[str, Any] = {"confirmed_for": None, "confirmed_about": False}
UNPLANNED: dict[str, Any] = {"planned_at": None, "time_zone": "", "at_local_time": False, **UNCONFIRMED}


class NotAllowed(ValueError):
    """The campaign is in no state for this; the message says in which it is."""


class CampaignNotReady(ValueError):
    """The campaign cannot start. ``problems`` lists why; the message joins them."""

    def __init__(self, found: Sequence[Problem]) -> None:
        super().__init__(" ".join(problem.message for problem in found))
        self.problems = list(found)


@transaction.atomic
def start(campaign_id: int, *, by: Actor, as_planned: bool = False) -> bool:
    """Freeze the content, decide who gets it and let the workers send. False when it had been started before.

    ``as_planned``: it was scheduled, so everybody waits for their own clock where that was chosen; otherwise it
    goes to all of them now. Raises CampaignNotReady, or NotAllowed for a cancelled campaign; then nothing has changed.
    """
    campaign = _locked(campaign_id)
    if campaign.status in (Status.SENDING, Status.PAUSED, Status.FINISHED):
        return False
    _check_allowed(campaign, Status.SENDING)
    _check_ready(campaign)
    now = _database_now()
    window = timedelta(seconds=settings.RETRY_WINDOW_DAYS * settings.DAY_SECONDS)
    version = _freeze(campaign)
    clock = _clock(campaign) if as_planned and campaign.at_local_time else None
    started = {"version": version, "started_at": now, "retry_until": now + window, "scheduled_at": None}
    _move(campaign, Status.SENDING, **started, **(UNCONFIRMED if clock else UNPLANNED))
    recipients = _snapshot(campaign, clock)
    if as_planned and (moved := deciding.moved(campaign)):
        raise CampaignNotReady([Problem("lists", moved)])
    _record(
        campaign, Status.SENDING, f"Started for {recipients} recipients.", deciding.with_choice(by, campaign)
    )
    if campaign.canary_minutes and not clock:
        Campaign.objects.filter(pk=campaign_id).update(canary_last_id=audience.canary_end(campaign_id))
    _wake(campaign_id)
    return True


@transaction.atomic
def confirm(campaign_id: int, *, number: int, about: bool, by: Actor) -> bool:
    """A manager has read and typed how many people it goes to: start it, or wait while it can still be stopped.

    ``about``: the number was an estimate. The wait is a schedule like any other, so a crash neither loses nor hastens
    the start; at its end the number is looked at again. False when it was started or confirmed before. Raises
    CampaignNotReady or NotAllowed.
    """
    campaign = _locked(campaign_id)
    seconds = deciding.time_to_stop(campaign)
    if not seconds:
        return start(campaign_id, by=by)
    if campaign.can_be_stopped or campaign.status not in (Status.DRAFT, Status.SCHEDULED):
        return False
    _check_ready(campaign)
    begin = _database_now() + timedelta(seconds=seconds)
    confirmed = {**UNPLANNED, "confirmed_for": number, "confirmed_about": about}
    _move(campaign, Status.SCHEDULED, scheduled_at=begin, **confirmed)
    why = f"Confirmed for {'about ' * about}{number:,} people; it can be stopped for {seconds} seconds."
    _record(campaign, Status.SCHEDULED, why, by)
    return True


@transaction.atomic
def schedule(
    campaign_id: int,
    *,
    at: datetime,
    by: Actor,
    zone: str = "UTC",
    at_local_time: bool = False,
    number: int | None = None,
    about: bool = False,
) -> None:
    """Let it start by itself at ``at``, a time that was chosen on the clocks of ``zone``.

    ``number``: how many people a manager has read and typed, ``about`` an estimate; None: nobody was asked.
    ``at_local_time``: everybody gets it when their own clock shows that time; it then starts when the first
    clock among its people does. Called again, it changes the time. Raises CampaignNotReady, or NotAllowed (also
    for a time that has passed, or is years ahead).
    """
    campaign = _locked(campaign_id)
    if at_local_time and campaign.canary_minutes:
        raise NotAllowed(
            "Waiting after the first 1 % and sending at everybody's own time exclude each other. Choose one of them."
        )
    if wrong := zones.why_not_at(at, now=_database_now()):
        raise NotAllowed(wrong)
    if campaign.status != Status.SCHEDULED:
        _check_allowed(campaign, Status.SCHEDULED)
    _check_ready(campaign)
    plan = {"planned_at": at, "time_zone": zone, "at_local_time": at_local_time}
    confirmed = {"confirmed_for": number, "confirmed_about": about}
    begin = at
    if at_local_time:
        begin = min([at, *_decided(lambda: audience.turns(campaign, zones.shown(at, zone))).values()])
    _move(campaign, Status.SCHEDULED, scheduled_at=begin, **plan, **confirmed)
    why = zones.sentence(at, zone, everywhere=at_local_time)
    if number is not None:
        why += f" Confirmed for {'about ' * about}{number:,} people."
    _record(campaign, Status.SCHEDULED, why, by)


@transaction.atomic
def unschedule(campaign_id: int, *, by: Actor, why: str = "Taken back for editing.") -> bool:
    """Back to draft. False when it is not scheduled."""
    campaign = _locked(campaign_id)
    if campaign.status != Status.SCHEDULED:
        return False
    _move(campaign, Status.DRAFT, scheduled_at=None, **UNPLANNED)
    _record(campaign, Status.DRAFT, why, by)
    return True


@transaction.atomic
def pause(campaign_id: int, *, reason: str, text: str, by: Actor) -> bool:
    """Stop sending; what is being posted now finishes. False when it is not sending."""
    campaign = _locked(campaign_id)
    if campaign.status != Status.SENDING:
        return False
    _move(campaign, Status.PAUSED, status_reason=reason[:40], status_detail=text)
    _record(campaign, Status.PAUSED, text, by)
    return True


@transaction.atomic
def resume(campaign_id: int, *, by: Actor) -> bool:
    """Go on after a pause where it stopped, or with the held retries of a finished campaign. False when it is neither."""
    campaign = _locked(campaign_id)
    if campaign.status == Status.FINISHED and campaign.held_until:
        Campaign.objects.filter(pk=campaign_id).update(**waits.NOT_HELD)
        _record(campaign, Status.FINISHED, "Its retries are tried again.", by)
        _wake(campaign_id)
        return True
    if campaign.status != Status.PAUSED:
        return False
    # A manager has seen why the guard stopped it and decided: the same mails do not stop it again.
    seen = reputation.of_campaign(campaign).as_dict()
    if campaign.status_reason == "account-reputation":
        SendBudget.objects.update(guard_since=_database_now(), guard_factor=1, guard_text="")
    _move(
        campaign,
        Status.SENDING,
        guard_seen=seen,
        guard_factor=1,
        guard_text="",
        canary_last_id=None if campaign.status_reason == "canary" else campaign.canary_last_id,
        canary_until=None if campaign.status_reason == "canary" else campaign.canary_until,
    )
    _record(campaign, Status.SENDING, "Resumed.", by)
    _wake(campaign_id)
    return True


@transaction.atomic
def slow(campaign_id: int, *, factor: float, text: str, by: Actor) -> bool:
    """Leave a sending campaign ``factor`` of its rate, or all of it again (1). False when nothing changed."""
    campaign = _locked(campaign_id)
    if campaign.status != Status.SENDING or (campaign.guard_factor, campaign.guard_text) == (factor, text):
        return False
    Campaign.objects.filter(pk=campaign_id).update(guard_factor=factor, guard_text=text)
    if factor != campaign.guard_factor:
        _record(campaign, Status.SENDING, text or "It goes on at its full pace.", by)
    return True


@transaction.atomic
def await_canary(campaign_id: int, *, minutes: float) -> bool:
    """The first mails have left: wait so long for their events. False when that is known, or not awaited."""
    campaign = _locked(campaign_id)
    if campaign.status != Status.SENDING or campaign.canary_last_id is None or campaign.canary_until:
        return False
    until = _database_now() + timedelta(seconds=minutes * settings.DAY_SECONDS / 1440)
    Campaign.objects.filter(pk=campaign_id).update(canary_until=until)
    return True


@transaction.atomic
def release_canary(campaign_id: int, *, why: str, by: Actor) -> bool:
    """Let everybody else of the campaign follow. False when nobody waits for that."""
    campaign = _locked(campaign_id)
    if campaign.status != Status.SENDING or campaign.canary_last_id is None:
        return False
    Campaign.objects.filter(pk=campaign_id).update(canary_last_id=None, canary_until=None)
    _record(campaign, Status.SENDING, why, by)
    _wake(campaign_id)
    return True


@transaction.atomic
def cancel(campaign_id: int, *, by: Actor) -> int:
    """Stop for good: what is not sent, and all retries, are cancelled. Returns how many deliveries that were.

    Raises NotAllowed for a campaign that was never started. A second call returns 0.
    """
    campaign = _locked(campaign_id)
    if campaign.status == Status.CANCELLED:
        return 0
    _check_allowed(campaign, Status.CANCELLED)
    _move(campaign, Status.CANCELLED)
    cancelled = queue.cancel_open(campaign_id)
    _record(campaign, Status.CANCELLED, f"Cancelled; {cancelled} mails were not sent.", by)
    return cancelled


def settle(campaign_id: int, result: Result) -> None:
    """Take over what a run of the engine found: finished, paused by SES, or waiting for something."""
    match result:
        case Stopped(reason, text):
            if not pause(campaign_id, reason=reason, text=text, by=SYSTEM):
                waits.hold_retries(campaign_id, reason=reason, text=text)
        case Drained():
            finish_if_done(campaign_id)
            waits.release_retries(campaign_id)
        case More(why=why) if why != BUSY:
            waits.wait(campaign_id, why)
            if not why:
                waits.release_retries(campaign_id)


@transaction.atomic
def finish_if_done(campaign_id: int) -> bool:
    """A sending campaign without open first attempts is finished; its retries go on."""
    campaign = _locked(campaign_id)
    if campaign.status != Status.SENDING or queue.has_open_first_attempts(campaign_id):
        return False
    _move(campaign, Status.FINISHED, finished_at=_database_now())
    _record(campaign, Status.FINISHED, "Every recipient was attempted.", SYSTEM)
    return True


def start_due() -> list[int]:
    """Start the campaigns whose time has come by the database clock. One that is not ready becomes a draft
    again.
    """
    due = Campaign.objects.filter(status=Status.SCHEDULED, scheduled_at__lte=Now()).order_by("scheduled_at")
    started = []
    for campaign_id in due.values_list("pk", flat=True):
        try:
            if start(campaign_id, by=SYSTEM, as_planned=True):
                started.append(campaign_id)
        except CampaignNotReady as error:
            unschedule(campaign_id, by=SYSTEM, why=f"It could not start at its time. {error}")
        except NotAllowed:
            continue
    return started


@transaction.atomic
def send_test(
    campaign_id: int, emails: Sequence[str], *, by: Actor, as_seen_by: int | None = None
) -> list[int]:
    """Mail the campaign as it is written now to a few addresses. Returns the ids of the deliveries.

    ``as_seen_by``: the subscriber whose values it shows; each one's own without.

    Through the same queue, pace and suppression as everything else. Raises CampaignNotReady (no list, no
    subject, …; an empty audience does not matter) or addresses.BadAddress.
    """
    campaign = _locked(campaign_id)
    mailing_list = campaign.lists.order_by("pk").first()
    blocking = [problem for problem in _blocking(campaign) if "Nobody would get it" not in problem.message]
    if blocking or mailing_list is None:
        raise CampaignNotReady(blocking)
    version = _freeze(campaign, as_seen_by)
    people = [subscriptions.get_or_create_subscriber(email) for email in dict.fromkeys(emails)]
    _record(campaign, campaign.status, f"Test mail to {len(people)} addresses.", by)
    return [
        queue.enqueue(
            subscriber_id=person.pk,
            list_id=mailing_list.pk,
            purpose=Delivery.Purpose.TEST,
            version_id=version.pk,
        )
        for person in people
    ]


def _snapshot(campaign: Campaign, clock: datetime | None) -> int:
    if campaign.follows_id:
        # Two that follow the same one start one after the other, and the second sees whom the first has taken.
        _locked(campaign.follows_id)
    return _decided(lambda: audience.snapshot(campaign.pk, clock=clock))


def _decided(decide: Callable[[], _Decided]) -> _Decided:
    try:
        return deciding.decided(decide)
    except deciding.Undecided as sentence:
        raise CampaignNotReady([Problem("include_segments", str(sentence))]) from sentence


def _locked(campaign_id: int) -> Campaign:
    return Campaign.objects.select_for_update(of=("self",), no_key=True).get(pk=campaign_id)


def _clock(campaign: Campaign) -> datetime | None:
    return zones.shown(campaign.planned_at, campaign.time_zone) if campaign.planned_at else None


def _check_allowed(campaign: Campaign, to: Campaign.Status) -> None:
    if to not in Campaign.ALLOWED[campaign.status]:
        raise NotAllowed(
            f"The campaign “{campaign}” is {campaign.get_status_display()}; it cannot become {to.label}."
        )


def _check_ready(campaign: Campaign) -> None:
    unapproved = approvals.problem(campaign)
    if blocking := [*_blocking(campaign), *([unapproved] if unapproved else [])]:
        raise CampaignNotReady(blocking)


def _blocking(campaign: Campaign) -> list[Problem]:
    return [problem for problem in problems.find(campaign) if problem.blocking]


def _freeze(campaign: Campaign, as_seen_by: int | None = None) -> CampaignVersion:
    """The campaign's content as an immutable version: the last one where nothing has changed since."""
    compiled = body.compile(campaign)
    last = campaign.versions.order_by("-number").first()
    if last and (last.subject, last.preheader, last.html, last.text, last.as_seen_by_id) == (
        compiled.subject,
        compiled.preheader,
        compiled.html,
        compiled.text,
        as_seen_by,
    ):
        return last
    return CampaignVersion.objects.create(
        campaign=campaign,
        number=last.number + 1 if last else 1,
        subject=compiled.subject,
        preheader=compiled.preheader,
        html=compiled.html,
        text=compiled.text,
        as_seen_by_id=as_seen_by,
    )


def _move(campaign: Campaign, to: Campaign.Status, **values: Any) -> None:
    fields = {**waits.NOT_HELD, **values}
    changed = Campaign.objects.filter(pk=campaign.pk, status=campaign.status).update(
        status=to, updated_at=Now(), **fields
    )
    if changed != 1:
        raise NotAllowed(f"The campaign “{campaign}” was changed by somebody else; look again.")


def _record(campaign: Campaign, after: str, why: str, by: Actor) -> None:
    record(Noun.CAMPAIGN, campaign.pk, before=campaign.status, after=after, why=why, by=by)


def _wake(campaign_id: int) -> None:
    doorbell.ring(signature("mailinglist.tasks.send_campaign"), campaign_id)


def _database_now() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now: datetime = cursor.fetchone()[0]
    return now
