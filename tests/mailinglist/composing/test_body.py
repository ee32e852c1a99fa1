"""What a manager writes → what is mailed."""

import re
from html.parser import HTMLParser
from types import SimpleNamespace
from typing import Any

import pytest

from mailinglist import merge
from mailinglist.composing import body, plain, problems
from mailinglist.models import Template
from tests.factories import make_campaign, make_list, make_subscriber


def written(text: str = "Hello", **values: Any) -> Any:
    return SimpleNamespace(
        **{
            "subject": "News",
            "preheader": "",
            "body_format": "markdown",
            "body": text,
            "template": None,
            **values,
        }
    )


def html_of(text: str, **values: Any) -> str:
    return body.compile(written(text, **values)).html


class TestCompile:
    def test_markdown_becomes_html_and_text(self) -> None:
        compiled = body.compile(
            written("# Week 47\n\nSome *news* and [a link](https://acme.example/a?b=1&c=2).\n\n- one\n- two")
        )
        assert ">Week 47</h1>" in compiled.html
        assert 'href="https://acme.example/a?b=1&amp;c=2"' in compiled.html
        assert "Some news and a link (https://acme.example/a?b=1&c=2)." in compiled.text
        assert "- one\n- two" in compiled.text

    def test_every_part_has_the_links_the_address_and_the_reason(self) -> None:
        compiled = body.compile(written())
        for part in (compiled.html, compiled.text):
            assert {"unsubscribe_url", "preferences_url", "postal_address", "frame_reason"} <= merge.tags(
                part
            )

    def test_html_in_markdown_is_shown_and_not_used(self) -> None:
        assert "<b>bold" not in html_of("a <b>bold</b> word") and "&lt;b&gt;bold" in html_of(
            "a <b>bold</b> word"
        )

    @pytest.mark.parametrize(
        "text", ["{{ name }}", '{{ name|default:"my friend" }}', '{{ name | default:"A & B" }}']
    )
    @pytest.mark.parametrize("body_format", ["markdown", "html"])
    def test_tags_survive_markdown_and_sanitising(self, text: str, body_format: str) -> None:
        compiled = body.compile(written(f"Hello {text}, welcome", body_format=body_format))
        assert "name" in merge.tags(compiled.html) and "name" in merge.tags(compiled.text)
        assert "Hello Ada, welcome" in merge.render(compiled.html, {"name": "Ada"}, merge.Context.HTML)
        assert "Hello Ada, welcome" in merge.render(compiled.text, {"name": "Ada"}, merge.Context.TEXT)

    def test_a_default_reads_the_same_in_html_and_text(self) -> None:
        compiled = body.compile(written('Hello {{ name|default:"A & B" }}!'))
        assert "Hello A &amp; B!" in merge.render(compiled.html, {}, merge.Context.HTML)
        assert "Hello A & B!" in merge.render(compiled.text, {}, merge.Context.TEXT)

    @pytest.mark.parametrize("body_format", ["markdown", "html"])
    def test_tags_in_addresses_are_percent_encoded(self, body_format: str) -> None:
        text = {
            "markdown": "[x](https://acme.example/?q={{name}})",
            "html": '<a href="https://acme.example/?q={{ name }}">x</a>',
        }[body_format]
        html = merge.render(html_of(text, body_format=body_format), {"name": 'a"&b'}, merge.Context.HTML)
        assert 'href="https://acme.example/?q=a%22%26b"' in html

    def test_links_of_our_own_are_not_tracked_wherever_they_stand(self) -> None:
        html = html_of('<a href="{{ unsubscribe_url }}">bye</a>', body_format="html")
        assert html.count("<a ses:no-track") == 3
        assert html.count('href="{{ unsubscribe_url }}"') == 2

    def test_html_keeps_its_looks_and_loses_what_acts(self) -> None:
        html = html_of(
            '<table bgcolor="#eee" width="600"><tr><td style="color:red" onclick="x()">a</td></tr></table>'
            '<script>alert(1)</script><iframe src="https://x"></iframe><img src="javascript:x" onerror="y">'
            '<a href="javascript:alert(1)">b</a><form action="/x"><input name="a"></form><svg onload="x"></svg>',
            body_format="html",
        )
        assert 'bgcolor="#eee"' in html and "color:red" in html.replace(" ", "")
        for word in ("<script", "iframe", "onerror", "onclick", "<form", "<input", "<svg", "alert"):
            assert word not in html, word

    def test_styles_are_inlined_and_media_rules_kept(self) -> None:
        html = html_of(
            "<style>.x { color: red } @media (max-width: 1px) { .x { color: blue } }</style><p class='x'>a</p>",
            body_format="html",
        )
        assert '<p class="x" style="color: red' in html
        assert "@media (prefers-color-scheme: dark)" in html and "@media (max-width: 1px)" in html

    def test_no_remote_stylesheet_is_fetched(self) -> None:
        assert "127.0.0.1:9" not in html_of(
            '<link rel="stylesheet" href="http://127.0.0.1:9/x.css">a', body_format="html"
        )

    def test_subject_and_preheader_are_one_line(self) -> None:
        compiled = body.compile(written(subject="a\r\nBcc: b", preheader="c\nd"))
        assert (compiled.subject, compiled.preheader) == ("a Bcc: b", "c d")

    def test_the_preheader_is_hidden_and_escaped(self) -> None:
        html = html_of("x", preheader='Read <this> {{ name|default:"you" }}')
        assert "Read &lt;this&gt;" in html and "display: none" in html
        assert "Read &lt;this&gt; you" in merge.render(html, {}, merge.Context.HTML)

    def test_compiling_twice_gives_the_same(self) -> None:
        assert body.compile(written("a {{ name }}")) == body.compile(written("a {{ name }}"))


