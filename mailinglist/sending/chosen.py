"""Whom a campaign leaves out of the subscribers of its lists, as conditions about the person ``s``.

The snapshot, the counts and the local times all ask these, and nothing else, so that they cannot disagree.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from django.db import connection
from django.utils import timezone

from mailinglist.models import Campaign
from mailinglist.segments import rules, sql, words
from mailinglist.segments.kinds import Condition
from mailinglist.segments.questions import GOT

#: States in which the mail did not reach the person and does not try any more. Whether a bounce says that nothing can
#: reach them is asked of its attempts.
MISSED = ("failed", "expired", "bounced")


@dataclass(frozen=True, slots=True)
class LeftOut:
    """People whom ``condition`` holds for; ``why`` ends the sentence “… people who …”."""

    code: str
    why: str
    condition: Condition


def left_out(campaign: Campaign, now: datetime | None = None) -> list[LeftOut]:
    """In the order in which a person's reason is looked for; empty for a campaign to all subscribers of its lists.

    Raises segments.rules.BadRules for a segment with a rule that is not known any more.
    """
    now = now or timezone.now()
    found: list[LeftOut] = []
    if campaign.follows_id is not None:
        found += _not_missed(campaign)
    choice = _choice(campaign)
    if only := choice.get("include_segments"):
        text, values = sql.joined(" OR ", only, lambda segment: sql.of_segment(segment, now))
        found.append(LeftOut("not-in-segment", "are in none of the segments", (f"NOT {text}", values)))
    if segments := choice.get("exclude_segments"):
        condition = sql.joined(" OR ", segments, lambda segment: sql.of_segment(segment, now))
        found.append(LeftOut("in-segment", "are in a segment that is left out", condition))
    for code, why, name, rows in (
        ("tagged", "have a tag that is left out", "exclude_tags", _TAGGED),
        ("on-list", "are subscribed to a list that is left out", "exclude_lists", _LISTED),
        ("got-other", "got another campaign that is left out", "exclude_campaigns", _GOT),
    ):
        if ids := sorted(row.pk for row in choice.get(name, ())):
            found.append(LeftOut(code, why, (f"EXISTS ({rows})", [ids])))
    return found


def prefetch(campaign: Campaign) -> None:
    """Have the choice at hand for a page that asks for it again and again, by one statement. Of what is chosen only the
    name is there, and of segments the rules; anything else of it is asked for when it is used.
    """
    made = _choice(campaign)
    cache = campaign.__dict__.setdefault("_prefetched_objects_cache", {})
    for name in FIELDS:
        cache[name] = getattr(campaign, name).all()
        cache[name]._result_cache = made.get(name, [])


def condition(reasons: list[LeftOut]) -> Condition:
    """Who is not left out, as " AND …" after a condition; nothing where nobody is."""
    text = "".join(f" AND NOT ({one.condition[0]})" for one in reasons)
    return text, [value for one in reasons for value in one.condition[1]]


def family(campaign: Campaign) -> list[int]:
    """The campaign it follows and all that follow that one, without itself: together they reach a person once."""
    first = campaign.follows_id or campaign.pk
    others = Campaign.objects.filter(follows_id=first).values_list("pk", flat=True)
    return sorted({first, *others} - {campaign.pk})


def described(campaign: Campaign) -> dict[str, Any]:
    """The choice as it stands, for the history: a segment may be changed later."""

    def segments(rows: Any) -> list[str]:
        return [f"{row}: {words.sentence(rules.read(row.rules))}" for row in rows.order_by("pk")]

    found: dict[str, Any] = {
        "only_in": segments(campaign.include_segments),
        "not_in": segments(campaign.exclude_segments),
        "not_tagged": [str(row) for row in campaign.exclude_tags.all()],
        "not_on": [str(row) for row in campaign.exclude_lists.all()],
        "not_who_got": _ids(campaign.exclude_campaigns),
    }
    if campaign.follows_id:
        found["follows"] = campaign.follows_id
    return {name: value for name, value in found.items() if value}


#: The fields of a campaign that hold its choice.
FIELDS = ("include_segments", "exclude_segments", "exclude_tags", "exclude_lists", "exclude_campaigns")
_CHOICE = """
    SELECT 'include_segments', r.id, r.name, r.rules FROM mailinglist_campaign_include_segments c
        JOIN mailinglist_segment r ON r.id = c.segment_id WHERE c.campaign_id = %(campaign)s
    UNION ALL SELECT 'exclude_segments', r.id, r.name, r.rules FROM mailinglist_campaign_exclude_segments c
        JOIN mailinglist_segment r ON r.id = c.segment_id WHERE c.campaign_id = %(campaign)s
    UNION ALL SELECT 'exclude_tags', r.id, r.name, NULL FROM mailinglist_campaign_exclude_tags c
        JOIN mailinglist_tag r ON r.id = c.tag_id WHERE c.campaign_id = %(campaign)s
    UNION ALL SELECT 'exclude_lists', r.id, r.name, NULL FROM mailinglist_campaign_exclude_lists c
        JOIN mailinglist_mailinglist r ON r.id = c.mailinglist_id WHERE c.campaign_id = %(campaign)s
    UNION ALL SELECT 'exclude_campaigns', r.id, r.name, NULL FROM mailinglist_campaign_exclude_campaigns c
        JOIN mailinglist_campaign r ON r.id = c.to_campaign_id WHERE c.from_campaign_id = %(campaign)s
    ORDER BY 1, 3, 2"""
_TAGGED = "SELECT 1 FROM mailinglist_subscribertag t WHERE t.subscriber_id = s.id AND t.tag_id = ANY(%s)"
_LISTED = (
    "SELECT 1 FROM mailinglist_subscription o WHERE o.subscriber_id = s.id AND o.list_id = ANY(%s) "
    "AND o.status = 'confirmed'"
)
_MAILS = "SELECT 1 FROM mailinglist_delivery d WHERE d.subscriber_id = s.id AND d.campaign_id = ANY(%s)"
_GOT = _MAILS + " AND d.state IN ('" + "', '".join(GOT) + "')"
# A hard bounce is taken back when the person is restored, or confirms again, later: as in bounces/policy.py. The person
# is read once more, so that PostgreSQL can find all of these, who are few, at once instead of asking for each ``s``.
_NEVER = """
    SELECT 1 FROM mailinglist_delivery d JOIN mailinglist_subscriber x ON x.id = d.subscriber_id
    LEFT JOIN mailinglist_attempt a ON a.delivery_id = d.id AND a.verdict = 'hard'
        AND a.started_at >= coalesce(x.reset_at, '-infinity')
    WHERE d.subscriber_id = s.id AND d.campaign_id = ANY(%s)
        AND (d.state = 'complained' OR d.state = 'bounced' AND a.id IS NOT NULL)"""
_MISSED = _MAILS + " AND d.state IN ('" + "', '".join(MISSED) + "')"
_NEW = (
    "SELECT 1 FROM mailinglist_subscription n WHERE n.subscriber_id = s.id AND n.list_id = ANY(%s) "
    "AND n.status = 'confirmed' AND coalesce(n.confirmed_at, n.created_at) > %s"
)


def _choice(campaign: Campaign) -> dict[str, list[Any]]:
    """Name of the field → what is chosen there, by name: of all five in one statement, or as it was prefetched."""
    known = campaign.__dict__.get("_prefetched_objects_cache", {})
    if all(name in known for name in FIELDS):
        return {name: list(known[name]) for name in FIELDS if known[name]}
    found: dict[str, list[Any]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_CHOICE, {"campaign": campaign.pk})
        for field, pk, name, asked in cursor.fetchall():
            row = {"id": pk, "name": name} | ({"rules": json.loads(asked)} if asked else {})
            model = cast(Any, Campaign._meta.get_field(field).related_model)
            found.setdefault(field, []).append(model.from_db(connection.alias, list(row), list(row.values())))
    return found


def _not_missed(campaign: Campaign) -> list[LeftOut]:
    first, mails = campaign.follows, family(campaign)
    why, wanted = "got it, may still get it, or were not sent it", f"EXISTS ({_MISSED})"
    values: list[Any] = [mails]
    if campaign.follow_newcomers and first is not None:
        why += " and did not subscribe since"
        wanted = f"({wanted} OR (EXISTS ({_NEW}) AND NOT EXISTS ({_MAILS})))"
        values = [mails, _ids(campaign.lists), first.started_at, mails]
    # Whom it was to reach is asked first: they are few, and who got it would be looked up for each of a million.
    reached = f"NOT ({wanted} AND NOT EXISTS ({_GOT}))"
    return [
        LeftOut("never", "bounced hard, or reported it as spam", (f"EXISTS ({_NEVER})", [mails])),
        LeftOut("reached", why, (reached, [*values, mails])),
    ]


def _ids(rows: Any) -> list[int]:
    return list(rows.order_by("pk").values_list("pk", flat=True))
