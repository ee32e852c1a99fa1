"""Neither the log, nor a page of a fault, nor a message of Celery holds anybody's address or a secret of ours."""

import inspect
import io
import logging
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from mailinglist import log_lines, tasks, tokens
from mailinglist.celery import app
from mailinglist.models import Subscriber, Subscription
from tests.factories import make_list, make_subscriber

pytestmark = pytest.mark.django_db
CANARY, SECRET = "canary.person+1@post.example", "wJalrCanaryKey/EXAMPLE+9"
KEY_ID = "AKIACANARYEXAMPLE123"
PARTS = ("canary", SECRET, "wJalr", KEY_ID)


@pytest.fixture
def written(settings: Any) -> Iterator[io.StringIO]:
    """What the handler of the settings would write, of every logger, down to DEBUG for ours."""
    settings.AWS_SECRET_ACCESS_KEY = settings.METRICS_TOKEN = SECRET
    settings.AWS_ACCESS_KEY_ID = KEY_ID
    log_lines.secrets.cache_clear()
    (configured,) = (row for row in logging.getLogger().handlers if row.name == "console")
    assert isinstance(configured.formatter, log_lines.LineFormatter)
    handler = logging.StreamHandler(found := io.StringIO())
    handler.setFormatter(configured.formatter)
    logging.getLogger().addHandler(handler)
    yield found
    logging.getLogger().removeHandler(handler)
    log_lines.secrets.cache_clear()


def fail(*args: Any, **kwargs: Any) -> None:
    raise RuntimeError(f"Cannot take {CANARY} ({CANARY.replace('@', '%40')}) with {KEY_ID} and {SECRET}")


def silent(text: str) -> bool:
    return not any(part in text for part in PARTS)


@pytest.mark.parametrize("page", ["sign-up", "admin", "the address of a page"])
def test_a_fault_of_ours_tells_nobody(
    client: Client, written: io.StringIO, monkeypatch: pytest.MonkeyPatch, page: str
) -> None:
    client.raise_request_exception = False
    make_list("news")
    if page == "sign-up":
        monkeypatch.setattr("mailinglist.gate.ask", fail)
        answer = client.post("/lists/news/subscribe", {"email": CANARY, "name": "canary"})
    else:
        client.force_login(User.objects.create_superuser("root"))
        monkeypatch.setattr("mailinglist.admin.subscribers.find_subscribers", fail)
        monkeypatch.setattr("mailinglist.subscriptions.get_or_create_subscriber", fail)
        address = reverse(f"admin:mailinglist_subscriber_{'add' if page == 'admin' else 'changelist'}")
        answer = (
            client.post(address, {"email": CANARY}) if page == "admin" else client.get(address, {"q": CANARY})
        )
    assert answer.status_code == 500 and silent(answer.content.decode())
    log = written.getvalue()
    assert "Traceback" in log and "Cannot take …@post.example" in log
    assert silent(log)


@pytest.mark.parametrize("page", ["unsubscribe", "preferences", "confirm", "data"])
def test_a_link_that_acts_for_a_person_is_in_no_line(
    client: Client, written: io.StringIO, monkeypatch: pytest.MonkeyPatch, page: str
) -> None:
    ada = make_subscriber(CANARY, garden := make_list("garden"))
    links = tokens.Links(garden)
    token = {
        "unsubscribe": links.unsubscribe(ada),
        "preferences": links.preferences(ada),
        "confirm": tokens.confirm_url(Subscription.objects.get()),
        "data": tokens.data_url(ada, garden),
    }[page].rpartition("/")[2]
    client.raise_request_exception = False
    for method in ("PUT", "DELETE", "OPTIONS"):
        assert client.generic(method, f"/{page}/{token}").status_code == 405
    other = "data" if page == "confirm" else "confirm"
    for address in (f"/{other}/{token}", f"/nowhere/{token}/", f"/{page.upper()}/{quote(token)}"):
        assert client.get(address).status_code == 404
    logging.getLogger("django.request").warning("Asked for: /?of=%s", quote(token))
    monkeypatch.setattr("mailinglist.views.pages.languages.speak", fail)
    assert client.get(f"/{page}/{token}").status_code == 500
    log = written.getvalue()
    assert f"Method Not Allowed (PUT): /{page}/…" in log and f"Not Found: /{other}/…" in log
    assert f"Internal Server Error: /{page}/…" in log and "Traceback" in log
    assert token[46:60] not in log and quote(token)[48:60] not in log and ada.token not in log


def test_what_postgresql_refuses_is_told_without_the_person(written: io.StringIO) -> None:
    ada = make_subscriber(CANARY)
    with pytest.raises(IntegrityError), transaction.atomic():
        try:
            Subscriber.objects.create(email=CANARY, email_key=ada.email_key, suppression_key=b"x")
        except IntegrityError:
            logging.getLogger("mailinglist").exception("Not stored: %s", CANARY)
            raise
    assert "…@post.example" in written.getvalue() and silent(written.getvalue())


def test_a_task_that_fails_tells_nobody(written: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mailinglist.sending.engine.run", fail)
    failed = tasks.send_mail.apply(kwargs={"again": 0})
    assert failed.failed()
    assert "Traceback" in written.getvalue() and silent(written.getvalue())


def test_messages_of_celery_hold_numbers_only(settings: Any) -> None:
    ours = [task for name, task in app.tasks.items() if name.startswith(("mailinglist.", "bounces."))]
    assert len(ours) > 10
    for task in ours:
        kinds = {str(one.annotation) for one in inspect.signature(task.run).parameters.values()}
        assert kinds <= {"<class 'int'>", "int | None"}, (task.name, kinds)
    assert settings.CELERY_TASK_IGNORE_RESULT and not getattr(settings, "CELERY_RESULT_BACKEND", None)


def test_more_detail_is_of_our_own_lines_only(settings: Any) -> None:
    """SQL with its values and signed requests to AWS are in what others write at DEBUG."""
    assert settings.LOGGING["root"]["level"] == "WARNING"
    assert {name for name in settings.LOGGING["loggers"] if not name.startswith("django")} == {
        "mailinglist", "bounces", "celery",
    }  # fmt: skip
    assert logging.getLogger("django").level == logging.INFO
    assert settings.LOGGING["loggers"]["celery"]["level"] == "WARNING"
    assert settings.CELERY_WORKER_HIJACK_ROOT_LOGGER is False


def test_only_the_handler_that_masks_writes_what_django_says() -> None:
    for name in ("django", "django.request", "django.server"):
        logger = logging.getLogger(name)
        assert logger.propagate and logger.handlers == [], name


def test_the_password_of_a_server_is_no_part_of_a_line(written: io.StringIO) -> None:
    logging.getLogger("bounces").error(
        "No answer of %s", "imaps://bounces:canary-pass@mail.acme.example/INBOX"
    )
    assert silent(written.getvalue()) and "@mail.acme.example/INBOX" in written.getvalue()


def test_a_long_line_is_written_at_once(written: io.StringIO) -> None:
    began = time.process_time()
    logging.getLogger("bounces").error("x" * 100_000 + " of ada@post.example")
    assert time.process_time() - began < 1
    assert written.getvalue().endswith("x of …@post.example\n")
