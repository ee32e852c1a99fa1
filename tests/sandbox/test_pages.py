"""The inbox: everything of a mail is shown, and nothing of it runs."""

import shutil
import subprocess
import urllib.error
import urllib.request
from typing import Any

import pytest

from sandbox.testing import RunningSandbox
from tests.sandbox.aws import send

EVIL = "<script>document.title='ran'</script>"
HTML = "MIME-Version: 1.0\nContent-Type: text/html; charset=utf-8"


def page(ses: RunningSandbox, path: str) -> tuple[str, Any]:
    with urllib.request.urlopen(ses.url + path) as answer:
        return answer.read().decode(), answer.headers


def test_an_empty_inbox_says_so(ses: RunningSandbox) -> None:
    text, headers = page(ses, "/")
    assert "No mail yet." in text
    assert "default-src 'none'" in headers["Content-Security-Policy"]


def test_mails_are_listed_with_what_happened_and_searched_by_recipient(
    ses: RunningSandbox, sesv2: Any
) -> None:
    send(sesv2, "hard@example.com", subject="First")
    send(sesv2, "ada@example.com", subject="=?utf-8?q?Zw=C3=B6lf?=")
    ses.wait_for_pushes()
    text, _ = page(ses, "/")
    assert text.index("Zwölf") < text.index("First")
    assert "Bounce Permanent/General" in text and "Delivery" in text
    found, _ = page(ses, "/?to=HARD")
    assert "First" in found and "Zwölf" not in found
    assert "No mail to a recipient like <b>nobody%&lt;</b>" in page(ses, "/?to=nobody%25%3C")[0]


def test_older_mails_are_on_the_next_page(ses: RunningSandbox, sesv2: Any) -> None:
    for i in range(51):
        send(sesv2, f"p{i}@example.com", subject=f"Number {i}.")
    text, _ = page(ses, "/")
    assert "Number 50." in text and "Number 0." not in text
    older = text.split('<p class="more"><a href="')[1].split('"')[0].replace("&amp;", "&")
    assert "Number 0." in page(ses, older)[0]


@pytest.mark.parametrize("extra", ["", HTML], ids=["text", "html"])
def test_what_a_mail_holds_is_escaped(ses: RunningSandbox, sesv2: Any, extra: str) -> None:
    header = f'{extra}\nX-Evil: "><script>1</script>'.strip()
    message_id = send(sesv2, "ada@example.com", subject=EVIL, extra=header, body=EVIL)
    for path in ("/", "/?to=%22%3E%3Cscript%3E", f"/mails/{message_id}"):
        text, headers = page(ses, path)
        assert "<script" not in text
        assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "&lt;script&gt;1&lt;/script&gt;" in page(ses, f"/mails/{message_id}")[0]


def test_the_html_part_is_sandboxed_by_frame_and_header(ses: RunningSandbox, sesv2: Any) -> None:
    body = f"<html><head></head><body><a href='https://x.example/'>go</a>{EVIL}</body></html>"
    message_id = send(sesv2, "ada@example.com", extra=HTML, body=body)
    text, _ = page(ses, f"/mails/{message_id}")
    assert '<iframe sandbox="allow-popups allow-popups-to-escape-sandbox"' in text
    html, headers = page(ses, f"/mails/{message_id}/html")
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("sandbox allow-popups ") and "default-src 'none'" in policy
    assert "allow-scripts" not in policy and "allow-same-origin" not in policy
    assert '<head><base target="_blank"></head>' in html


@pytest.mark.browser
def test_a_script_in_a_mail_does_not_run_in_a_browser(ses: RunningSandbox, sesv2: Any) -> None:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert chromium
    message_id = send(sesv2, "ada@example.com", extra=HTML, body=f"<title>calm</title><p>Hi</p>{EVIL}")
    command = [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    address = f"{ses.url}/mails/{message_id}/html"
    done = subprocess.run([*command, "--dump-dom", address], capture_output=True, text=True, timeout=30)
    assert "<title>calm</title>" in done.stdout and "<title>ran</title>" not in done.stdout


def test_links_in_the_text_can_be_followed(ses: RunningSandbox, sesv2: Any) -> None:
    message_id = send(sesv2, "ada@example.com", body="Confirm: http://127.0.0.1:8000/c/?a=1&b=2.")
    text, _ = page(ses, f"/mails/{message_id}")
    assert 'href="http://127.0.0.1:8000/c/?a=1&amp;b=2" target="_blank" rel="noopener noreferrer"' in text


def test_the_raw_mail_is_what_a_recipient_gets(ses: RunningSandbox, sesv2: Any) -> None:
    tags = "X-SES-MESSAGE-TAGS: a=b\nMessage-ID: <own@example.com>\nBcc: secret@example.com"
    message_id = send(sesv2, "ada@example.com", extra=tags)
    text, headers = page(ses, f"/mails/{message_id}/raw")
    assert headers["Content-Type"] == "message/rfc822" and "attachment" in headers["Content-Disposition"]
    assert f"Message-ID: <{message_id}@email.amazonses.com>" in text
    assert not any(word in text for word in ("X-SES", "own@", "secret@"))


def test_a_broken_mail_is_still_shown(ses: RunningSandbox, sesv2: Any) -> None:
    extra = "Content-Type: text/plain; charset=nonsense\nX-Odd: =?utf-8?b?/////w==?="
    message_id = send(sesv2, "ada@example.com", subject="=?nonsense?q?=FF?=", extra=extra, body="\x00")
    text, _ = page(ses, f"/mails/{message_id}")
    assert "X-Odd" in text and "Download the mail" in text


def test_a_mail_that_is_not_here_is_not_found(ses: RunningSandbox) -> None:
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(f"{ses.url}/mails/none")
    assert caught.value.code == 404
    assert page(ses, "/inbox.css")[1]["Content-Type"].startswith("text/css")
