"""What script/start makes of the complaints of the processes that it asks."""

import os

import pytest

from script import project
from script.errors import StartError

_TRACEBACK = 'Traceback (most recent call last):\n  File "x.py", line 1, in <module>\n    x()\n'


@pytest.mark.parametrize(
    ("complaint", "cause"),
    [
        ("One sentence.", "One sentence."),
        ("two\nlines", "two\nlines"),
        (_TRACEBACK + "KeyError: 'x'\n", "KeyError: 'x'"),
        (
            f"{_TRACEBACK}psycopg.Error: refused\n\nThe above …:\n\n{_TRACEBACK}"
            "OperationalError: connection refused\n\tIs the server running on that host?\n",
            "OperationalError: connection refused\n\tIs the server running on that host?",
        ),
        (
            _TRACEBACK + "ImproperlyConfigured: Error loading MySQLdb\nDid you install mysqlclient?",
            "ImproperlyConfigured: Error loading MySQLdb\nDid you install mysqlclient?",
        ),
    ],
)
def test_the_cause_is_all_of_the_last_error(complaint: str, cause: str) -> None:
    assert project.cause(complaint) == cause


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"CELERY_BROKER_URL": "redis://:secret@127.0.0.1:1/0"}, "The broker of CELERY_BROKER_URL cannot be"),
        (
            {"CELERY_BROKER_URL": "garbage://x"},
            "No such transport: garbage. Start it, correct CELERY_BROKER_URL",
        ),
        (
            {"DATABASE_URL": "postgres://a:secret@127.0.0.1:1/x", "CELERY_BROKER_URL": "memory://"},
            "The database of DATABASE_URL cannot be used: ",
        ),
    ],
)
def test_a_server_of_the_environment_that_does_not_answer_is_named(values: dict[str, str], told: str) -> None:
    with pytest.raises(StartError) as refusal:
        project.probe({**os.environ, **values})
    assert told in str(refusal.value)
    assert "secret" not in str(refusal.value) and "\n" not in str(refusal.value)


def test_a_server_that_answers_is_no_obstacle() -> None:
    project.probe({**os.environ, "DATABASE_URL": "", "CELERY_BROKER_URL": "memory://"})


def test_a_database_that_is_not_postgresql_is_told_before_anything_starts() -> None:
    with pytest.raises(StartError, match="DATABASE_URL names no PostgreSQL; write postgres://"):
        project.settings({**os.environ, "DATABASE_URL": "mysql://somebody@127.0.0.1/x"})
