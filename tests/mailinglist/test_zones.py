"""Times on people's clocks."""

from datetime import UTC, datetime

import pytest

from mailinglist import zones


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("clock", "zone", "moment", "skipped", "twice"),
    [
        ("2026-11-25T09:00", "UTC", "2026-11-25T09:00", False, False),
        ("2026-11-25T09:00", "Europe/Berlin", "2026-11-25T08:00", False, False),
        ("2026-07-25T09:00", "Europe/Berlin", "2026-07-25T07:00", False, False),
        ("2026-11-25T09:00", "Asia/Kathmandu", "2026-11-25T03:15", False, False),
        ("2026-11-25T09:00", "Pacific/Kiritimati", "2026-11-24T19:00", False, False),
        ("2027-03-28T02:30", "Europe/Berlin", "2027-03-28T01:30", True, False),
        ("2027-10-31T02:30", "Europe/Berlin", "2027-10-31T00:30", False, True),
        ("2027-03-14T02:00", "America/New_York", "2027-03-14T07:00", True, False),
        ("2027-03-28T03:00", "Europe/Berlin", "2027-03-28T01:00", False, False),
        ("2011-12-30T12:00", "Pacific/Apia", "2011-12-30T22:00", True, False),
        ("2028-02-29T23:30", "America/New_York", "2028-03-01T04:30", False, False),
    ],
)
def test_a_clock_time_is_one_moment(clock: str, zone: str, moment: str, skipped: bool, twice: bool) -> None:
    found = zones.resolve(at(clock), zone)
    assert (found.at, found.skipped, found.twice) == (at(moment).replace(tzinfo=UTC), skipped, twice)


@pytest.mark.parametrize("zone", ["", "Mars/Olympus", "../etc/passwd", "europe/berlin "])
def test_a_zone_that_does_not_exist_is_an_error_and_gets_no_turn(zone: str) -> None:
    with pytest.raises(ValueError, match="no time zone"):
        zones.resolve(at("2026-11-25T09:00"), zone)
    assert zones.turns(at("2026-11-25T09:00"), [zone, "UTC"]) == {
        "UTC": datetime(2026, 11, 25, 9, tzinfo=UTC)
    }
