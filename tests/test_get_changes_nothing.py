"""Mail scanners, link previews and prefetching browsers open every address. None of them may change anything.

Goes through every route of the URL resolver, the admin's as a superuser with real objects, the public ones
with valid tokens, and compares all rows. A new route that needs a value fails until cast() has it.
"""

import re
from collections.abc import Collection, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, User
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from bounces import agents
from bounces.models import (
    AddressHealth,
    CampaignCourse,
    Event,
    Incident,
    Notification,
    Policy,
    ProviderSlot,
    Watermark,
)
from mailinglist import (
    attributes,
    images,
    import_runs,
    link_checks,
    looks,
    mail_templates,
    sender_checks,
    subscriptions,
    suppression,
    tags,
    tokens,
    writing,
)
from mailinglist.changes import SYSTEM
from mailinglist.models import (
    Attempt,
    Attribute,
    CampaignVersion,
    Delivery,
    ImportedBefore,
    MailingList,
    Segment,
    SendBudget,
    Subscriber,
    Subscription,
    Suppression,
)
from mailinglist.segments import rules, store
from tests import logos
from tests.factories import make_campaign, make_list, make_subscriber

#: What prefetching browsers say. One request says all of it: whoever listens to one of them finds it.
PREFETCH = {
    "HTTP_PURPOSE": "prefetch",
    "HTTP_SEC_PURPOSE": "prefetch;prerender",
    "HTTP_X_MOZ": "prefetch",
    "HTTP_X_PURPOSE": "preview",
}
#: What a browser or cache asks again with, and a cookie that is none of ours.
AGAIN = {
    "HTTP_IF_NONE_MATCH": '"abc"',
    "HTTP_IF_MODIFIED_SINCE": "Thu, 20 Nov 2025 09:00:00 GMT",
    "HTTP_IF_MATCH": "*",
    "HTTP_IF_UNMODIFIED_SINCE": "Thu, 20 Nov 2035 09:00:00 GMT",
    "HTTP_IF_RANGE": '"abc"',
    "HTTP_RANGE": "bytes=0-10",
    "HTTP_CACHE_CONTROL": "no-cache",
}
#: Whoever looks at what the client calls itself finds that programs get the same treatment as people.
SCANNERS = [agent.example for agent in agents.AGENTS]
#: What the forms post: in the query of a GET it must do nothing either.
TEMPTATION = (
    "?List-Unsubscribe=One-Click&confirm=1&scope=all&rejoin=news&shown=news&name=Eve&email=eve@post.example"
    "&act=erase&sure=1&tracking=1&track=news&tell=1&because=other&pause=30&resume=1"
    "&_method=POST&action=delete_selected&_selected_action=1&post=yes&_save=Save"
)
#: Of each kind, where the admin has pages of one: the first of the cast, which are all campaigns, people and mails.
OBJECTS = 4
#: Pages that must really open, or the test would prove nothing about them.
OPEN = {
    "home", "list", "looks", "list-look", "list-logo", "image", "archive", "archive-feed", "archive-issue",
    "archive-mail", "subscribe", "check-mail", "confirm", "unsubscribe", "preferences", "ask-data", "data", "healthz",
    "readyz", "form-json", "nothing-here", "embed-preview", "embed-script", "admin:mailinglist_mailinglist_embed",
    "admin:index", "admin:mailinglist_campaign_changelist", "admin:mailinglist_campaign_change",
    "admin:mailinglist_subscriber_change", "admin:bounces_event_changelist", "admin:bounces_results",
    "admin:bounces_results_people", "admin:bounces_compare",
}  # fmt: skip


@pytest.mark.no_cover
def test_no_get_head_or_options_changes_a_row(db: None, client: Client) -> None:
    values = cast()
    client.force_login(User.objects.create_superuser("root", "root@post.example", "x"))
    watch, opened, culprits = Watch(), set(), []
    for name, path in addresses(values):
        is_public = not name.startswith("admin:")
        for method, query, headers in requests(is_public=is_public):
            with pytest.MonkeyPatch.context() as patch:
                if method == "head" and not is_public:  # GET has drawn the page
                    patch.setattr("django.template.response.SimpleTemplateResponse.rendered_content", "")
                answer = getattr(client, method)(path + query, **headers)
            assert answer.status_code < 500, (method, path, answer.status_code)
            if method == "get" and not query and answer.status_code == 200:
                opened.add(name)
        if changed := watch.changed():
            culprits.append((path, sorted(changed)))
    assert culprits == []
    assert watch.agrees()
    assert OPEN - opened == set()


def test_no_scanner_changes_a_row_on_the_pages_that_mails_lead_to(db: None, client: Client) -> None:
    values, culprits = cast(), []
    User.objects.create_superuser("root", "root@post.example", "x")
    watch = Watch()
    public = [path for name, path in addresses(values) if not name.startswith("admin:")]
    assert len(public) > 8
    client.cookies.load({"csrftoken": "x" * 32, "sessionid": "y" * 32, "List-Unsubscribe": "One-Click"})
    for path in public:
        for number, agent in enumerate(SCANNERS):
            query, more = (TEMPTATION, {**PREFETCH, **AGAIN}) if number % 2 else ("", AGAIN)
            for method in ("get", "head", "options") if number < 2 else ("get",):
                answer = getattr(client, method)(path + query, HTTP_USER_AGENT=agent, **more)
                assert answer.status_code < 500, (method, path, answer.status_code)
        if watch.changed():
            culprits.append(path)
    assert culprits == []
    assert watch.agrees()


