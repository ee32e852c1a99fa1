"""Who holds a port before anybody listens there, and whose server it is that answers."""

import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from script import embedded, ports, services
from script.environment import PROJECT
from script.errors import StartError

_CLAIM = "import time; from script.ports import Port; print(Port({port}).claim(), flush=True); time.sleep(60)"


class _Health(BaseHTTPRequestHandler):
    """Some program's health page, which does not say whose it is; one address names process 7."""

    def do_GET(self) -> None:
        self.send_response(200)
        if self.path == "/seven":
            self.send_header("X-Process", "7")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def stranger() -> Iterator[int]:
    """The port of a program that is not ours and says that all is well."""
    with HTTPServer(("127.0.0.1", 0), _Health) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def local_ses(port: int, var: Path) -> services.Program:
    embedded.make_private(var / "log")
    return services.local_ses(port, 9, var=var, environment={"PYTHONPATH": str(PROJECT)}, config={})


def test_a_claimed_port_is_nobody_elses_until_it_is_released() -> None:
    port = free_port()
    first, second = ports.Port(port), ports.Port(port)
    assert first.claim() and not second.claim()
    first.release()
    assert second.claim()
    second.release()


def test_a_port_where_somebody_listens_is_not_claimed_and_another_one_is() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = int(taken.getsockname()[1])
        assert not ports.Port(number).claim()
        other = ports.claim_or_another(number)
        assert other.number != number
        other.release()
    again = ports.Port(number)
    assert again.claim(), "a refused claim was kept"
    again.release()


def test_the_claim_of_a_killed_start_does_not_outlive_it() -> None:
    port = free_port()
    with subprocess.Popen(
        [sys.executable, "-c", _CLAIM.format(port=port)], stdout=subprocess.PIPE, cwd=PROJECT
    ) as other:
        assert other.stdout is not None and other.stdout.readline() == b"True\n"
        ours = ports.Port(port)
        refused = not ours.claim()
        other.kill()
    assert refused and ours.claim()
    ours.release()


def test_a_folder_of_claims_that_others_can_enter_is_not_trusted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(embedded, "is_private", lambda folder, *owners: False)
    with pytest.raises(StartError, match="is not a private folder of this user"):
        ports.Port(free_port()).claim()


def test_only_the_named_process_answers_for_itself(stranger: int) -> None:
    assert services.get(f"http://127.0.0.1:{stranger}/") == "ok"
    assert not services.answers(f"http://127.0.0.1:{stranger}/", 7)
    assert services.answers(f"http://127.0.0.1:{stranger}/seven", 7)
    assert not services.answers(f"http://127.0.0.1:{stranger}/seven", 8)


def test_a_server_is_ready_when_it_answers_itself_and_gives_way_to_nobody(tmp_path: Path) -> None:
    port = free_port()
    first, second = local_ses(port, tmp_path / "first"), local_ses(port, tmp_path / "second")
    first.start()
    assert first.child is not None
    try:
        with pytest.raises(StartError, match=f"does not start: another program has taken port {port}"):
            second.start()
        assert second.child is None, "it was started beside the other one"
        assert first.child.poll() is None
    finally:
        first.child.kill()
        first.child.wait()


def test_who_takes_the_port_while_the_server_starts_is_not_taken_for_it(
    stranger: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    free = iter([True])
    monkeypatch.setattr(ports, "is_free", lambda number: next(free, False))
    program = local_ses(stranger, tmp_path / "late")
    with pytest.raises(StartError, match=f"another program has taken port {stranger}"):
        program.start()
    assert program.child is not None and program.child.poll() is not None
