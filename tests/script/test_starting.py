"""Parts of script/start that need no server: who gets a port, and a standard output that nobody reads."""

import os
import signal
import sys
from pathlib import Path

import pytest

from script import processes, starting
from script.errors import StartError
from tests.script.test_ports import free_port
from tests.script.test_supervisor import Shell


def test_of_two_starts_that_have_only_begun_one_gets_the_port() -> None:
    port = free_port()
    first, second, third = (
        starting._Start(starting._parse(["--port", str(number)])) for number in (port, port, free_port())
    )
    try:
        first._claim_ports()
        with pytest.raises(StartError, match=f"Port {port} is taken. Choose another one"):
            second._claim_ports()
        third._claim_ports()
        chosen = {first.web_port.number, first.ses_port.number, third.web_port.number, third.ses_port.number}
        assert len(chosen) == 4
    finally:
        for run in (first, third):
            run.web_port.release()
            run.ses_port.release()
    second._claim_ports()
    second.web_port.release()
    second.ses_port.release()


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
