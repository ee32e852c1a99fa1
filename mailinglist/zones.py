"""PURE. Times on people's clocks, and the nights in which clocks are changed.

Called by lifecycle, by the snapshot, by the admin's form and by the preferences page. A zone is a name of the IANA
database.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from mailinglist import zone_names

#: What a person chooses from.
COMMON = tuple(zone_names.PLACES)
#: A start later than this from now is a slip of the keys.
LATEST_START = timedelta(days=10 * 365)


@dataclass(frozen=True, slots=True)
class Moment:
    """When a clock shows a time. ``skipped``: it never does (the clocks go forward over it), so the moment is as much
    later as they are put forward, and the clock then shows ``shown``. ``twice``: it does so twice (the clocks go back);
    the moment is the first.
    """

    at: datetime
    shown: datetime
    skipped: bool = False
    twice: bool = False


def resolve(clock: datetime, zone: str) -> Moment:
    """The moment (UTC) at which clocks in ``zone`` show ``clock`` (naive). Raises ValueError for an unknown zone."""
    info = _zone(zone)
    if info is None:
        raise ValueError(f"{zone!r} is no time zone. Write a name such as Europe/Berlin.")
    at = clock.replace(tzinfo=info, fold=0).astimezone(UTC)
    shown = at.astimezone(info).replace(tzinfo=None, fold=0)
    second = clock.replace(tzinfo=info, fold=1).astimezone(UTC)
    skipped = shown != clock
    return Moment(at, shown, skipped=skipped, twice=not skipped and second != at)


def shown(at: datetime, zone: str) -> datetime:
    """What clocks in ``zone`` show at a moment (naive); those of UTC where the zone is not known."""
    return at.astimezone(_zone(zone) or UTC).replace(tzinfo=None)


def turns(clock: datetime, zones: Iterable[str]) -> dict[str, datetime]:
    """zone → the moment at which its clocks show ``clock``, without the zones that do not exist."""
    return {zone: resolve(clock, zone).at for zone in zones if _zone(zone)}


def sentence(at: datetime, zone: str, *, everywhere: bool) -> str:
    """When a campaign goes out, for people."""
    there = f"{shown(at, zone):%d %b %Y %H:%M} in {zone}"
    utc = f"{at.astimezone(UTC):%d %b %Y %H:%M} UTC"
    if everywhere:
        return (
            f"Everybody gets it when their own clock shows {shown(at, zone):%d %b %Y %H:%M}; whose time zone is not "
            f"known, at {there} ({utc})."
        )
    return f"It starts by itself at {there}" + (f" ({utc})." if zone != "UTC" else ".")


def change_note(clock: datetime, moment: Moment, zone: str) -> str:
    """What is to be said about a time in a night when the clocks are changed; empty on other days."""
    if moment.skipped:
        return (
            f"{clock:%H:%M} does not exist on this day in {zone}: the clocks go forward there. "
            f"Choose {moment.shown:%H:%M}, which is the same moment."
        )
    if moment.twice:
        later = moment.at + timedelta(hours=1)
        return (
            f"The clocks in {zone} go back that night and show {clock:%H:%M} twice. It starts the first time, at "
            f"{moment.at:%H:%M} UTC, not at {later:%H:%M} UTC."
        )
    return ""


def place(zone: str) -> str:
    """A zone as people read it: Europe/Berlin → Berlin (Europe). In English; catalogues hold those of COMMON."""
    if zone in zone_names.PLACES:
        return zone_names.PLACES[zone]
    region, slash, city = zone.partition("/")
    return f"{city.replace('_', ' ')} ({region})" if slash else zone


@cache
def names() -> tuple[str, ...]:
    """All zones there are, by name. Looked up once: Python opens each file of the database to find them."""
    return tuple(sorted(available_timezones()))


@cache
def _zone(name: str) -> ZoneInfo | None:
    return ZoneInfo(name) if name in names() else None


def why_not_at(at: datetime, *, now: datetime) -> str:
    """Why a campaign cannot start by itself at this time; "" where it can."""
    if at <= now:
        return "This time has passed. Choose a later one, or start the campaign now."
    return "This is more than ten years ahead. Is the year right?" if at > now + LATEST_START else ""
