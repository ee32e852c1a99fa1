"""Anybody can write anything into an address or a form. No page answers it with a fault of ours (5xx).

Goes through every route of the URL resolver, every filter of every table of the admin, every action, and the
pages that read more from their address. A new filter, action or route is asked by itself.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import quote, unquote, urlencode

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.core.exceptions import BadRequest, SuspiciousOperation
from django.db import DataError, transaction
from django.http import HttpRequest, QueryDict
from django.test import Client, RequestFactory
from django.urls import Resolver404, get_resolver, resolve, reverse

from bounces import whatif
from mailinglist import tags
from mailinglist.changes import SYSTEM
from mailinglist.models import Delivery, Membership
from tests.factories import make_list, make_subscriber
from tests.test_get_changes_nothing import cast, routes

pytestmark = [pytest.mark.django_db, pytest.mark.no_cover]
WORDS = {
    "NUL": "\x00",
    "a digit that is no number": "²",
    "5000 digits": "9" * 5000,
    "more than a bigint": "9" * 19,
    "a negative number": "-1",
    "a long word": "x" * 5000,
}
_PART = re.compile(r"<(?:\w+:)?\w+>|\(\?P<\w+>[^)]*\)")
#: Pages that are no table → what they read from their address.
ASKED = {
    "bounces_recipient": ("page",),
    "bounces_recipient_unsubscribe": ("list",),
    "mailinglist_campaign_preview": ("to",),
    "mailinglist_campaign_preview_html": ("subscriber",),
    "bounces_providers": ("q", "days"),
    "bounces_provider": ("days",),
    "bounces_policy_simulate": ("mailing_list",),
    "index": ("page",),
    "search": ("s", "page"),
}


@pytest.fixture
def values() -> dict[str, str]:
    return cast()


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("root", "root@post.example", "x"))
    client.raise_request_exception = False
    return client


def faults(client: Client, addresses: Iterable[tuple[str, str]], **form: Any) -> list[str]:
    """What was answered with a 5xx, as ``what=which word``; nothing that was asked leaves a trace."""
    found = []
    for what, address in addresses:
        with transaction.atomic():
            answer = client.post(address, form) if form else client.get(address)
            transaction.set_rollback(True)
        if answer.status_code >= 500:
            found.append(what)
    return found


def parameters(request: HttpRequest, table: admin.ModelAdmin) -> Iterator[tuple[str, Any]]:
    """What a table reads from its address, and by what code: the search and its filters. One also stands for what Django
    reads."""
    for name in ("q", "p", "o", "id", "id__in") if table.model is Delivery else ("q",):
        yield name, (table.model, name)
    for given in table.get_list_filter(request):
        entry, kind = given if isinstance(given, tuple) else (given, None)
        if isinstance(entry, str):
            field = table.model._meta.get_field(entry)
            made = admin.FieldListFilter.create(field, request, {}, table.model, table, field_path=entry)
            for name in {*made.expected_parameters(), entry}:
                yield name, (kind or type(made), type(field), name.removeprefix(entry))
        else:
            yield entry.parameter_name, entry


def tables() -> list[admin.ModelAdmin]:
    return list(admin.site._registry.values())


def changelist(table: admin.ModelAdmin) -> str:
    return reverse(f"admin:{table.opts.app_label}_{table.opts.model_name}_changelist")


def test_no_filter_of_a_table_fails(
    staff: Client, values: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # The rows are read before the page is drawn, and drawing it a thousand times would take most of the time.
    monkeypatch.setattr("django.template.response.SimpleTemplateResponse.rendered_content", "")
    request = RequestFactory().get("/")
    request.user = User.objects.get(username="root")
    asked, met = [], Counter[Any]()
    for table in tables():
        for name, code in parameters(request, table):
            # All words the first time that this code reads one; then each table brings two more to it.
            words = [*{**WORDS, "SQL": "1') OR pg_sleep(60) IS NULL; --", "a pattern": "("}.items()]
            turn, met[code] = met[code], met[code] + 1
            chosen = words if turn == 0 else [words[(2 * turn + more) % len(words)] for more in (0, 1)]
            asked += [
                (f"{changelist(table)}?{name}={word}", f"{changelist(table)}?{urlencode({name: text})}")
                for word, text in chosen
            ]
    assert len(asked) > 300
    assert faults(staff, asked) == []


def columns(table: admin.ModelAdmin) -> Iterator[str]:
    """Everything that Django could be asked about the rows of a table, what points to them too."""
    yield "pk"
    for field in table.opts.get_fields(include_hidden=True):
        yield field.name  # of what points here too: the name that a query gives it


def test_no_table_is_asked_for_what_is_no_filter_of_it(staff: Client, values: dict[str, str]) -> None:
    user, asked, told = User.objects.get(username="root"), 0, []
    for table in tables():
        answer = staff.get(f"{changelist(table)}?pk__regex=%28")
        assert answer.status_code == 400, table  # what the others raise becomes that
        for name in sorted(set(columns(table))):
            asked += 1
            request = RequestFactory().get(changelist(table), {f"{name}__regex": "("})
            request.user = user
            try:
                table.get_changelist_instance(request)
            except (BadRequest, SuspiciousOperation):
                continue
            told.append((table.opts.label, name))
    assert asked > 300
    assert told == []


@pytest.mark.parametrize("role", ["analyst", "owner"])
def test_no_token_is_read_letter_by_letter(client: Client, role: str) -> None:
    news = make_list()
    ada = make_subscriber("ada@post.example", news)
    tag = tags.make("press", by=SYSTEM)
    user = User.objects.create_user("ana", is_staff=True)
    Membership.objects.create(user=user, list=news, role=role)
    client.force_login(user)
    people, lists = (
        reverse(f"admin:mailinglist_{name}_changelist") for name in ("subscriber", "mailinglist")
    )
    for address in (
        f"{people}?id={ada.pk}&token__startswith={ada.token[0]}",
        f"{people}?subscriptions__list__token__startswith={news.token[0]}",
        f"{people}?tag_rows={tag.pk}",
        f"{people}?pk__gte=1",
        f"{lists}?token__startswith={news.token[0]}",
    ):
        assert client.get(address).status_code == 400, address
    assert client.get(f"{people}?list={news.pk}").status_code == 200


def test_a_list_that_cannot_be_is_asked_for_a_status_that_cannot_be(
    staff: Client, values: dict[str, str]
) -> None:
    address = reverse("admin:mailinglist_subscriber_changelist")
    assert (
        faults(
            staff, [(word, f"{address}?list=1&{urlencode({'status': text})}") for word, text in WORDS.items()]
        )
        == []
    )


def test_no_part_of_a_path_fails(staff: Client, values: dict[str, str]) -> None:
    asked, met = [], Counter[Any]()
    for name, pattern in routes(get_resolver().url_patterns):
        for word, text in WORDS.items() if _PART.search(pattern) else ():
            path = "/" + quote(text).join(_PART.split(pattern))
            # Django's own pages of all tables are one program, and so is the answer where there is no such page. Four
            # addresses bring each of the words to it.
            code = (_page_of_tables(name) or _view_of(unquote(path)), word)
            met[code] += 1
            if met[code] <= 4:
                asked.append((f"{pattern} {word}", path))
    assert len(asked) > 200
    assert faults(staff, asked) == []


def _page_of_tables(name: str) -> tuple[Any, ...]:
    """The code of a page that Django makes for each table; () for others. A table that has its own has other code."""
    for table in tables():
        for act in ("change", "delete", "history"):
            if name == f"admin:{table.opts.app_label}_{table.opts.model_name}_{act}":
                return getattr(type(table), f"{act}_view"), type(table).get_object
    return ()


def _view_of(path: str) -> str:
    try:
        return resolve(path).view_name
    except Resolver404:
        return ""


@pytest.mark.parametrize("name", ASKED)
def test_no_page_fails_at_what_it_reads_from_its_address(
    staff: Client, values: dict[str, str], name: str
) -> None:
    arguments = {"recipient": "subscriber_id", "campaign": "object_id", "provider": "provider"}
    wanted = next((values[key] for part, key in arguments.items() if f"_{part}_" in f"_{name}_"), None)
    page = reverse(f"admin:{name}", args=[wanted] if wanted and name != "bounces_providers" else [])
    names = (*ASKED[name], *(whatif.FIELDS if name == "bounces_policy_simulate" else ()))
    known = {"mailing_list": values["object_id"]} if name == "bounces_policy_simulate" else {}
    asked = [
        (f"{key}={word}", f"{page}?{urlencode({**known, key: text})}")
        for key in names
        for word, text in WORDS.items()
    ]
    assert faults(staff, asked) == []


def test_no_action_fails_at_rows_that_cannot_be(staff: Client, values: dict[str, str]) -> None:
    request = RequestFactory().get("/")
    request.user = User.objects.get(username="root")
    found, asked = [], 0
    for table in tables():
        for action in table.get_actions(request):
            for word, text in {**WORDS, "no number": "x"}.items():
                # Without a reason most actions ask for one before they look further.
                for more in (
                    ({}, {"why": "Asked by phone."}) if word == "no number" else ({"why": "By phone."},)
                ):
                    asked += 1
                    form = {"action": action, "_selected_action": [text], **more}
                    found += faults(staff, [(f"{action}={word}", changelist(table))], **form)
    assert asked > 50
    assert found == []


def test_an_action_on_what_is_no_row_does_nothing_and_says_so(staff: Client, values: dict[str, str]) -> None:
    answer = staff.post(
        reverse("admin:mailinglist_suppression_changelist"),
        {"action": "release_chosen", "_selected_action": ["x"]},
    )
    assert answer.status_code == 400


def test_nothing_that_a_guest_fills_in_fails(client: Client, values: dict[str, str]) -> None:
    client.raise_request_exception = False
    words = {**WORDS, "what NFKC makes longer": "\ufdfa" * 150, "many of no letter": "\u202e\U0010ffff" * 200}
    forms: dict[str, dict[str, str]] = {
        "/lists/news/subscribe": {"email": "new@post.example", "name": "", "website": "", "stamp": ""},
        "/lists/news/subscribe.json": {"email": "new@post.example", "name": ""},
        reverse("admin:login"): {"username": "ana", "password": "x", "next": "/"},
    }
    forms["/lists/news/subscribe"] |= {
        "altcha": "",
        "keep": "",
        "came_from": "",
        "language": "",
        "rejoin": "",
    }
    for page, form in forms.items():
        for name in form:
            asked = [(f"{name}={word}", page, {**form, name: text}) for word, text in words.items()]
            assert [what for what, *post in asked if faults(client, [(what, post[0])], **post[1])] == []
        header = {"HTTP_USER_AGENT": "u" * 3000, "HTTP_ACCEPT": "a" * 3000, "HTTP_REFERER": "r" * 3000}
        assert client.post(page, form, **header, REMOTE_ADDR="fe80::1%eth0").status_code < 500


def test_no_reason_for_leaving_fails(client: Client, values: dict[str, str]) -> None:
    client.raise_request_exception = False
    address = f"/unsubscribe/{values['unsubscribe']}"
    client.post(address, {"confirm": "1"})
    for name in ("because", "words", "scope"):
        for word, text in WORDS.items():
            assert faults(client, [(f"{name}={word}", address)], **{"tell": "1", name: text}) == []


@pytest.mark.parametrize("word", WORDS)
def test_no_page_of_the_archive_fails(client: Client, values: dict[str, str], word: str) -> None:
    client.raise_request_exception = False
    paths = ("/archive/news/?page=", "/lists/news/look.css?v=", "/lists/looks.css?v=", "/lists/news/logo?v=")
    assert faults(client, [(path, path + quote(WORDS[word])) for path in paths]) == []


@pytest.fixture
def looked_at(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The names that a view asked of what was sent, since this was emptied."""
    found: set[str] = set()

    def watch(way: str) -> None:
        usual = getattr(QueryDict, way)

        def asked(sent: QueryDict, name: str, *more: Any, **named: Any) -> Any:
            found.add(name)
            return usual(sent, name, *more, **named)

        monkeypatch.setattr(QueryDict, way, asked, raising=False)

    for way in ("__getitem__", "__contains__", "get", "getlist"):
        watch(way)
    return found


