"""After a restore nothing leaves by itself: what left after the backup is not known, and would leave twice."""

import json
from datetime import timedelta
from io import StringIO

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from mailinglist import lifecycle, restored, tasks
from mailinglist.changes import SYSTEM
from mailinglist.models import Campaign, Delivery, Home
from mailinglist.sending import engine, home, queue
from mailinglist.sending.transport import Raw
from tests.factories import make_campaign, make_list
from tests.mailinglist.sending.helpers import FakeSES, claim, started, states

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("rung")]


def restore() -> None:
    """As if the rows had been read into another database."""
    assert not home.has_moved()
    Home.objects.update(fingerprint="7.1.16384.16400")


def test_at_home_the_sweep_changes_nothing() -> None:
    campaign = started(2)
    for _ in range(2):
        assert not restored.look()
    assert Campaign.objects.get(pk=campaign.pk).status == "sending"
    assert Home.objects.count() == 1


def test_a_campaign_that_was_sending_is_paused_and_says_why() -> None:
    campaign, ses = started(2), FakeSES()
    post = Raw(ses)
    restore()
    assert isinstance(engine.run(campaign.pk, transport=post), engine.More)
    assert ses.to == []
    tasks.tidy()
    campaign.refresh_from_db()
    assert (campaign.status, campaign.status_reason) == ("paused", restored.REASON)
    assert "restored from a backup" in campaign.status_detail
    assert states(campaign) == [("queued", "")] * 2, "it goes on where it was when a manager resumes"
    assert not restored.look()
    lifecycle.resume(campaign.pk, by=SYSTEM)
    assert engine.run(campaign.pk, transport=post) == engine.Drained()
    assert len(ses.to) == 2


def test_after_a_cold_copy_one_command_brings_it_up_paused() -> None:
    """Same cluster, same database: nothing but the operator knows that it is a copy."""
    campaign, ses, out = started(2), FakeSES(), StringIO()
    planned = make_campaign(campaign.lists.get())
    later = timezone.now() + timedelta(hours=1)
    Campaign.objects.filter(pk=planned.pk).update(status="scheduled", scheduled_at=later)
    retried = make_campaign(campaign.lists.get())
    lifecycle.start(retried.pk, by=SYSTEM)
    Campaign.objects.filter(pk=retried.pk).update(status="finished")
    assert not restored.look()
    call_command("come_up_paused", "--json", stdout=out)
    assert json.loads(out.getvalue()) == {"paused": 1, "unscheduled": 1, "mails": 2}
    assert engine.run(campaign.pk, transport=Raw(ses)) == engine.run(retried.pk, transport=Raw(ses))
    assert ses.to == [] and states(retried) == [("unknown", "held")] * 2
    campaign.refresh_from_db()
    assert (campaign.status, campaign.status_reason) == ("paused", restored.REASON)
    call_command("come_up_paused", stdout=out)
    assert "Campaigns paused: 0." in out.getvalue()


def test_a_scheduled_campaign_is_a_draft_again() -> None:
    campaign = make_campaign(make_list("news"))
    Campaign.objects.filter(pk=campaign.pk).update(
        status="scheduled", scheduled_at=timezone.now() - timedelta(hours=1)
    )
    restore()
    tasks.tidy()
    assert Campaign.objects.get(pk=campaign.pk).status == "draft"
    assert Delivery.objects.count() == 0


def test_retries_of_a_finished_campaign_wait_for_a_manager() -> None:
    campaign = started(1)
    queue.finish([(claim(campaign)[0], engine.Accepted("m"))])
    lifecycle.finish_if_done(campaign.pk)
    delivery = campaign.deliveries.get()
    queue.settle(
        delivery.pk,
        state=Delivery.State.WAITING,
        reason="soft:mailbox-full",
        from_states=[Delivery.State.SENT],
        next_attempt_at=timezone.now(),
    )
    restore()
    assert restored.look()
    assert states(campaign) == [("unknown", "held")]


@pytest.mark.django_db(transaction=True)
def test_a_database_with_the_same_tables_elsewhere_is_another_one() -> None:
    options = connection.get_connection_params()
    options = {name: options[name] for name in ("host", "port", "user", "dbname") if name in options}
    with psycopg.connect(**options, autocommit=True) as here:
        here.execute("DROP DATABASE IF EXISTS restored_elsewhere")
        here.execute("CREATE DATABASE restored_elsewhere")
        try:
            with psycopg.connect(**{**options, "dbname": "restored_elsewhere"}) as there:
                found = [each.execute(f"SELECT {home.FINGERPRINT}").fetchone() for each in (here, there)]
        finally:
            here.execute("DROP DATABASE restored_elsewhere")
    assert found[0] and found[1] and found[0] != found[1]


def test_who_may_only_use_the_tables_may_ask() -> None:
    """Managed databases give no superuser."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE ROLE plain_user; SET LOCAL ROLE plain_user")
        cursor.execute(f"SELECT {home.FINGERPRINT}")
        assert cursor.fetchone()[0].count(".") == 3
        cursor.execute("RESET ROLE")
