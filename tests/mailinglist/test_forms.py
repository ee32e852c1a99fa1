"""The forms for strangers: what they accept, what they say, and whom they trap."""

from urllib.parse import urlencode

import pytest
from django.http import QueryDict

from mailinglist.forms import PreferencesForm, SignUpForm, consent_text
from tests.factories import make_list, make_subscriber


def test_an_address_is_kept_as_written_with_a_domain_that_mail_servers_know() -> None:
    form = SignUpForm({"email": " Ada@EXÄMPLE.com "})
    assert form.is_valid()
    assert form.cleaned_data["email"] == "Ada@xn--exmple-cua.com"
    assert not form.is_from_a_robot


@pytest.mark.parametrize(
    "email", ["", "ada", "ada@localhost", "a@x.example, b@x.example", "a" * 300 + "@x.example"]
)
def test_what_is_no_address_is_told_at_the_field(email: str) -> None:
    form = SignUpForm({"email": email})
    assert not form.is_valid()
    (sentence,) = form.errors["email"]
    assert sentence.endswith(".")


@pytest.mark.parametrize("name", ["x" * 201, "Ada\nBcc: eve@x.example", "Ada\u2028x"])
def test_a_name_is_one_short_line(name: str) -> None:
    assert "name" in SignUpForm({"email": "ada@post.example", "name": name}).errors


def test_a_program_that_fills_in_everything_is_known_by_it() -> None:
    form = SignUpForm({"email": "ada@post.example", "website": "https://spam.example"})
    assert form.is_valid()
    assert form.is_from_a_robot


@pytest.mark.django_db
def test_a_list_that_was_not_shown_stays() -> None:
    lists = [make_list(slug) for slug in ("news", "tips", "jobs")]
    person = make_subscriber("ada@post.example", *lists)
    form = PreferencesForm(QueryDict("name=Ada&shown=news&shown=tips&keep=news"))
    assert form.is_valid()
    assert form.kept(list(person.subscriptions.select_related("list"))) == {lists[0].pk, lists[2].pk}


@pytest.mark.django_db
def test_a_form_that_was_not_sent_keeps_everything() -> None:
    news = make_list("news")
    person = make_subscriber("ada@post.example", news)
    assert PreferencesForm().kept(list(person.subscriptions.all())) == {news.pk}


@pytest.mark.django_db
def test_the_consent_names_the_list() -> None:
    assert "“News”" in consent_text(make_list("news"))


@pytest.mark.parametrize("form", [SignUpForm, PreferencesForm])
def test_a_name_is_taken_by_the_same_rule_as_in_an_import(form: type[SignUpForm | PreferencesForm]) -> None:
    filled = form(
        QueryDict(urlencode({"email": "ada@post.example", "name": " A\u202ed\u200ba\u200dX e\u0308\ufeff "}))
    )
    assert filled.is_valid()
    assert filled.cleaned_data["name"] == "Ada\u200dX ë"


def test_a_name_is_as_long_as_what_is_kept_of_it() -> None:
    assert SignUpForm({"email": "ada@post.example", "name": "x" * 200 + "\u202e"}).is_valid()
    # Composed, this letter is two.
    assert "name" in SignUpForm({"email": "ada@post.example", "name": "\u0958" * 101}).errors
