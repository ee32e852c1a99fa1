"""Celery entry points: short, with no data in them. Losing one costs the time until the next sweep."""

from celery import shared_task


@shared_task
def process_notifications() -> None:
    """Interpret what is stored, in batches, until nothing is left; a batch that another worker holds is skipped."""
    from bounces import pipeline

    while pipeline.process_stored().taken:
        pass


@shared_task
def sweep() -> None:
    """What time brings and what a lost message left: stored notifications, unmatched events, holds, retries."""
    from bounces import pipeline, retries

    process_notifications()
    pipeline.rematch()
    pipeline.apply_due_effects()
    retries.run_due()


@shared_task
def nightly_cleanup() -> None:
    """Retention of raw notifications, and the health of addresses that time alone has healed."""
    from bounces import cleanup

    cleanup.nightly()
