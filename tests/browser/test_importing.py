"""A manager brings a file of people in, and takes it back, at a desk and on a phone."""

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from mailinglist import import_runs
from mailinglist.models import Import, Subscription
from tests.factories import make_list, make_subscriber

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
FILE = "Mail,Full name,Town\nada@post.example,Ada,Wien\nbob@post.example,Bob,Graz\nnobody,Eve,Linz\n"


def work() -> None:
    """What the worker does meanwhile."""
    import_runs.run(Import.objects.get().pk)


def fits(page: Page, *widths: int) -> None:
    """At each width; at the last one the manager goes on."""
    for width in widths:
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width, page.url


def test_a_file_is_uploaded_checked_imported_and_undone(desk: Page) -> None:
    make_subscriber("bob@post.example", make_list())
    page = desk
    page.goto(reverse("admin:mailinglist_import_add"))
    page.get_by_label("List").select_option("News")
    page.locator("input[type=file]").set_input_files(
        {"name": "people.csv", "mimeType": "text/csv", "buffer": FILE.encode()}
    )
    page.get_by_role("button", name="Upload and look").click()
    page.get_by_label("What “Full name” is").select_option("Name")
    page.get_by_label("How did these people agree").fill("Signed the paper list at the fair.")
    fits(page, 1280, 390)
    page.get_by_role("button", name="Check the file").click()
    expect(page.get_by_text("being checked")).to_be_visible()
    work()
    expect(page.get_by_text("What would happen")).to_be_visible()  # the page reloads by itself
    expect(page.get_by_role("cell", name="nobody")).to_be_visible()

    page.get_by_role("button", name="Import now").click()
    expect(page.get_by_text("being imported")).to_be_visible()
    work()
    expect(page.get_by_text("What was imported")).to_be_visible()
    assert Subscription.objects.get(subscriber__email_key="ada@post.example").subscriber.name == "Ada"
    fits(page, 390, 1280)

    page.get_by_role("link", name="Undo this import").click()
    page.get_by_role("button", name="Undo the import").click()
    work()
    expect(page.get_by_text("What the undo did")).to_be_visible()
    assert Subscription.objects.count() == 1
