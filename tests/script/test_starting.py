"""Parts of script/start that need no server: its ports, and a standard output that nobody reads."""

import os
import signal
import socket
import sys
from pathlib import Path

import pytest

from script import processes, starting
from tests.script.test_supervisor import Shell


def test_the_local_ses_does_not_get_the_port_of_the_web_server() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = int(taken.getsockname()[1])
        assert starting._free_port(port, besides=0) != port
    assert starting._free_port(port, besides=0) == port
    assert starting._free_port(port, besides=port) != port


def test_a_start_whose_reader_has_gone_stops_and_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MAILINGLIST_VAR", str(tmp_path))
    run = starting._Start(starting._parse([]))
    server = Shell(tmp_path, "sleep 60")
    run.supervisor.start(server)
    assert server.child is not None
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as nobody_reads:
        monkeypatch.setattr(sys, "stdout", nobody_reads)
        try:
            run.say("Starting …")
            assert processes.stopping.is_set(), "it went on"
            run._stop()
        finally:
            processes.stopping.clear()
            processes.kill_group(server.child)
    assert server.child.returncode == -signal.SIGTERM, "it was not ended in good order"
