"""Reading a time from a command line."""

from datetime import UTC, datetime

from django.core.management.base import CommandError
from django.utils.dateparse import parse_date, parse_datetime


def moment(text: str, *, option: str) -> datetime:
    """An aware time from ``2026-11-01`` or ``2026-11-01T12:00`` (UTC unless it names a zone). CommandError else."""
    try:
        found = parse_datetime(text)
        if found is None and (day := parse_date(text)):
            found = datetime(day.year, day.month, day.day)
    except ValueError:
        found = None
    if found is None:
        raise CommandError(
            f"{option} {text!r} is not a time; write 2026-11-01 or 2026-11-01T12:00.", returncode=2
        )
    return found if found.tzinfo else found.replace(tzinfo=UTC)
