"""What must not be started: every system check of both apps, with its way out."""

import inspect
import re
from pathlib import Path
from typing import Any

import pytest
from botocore.config import Config
from django.core.checks import CheckMessage, run_checks
from django.core.checks.registry import registry
from django.db import connection
from django.test import override_settings

from bounces import checks as bounces_checks
from mailinglist import apps, checks

PRODUCTION: dict[str, Any] = {
    "MODE": "production",
    "DEBUG": False,
    "PUBLIC_URL": "https://lists.example.org",
    "ALLOWED_HOSTS": ["127.0.0.1", "lists.example.org"],
    "SECRET_KEY": "kq3v9-zt5w1_" * 5,
    "SUPPRESSION_KEY": "0f" * 32,
    "SES_ENDPOINT_URL": "",
    "SNS_CERT_ORIGIN": "",
    "SNS_TRUST_ANCHOR": "",
    "SNS_TOPIC_ARNS": ["arn:aws:sns:eu-central-1:123456789012:ses-events"],
    "DAY_SECONDS": 86400.0,
    "DEFAULT_FROM_EMAIL": "lists@example.org",
}
APPS = {"mailinglist", "bounces"}
OURS = [
    checks.check_secret_key,
    checks.check_suppression_key,
    checks.check_addresses,
    checks.check_sending,
    checks.check_unsubscribe_mailto,
    checks.check_time_zone,
    checks.check_database_engine,
    bounces_checks.check_topics,
    bounces_checks.check_trust,
]


def found(**changed: Any) -> list[CheckMessage]:
    with override_settings(**changed):
        return [message for check in OURS for message in check()]


def ids(**changed: Any) -> list[str]:
    return [str(message.id) for message in found(**changed)]


def test_the_defaults_of_a_local_start_pass() -> None:
    assert ids() == []


def test_a_complete_production_passes() -> None:
    assert ids(**PRODUCTION) == []


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"SECRET_KEY": ""}, "mailinglist.E001"),
        ({"SECRET_KEY": "short"}, "mailinglist.E001"),
        ({"SECRET_KEY": "x" * 60}, "mailinglist.E001"),
        ({"SECRET_KEY": "django-insecure-" + "kq3v9-zt5w1_" * 5}, "mailinglist.E001"),
        ({"SUPPRESSION_KEY": ""}, "mailinglist.E002"),
        ({"SUPPRESSION_KEY": "0f" * 31}, "mailinglist.E002"),
        ({"SUPPRESSION_KEY": "zz" * 32}, "mailinglist.E002"),
        ({"PUBLIC_URL": ""}, "mailinglist.E003"),
        ({"PUBLIC_URL": "http://lists.example.org"}, "mailinglist.E003"),
        ({"PUBLIC_URL": "https://example.org/lists"}, "mailinglist.E003"),
        ({"DEBUG": True}, "mailinglist.E004"),
        ({"AWS_SES_CONFIG": Config(retries={"max_attempts": 3})}, "mailinglist.E006"),
        ({"AWS_SES_CONFIG": Config()}, "mailinglist.E006"),
        ({"SES_ENDPOINT_URL": "http://127.0.0.1:8025"}, "mailinglist.E007"),
        ({"DAY_SECONDS": 2.0}, "mailinglist.E008"),
        ({"DEFAULT_FROM_EMAIL": ""}, "mailinglist.E009"),
        ({"FAILPOINTS": "after-claim:1"}, "mailinglist.E013"),
        ({"UNSUBSCRIBE_MAILTO": "leave here"}, "mailinglist.E020"),
        ({"TIME_ZONE": "Europe/Berlin"}, "mailinglist.E010"),
        ({"USE_TZ": False}, "mailinglist.E010"),
        ({"DATABASES": {"default": {"ENGINE": "django.db.backends.sqlite3"}}}, "mailinglist.E011"),
        ({"SNS_TOPIC_ARNS": []}, "bounces.E001"),
        ({"SNS_TOPIC_ARNS": ["ses-events"]}, "bounces.E001"),
        ({"SNS_CERT_ORIGIN": "http://127.0.0.1:8025"}, "bounces.E002"),
        ({"SNS_TRUST_ANCHOR": "/srv/ca.pem"}, "bounces.E002"),
    ],
)
@pytest.mark.filterwarnings("ignore:Overriding setting DATABASES")
def test_each_unsafe_value_is_refused_in_production(changed: dict[str, Any], expected: str) -> None:
    messages = found(**{**PRODUCTION, **changed})
    assert [message.id for message in messages] == [expected]
    assert messages[0].is_serious()
    assert str(messages[0].msg).endswith(".")
    assert str(messages[0].hint).endswith(".")


def test_no_message_shows_a_secret() -> None:
    shown = str(found(**{**PRODUCTION, "SECRET_KEY": "hunter2", "SUPPRESSION_KEY": "hunter2"}))
    assert "hunter2" not in shown


def test_local_mode_is_for_this_machine_only() -> None:
    assert ids(MODE="local", PUBLIC_URL="https://lists.example.org") == ["mailinglist.E005"]


def test_debug_is_allowed_on_this_machine() -> None:
    assert ids(DEBUG=True, PUBLIC_URL="http://127.0.0.1:8000", ALLOWED_HOSTS=["127.0.0.1", "localhost"]) == []
    assert ids(DEBUG=True, ALLOWED_HOSTS=["127.0.0.1", "*"]) == ["mailinglist.E004"]


@pytest.mark.django_db
def test_a_database_that_may_forget_commits_is_refused() -> None:
    assert list(checks.check_durability(databases=["default"])) == []
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = off")
    assert [message.id for message in checks.check_durability(databases=["default"])] == ["mailinglist.E012"]


def test_without_a_database_to_ask_nothing_is_said_about_it() -> None:
    assert list(checks.check_durability(databases=None)) == []


def test_manage_py_runs_every_check_and_each_of_their_messages_is_tested_here() -> None:
    with override_settings(**{**PRODUCTION, "SECRET_KEY": "short", "SNS_TOPIC_ARNS": []}):
        reported = {message.id for message in run_checks()}
    assert {"mailinglist.E001", "bounces.E001"} <= reported
    registered = {check for check in registry.get_checks() if check.__module__.split(".")[0] in APPS}
    assert registered == {*OURS, checks.check_durability, apps.check_pages}
    codes = re.compile(r'"((?:mailinglist|bounces)\.[EWC]\d+)"')
    written = {
        code for module in (checks, bounces_checks) for code in codes.findall(inspect.getsource(module))
    }
    assert written == set(codes.findall(Path(__file__).read_text()))
