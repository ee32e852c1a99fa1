"""Made-up subscribers and a campaign of about 4 kB. Runs in the children, after ``django.setup``."""

import csv
import time
from pathlib import Path

from django.db import connection

from mailinglist import lifecycle
from mailinglist.changes import SYSTEM
from mailinglist.models import Campaign, MailingList

_SUBSCRIBERS = """
    INSERT INTO mailinglist_subscriber (email, email_key, name, attributes, language, time_zone, token,
                                        suppression_key, created_at, updated_at)
    SELECT 'person' || i || '@' || {domain}, 'person' || i || '@' || {domain},
           'Ada Number ' || i, '{"city": "Springfield"}', 'en', '', left(md5(%(slug)s || i), 22),
           encode(sha256((%(slug)s || i)::bytea), 'hex'), now(), now()
    FROM generate_series(1, %(n)s) i RETURNING id"""
_SUBSCRIBED = """
    WITH person AS ({subscribers})
    INSERT INTO mailinglist_subscription (list_id, subscriber_id, status, source, consent_user_agent, consent_text,
                                          unsubscribe_reason, created_at)
    SELECT %(list)s, id, 'confirmed', 'benchmark', '', '', '', now() FROM person ORDER BY id"""

BODY = """# The news of the week, {{ name }}

We have been busy. Here is **what is new** in {{ city }} and elsewhere, in five minutes of reading.

## The library opens again

After a year of work the [reading room](https://www.example.org/news/library?from=mail) opens on Monday. The roof is
tight, the heating is quiet, and there are four hundred new places with light and current.

## Three dates to remember

- Monday: [guided tour](https://www.example.org/events/tour) through the new building
- Wednesday: [reading for children](https://www.example.org/events/children), from six years on
- Saturday: [open workshop](https://www.example.org/events/workshop); bring what is broken

## Thank you

Your letters have changed the plans for the garden. [Read what became of them](https://www.example.org/garden).
"""


def make_list(n: int, *, domain: str = "%(slug)s || '.example'", name: str = "The week") -> int:
    """A list with ``n`` confirmed people; its id. ``domain``: SQL for that of person number ``i``."""
    slug = f"bench-{n}"
    made = MailingList.objects.create(
        slug=slug, name=name, from_name="City Library", from_email="news@library.example",
        postal_address="City Library, 1 Main Street, Springfield",
    )  # fmt: skip
    with connection.cursor() as cursor:
        subscribers = _SUBSCRIBERS.replace("{domain}", domain)
        cursor.execute(_SUBSCRIBED.format(subscribers=subscribers), {"slug": slug, "n": n, "list": made.pk})
        cursor.execute("ANALYZE")  # the time for autovacuum to come by
    return made.pk


def start_campaign(list_id: int) -> tuple[int, float]:
    """A campaign to the list, started: its id, and the seconds that the start with its snapshot took."""
    campaign = Campaign.objects.create(name="Week 47", subject="News of the week, {{ name }}", body=BODY)
    campaign.lists.add(list_id)
    begun = time.monotonic()
    assert lifecycle.start(campaign.pk, by=SYSTEM)
    return campaign.pk, time.monotonic() - begun


def write_csv(file: Path, n: int) -> None:
    """``n`` different people with name, language and two attributes."""
    with file.open("w", newline="") as out:
        rows = csv.writer(out)
        rows.writerow(("email", "name", "language", "city", "customer"))
        rows.writerows(
            (f"Reader.{i}@{file.stem}{i % 100}.com", f"Ada Number {i}", "en", "Springfield", f"c-{i}")
            for i in range(n)
        )
