"""A manager writes a campaign from a template, with a picture; and the templates on phone and desk, light and dark."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from mailinglist import mail_templates, writing
from mailinglist.changes import SYSTEM
from mailinglist.composing import example
from mailinglist.models import Campaign, MailImage, Template
from tests.browser.conftest import log_in, watched
from tests.factories import make_campaign, make_list, make_subscriber
from tests.logos import png

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("quiet")]
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture
def page(desk: Page, live_server: Any) -> Iterator[Page]:
    with watched(desk, live_server.url) as seen:
        yield desk
    assert seen.foreign + seen.errors == []


def test_a_campaign_is_written_from_a_template_with_a_picture(page: Page, tmp_path: Path) -> None:
    mail_templates.ship()
    make_subscriber("ada@post.example", make_list("news", name="Bean News"), name="Ada")
    picture = tmp_path / "bean.png"
    picture.write_bytes(png(1200, 500))
    page.goto(reverse("admin:mailinglist_campaign_add"))
    page.fill("[name=name]", "Week 50")
    page.get_by_label("Bean News").first.check()
    page.fill("[name=subject]", "Beans")
    page.select_option("[name=template]", label="Newsletter")
    page.click(".CodeMirror")
    page.keyboard.type('# Hello {{ name|default:"friend" }}\n\nBeans grew.\n\n')
    expect(page.get_by_text("Kept as a draft.")).to_be_visible()
    page.get_by_role("button", name="Picture").click()
    page.set_input_files("dialog input[type=file]", picture)
    page.get_by_label("Description").fill("A bean field")
    page.get_by_role("button", name="Upload and insert").click()
    expect(page.locator("dialog")).to_have_count(0)
    page.get_by_role("button", name="Save and continue editing").click()
    expect(page.get_by_text("Nothing speaks against sending it.")).to_be_visible()

    campaign = Campaign.objects.get()
    image = MailImage.objects.get()
    assert "![A bean field](http" in campaign.body and image.token in campaign.body
    assert campaign.template == Template.objects.get(name="Newsletter")
    page.set_viewport_size({"width": 390, "height": 800})
    assert page.evaluate(OVERFLOW) <= 0
    page.goto(reverse("admin:mailinglist_campaign_preview", args=[campaign.pk]) + "?to=ada@post.example")
    mail = page.frame_locator("iframe").first
    expect(mail.get_by_role("heading", name="Hello Ada")).to_be_visible()
    assert (
        mail.get_by_role("img", name="A bean field").evaluate("image => image.complete && image.naturalWidth")
        == 1200
    )
    assert page.evaluate(OVERFLOW) <= 0


def test_on_a_phone_nothing_of_a_draft_with_a_long_list_is_out_of_sight(page: Page) -> None:
    news = make_list("news", name="The Garden Letter of All Friends of Slow Growing")
    make_subscriber("ada@post.example", news)
    campaign = make_campaign(news, name="Week 50")
    for number in range(2):
        writing.keep(campaign, by=SYSTEM)
        campaign.body = f"Text {number}"
    page.set_viewport_size({"width": 390, "height": 800})
    for place, words in (
        (reverse("admin:mailinglist_campaign_versions", args=[campaign.pk]), "Bring back …"),
        (reverse("admin:mailinglist_campaign_change", args=[campaign.pk]), news.name),
        (reverse("admin:mailinglist_subscriber_changelist"), f"{news.name}: subscribed"),
    ):
        page.goto(place)
        found = page.locator("main").get_by_text(words).last
        assert found.evaluate("found => found.getBoundingClientRect().right") <= 390 - 16, place


def test_a_session_that_ends_loses_no_text(page: Page) -> None:
    campaign = make_campaign(make_list("news"), body="old")
    page.goto(reverse("admin:mailinglist_campaign_change", args=[campaign.pk]))
    page.context.clear_cookies()
    page.click(".CodeMirror")
    page.keyboard.type("Beans ")
    says = page.get_by_text("Your session has ended")
    expect(says).to_be_visible()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("alert").filter(has_text="Your session has ended")).to_be_visible()
    expect(says).to_have_count(1)
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Log in again in another window").click()
    log_in(opened.value)
    expect(opened.value.get_by_text("go on in the other one")).to_be_visible()
    opened.value.close()
    page.evaluate("dispatchEvent(new Event('focus'))")
    expect(page.get_by_text("Kept as a draft.")).to_be_visible()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("was changed successfully")).to_be_visible()
    campaign.refresh_from_db()
    assert "Beans" in campaign.body


def test_a_picture_that_is_too_large_is_made_smaller_on_its_own_page_too(page: Page, tmp_path: Path) -> None:
    picture = tmp_path / "wide.png"
    picture.write_bytes(png(5000, 300))
    page.goto(reverse("admin:mailinglist_mailimage_add"))
    page.set_input_files("input[type=file]", picture)
    page.fill("[name=alt]", "A wide field")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("was added successfully")).to_be_visible()
    assert MailImage.objects.values_list("width", "height").get() == (1072, 64)


def test_the_templates_fit_a_phone_and_a_desk_and_the_dark(page: Page, db: Any) -> None:
    mail_templates.ship()
    for template in Template.objects.all():
        html = example.mail(template).html
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            for width in (360, 800):
                page.set_viewport_size({"width": width, "height": 800})
                page.set_content(html)
                assert page.evaluate(OVERFLOW) <= 0, (template.name, width)
            for words in (
                "Hello Anna Example",
                "The first heading",
                "Monday",
                "worth keeping",
                "You get this mail",
            ):
                assert contrast(page, words) >= 4.5, (template.name, scheme, words)


def contrast(page: Page, words: str) -> float:
    """WCAG's ratio between a text and the nearest ground behind it."""
    return float(
        page.get_by_text(words).first.evaluate(
            """element => {
      const parse = text => (text.match(/[\\d.]+/g) || []).map(Number);
      const light = rgb => rgb.slice(0, 3).map(v => v / 255)
        .map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
        .reduce((sum, v, at) => sum + v * [.2126, .7152, .0722][at], 0);
      let ground = element;
      const clear = found => /rgba\\(0, 0, 0, 0\\)/.test(getComputedStyle(found).backgroundColor);
      while (ground && clear(ground)) ground = ground.parentElement;
      const behind = ground ? parse(getComputedStyle(ground).backgroundColor) : [255, 255, 255];
      const pair = [light(parse(getComputedStyle(element).color)), light(behind)].sort((a, b) => b - a);
      return (pair[0] + .05) / (pair[1] + .05);
    }"""
        )
    )
