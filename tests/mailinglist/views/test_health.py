"""Addresses for machines that watch us."""

import os
from datetime import timedelta
from unittest import mock

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from bounces.models import Notification
from mailinglist.models import Delivery, SendBudget
from mailinglist.views import health
from tests.factories import make_campaign, make_list, make_subscriber

HERE = {"HTTP_HOST": "127.0.0.1:8000"}


def test_healthz_answers_without_a_database(client: Client) -> None:
    # No django_db mark: a query here would fail the test.
    answer = client.get("/healthz")
    assert (answer.status_code, answer.content) == (200, b"ok\n")
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.django_db
def test_readyz_is_green_on_a_migrated_database(client: Client) -> None:
    assert client.get("/readyz").status_code == 200


@pytest.mark.django_db
def test_readyz_tells_this_machine_alone_which_server_answers(client: Client) -> None:
    assert client.get("/readyz", **HERE)["X-Process"] == str(os.getppid())
    assert "X-Process" not in client.get("/readyz", **HERE, HTTP_X_FORWARDED_FOR="203.0.113.9")
    assert "X-Process" not in client.get("/readyz", **HERE, REMOTE_ADDR="203.0.113.9")


@pytest.mark.django_db
def test_readyz_names_the_migration_that_is_missing(client: Client) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'bounces'")
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert "bounces.0" in answer.content.decode()
    assert "manage.py migrate" in answer.content.decode()


@pytest.mark.django_db
def test_readyz_is_green_where_the_migrations_came_one_by_one(client: Client) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE name LIKE '0001_squashed_%'")
        assert cursor.rowcount == 2
        assert client.get("/readyz").status_code == 200
        # The newest of bounces is the one that stands for those of before.
        cursor.execute("DELETE FROM django_migrations WHERE app = 'bounces' AND name LIKE '0027_%'")
    assert "bounces.0001_squashed_0027" in client.get("/readyz").content.decode()


@pytest.mark.django_db
def test_readyz_is_red_without_a_database(client: Client) -> None:
    with mock.patch.object(health, "MigrationRecorder", side_effect=OperationalError("secret dsn")):
        answer = client.get("/readyz")
    assert answer.status_code == 503
    assert b"secret" not in answer.content


@pytest.mark.django_db
class TestMetrics:
    def test_this_machine_reads_them(self, client: Client) -> None:
        answer = client.get("/metrics", **HERE)
        assert answer.status_code == 200
        assert answer["Content-Type"].startswith("text/plain; version=0.0.4")

    @pytest.mark.parametrize(
        "elsewhere",
        [
            {"REMOTE_ADDR": "203.0.113.9"},
            {"HTTP_X_FORWARDED_FOR": "127.0.0.1"},
            {"HTTP_X_REAL_IP": "203.0.113.9"},
            {"HTTP_FORWARDED": "for=127.0.0.1"},
            {"HTTP_HOST": "testserver"},
            {"REMOTE_ADDR": ""},
        ],
    )
    def test_nobody_else_does(self, client: Client, settings: object, elsewhere: dict[str, str]) -> None:
        for token in ("", "right-token"):
            settings.METRICS_TOKEN = token  # type: ignore[attr-defined]
            for sent in ("", "Bearer", "Bearer ", "Bearer wrong", "Basic right-token", "right-token"):
                answer = client.get("/metrics", **{**HERE, **elsewhere, "HTTP_AUTHORIZATION": sent})
                assert answer.status_code == 403
                assert b"mailinglist_" not in answer.content

    def test_the_token_opens_them_from_elsewhere(self, client: Client, settings: object) -> None:
        settings.METRICS_TOKEN = "right-token"  # type: ignore[attr-defined]
        sent = {"REMOTE_ADDR": "203.0.113.9", "HTTP_AUTHORIZATION": "Bearer right-token"}
        assert client.get("/metrics", **sent).status_code == 200

    def test_they_count_what_is_worked_on(self, client: Client) -> None:
        news = make_list()
        ada = make_subscriber("ada@post.example", news)
        make_campaign(news)
        Delivery.objects.create(list=news, subscriber=ada, purpose="confirmation")
        SendBudget.objects.create(name='eu "1"', max_send_rate=14, refilled_at=timezone.now())
        Notification.objects.create(source="sns", raw=b"{}", dedupe_key="1")
        Notification.objects.update(received_at=timezone.now() - timedelta(seconds=90))
        lines = client.get("/metrics", **HERE).content.decode().splitlines()
        assert 'mailinglist_deliveries{state="queued"} 1' in lines
        assert 'mailinglist_deliveries{state="unknown"} 0' in lines
        assert 'mailinglist_campaigns{status="draft"} 1' in lines
        assert 'mailinglist_notifications{state="stored"} 1' in lines
        assert 'mailinglist_send_budget_max_send_rate{budget="eu \\"1\\""} 14' in lines
        age = next(
            line for line in lines if line.startswith("mailinglist_oldest_stored_notification_age_seconds ")
        )
        assert 90 <= float(age.split()[1]) < 120

    def test_they_hold_no_personal_data(self, client: Client) -> None:
        make_subscriber("ada@post.example", make_list(), name="Ada Lovelace")
        page = client.get("/metrics", **HERE).content.decode()
        assert "@" not in page
        assert "Ada" not in page

    def test_no_query_counts_the_whole_table_of_deliveries(self, client: Client) -> None:
        indexed = {"'queued'", "'sending'", "'waiting'", "'unknown'"}
        with CaptureQueriesContext(connection) as queries:
            client.get("/metrics", **HERE)
        about = [query["sql"] for query in queries if "mailinglist_delivery" in query["sql"]]
        assert len(about) == len(indexed)
        assert all(any(sql.endswith(f"= {state}") for state in indexed) for sql in about), about
