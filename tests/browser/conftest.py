"""A Chromium for all tests of this room, and windows of it that go from test to test.

A new window costs half a second of processor, and two more until it has read the styles and scripts of the admin
anew. So each kind of window is opened once. A test gets it without cookies and without anything that pages stored.
"""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pytest
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import (
    Browser,
    ConsoleMessage,
    Error,
    Page,
    Request,
    Response,
    expect,
    sync_playwright,
)

from mailinglist import doorbell

#: The first is Chromium without its windows, which takes a fifth less.
BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
CHROMIUM = next(filter(None, map(shutil.which, BROWSERS)), "")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
# A page after a click, on a machine whose processors are all busy with other tests.
expect.set_options(timeout=20_000)


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    # Playwright runs an event loop in this thread; the tests' own queries beside it are safe.
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        with sync_playwright() as playwright:
            found = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            yield found
            found.close()


class Kind(NamedTuple):
    """What a window cannot change any more once it is open."""

    scripts: bool
    #: Whose pages. Browsers may keep some public ones; a window that is cleared of them has lost all styles too.
    admin: bool


class Windows:
    """The windows that are open, one of a kind."""

    def __init__(self, chromium: Browser, home: str) -> None:
        self._chromium, self._home = chromium, home
        self._pages: dict[Kind, Page] = {}

    def open(self, kind: Kind, width: int, height: int, language: str) -> Page:
        page = self._pages.get(kind)
        if page is None or page.is_closed():
            context = self._chromium.new_context(
                base_url=self._home,
                java_script_enabled=kind.scripts,
                reduced_motion="reduce",
            )
            page = self._pages[kind] = context.new_page()
        page.set_viewport_size({"width": width, "height": height})
        page.set_extra_http_headers({"Accept-Language": language})
        return page

    def clear(self, kind: Kind) -> None:
        """Leave the page, so that nothing of it runs on, and forget all that it left behind."""
        try:
            self._clear(self._pages[kind], kind)
        except Error:  # the page goes somewhere by itself in this very moment, or has crashed
            self._pages.pop(kind).context.close()

    def _clear(self, page: Page, kind: Kind) -> None:
        page.unroute_all()
        page.goto("/healthz")
        page.evaluate("localStorage.clear(), sessionStorage.clear()")
        page.context.clear_cookies()
        page.emulate_media(color_scheme="null", forced_colors="null", media="null")
        if not kind.admin:
            session = page.context.new_cdp_session(page)
            session.send("Network.clearBrowserCache")
            session.detach()


@pytest.fixture(scope="package")
def windows(chromium: Browser, live_server: Any) -> Windows:
    return Windows(chromium, live_server.url)


@pytest.fixture
def window(windows: Windows, live_server: Any, settings: Any) -> Iterator[Callable[..., Page]]:
    """Gives the window of the kind that is asked for, as if it were new. The second time in a test: the same one."""
    settings.PUBLIC_URL = live_server.url
    given: set[Kind] = set()

    def give(
        width: int = 1280,
        height: int = 800,
        *,
        language: str = "en-US",
        scripts: bool = True,
        admin: bool = False,
    ) -> Page:
        kind = Kind(scripts, admin)
        given.add(kind)
        return windows.open(kind, width, height, language)

    yield give
    for kind in given:
        windows.clear(kind)


@pytest.fixture
def boss(db: Any) -> User:
    """A manager who may do everything, and has the password of ``log_in``."""
    return User.objects.create_superuser("boss", "boss@acme.example", "secret-secret")


@pytest.fixture
def desk(window: Callable[..., Page], live_server: Any, boss: User) -> Page:
    """The admin, in a window in which the manager has logged in."""
    client = Client()
    client.force_login(boss)
    page = window(admin=True)
    session = client.cookies["sessionid"].value
    page.context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    return page


def log_in(page: Page) -> None:
    """By the form, on the page that asks for it."""
    page.fill("input[name=username]", "boss")
    page.fill("input[name=password]", "secret-secret")
    page.click("button[type=submit]")


@dataclass
class Seen:
    """What went wrong on the pages that were watched: all lists are empty on a good day."""

    #: Addresses that are not ours.
    foreign: list[str] = field(default_factory=list)
    #: Answers of 400 and more.
    failed: list[str] = field(default_factory=list)
    #: What the browser complains about, for example a broken Content-Security-Policy.
    complaints: list[str] = field(default_factory=list)
    #: Exceptions in scripts.
    errors: list[str] = field(default_factory=list)


@contextmanager
def watched(page: Page, ours: str) -> Iterator[Seen]:
    seen = Seen()

    def sent(request: Request) -> None:
        if not request.url.startswith(ours):
            seen.foreign.append(request.url)

    def answered(response: Response) -> None:
        if response.status >= 400:
            seen.failed.append(response.url)

    def said(message: ConsoleMessage) -> None:
        if message.type == "error":
            seen.complaints.append(message.text)

    def broke(error: Any) -> None:
        seen.errors.append(f"{error} {error.stack}")

    listeners: dict[Any, Any] = {"request": sent, "response": answered, "console": said, "pageerror": broke}
    for event, listener in listeners.items():
        page.on(event, listener)
    yield seen
    for event, listener in listeners.items():
        page.remove_listener(event, listener)


@pytest.fixture
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wake no workers."""
    monkeypatch.setattr(doorbell, "_send", lambda task, args: None)
