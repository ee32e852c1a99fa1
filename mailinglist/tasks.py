"""Celery's entry points of the core. Messages carry ids only and may be lost, doubled or late: PostgreSQL
knows.

A start rings send_campaign once; each run that has more to do rings the next one (``again``). The sweep rings
runs without a successor, so that its messages replace a lost chain and never add a second one.
"""

from typing import Any

from celery import shared_task
from celery.signals import worker_shutting_down
from django.utils import timezone

from mailinglist import (
    campaign_counts,
    doorbell,
    form_steps,
    guard,
    import_runs,
    lifecycle,
    link_checks,
    list_counts,
    pending,
    places,
    restored,
    retention,
    sender_checks,
    sign_up_counts,
)
from mailinglist.models import Campaign
from mailinglist.sending import engine, queue
from mailinglist.sending.failpoints import reach


@shared_task(name="mailinglist.tasks.send_campaign")
def send_campaign(campaign_id: int, again: int = 1) -> None:
    """Send what is due of one campaign, for a while."""
    result = engine.run(campaign_id)
    lifecycle.settle(campaign_id, result)
    reach("before-ack")
    if again and isinstance(result, engine.More) and result.after_seconds < 1:
        doorbell.ring(send_campaign, campaign_id)


@shared_task(name="mailinglist.tasks.send_mail")
def send_mail(again: int = 1) -> None:
    """Send confirmations and test mails, for a while."""
    result = engine.run(None)
    if again and isinstance(result, engine.More) and result.after_seconds < 1:
        doorbell.ring(send_mail)


@shared_task(name="mailinglist.tasks.run_import")
def run_import(import_id: int) -> None:
    """Check, import or take back one uploaded file, then wake somebody for the next."""
    import_runs.run(import_id, stopping=engine.stopping.is_set)
    if (following := import_runs.next_to_do()) is not None:
        doorbell.ring(run_import, following)


@shared_task(name="mailinglist.tasks.look_outside")
def look_outside() -> None:
    """Look at links and senders that somebody asked about; rings the next run while there are more."""
    if link_checks.run() + sender_checks.run():
        doorbell.ring(look_outside)


@shared_task(name="mailinglist.tasks.sweep")
def sweep() -> None:
    """Find in PostgreSQL whatever is to be done, and wake workers for it: no broker message is ever needed."""
    tidy()
    if link_checks.waits() or sender_checks.waits():
        doorbell.ring(look_outside)
    for campaign_id in queue.campaigns_with_due():
        if not engine.is_running(campaign_id):
            doorbell.ring(send_campaign, campaign_id, 0)
    if queue.next_due_in(None) == 0 and not engine.is_running(None):
        doorbell.ring(send_mail, 0)
    if (import_id := import_runs.next_to_do()) is not None:
        doorbell.ring(run_import, import_id)


@shared_task(name="mailinglist.tasks.nightly")
def nightly() -> None:
    """Sign-ups that nobody confirmed, and what was kept long enough."""
    pending.tidy()
    retention.prune()
    import_runs.prune()
    sign_up_counts.prune(now=timezone.now())


@shared_task(name="mailinglist.tasks.count_campaigns")
def count_campaigns() -> None:
    """The numbers of campaigns, for the staff pages; one worker at a time."""
    with places.place(places.COUNTS, 0, 1) as free:
        if free:
            campaign_counts.refresh()


@shared_task(name="mailinglist.tasks.count_lists")
def count_lists() -> None:
    """The sizes of the lists, who came and who left, for the staff pages; one worker at a time."""
    with places.place(places.COUNTS, 1, 1) as free:
        if free:
            list_counts.refresh()


def tidy() -> None:
    """What time alone brings: ended leases, unresolved outcomes, campaigns that are due or done."""
    restored.look()
    queue.recover_expired()
    queue.resolve_unknown()
    queue.cancel_leftovers()
    lifecycle.start_due()
    guard.watch()
    form_steps.settle()
    for campaign_id in Campaign.objects.filter(status=Campaign.Status.SENDING).values_list("pk", flat=True):
        lifecycle.finish_if_done(campaign_id)


@worker_shutting_down.connect
def _stop_engine(**_: Any) -> None:
    engine.stopping.set()
