"""Opens and clicks of campaign mails as numbers. The only writer of Engagement.

``write`` is called by ``bounces.engagement``, which judges the events; ``numbers`` by the report of a campaign. A
report reads one narrow row per mail that was opened or followed, never the events.
"""

import json
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

from django.db import connection

from mailinglist.composing.links import Links
from mailinglist.models import Campaign, CampaignVersion, Engagement

#: Links that a report names, those that most people followed first.
MOST_LINKS = 50


@dataclass(frozen=True, slots=True)
class Row:
    """The columns of one Engagement."""

    delivery_id: int
    campaign_id: int
    opened: str
    clicked: str
    proxied: bool
    opens: int
    clicks: int
    links_person: tuple[int, ...] = ()
    links_unsure: tuple[int, ...] = ()
    links_machine: tuple[int, ...] = ()


# One JSON document for all rows costs a fraction of ten parameters for each.
_WRITE = """
    INSERT INTO mailinglist_engagement (delivery_id, campaign_id, opened, clicked, proxied, opens, clicks,
                                        links_person, links_unsure, links_machine)
    SELECT * FROM json_to_recordset(%s::json) AS row (
        delivery_id bigint, campaign_id bigint, opened text, clicked text, proxied bool, opens int, clicks int,
        links_person smallint[], links_unsure smallint[], links_machine smallint[])
    ON CONFLICT (delivery_id) DO UPDATE SET opened = excluded.opened, clicked = excluded.clicked,
        proxied = excluded.proxied, opens = excluded.opens, clicks = excluded.clicks,
        links_person = excluded.links_person, links_unsure = excluded.links_unsure,
        links_machine = excluded.links_machine"""
_COUNT = """
    SELECT count(*) FILTER (WHERE opened = 'person'), count(*) FILTER (WHERE opened = 'unsure'),
           count(*) FILTER (WHERE opened = 'machine'), count(*) FILTER (WHERE opened = 'person' AND proxied),
           count(*) FILTER (WHERE clicked = 'person'), count(*) FILTER (WHERE clicked = 'unsure'),
           count(*) FILTER (WHERE clicked = 'machine'),
           count(*) FILTER (WHERE opened = 'person' OR clicked = 'person'),
           coalesce(sum(opens), 0), coalesce(sum(clicks), 0)
    FROM mailinglist_engagement WHERE campaign_id = %s"""
_NAMES = (
    "opened_by_people",
    "opened_unsure",
    "opened_by_machines",
    "opened_through_proxy",
    "clicked_by_people",
    "clicked_unsure",
    "clicked_by_machines",
    "readers",
    "opens",
    "clicks",
)
_LINKS = """
    SELECT link, count(*) FILTER (WHERE who = 'person'), count(*) FILTER (WHERE who = 'unsure'),
           count(*) FILTER (WHERE who = 'machine')
    FROM mailinglist_engagement e CROSS JOIN LATERAL (
        SELECT unnest(e.links_person) AS link, 'person' AS who
        UNION ALL SELECT unnest(e.links_unsure), 'unsure'
        UNION ALL SELECT unnest(e.links_machine), 'machine') followed
    WHERE e.campaign_id = %s AND e.clicks > 0
    GROUP BY link ORDER BY 2 DESC, 4 DESC, 1 LIMIT %s"""


def write(rows: Sequence[Row]) -> None:
    """Insert or replace these rows. Call it in a transaction that has locked their deliveries."""
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(
                _WRITE, [json.dumps([asdict(row) for row in sorted(rows, key=lambda row: row.delivery_id)])]
            )


def known(delivery_ids: Collection[int]) -> dict[int, dict[str, int]]:
    """The number of opens and clicks of those that were opened or followed before: {id: {"open": …, "click": …}}."""
    if not delivery_ids:
        return {}
    rows = Engagement.objects.filter(delivery_id__among=delivery_ids)
    return {
        pk: {"open": opens, "click": clicks}
        for pk, opens, clicks in rows.values_list("delivery_id", "opens", "clicks")
    }


@lru_cache(maxsize=64)
def links_of(version_id: int) -> Links:
    """The links of a version, whose content never changes."""
    return Links(CampaignVersion.objects.values_list("html", flat=True).get(pk=version_id))


def numbers(campaign_id: int) -> dict[str, Any]:
    """What recipients did with a campaign's mails, each mail counted once.

    opened_by_people, opened_unsure, opened_by_machines: mails that a person opened; that nobody can tell of; that only
    programs opened. opened_through_proxy: of the first, those of which only the provider's proxy is seen. clicked_…:
    the same for links. readers: mails that a person opened or followed. opens, clicks: events, whoever caused them.
    links: per link its address as it was written ("": no link of the mail), its number, and the mails in which people,
    nobody knows who, and only programs followed it.
    """
    version_id = None
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, [campaign_id])
        counts = dict(zip(_NAMES, map(int, cursor.fetchone()), strict=True))
        followed: list[tuple[int, int, int, int]] = []
        if counts["clicks"]:
            version_id = Campaign.objects.filter(pk=campaign_id).values_list("version_id", flat=True).first()
        if version_id:
            cursor.execute(_LINKS, [campaign_id, MOST_LINKS])
            followed = cursor.fetchall()
    links = [
        {
            "link": links_of(version_id).address(number),
            "number": number,
            "people": people,
            "unsure": unsure,
            "machines": machines,
        }
        for number, people, unsure, machines in followed
    ]
    return {**counts, "links": links}