NAMES = (
    "rejoin",
    "name",
    "shown",
    "keep",
    "scope",
    "confirm",
    "act",
    "sure",
    "track",
    "List-Unsubscribe",
    "pause",
    "language",
    "time_zone",
)


@pytest.mark.parametrize(
    ("page", "least"),
    [
        ("unsubscribe", {"rejoin", "scope", "List-Unsubscribe"}),
        ("preferences", {"name", "shown", "keep", "track", "pause", "language", "time_zone"}),
        ("confirm", set()),
        ("data", {"act", "sure"}),
    ],
)
def test_no_form_of_a_link_fails(
    client: Client, values: dict[str, str], looked_at: set[str], page: str, least: set[str]
) -> None:
    client.raise_request_exception = False
    address, read = f"/{page}/{values[page]}", set()
    for name in NAMES:
        looked_at.clear()
        for word, text in WORDS.items():
            assert faults(client, [(f"{name}={word}", address)], **{name: text}) == []
            if name not in looked_at:  # to a page that does not look, all words are the same
                break
            read.add(name)
    assert least <= read


def test_a_way_back_to_a_list_with_a_nul_in_its_name_is_no_request(
    client: Client, values: dict[str, str]
) -> None:
    answer = client.post(f"/unsubscribe/{values['unsubscribe']}", {"rejoin": "\x00"})
    assert answer.status_code == 400 and "could not be read" in answer.content.decode()


def test_a_session_with_a_nul_is_no_session(client: Client) -> None:
    client.raise_request_exception = False
    answer = client.get(reverse("admin:index"), headers={"cookie": r'sessionid="\000aaaaaaaa"'})
    assert answer.status_code == 400


def test_a_form_that_refuses_a_nul_still_says_so_itself(staff: Client) -> None:
    answer = staff.post(
        reverse("admin:mailinglist_subscriber_add"), {"email": "ada@post.example", "name": "A\x00"}
    )
    assert answer.status_code == 200 and "Null characters are not allowed." in answer.content.decode()


def test_a_fault_of_ours_stays_one(staff: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(term: str) -> None:
        raise DataError

    monkeypatch.setattr("mailinglist.admin.subscribers.find_subscribers", fail)
    address = reverse("admin:mailinglist_subscriber_changelist")
    assert staff.get(f"{address}?q=ada").status_code == 500
