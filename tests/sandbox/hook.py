"""A receiver of SNS messages: keeps what comes and answers as told."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple


class Received(NamedTuple):
    headers: dict[str, str]
    envelope: dict[str, Any]
    body: bytes

    @property
    def event(self) -> dict[str, Any]:
        return json.loads(self.envelope["Message"])


class Hook:
    """``answer`` maps an envelope to the HTTP status."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.received: list[Received] = []
        self.answer: Callable[[dict[str, Any]], int] = lambda envelope: 200

    def clear(self) -> None:
        self.received = []
        self.answer = lambda envelope: 200

    def events(self, event_type: str = "") -> list[dict[str, Any]]:
        """The events that came, in their order, of one type where given."""
        events = [one.event for one in self.received if one.envelope["Message"].startswith("{")]
        return [event for event in events if event_type in ("", event["eventType"])]

    def wait_for(self, enough: Callable[["Hook"], bool], timeout: float = 10) -> None:
        end = time.monotonic() + timeout
        while not enough(self):
            assert time.monotonic() < end, f"only {[one.envelope for one in self.received]}"
            time.sleep(0.01)


@contextmanager
def listening() -> Iterator[Hook]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            envelope = json.loads(body)
            headers = {name.lower(): value for name, value in self.headers.items()}
            hook.received.append(Received(headers, envelope, body))
            self.send_response(hook.answer(envelope))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hook = Hook(f"http://127.0.0.1:{server.server_port}/hooks/ses/")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield hook
    server.shutdown()
    server.server_close()
