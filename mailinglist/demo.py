"""The demo: a list with a realistic mix of good and bad addresses, and a campaign to it.

The local SES decides each outcome by the part before the @ (see sandbox/outcomes.py); every address here is in a
domain reserved for examples. Called by ``load_demo`` only.
"""

import csv
import io
from collections.abc import Iterator

from django.db import transaction

from mailinglist import imports
from mailinglist.changes import Actor, Kind
from mailinglist.models import Campaign, MailingList

BY = Actor(Kind.COMMAND, evidence={"command": "load_demo"})
#: Local part → share of the recipients: about 3 % hard, 4 % soft of several kinds, 1 % blocks, 0.3 % complaints.
MIX = {
    "bounce": 0.024,
    "nodomain": 0.003,
    "delivered-then-bounce": 0.003,
    "full": 0.008,
    "soft": 0.006,
    "later+2": 0.020,
    "later+3": 0.006,
    "undetermined": 0.002,
    "block": 0.010,
    "toolarge": 0.001,
    "complaint": 0.003,
    "notspam": 0.001,
    "ooto": 0.004,
    "delay": 0.004,
    "refused": 0.001,
    "reject": 0.001,
}
SIMULATOR = ("success", "bounce", "ooto", "complaint", "suppressionlist")
_FIRST = "Ada Ben Chloé Dario Elif Farid Grete Hanna Ivo Jürgen Kim Lena Mariam Nils Olga Pavel Rosa Søren Tom Yuki"
_LAST = (
    "Abel Brandt Costa Dahl Eriksen Fischer Gomez Haas Ito Jansen Kaya Lind Moreau Novák Okafor Petrov Rossi"
)
_BODY = """\
# Hello {{ name|default:"there" }}

This is the first issue of our little garden letter. **Three things** grew this week:

1. Beans, as always too many of them.
2. A sunflower that nobody planted.
3. The number of slugs.

[Read the whole story](https://example.com/garden)

See you next week!
"""


def load(recipients: int) -> tuple[MailingList, Campaign]:
    """The demo list with at least ``recipients`` people, made once, and a new draft campaign to it."""
    with transaction.atomic():
        mailing_list, _ = MailingList.objects.get_or_create(
            slug="garden",
            defaults={
                "name": "The Garden Letter",
                "description": "What grows, what does not, and why. Once a week.",
                "from_name": "The Garden Letter",
                "from_email": "letter@garden.example",
                "postal_address": "1 Bean Row, Greentown",
            },
        )
    imports.import_csv(mailing_list.pk, _csv(recipients), by=BY)
    with transaction.atomic():
        number = Campaign.objects.filter(lists=mailing_list).count() + 1
        campaign = Campaign.objects.create(
            name=f"Garden Letter {number}",
            subject="Beans, sunflowers and slugs",
            preheader="What grew this week",
            body=_BODY,
        )
        campaign.lists.add(mailing_list)
    return mailing_list, campaign


def _csv(recipients: int) -> io.BytesIO:
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(["email", "name"])
    rows.writerows(_people(recipients))
    return io.BytesIO(text.getvalue().encode())


def _people(count: int) -> Iterator[tuple[str, str]]:
    """``count`` addresses, the same for the same count; each special one in a domain of its own."""
    first, last = _FIRST.split(), _LAST.split()
    special = [
        f"{local}@post{number}.example"
        for local, share in MIX.items()
        for number in range(round(count * share))
    ]
    special += [f"{local}@simulator.amazonses.com" for local in SIMULATOR]
    special = special[:count]
    for number in range(count):
        name = f"{first[number % len(first)]} {last[number // len(first) % len(last)]}"
        if number < len(special):
            yield special[number], name
        else:
            yield f"reader{number}@letters{number % 40}.example", name
