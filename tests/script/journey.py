"""What a new manager does on the first day, in a browser against what script/start runs: from the login to the undo.

Used by test_start.py. With a folder for pictures, every screen is photographed.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

PEOPLE = """Mail,First name,Town
success+ada@simulator.amazonses.com,Ada,Wien
ooto+ben@simulator.amazonses.com,Ben,Graz
bounce+cem@simulator.amazonses.com,Cem,Linz
complaint+dora@simulator.amazonses.com,Dora,Wien
nobody at all,Eve,Linz
"""
#: Milliseconds for what a worker does meanwhile.
PATIENCE = 60_000


def walk(
    chromium: Browser, address: str, password: str, *, width: int = 1280, shots: Path | None = None
) -> None:
    """Do all of it, as the manager that script/start made. Raises AssertionError where a page is not as it should be."""
    context = chromium.new_context(viewport={"width": width, "height": 900}, base_url=address)
    page = context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("response", lambda answer: wrong.append(answer.url) if answer.status >= 400 else None)
    page.on(
        "request",
        lambda sent: wrong.append(sent.url) if not sent.url.startswith((address, "data:")) else None,
    )
    try:
        for number, step in enumerate(STEPS, 1):
            step(page, password)
            overflow = page.evaluate(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
            assert overflow <= 0, step.__name__
            if shots:
                page.screenshot(
                    path=shots / f"{number:02}-{step.__name__.strip('_')}-{width}.png", full_page=True
                )
        assert wrong == []
    finally:
        context.close()


def _log_in(page: Page, password: str) -> None:
    page.goto("/admin/")
    page.fill("[name=username]", "admin")
    page.fill("[name=password]", password)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Under way")).to_be_visible()


def _make_a_list(page: Page, _: str) -> None:
    page.goto("/admin/mailinglist/mailinglist/add/")
    page.fill("[name=name]", "Bean News")
    page.fill("[name=slug]", "beans")
    page.fill("[name=from_name]", "The Beans")
    page.fill("[name=from_email]", "beans@example.com")
    page.fill("[name=postal_address]", "Bean Street 1, 1010 Wien")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("link", name="Bean News").first).to_be_visible()


def _upload(page: Page, _: str) -> None:
    page.goto("/admin/mailinglist/import/add/")
    page.get_by_label("List").select_option("Bean News")
    page.locator("input[type=file]").set_input_files(
        {"name": "people.csv", "mimeType": "text/csv", "buffer": PEOPLE.encode()}
    )
    page.get_by_role("button", name="Upload and look").click()
    page.get_by_label("What “First name” is").select_option("Name")
    page.get_by_label("How did these people agree").fill("Signed the paper list at the fair.")


def _check(page: Page, _: str) -> None:
    page.get_by_role("button", name="Check the file").click()
    expect(page.get_by_text("What would happen")).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_role("cell", name="nobody at all")).to_be_visible()


def _import(page: Page, _: str) -> None:
    page.get_by_role("button", name="Import now").click()
    expect(page.get_by_text("What was imported")).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_text("new subscriptions").first).to_be_visible()


def _write(page: Page, _: str) -> None:
    page.goto("/admin/mailinglist/campaign/add/")
    page.fill("[name=name]", "Week 50")
    page.get_by_role("group", name="Lists").or_(page.locator(".field-lists")).get_by_label(
        "Bean News"
    ).check()
    page.fill("[name=subject]", "The beans are up")
    page.select_option("[name=template]", label="Newsletter")
    page.click(".CodeMirror")
    page.keyboard.type('# Hello {{ name|default:"friend" }}\n\nThe beans are up, **all** of them.\n')
    page.get_by_role("button", name="Save and continue editing").click()
    expect(page.get_by_text("Nothing speaks against sending it.")).to_be_visible()


def _preview(page: Page, _: str) -> None:
    page.get_by_role("link", name="Preview").first.click()
    page.get_by_label("As seen by").fill("success+ada@simulator.amazonses.com")
    page.get_by_role("button", name="Show").click()
    expect(page.frame_locator("iframe").first.get_by_role("heading", name="Hello Ada")).to_be_visible()


def _test_send(page: Page, _: str) -> None:
    page.get_by_role("link", name="Back to the campaign").click()
    page.get_by_role("link", name="Send a test").click()
    page.get_by_label("Send a test to").fill("success+me@simulator.amazonses.com")
    page.get_by_role("button", name="Send the test").click()
    expect(page.get_by_text("On its way to success+me@simulator.amazonses.com.")).to_be_visible()


def _schedule(page: Page, _: str) -> None:
    page.get_by_role("link", name="Schedule").click()
    page.locator("[name=local]").evaluate(
        "field => field.step = 1"
    )  # the field counts minutes, too long to wait for
    page.fill("[name=local]", f"{datetime.now(UTC) + timedelta(seconds=12):%Y-%m-%dT%H:%M:%S}")
    page.fill("[name=number]", page.input_value("[name=shown]"))
    page.get_by_role("button", name="Schedule").click()
    expect(page.get_by_text("scheduled").first).to_be_visible()


def _watch(page: Page, _: str) -> None:
    page.goto("/admin/")
    expect(page.get_by_text("Week 50").first).to_be_visible()
    expect(page.get_by_role("row", name="Week 50").get_by_text("finished")).to_be_visible(
        timeout=2 * PATIENCE
    )


def _read_results(page: Page, _: str) -> None:
    page.get_by_role("link", name="Week 50").first.click()
    page.get_by_role("link", name="Results").click()
    expect(page.get_by_role("heading", name="Results of “Week 50”")).to_be_visible()
    for _ in range(30):  # the reports of SES come in within seconds
        if page.get_by_role("row", name="hard bounce").count():
            break
        page.wait_for_timeout(1000)
        page.reload()
    expect(page.get_by_role("row", name="hard bounce").first).to_be_visible()


def _who_bounced(page: Page, _: str) -> None:
    page.get_by_role("row", name="hard bounce").first.get_by_role("link").first.click()
    expect(page.get_by_role("link", name="bounce+cem@simulator.amazonses.com")).to_be_visible()
    page.get_by_role("link", name="bounce+cem@simulator.amazonses.com").click()
    expect(page.get_by_text("The address does not exist at the receiving server.").first).to_be_visible()


def _undo(page: Page, _: str) -> None:
    page.locator("a.ml-btn", has_text="Restore …").click()
    page.get_by_label("Why?").fill("They wrote from that address yesterday.")
    page.get_by_role("button", name="Restore", exact=True).click()
    expect(page.get_by_role("heading", name="What happened to")).to_be_visible()
    expect(page.get_by_text("They wrote from that address yesterday.").first).to_be_visible()
    expect(page.locator("a.ml-btn", has_text="Restore …")).to_have_count(0)


STEPS = (
    _log_in,
    _make_a_list,
    _upload,
    _check,
    _import,
    _write,
    _preview,
    _test_send,
    _schedule,
    _watch,
    _read_results,
    _who_bounced,
    _undo,
)
