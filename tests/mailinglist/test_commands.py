"""The commands of the core: what they print, for people and machines, and how they refuse."""

import io
import json
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone

from mailinglist import lifecycle
from mailinglist.changes import SYSTEM
from mailinglist.models import Campaign, Delivery, MailingList, Subscription
from tests.factories import make_campaign, make_list, make_subscriber

pytestmark = pytest.mark.django_db


def run(name: str, *arguments: str) -> str:
    out = io.StringIO()
    call_command(name, *arguments, stdout=out)
    return out.getvalue()


def run_json(name: str, *arguments: str) -> Any:
    return json.loads(run(name, *arguments, "--json"))


@pytest.mark.parametrize("name", ["send_campaign", "campaign_report"])
def test_a_campaign_that_is_not_there_is_told(name: str) -> None:
    with pytest.raises(CommandError, match="There is no campaign 99") as refusal:
        run(name, "99")
    assert refusal.value.returncode == 2


@pytest.mark.parametrize("arguments", [(), ("seven",), ("7", "--unknown")])
@pytest.mark.parametrize("name", ["send_campaign", "campaign_report"])
def test_wrong_arguments_are_told(name: str, arguments: tuple[str, ...]) -> None:
    with pytest.raises(CommandError, match="Error"):
        run(name, *arguments)


def test_a_draft_starts_and_its_counts_are_printed() -> None:
    news = make_list("news")
    make_subscriber("ada@post.example", news)
    campaign = make_campaign(news)
    found = run_json("send_campaign", str(campaign.pk))
    assert (found["campaign"], found["status"], found["recipients"]) == (campaign.pk, "sending", 1)
    assert found["by_state"]["queued"] == 1
    assert Delivery.objects.count() == 1


def test_starting_again_is_refused_with_a_sentence_and_queues_nobody_twice() -> None:
    news = make_list("news")
    make_subscriber("ada@post.example", news)
    campaign = make_campaign(news)
    run("send_campaign", str(campaign.pk))
    lifecycle.cancel(campaign.pk, by=SYSTEM)
    with pytest.raises(CommandError, match=f"Campaign {campaign.pk} cannot start"):
        run("send_campaign", str(campaign.pk))
    assert Delivery.objects.count() == 1


def test_a_scheduled_campaign_waits_for_its_time_unless_told() -> None:
    news = make_list("news")
    make_subscriber("ada@post.example", news)
    campaign = make_campaign(news)
    Campaign.objects.filter(pk=campaign.pk).update(
        status="scheduled", scheduled_at=timezone.now() + timedelta(days=1)
    )
    with pytest.raises(CommandError, match="--now"):
        run("send_campaign", str(campaign.pk))
    assert run("send_campaign", str(campaign.pk), "--now").startswith(f"Campaign {campaign.pk} is sending")


def test_a_campaign_that_is_not_ready_says_what_is_missing() -> None:
    campaign = make_campaign(make_list("news"), subject="")
    with pytest.raises(CommandError, match="cannot start"):
        run("send_campaign", str(campaign.pk))
    campaign.refresh_from_db()
    assert campaign.status == "draft"


def test_the_report_of_a_draft_is_empty_and_has_all_keys() -> None:
    campaign = make_campaign(make_list("news"))
    found = run_json("campaign_report", str(campaign.pk))
    contract = {
        "recipients", "by_state", "attempts", "duplicates", "hard", "soft", "block", "complaints", "retried",
        "recovered",
    }  # fmt: skip
    assert contract <= set(found)
    assert found["recipients"] == 0
    assert "recipients" in run("campaign_report", str(campaign.pk))


def test_the_first_administrator_is_made_once_and_the_password_shown_once() -> None:
    first = run_json("create_first_admin")
    assert User.objects.get().check_password(first["password"])
    assert run_json("create_first_admin", "--username", "eve") == {"username": "admin", "password": None}
    assert "Nothing was changed" in run("create_first_admin")
    assert User.objects.count() == 1


def test_everything_is_prepared_at_once_and_the_demo_loaded_only_at_first() -> None:
    words = run("prepare", "--load-demo")
    name = User.objects.get().get_username()
    assert f"Administrator {name} with password" in words and Subscription.objects.exists()
    Subscription.objects.all().delete()
    *_, last = run("prepare", "--load-demo", "--json").splitlines()
    assert json.loads(last) == {"username": name, "password": None}
    assert not Subscription.objects.exists()


def test_an_administrator_is_told_to_people_too() -> None:
    words = run("create_first_admin", "--username", "root")
    assert "root" in words and "shown only now" in words


def test_the_demo_is_loaded_once() -> None:
    first = run_json("load_demo", "--recipients", "20")
    demo = MailingList.objects.get(slug="garden")
    assert demo.from_name not in demo.postal_address, "the foot of a mail would say it twice"
    assert Subscription.objects.filter(list__slug=first["list"]).count() == 20
    assert Campaign.objects.get(pk=first["campaign"]).status == "draft"
    run("load_demo", "--recipients", "20")
    assert MailingList.objects.count() == 1


@pytest.mark.parametrize("count", ["0", "-1", "1000001"])
def test_a_demo_of_an_odd_size_is_refused(count: str) -> None:
    with pytest.raises(CommandError, match="between 1 and 1000000") as refusal:
        run("load_demo", f"--recipients={count}")
    assert refusal.value.returncode == 2
    assert not MailingList.objects.exists()


def test_there_is_no_demo_in_production(settings: Any) -> None:
    settings.LOCAL = False
    with pytest.raises(CommandError, match="production"):
        run("load_demo")
