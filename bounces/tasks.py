"""Celery entry points: short, with no data in them. Losing one costs the time until the next sweep."""

import logging
import time

from celery import shared_task

from bounces import pipeline, retries
from mailinglist import doorbell, places

logger = logging.getLogger(__name__)

#: Tasks that process notifications at once, over all workers, and for how many seconds each.
PROCESSORS, SECONDS = 2, 10.0


@shared_task
def process_notifications() -> None:
    """Interpret what is stored, in batches, for a while. Every notification rings, so most messages find both places
    taken and leave at once; who had a place looks again after giving it back, for what came in meanwhile.
    """
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        with places.place(places.NOTIFICATIONS, 0, PROCESSORS) as free:
            if not free:
                return
            some = False
            while pipeline.process_stored().taken and time.monotonic() < until:
                some = True
        if not some or not pipeline.has_stored():
            return
    doorbell.ring(process_notifications)


@shared_task
def sweep() -> None:
    """What time brings and what a lost message left: stored notifications, unmatched events, holds, retries."""
    process_notifications()
    pipeline.process_failed(due_only=True)
    pipeline.rematch()
    pipeline.apply_due_effects()
    retries.run_due()


@shared_task
def watch_providers() -> None:
    """Count what came back per provider, and open an incident where one refuses people it took mail for before."""
    from bounces import incidents

    incidents.watch()


@shared_task
def count_courses() -> None:
    """How campaigns went over time and by provider, for the staff pages; one worker at a time."""
    from bounces import campaign_course

    with places.place(places.COUNTS, 2, 1) as free:
        if free:
            campaign_course.refresh()


@shared_task
def sync_suppressions() -> None:
    """Tell SES what was suppressed or released here; once a day also read its whole list."""
    from bounces import suppression_sync

    suppression_sync.run_in_background()


@shared_task
def read_mailbox() -> None:
    """Take in mailed bounces. What cannot be read now is read the next time."""
    from django.conf import settings

    from bounces import mailbox

    try:
        mailbox.read_all(settings.BOUNCE_IMAP_URL, done_folder=settings.BOUNCE_IMAP_DONE)
    except (mailbox.BadMailbox, *mailbox.FAULTS) as error:
        logger.error("The bounce mailbox was not read: %s", error)


@shared_task
def nightly_cleanup() -> None:
    """Retention of raw notifications, and the health of addresses that time alone has healed."""
    from bounces import cleanup

    cleanup.nightly()
