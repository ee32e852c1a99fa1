"""A burst on one form closes it by steps, and by itself opens it again. The only writer of FormStep.

Called by gate.py with each sign-up, by the sweep, and by the admin. A step up is taken at once; a step down when
``until`` has come and the last hour was calmer. Every step is a Change of the list.
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from mailinglist import sign_up_counts
from mailinglist.changes import SYSTEM, Actor, Noun, record
from mailinglist.models import FormStep, MailingList, SignUpCount

Step = FormStep.Step
#: A step up holds so long at least, so that a form does not go up and down with every request.
HOLD = timedelta(minutes=10)
#: After it was closed, a form asks for a captcha so long.
AFTER_CLOSED = timedelta(hours=1)


def of(list_id: int) -> FormStep | None:
    """The row of a list's form; None where it was never under pressure. Reads only."""
    return FormStep.objects.filter(pk=list_id).first()


def seen_with(mailing_list: MailingList) -> FormStep | None:
    """``of`` the list, without a look of its own where the list was read for its page (public_lists.py)."""
    if not MailingList.form_step.is_cached(mailing_list):
        return of(mailing_list.pk)
    found: FormStep | None = getattr(mailing_list, "form_step", None)
    return found


def current(row: FormStep | None, *, now: datetime) -> FormStep.Step:
    """What holds for visitors now, also where nothing has looked since the closed time was over."""
    if row is None:
        return Step.OPEN
    return Step.CAPTCHA if row.step == Step.CLOSED and row.until <= now else Step(row.step)


def climb(list_id: int, *, asked: int, now: datetime) -> None:
    """Take the step that ``asked`` sign-ups in an hour call for, if it is a higher one."""
    wanted = _called_for(asked)
    if wanted == Step.OPEN:
        return
    with transaction.atomic():
        start = {"since": now, "until": now, "counted_from": now - timedelta(days=1)}
        FormStep.objects.get_or_create(pk=list_id, defaults=start)
        row = _locked(list_id)
        if wanted > row.step:
            hold = timedelta(minutes=settings.SIGNUP_CLOSED_MINUTES) if wanted == Step.CLOSED else HOLD
            why = f"{asked:,} sign-ups came within an hour."
            _move(row, wanted, until=now + hold, why=why, by=SYSTEM, now=now)


def settle(*, now: datetime | None = None, list_id: int | None = None) -> None:
    """Let the forms (of one list) whose time is over step down, or stay for another while."""
    now = now or timezone.now()
    due = FormStep.objects.filter(step__gt=Step.OPEN, until__lte=now)
    if list_id is not None:
        due = due.filter(pk=list_id)
    for pk in due.values_list("pk", flat=True):
        with transaction.atomic():
            row = _locked(pk)
            if row.step > Step.OPEN and row.until <= now:
                _settle(row, now)


def open_again(list_id: int, *, by: Actor, now: datetime | None = None) -> bool:
    """A manager opens the form at once; what was asked for until now counts no more. False when it was open."""
    now = now or timezone.now()
    with transaction.atomic():
        row = FormStep.objects.select_for_update().filter(pk=list_id).first()
        if row is None or row.step == Step.OPEN:
            return False
        row.counted_from = now
        _move(row, Step.OPEN, until=now, why="A manager opened the form again.", by=by, now=now)
        return True


def _settle(row: FormStep, now: datetime) -> None:
    if row.step == Step.CLOSED:
        row.counted_from = row.until
        why = "The time for which it was closed is over."
        _move(row, Step.CAPTCHA, until=now + AFTER_CLOSED, why=why, by=SYSTEM, now=now)
        return
    asked = sign_up_counts.asked(SignUpCount.Scope.FORM, str(row.pk), now=now, begin=row.counted_from)
    wanted = min(_called_for(asked), Step.LIMITED)
    if wanted < row.step:
        why = f"It is calmer: {asked:,} sign-ups in the last hour."
        _move(row, wanted, until=now + HOLD, why=why, by=SYSTEM, now=now)
    else:
        row.until = now + HOLD
        row.save(update_fields=["until"])


def _called_for(asked: int) -> FormStep.Step:
    if asked >= settings.SIGNUP_CLOSE_FROM:
        return Step.CLOSED
    if asked > settings.SIGNUP_PER_FORM:
        return Step.LIMITED
    return Step.CAPTCHA if asked >= settings.SIGNUP_CAPTCHA_FROM else Step.OPEN


def _locked(list_id: int) -> FormStep:
    return FormStep.objects.select_for_update().get(pk=list_id)


def _move(row: FormStep, to: FormStep.Step, *, until: datetime, why: str, by: Actor, now: datetime) -> None:
    before = Step(row.step)
    row.step, row.since, row.until = to, now, until
    row.save(update_fields=["step", "since", "until", "counted_from"])
    record(
        Noun.LIST,
        row.pk,
        before=f"form {before.label}",
        after=f"form {to.label}",
        why=why,
        by=by,
        list_id=row.pk,
    )
