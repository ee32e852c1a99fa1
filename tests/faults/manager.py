"""A process that acts for the people of the rig: one JSON command a line on stdin, one JSON answer a line on stdout.

``python -m tests.faults.manager``: the only part of the rig that runs the app's own code. It calls the same functions as
the admin and the public pages. Commands may come from several threads of the rig; each is answered by its id.
"""

import json
import os
import sys
import threading
from collections.abc import Callable
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.faults.settings")
django.setup()

from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import close_old_connections, connection  # noqa: E402
from django.utils import timezone  # noqa: E402

from mailinglist import addresses, lifecycle, subscriptions, tasks  # noqa: E402
from mailinglist.changes import SYSTEM  # noqa: E402
from mailinglist.models import Campaign, Delivery, MailingList, Subscriber, Subscription  # noqa: E402
from mailinglist.sending import audience, queue  # noqa: E402

_say = threading.Lock()


def migrate() -> None:
    call_command("migrate", "--noinput", verbosity=0)


def seed(emails: list[str], slug: str, body: str) -> int:
    """A list with these people, and a draft campaign for it; returns the campaign's id."""
    mailing_list = MailingList.objects.create(
        slug=slug,
        name=slug,
        from_name="Acme",
        from_email="news@acme.example",
        postal_address="Acme, 1 Main Street",
    )
    secret = bytes.fromhex(settings.SUPPRESSION_KEY)
    people = []
    for email in emails:
        key = addresses.normalise(email).key if "@" in email else email
        people.append(
            Subscriber(
                email=email,
                email_key=key,
                name="Ada",
                suppression_key=addresses.suppression_key(key, secret=secret),
            )
        )
    Subscriber.objects.bulk_create(people, batch_size=5000)
    Subscription.objects.bulk_create(
        [
            Subscription(
                list=mailing_list,
                subscriber=person,
                status="confirmed",
                source="rig",
                confirmed_at=timezone.now(),
            )
            for person in people
        ],
        batch_size=5000,
    )
    campaign = Campaign.objects.create(name=slug, subject=f"News of {slug}", body=body)
    campaign.lists.set([mailing_list])
    return campaign.pk


def start(campaign: int) -> bool:
    return lifecycle.start(campaign, by=SYSTEM)


def schedule_in(campaign: int, seconds: float) -> None:
    """By the database's clock."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp() + make_interval(secs => %s)", [seconds])
        at = cursor.fetchone()[0]
    lifecycle.schedule(campaign, at=at, by=SYSTEM)


def pause(campaign: int) -> bool:
    return lifecycle.pause(campaign, reason="manager", text="Paused by the rig.", by=SYSTEM)


def resume(campaign: int) -> bool:
    return lifecycle.resume(campaign, by=SYSTEM)


def cancel(campaign: int) -> int:
    return lifecycle.cancel(campaign, by=SYSTEM)


def edit(campaign: int, subject: str) -> bool:
    """What the admin does with a campaign that may be edited; False where it refuses."""
    row = Campaign.objects.get(pk=campaign)
    if row.editable:
        row.subject = subject
        row.save(update_fields=["subject"])
    # A hand at the database does not ask; what is frozen must not care.
    Campaign.objects.filter(pk=campaign).update(subject=subject)
    return row.editable


def snapshot(campaign: int) -> int:
    """A scheduler that believes it still has to decide who gets the campaign, past every lock."""
    return audience.snapshot(campaign)


def unsubscribe(email: str) -> str:
    """Returns the database's time after the commit."""
    person = Subscriber.objects.get(email=email)
    subscriptions.unsubscribe(
        person.pk, reason=Subscription.Reason.ONE_CLICK, by=SYSTEM, why="The rig's click."
    )
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()::text")
        return str(cursor.fetchone()[0])


def subscribe(email: str, slug: str) -> str:
    """A visitor signs up; whatever the broker does, this must work."""
    mailing_list = MailingList.objects.get(slug=slug)
    consent = subscriptions.Consent(at=timezone.now(), ip=None, user_agent="rig", text="I want it.")
    return str(subscriptions.subscribe(mailing_list, email, consent=consent, source="form", by=SYSTEM))


def resend_held(campaign: int) -> int:
    """The manager's click on everything whose outcome stayed unknown and was not set aside."""
    held = Delivery.objects.filter(campaign_id=campaign, state="unknown", reason="held")
    ids = list(held.values_list("pk", flat=True))
    for pk in ids:
        queue.resend(pk, by=SYSTEM)
    return len(ids)


def ring(campaign: int, times: int) -> None:
    """The broker delivers the message for this campaign so many times."""
    for _ in range(times):
        tasks.send_campaign.apply_async(args=(campaign,))


COMMANDS: dict[str, Callable[..., Any]] = {
    function.__name__: function
    for function in (
        migrate, seed, start, schedule_in, pause, resume, cancel, edit, snapshot, unsubscribe, subscribe, resend_held,
        ring,
    )
}  # fmt: skip


def answer(line: str) -> None:
    asked = json.loads(line)
    close_old_connections()
    try:
        found: dict[str, Any] = {"value": COMMANDS[asked["do"]](**asked["with"])}
    except Exception as error:  # told to the rig, which decides whether it was to be expected
        found = {"error": f"{type(error).__name__}: {error}"}
    finally:
        connection.close()
    with _say:
        print(json.dumps({"id": asked["id"], **found}), flush=True)


if __name__ == "__main__":
    for line in sys.stdin:
        threading.Thread(target=answer, args=[line], daemon=True).start()
