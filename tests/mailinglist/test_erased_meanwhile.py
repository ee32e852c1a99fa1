"""A person is erased while their own request waits for their row: no error, and nothing left of who they were."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client

from mailinglist import doorbell, erasure, tokens
from mailinglist.changes import SYSTEM
from mailinglist.models import Delivery, Subscriber, Subscription
from tests.factories import make_list, make_subscriber
from tests.mailinglist.views.visits import path, preferences_path, sign_up, unsubscribe_path

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    """Wake no workers, and ask nobody to wait at the form."""
    monkeypatch.setattr(doorbell, "_send", lambda task, args: None)
    settings.SIGNUP_MIN_SECONDS = 0


def erased_during(ada: Subscriber, act: Callable[[], Any]) -> Any:
    """What ``act`` gives when the erasure commits while it waits for the row of ``ada``."""

    def run() -> Any:
        try:
            return act()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            Subscriber.objects.select_for_update().get(pk=ada.pk)
            result = pool.submit(run)
            waits_for_a_lock()
            erasure.forget(ada.pk, by=SYSTEM, why="They asked for it.")
        return result.result(timeout=30)


def waits_for_a_lock() -> None:
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
    for _ in range(500):
        with connection.cursor() as cursor:
            cursor.execute(waiting)
            if cursor.fetchone()[0]:
                return
        time.sleep(0.01)
    raise AssertionError("Nobody waits for the row.")


@pytest.mark.parametrize(
    ("page", "fields"),
    [
        ("confirm", {}),
        ("unsubscribe", {"List-Unsubscribe": "One-Click"}),
        ("preferences", {"name": "Ada", "shown": "news"}),
        ("preferences", {"pause": "30"}),
    ],
)
def test_a_link_of_who_was_just_erased_is_a_dead_link(
    client: Client, page: str, fields: dict[str, str]
) -> None:
    news = make_list("news")
    ada = make_subscriber("ada@post.example", news)
    links = {
        "confirm": lambda: path(
            tokens.confirm_url(Subscription.objects.select_related("list", "subscriber").get())
        ),
        "unsubscribe": lambda: unsubscribe_path(ada, news),
        "preferences": lambda: preferences_path(ada, news),
    }
    link = links[page]()
    answer = erased_during(ada, lambda: client.post(link, fields))
    assert answer.status_code == 404
    assert "not valid any more" in answer.content.decode()
    assert not Subscriber.objects.exists()


def test_a_sign_up_of_who_was_just_erased_begins_anew(client: Client) -> None:
    ada = make_subscriber("ada@post.example", make_list("news"))
    answer = erased_during(ada, lambda: sign_up(client, "ada@post.example"))
    assert answer.status_code == 302
    anew = Subscriber.objects.get()
    assert anew.pk != ada.pk
    assert anew.subscriptions.get().status == Subscription.Status.PENDING


def test_two_sign_ups_of_a_new_address_at_once_are_one_person() -> None:
    make_list("news")
    barrier = threading.Barrier(4)

    def run() -> int:
        try:
            barrier.wait()
            return sign_up(Client(), "ada@post.example").status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        statuses = [future.result(timeout=30) for future in [pool.submit(run) for _ in range(4)]]
    assert statuses == [302] * 4
    assert Subscriber.objects.count() == Subscription.objects.count() == Delivery.objects.count() == 1
