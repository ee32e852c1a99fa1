"""The page of a list with the form for other sites, and the field that allows them."""

import re
from html import unescape

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from mailinglist import embedding
from mailinglist.models import Change, MailingList
from tests.factories import make_list
from tests.staff import NASTY

pytestmark = pytest.mark.django_db


def address(mailing_list: MailingList) -> str:
    return reverse("admin:mailinglist_mailinglist_embed", args=[mailing_list.pk])


def change(mailing_list: MailingList) -> str:
    return reverse("admin:mailinglist_mailinglist_change", args=[mailing_list.pk])


def test_the_page_is_linked_from_the_list(staff: Client) -> None:
    news = make_list()
    assert f'href="{address(news)}"' in staff.get(change(news)).content.decode()
    assert staff.get(reverse("admin:mailinglist_mailinglist_add")).status_code == 200


def test_each_snippet_can_be_copied_as_it_is(staff: Client) -> None:
    news = make_list()
    page = staff.get(address(news)).content.decode()
    areas = re.findall(r"<textarea[^>]* readonly[^>]*>(.*?)</textarea>", page, re.S)
    assert [unescape(area) for area in areas] == [embedding.snippet(news, way) for way in embedding.WAYS]
    assert page.count("<iframe") == len(embedding.WAYS)


def test_snippets_name_absolute_addresses_and_need_nothing_inline(settings: object) -> None:
    settings.PUBLIC_URL = "https://lists.example"  # type: ignore[attr-defined]
    news = make_list()
    for way in embedding.WAYS:
        html = embedding.snippet(news, way)
        assert "https://lists.example/lists/news/subscribe" in html
        assert ('<script src="https://lists.example/embed.js" async></script>' in html) is way.has_script
        assert not re.search(r"<style|\sstyle=|\son\w+=|<iframe", html)


def test_the_trap_is_in_the_form_and_hidden() -> None:
    html = embedding.snippet(make_list(), embedding.WAYS[0])
    trap = html[html.index('<p class="mailinglist-field" hidden>') :]
    assert 'name="website"' in trap[: trap.index("</p>")]


def test_every_name_in_the_form_has_its_label(staff: Client) -> None:
    html = embedding.snippet(make_list("tips"), embedding.WAYS[1])
    ids = re.findall(r'<input[^>]* id="([^"]+)"', html)
    assert sorted(ids) == ["mailinglist-tips-email", "mailinglist-tips-name", "mailinglist-tips-website"]
    assert sorted(re.findall(r'<label for="([^"]+)"', html)) == sorted(ids)
    for described in re.findall(r'aria-describedby="([^"]+)"', html):
        assert f'id="{described}"' in html


def test_what_a_manager_named_the_list_runs_nowhere(staff: Client, client: Client) -> None:
    news = make_list(name=NASTY)
    pages = [staff.get(address(news)).content.decode()]
    pages += [client.get(f"/lists/news/embed-preview/{way.name}").content.decode() for way in embedding.WAYS]
    for page in pages:
        assert NASTY not in page


def test_sites_are_shown_and_who_may_not_change_them_has_no_link(client: Client) -> None:
    news = make_list(allowed_origins="https://Shop.Example/")
    viewer = User.objects.create_user("ann", is_staff=True)
    client.force_login(viewer)
    assert client.get(address(news)).status_code == 403
    viewer.user_permissions.add(Permission.objects.get(codename="view_mailinglist"))
    page = client.get(address(news)).content.decode()
    assert "https://shop.example</li>" in page
    assert "#id_allowed_origins" not in page
    viewer.user_permissions.add(Permission.objects.get(codename="change_mailinglist"))
    assert f'href="{change(news)}#id_allowed_origins"' in client.get(address(news)).content.decode()


def test_a_list_that_is_not_public_says_why_there_is_no_form(staff: Client) -> None:
    page = staff.get(address(make_list(is_public=False))).content.decode()
    assert "this list is not public" in page
    assert "<iframe" not in page


def test_a_site_that_is_none_is_refused_line_by_line_and_a_good_one_is_saved(staff: Client) -> None:
    news = make_list()
    page = staff.get(change(news)).context["adminform"].form
    values = {name: page[name].value() or "" for name in page.fields}
    values |= {"allowed_origins": "http://shop.example\n*\nhttps://good.example"}
    answer = staff.post(change(news), values)
    assert answer.status_code == 200
    problems = answer.context["adminform"].form.errors["allowed_origins"]
    assert len(problems) == 2 and "must be served by https" in problems[0]
    assert staff.post(change(news), values | {"allowed_origins": "https://good.example"}).status_code == 302
    news.refresh_from_db()
    assert news.allowed_origins == "https://good.example"
    assert Change.objects.get(noun="list").why == "Changed: allowed_origins."
