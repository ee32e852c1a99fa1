"""What managers make beside their mails: segments, tags, values, templates, pictures, imports, and campaigns in every
state. Runs after ``django.setup``, when the people and their mails are there.
"""

from datetime import timedelta

from django.contrib.auth.models import Group, User
from django.db import connection
from django.utils import timezone

from benchmarks import people
from bounces.models import Policy
from mailinglist import attributes, images, import_runs, lifecycle, mail_templates, tags, writing
from mailinglist.changes import SYSTEM
from mailinglist.models import Attribute, Campaign, MailingList, Segment, Subscriber
from mailinglist.segments import rules, store
from tests import logos


def make(number: int) -> None:
    """For ``number`` people. The draft that is left as the newest campaign chooses by all that can be chosen by."""
    _attributes(number)
    tag = tags.make("press", by=SYSTEM)
    tags.put(tag, Subscriber.objects.filter(pk__lte=number // 5), by=SYSTEM)
    segments = _segments(tag.pk)
    mail_templates.ship()
    images.store(logos.PNG, name="square.png", alt="A square", by=SYSTEM)
    Policy.objects.create(list=MailingList.objects.order_by("pk")[0], soft_retry_days=[1, 2, 4])
    Group.objects.create(name="Editors")
    User.objects.create_user("analyst", password=None)
    _imports(number)
    _campaigns(segments, tag.pk)


def _attributes(number: int) -> None:
    for key, kind in (("city", "text"), ("born", "date"), ("visits", "number"), ("member", "yes-no")):
        attributes.save(Attribute(key=key, label=key.capitalize(), kind=kind), by=SYSTEM)
    with connection.cursor() as cursor:
        cursor.execute(
            """UPDATE mailinglist_subscriber SET attributes = jsonb_build_object(
                   'city', 'Town ' || id %% 500, 'born', (date '1950-01-01' + (id %% 20000)::int)::text,
                   'visits', (id %% 90)::text, 'member', CASE WHEN id %% 2 = 0 THEN 'yes' ELSE 'no' END)
               WHERE id <= %s""",
            [number],
        )
        cursor.execute("VACUUM ANALYZE mailinglist_subscriber")


def _segments(tag_id: int) -> list[Segment]:
    """One of each sort of question; the last asks for much of it at once."""
    list_id = MailingList.objects.order_by("pk").values_list("pk", flat=True)[0]
    in_town = {"rule": "attribute-text", "key": "city", "ask": "begins", "value": "Town 4"}
    readers = {"rule": "activity", "ask": "opened", "value": 90}
    silent = {"rule": "activity", "ask": "not-opened", "value": 90}
    well = {"rule": "health", "ask": "not-bounced", "value": 30}
    asked = {
        "Town": ("all", [in_town]),
        "Born late": (
            "all",
            [{"rule": "attribute-date", "key": "born", "ask": "after", "value": "1990-01-01"}],
        ),
        "Readers": ("all", [readers]),
        "The silent": ("all", [silent, {"rule": "joined", "ask": "longer", "value": 180}]),
        "Well": ("all", [well]),
        "Press": ("all", [{"rule": "tag", "ask": "has", "value": tag_id}]),
        "Much at once": (
            "any",
            [
                {"match": "all", "parts": [in_town, silent, well]},
                {"match": "all", "parts": [readers, {"rule": "list", "ask": "confirmed", "value": list_id}]},
                {"rule": "attribute-number", "key": "visits", "ask": "more", "value": "80"},
            ],
        ),
    }
    for name, (match, parts) in asked.items():
        store.save(Segment(name=name), rules.read({"match": match, "parts": parts}), by=SYSTEM)
    return list(Segment.objects.order_by("pk"))


def _imports(number: int) -> None:
    """One that is done, one that was checked, and one whose columns are to be chosen."""
    mailing_list = MailingList.objects.order_by("-pk")[0]
    rows = b"".join(b"guest%d@guests.com,Guest,Springfield\n" % i for i in range(max(10, number // 20)))
    for name, step in (("done.csv", 2), ("checked.csv", 1), ("new.csv", 0)):
        text = b"email,name,city\nno address,Eve,\n" + rows.replace(b"guest", name.encode()[:4])
        row = import_runs.create(mailing_list, [text], file_name=name, encoding="", by=SYSTEM)
        if step:
            import_runs.check(
                row.pk, row.columns, status="confirmed", update=True, consent_text="They signed a paper."
            )
            import_runs.run(row.pk)
        if step == 2:
            import_runs.start(row.pk, by=SYSTEM)
            import_runs.run(row.pk)


def _campaigns(segments: list[Segment], tag_id: int) -> None:
    lists = MailingList.objects.order_by("pk")
    small = MailingList.objects.get(pk=people.make_list(50, name="The circle"))
    planned, stoppable, paused = (_written(name) for name in ("Planned", "About to begin", "Paused"))
    for campaign in (planned, stoppable):
        campaign.lists.set(lists)
    paused.lists.add(small)
    lifecycle.schedule(planned.pk, at=timezone.now() + timedelta(days=2), by=SYSTEM)
    soon = timezone.now() + timedelta(hours=1)
    Campaign.objects.filter(pk=stoppable.pk).update(status="scheduled", scheduled_at=soon, confirmed_for=1)
    lifecycle.start(paused.pk, by=SYSTEM)
    lifecycle.pause(paused.pk, reason="manager", text="Wait.", by=SYSTEM)
    draft = _written("Chosen people")
    draft.lists.set(lists)
    draft.include_segments.set(segments[:2] + segments[-1:])
    draft.exclude_segments.set(segments[3:4])
    draft.exclude_tags.add(tag_id)
    draft.exclude_lists.add(small)
    draft.exclude_campaigns.set(Campaign.objects.filter(status="finished").order_by("-pk")[:1])


def _written(name: str) -> Campaign:
    campaign = Campaign.objects.create(name=name, subject="News", body=people.BODY)
    for _ in range(3):
        campaign.body += "\n\nOne paragraph more."
        campaign.save()
        writing.keep(campaign, by=SYSTEM)
    return campaign
