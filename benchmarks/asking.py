"""Asking for staff pages in this process, and how long they take. Runs after ``django.setup``."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from statistics import median
from urllib.parse import urlencode

#: (name, method, address, values)
Page = tuple[str, str, str, dict[str, str]]
#: How the name of a page begins that is asked for only because there is such an address.
ROUTE = "route:"
_TIMES = 3
#: Statements that ask for nothing.
_NO_QUERIES = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE")
_NOTHING = {"time": "0", "sql": ""}


@dataclass(frozen=True, slots=True)
class Asked:
    """A page: its status, milliseconds (the middle of three) and statements."""

    page: str
    address: str
    status: int
    ms: float
    queries: int
    #: Milliseconds of its slowest statement, and which it is.
    slowest_ms: float
    slowest: str

    def line(self, missed: bool) -> str:
        mark = "MISSED" if missed else ""
        return f"{self.ms:8.0f} ms {self.queries:4} queries  {self.status}  {self.page}  {mark}"


def ask_all(pages: Iterable[Page], others: Iterable[Page] = (), *, only: str = "") -> list[Asked]:
    """Every page three times, by a superuser; and those of the ``others`` that are not among them. With ``only`` those
    that have it in their name or address."""
    from django.conf import settings
    from django.contrib.auth.models import User
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext, setup_test_environment
    from django.urls import reverse

    setup_test_environment()
    settings.STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"
    client = Client(raise_request_exception=False)
    boss, _ = User.objects.get_or_create(username="boss", is_staff=True, is_superuser=True)
    # What the middleware does at a login it does only once it is imported.
    client.get(reverse("admin:login"))
    client.force_login(boss)
    found: dict[str, Asked] = {}
    for name, method, address, values in chain(pages, others):
        asked = f"{address}?{urlencode(values)}" if values and method == "get" else address
        asked = asked if method == "get" else f"POST {asked}"
        if asked in found or only not in f"{name} {asked}":
            continue
        times = []
        for _ in range(_TIMES):
            with CaptureQueriesContext(connection) as queries:
                begun = time.monotonic()
                answer = getattr(client, method)(address, values)
                times.append(time.monotonic() - begun)
        slowest = max(queries.captured_queries, key=lambda query: float(query["time"]), default=_NOTHING)
        found[asked] = Asked(
            name,
            asked,
            answer.status_code,
            median(times) * 1000,
            sum(not query["sql"].startswith(_NO_QUERIES) for query in queries),
            float(slowest["time"]) * 1000,
            slowest["sql"],
        )
    return list(found.values())
