"""Templates: what a campaign becomes in them, and what they may not do."""

from types import SimpleNamespace
from typing import Any

import pytest

from mailinglist import mail_templates, merge
from mailinglist.composing import body, design, example, problems
from mailinglist.models import Template
from mailinglist.sending.messages import Builder, Mail
from tests import acting
from tests.factories import make_campaign, make_list, make_subscriber
from tests.mailinglist.sending.helpers import claim, reparsed, started

TEXT = "# Hi {{ name }}\n\nSome *words* and [a link](https://acme.example/?n={{ name }})."


def made(source: str, text: str = TEXT, body_format: str = "markdown", format: str = "html") -> body.Compiled:
    written: Any = SimpleNamespace(
        subject="News",
        preheader="",
        body_format=body_format,
        body=text,
        template=SimpleNamespace(format=format, source=source),
    )
    return body.compile(written)


def wrong(source: str, format: str = "html") -> list[str]:
    return design.mistakes(Template(format=format, source=source))


def shipped() -> list[Template]:
    return [
        Template(
            name=name,
            format=file.rpartition(".")[2],
            source=(mail_templates._FOLDER / file).read_text("utf-8"),
        )
        for name, _, file in mail_templates.SHIPPED
    ]


@pytest.mark.parametrize("template", shipped(), ids=str)
def test_those_that_come_along_are_good_and_small(template: Template) -> None:
    assert design.mistakes(template) == []
    compiled = made(template.source, format=template.format)
    assert {"unsubscribe_url", "preferences_url", "postal_address", "name"} <= merge.tags(compiled.html)
    assert {"unsubscribe_url", "postal_address", "name"} <= merge.tags(compiled.text)
    assert "prefers-color-scheme: dark" in compiled.html and "some <em>" in compiled.html.lower()
    assert "a link (https://acme.example/?n={{ name }})" in compiled.text
    assert acting.found(compiled.html) == [] and len(compiled.html) < 14_000


def test_values_of_a_list_are_filled_where_the_template_names_them() -> None:
    html = made("<h1>{{ list_name }}</h1><div>{{ content }}</div>").html
    assert "<h1>A&amp;B</h1>" in merge.render(html, {"list_name": "A&B"}, merge.Context.HTML)


@pytest.mark.parametrize(
    ("source", "format", "says"),
    [
        ("<p>No place</p>", "html", "There is none."),
        ("{{ content }}{{content}}", "html", "There is 2 of them."),
        ('<p title="{{ content }}">a</p>', "html", "not inside of a tag"),
        ("<style>{{ content }}</style>", "html", "not inside of a tag"),
        ("<script>{{ content }}</script>", "html", "not inside of a tag"),
        ("<!-- {{ content }} -->", "html", "not inside of a tag"),
        ("{{ content }}{% load x %}", "html", "{% load x %} is no merge tag."),
        ("{{ content }}{{ settings.SECRET_KEY }}", "html", "is no merge tag"),
        ("<mjml>\n<mj-body>{{ content }}</mj-body></mjml>", "mjml", "Line 2: This text stands outside"),
    ],
)
def test_what_no_campaign_could_use_is_refused(source: str, format: str, says: str) -> None:
    assert any(says in sentence for sentence in wrong(source, format)), wrong(source, format)
    with pytest.raises(body.CannotCompile) as bad:
        if "merge tag" in says:
            raise body.CannotCompile("template", [])  # compiled, it stays as it was written
        made(source, format=format)
    assert bad.value.field == "template"


@pytest.mark.parametrize("body_format", ["markdown", "html"])
@pytest.mark.parametrize(
    "attack",
    [
        "<script>alert(1)</script>",
        '<b title="onmouseover=alert(1) x=">y</b>',
        '"><img src=x onerror=alert(1)>',
        "</td></tr></table><script>alert(1)</script>",
        "[x](javascript:alert(1))",
        "{{ content }}",
    ],
)
def test_content_cannot_act_wherever_it_stands(body_format: str, attack: str) -> None:
    for source in ("<div>{{ content }}</div>", "<table><tr><td>{{ content }}</td></tr></table>"):
        assert acting.found(made(source, attack, body_format).html) == []


def test_a_template_cannot_act_either() -> None:
    source = (
        '<div onclick="x()">{{ content }}</div><script>alert(1)</script><form><input></form>'
        '<link rel=stylesheet href="https://evil.example/a.css"><base href="https://evil.example">'
    )
    html = made(source).html
    assert acting.found(html) == [] and "evil.example" not in html


def test_the_text_of_a_campaign_cannot_name_the_place_of_another_template() -> None:
    assert "{{ content }}" in made("<div>{{ content }}</div>", "a {{ content }} b").html


@pytest.mark.django_db
class TestStored:
    @pytest.fixture(autouse=True)
    def _shipped(self) -> None:
        # Tests with transactions of their own leave nothing of what migrations made.
        mail_templates.ship()

    def test_three_come_along_once(self) -> None:
        assert sorted(row.name for row in Template.objects.all()) == [
            "Announcement",
            "Newsletter",
            "Plain letter",
        ]
        assert mail_templates.ship() == 0

    def test_an_example_can_be_shown_of_each(self) -> None:
        for template in Template.objects.all():
            mail = example.mail(template)
            assert "Anna" in mail.html and "/unsubscribe/preview" in mail.html and "<table" in mail.html

    @pytest.mark.parametrize("name", ["Announcement", "Newsletter", "Plain letter"])
    def test_its_mail_is_read_again_by_another_parser(self, name: str, rung: Any) -> None:
        campaign = started(1, template=Template.objects.get(name=name), body="# Grüße\n\n{{ email }}")
        [(_, built)] = Builder().build(claim(campaign))
        assert isinstance(built, Mail)
        mail = reparsed(built)
        html, text = (mail.get_body((kind,)).get_content() for kind in ("html", "plain"))  # type: ignore[union-attr]
        for part in (html, text):
            assert "Grüße" in part and "p0@post.example" in part and "/unsubscribe/" in part
            assert "{{" not in part and "1 Main Street" in part
        assert acting.found(html) == []

    def test_an_unknown_tag_of_the_template_blocks(self) -> None:
        news = make_list()
        make_subscriber("a@post.example", news, attributes={"city": "Rome"})
        template = Template.objects.create(
            name="T", format="html", source="<p>{{ city }}{{ frist_name }}{{ content }}</p>"
        )
        [problem] = problems.find(make_campaign(news, template=template))
        assert (problem.field, problem.blocking) == ("template", True)
        assert problem.message.startswith("{{ frist_name }} is no merge tag.")

    def test_a_template_that_lost_its_place_blocks(self) -> None:
        news = make_list()
        make_subscriber("a@post.example", news)
        template = Template.objects.create(name="T", format="html", source="<p>x</p>")
        [problem] = problems.find(make_campaign(news, template=template))
        assert problem.blocking and "There is none." in problem.message
