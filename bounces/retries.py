"""Soft bounces whose time has come: back into the queue, or an end with a name.

Called by the sweep and by ``retry_soft_bounces``. The rows themselves say when (Delivery.next_attempt_at).
"""

from mailinglist.sending import queue

BATCH = 500


def run_due(*, dry_run: bool = False) -> queue.Requeued:
    """Requeue what is due by the database's clock, in batches; the sum of what happened (or would happen)."""
    total = queue.requeue_due(BATCH, dry_run=dry_run)
    last = total
    while not dry_run and last.total:
        last = queue.requeue_due(BATCH)
        total += last
    return total
