"""Merge tags: what is replaced, how each place escapes, and what never happens."""

import html
import re
from html.parser import HTMLParser
from itertools import pairwise
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailinglist import merge
from mailinglist.merge import Context

HOSTILE = [
    "{{ settings.SECRET_KEY }}",
    "{% load x %}",
    "{% include '/etc/passwd' %}",
    "{% debug %}",
    "{{ subscriber.list.owner.password }}",
    "{{ 7*7 }}",
    "{{ name|upper }}",
    "{{ name|default:friend }}",
    "{{ name.__class__ }}",
    "{{ Name }}",
    "{{ }}",
    "{{",
]


@pytest.mark.parametrize(
    ("text", "values", "filled"),
    [
        ("Hi {{ name }}!", {"name": "Ada"}, "Hi Ada!"),
        ("Hi {{name}}!", {"name": "Ada"}, "Hi Ada!"),
        ('Hi {{ name|default:"friend" }}!', {}, "Hi friend!"),
        ('Hi {{ name | default: "friend" }}!', {"name": ""}, "Hi friend!"),
        ('Hi {{ name|default:"friend" }}!', {"name": "Ada"}, "Hi Ada!"),
        ("Hi {{ name }}!", {}, "Hi !"),
        ("{{ a }}{{ b }}", {"a": "1", "b": "2"}, "12"),
        ("no tags", {"name": "Ada"}, "no tags"),
    ],
)
def test_the_two_forms(text: str, values: dict[str, str], filled: str) -> None:
    assert merge.render(text, values, Context.TEXT) == filled


@pytest.mark.parametrize("text", HOSTILE)
def test_anything_else_is_reported_and_stays_as_it_was(text: str) -> None:
    assert merge.unknown_tags(f"a {text} b", {"name"})
    assert merge.render(text, {"name": "Ada"}, Context.TEXT) == text


def test_unknown_names_are_reported_once_in_order() -> None:
    assert merge.unknown_tags("{{ b }} {{ a }} {{ b }} {{ name }}", {"name"}) == ["{{ b }}", "{{ a }}"]


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("Hi {{ name", ["The }} at the end of “{{ name” is missing."]),
        ("Hi {{ name, and {{ name }}", ["The }} at the end of “{{ name, and” is missing."]),
        ("Hi {{ name\nand more", ["The }} at the end of “{{ name” is missing."]),
        ("Hi {{ name }!", ["The }} at the end of “{{ name” is missing."]),
        ("{% if x", ["The %} at the end of “{% if x” is missing."]),
        ("{{ Name }}", ["{{ Name }} is no merge tag."]),
        (f"{{{{ {'x' * 100} }}}}", [f"{{{{ {'x' * 72} … }}}} is no merge tag."]),
    ],
)
def test_a_tag_without_its_end_is_told_as_that(text: str, sentences: list[str]) -> None:
    assert [merge.complaint(tag) for tag in merge.unknown_tags(text, {"name"})] == sentences


@pytest.mark.parametrize("context", list(Context))
def test_a_value_that_looks_like_a_tag_is_not_expanded(context: Context) -> None:
    filled = merge.render("{{ name }}", {"name": "{{ secret }}", "secret": "hunter2"}, context)
    assert "hunter2" not in filled


@pytest.mark.parametrize(
    ("value", "url"),
    [
        ("https://acme.example/a?b=1&c=2", "https://acme.example/a?b=1&amp;c=2"),
        ("mailto:a@acme.example", "mailto:a@acme.example"),
        ("javascript:alert(1)", "javascript%3Aalert%281%29"),
        ("JaVaScRiPt:alert(1)", "JaVaScRiPt%3Aalert%281%29"),
        ("data:text/html,x", "data%3Atext%2Fhtml%2Cx"),
        (' https://x" onclick="y', "%20https%3A%2F%2Fx%22%20onclick%3D%22y"),
        ('https://x" onclick="y', "https://x%22%20onclick=%22y"),
    ],
)
def test_a_whole_address_is_a_web_or_mail_address_or_nothing(value: str, url: str) -> None:
    assert merge.render('<a href="{{ site }}">', {"site": value}, Context.HTML) == f'<a href="{url}">'


def test_the_default_of_a_compiled_tag_is_escaped_once() -> None:
    text = "<p>{{ name|default:&quot;you &amp; me&quot; }}</p>"
    assert merge.render(text, {}, Context.HTML) == "<p>you &amp; me</p>"


def test_direction_marks_do_not_survive_in_names() -> None:
    for context in (Context.HTML, Context.TEXT, Context.HEADER):
        assert merge.render("{{ name }}", {"name": "a\u202eb\u2066c"}, context) == "abc"


@pytest.mark.no_cover
@given(st.text())
def test_html_values_are_shown_as_they_are_and_open_no_element(value: str) -> None:
    filled = merge.render('<p title="{{ v }}">{{ v }}</p>', {"v": value}, Context.HTML)
    seen: list[tuple[str, list[tuple[str, str | None]]]] = []
    text: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            seen.append((tag, attrs))

        def handle_data(self, data: str) -> None:
            text.append(data)

    reader = Reader()
    reader.feed(filled)
    reader.close()
    expected = merge._text(value)
    assert [tag for tag, _ in seen] == ["p"]
    assert seen[0][1] == [("title", expected)]
    assert "".join(text) == expected


@given(st.text())
def test_header_values_are_one_line(value: str) -> None:
    filled = merge.render("Hi {{ v }}", {"v": value}, Context.HEADER)
    assert len(filled.splitlines()) == 1
    assert not re.search("[\x00-\x1f\x7f-\x9f\u2028\u2029]", filled)


@given(st.text())
def test_a_part_of_an_address_stays_a_part(value: str) -> None:
    filled = merge.render(
        '<a href="https://acme.example/?q={{ v }}&amp;z=1">x</a>', {"v": value}, Context.HTML
    )
    url = html.unescape(re.fullmatch('<a href="([^"]*)">x</a>', filled)[1])  # type: ignore[index]
    parts = urlsplit(url)
    assert (parts.hostname, parts.path, parts.fragment) == ("acme.example", "/", "")
    query = parts.query.removeprefix("q=").removesuffix("&z=1")
    assert unquote(query, errors="replace") == value.encode(errors="replace").decode()


@given(st.text(alphabet="{}% |:\"ad_n&quot;<>'", max_size=60))
def test_no_text_makes_the_parser_fail_or_lose_anything(text: str) -> None:
    assert merge.tags(text) <= {"".join(name) for name in re.findall("[a-z_][a-z0-9_]*", text)}
    for context in Context:
        parsed = merge.parse(text, context)
        if not merge.tags(text):
            assert parsed.fill({"a": "x"}) == text


PIECES = st.lists(
    st.sampled_from(["{{ a }}", "{{ b }}", '{{ b|default:"x" }}', '<a href="{{ a }}">', "&", " words "]),
    max_size=8,
).map("".join)
VALUES = st.sampled_from(["", "{{ b }}", "Ada & Co", "https://acme.example/a?b", "\u202eevil"])


@given(PIECES, VALUES, VALUES)
def test_filled_in_two_steps_it_says_the_same(text: str, a: str, b: str) -> None:
    for context in Context:
        parsed = merge.parse(text, context)
        known = parsed.with_known({"a": a})
        assert known.fill({"b": b}) == parsed.fill({"a": a, "b": b})
        kinds = [isinstance(part, str) for part in known.parts]
        assert not any(first and second for first, second in pairwise(kinds)), "literals that were not joined"
