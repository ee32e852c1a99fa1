"""A manager puts a segment together, chooses by it, confirms the number, and stops the campaign before the first mail."""

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from mailinglist.models import Campaign, MailingList, Segment
from tests.factories import make_campaign, make_list, make_subscriber

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("quiet")]


def test_a_segment_a_confirmed_number_and_a_stop(desk: Page) -> None:
    news = make_list("news", stop_seconds=60)
    for number in range(3):
        make_subscriber(f"p{number}@post.example", news, attributes={"city": "Rome" if number else "Ulm"})
    campaign = make_campaign(news)
    page = desk
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto(reverse("admin:mailinglist_segment_add"))
    page.get_by_label("Name", exact=True).fill("Romans")
    page.get_by_label("About").select_option("attribute-text:")
    page.get_by_label("Name of the value").fill("city")
    page.get_by_label("Value", exact=True).fill("Rome")
    expect(page.get_by_text("2 of all people")).to_be_visible()
    page.get_by_role("button", name="Add a group").click()
    expect(page.get_by_label("About")).to_have_count(2)
    page.get_by_label("About").last.select_option("list")
    page.get_by_label("Which").select_option(label="News")
    expect(page.get_by_text("2 of all people")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    been = page.evaluate("history.length")
    page.get_by_role("button", name="Count").last.click()
    page.get_by_label("Name", exact=True).fill("")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("This field is required.")).to_be_visible()
    assert page.evaluate("history.length") == been  # so that Back does not ask to send the form again
    page.get_by_label("Name", exact=True).fill("Romans")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("is saved")).to_be_visible()

    campaign.include_segments.set([Segment.objects.get()])
    page.goto(reverse("admin:mailinglist_campaign_start", args=[campaign.pk]))
    page.get_by_label("Type 2 to confirm").fill("2")
    page.get_by_role("button", name="Send to 2 people in 60 seconds").click()
    expect(page.get_by_text("seconds.", exact=False).last).to_be_visible()
    expect(page.locator("[data-countdown]")).to_contain_text("in 5")
    page.get_by_role("button", name="Stop, send nothing").click()
    expect(page.get_by_text("No mail has left")).to_be_visible()
    assert Campaign.objects.get().status == "draft" and MailingList.objects.get().stop_seconds == 60
