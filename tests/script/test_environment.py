"""Making .venv: somebody else's, and Ctrl-C in the middle of it."""

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from script import environment, processes
from script.environment import PROJECT
from script.errors import StartError

NOBODY = 65534


def test_a_python_that_is_there_can_be_used_and_one_that_is_not_has_to_be_made(tmp_path: Path) -> None:
    assert environment.can_use(Path(sys.executable))
    assert not environment.can_use(tmp_path / "bin" / "python")


def test_a_venv_of_another_user_is_told_in_a_sentence(tmp_path: Path) -> None:
    python = tmp_path / "venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text("#!/bin/sh\n")
    with pytest.raises(StartError, match="Remove that folder and run script/start") as told:
        environment.can_use(python)
    assert str(tmp_path / "venv") in str(told.value)
    tmp_path.chmod(0o700 if os.getuid() == 0 else 0)
    assert _as_nobody(python) == 7
    tmp_path.chmod(0o700)


def _as_nobody(python: Path) -> int:
    """7: StartError. Root may enter every folder, so this is asked by a process that is not root."""
    pid = os.fork()
    if pid == 0:
        try:
            if os.getuid() == 0:
                os.setuid(NOBODY)
            environment.can_use(python)
            os._exit(0)
        except StartError:
            os._exit(7)
        finally:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_ctrl_c_of_a_terminal_while_venv_is_made_stops_without_a_diagnosis(tmp_path: Path) -> None:
    project = tmp_path / "project"
    shutil.copytree(PROJECT / "script", project / "script")
    (project / "requirements.txt").write_text("django==0.0\n")
    words = tmp_path / "words.txt"
    with words.open("w") as out:
        child = subprocess.Popen(
            [getattr(sys, "_base_executable", sys.executable), str(project / "script" / "start")],
            env={**os.environ, "MAILINGLIST_VAR": str(tmp_path / "var")},
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    try:
        assert processes.wait_until(lambda: "Making .venv" in words.read_text(), 20)
        os.killpg(child.pid, signal.SIGINT)
        assert child.wait(10) == 0
    finally:
        processes.kill_group(child)
    assert words.read_text() == "Making .venv …\nStopping …\nStopped.\n"


def test_a_command_that_is_run_to_its_end_ends_with_a_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    processes.stopping.set()
    try:
        with pytest.raises(processes.Stopping):
            processes.output(["sleep", "60"])
    finally:
        processes.stopping.clear()


def test_a_command_reads_the_words_it_is_given() -> None:
    assert processes.output(["cat"], words="one\ntwo\n") == (0, "one\ntwo", "")


@pytest.mark.parametrize("name", ["requirements", "requirements-dev"])
def test_the_locks_name_extras_for_the_pip_of_debian_12(name: str) -> None:
    """pip 23.0 takes ``coverage[toml]`` for unpinned where the lock says ``coverage==…`` and a newer one is out."""
    wanted = re.findall(r"^[\w-]+\[[\w, -]+\]", (PROJECT / f"{name}.in").read_text(), re.MULTILINE)
    locked = (PROJECT / f"{name}.txt").read_text().replace(", ", ",")
    assert wanted
    assert [pin for pin in wanted if f"\n{pin}==" not in locked] == []