def test_a_post_is_seen_by_the_comparison(db: None, client: Client) -> None:
    values = cast()
    watch, before = Watch(), rows()
    client.post(f"/unsubscribe/{values['unsubscribe']}", {"List-Unsubscribe": "One-Click"})
    changed = {table for table, state in rows().items() if state != before[table]}
    assert changed == watch.changed() == {"mailinglist_subscription", "mailinglist_change"}
    assert watch.changed() == set() and watch.agrees()


def requests(*, is_public: bool) -> Iterator[tuple[str, str, dict[str, str]]]:
    tempted = TEMPTATION, {**PREFETCH, **AGAIN, "HTTP_USER_AGENT": SCANNERS[0]}
    yield "get", "", {}
    yield "head", *tempted
    if is_public:  # the many pages of the admin are one program
        yield "get", *tempted
        yield "head", "", {}
        yield "options", "", {}


def tables() -> set[str]:
    """Those of the apps (sessions and the admin's own log aside)."""
    return {
        model._meta.db_table
        for label in ("mailinglist", "bounces", "auth")
        for model in apps.get_app_config(label).get_models(include_auto_created=True)
    }


def rows(chosen: Collection[str] | None = None) -> dict[str, str]:
    """One hash per table: of all, or of those chosen."""
    one = "SELECT '{0}', coalesce(md5(string_agg(t::text, '|' ORDER BY t::text)), '') FROM {0} t"
    wanted = sorted(tables() if chosen is None else chosen)
    if not wanted:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(one.format(table) for table in wanted))
        return dict(cursor.fetchall())


class Watch:
    """Which tables have other rows than at the last look. Only what was written to is read: PostgreSQL counts what this
    transaction, and nobody else, has written so far, what was taken back included.
    """

    def __init__(self) -> None:
        self._tables = tables()
        self._rows = rows(self._tables)
        self._writes = self._counted()

    def changed(self, *, kept: bool = True) -> set[str]:
        """``kept`` False: the caller takes back what was done since the last look, which PostgreSQL does not count."""
        now, before = self._counted(), self._writes
        self._writes = now
        read = rows({table for table in now if now[table] != before.get(table)})
        other = {table for table in read if read[table] != self._rows[table]}
        if kept:
            self._rows.update(read)
        return other

    def agrees(self) -> bool:
        """Whether all rows are as at the last look, whatever was counted."""
        return rows(self._tables) == self._rows

    def _counted(self) -> dict[str, int]:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT relname, n_tup_ins + n_tup_upd + n_tup_del FROM pg_stat_xact_user_tables "
                "WHERE n_tup_ins + n_tup_upd + n_tup_del > 0 AND relname = ANY(%s)",
                [list(self._tables)],
            )
            return dict(cursor.fetchall())


def addresses(values: dict[str, str]) -> list[tuple[str, str]]:
    """(name, path) of every route, with objects of the cast where the admin shows one."""
    found = [
        (name, path)
        for name, pattern in routes(get_resolver().url_patterns)
        for path in filled(name, pattern, values)
    ]
    assert len(found) > len(OPEN)
    return found


def routes(patterns: list[Any], prefix: str = "", space: str = "") -> Iterator[tuple[str, str]]:
    for entry in patterns:
        pattern = prefix + str(entry.pattern).lstrip("^").removesuffix("$").removesuffix("\\Z")
        if isinstance(entry, URLResolver):
            inner = f"{space}{entry.namespace}:" if entry.namespace else space
            yield from routes(entry.url_patterns, pattern, inner)
        elif isinstance(entry, URLPattern):
            yield space + (entry.name or pattern), pattern


_PART = re.compile(r"<(?:\w+:)?(?P<path>\w+)>|\(\?P<(?P<regex>\w+)>[^)]*\)")


def filled(name: str, pattern: str, values: dict[str, str]) -> list[str]:
    """The paths of a route. A token's purpose stands first in the path; an admin id is one of its model."""
    ids = ids_of_admin_route(pattern)
    paths = []
    for number in ids or [""]:
        known = {**values, "token": values.get(pattern.partition("/")[0], "")}

        def value(part: re.Match[str], number: str = number, known: dict[str, str] = known) -> str:
            wanted = part["path"] or part["regex"]
            text = (
                number
                if number and wanted not in ("app_label", "url", "content_type_id")
                else known.get(wanted)
            )
            assert text, f"cast() has no value for <{wanted}> of {name} ({pattern})"
            return text

        paths.append("/" + _PART.sub(value, pattern))
    return list(dict.fromkeys(paths))


