"""A Chromium for each file, and the pages of tests/public_pages.py as it shows them."""

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from mailinglist import doorbell

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome") or ""
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
# A page after a click, on a machine whose processors are all busy with other tests.
expect.set_options(timeout=20_000)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    # Playwright runs an event loop in this thread; the tests' own queries beside it are safe.
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        with sync_playwright() as playwright:
            found = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            yield found
            found.close()


@pytest.fixture
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wake no workers."""
    monkeypatch.setattr(doorbell, "_send", lambda task, args: None)
