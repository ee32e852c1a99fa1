"""MJML: what it becomes, what it may not do, and that mistakes are named with their line."""

import time
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailinglist import merge
from mailinglist.composing import body, mjml
from tests import acting

PAGE = """<mjml>
<mj-head><mj-style>@media (prefers-color-scheme: dark) { .dark div { color: #eee !important } }</mj-style></mj-head>
<mj-body>
<mj-section css-class="dark"><mj-column><mj-text>%s</mj-text></mj-column>
<mj-column><mj-button href="https://acme.example/?q={{ name }}">Go</mj-button></mj-column></mj-section>
</mj-body></mjml>"""


def compiled(text: str) -> body.Compiled:
    written: Any = SimpleNamespace(subject="News", preheader="", body_format="mjml", body=text, template=None)
    return body.compile(written)


def mistakes(text: str) -> list[tuple[int, str]]:
    return [(found.line, found.says) for found in mjml.find_mistakes(text)]


def test_columns_and_tags_arrive_and_the_frame_stays() -> None:
    made = compiled(PAGE % 'Hello {{ name|default:"A & B" }}<br>there')
    assert "mj-column-per-50" in made.html and "prefers-color-scheme: dark){.dark" not in made.html
    assert ".dark div" in made.html and "min-width:480px" in made.html
    assert "Hello A &amp; B<br>there" in merge.render(made.html, {}, merge.Context.HTML)
    assert "?q=x%22%3E" in merge.render(made.html, {"name": 'x">'}, merge.Context.HTML)
    assert made.text.startswith('Hello {{ name|default:"A & B" }}\nthere\n')
    assert {"unsubscribe_url", "postal_address"} <= merge.tags(made.html) & merge.tags(made.text)


def test_outlook_gets_its_tables_and_nothing_else_in_comments() -> None:
    html = compiled(PAGE % "Hi").html
    assert html.count("<!--[if mso | IE]>") == html.count("<![endif]-->") >= 4
    nasty = PAGE.replace('css-class="dark"', 'css-class="--&gt;&lt;script&gt;alert(1)&lt;/script&gt;"') % (
        '<!--[if mso | IE]><table onclick="alert(1)"><script>alert(2)</script><![endif]-->'
        '<!--[if mso | IE]><td style="x" onmouseover="alert(3)"><![endif]-->Hi'
    )
    html = compiled(nasty).html
    assert acting.found(html) == [] and "alert(2)" not in html and "onmouseover" not in html


@pytest.mark.parametrize(
    "attack",
    [
        "<script>alert(1)</script>",
        '<img src="x" onerror="alert(1)">',
        '<a href="javascript:alert(1)">x</a>',
        '<svg onload="alert(1)"></svg>',
        '<iframe src="https://evil.example"></iframe>',
        '<a href="https://x.example&quot; onclick=&quot;alert(1)">x</a>',
        '<style></style><noscript><p title="</noscript><img src=x onerror=alert(1)>"></p></noscript>',
    ],
)
def test_no_script_survives(attack: str) -> None:
    for text in (PAGE % attack, PAGE.replace("Go", attack) % "x"):
        try:
            html = compiled(text).html
        except body.CannotCompile:
            continue
        assert acting.found(html) == []


def test_an_attribute_of_mjml_cannot_break_out() -> None:
    image = '<mj-image alt="&quot; onload=&quot;alert(1)" src="javascript:alert(2)" /><mj-button '
    html = compiled(PAGE.replace("<mj-button ", image) % "x").html
    assert acting.found(html) == []


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        (PAGE % "x\n<mj-foo>y</mj-foo>", 5, "There is no <mj-foo>."),
        (PAGE % "x\ny < 3", 5, "Write &lt; instead"),
        (PAGE % "<b>x", 4, "</mj-text> closes nothing: <b> of line 4"),
        ("<mjml>\n<mj-body>\n<mj-text>a</mj-text>\n</mj-body></mjml>", 3, "it belongs into <mj-column>"),
        ('<mjml><mj-body>\n<mj-include path="/etc/passwd"/></mj-body></mjml>', 2, "would read another file"),
        ("<mjml>\n<mj-head><mj-font href='https://x.example'/></mj-head></mjml>", 2, "another company"),
        ("<mjml>\n<mj-body>\n", 2, "<mj-body> is never closed"),
        ("<mjml>\n<mj-body>\nlost words</mj-body></mjml>", 3, "This text stands outside"),
        ("<mjml>\n<mj-body><mj-section bad=x></mj-section></mj-body></mjml>", 2, "Attributes look like"),
        ("Hello", 1, "outside"),
        ("", 1, "MJML begins with <mjml>"),
        ("<mjml><mj-body></mj-body></mjml>\n<mjml></mjml>", 1, "cannot be read"),
    ],
)
def test_a_mistake_is_named_with_its_line(text: str, line: int, says: str) -> None:
    with pytest.raises(mjml.BadMjml) as bad:
        mjml.compile(text)
    first = bad.value.mistakes[0]
    assert first.line == line and says in first.says


def test_deep_nesting_is_refused_before_the_compiler_sees_it() -> None:
    assert "deep" in mistakes(PAGE % ("<div>" * 100_000))[0][1]


def test_long_texts_take_no_long_time() -> None:
    for text in ("<a " * 100_000, "<mj-text " + 'a="b" ' * 100_000, "x\n" * 300_000, "<!-- " * 100_000):
        begin = time.perf_counter()
        assert mistakes(text)
        assert time.perf_counter() - begin < 2


@given(st.text(alphabet='<>/="mj-textbodysection {}&;\n!', max_size=80))
def test_any_text_is_compiled_or_refused(text: str) -> None:
    try:
        assert "<html" in mjml.compile(PAGE % text)
    except mjml.BadMjml as bad:
        assert all(found.line >= 1 for found in bad.mistakes)