def ids_of_admin_route(pattern: str) -> list[str]:
    parts = pattern.split("/")
    if len(parts) < 4 or parts[0] != "admin":
        return []
    try:
        model = apps.get_model(parts[1], parts[2])
    except LookupError:
        return []
    found = [str(pk) for pk in model._default_manager.order_by("pk").values_list("pk", flat=True)[:OBJECTS]]
    assert found, f"cast() has no {parts[2]} for {pattern}"
    return found


def cast() -> dict[str, str]:
    """At least one row of every model, and the values of the public routes."""
    news = make_list("news", has_archive=True, accent="#0a7a5a")
    looks.set_logo(news.pk, logos.PNG, by=SYSTEM)
    news.refresh_from_db()
    picture = images.store(logos.PNG, name="p.png", alt="", by=SYSTEM)
    ada = make_subscriber("ada@post.example", news)
    bob = subscriptions.get_or_create_subscriber("bob@post.example")
    waiting = Subscription.objects.create(list=news, subscriber=bob, status="pending", source="test")
    Group.objects.create(name="Editors")
    Policy.objects.create(list=news, soft_retry_days=[1, 2, 4])
    AddressHealth.objects.create(subscriber=ada)
    ProviderSlot.objects.create(provider="post.example", starts_at=timezone.now(), delivered=1)
    Watermark.objects.create(name="provider-slots")
    Incident.objects.create(
        provider="post.example", kind="hard", started_at=timezone.now(), ended_at=timezone.now()
    )
    SendBudget.objects.create(name="local", refilled_at=timezone.now())
    suppression.suppress(
        make_subscriber("eve@post.example").pk,
        reason=Suppression.Reason.MANUAL,
        by=SYSTEM,
        why="Asked by phone.",
    )
    mail_templates.ship()
    written = make_campaign(news)
    writing.keep(written, by=SYSTEM)
    link_checks.ask(written.pk)
    sender_checks.ask([news.from_email])
    tag = tags.make("press", by=SYSTEM)
    tags.put(tag, Subscriber.objects.filter(pk=ada.pk), by=SYSTEM)
    attributes.save(Attribute(key="city", label="Town"), by=SYSTEM)
    tree = rules.read({"match": "all", "parts": [{"rule": "tag", "ask": "has", "value": tag.pk}]})
    store.save(Segment(name="The press"), tree, by=SYSTEM)
    people = import_runs.create(
        news,
        [b"email,name\nnot an address,Eve\nbob@post.example,Bob\n"],
        file_name="people.csv",
        encoding="",
        by=SYSTEM,
    )
    import_runs.check(people.pk, people.columns, status="confirmed", update=True, consent_text="Signed.")
    import_runs.run(people.pk)
    ImportedBefore.objects.create(owner=people, subscriber=ada, before={}, after={})
    doubtful = _sent(news, ada, status="sending", state="unknown")
    finished = _sent(news, ada, status="finished", state="bounced").campaign
    CampaignCourse.objects.create(campaign=finished, rows=[], counted_at=timezone.now(), seconds=0.0)
    return {
        "slug": news.slug,
        "images": picture.token,
        "ending": "png",
        "way": "short",
        "public_id": finished.public_id,
        "app_label": "mailinglist",
        "url": "no/such/page",
        "content_type_id": str(ContentType.objects.get_for_model(MailingList).pk),
        "object_id": str(news.pk),
        "list_id": str(news.pk),
        "campaign_id": str(finished.pk),
        "import_id": str(people.pk),
        "subscriber_id": str(ada.pk),
        "subscription_id": str(ada.subscriptions.get().pk),
        "delivery_id": str(doubtful.pk),
        "event_id": str(Event.objects.filter(subscriber=ada)[0].pk),
        "provider": "post.example",
        "confirm": tokens.confirm_url(waiting).rpartition("/")[2],
        "unsubscribe": tokens.unsubscribe_url(ada, news).rpartition("/")[2],
        "preferences": tokens.preferences_url(ada, news).rpartition("/")[2],
        "data": tokens.data_url(ada, news).rpartition("/")[2],
    }


def _sent(news: MailingList, ada: Subscriber, *, status: str, state: str) -> Delivery:
    now = timezone.now()
    campaign = make_campaign(news)
    version = CampaignVersion.objects.create(
        campaign=campaign, number=1, subject="News", html="<p>Hi</p>", text="Hi"
    )
    campaign.status, campaign.version, campaign.started_at = status, version, now
    campaign.retry_until = now + timedelta(days=10)
    campaign.save()
    delivery = Delivery.objects.create(
        campaign=campaign, version=version, list=news, subscriber=ada, state=state, attempts=1
    )
    Attempt.objects.create(
        delivery=delivery, number=1, started_at=now, result="accepted", message_id=f"m-{campaign.pk}"
    )
    notification = Notification.objects.create(
        source="sns", raw=b'{"eventType": "Bounce"}', dedupe_key=status
    )
    Event.objects.create(
        notification=notification,
        kind="bounce",
        recipient="ada@post.example",
        occurred_at=now,
        dedupe_key=status,
        delivery=delivery,
        attempt_number=1,
        subscriber=ada,
        verdict="hard",
        explanation="No such mailbox.",
    )
    return delivery