class TestPlain:
    @pytest.mark.parametrize(
        ("html", "text"),
        [
            ("<p>a</p><p>b</p>", "a\n\nb\n"),
            ("a<br>b", "a\nb\n"),
            ("<a href='https://x.example'>x</a>", "x (https://x.example)\n"),
            ("<a href='https://x.example'>https://x.example</a>", "https://x.example\n"),
            ("<a href='https://x.example'><img src='y' alt='Logo'></a>", "Logo (https://x.example)\n"),
            ("<a href='https://x.example'><img src='y'></a>", "https://x.example\n"),
            ("<a href='mailto:a@x.example'>a@x.example</a>", "a@x.example\n"),
            ("<ol><li>a</li><li>b<ul><li>c</li></ul></li></ol>", "1. a\n2. b\n  - c\n"),
            ("<h1>T</h1>  <div>a   b</div>", "T\n\na b\n"),
            ("<style>x{}</style><script>y</script><title>z</title>a", "a\n"),
            ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc\n"),
            ("a &amp; b &lt;c&gt;", "a & b <c>\n"),
            ("<pre>a\n  b</pre>", "a\n  b\n"),
            ("</p></a></ul>", ""),
            ("", ""),
        ],
    )
    def test_html_reads_well_as_text(self, html: str, text: str) -> None:
        assert plain.from_html(html) == text


@pytest.mark.django_db
class TestProblems:
    def ready(self, **values: Any) -> Any:
        news = make_list()
        make_subscriber("a@post.example", news, attributes={"city": "Rome"})
        return make_campaign(news, **values)

    def problems(self, **values: Any) -> list[tuple[str, bool]]:
        return [(problem.field, problem.blocking) for problem in problems.find(self.ready(**values))]

    def test_a_good_campaign_has_none(self) -> None:
        assert self.problems(body="Hello {{ name }} from {{ city }}") == []

    def test_what_is_missing_is_named(self) -> None:
        assert self.problems(subject="  ", body="") == [("subject", True), ("body", True)]

    def test_no_list(self) -> None:
        assert [problem.field for problem in problems.find(make_campaign())] == ["lists"]

    def test_nobody_to_send_to(self) -> None:
        [problem] = problems.find(make_campaign(make_list()))
        assert problem.field == "lists" and "Nobody" in problem.message

    def test_a_list_without_postal_address(self) -> None:
        campaign = self.ready()
        campaign.lists.update(postal_address=" ")
        [problem] = problems.find(campaign)
        assert "postal address" in problem.message

    def test_an_unknown_tag_is_named_with_its_place(self) -> None:
        found = problems.find(self.ready(subject="{{ frist_name }}", body="{% load x %} {{ a.b }}"))
        assert [problem.field for problem in found] == ["subject", "body", "body"]
        assert found[0].message.startswith("{{ frist_name }} is no merge tag.")

    def test_mjml_that_cannot_be_read_blocks_with_its_line(self) -> None:
        [problem] = problems.find(self.ready(body_format="mjml", body="<mjml>\n<mj-body>"))
        assert problem.blocking and problem.message.startswith("Line 2: <mj-body> is never closed.")

    def test_a_mail_that_gmail_cuts_off_is_a_warning(self) -> None:
        assert self.problems(body="word " * 25_000) == [("body", False)]


class _Links(HTMLParser):
    """Address of each link → the elements around it, as a browser reads the page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: dict[str, list[str]] = {}
        self._around: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ("meta", "img", "br", "link", "hr"):
            self._around.append(self.get_starttag_text() or tag)
        if tag == "a":
            self.found[dict(attrs).get("href") or ""] = self._around[:-1]

    def handle_endtag(self, tag: str) -> None:
        while self._around and not self._around.pop().startswith(f"<{tag}"):
            pass


#: What an end that is missing could swallow or hide.
LEFT_OPEN = [
    "<!--", "<!--[if mso]>", "</body></html><!--", "<style>", "<script>", "<title>", "<textarea>", "<plaintext>",
    "<template>", "<noscript>", "<xmp>", "<select>", "<svg><desc>", "<a href='https://x.example/'>", "<table><tr><td",
    "<div hidden>", "<div style='display:none'>", "<div style='font-size:0;max-height:0;overflow:hidden'>",
]  # fmt: skip


@pytest.mark.parametrize("of", ["body", "template"])
def test_nothing_that_a_manager_leaves_open_takes_the_unsubscribe_link_with_it(of: str) -> None:
    for end in LEFT_OPEN:
        template = Template(
            format="html", source="<html><body>{{ content }}" + (end if of == "template" else "")
        )
        compiled = body.compile(
            written("Hi" + (end if of == "body" else ""), body_format="html", template=template)
        )
        around = " ".join(_Links(compiled.html).found["{{ unsubscribe_url }}"])
        assert not re.search(
            r"hidden|display: ?none|font-size: ?0|x\.example|<(?!html|body|table|tbody|tr|td|p|div)", around
        ), end
        assert "unsubscribe_url" in merge.tags(compiled.text)
